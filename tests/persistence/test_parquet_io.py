"""Frames come back from Parquet files as they went in, or the part of them that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from macrocredit_assets.errors import CorruptFileError
from macrocredit_assets.persistence import list_parquet_files, load_parquet, save_parquet
from macrocredit_assets.persistence.bounds import Moment
from macrocredit_assets.persistence.parquet_io import COMPRESSIONS


def daily(rows: int = 10, start: str = "2024-01-01", tz: str | None = None, unit: str = "us") -> pd.DataFrame:
    """Return rows 0, 1, 2 ... on consecutive days."""
    index = pd.DatetimeIndex(np.datetime64(start, "D") + np.arange(rows), name="date").as_unit(unit)
    index = index if tz is None else index.tz_localize(tz)
    return pd.DataFrame({"spread": np.arange(rows, dtype="float64"), "volume": np.arange(rows) * 10}, index=index)


@pytest.mark.parametrize("compression", [*COMPRESSIONS, "ZSTD", None])
def test_every_compression_gives_the_frame_back(tmp_path: Path, compression: str | None) -> None:
    """Each codec reads back equal, and is the one in the file."""
    path = save_parquet(daily(), tmp_path / "x.parquet", compression=compression)
    pd.testing.assert_frame_equal(load_parquet(path), daily(), check_freq=False)
    used = pq.ParquetFile(path).metadata.row_group(0).column(0).compression
    assert used == {"none": "UNCOMPRESSED"}.get(str(compression).lower(), str(compression or "uncompressed").upper())


def test_an_unknown_compression_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    """The message lists what may be used, and nothing is written."""
    for unknown in ("zip", 5):
        known = f"Unknown compression {unknown!r}; use one of snappy, gzip, zstd, brotli, lz4, none"
        with pytest.raises(ValueError, match=known):
            save_parquet(daily(), tmp_path / "x.parquet", compression=unknown)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("empty", [pd.DataFrame(), pd.DataFrame({"a": []}), pd.DataFrame(index=[1, 2])])
def test_an_empty_frame_is_refused(tmp_path: Path, empty: pd.DataFrame) -> None:
    """Neither rows nor columns may be missing; the old file stays."""
    path = save_parquet(daily(), tmp_path / "x.parquet")
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"^Cannot save empty DataFrame$"):
        save_parquet(empty, path)
    assert path.read_bytes() == before


def test_a_series_is_refused(tmp_path: Path) -> None:
    """A Series is no frame; the message says how it becomes one."""
    with pytest.raises(TypeError, match=r"save_parquet takes a DataFrame, not a Series; a Series has .to_frame\(\)"):
        save_parquet(daily()["spread"], tmp_path / "x.parquet")  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:The DataFrame has column names of mixed type")
def test_column_names_that_are_the_same_as_text_are_refused(tmp_path: Path) -> None:
    """Parquet knows names as text only: 1 and '1' would become one column."""
    with pytest.raises(ValueError, match="Column names must be unique as text; repeated: 1"):
        save_parquet(pd.DataFrame([[1, 2, 3]], columns=[1, "1", "x"]), tmp_path / "x.parquet")


def test_paths_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text, relative paths and the home directory work; the result is absolute, parents are made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert save_parquet(daily(), "a/../b/x.parquet") == tmp_path / "b" / "x.parquet"
    assert save_parquet(daily(), "~/x.parquet") == tmp_path / "home" / "x.parquet"
    assert len(load_parquet("~/x.parquet")) == 10


def test_a_frame_that_arrow_cannot_hold_leaves_no_trace(tmp_path: Path) -> None:
    """A column of mixed objects fails before any file is touched."""
    with pytest.raises(pa.ArrowInvalid):
        save_parquet(pd.DataFrame({"a": [1, "x"]}), tmp_path / "deep" / "x.parquet")
    assert list(tmp_path.iterdir()) == []


def test_without_the_index_rows_are_numbered(tmp_path: Path) -> None:
    """index=False drops it."""
    frame = load_parquet(save_parquet(daily(), tmp_path / "x.parquet", index=False))
    pd.testing.assert_frame_equal(frame, daily().reset_index(drop=True))


def test_attributes_survive_as_json_values(tmp_path: Path) -> None:
    """Attributes that JSON does not know, on which pandas itself fails, come back as text; the frame keeps its own."""
    frame = daily()
    frame.attrs = {"as_of": pd.Timestamp("2024-01-10"), "source": "Bloomberg"}
    path = save_parquet(frame, tmp_path / "x.parquet")
    assert load_parquet(path).attrs == {"as_of": "2024-01-10T00:00:00", "source": "Bloomberg"}
    assert frame.attrs["as_of"] == pd.Timestamp("2024-01-10")


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("tz", [None, "UTC", "America/New_York", "+05:30"])
def test_the_index_keeps_name_zone_and_resolution(tmp_path: Path, unit: str, tz: str | None) -> None:
    """Seconds too, which Parquet does not have; in columns as well as in the index, whatever is read."""
    frame = daily(tz=tz, unit=unit)
    frame["known_at"] = frame.index
    path = save_parquet(frame, tmp_path / "x.parquet")
    pd.testing.assert_frame_equal(load_parquet(path), frame, check_freq=False)
    part = load_parquet(path, columns=["known_at"], start_date="2024-01-03", end_date="2024-01-04")
    pd.testing.assert_frame_equal(part, frame[["known_at"]].iloc[2:4], check_freq=False)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["volume", "spread"], ["volume", "spread"]),
        ("volume", ["volume"]),
        (("volume", "volume"), ["volume"]),
        (pd.Index(["spread"]), ["spread"]),
        (["date", "spread"], ["spread"]),
        ([], []),
    ],
)
def test_columns_come_in_the_order_asked_for(tmp_path: Path, columns: Sequence[str] | str, expected: list[str]) -> None:
    """A single name, any sequence, repeated names, the index's own name: always these columns with the index."""
    frame = load_parquet(save_parquet(daily(), tmp_path / "x.parquet"), columns=columns)
    pd.testing.assert_frame_equal(frame, daily()[expected], check_freq=False)


