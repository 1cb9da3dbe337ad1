"""A chart: where line, numbers and marks stand, what is left out, and how many bytes it takes."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from macrocredit_assets.charts import data_uri, line_chart
from macrocredit_assets.windows import Window

_SVG = "{http://www.w3.org/2000/svg}"
_DAY = Window.parse("2024-01-03", "2024-01-03")


def _series(values: list[float], start: str = "2024-01-01") -> pd.Series:
    return pd.Series(values, pd.date_range(start, periods=len(values)), dtype=float)


def _draw(series: pd.Series, window: Window | None = None, title: str = "vix close") -> ET.Element:
    return ET.fromstring(line_chart(series, window=window, title=title, unit="index points"))  # noqa: S314 - our own text


def _texts(svg: ET.Element) -> list[str]:
    return ["".join(text.itertext()) for text in svg.iter(f"{_SVG}text")]


def _line(svg: ET.Element) -> str:
    (path,) = (path for path in svg.iter(f"{_SVG}path") if path.get("id") == "l")
    return path.attrib["d"]


def _corners(svg: ET.Element) -> list[tuple[float, float]]:
    """Return the points of the line in pixels, read from its relative moves."""
    points = []
    for stroke in _line(svg).split("M")[1:]:
        start, moves = stroke.split("l")
        numbers = [int(number) for number in re.findall(r"-?\d+", moves)]
        steps = np.array([[int(number) for number in start.split()], *zip(numbers[::2], numbers[1::2], strict=True)])
        points += [tuple(point) for point in (np.cumsum(steps, axis=0) / 2).tolist()]
    return points


def test_line_stands_where_its_numbers_say() -> None:
    """From edge to edge of the plot, 58 to 578 across and 34 to 196 down, with a twentieth of the values to spare."""
    svg = _draw(_series([0.0, 10.0]))
    # 162 pixels for -0.5 to 10.5: the 0 stands 7.4 above the bottom, the 10 as far below the top, to half a pixel
    assert _corners(svg) == [(58.0, 188.5), (578.0, 41.5)]


def test_axes_have_dates_and_numbers() -> None:
    """A year has a tick every second month; numbers stand at round values with the decimals they need."""
    svg = _draw(_series([15.0 + 0.01 * day for day in range(366)]), title="vix close & more")
    title, *ticks, last = _texts(svg)
    assert (title, last) == ("vix close & more index points", "18.65")
    numbers, dates = ticks[:4], ticks[4:]
    assert numbers == ["15", "16", "17", "18"]
    assert dates == ["2024-01", "2024-03", "2024-05", "2024-07", "2024-09", "2024-11"]


@pytest.mark.parametrize(
    ("days", "dates"),
    [
        (5, ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"]),
        (30, ["2024-01-01", "2024-01-08", "2024-01-15", "2024-01-22", "2024-01-29"]),
        (13_000, ["2025", "2030", "2035", "2040", "2045", "2050", "2055"]),
    ],
)
def test_dates_are_as_fine_as_there_is_room(days: int, dates: list[str]) -> None:
    """Days, Mondays, months or years, so that no two of them touch."""
    texts = _texts(_draw(_series([float(day % 2) for day in range(days)])))
    assert [text for text in texts if re.match(r"\d{4}(-|$)", text)] == dates


@pytest.mark.parametrize(
    ("values", "numbers", "last"),
    [
        ([0.0125, 0.0175], ["0.013", "0.014", "0.015", "0.016", "0.017"], "0.01750"),
        ([4700.0, 5300.0], ["4,800", "5,000", "5,200"], "5,300"),
        ([2e9, 4e9], ["2e+09", "2.5e+09", "3e+09", "3.5e+09", "4e+09"], "4e+09"),
        ([-3.0, 0.0], ["-3", "-2", "-1", "0"], "0"),
    ],
)
def test_numbers_are_short(values: list[float], numbers: list[str], last: str) -> None:
    """Small, large and negative values are written so that they fit beside the plot."""
    texts = _texts(_draw(_series(values)))
    assert [text for text in texts[1:] if not text.startswith("2024")] == [*numbers, last]


def test_line_breaks_where_rows_are_missing() -> None:
    """Three weeks without a row are no line; a weekend with a holiday is one."""
    days = pd.bdate_range("2006-01-02", "2006-06-30")
    holiday = pd.Timestamp("2006-05-29")
    whole = pd.Series(50.0, days.drop(holiday))
    assert _line(_draw(whole)).count("M") == 1
    gap = (whole.index > "2006-02-27") & (whole.index < "2006-03-20")
    assert _line(_draw(whole[~gap])).count("M") == 2


def test_row_between_two_gaps_is_a_dot() -> None:
    """A stroke without length is drawn, with round ends."""
    days = pd.bdate_range("2024-01-01", "2024-06-28")
    alone = pd.Series(1.0, days)[(days < "2024-02-01") | (days == "2024-04-01") | (days > "2024-06-01")]
    assert re.search(r"M\d+ \d+l0 0M", _line(_draw(alone)))


def test_monthly_series_is_one_line() -> None:
    """What is missing is told by the series' own step."""
    assert _line(_draw(pd.Series(1.0, pd.date_range("2010-01-01", periods=60, freq="MS")))).count("M") == 1


