"""Charts as SVG text: one line over time, made by hand, a few kilobytes each.

What belongs here: pure drawing, from a series to text. What is drawn and where the picture goes is decided by whoever
calls. A plotting library would write ten times the bytes, and cost a second of import in every process of a run.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TypeAlias
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt
import pandas as pd

from macrocredit_assets.windows import Window

__all__ = ["data_uri", "line_chart"]

_Floats: TypeAlias = npt.NDArray[np.float64]
_Pixels: TypeAlias = npt.NDArray[np.int64]
_Days: TypeAlias = npt.NDArray[np.datetime64]

_INK, _FAINT, _RULE, _LINE, _MARK = "#1f2933", "#5f6b7a", "#e4e7eb", "#3b6fb6", "#d9730d"

# around the plot, in pixels: title above, numbers on the left, dates below, the last value on the right
_TOP, _LEFT, _BOTTOM, _RIGHT = 34, 58, 24, 62

_NUMBERS, _DATES = 5, 8  # ticks at most
_NARROWEST = 3.0  # a day of a year is thinner than a hair

# positions are whole numbers of half pixels, and extremes are kept for every two pixels: below 6 kB whatever the series
_PER_PIXEL = 2
_COLUMN = 2 * _PER_PIXEL

# days between ticks, about; in which unit they are counted; every how many of them; and from which one on
_STEPS = (
    (1, "D", 1, 0),
    (2, "D", 2, 0),
    (7, "D", 7, 4),  # Mondays: 1970-01-05 was one
    (14, "D", 14, 4),
    (30.4, "M", 1, 0),
    (60.9, "M", 2, 0),
    (91.3, "M", 3, 0),
    (182.6, "M", 6, 0),
    *((365.25 * years, "Y", years, -1970 % years) for years in (1, 2, 5, 10, 20, 50, 100)),
)

_WEEK = 7  # days

# numbers beyond these are written with a power of ten
_MANY, _LITTLE = 1e6, 1e-4


def line_chart(
    series: pd.Series, *, window: Window | None, title: str, unit: str, width: int = 640, height: int = 220
) -> str:
    """Draw a series as a line, with the days of a window marked.

    The same arguments give the same text. The line breaks where rows are missing: over more than a week, or three times
    the series' own step if that is longer, as far as the eye can see it. Where rows stand closer than pixels, the
    lowest and the highest value of every two pixels are kept.

    Parameters
    ----------
    series
        Index of dates, sorted; NaN and infinities count as absent. May be empty.
    window
        The days to mark, as far as the rows reach; None marks nothing.
    title, unit
        What the numbers are; any text.
    width, height
        In pixels.

    Returns
    -------
    str
        An SVG document of less than 6 kB at the default size.
    """
    known = series[np.isfinite(series.to_numpy(dtype=np.float64, na_value=np.nan))]
    days = pd.DatetimeIndex(known.index).to_numpy().astype("datetime64[D]")
    values = known.to_numpy(dtype=np.float64)
    drawn = "".join(
        _plot(_Area.of(days, values, width, height), days, values, window) if len(days) else _nothing(width)
    )
    legend = "" if window is None else f'<tspan fill="{_MARK}"> ■</tspan> {_span(window)}'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="11" fill="{_FAINT}">'
        f'<rect width="{width}" height="{height}" rx="4" fill="#fff"/>'
        f'<text x="12" y="20" fill="{_INK}" font-size="13" font-weight="bold">{escape(title)}'
        f'<tspan fill="{_FAINT}" font-size="11" font-weight="normal"> {escape(unit)}</tspan></text>'
        f'<text x="{width - 12}" y="20" text-anchor="end">{legend}</text>{drawn}</svg>'
    )


def data_uri(svg: str) -> str:
    """Return an SVG document as an address that pages and Markdown take for an image."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


