"""What the footer says of a file: its rows, and the first and last date of its index."""

from __future__ import annotations

import ast
import errno
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import macrocredit_assets
from macrocredit_assets.errors import CorruptFileError
from macrocredit_assets.persistence import DatasetStore, load_parquet, save_parquet
from macrocredit_assets.persistence.footer import Statistics, open_parquet, read_statistics
from macrocredit_assets.windows import Window

WEEK = Window(date(2024, 1, 1), date(2024, 1, 7))


def indexed(index: pd.Index) -> pd.DataFrame:
    """Return numbered rows under an index."""
    return pd.DataFrame({"a": range(len(index))}, index=index)


def test_dates_come_from_all_row_groups(tmp_path: Path) -> None:
    """First and last are the extremes, whatever the order of the rows, and row groups without rows say nothing."""
    days = pd.DatetimeIndex(["2024-01-05", "2024-01-01", "2024-01-09", "2024-01-03"], name="date")
    table = pa.Table.from_pandas(indexed(days))
    path = tmp_path / "x.parquet"
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table, row_group_size=1)
        writer.write_table(table.slice(0, 0))
    assert pq.ParquetFile(path).metadata.num_row_groups == 5
    assert read_statistics(path) == Statistics(datetime(2024, 1, 1), datetime(2024, 1, 9), 4)  # noqa: DTZ001


@pytest.mark.parametrize("statistics", [True, False, ["a"]])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_footer_without_statistics_sends_to_the_column(
    tmp_path: Path, statistics: bool | list[str], unit: str
) -> None:
    """With or without them, and in any resolution, the dates are the same."""
    table = pa.Table.from_pandas(indexed(pd.date_range("2024-01-01", periods=3, name="date", unit=unit)))
    pq.write_table(table, tmp_path / "x.parquet", write_statistics=statistics)
    found = read_statistics(tmp_path / "x.parquet")
    assert found == Statistics(datetime(2024, 1, 1), datetime(2024, 1, 3), 3)  # noqa: DTZ001


def test_statistics_are_enough(tmp_path: Path) -> None:
    """Where the footer has the dates, pages are not read: they may even be destroyed."""
    path = save_parquet(indexed(pd.date_range("2024-01-01", periods=1000, name="date")), tmp_path / "x.parquet")
    content = bytearray(path.read_bytes())
    content[4:3000] = b"\xff" * 2996
    path.write_bytes(content)
    assert read_statistics(path).row_count == 1000
    assert read_statistics(path).end == datetime(2026, 9, 26)  # noqa: DTZ001 - 2024-01-01 + 999 days


def test_old_timestamps_have_no_statistics(tmp_path: Path) -> None:
    """INT96, as old Spark writes, is read from the column."""
    table = pa.Table.from_pandas(indexed(pd.date_range("2024-01-01", periods=3, name="date")))
    pq.write_table(table, tmp_path / "x.parquet", use_deprecated_int96_timestamps=True)
    assert read_statistics(tmp_path / "x.parquet").end == datetime(2024, 1, 3)  # noqa: DTZ001


@pytest.mark.parametrize("statistics", [True, False])
def test_dates_are_in_the_zone_of_the_index(tmp_path: Path, statistics: bool) -> None:
    """The footer has UTC; a day in New York begins at midnight there."""
    table = pa.Table.from_pandas(indexed(pd.date_range("2024-01-01", periods=3, tz="America/New_York", name="date")))
    pq.write_table(table, tmp_path / "x.parquet", write_statistics=statistics)
    found = read_statistics(tmp_path / "x.parquet")
    assert found.start is not None
    assert found.start.isoformat() == "2024-01-01T00:00:00-05:00"
    assert found.start == datetime(2024, 1, 1, 5, tzinfo=UTC)


def test_bare_dates_are_dates(tmp_path: Path) -> None:
    """An index of dates without a time of day counts."""
    path = save_parquet(indexed(pd.Index([date(2024, 1, 2), date(2024, 1, 1)], name="date")), tmp_path / "x.parquet")
    assert read_statistics(path) == Statistics(date(2024, 1, 1), date(2024, 1, 2), 2)


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(2),
        pd.Index(["a", "b"], name="date"),
        pd.MultiIndex.from_tuples([("a", 1), ("b", 2)]),
        pd.Index([1.5, 2.5], name="date"),
    ],
)
def test_an_index_without_dates_has_null_dates(tmp_path: Path, index: pd.Index) -> None:
    """Numbers, text and several levels are counted, not dated."""
    path = save_parquet(indexed(index), tmp_path / "x.parquet")
    assert read_statistics(path) == Statistics(None, None, 2)


def test_a_file_that_pandas_did_not_write_has_null_dates(tmp_path: Path) -> None:
    """Without pandas' own metadata no column is the index."""
    table = pa.table({"date": pa.array([datetime(2024, 1, 1)]), "a": [1]})  # noqa: DTZ001
    pq.write_table(table, tmp_path / "x.parquet")
    assert read_statistics(tmp_path / "x.parquet") == Statistics(None, None, 1)