def test_window_is_marked() -> None:
    """A band from its first to its last day, at least three pixels wide, and its dates in the corner."""
    series = _series([1.0, 2.0, 3.0, 4.0, 5.0])
    week = _draw(series, Window.parse("2024-01-02", "2024-01-03"))
    band = list(week.iter(f"{_SVG}rect"))[1]
    assert (band.get("x"), band.get("width")) == ("188.0", "130.0")  # a day is 130 pixels wide
    assert _texts(week)[1].endswith("2024-01-02 to 2024-01-03")
    day = _draw(series, _DAY)
    band = list(day.iter(f"{_SVG}rect"))[1]
    assert (band.get("x"), band.get("width")) == ("316.5", "3.0")
    assert _texts(day)[1].endswith(" 2024-01-03")


def test_window_beyond_the_rows_is_marked_at_the_edge() -> None:
    """The rows decide what is shown: a weekend after the last of them is a mark at the right edge."""
    svg = _draw(_series([1.0, 2.0, 3.0]), Window.parse("2024-01-06", "2024-01-07"))
    band = list(svg.iter(f"{_SVG}rect"))[1]
    assert (band.get("x"), band.get("width")) == ("576.5", "3.0")


def test_series_without_values_says_so() -> None:
    """An empty series is a picture too."""
    texts = _texts(_draw(_series([]), _DAY))
    assert texts[-1] == "no values"
    assert texts[-1] == _texts(_draw(_series([float("nan")])))[-1]


def test_one_value_and_a_constant_one_are_drawn() -> None:
    """One row stands in the middle; a line without any height has numbers above and below it."""
    assert _corners(_draw(_series([18.7])))[0] == (318.0, 115.0)
    constant = _draw(_series([42.0] * 30))
    assert {y for _, y in _corners(constant)} == {115.0}
    assert _texts(constant)[1:4] == ["41.5", "42.0", "42.5"]


def test_what_is_no_number_is_no_row() -> None:
    """NaN and infinities leave the picture as if they were not there."""
    holes = _series([1.0, float("nan"), 3.0, float("inf"), 5.0])
    there = holes[[True, False, True, False, True]]
    assert line_chart(holes, window=None, title="a", unit="b") == line_chart(there, window=None, title="a", unit="b")


def test_extremes_are_kept_where_rows_stand_closer_than_pixels() -> None:
    """The highest day of 35 years is there, at its place; and so is the lowest."""
    values = np.random.default_rng(1).normal(size=13_000)
    values[[4321, 8765]] = [50.0, -50.0]
    corners = _corners(_draw(_series(values.tolist())))
    assert len(corners) <= 2 * 261 + 2  # the plot is 520 pixels wide
    top, bottom = min(corners, key=lambda point: point[1]), max(corners, key=lambda point: point[1])
    assert top == (pytest.approx(58 + 520 * 4321 / 12_999, abs=0.3), 41.5)
    assert bottom == (pytest.approx(58 + 520 * 8765 / 12_999, abs=0.3), 188.5)


@pytest.mark.parametrize("every", [1, 60], ids=["every day", "four days of sixty"])
def test_picture_is_small_whatever_it_shows(every: int) -> None:
    """As a data URI it takes less than 8 kB, with noise as with a gap after every few days."""
    noise = _series(np.random.default_rng(1).normal(size=13_000).tolist(), "1990-01-01")
    series = noise[np.arange(13_000) % every < 4]
    svg = line_chart(series, window=Window.parse("1990-01-01", "2025-01-01"), title="t" * 60, unit="index points")
    assert len(data_uri(svg)) < 8_000


def test_long_title_is_cut() -> None:
    """A title never runs into the dates of the window."""
    (title, *_) = _texts(_draw(_series([1.0]), title="t" * 100))
    assert title == "t" * 59 + "… index points"


def test_data_uri_holds_the_picture() -> None:
    """What comes out of the address is the document."""
    kind, _, content = data_uri("<svg>é</svg>").partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(content).decode() == "<svg>é</svg>"