@dataclass(frozen=True)
class _Area:
    """The plot: where it lies, in pixels, and which days and values its edges stand for."""

    left: float
    right: float
    top: float
    bottom: float
    first: np.datetime64
    last: np.datetime64
    low: float
    high: float

    @classmethod
    def of(cls, days: _Days, values: _Floats, width: int, height: int) -> _Area:
        low, high = float(values.min()), float(values.max())
        room = 0.05 * (high - low)
        if room <= 1e-9 * max(abs(low), abs(high)):  # constant, or but for rounding errors
            room = 0.02 * max(abs(low), abs(high)) or 1.0
        return cls(_LEFT, width - _RIGHT, _TOP, height - _BOTTOM, days[0], days[-1], low - room, high + room)

    @property
    def span(self) -> int:
        """Days from edge to edge; never 0."""
        return max(int((self.last - self.first).astype(int)), 1)

    def x(self, days: _Days) -> _Floats:
        since = (days - self.first).astype("timedelta64[D]").astype(np.float64)
        if self.first == self.last:  # one row stands in the middle
            since = since + 0.5
        position: _Floats = self.left + (self.right - self.left) * since / self.span
        return position

    def y(self, values: _Floats) -> _Floats:
        position: _Floats = self.bottom - (self.bottom - self.top) * (values - self.low) / (self.high - self.low)
        return position


def _nothing(width: int) -> Iterator[str]:
    yield f'<text x="{width / 2:g}" y="{_TOP + 60}" text-anchor="middle" font-size="13">no values</text>'


def _plot(area: _Area, days: _Days, values: _Floats, window: Window | None) -> Iterator[str]:
    yield from _marked(area, window)
    yield from _numbers(area)
    yield from _dates(area)
    yield (
        f'<g fill="none" transform="scale({1 / _PER_PIXEL:g})" stroke="{_LINE}" stroke-width="{1.5 * _PER_PIXEL:g}" '
        f'stroke-linejoin="round" stroke-linecap="round"><path id="l" d="{_path(area, days, values)}"/>'
        + (f'<use href="#l" stroke="{_MARK}" clip-path="url(#w)"/></g>' if window else "</g>")
    )
    x, y = float(area.x(days[-1:])[0]), float(area.y(values[-1:])[0])
    yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{_INK}"/>'
    yield (
        f'<text x="{x + 7:.1f}" y="{y:.1f}" dy="4" fill="{_INK}" font-weight="bold">'
        f"{_four_digits(float(values[-1]))}</text>"
    )


def _marked(area: _Area, window: Window | None) -> Iterator[str]:
    """Yield a band over the days of the window, and the clip that gives their line another colour."""
    if window is None:
        return
    edges = area.x(np.clip(np.array([window.start, window.end], "datetime64[D]"), area.first, area.last))
    start, end = edges.tolist()
    if end - start < _NARROWEST:
        start, end = (start + end - _NARROWEST) / 2, (start + end + _NARROWEST) / 2
    yield f'<rect x="{start:.1f}" y="{area.top:g}" width="{end - start:.1f}" height="{area.bottom - area.top:g}" '
    yield f'fill="{_MARK}" opacity=".13"/><clipPath id="w"><rect x="{start * _PER_PIXEL:.0f}" '
    yield f'width="{(end - start) * _PER_PIXEL:.0f}" height="{area.bottom * _PER_PIXEL:g}"/></clipPath>'


def _numbers(area: _Area) -> Iterator[str]:
    step = _number_step(area.high - area.low)
    values = np.arange(ceil(area.low / step), floor(area.high / step) + 1, dtype=np.float64) * np.float64(step)
    for value, y in zip(values.tolist(), area.y(values).tolist(), strict=True):
        yield f'<path stroke="{_RULE}" d="M{area.left:g} {y:.1f}H{area.right:g}"/>'
        yield f'<text x="{area.left - 8:g}" y="{y:.1f}" dy="4" text-anchor="end">{_number(value, step)}</text>'


