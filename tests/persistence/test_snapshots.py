"""Snapshots shorten reads as of a moment, and are never believed: without them answers are the same."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from macrocredit_assets.errors import StoreError
from macrocredit_assets.persistence import projection, revisions, snapshots
from macrocredit_assets.persistence.dataset_store import DatasetStore
from macrocredit_assets.persistence.records import Provenance
from macrocredit_assets.windows import Window

SCHEMA = pa.schema([pa.field("a", pa.float64(), metadata={b"unit": b"bp"}), pa.field("n", pa.int64())])
SERIES = "test:series"
ALL = Window.parse("2022-12-01", "2023-01-31")
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
COUNT = 9


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "SPACING", 4)


@pytest.fixture(params=[None, "year"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> DatasetStore:
    """Store rows and change one of them, again and again; an hour passes between two writes."""
    ticks = iter(range(1000))
    chunk: Literal["year"] | None = request.param
    path = tmp_path / "data" / "raw" / "cdx.parquet"
    store = DatasetStore(path, SCHEMA, chunk=chunk, clock=lambda: FIRST + timedelta(hours=next(ticks)))
    days = pd.date_range(ALL.start, ALL.end, unit="us", name="date")
    frame = pd.DataFrame({"a": 1.0, "n": 7}, index=days)
    store.write(ALL, frame, series=SERIES)
    for number in range(1, COUNT):
        frame.iloc[number * 5, 0] = number + 1.0
        store.write(ALL, frame, series=SERIES)
    return store


def folder(store: DatasetStore) -> Path:
    """Return where the snapshots are."""
    return store.path.parents[1] / "revisions" / "cdx" / "snapshots"


def names(store: DatasetStore) -> list[str]:
    """Return what lies there."""
    return sorted(path.name for path in folder(store).iterdir())


def history(store: DatasetStore) -> list[list[float]]:
    """Read the dataset as of each of its revisions."""
    return [store.read(as_of=revision.known_at)["a"].to_pylist() for revision in store.revisions()]


def expected() -> list[list[float]]:
    """Compute what the history is."""
    state = [1.0] * len(list(ALL))
    states = [state]
    for number in range(1, COUNT):
        state = [*state]
        state[number * 5] = number + 1.0
        states.append(state)
    return states


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Note which revisions are read whole."""
    read, seen = revisions.read_revision_table, []

    def note(path: Path) -> object:
        seen.append(path.stem)
        return read(path)

    monkeypatch.setattr(revisions, "read_revision_table", note)
    return seen


def test_few_revisions_are_read(store: DatasetStore, opened: list[str]) -> None:
    """Every fourth revision has a snapshot, and a read as of a moment takes the one before it and what came since."""
    assert names(store) == ["00000004.parquet", "00000008.parquet"]
    assert history(store) == expected()
    assert [int(name) for name in opened] == [1, 2, 1, 3, 2, 1, 5, 6, 5, 7, 6, 5]


def test_snapshots_may_be_deleted(store: DatasetStore) -> None:
    """Without snapshots the history is the same, and the next one that is due is made."""
    for path in folder(store).iterdir():
        path.unlink()
    assert history(store) == expected()
    for number in range(3):
        frame = store.read_frame()
        frame.iloc[0, 0] = 100.0 + number
        store.write(ALL, frame, series=SERIES)
    assert names(store) == ["00000012.parquet"]


def _garbage(path: Path, _: pa.Table) -> None:
    path.write_bytes(b"PAR1 and then nothing PAR1")


def _foreign(path: Path, table: pa.Table) -> None:
    pq.write_table(table.replace_schema_metadata(None), path)


def _of_other_columns(path: Path, table: pa.Table) -> None:
    pq.write_table(table.drop_columns("n"), path)


def _without_dates(path: Path, table: pa.Table) -> None:
    pq.write_table(table.rename_columns(["day", "a", "n"]), path)


def _of_another_revision(path: Path, table: pa.Table) -> None:
    said = json.loads(table.schema.metadata[b"macrocredit"])
    footer = json.dumps({**said, "content": "sha256:0"}).encode()
    pq.write_table(table.replace_schema_metadata({b"macrocredit": footer}), path)


