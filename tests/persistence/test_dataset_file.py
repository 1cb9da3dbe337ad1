"""The file of a dataset: layout, footer, what is read from it, and files that are none."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from macrocredit_assets.errors import CorruptFileError
from macrocredit_assets.persistence.dataset_store import DatasetStore
from macrocredit_assets.windows import Window

SCHEMA = pa.schema(
    [
        pa.field("open", pa.float64(), metadata={b"unit": b"USD", b"decimals": b"2"}),
        pa.field("volume", pa.int64(), metadata={b"unit": b"shares", b"decimals": b"0"}),
        pa.field("close", pa.float64(), metadata={b"unit": b"USD", b"decimals": b"2"}),
    ]
)
WINDOW = Window.parse("2000-01-01", "2020-12-31")


def history() -> pd.DataFrame:
    """Build 5,000 business days from 2000-01-03 on: 77.00 plus a cent a day, every seventh volume missing."""
    days = pd.bdate_range("2000-01-01", periods=5000, name="date").as_unit("us")
    number = np.arange(5000)
    volume = pd.array(number * 1000, dtype="Int64")
    volume[number % 7 == 0] = pd.NA
    return pd.DataFrame({"open": 77 + number / 100, "volume": volume, "close": 78 - number / 100}, index=days)


@pytest.fixture
def stored(tmp_path: Path) -> DatasetStore:
    """Write the history to a file."""
    store = DatasetStore(tmp_path / "raw" / "lqd.parquet", SCHEMA)
    store.write(WINDOW, history(), series="yahoo:LQD")
    return store


def test_pandas_reads_the_file(stored: DatasetStore) -> None:
    """`pd.read_parquet` gives the frame with its index, without this package."""
    expected = history().astype({"volume": "float64"})
    expected.index.freq = None
    pd.testing.assert_frame_equal(pd.read_parquet(stored.path), expected, check_freq=False)
    pd.testing.assert_frame_equal(stored.read_frame(), expected, check_freq=False)


def test_footer(stored: DatasetStore) -> None:
    """The footer holds what follows from the content, and each field its unit and decimals."""
    schema = pq.read_schema(stored.path)
    footer = json.loads(schema.metadata[b"macrocredit"])
    assert footer.pop("content_hash").startswith("sha256:")
    assert footer == {
        "dataset": "lqd",
        "series": "yahoo:LQD",
        "schema_version": 1,
        "coverage": [["2000-01-01", "2020-12-31"]],
    }
    assert schema.names == ["date", "open", "volume", "close"]
    assert schema.field("date").type == pa.timestamp("us")
    assert schema.field("volume").type == pa.int64()
    assert schema.field("close").metadata == {b"unit": b"USD", b"decimals": b"2"}
    assert pq.read_table(stored.path)["volume"].null_count == 715


def test_content_hash_can_be_computed_by_anyone(stored: DatasetStore) -> None:
    """The hash follows from dates and values by the recipe in the documentation, without this package."""
    table = pq.read_table(stored.path)
    digest = hashlib.sha256(table["date"].to_numpy().astype("<M8[us]").tobytes())
    for name, kind in [("close", "float64"), ("open", "float64"), ("volume", "int64")]:
        digest.update(f"{name}:{kind}\n".encode())
        digest.update(table[name].is_valid().to_numpy().astype("u1").tobytes())
        digest.update(table[name].fill_null(0).to_numpy().astype(f"<{kind[0]}8").tobytes())
    head = stored.head()
    assert head is not None
    assert head.content_hash == f"sha256:{digest.hexdigest()}"


def test_content_hash_does_not_depend_on_the_layout(stored: DatasetStore) -> None:
    """The same rows in other row groups and another compression still belong to their hash."""
    table = pq.read_table(stored.path)
    pq.write_table(table, stored.path, row_group_size=100, compression="gzip")
    assert not stored.write(WINDOW, history(), series="yahoo:LQD").written


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2000-01-03", "2000-01-03"),
        ("2007-06-01", "2010-06-30"),
        ("2019-03-01", "2020-12-31"),
        ("2001-01-06", "2001-01-07"),
        ("1990-01-01", "1999-12-31"),
        ("2020-01-01", "2020-12-31"),
        ("1990-01-01", "2030-12-31"),
    ],
)
def test_window(stored: DatasetStore, start: str, end: str) -> None:
    """A window gives the rows between its ends, both included, whichever row groups they are in."""
    expected = history().loc[start:end, ["close"]]
    got = stored.read_frame(Window.parse(start, end), ["close"])
    pd.testing.assert_frame_equal(got, expected, check_freq=False)


def test_window_touches_only_its_row_groups(stored: DatasetStore) -> None:
    """Bytes of other row groups are not even looked at."""
    metadata = pq.read_metadata(stored.path)
    assert metadata.num_row_groups == 2
    broken = bytearray(stored.path.read_bytes())
    begin = metadata.row_group(0).column(0).data_page_offset
    end = metadata.row_group(1).column(0).data_page_offset
    broken[begin:end] = b"\0" * (end - begin)
    stored.path.write_bytes(broken)
    window = Window.parse("2018-01-01", "2018-12-31")
    assert stored.read_frame(window)["open"].iloc[0] == history().loc["2018-01-01", "open"]
    with pytest.raises(CorruptFileError):
        stored.read()


def test_columns(stored: DatasetStore) -> None:
    """Columns come in the order that was asked for, after the date; no column at all gives the dates."""
    assert stored.read(columns=["close", "open"]).column_names == ["date", "close", "open"]
    assert stored.read(columns=["close", "date"]).column_names == ["date", "close"]
    assert stored.read(columns=[]).column_names == ["date"]
    assert stored.read().column_names == ["date", "open", "volume", "close"]
    with pytest.raises(KeyError, match="'lqd' has no column high; it has open, volume, close"):
        stored.read(columns=["open", "high"])


def test_table_keeps_units_but_no_claims(stored: DatasetStore) -> None:
    """A table that was read knows its units, and not the footer of a file of which it may be a part."""
    table = stored.read(Window.parse("2001-01-01", "2001-12-31"))
    assert table.schema.field("open").metadata == {b"unit": b"USD", b"decimals": b"2"}
    assert table.schema.metadata is None


@pytest.mark.parametrize("content", [b"", b"date,close\n2024-01-02,1\n", b"PAR1 and then nothing PAR1"])
def test_file_that_is_no_parquet(tmp_path: Path, content: bytes) -> None:
    """What is no Parquet is an error for reader and writer, names the file, and stays."""
    store = DatasetStore(tmp_path / "raw" / "lqd.parquet", SCHEMA)
    store.path.parent.mkdir()
    store.path.write_bytes(content)
    with pytest.raises(CorruptFileError, match=r"lqd\.parquet"):
        store.head()
    with pytest.raises(CorruptFileError):
        store.write(WINDOW, history(), series="yahoo:LQD")
    assert store.path.read_bytes() == content


def test_file_of_somebody_else(tmp_path: Path) -> None:
    """A Parquet file without our footer is not overwritten, and the error says how to go on."""
    store = DatasetStore(tmp_path / "raw" / "lqd.parquet", SCHEMA)
    store.path.parent.mkdir()
    history().to_parquet(store.path)
    with pytest.raises(CorruptFileError, match=r"first column is not 'date'"):
        store.head()
    history().reset_index().to_parquet(store.path)
    before = store.path.read_bytes()
    with pytest.raises(CorruptFileError, match=r"no JSON under 'macrocredit'.*`mv .*macrocredit backfill lqd --start"):
        store.write(WINDOW, history(), series="yahoo:LQD")
    assert store.path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dataset": "hyg"}, "holds 'hyg' in version 1"),
        ({"schema_version": 2}, "in version 2"),
        ({"coverage": [["2024-01-02"]]}, "footer cannot be used"),
        ({"coverage": [["2024-02-01", "2024-01-01"]]}, "footer cannot be used"),
        ({"coverage": None}, "footer cannot be used"),
    ],
)
def test_footer_that_cannot_be_used(stored: DatasetStore, change: dict[str, object], words: str) -> None:
    """A footer that says something impossible is an error that names it."""
    table = pq.read_table(stored.path)
    footer = {**json.loads(table.schema.metadata[b"macrocredit"]), **change}
    _rewrite(stored.path, table, json.dumps(footer))
    with pytest.raises(CorruptFileError, match=words):
        stored.head()


@pytest.mark.parametrize("kind", [pa.float32(), pa.int32(), pa.string()])
def test_types_that_we_never_write(stored: DatasetStore, kind: pa.DataType) -> None:
    """A column that somebody has cast is refused by name, though the footer is ours."""
    table = pq.read_table(stored.path)
    values = pa.array(range(5000)).cast(kind)
    pq.write_table(table.set_column(1, table.schema.field("open").with_type(kind), values), stored.path)
    with pytest.raises(CorruptFileError, match=f"its column 'open' is of type {kind}"):
        stored.write(WINDOW, history(), series="yahoo:LQD")


@pytest.mark.parametrize("footer", ["[]", "{", "{}"])
def test_footer_that_is_no_object(stored: DatasetStore, footer: str) -> None:
    """A footer that is not the JSON object that we write is an error."""
    _rewrite(stored.path, pq.read_table(stored.path), footer)
    with pytest.raises(CorruptFileError):
        stored.head()


def test_dates_without_statistics(stored: DatasetStore) -> None:
    """A file whose footer does not tell the extremes of its dates was not written by us."""
    pq.write_table(pq.read_table(stored.path), stored.path, write_statistics=False)
    with pytest.raises(CorruptFileError, match="no statistics"):
        stored.head()


def test_head_tells_first_and_last(stored: DatasetStore) -> None:
    """First and last date come from the footer's statistics, over all row groups."""
    head = stored.head()
    assert head is not None
    assert (head.first, head.last, head.row_count) == (date(2000, 1, 3), date(2019, 3, 1), 5000)


def _rewrite(path: Path, table: pa.Table, footer: str) -> None:
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"macrocredit": footer.encode()}), path)