def _dates(area: _Area) -> Iterator[str]:
    """Yield the axis of dates, which read ``2024-01-31``, ``2024-01`` or ``2024``."""
    unit, every, origin = next((step[1:] for step in _STEPS if area.span / step[0] <= _DATES), _STEPS[-1][1:])
    first, last = np.array([area.first, area.last]).astype(f"datetime64[{unit}]").astype(np.int64).tolist()
    counted = np.arange(first, last + 1)
    ticks = counted[(counted - origin) % every == 0].astype(f"datetime64[{unit}]")
    ticks = ticks[ticks.astype("datetime64[D]") >= area.first]
    yield f'<path stroke="{_FAINT}" d="M{area.left:g} {area.bottom:g}H{area.right:g}"/>'
    for label, x in zip(np.datetime_as_string(ticks).tolist(), area.x(ticks).tolist(), strict=True):
        yield f'<path stroke="{_FAINT}" d="M{x:.1f} {area.bottom:g}v4"/>'
        yield f'<text x="{x:.1f}" y="{area.bottom + 16:g}" text-anchor="middle">{label}</text>'


def _path(area: _Area, days: _Days, values: _Floats) -> str:
    """Return the line as path data, with a new start after every missing stretch."""
    x = np.rint(area.x(days) * _PER_PIXEL).astype(np.int64)
    y = np.rint(area.y(values) * _PER_PIXEL).astype(np.int64)
    steps = np.diff(days).astype(np.int64)
    usual = max(_WEEK, 3 * np.median(steps)) if len(steps) else _WEEK
    breaks = np.flatnonzero((steps > usual) & (np.diff(x) >= 2 * _COLUMN)) + 1
    parts = zip(np.split(x, breaks), np.split(y, breaks), strict=True)
    return "".join(_stroke(*_thinned(across, up)) for across, up in parts)


def _stroke(x: _Pixels, y: _Pixels) -> str:
    # a stroke of no length and with round ends is a dot: how a row between two gaps is seen
    moves = zip(np.diff(x).tolist(), np.diff(y).tolist(), strict=True)
    # a minus separates two numbers as well as a space does
    line = " ".join(f"{across}{up}" if up < 0 else f"{across} {up}" for across, up in moves)
    return f"M{x[0]} {y[0]}l{line or '0 0'}"


def _thinned(x: _Pixels, y: _Pixels) -> tuple[_Pixels, _Pixels]:
    """Keep both ends of a stroke and, of every column of pixels, its lowest and its highest point in their order."""
    column = x // _COLUMN
    starts = np.flatnonzero(np.diff(column, prepend=column[0] - 1))
    if len(x) <= 2 * len(starts):
        return x, y
    order = np.lexsort((y, column))
    lowest, highest = order[starts], order[np.append(starts[1:], len(x)) - 1]
    kept = np.unique(np.concatenate([lowest, highest, [0, len(x) - 1]]))
    return x[kept], y[kept]


def _number_step(span: float) -> float:
    """Return 1, 2, 2.5 or 5 times a power of ten, such that it fits into a span so often as there may be ticks."""
    power = 10.0 ** floor(log10(span / _NUMBERS))
    return next(step for factor in (1, 2, 2.5, 5, 10) if span / (step := factor * power) <= _NUMBERS)


def _number(value: float, step: float) -> str:
    if abs(value) >= _MANY or step < _LITTLE:
        return f"{value:g}"
    decimals = next(count for count in range(7) if step * 10**count % 1 < _LITTLE or step * 10**count % 1 > 1 - _LITTLE)
    return f"{value:,.{decimals}f}"


def _four_digits(value: float) -> str:
    if not value or not _LITTLE <= abs(value) < _MANY:
        return f"{value:.4g}"
    return f"{value:,.{max(3 - floor(log10(abs(value))), 0)}f}"


def _span(window: Window) -> str:
    return f"{window.start}" if window.start == window.end else f"{window.start} to {window.end}"
