"""The ``file`` source on small files that imitate, one by one, what real files do."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from macrocredit_assets.catalog.models import Column, DatasetSpec, FileColumn, FileWay, SampleWay
from macrocredit_assets.errors import NotServedError, UnreadableSourceError
from macrocredit_assets.sources import Fetched, FileSource
from macrocredit_assets.windows import Window

EVERYTHING = Window(date(1900, 1, 1), date(2100, 1, 1))


def make_spec(way: FileWay, **columns: Column) -> DatasetSpec:
    """Make a dataset with one way; by default its columns are spreads in bp with two decimals."""
    columns = columns or {name: Column(unit="bp", decimals=2) for name in way.columns}
    return DatasetSpec(
        name="toy",
        title="Toy",
        instrument="TOY",
        group="toys",
        owner="team:toys",
        description="A toy.",
        columns=columns,
        main=next(iter(columns)),
        calendar="weekdays",
        ways=(way,),
    )


def make_way(path: str = "toy.csv", columns: dict[str, str] | None = None, **options: object) -> FileWay:
    """Make a file way; ``columns`` is our name -> header."""
    mapped = {name: FileColumn(column=header) for name, header in (columns or {"spread": "spread"}).items()}
    return FileWay.model_validate({"series": "toy:SPREAD", "path": path, "columns": mapped, **options})


def fetch(folder: Path, content: str | bytes, way: FileWay | None = None, window: Window = EVERYTHING) -> Fetched:
    """Write a file, read it by a way."""
    way = way or make_way()
    (folder / way.path).write_bytes(content if isinstance(content, bytes) else content.encode())
    return FileSource(folder).fetch(make_spec(way), way, window)


def rows(fetched: Fetched) -> list[tuple[str, float]]:
    """Return the frame as pairs of date and first value."""
    return [(f"{day:%Y-%m-%d}", value) for day, value in fetched.frame.iloc[:, 0].items()]


TWO = [("2020-01-02", 50.5), ("2020-01-03", 51.25)]


@pytest.mark.parametrize(
    ("content", "options"),
    [
        pytest.param("date,spread\n2020-01-02,50.5\n2020-01-03,51.25\n", {}, id="plain"),
        pytest.param("date,spread\r\n2020-01-02,50.5\r\n2020-01-03,51.25\r\n", {}, id="crlf"),
        pytest.param("date,spread\r2020-01-02,50.5\r2020-01-03,51.25\r", {}, id="cr"),
        pytest.param("date,spread\n2020-01-02,50.5\n2020-01-03,51.25", {}, id="no newline at the end"),
        pytest.param("\ufeffdate,spread\n2020-01-02,50.5\n2020-01-03,51.25\n", {}, id="byte order mark"),
        pytest.param("\n\ndate,spread\n\n2020-01-02,50.5\n\n\n2020-01-03,51.25\n\n", {}, id="empty lines"),
        pytest.param('"date","spread"\n"2020-01-02","50.5"\n"2020-01-03","51.25"\n', {}, id="quoted"),
        pytest.param("date , spread\n2020-01-02 , 50.5\n2020-01-03, 51.25 \n", {}, id="blanks around cells"),
        pytest.param(",spread\n2020-01-02,50.5\n2020-01-03,51.25\n", {"date_column": ""}, id="unnamed date"),
        pytest.param("spread,date\n50.5,2020-01-02\n51.25,2020-01-03\n", {}, id="other order of columns"),
        pytest.param(
            "date;spread\n2020-01-02;50,5\n2020-01-03;51,25\n", {"separator": ";", "decimal": ","}, id="decimal comma"
        ),
        pytest.param("date\tspread\n2020-01-02\t50.5\n2020-01-03\t51.25\n", {"separator": "\t"}, id="tabs"),
        pytest.param("date   spread\n2020-01-02  50.5\n2020-01-03 51.25\n", {"separator": " "}, id="columns of blanks"),
        pytest.param(
            "date,spread\n1/2/2020,50.5\n01/03/2020,51.25\n", {"date_format": "%m/%d/%Y"}, id="american, padded or not"
        ),
        pytest.param(
            "date,spread\n2.1.20,50.5\n3.1.20,51.25\n", {"date_format": "%d.%m.%y"}, id="european, short year"
        ),
        pytest.param("date,spread\n20200102,50.5\n20200103,51.25\n", {"date_format": "%Y%m%d"}, id="compact"),
        pytest.param("date,spread\n2020-01-02 00:00:00,50.5\n2020-01-03T00:00,51.25\n", {}, id="midnights"),
        pytest.param("date,spread\n2020-01-02,+5.05e1\n2020-01-03,051.250\n", {}, id="signs, exponents, zeros"),
        pytest.param(
            "date,spread\n2020-01-02,50.5\n2020-01-03,51.25\n".encode("utf-16"), {"encoding": "utf-16"}, id="utf-16"
        ),
        pytest.param(
            "date,sprëad\n2020-01-02,50.5\n2020-01-03,51.25\n".encode("cp1252"),
            {"encoding": "cp1252", "columns": {"spread": "sprëad"}},
            id="cp1252",
        ),
    ],
)
def test_reads_every_layout(tmp_path: Path, content: str | bytes, options: dict[str, Any]) -> None:
    """The same two observations come out of every layout that publishers use."""
    fetched = fetch(tmp_path, content, make_way(**options))
    assert rows(fetched) == TWO
    assert (fetched.first, fetched.last) == (date(2020, 1, 2), date(2020, 1, 3))
    assert (fetched.rows_read, dict(fetched.dropped)) == (2, {})


@pytest.mark.parametrize("marker", ["", ".", "N/A", "#N/A", "#N/A N/A", "NA", "NaN", "null", " "])
def test_missing_markers(tmp_path: Path, marker: str) -> None:
    """A row whose only value is a missing marker is dropped and counted."""
    fetched = fetch(tmp_path, f"date,spread\n2020-01-02,50.5\n2020-01-03,{marker}\n")
    assert rows(fetched) == TWO[:1]
    assert (fetched.rows_read, dict(fetched.dropped)) == (2, {"missing": 1})
    assert fetched.last == date(2020, 1, 2)


def test_missing_marker_of_the_way(tmp_path: Path) -> None:
    """A text that a way declares as missing is no error, and only then."""
    content = "date,spread\n2020-01-02,-999\n2020-01-03,ND\n"
    way = make_way(missing=("ND", "-999"))
    assert dict(fetch(tmp_path, content, way).dropped) == {"missing": 2}
    with pytest.raises(UnreadableSourceError, match="'ND' is no number"):
        fetch(tmp_path, content)


def test_keeps_rows_with_some_values_in_the_order_of_the_file(tmp_path: Path) -> None:
    """A row with one value of two stays, the other cell is NaN; order and duplicates are the file's own."""
    content = "date,a,b\n2020-01-06,3,4\n2020-01-03,,2\n,,\n2020-01-03,1,2\n2020-01-02,,\n"
    fetched = fetch(tmp_path, content, make_way(columns={"x": "b", "y": "a"}))
    expected = pd.DataFrame(
        {"x": [4.0, 2.0, 2.0], "y": [3.0, np.nan, 1.0]},
        index=pd.DatetimeIndex(["2020-01-06", "2020-01-03", "2020-01-03"], name="date").as_unit("us"),
    )
    pd.testing.assert_frame_equal(fetched.frame, expected)
    assert (fetched.rows_read, dict(fetched.dropped)) == (5, {"missing": 2})


