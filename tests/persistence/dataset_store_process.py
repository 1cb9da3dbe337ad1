"""What the tests of several processes run: a writer of windows, and one that dies at every step of a write."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa

from macrocredit_assets.persistence import snapshots
from macrocredit_assets.persistence.dataset_store import DatasetStore
from macrocredit_assets.windows import Window

SCHEMA = pa.schema([pa.field("spread", pa.float64(), metadata={b"unit": b"bp"})])
SERIES = "test:process"


def frame_of(window: Window) -> pd.DataFrame:
    """Build one row per date; its value follows from the date."""
    days = pd.date_range(window.start, window.end, unit="us", name="date")
    return pd.DataFrame({"spread": days.day_of_year.to_numpy() / 8 + days.year.to_numpy()}, index=days)


def months(year: int) -> list[Window]:
    """Return twelve windows."""
    ends = pd.date_range(f"{year}-01-01", f"{year}-12-31", freq="ME")
    return [Window(end.replace(day=1).date(), end.date()) for end in ends]


def store_at(path: Path) -> DatasetStore:
    """Open a dataset; one that is called years has one file per year."""
    return DatasetStore(path, SCHEMA, chunk="year" if path.stem == "years" else None)


def write(path: Path, window: Window) -> None:
    """Write one window."""
    store_at(path).write(window, frame_of(window), series=SERIES)


def write_year(path: Path, year: int) -> None:
    """Write a year month by month, the last month first."""
    for window in reversed(months(year)):
        write(path, window)


def die_at_every_step(folder: Path, action: str) -> dict[str, int]:
    """Repeat one write on the same stored dataset, killed at its first, second, ... step until one goes through.

    A step is whatever Python audits: opening, locking, linking, renaming, removing a file, making a folder.

    Returns
    -------
    dict
        How many writes left the old rows, how many the new ones, and how many of these were committed without being
        in the current file yet.
    """
    january, february, *_ = months(2024)
    across = Window(date(2023, 12, 1), date(2024, 2, 1))
    wanted = {"create": january, "extend": february, "years": across, "snapshot": february}[action]
    snapshots.SPACING = 2 if action == "snapshot" else 1000
    name = "years.parquet" if action == "years" else "cdx.parquet"
    prepared, expected, path = (folder / place / "raw" / name for place in ("prepared", "expected", "store"))
    prepared.parent.mkdir(parents=True)
    if action != "create":
        write(prepared, january)
    shutil.copytree(prepared.parents[1], expected.parents[1])
    write(expected, wanted)
    old, new = _bytes(prepared), _bytes(expected)
    outcome = {"old": 0, "new": 0, "behind": 0}
    for step in range(1, 1000):
        shutil.rmtree(path.parents[1], ignore_errors=True)
        shutil.copytree(prepared.parents[1], path.parents[1])
        killed = _write_in_a_child(path, wanted, step)
        left, committed = _bytes(path), _revisions(path) == _revisions(expected)
        strange = [file for file in left if left[file] not in (old.get(file), new.get(file))]
        if strange or (left != old and not committed):
            raise SystemExit(f"step {step} left {left!r}, committed: {committed}")
        outcome["new" if committed else "old"] += 1
        outcome["behind"] += committed and left != new
        store_at(path).head()
        if _bytes(path) != (new if committed else old):
            raise SystemExit(f"after step {step} a reader did not find what was committed")
        write(path, wanted)
        if action == "snapshot" and len(store_at(path).read(as_of=datetime.now(UTC))) != len([*january, *february]):
            raise SystemExit(f"after step {step} a read as of now differs from the file")
        litter = [*path.parents[1].rglob("*.tmp"), *path.parents[1].rglob(".*.tmp")]
        if _bytes(path) != new or _revisions(path) != _revisions(expected) or (litter and not committed):
            raise SystemExit(f"after step {step} the next write did not heal: {litter}")
        if not killed:
            return outcome
    raise SystemExit("no write went through")


def _revisions(path: Path) -> list[str]:
    return sorted(file.name for file in (path.parents[1] / "revisions" / path.stem).glob("[0-9]*.parquet"))


def _write_in_a_child(path: Path, window: Window, step: int) -> bool:
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    left = step

    def die(*_: object) -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(die)
    write(path, window)
    os._exit(0)


def _bytes(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in [path, *path.with_suffix("").glob("*.parquet")] if file.exists()}


if __name__ == "__main__":
    if sys.argv[1] == "year":
        write_year(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        print(json.dumps(die_at_every_step(Path(sys.argv[2]), sys.argv[3])), flush=True)
        # threads of Arrow do not outlive a fork, and tearing them down here would abort what has done its work
        os._exit(0)