def test_numbered_columns_come_back_as_numbers(tmp_path: Path) -> None:
    """Column names that are integers are asked for, and come back, as integers."""
    frame = pd.DataFrame({0: [1.0], 1: [2.0]})
    path = save_parquet(frame, tmp_path / "x.parquet")
    assert list(load_parquet(path).columns) == [0, 1]
    assert list(load_parquet(path, columns=[1]).columns) == [1]  # type: ignore[list-item]


def test_a_missing_column_is_named_with_those_that_exist(tmp_path: Path) -> None:
    """KeyError says what is missing and what there is."""
    path = save_parquet(daily(), tmp_path / "x.parquet")
    with pytest.raises(KeyError, match=r"x.parquet has no column 'oas', 'px'; it has 'spread', 'volume'"):
        load_parquet(path, columns=["spread", "oas", "px"])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """FileNotFoundError gives the absolute path."""
    with pytest.raises(FileNotFoundError, match=f"Parquet file not found: {tmp_path / 'x.parquet'}"):
        load_parquet(tmp_path / "x.parquet")


@pytest.mark.parametrize("cut", ["not parquet", "truncated", "damaged page"])
def test_a_broken_file_is_named_and_left(tmp_path: Path, cut: str) -> None:
    """Something else, a file cut short and a damaged page are all CorruptFileError."""
    path = save_parquet(daily(1000), tmp_path / "x.parquet")
    content = path.read_bytes()
    broken = {
        "not parquet": b"date,spread\n2024-01-01,1.0\n",
        "truncated": content[:-100],
        "damaged page": content[:4] + b"\xff" * 3000 + content[3004:],
    }[cut]
    path.write_bytes(broken)
    with pytest.raises(CorruptFileError, match=r"x.parquet is not a readable Parquet file .* left as it is"):
        load_parquet(path)
    assert path.read_bytes() == broken