def test_trims_to_the_window_and_counts(tmp_path: Path) -> None:
    """Both ends of the window are inside; first and last speak of the whole file; every row is accounted for."""
    content = "date,spread\n2020-01-01,1\n2020-01-02,2\n2020-01-03,\n2020-01-04,4\n2020-01-05,5\n2020-01-06,\n"
    fetched = fetch(tmp_path, content, window=Window(date(2020, 1, 2), date(2020, 1, 4)))
    assert rows(fetched) == [("2020-01-02", 2.0), ("2020-01-04", 4.0)]
    assert (fetched.first, fetched.last) == (date(2020, 1, 1), date(2020, 1, 5))
    assert (fetched.rows_read, dict(fetched.dropped)) == (6, {"outside_window": 3, "missing": 1})


def test_a_file_without_values(tmp_path: Path) -> None:
    """A header alone is an empty answer with the dataset's columns, not an error."""
    fetched = fetch(tmp_path, "date,spread\n")
    assert fetched.frame.empty
    assert list(fetched.frame.columns) == ["spread"]
    assert fetched.frame.index.dtype == "datetime64[us]"
    assert (fetched.first, fetched.last, fetched.rows_read) == (None, None, 0)


def test_side_by_side_blocks_with_their_own_dates(tmp_path: Path) -> None:
    """The n-th column of a repeated header is addressed as name.1, name.2; each block keeps its own dates."""
    content = "Date,3Y,Date,5Y\n2020-01-03,7,2020-01-06,9\n,,,\n2020-01-02,6,2020-01-03,\n"
    first = fetch(tmp_path, content, make_way(columns={"price": "3Y"}, date_column="Date"))
    second = fetch(tmp_path, content, make_way(columns={"price": "5Y"}, date_column="Date.1"))
    assert rows(first) == [("2020-01-03", 7.0), ("2020-01-02", 6.0)]
    assert rows(second) == [("2020-01-06", 9.0)]
    assert dict(second.dropped) == {"missing": 2}


