"""The store among processes: many writers at once, and writers that are killed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from macrocredit_assets.persistence.dataset_store import DatasetStore
from macrocredit_assets.windows import Window

_SCRIPT = Path(__file__).with_name("dataset_store_process.py")


def test_processes_write_different_windows_at_once(tmp_path: Path) -> None:
    """Three processes write a year each into one dataset, month by month, and no row of any is lost."""
    path = tmp_path / "raw" / "cdx.parquet"
    writers = [subprocess.Popen([sys.executable, _SCRIPT, "year", path, str(year)]) for year in (2021, 2022, 2023)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    days = pd.date_range("2021-01-01", "2023-12-31", unit="us", name="date")
    frame = pd.DataFrame({"spread": days.day_of_year.to_numpy() / 8 + days.year.to_numpy()}, index=days)
    schema = pa.schema([pa.field("spread", pa.float64(), metadata={b"unit": b"bp"})])
    alone = DatasetStore(tmp_path / "alone" / "cdx.parquet", schema)
    alone.write(Window.parse("2021-01-01", "2023-12-31"), frame, series="test:process")
    assert path.read_bytes() == alone.path.read_bytes()
    revisions = DatasetStore(path).revisions()
    assert [revision.number for revision in revisions] == list(range(1, 37))
    assert [revision.known_at for revision in revisions] == sorted(revision.known_at for revision in revisions)
    assert sum(revision.inserted for revision in revisions) == 1095


@pytest.mark.parametrize("action", ["create", "extend", "years", "snapshot"])
def test_killed_writer_leaves_old_or_new(tmp_path: Path, action: str) -> None:
    """A process killed at any step leaves the old rows or the new ones, as its revision is there; readers agree."""
    # the script forks after Arrow has started threads, which Python 3.12 warns of
    command = [sys.executable, "-W", "ignore", _SCRIPT, "die", tmp_path, action]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["old"] > 5
    assert outcome["new"] > outcome["behind"] > 1