def test_an_error_of_the_system_stays_one(tmp_path: Path) -> None:
    """A directory in the place of the file is not a damaged file."""
    with pytest.raises(IsADirectoryError):
        load_parquet(tmp_path)


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        ("2024-01-03", None, 2, 9),
        (None, "2024-01-03", 0, 2),
        ("2024-01-03", "2024-01-05", 2, 4),
        (date(2024, 1, 3), pd.Timestamp("2024-01-05"), 2, 4),
        (datetime(2024, 1, 3, 1), datetime(2024, 1, 4, 23), 3, 3),  # noqa: DTZ001 - naive on purpose
        ("1800", date.max, 0, 9),
        ("2024-01-05", "2024-01-05", 4, 4),
    ],
)
@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_dates_are_inclusive(
    tmp_path: Path, start: Moment | None, end: Moment | None, first: int, last: int, unit: str
) -> None:
    """Both ends belong; bounds far beyond what nanoseconds reach are bounds all the same."""
    path = save_parquet(daily(unit=unit), tmp_path / "x.parquet")
    frame = load_parquet(path, start_date=start, end_date=end)
    assert list(frame["spread"]) == list(range(first, last + 1))


def test_an_end_given_as_a_date_means_the_whole_day(tmp_path: Path) -> None:
    """Intraday rows up to the last nanosecond belong to the day; a Timestamp at midnight ends there."""
    index = pd.DatetimeIndex(["2024-01-01", "2024-01-01 23:59:59.999999999", "2024-01-02"], name="date")
    path = save_parquet(pd.DataFrame({"a": [0, 1, 2]}, index=index), tmp_path / "x.parquet")
    assert list(load_parquet(path, end_date="2024-01-01")["a"]) == [0, 1]
    assert list(load_parquet(path, end_date=date(2024, 1, 1))["a"]) == [0, 1]
    assert list(load_parquet(path, end_date=pd.Timestamp("2024-01-01"))["a"]) == [0]


def test_bounds_finer_than_the_index_round_to_what_they_include(tmp_path: Path) -> None:
    """Half a millisecond after a row excludes it as a start and includes it as an end."""
    path = save_parquet(daily(3, unit="ms"), tmp_path / "x.parquet")
    moment = pd.Timestamp("2024-01-02 00:00:00.0005")
    assert list(load_parquet(path, start_date=moment)["spread"]) == [2.0]
    assert list(load_parquet(path, end_date=moment)["spread"]) == [0.0, 1.0]


def test_naive_bounds_take_the_zone_of_the_index(tmp_path: Path) -> None:
    """A day of an index in New York is a day in New York; aware bounds are instants."""
    path = save_parquet(daily(3, tz="America/New_York"), tmp_path / "x.parquet")
    assert list(load_parquet(path, start_date="2024-01-02", end_date="2024-01-02")["spread"]) == [1.0]
    utc = pd.Timestamp("2024-01-02 05:00", tz="UTC")
    assert list(load_parquet(path, start_date=utc, end_date=utc)["spread"]) == [1.0]


def test_rows_without_a_date_belong_to_no_window(tmp_path: Path) -> None:
    """NaT in the index is neither before nor after anything."""
    index = pd.DatetimeIndex(["2024-01-01", None, "2024-01-02"], name="date")
    path = save_parquet(pd.DataFrame({"a": [0, 1, 2]}, index=index), tmp_path / "x.parquet")
    assert list(load_parquet(path, start_date="1990-01-01")["a"]) == [0, 2]
    assert list(load_parquet(path)["a"]) == [0, 1, 2]


@pytest.mark.parametrize(
    ("frame", "found"),
    [
        (pd.DataFrame({"a": [1]}), "an index of type int64"),
        (pd.DataFrame({"a": [1]}, index=pd.Index([date(2024, 1, 1)], name="date")), r"an index of type date32"),
        (pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([(1, 2)], names=["x", "y"])), "no date index"),
    ],
)
def test_date_filters_need_a_date_index(tmp_path: Path, frame: pd.DataFrame, found: str) -> None:
    """Numbers, bare dates and several levels are no DatetimeIndex."""
    path = save_parquet(frame, tmp_path / "x.parquet")
    with pytest.raises(ValueError, match=f"Date filtering requires DatetimeIndex, but .*x.parquet has {found}"):
        load_parquet(path, end_date="2024-01-01")


