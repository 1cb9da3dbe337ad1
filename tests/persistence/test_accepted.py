"""What somebody accepted of stored rows: how it is kept, and what ends it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from macrocredit_assets.errors import CorruptFileError
from macrocredit_assets.persistence import Accepted, DatasetStore, Provenance
from macrocredit_assets.windows import Coverage, Window

SCHEMA = pa.schema([pa.field("spread", pa.float64(), metadata={b"unit": b"bp", b"decimals": b"2"})])
MONDAY = datetime(2024, 2, 5, 12, tzinfo=UTC)
SERIES = "bbg:CDX IG"
JANUARY = Window.parse("2024-01-01", "2024-01-31")


def _dates(*windows: tuple[int, int]) -> Coverage:
    return Coverage.of(Window.parse(f"2024-01-{start:02}", f"2024-01-{end:02}") for start, end in windows)


def _write(store: DatasetStore, **values: float) -> None:
    index = pd.DatetimeIndex([f"2024-01-{name[1:]}" for name in values], name="date")
    store.write(JANUARY, pd.DataFrame({"spread": [*values.values()]}, index=index, dtype=float), series=SERIES)


def _path(store: DatasetStore) -> Path:
    return store.path.parents[1] / "revisions" / "cdx" / "accepted.json"


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    """Open a store that holds three rows, whose clock stands still."""
    store = DatasetStore(tmp_path / "data" / "raw" / "cdx.parquet", SCHEMA, clock=lambda: MONDAY)
    _write(store, d02=57.5, d03=58.0, d04=5800.0)
    return store


def test_nothing_is_accepted_at_first(store: DatasetStore) -> None:
    """A store without the record has accepted nothing, and a write makes no file of it."""
    assert store.accepted() == ()
    assert not _path(store).exists()


def test_acceptance_is_kept_with_who_when_and_why(store: DatasetStore) -> None:
    """The file has the dates as windows, the oldest acceptance first, and reads back."""
    store.accept("unit_slip", _dates((4, 4)), reason="it was so")
    store.accept("jump", _dates((3, 4)), run_id="abc")
    assert json.loads(_path(store).read_text()) == [
        {
            "rule": "unit_slip",
            "windows": [["2024-01-04", "2024-01-04"]],
            "run_id": None,
            "at": "2024-02-05T12:00:00+00:00",
            "reason": "it was so",
        },
        {
            "rule": "jump",
            "windows": [["2024-01-03", "2024-01-04"]],
            "run_id": "abc",
            "at": "2024-02-05T12:00:00+00:00",
            "reason": None,
        },
    ]
    assert store.accepted() == (
        Accepted("unit_slip", _dates((4, 4)), None, MONDAY, "it was so"),
        Accepted("jump", _dates((3, 4)), "abc", MONDAY),
    )


def test_what_is_accepted_already_is_not_appended(store: DatasetStore) -> None:
    """A second acceptance has only the dates that are new, and none leaves the file as it is."""
    store.accept("jump", _dates((3, 3)))
    store.accept("jump", _dates((2, 4)))
    assert [each.dates for each in store.accepted()] == [_dates((3, 3)), _dates((2, 2), (4, 4))]
    modified = _path(store).stat().st_mtime_ns
    store.accept("jump", _dates((2, 3)))
    assert _path(store).stat().st_mtime_ns == modified


def test_write_records_what_was_accepted_with_it(store: DatasetStore) -> None:
    """Rows stored in spite of a rule are accepted by their run, even where no byte of them changes."""
    told = Provenance("run-1", accepted={"unit_slip": _dates((4, 4))})
    row = pd.DataFrame({"spread": [5800.0]}, pd.DatetimeIndex(["2024-01-04"], name="date"))
    assert not store.write(JANUARY, row, series=SERIES, provenance=told).written
    assert store.accepted() == (Accepted("unit_slip", _dates((4, 4)), "run-1", MONDAY),)


def test_row_that_changes_is_no_longer_accepted(store: DatasetStore) -> None:
    """What was accepted was the row as it stood: changed, inserted or withdrawn rows are told anew, others are not."""
    store.accept("jump", _dates((2, 5)))
    store.accept("unit_slip", _dates((4, 4)))
    _write(store, d02=57.5, d03=58.0, d04=5801.0)
    assert [(each.rule, each.dates) for each in store.accepted()] == [("jump", _dates((2, 3), (5, 5)))]
    _write(store, d05=57.0)
    assert [each.dates for each in store.accepted()] == [_dates((2, 3))]
    second = Window.parse("2024-01-02", "2024-01-02")
    store.write(second, pd.DataFrame({"spread": []}, pd.DatetimeIndex([], name="date")), series=SERIES, withdraw=True)
    assert [each.dates for each in store.accepted()] == [_dates((3, 3))]


def test_write_that_accepts_what_it_changes(store: DatasetStore) -> None:
    """The acceptance of the old value ends and that of the new one begins."""
    store.accept("unit_slip", _dates((4, 4)), reason="of old")
    told = Provenance("run-2", accepted={"unit_slip": _dates((4, 4))})
    row = pd.DataFrame({"spread": [5900.0]}, pd.DatetimeIndex(["2024-01-04"], name="date"))
    store.write(JANUARY, row, series=SERIES, provenance=told)
    assert store.accepted() == (Accepted("unit_slip", _dates((4, 4)), "run-2", MONDAY),)


def test_switch_of_series_ends_all_and_migration_ends_none(store: DatasetStore) -> None:
    """The rows of another series are other rows, on every date; the same rows in another unit are the same."""
    store.accept("jump", _dates((3, 31)))
    percent = pa.schema([pa.field("spread", pa.float64(), metadata={b"unit": b"percent", b"decimals": b"4"})])
    migrated = DatasetStore(store.path, percent)
    assert migrated.migrate().written
    assert [each.dates for each in migrated.accepted()] == [_dates((3, 31))]
    row = pd.DataFrame({"spread": [0.57]}, pd.DatetimeIndex(["2024-01-02"], name="date"))
    told = Provenance(reason="a better one")
    migrated.write(JANUARY, row, series="bbg:other", switch=True, provenance=told)
    assert migrated.accepted() == ()


def test_acceptance_can_be_withdrawn(store: DatasetStore) -> None:
    """Dates leave the acceptances of one rule; what had been accepted of them is returned."""
    store.accept("jump", _dates((2, 2), (4, 4)))
    store.accept("unit_slip", _dates((4, 4)))
    assert store.withdraw_accepted("jump", _dates((3, 31))) == _dates((4, 4))
    assert [(each.rule, each.dates) for each in store.accepted()] == [
        ("jump", _dates((2, 2))),
        ("unit_slip", _dates((4, 4))),
    ]
    assert not store.withdraw_accepted("jump", _dates((3, 31)))


@pytest.mark.parametrize("content", ["{", "[1]", '[{"rule": "jump"}]', '{"a": 1}'])
def test_record_that_cannot_be_read(store: DatasetStore, content: str) -> None:
    """It is an error that names the file and what happens without it; a write is refused before anything of it."""
    _path(store).write_text(content)
    with pytest.raises(CorruptFileError, match=r"accepted\.json cannot be read.*told again"):
        store.accepted()
    with pytest.raises(CorruptFileError, match=r"accepted\.json cannot be read"):
        _write(store, d02=60.0)
    assert store.read_frame()["spread"].tolist() == [57.5, 58.0, 5800.0]
    assert _path(store).read_text() == content


def test_verify_and_repair_leave_it(store: DatasetStore) -> None:
    """The record stands beside the revisions, and is none."""
    store.accept("jump", _dates((3, 3)))
    store.path.unlink()
    assert store.repair()
    assert store.verify() is not None
    assert [each.dates for each in store.accepted()] == [_dates((3, 3))]
