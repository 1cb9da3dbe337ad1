"""The benchmark runs, and who takes part gives the same answers; how long anybody took is nothing for a test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.growth import Growth
from benchmarks.report import Result, Time, summary
from benchmarks.slow_disk import slow_disk

_REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_contestants_give_the_same_answers(tmp_path: Path) -> None:
    """Pandas, pyarrow and the store read the same month, panel and columns; who is not installed is shown as absent."""
    out = tmp_path / "results.json"
    names = ["read_month", "read_panel", "read_wide", "registry_lookup"]
    command = [sys.executable, "-m", "benchmarks", "--compare", "--out", str(out), *names]
    done = subprocess.run(command, cwd=_REPOSITORY, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    document = json.loads(out.read_text())
    assert [result["name"] for result in document["results"]] == names
    for result in document["results"]:
        present = [time for time in result["times"] if time["absent"] is None]
        assert present[0]["who"] == "macrocredit_assets"
        assert len(present) >= 2
        assert all(time["seconds"] > 0 for time in present)
    assert document["machine"]["cores"] >= 1


def test_slow_disk_takes_longer_to_flush(tmp_path: Path) -> None:
    """Three flushes of a process on such a disk, one of each kind, take at least as long as was asked for."""
    environment = slow_disk(tmp_path, 50)
    if environment is None:
        pytest.skip("a slow disk is made by a C compiler, and there is none")
    program = (
        "import os, sys, time; file = open(sys.argv[1], 'wb'); started = time.perf_counter();"
        "os.fsync(file.fileno()); os.fdatasync(file.fileno());"
        "os.pwrite(os.open(sys.argv[1], os.O_WRONLY | os.O_DSYNC), b'x', 0); print(time.perf_counter() - started)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "x")]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    assert float(done.stdout) >= 3 * 0.050


def test_steepest_slope() -> None:
    """Ten times the size in a hundred times the time is a slope of two; what comes before it may be flat."""
    assert Growth("load", "datasets", (1, 10, 100), (2.0, 2.0, 200.0)).steepest == pytest.approx(2.0)
    assert Growth("load", "years", (1, 4), (1.0, 2.0)).steepest == pytest.approx(0.5)


def test_summary() -> None:
    """A line for each piece of work: our median, how often each peer's goes into it, and whether that was promised."""
    times = (Time("macrocredit_assets", 0.25), Time("ArcticDB", 0.5), Time("DuckDB", None, absent="not installed"))
    text = summary([Result("read", "read a month", "at most 0.7 of ArcticDB", True, times)])
    assert text.splitlines()[2:] == [
        "| read a month | 250 ms | ArcticDB 0.50, DuckDB absent | at most 0.7 of ArcticDB: kept |"
    ]