def test_row_groups_outside_the_dates_are_not_read(tmp_path: Path) -> None:
    """A file whose first row group is destroyed still gives the rows of the second."""
    path = tmp_path / "x.parquet"
    pq.write_table(pa.Table.from_pandas(daily(2000)), path, row_group_size=1000, compression="none")
    content = bytearray(path.read_bytes())
    second = pq.ParquetFile(path).metadata.row_group(1)
    begin = min(second.column(number).dictionary_page_offset for number in range(3))
    content[4:begin] = b"\xff" * (begin - 4)
    path.write_bytes(content)
    frame = load_parquet(path, start_date=daily(2000).index[1000])
    assert frame["spread"].tolist() == list(map(float, range(1000, 2000)))
    with pytest.raises(CorruptFileError):
        load_parquet(path)


def test_a_folder_named_like_a_partition_adds_no_column(tmp_path: Path) -> None:
    """A file below year=2024 has the columns that it has."""
    path = save_parquet(daily(), tmp_path / "year=2024" / "x.parquet")
    assert list(load_parquet(path).columns) == ["spread", "volume"]


def test_files_are_listed_sorted_without_temporary_ones(tmp_path: Path) -> None:
    """Subdirectories only where the pattern says so; never directories, temporary files or locks."""
    for name in ["b.parquet", "a.parquet", "c.csv", "deep/d.parquet", ".a.parquet.0123456789ab.tmp", ".a.parquet.lock"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.parquet").mkdir()
    assert list_parquet_files(tmp_path) == [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    assert list_parquet_files(str(tmp_path), "*") == [tmp_path / name for name in ("a.parquet", "b.parquet", "c.csv")]
    assert list_parquet_files(tmp_path, "**/d*.parquet") == [tmp_path / "deep" / "d.parquet"]
    assert list_parquet_files(tmp_path / "absent") == []


COLUMNS = st.sampled_from(["spread", "a b", "a.b", ".dotted", "é", "index", "__index_level_0__", "level_0"])
VALUES = st.one_of(
    st.lists(st.floats(width=64), min_size=3, max_size=3),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=3),
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.lists(st.text(st.characters(exclude_categories=["Cs"])) | st.none(), min_size=3, max_size=3),
    st.lists(st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)), min_size=3, max_size=3),  # noqa: DTZ001
)


@given(
    columns=st.dictionaries(COLUMNS, VALUES, min_size=1, max_size=4),
    days=st.lists(st.dates(date(1700, 1, 1), date(2200, 1, 1)), min_size=3, max_size=3),
    name=st.sampled_from([None, "date", "spread", "a.b"]),
    unit=st.sampled_from(["s", "ms", "us", "ns"]),
    zone=st.sampled_from([None, "UTC", "Europe/London"]),
    bounds=st.lists(st.dates(date(1700, 1, 1), date(2200, 1, 1)), min_size=2, max_size=2).map(sorted),
)
@settings(deadline=None, max_examples=60)
def test_any_frame_comes_back_and_any_window_of_it(
    tmp_path_factory: pytest.TempPathFactory,
    columns: dict[str, list[Any]],
    days: list[date],
    name: str | None,
    unit: str,
    zone: str | None,
    bounds: list[date],
) -> None:
    """Whatever the columns, names, zone and resolution: the frame reads back equal, and so does a slice by date."""
    index = pd.DatetimeIndex(days, name=name).as_unit(unit)
    index = index if zone is None else index.tz_localize(zone, nonexistent="shift_forward", ambiguous=False)
    frame = pd.DataFrame(columns, index=index)
    path = save_parquet(frame, tmp_path_factory.mktemp("any") / "x.parquet")
    pd.testing.assert_frame_equal(load_parquet(path), frame)
    start, end = bounds
    expected = frame[[start <= moment.date() <= end for moment in index]]
    pd.testing.assert_frame_equal(load_parquet(path, start_date=start, end_date=end), expected)
    if name not in columns:
        wanted = list(reversed(columns))
        pd.testing.assert_frame_equal(load_parquet(path, columns=wanted), frame[wanted])