LONG = (
    "date,index_name,tenor,spread\n2020-01-02,EU_IG,5Y,60\n2020-01-02,EU_IG,3Y,40\n"
    "2020-01-03,EU_IG,5Y,61\n2020-01-02,EU_XO,5Y,300\n"
)


def test_filters_a_long_file(tmp_path: Path) -> None:
    """Only rows with every filter's exact text belong to the dataset; the others are not even read rows."""
    fetched = fetch(tmp_path, LONG, make_way(filters={"index_name": "EU_IG", "tenor": "5Y"}))
    assert rows(fetched) == [("2020-01-02", 60.0), ("2020-01-03", 61.0)]
    assert fetched.rows_read == 2


def test_a_filter_that_nothing_matches_is_an_error(tmp_path: Path) -> None:
    """A filter without a match names the texts that exist."""
    with pytest.raises(UnreadableSourceError, match=r"tenor = '10Y'; .*tenor has 3Y, 5Y"):
        fetch(tmp_path, LONG, make_way(filters={"index_name": "EU_IG", "tenor": "10Y"}))


def test_converted_values_are_rounded_to_decimals_and_others_kept_bit_for_bit(tmp_path: Path) -> None:
    """0.58 x 100 is 58, not 57.99999999999999; a value without a factor is the nearest float, unrounded."""
    way = FileWay(
        series="toy:X",
        path="toy.csv",
        columns={"bp": FileColumn(column="percent", factor=100), "price": FileColumn(column="price")},
    )
    fetched = fetch(tmp_path, "date,percent,price\n2020-01-02,0.58,104.3499984741211\n2020-01-03,21.82,0.1\n", way)
    assert fetched.frame["bp"].tolist() == [58.0, 2182.0]
    assert fetched.frame["price"].tolist() == [104.3499984741211, 0.1]


def test_every_number_reads_back_as_the_float_it_was_printed_from(tmp_path: Path) -> None:
    """Ten thousand random floats survive being printed and read, to the last bit."""
    bits = np.random.default_rng(7).integers(1, 2**62, 10_000, dtype=np.int64)
    values = bits.view(np.float64)
    dates = pd.date_range("1990-01-01", periods=len(values)).strftime("%Y-%m-%d")
    lines = [f"{day},{value!r}" for day, value in zip(dates, values.tolist(), strict=True)]
    fetched = fetch(tmp_path, "date,spread\n" + "\n".join(lines))
    np.testing.assert_array_equal(fetched.frame["spread"].to_numpy().view(np.int64), bits)


@pytest.mark.parametrize(
    "text",
    [
        "1,234",
        "12abc",
        "1_000",
        "1.2.3",
        "--1",
        "0x1A",
        "inf",
        "-",
        "1 234",
        "12%",
        "(3)",
        "\uff11\uff12",
        "true",
        "1e",
    ],
)
def test_nothing_is_guessed_about_numbers(tmp_path: Path, text: str) -> None:
    """A text that is not exactly a number is an error with file, line, column and the text."""
    with pytest.raises(UnreadableSourceError) as caught:
        fetch(tmp_path, f'date,spread\n2020-01-02,1\n2020-01-03,"{text}"\n')
    message = str(caught.value)
    assert str(tmp_path / "toy.csv") in message
    assert f"line 3, column 'spread': {text!r} is no number" in message


@pytest.mark.parametrize(
    ("text", "date_format"),
    [
        ("01/02/2020", None),
        ("2020-1-2", None),
        ("20200102", None),
        ("2020-02-30", None),
        ("2020-01-02 09:30:00", None),
        ("2020-01-02T00:00:00Z", None),
        ("Jan 2020", None),
        ("2020-01-02", "%m/%d/%Y"),
        ("13/01/2020", "%m/%d/%Y"),
        ("1/2/2020 10:00", "%m/%d/%Y"),
        ("1/2/2020 10:00", "%m/%d/%Y %H:%M"),
        ("1/2/2020 +0100", "%m/%d/%Y %z"),
    ],
)
def test_nothing_is_guessed_about_dates(tmp_path: Path, text: str, date_format: str | None) -> None:
    """A date in another format, or with a time of day, is an error that names the format expected."""
    with pytest.raises(UnreadableSourceError) as caught:
        fetch(tmp_path, f"date,spread\n{text},1\n", make_way(date_format=date_format))
    expected = date_format or "YYYY-MM-DD"
    assert f"line 2, column 'date': {text!r} is no date in the format {expected}" in str(caught.value)


