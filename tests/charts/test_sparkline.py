"""A sparkline: a line that is small enough to be shown at once."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from macrocredit_assets.charts import data_uri, sparkline
from macrocredit_assets.windows import Window

_SVG = "{http://www.w3.org/2000/svg}"
_WINDOW = Window.parse("2024-01-03", "2024-01-04")


def _paths(series: pd.Series, window: Window | None = None) -> list[str]:
    svg = ET.fromstring(sparkline(series, window=window))  # noqa: S314 - our own text
    return [path.attrib["d"] for path in svg.iter(f"{_SVG}path")]


def _series(values: list[float], start: str = "2024-01-01") -> pd.Series:
    return pd.Series(values, pd.date_range(start, periods=len(values)), dtype=float)


def test_line_fills_the_picture() -> None:
    """240 by 40 pixels but for the edge, with a twentieth of the values to spare."""
    # 36 pixels for -0.5 to 10.5: the 0 stands 1.6 above the bottom edge, the 10 as far below the top one
    assert _paths(_series([0.0, 10.0])) == ["M2 36l236-32"]


def test_window_is_a_band_behind_the_line() -> None:
    """The third and the fourth of five days."""
    band, line = _paths(_series([1.0, 2.0, 3.0, 2.0, 1.0]), _WINDOW)
    assert band == "M120 0H179V40H120"
    assert line.startswith("M2 ")


def test_series_without_values_is_an_empty_picture() -> None:
    """Nothing is drawn, and nothing fails."""
    assert _paths(_series([]), _WINDOW) == []


@pytest.mark.parametrize("every", [1, 60], ids=["every day", "four days of sixty"])
def test_no_page_hides_it(every: int) -> None:
    """Dagster shows at once what is shorter than 1,000 characters; the highest value stays all the same."""
    noise = np.random.default_rng(1).normal(size=13_000)
    noise[4321] = 50.0
    series = _series(noise.tolist(), "1990-01-01")[np.arange(13_000) % every < 4]
    svg = sparkline(series, window=Window.parse("1990-01-01", "2025-01-01"))
    assert len(data_uri(svg)) < 950
    line = re.findall(r'd="(M[^"]*l[^"]*)"', svg)[0]
    highest = min(_heights(line))
    assert highest == 4


def _heights(line: str) -> list[int]:
    heights = []
    for stroke in line.split("M")[1:]:
        start, moves = stroke.split("l")
        heights += np.cumsum([int(start.split()[1]), *map(int, re.findall(r"-?\d+", moves)[1::2])]).tolist()
    return heights