def test_an_index_that_is_empty_or_all_missing_has_null_dates(tmp_path: Path) -> None:
    """No row, or no row with a date, means no first and no last."""
    empty = indexed(pd.DatetimeIndex([], name="date"))
    pq.write_table(pa.Table.from_pandas(empty), tmp_path / "empty.parquet")
    assert read_statistics(tmp_path / "empty.parquet") == Statistics(None, None, 0)
    path = save_parquet(indexed(pd.DatetimeIndex([None, None], name="date")), tmp_path / "nat.parquet")
    assert read_statistics(path) == Statistics(None, None, 2)


def test_a_missing_date_beside_others_does_not_matter(tmp_path: Path) -> None:
    """NaT is neither first nor last, in a row group of its own either."""
    table = pa.Table.from_pandas(indexed(pd.DatetimeIndex([None, "2024-01-02"], name="date")))
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=1)
    found = read_statistics(tmp_path / "x.parquet")
    assert found == Statistics(datetime(2024, 1, 2), datetime(2024, 1, 2), 2)  # noqa: DTZ001


def test_what_is_missing_or_no_parquet_is_said(tmp_path: Path) -> None:
    """FileNotFoundError and CorruptFileError are told apart."""
    with pytest.raises(FileNotFoundError):
        read_statistics(tmp_path / "x.parquet")
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(CorruptFileError, match=r"x.parquet is not a readable Parquet file"):
        read_statistics(tmp_path / "x.parquet")


def test_an_error_of_the_system_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    """A disk that fails while a good file is read says so itself."""
    path = save_parquet(indexed(pd.RangeIndex(2)), tmp_path / "x.parquet")
    with pytest.raises(OSError, match="Input/output error") as error, open_parquet(path):
        raise OSError(errno.EIO, "Input/output error")
    assert not isinstance(error.value, CorruptFileError)


def test_nobody_reads_ahead() -> None:
    """Arrow's threads that still hold a Python file when the interpreter ends abort the process: none is started."""
    readers = [
        (path.name, {word.arg: ast.unparse(word.value) for word in node.keywords})
        for path in Path(macrocredit_assets.__path__[0]).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"pq.ParquetFile", "pq.read_table"}
    ]
    assert {name for name, _ in readers} == {"footer.py", "kept_footers.py", "parquet_io.py", "file_parquet.py"}
    assert [name for name, words in readers if words.get("pre_buffer") != "False"] == []


def test_file_is_arrows_own(tmp_path: Path) -> None:
    """What threads of Arrow may hold is no object of Python's."""
    path = save_parquet(indexed(pd.RangeIndex(2)), tmp_path / "x.parquet")
    with open_parquet(path) as (handle, file):
        assert (type(handle), file.metadata.num_rows) == (pa.OSFile, 2)
    assert handle.closed


@pytest.mark.parametrize("damage", ["empty", "cut off"])
def test_a_broken_file_of_a_dataset_comes_with_the_commands_that_mend_it(tmp_path: Path, damage: str) -> None:
    """Empty or cut off, the error names the repair, and where there are no revisions the way to fetch it again."""
    path = tmp_path / "raw" / "vix.parquet"
    save_parquet(indexed(pd.date_range("2024-01-01", periods=3, name="date")), path)
    path.write_bytes(path.read_bytes()[: 0 if damage == "empty" else 100])
    store = DatasetStore(path)
    aside = f"mv {path} {path}.aside && macrocredit backfill vix --start 1990-01-01"
    for read in (store.head, store.read, store.repair):
        with pytest.raises(CorruptFileError) as error:
            read()
        message = str(error.value)
        assert message.startswith(f"{path} is not a readable Parquet file (")
        assert "macrocredit registry verify --repair" in message
        assert aside in message


def test_a_broken_revision_is_to_be_restored(tmp_path: Path) -> None:
    """A revision cannot be had from anywhere else, so the error names no command that would make another one."""
    store = DatasetStore(tmp_path / "raw" / "vix.parquet", pa.schema([pa.field("a", pa.int64())]))
    result = store.write(WEEK, indexed(pd.date_range("2024-01-01", periods=3, name="date")), series="desk:VIX")
    revision = tmp_path / "revisions" / "vix" / f"{result.revision:08}.parquet"
    revision.write_bytes(b"")
    for read in (store.verify, store.revision_rows):
        with pytest.raises(CorruptFileError, match=r"1\.parquet is not a readable .* restore the file from a copy\.$"):
            read()


def test_a_broken_file_of_no_dataset_comes_with_general_advice(tmp_path: Path) -> None:
    """Of a file of one's own nobody knows how it is made again."""
    (tmp_path / "own.parquet").write_bytes(b"")
    with pytest.raises(CorruptFileError, match=r"Restore it from a copy, or move it away and write it again\.$"):
        load_parquet(tmp_path / "own.parquet")
