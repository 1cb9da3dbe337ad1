"""Backfills in processes of their own that are killed or told to stop, and what the same command does then."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner, Result

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.cli import cli
from macrocredit_assets.holdings import Holdings
from macrocredit_assets.orchestration.instance import open_instance

sys.path.insert(0, str(Path(__file__).parent))
from faults import Faulty, environment

_DEADLINE_SECONDS = 60.0

#: Three runs, each of two datasets and the signal made from them; Good Friday and weekends are in it.
ASKED = ("backfill", "--start", "2024-01-01", "--end", "2024-03-31", "--chunk", "1m")
NAMES = ("left", "right", "gap")


@pytest.fixture
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Faulty:
    """Give an empty root whose source does as it is told, in this process as well."""
    made = Faulty.install(tmp_path / "first")
    monkeypatch.syspath_prepend(made.packages)
    return made


@pytest.fixture
def backfilling(faulty: Faulty) -> Iterator[subprocess.Popen[str]]:
    """Start a backfill whose second run hangs in its second dataset, and wait until it does."""
    faulty.tell("right", "answer", "sleep")
    command = [sys.executable, "-m", "macrocredit_assets", *ASKED]
    process = subprocess.Popen(command, env=environment(faulty), stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while len(faulty.attempts("right")) < 2:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    yield process
    process.kill()
    process.communicate()


def _invoke(faulty: Faulty, *arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, env=faulty.environ, prog_name="macrocredit")


def _attempts(faulty: Faulty) -> dict[str, int]:
    return {name: len(faulty.attempts(name)) for name in ("left", "right")}


def _computed(faulty: Faulty) -> list[str]:
    """Return the windows for which the signal was computed."""
    entries = (log["assets"].get("gap") for log in faulty.run_logs().values())
    return sorted(entry["window"] for entry in entries if entry and entry["error"] is None)


def _contents(faulty: Faulty) -> dict[str, object]:
    """Return all that a backfill leaves, without what tells one run from another."""
    settings = faulty.settings()
    holdings = Holdings(settings, load_catalog(settings.catalog))
    registry: dict[str, dict[str, Any]] = json.loads(settings.registry_path.read_text())
    for entry in registry.values():
        del entry["registered_at"], entry["last_updated"]
        for key in ("run_id", "last_checked", "known_at"):
            entry["metadata"].pop(key)
    with open_instance(settings.dagster_home) as instance:
        partitions = {name: instance.get_materialized_partitions(dg.AssetKey(name)) for name in NAMES}
    return {
        "files": {
            path.name: path.read_bytes()
            for folder in ("raw", "processed")
            for path in (settings.data_directory / folder).glob("*.parquet")
        },
        "coverage": {name: str(holdings[name].coverage) for name in NAMES},
        "registry": registry,
        "partitions": partitions,
    }


def test_killed_backfill_goes_on_and_ends_as_one_that_was_not_killed(
    faulty: Faulty, backfilling: subprocess.Popen[str], tmp_path: Path
) -> None:
    """No dataset and no chunk that was complete is asked for again; files, registry and partitions are the same."""
    backfilling.kill()
    backfilling.wait()
    assert _attempts(faulty) == {"left": 2, "right": 2}
    dry = _invoke(faulty, *ASKED, "--dry-run", "--json")
    assert [(run["window"], run["datasets"]) for run in json.loads(dry.stdout)["runs"]] == [
        ("2024-02-01..2024-02-29", ["right", "gap"]),
        ("2024-03-01..2024-03-31", ["left", "right", "gap"]),
    ]

    result = _invoke(faulty, *ASKED)
    assert result.exit_code == 0, result.output
    assert "not asked for again: left (2024-01-01..2024-02-29)" in result.stderr
    assert "not asked for again: right, gap (2024-01-01..2024-01-31)" in result.stderr
    # three chunks; of the second one, `right` was never answered
    assert _attempts(faulty) == {"left": 3, "right": 4}
    assert _computed(faulty) == ["2024-01-01..2024-01-31", "2024-02-01..2024-02-29", "2024-03-01..2024-03-31"]
    statuses = sorted(log["status"] for log in faulty.run_logs().values())
    assert statuses == ["aborted", "success", "success", "success"]

    other = Faulty.install(tmp_path / "second")
    assert _invoke(other, *ASKED).exit_code == 0
    assert _contents(faulty) == _contents(other)


def test_finished_backfill_begins_anew(faulty: Faulty) -> None:
    """What ended, well or not, is not gone on with: the same command asks for everything again."""
    asked = ("backfill", "--start", "2024-01-02", "--end", "2024-01-05")
    faulty.tell("right", "permanent")
    assert _invoke(faulty, *asked).exit_code == 1
    again = _invoke(faulty, *asked)
    assert again.exit_code == 0
    assert "Going on" not in again.stderr
    assert _attempts(faulty) == {"left": 2, "right": 2}


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_backfill_that_is_told_to_stop_leaves_whole_windows(
    faulty: Faulty, backfilling: subprocess.Popen[str], signal_number: signal.Signals
) -> None:
    """Ctrl-C and SIGTERM end the run at a safe point and start no other; the same command goes on."""
    backfilling.send_signal(signal_number)
    said, _ = backfilling.communicate(timeout=_DEADLINE_SECONDS)
    assert backfilling.returncode == 1
    assert "Not finished: told to stop" in said
    assert next(line for line in said.splitlines() if line.startswith("retry:")).endswith(" ".join(ASKED))
    statuses = {log["window"]: log["status"] for log in faulty.run_logs().values()}
    assert statuses == {"2024-01-01..2024-01-31": "success", "2024-02-01..2024-02-29": "canceled"}
    settings = faulty.settings()
    holdings = Holdings(settings, load_catalog(settings.catalog))
    coverage = [str(holdings[name].coverage) for name in NAMES]
    assert coverage == ["2024-01-01..2024-02-29", "2024-01-01..2024-01-31", "2024-01-01..2024-01-31"]
    with open_instance(settings.dagster_home) as instance:
        assert all(run.is_finished for run in instance.get_runs())

    assert _invoke(faulty, *ASKED).exit_code == 0
    assert _attempts(faulty) == {"left": 3, "right": 4}


def test_stop_ends_after_the_first_run_that_failed(faulty: Faulty) -> None:
    """--on-error stop starts no further run; the same command goes on with what failed and what was not reached."""
    faulty.tell("right", "answer", "permanent")
    result = _invoke(faulty, *ASKED, "--on-error", "stop")
    assert result.exit_code == 1
    assert _attempts(faulty) == {"left": 2, "right": 2}
    assert "Not finished: a run failed" in result.stdout
    again = _invoke(faulty, *ASKED, "--on-error", "stop")
    assert again.exit_code == 0
    assert _attempts(faulty) == {"left": 3, "right": 4}


def test_other_chunks_are_stored_where_one_fails(faulty: Faulty) -> None:
    """By default all other datasets and chunks are stored; a table and one command have just what did not work."""
    faulty.tell("right", "answer", "permanent")
    result = _invoke(faulty, *ASKED)
    assert result.exit_code == 1
    assert _attempts(faulty) == {"left": 3, "right": 3}
    lines = result.stdout.splitlines()
    table = lines.index(next(line for line in lines if line.startswith("did not work")))
    assert [line.split(maxsplit=2) for line in lines[table + 1 : table + 3]] == [
        ["right", "2024-02-01..2024-02-29", "right 2024-02-01..2024-02-29: the upstream answered 404"],
        ["gap", "2024-02-01..2024-02-29", "Not run, because right failed in this run."],
    ]
    (retry,) = [line.partition("macrocredit ")[2] for line in lines if line.startswith("retry:")]
    assert retry == "backfill right gap --start 2024-02-01 --end 2024-02-29"
    assert _contents(faulty)["coverage"] == {
        "left": "2024-01-01..2024-03-31",
        "right": "2024-01-01..2024-01-31, 2024-03-01..2024-03-31",
        "gap": "2024-01-01..2024-01-31, 2024-03-01..2024-03-31",
    }
    assert _invoke(faulty, *retry.split()).exit_code == 0
    assert _attempts(faulty) == {"left": 3, "right": 4}
    assert set(_contents(faulty)["coverage"].values()) == {"2024-01-01..2024-03-31"}
