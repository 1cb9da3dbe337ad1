"""Lines of answers and files that speak of one day, in the formats that sources send."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.catalog.ways import FileWay
from macrocredit_assets.trace.lines import Line, lines_of_answer, lines_of_file

DAY = date(2024, 1, 3)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_of_a_csv(end: str, mark: bytes) -> None:
    """Lines are counted as an editor does, header included, whatever ends them and however the file begins."""
    body = mark + end.join(["observation_date,DGS10", "2024-01-02,3.95", "2024-01-03,3.91", ""]).encode()
    assert lines_of_answer(body, "fred", "csv", DAY) == (Line("line", 3, "2024-01-03,3.91"),)


@pytest.mark.parametrize("cell", ["", "."])
def test_line_without_a_value(cell: str) -> None:
    """What a publisher writes where it has nothing is a line, and no value."""
    body = f"DATE,DGS10\n2024-01-03,{cell}\n".encode()
    assert lines_of_answer(body, "fred", "csv", DAY) == (Line("line", 2, f"2024-01-03,{cell}", empty=True),)


def test_day_that_stands_twice() -> None:
    """All lines of a day are told."""
    body = b"DATE,DGS10\n2024-01-03,3.91\n2024-01-02,3.95\n2024-01-03,3.92\n"
    assert [line.number for line in lines_of_answer(body, "fred", "csv", DAY)] == [2, 4]


def test_date_of_another_publisher() -> None:
    """Cboe writes the month first; the 1st of March is not the 3rd of January."""
    body = b"DATE,OPEN,HIGH,LOW,CLOSE\n01/03/2024,13.38,14.22,13.33,14.04\n03/01/2024,1,1,1,1\n"
    assert lines_of_answer(body, "cboe", "csv", DAY) == (Line("line", 2, "01/03/2024,13.38,14.22,13.33,14.04"),)
    assert lines_of_answer(body, "fred", "csv", DAY) == ()


@pytest.mark.parametrize("indent", [None, 1])
def test_observation_of_a_json_answer(indent: int | None) -> None:
    """An observation is shown as it was sent, and counted among those of its answer."""
    values = {"2024-01-02": "3.95", "2024-01-03": "3.91", "2024-01-15": "."}
    observations = [
        {"realtime_start": "2024-01-03", "realtime_end": "2024-01-03", "date": day, "value": value}
        for day, value in values.items()
    ]
    text = json.dumps({"observation_end": "2024-01-03", "count": 3, "observations": observations}, indent=indent)
    (line,) = lines_of_answer(text.encode(), "fred", "json", DAY)
    assert (line.unit, line.number, line.empty) == ("observation", 2, False)
    assert line.text in text
    assert json.loads(line.text) == observations[1]
    (missing,) = lines_of_answer(text.encode(), "fred", "json", date(2024, 1, 15))
    assert (missing.number, missing.empty) == (3, True)
    assert lines_of_answer(text.encode(), "fred", "json", date(2024, 1, 4)) == ()


def test_line_of_a_real_file(real_data: Path) -> None:
    """The line of a published file is the one that grep finds."""
    spec = load_catalog().datasets["vix"]
    way = next(way for way in spec.ways if isinstance(way, FileWay) and way.path == "vix_daily_cboe.csv")
    path = real_data / way.path
    text = path.read_text()
    (line,) = lines_of_file(path, way, "vix", DAY)
    assert line.text.startswith("2024-01-03,")
    assert text.splitlines().index(line.text) + 1 == line.number


def test_line_of_a_long_file_is_that_of_the_way(tmp_path: Path) -> None:
    """In a file with several series, the line is the one of the way's own."""
    path = tmp_path / "long.csv"
    path.write_text("Name;Day;Value\nHY;03.01.2024;350,5\nIG;03.01.2024;56,25\nIG;04.01.2024;n.a.\n")
    way = FileWay.model_validate(
        {
            "series": "desk:IG",
            "path": "long.csv",
            "date_column": "Day",
            "date_format": "%d.%m.%Y",
            "separator": ";",
            "decimal": ",",
            "missing": ("n.a.",),
            "filters": {"Name": "IG"},
            "columns": {"spread": {"column": "Value"}},
        }
    )
    assert lines_of_file(path, way, "ig", DAY) == (Line("line", 3, "IG;03.01.2024;56,25"),)
    assert lines_of_file(path, way, "ig", date(2024, 1, 4)) == (Line("line", 4, "IG;04.01.2024;n.a.", empty=True),)


def test_row_of_a_parquet_file(tmp_path: Path) -> None:
    """A Parquet file has no lines: the row is told, with the cells that were read."""
    path = tmp_path / "ig.parquet"
    pd.DataFrame({"Day": ["2024-01-02", "2024-01-03"], "Value": [55.5, 56.25]}).to_parquet(path)
    described = {"series": "desk:IG", "path": "ig.parquet", "date_column": "Day"}
    way = FileWay.model_validate({**described, "columns": {"spread": {"column": "Value"}}})
    assert lines_of_file(path, way, "ig", DAY) == (Line("row", 2, "Day: 2024-01-03, Value: 56.25"),)