def _of_other_rows(path: Path, table: pa.Table) -> None:
    pq.write_table(table.set_column(1, table.schema.field("a"), pc.add(table["a"], 1.0)), path)


@pytest.mark.parametrize(
    "damage", [_garbage, _foreign, _of_other_columns, _without_dates, _of_another_revision, _of_other_rows]
)
@pytest.mark.parametrize("removable", [True, False])
def test_wrong_snapshot_is_not_believed(
    store: DatasetStore, damage: object, removable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a snapshot says, the history is that of the revisions; it is removed where that may be done."""
    for path in folder(store).iterdir():
        damage(path, pq.read_table(path))  # type: ignore[operator]
    if not removable:

        def refuse(path: Path, *, missing_ok: bool = False) -> None:
            raise PermissionError(errno.EACCES, f"{path} {missing_ok}")

        monkeypatch.setattr(Path, "unlink", refuse)
    assert history(store) == expected()
    assert len(names(store)) == (0 if removable else 2)
    assert store.verify() == store.head()


def test_snapshot_in_the_way_of_other_beginnings(store: DatasetStore) -> None:
    """Revisions that begin anew, and columns that are added, stand in the history as without snapshots."""
    before = expected()
    wider = DatasetStore(store.path, SCHEMA.append(pa.field("z", pa.float64())), chunk=store.chunk)
    day = Window.parse("2023-01-31", "2023-01-31")
    wider.write(day, wider.read_frame(day).assign(a=5.0, z=2.0), series=SERIES)
    other = wider.read_frame(day)
    for value in (6.0, 7.0, 8.0):
        wider.write(day, other.assign(a=value), series="test:other", switch=True, provenance=Provenance(reason="x"))
    assert names(store)[-1] == "00000012.parquet"
    # thirteen revisions: nine of before, a wider row, another series, and two values of it
    found = history(wider)
    assert found[:COUNT] == before
    assert found[COUNT:] == [[*before[-1][:-1], 5.0], [6.0], [7.0], [8.0]]
    for path in folder(store).iterdir():
        path.unlink()
    assert history(wider) == found


def test_large_dataset_waits_for_more_revisions(store: DatasetStore) -> None:
    """Where all rows take more than the revisions since the last snapshot are worth, none is made."""
    made = snapshots.Snapshots(folder(store).parent)
    size = sum((folder(store).parent / f"{number:08d}.parquet").stat().st_size for number in range(5, 9))
    (folder(store) / "00000008.parquet").unlink()
    assert made.is_due(8, size // 16, 8)
    assert not made.is_due(8, size // 16 + 1, 8)
    assert not made.is_due(7, 1, 1)


def test_write_does_not_fail_for_its_snapshot(store: DatasetStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that has no room for a snapshot does not undo a write that has happened."""

    def full(_: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(snapshots, "replacing", full)
    for value in (50.0, 51.0, 52.0):
        frame = store.read_frame()
        frame.iloc[0, 0] = value
        assert store.write(ALL, frame, series=SERIES).written
    assert names(store) == ["00000004.parquet", "00000008.parquet"]
    assert store.read(as_of=store.revisions()[-1].known_at)["a"][0].as_py() == 52.0


def test_reader_that_may_not_write_uses_snapshots(
    store: DatasetStore, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the current file is gone and may not be made, a reader folds the snapshot and what came since."""
    current = store.path if store.chunk is None else store.path.with_suffix("")
    current.rename(current.with_name("gone"))

    def refuse(_: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(projection, "locked", refuse)
    assert store.read()["a"].to_pylist() == expected()[-1]
    assert opened == ["00000009"]


def test_snapshot_of_another_layout_stays(store: DatasetStore) -> None:
    """A dataset whose layout was changed is an error that says so, and its snapshots, which are right, stay."""
    other = DatasetStore(store.path, SCHEMA, chunk="year" if store.chunk is None else None)
    with pytest.raises(StoreError, match="`chunk` was changed in the catalog"):
        other.read(as_of=store.revisions()[4].known_at)
    assert names(store) == ["00000004.parquet", "00000008.parquet"]