def test_a_decimal_point_in_a_file_of_decimal_commas_is_an_error(tmp_path: Path) -> None:
    """1.234 may be a thousand or a little more than one: it is neither."""
    with pytest.raises(UnreadableSourceError, match=r"'1\.234' is no number"):
        fetch(tmp_path, "date;spread\n2020-01-02;1.234\n", make_way(separator=";", decimal=","))


def test_a_value_without_a_date_is_an_error(tmp_path: Path) -> None:
    """A blank row is skipped; a value whose date is missing is not."""
    with pytest.raises(UnreadableSourceError, match=r"line 3, column 'date': '' is no date, but its row has values"):
        fetch(tmp_path, "date,spread\n,\n,5\n")


def test_errors_are_collected_and_counted(tmp_path: Path) -> None:
    """The first five cells are shown in the order of the file, and all are counted, outside the window too."""
    content = "date,a,b\n" + "".join(f"2020-01-{day:02},x{day},{day}\n" for day in range(1, 8)) + "8 Jan,1,y\n"
    window = Window(date(2020, 1, 1), date(2020, 1, 1))
    with pytest.raises(UnreadableSourceError) as caught:
        fetch(tmp_path, content, make_way(columns={"p": "a", "q": "b"}), window)
    message = str(caught.value)
    assert "9 places" in message
    assert [line.split(":")[0].strip() for line in message.splitlines() if "is no number" in line] == [
        f"line {line}, column 'a'" for line in range(2, 7)
    ]
    assert "and 4 more." in message


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    """Empty lines and CRLF do not shift the line that an error names."""
    with pytest.raises(UnreadableSourceError, match="line 5, column 'spread': 'x'"):
        fetch(tmp_path, "date,spread\r\n2020-01-02,1\r\n\r\n\r\n2020-01-03,x\r\n")


def test_a_missing_column_lists_those_that_exist(tmp_path: Path) -> None:
    """All columns that the way names and the file lacks are named at once, beside those it has."""
    way = make_way(columns={"spread": "Spread"}, date_column="Date")
    with pytest.raises(UnreadableSourceError, match="no column 'Date', 'Spread'; it has 'date', 'spread'"):
        fetch(tmp_path, "date,spread\n2020-01-02,1\n", way)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("date,spread\n2020-01-02,1,2\n", r"line 2: '2020-01-02,1,2' has 3 cells where the header has 2"),
        ("date,spread\n2020-01-02\n", r"line 2: '2020-01-02' has 1 cells where the header has 2"),
        ('date,spread\n"2020-01-02,1\n', r"line 2: unexpected end of data"),
        ("", "is empty"),
        ("\n\n", "is empty"),
        (b"date,spread\n2020-01-02,1\n2020-01-03,\xff2\n", r"line 3: .*\\xff2.* is no utf-8-sig"),
    ],
)
def test_irregular_files(tmp_path: Path, content: str | bytes, message: str) -> None:
    """A ragged row, a broken quote, an empty file or bytes of another encoding are errors with their line."""
    with pytest.raises(UnreadableSourceError, match=message):
        fetch(tmp_path, content)


def test_an_unknown_encoding_is_named(tmp_path: Path) -> None:
    """An encoding that does not exist is the catalog's mistake, and said so."""
    with pytest.raises(UnreadableSourceError, match="encoding 'utf-9'"):
        fetch(tmp_path, "date,spread\n", make_way(encoding="utf-9"))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_parquet_with_dates_in_its_index(tmp_path: Path, unit: str) -> None:
    """A frame as pandas writes it reads like its CSV, whatever the unit of its timestamps; nulls are missing."""
    index = pd.DatetimeIndex(["2020-01-02", "2020-01-03", "2020-01-06"], name="date").as_unit(unit)
    pd.DataFrame({"spread": [50.5, 51.25, None]}, index=index).to_parquet(tmp_path / "toy.parquet")
    way = make_way("toy.parquet")
    fetched = FileSource(tmp_path).fetch(make_spec(way), way, EVERYTHING)
    assert rows(fetched) == TWO
    assert dict(fetched.dropped) == {"missing": 1}


