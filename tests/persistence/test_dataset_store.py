"""One dataset's windows: what a write does to each kind of row, and what is read back."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from macrocredit_assets.errors import (
    CorruptFileError,
    OutsideWindowError,
    SchemaMismatchError,
    SeriesMismatchError,
    StoreError,
)
from macrocredit_assets.persistence.dataset_store import CHANGES_KEPT, DatasetStore
from macrocredit_assets.persistence.records import Change
from macrocredit_assets.windows import Coverage, Window

SCHEMA = pa.schema(
    [
        pa.field("close", pa.float64(), metadata={b"unit": b"USD", b"decimals": b"2"}),
        pa.field("volume", pa.int64(), metadata={b"unit": b"shares", b"decimals": b"0"}),
    ]
)
JANUARY = Window.parse("2024-01-01", "2024-01-31")
SERIES = "yahoo:HYG"


def rows(*triples: tuple[str, float | None, int | None]) -> pd.DataFrame:
    """Build a frame from (date, close, volume)."""
    index = pd.DatetimeIndex([day for day, _, _ in triples], dtype="datetime64[us]", name="date")
    return pd.DataFrame(
        {
            "close": pd.array([close for _, close, _ in triples], dtype="float64"),
            "volume": pd.array([volume for _, _, volume in triples], dtype="Int64"),
        },
        index=index,
    )


THREE = rows(("2024-01-02", 77.1, 10), ("2024-01-03", 77.2, 20), ("2024-01-04", 77.3, 30))


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    """Open a store that has no file yet."""
    return DatasetStore(tmp_path / "raw" / "hyg.parquet", SCHEMA)


def test_store_without_a_file(store: DatasetStore) -> None:
    """A dataset that was never written has no head, and reading it is a FileNotFoundError."""
    assert store.name == "hyg"
    assert store.head() is None
    with pytest.raises(FileNotFoundError):
        store.read()
    assert not store.path.parent.exists()


def test_first_write(store: DatasetStore) -> None:
    """The first write inserts every row, covers the window, and its result says so."""
    result = store.write(JANUARY, THREE, series=SERIES)
    assert (result.inserted, result.changed, result.unchanged, result.vanished, result.withdrawn) == (3, 0, 0, 0, 0)
    assert result.written
    assert (result.row_count, result.first, result.last) == (3, date(2024, 1, 2), date(2024, 1, 4))
    assert result.coverage == Coverage((JANUARY,))
    assert result.path == store.path
    head = store.head()
    assert head is not None
    assert (head.dataset, head.series, head.coverage) == ("hyg", SERIES, Coverage((JANUARY,)))
    assert (head.row_count, head.first, head.last) == (3, date(2024, 1, 2), date(2024, 1, 4))
    assert head.content_hash == result.content_hash
    assert head.schema.equals(SCHEMA, check_metadata=True)
    pd.testing.assert_frame_equal(store.read_frame(), THREE.astype({"volume": "int64"}))


def test_rows_inside_the_window_are_restated_and_others_stay(store: DatasetStore) -> None:
    """A write inserts the new row, replaces the different one, counts the equal one, and leaves the rest alone."""
    store.write(JANUARY, THREE, series=SERIES)
    window = Window.parse("2024-01-03", "2024-01-05")
    result = store.write(
        window, rows(("2024-01-03", 77.2, 20), ("2024-01-04", 77.35, 30), ("2024-01-05", 77.4, 40)), series=SERIES
    )
    assert (result.inserted, result.changed, result.unchanged, result.vanished) == (1, 1, 1, 0)
    assert result.changes == (Change(date(2024, 1, 4), "close", 77.3, 77.35),)
    assert store.read_frame()["close"].to_list() == [77.1, 77.2, 77.35, 77.4]


def test_absent_rows_are_kept(store: DatasetStore) -> None:
    """A stored row that did not come is kept and counted, and nothing is written for it."""
    store.write(JANUARY, THREE, series=SERIES)
    result = store.write(JANUARY, THREE.iloc[[0]], series=SERIES)
    assert (result.unchanged, result.vanished, result.withdrawn, result.written) == (1, 2, 0, False)
    assert len(store.read_frame()) == 3


def test_empty_cell_never_replaces_a_value(store: DatasetStore) -> None:
    """A missing value keeps the stored one; its row is vanished, and changed too where another value was restated."""
    store.write(JANUARY, THREE, series=SERIES)
    came = rows(("2024-01-02", None, 10), ("2024-01-03", None, 21), ("2024-01-04", 77.3, 30))
    result = store.write(JANUARY, came, series=SERIES)
    assert (result.changed, result.unchanged, result.vanished) == (1, 1, 2)
    assert result.changes == (Change(date(2024, 1, 3), "volume", 20, 21),)
    assert store.read_frame()["close"].to_list() == [77.1, 77.2, 77.3]
    assert store.read_frame()["volume"].to_list() == [10, 21, 30]


def test_value_fills_an_empty_cell(store: DatasetStore) -> None:
    """A value that comes where none is stored is a change from nothing."""
    store.write(JANUARY, rows(("2024-01-02", 77.1, None)), series=SERIES)
    result = store.write(JANUARY, rows(("2024-01-02", 77.1, 10)), series=SERIES)
    assert result.changes == (Change(date(2024, 1, 2), "volume", None, 10),)
    assert store.read_frame()["volume"].to_list() == [10]


def test_replace_withdraws(store: DatasetStore) -> None:
    """With replace the window holds exactly what came, an empty cell included, and rows outside stay."""
    store.write(JANUARY, THREE, series=SERIES)
    window = Window.parse("2024-01-03", "2024-01-31")
    result = store.write(window, rows(("2024-01-04", None, 30)), series=SERIES, replace=True)
    assert (result.inserted, result.changed, result.unchanged, result.vanished, result.withdrawn) == (0, 1, 0, 0, 1)
    assert result.changes == (Change(date(2024, 1, 4), "close", 77.3, None),)
    expected = rows(("2024-01-02", 77.1, 10), ("2024-01-04", None, 30)).astype({"volume": "int64"})
    pd.testing.assert_frame_equal(store.read_frame(), expected)


def test_replace_sets_coverage_of_the_window(store: DatasetStore) -> None:
    """With replace, dates of the window that were not answered are no longer covered."""
    store.write(JANUARY, THREE, series=SERIES)
    window = Window.parse("2024-01-10", "2024-01-20")
    answered = Coverage((Window.parse("2024-01-12", "2024-01-13"),))
    result = store.write(window, THREE.iloc[:0], series=SERIES, answered=answered, replace=True)
    assert result.written
    assert str(result.coverage) == "2024-01-01..2024-01-09, 2024-01-12..2024-01-13, 2024-01-21..2024-01-31"


def test_answered_is_what_gets_covered(store: DatasetStore) -> None:
    """Only answered dates of the window are covered: none of them, or some, and never others."""
    assert store.write(JANUARY, THREE, series=SERIES, answered=Coverage()).coverage == Coverage()
    answered = Coverage((Window.parse("2023-12-01", "2024-01-04"),))
    result = store.write(JANUARY, THREE, series=SERIES, answered=answered)
    assert str(result.coverage) == "2024-01-01..2024-01-04"
    assert result.written


def test_nothing_changed_nothing_written(store: DatasetStore) -> None:
    """The same write again leaves bytes and modification time, and tells the same hash."""
    first = store.write(JANUARY, THREE, series=SERIES)
    before, modified = store.path.read_bytes(), store.path.stat().st_mtime_ns
    again = store.write(JANUARY, THREE, series=SERIES)
    assert not again.written
    assert again.content_hash == first.content_hash
    assert store.path.read_bytes() == before
    assert store.path.stat().st_mtime_ns == modified


def test_only_coverage_grows(store: DatasetStore) -> None:
    """A window without rows is an answer: the same rows are written with more coverage, under the same hash."""
    first = store.write(JANUARY, THREE, series=SERIES)
    result = store.write(Window.parse("2024-02-01", "2024-02-04"), THREE.iloc[:0], series=SERIES)
    assert result.written
    assert str(result.coverage) == "2024-01-01..2024-02-04"
    assert result.content_hash == first.content_hash


def test_zero_rows(store: DatasetStore) -> None:
    """A dataset whose first window is empty is a file of zero rows with every column and its type."""
    result = store.write(JANUARY, THREE.iloc[:0], series=SERIES)
    assert (result.row_count, result.first, result.last, result.written) == (0, None, None, True)
    head = store.head()
    assert head is not None
    assert (head.row_count, head.first, head.last) == (0, None, None)
    frame = store.read_frame(JANUARY)
    assert frame.index.dtype == "datetime64[us]"
    assert frame.dtypes.to_dict() == {"close": np.dtype("float64"), "volume": np.dtype("int64")}


def test_changes_are_limited_but_counted(store: DatasetStore) -> None:
    """Of many changes the newest are kept, in order, and all are counted."""
    days = pd.date_range("2024-01-01", periods=30, unit="us")
    frame = pd.DataFrame({"close": np.arange(30.0), "volume": 1}, index=days)
    store.write(JANUARY, frame, series=SERIES)
    result = store.write(JANUARY, frame + 1, series=SERIES)
    assert result.changed == 30
    assert len(result.changes) == CHANGES_KEPT == 20
    last = date(2024, 1, 30)
    assert result.changes[-2:] == (Change(last, "close", 29.0, 30.0), Change(last, "volume", 1, 2))
    later = store.write(JANUARY, frame.head(1) + 1, series=SERIES)
    assert (len(later.vanished_dates), later.vanished_dates[-1]) == (CHANGES_KEPT, last)


@pytest.mark.parametrize(("old", "new", "changed"), [(0.1 + 0.2, 0.3, 1), (0.0, -0.0, 1), (np.inf, np.inf, 0)])
def test_equality_is_bit_for_bit(store: DatasetStore, old: float, new: float, changed: int) -> None:
    """Values differ where a single bit does."""
    store.write(JANUARY, rows(("2024-01-02", old, 1)), series=SERIES)
    assert store.write(JANUARY, rows(("2024-01-02", new, 1)), series=SERIES).changed == changed
    assert store.read_frame()["close"].to_numpy().tobytes() == np.float64(new).tobytes()


def test_large_integers_keep_their_last_digit(store: DatasetStore) -> None:
    """A volume that no float can hold is compared and stored exactly, beside a missing one."""
    big = 2**53 + 1
    store.write(JANUARY, rows(("2024-01-02", 1.0, big), ("2024-01-03", 1.0, None)), series=SERIES)
    assert store.read()["volume"].to_pylist() == [big, None]
    result = store.write(JANUARY, rows(("2024-01-02", 1.0, big - 1)), series=SERIES)
    assert result.changes == (Change(date(2024, 1, 2), "volume", big, big - 1),)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_any_resolution_gives_the_same_file(tmp_path: Path, unit: str) -> None:
    """The resolution of the index, the order of rows and of columns leave no trace in the file."""
    expected = DatasetStore(tmp_path / "a" / "hyg.parquet", SCHEMA)
    expected.write(JANUARY, THREE, series=SERIES)
    frame = THREE.iloc[::-1][["volume", "close"]].astype({"volume": "float64"})
    frame.index = frame.index.as_unit(unit)
    other = DatasetStore(tmp_path / "b" / "hyg.parquet", SCHEMA)
    other.write(JANUARY, frame, series=SERIES)
    assert other.path.read_bytes() == expected.path.read_bytes()


def test_order_of_columns_in_the_catalog_may_change(store: DatasetStore) -> None:
    """Columns that only change places are the same dataset, with the same rows and the same hash."""
    store.write(JANUARY, THREE, series=SERIES)
    turned = DatasetStore(store.path, pa.schema(list(SCHEMA)[::-1]))
    assert not turned.write(JANUARY, THREE, series=SERIES).written
    result = turned.write(JANUARY, rows(("2024-01-05", 77.4, 40)), series=SERIES)
    assert (result.inserted, result.vanished) == (1, 3)
    assert turned.read_frame().columns.to_list() == ["volume", "close"]
    assert turned.read_frame()["close"].to_list() == [77.1, 77.2, 77.3, 77.4]
    straight = DatasetStore(store.path.with_name("straight.parquet"), SCHEMA)
    four = pd.concat([THREE, rows(("2024-01-05", 77.4, 40))])
    assert straight.write(JANUARY, four, series=SERIES).content_hash == result.content_hash


def test_another_series_is_refused(store: DatasetStore) -> None:
    """Rows of another series are refused, with both names and a command, and the file stays."""
    store.write(JANUARY, THREE, series=SERIES)
    before = store.path.read_bytes()
    with pytest.raises(
        SeriesMismatchError, match=r"yahoo:HYG.*bbg:HYG.*2024-01-01\.\.2024-01-31.*macrocredit backfill"
    ):
        store.write(JANUARY, THREE, series="bbg:HYG")
    assert store.path.read_bytes() == before


def test_rows_outside_the_window_are_refused(store: DatasetStore) -> None:
    """Rows outside the window are refused before anything is created, and the message counts them."""
    with pytest.raises(OutsideWindowError, match=r"2 of 3 rows for 'hyg'.*2024-01-03\.\.2024-01-03"):
        store.write(Window.parse("2024-01-03", "2024-01-03"), THREE, series=SERIES)
    assert not store.path.parent.exists()


def test_store_without_schema_only_reads(store: DatasetStore) -> None:
    """A store that was opened without a schema reads whatever is there and refuses to write."""
    store.write(JANUARY, THREE, series=SERIES)
    reader = DatasetStore(store.path)
    assert reader.read_frame().equals(store.read_frame())
    with pytest.raises(StoreError, match="without a schema"):
        reader.write(JANUARY, THREE, series=SERIES)


def test_changed_catalog_is_refused(store: DatasetStore) -> None:
    """A stored column that was removed, retyped or re-united is refused, all of them named at once."""
    store.write(JANUARY, THREE, series=SERIES)
    before = store.path.read_bytes()
    schema = pa.schema(
        [
            pa.field("close", pa.int64(), metadata={b"unit": b"percent"}),
            pa.field("yield", pa.float64(), metadata={b"unit": b"percent"}),
        ]
    )
    frame = pd.DataFrame({"close": [1], "yield": [1.0]}, index=pd.DatetimeIndex(["2024-01-02"]))
    with pytest.raises(SchemaMismatchError) as caught:
        DatasetStore(store.path, schema).write(JANUARY, frame, series=SERIES)
    message = str(caught.value)
    assert "column 'volume' is stored but not expected" in message
    assert "column 'close' is stored as double, expected is int64" in message
    assert "column 'close' is stored in USD, expected is percent" in message
    assert "yield" not in message
    assert "`macrocredit migrate hyg`" in message
    assert store.path.read_bytes() == before


def test_reading_in_other_units_is_refused(store: DatasetStore) -> None:
    """A column stored in one unit is not read as another."""
    store.write(JANUARY, THREE, series=SERIES)
    field = SCHEMA.field("close").with_metadata({b"unit": b"percent"})
    with pytest.raises(SchemaMismatchError, match="column 'close' is stored in USD, expected is percent"):
        DatasetStore(store.path, SCHEMA.set(0, field)).read()


def test_number_of_decimals_may_change(store: DatasetStore) -> None:
    """A catalog that rounds otherwise writes on into the same file."""
    store.write(JANUARY, THREE, series=SERIES)
    field = SCHEMA.field("close").with_metadata({b"unit": b"USD", b"decimals": b"4"})
    finer = DatasetStore(store.path, SCHEMA.set(0, field))
    assert not finer.write(JANUARY, THREE, series=SERIES).written


def test_file_changed_by_others_is_not_overwritten(store: DatasetStore) -> None:
    """Rows that do not belong to the hash in the footer stop a write, and the file stays as it is."""
    import pyarrow.parquet as pq

    store.write(JANUARY, THREE, series=SERIES)
    table = pq.read_table(store.path)
    pq.write_table(table.set_column(1, table.schema.field("close"), pa.array([1.0, 2.0, 3.0])), store.path)
    before = store.path.read_bytes()
    with pytest.raises(
        CorruptFileError, match=r"something else than this package.*--start 2024-01-01 --end 2024-01-31"
    ):
        store.write(JANUARY, THREE, series=SERIES)
    assert store.path.read_bytes() == before


def test_no_litter(store: DatasetStore) -> None:
    """Beside the file stands its lock, and nothing else."""
    store.write(JANUARY, THREE, series=SERIES)
    store.write(JANUARY, rows(("2024-01-08", 77.9, 80)), series=SERIES)
    assert sorted(path.name for path in store.path.parent.iterdir()) == [".hyg.parquet.lock", "hyg.parquet"]


def test_representation(store: DatasetStore) -> None:
    """A store shows its path."""
    assert repr(store) == f"DatasetStore({str(store.path)!r})"


def test_head_and_rows_of_the_same_file(tmp_path: Path) -> None:
    """Head and rows come together, as each comes alone; None where nothing was ever written."""
    store = DatasetStore(tmp_path / "raw" / "cdx.parquet", pa.schema([pa.field("level", pa.float64())]))
    assert store.read_current() is None
    day = Window.parse("2024-01-02", "2024-01-02")
    index = pd.DatetimeIndex(["2024-01-02"], dtype="datetime64[us]", name="date")
    store.write(day, pd.DataFrame({"level": [1.5]}, index=index), series="test:x")
    assert store.read_current(day, ["level"]) == (store.head(), store.read(day, ["level"]))