def test_parquet_of_other_types(tmp_path: Path) -> None:
    """date32, an unnamed index, integers, decimals, float32 and text all become the float64 they stand for."""
    table = pa.table(
        {
            "__index_level_0__": pa.array([date(2020, 1, 2)], pa.date32()),
            "whole": pa.array([7], pa.int32()),
            "single": pa.array([104.35], pa.float32()),
            "exact": pa.array([Decimal("1.10")], pa.decimal128(20, 2)),
            "text": pa.array(["1.5"]),
        }
    )
    pq.write_table(table, tmp_path / "toy.parquet")
    names = ["whole", "single", "exact", "text"]
    way = make_way("toy.parquet", {name: name for name in names}, date_column="")
    fetched = FileSource(tmp_path).fetch(make_spec(way), way, EVERYTHING)
    assert fetched.frame.iloc[0].tolist() == [7.0, float(np.float32(104.35)), 1.1, 1.5]
    assert fetched.first == date(2020, 1, 2)


@pytest.mark.parametrize(
    ("dates", "values", "message"),
    [
        (pd.DatetimeIndex(["2020-01-02 09:30"]), [1.0], r"row 1, column 'date': '2020-01-02 09:30:00\S*' is no date"),
        (pd.DatetimeIndex(["2020-01-02"], tz="UTC"), [1.0], r"row 1, column 'date': .* is no date"),
        (pd.DatetimeIndex(["2020-01-02"]), [np.inf], r"row 1, column 'spread': 'inf' is no number"),
        (pd.DatetimeIndex(["2020-01-02"]), [True], r"row 1, column 'spread': 'true' is no number"),
    ],
)
def test_parquet_is_read_as_strictly_as_text(
    tmp_path: Path, dates: pd.DatetimeIndex, values: list[object], message: str
) -> None:
    """A time of day, a zone, an infinity or a truth value is an error with its row."""
    pd.DataFrame({"date": dates, "spread": values}).to_parquet(tmp_path / "toy.parquet")
    way = make_way("toy.parquet")
    with pytest.raises(UnreadableSourceError, match=message):
        FileSource(tmp_path).fetch(make_spec(way), way, EVERYTHING)


def test_parquet_that_is_none_or_lacks_a_column(tmp_path: Path) -> None:
    """Bytes that are no Parquet and a missing column are errors that name the file."""
    with pytest.raises(UnreadableSourceError, match=r"toy\.parquet cannot be read as Parquet"):
        fetch(tmp_path, "date,spread\n", make_way("toy.parquet"))
    pd.DataFrame({"day": ["2020-01-02"], "oas": [1.0]}).to_parquet(tmp_path / "toy.parquet")
    way = make_way("toy.parquet")
    with pytest.raises(UnreadableSourceError, match="no column 'date', 'spread'; it has 'day', 'oas'"):
        FileSource(tmp_path).fetch(make_spec(way), way, EVERYTHING)


def test_unavailable_says_why(tmp_path: Path) -> None:
    """Without a setting, a folder or a file, the reason names MACROCREDIT_FILES and the path."""
    way = make_way("deep/toy.csv")
    assert FileSource(None).unavailable(way) == "MACROCREDIT_FILES is not set, so deep/toy.csv cannot be found"
    nowhere = tmp_path / "nowhere"
    assert str(nowhere) in str(FileSource(nowhere).unavailable(way))
    reason = FileSource(tmp_path).unavailable(way)
    assert reason == f"there is no file {tmp_path / 'deep' / 'toy.csv'} (MACROCREDIT_FILES={tmp_path})"
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "toy.csv").touch()
    assert FileSource(tmp_path).unavailable(way) is None


def test_fetching_what_is_unavailable_raises_the_reason(tmp_path: Path) -> None:
    """A file that went away since the choice was made, or a way of another source, is said in the same words."""
    way = make_way()
    with pytest.raises(NotServedError, match=r"toy: there is no file .*toy\.csv"):
        FileSource(tmp_path).fetch(make_spec(way), way, EVERYTHING)
    sample = SampleWay(series="sample:toy", model="spread", level=1, stress=1, noise=1)
    with pytest.raises(NotServedError, match="no file but sample"):
        FileSource(tmp_path).fetch(make_spec(way), sample, EVERYTHING)
