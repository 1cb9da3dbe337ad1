"""A chart: a line over time with title, unit, axes and the last value."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

import pandas as pd

from macrocredit_assets.charts.area import Area, Days, Floats, known, path_data
from macrocredit_assets.charts.ticks import date_ticks, number_ticks, short
from macrocredit_assets.windows import Window

__all__ = ["line_chart"]

_INK, _FAINT, _RULE, _LINE, _MARK = "#1f2933", "#5f6b7a", "#e4e7eb", "#3b6fb6", "#d9730d"

# around the plot, in pixels: title above, numbers on the left, dates below, the last value on the right
_TOP, _LEFT, _BOTTOM, _RIGHT = 34, 58, 24, 62

# positions are whole numbers of half pixels, and extremes are kept for every two pixels: below 6 kB whatever the series
_PER_PIXEL = 2
_COLUMN = 2 * _PER_PIXEL

_LONGEST = 60  # characters of a title: more would run into the dates of the window


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
        What the numbers are; any text, a long title is cut.
    width, height
        In pixels.

    Returns
    -------
    str
        An SVG document of less than 6 kB at the default size.
    """
    days, values = known(series)
    name = title if len(title) <= _LONGEST else f"{title[: _LONGEST - 1]}…"
    size = f'width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {height}" ',
        f'font-family="sans-serif" font-size="11" fill="{_FAINT}">',
        f'<rect {size} rx="4" fill="#fff"/>',  # the page behind may be dark
        f'<text x="12" y="20" fill="{_INK}" font-size="13" font-weight="bold">{escape(name)}',
        f'<tspan fill="{_FAINT}" font-size="11" font-weight="normal"> {escape(unit)}</tspan></text>',
    ]
    if window:
        parts.append(
            f'<text x="{width - 12}" y="20" text-anchor="end"><tspan fill="{_MARK}">■</tspan> {_dates(window)}</text>'
        )
    if len(days):
        area = Area.around(days, values, _LEFT, width - _RIGHT, _TOP, height - _BOTTOM)
        parts += [*_axes(area), *_line(area, days, values, window), *_last(area, days, values)]
    else:
        parts.append(f'<text x="{width // 2}" y="{height // 2}" text-anchor="middle" font-size="13">no values</text>')
    return "".join([*parts, "</svg>"])


def _axes(area: Area) -> Iterator[str]:
    values, numbers = number_ticks(area)
    for y, number in zip(area.y(values).tolist(), numbers, strict=True):
        yield f'<path stroke="{_RULE}" d="M{area.left:g} {y:.1f}H{area.right:g}"/>'
        yield f'<text x="{area.left - 8:g}" y="{y:.1f}" dy="4" text-anchor="end">{number}</text>'
    days, dates = date_ticks(area)
    yield f'<path stroke="{_FAINT}" d="M{area.left:g} {area.bottom:g}H{area.right:g}"/>'
    for x, day in zip(area.x(days).tolist(), dates, strict=True):
        yield f'<path stroke="{_FAINT}" d="M{x:.1f} {area.bottom:g}v4"/>'
        yield f'<text x="{x:.1f}" y="{area.bottom + 16:g}" text-anchor="middle">{day}</text>'


def _line(area: Area, days: Days, values: Floats, window: Window | None) -> Iterator[str]:
    """Yield the line, and over the days of the window a band and the same line in another colour."""
    again = ""
    if window:
        start, end = area.band(window)
        yield f'<rect x="{start:.1f}" y="{area.top:g}" width="{end - start:.1f}" height="{area.bottom - area.top:g}" '
        yield f'fill="{_MARK}" opacity=".13"/><clipPath id="w"><rect x="{start * _PER_PIXEL:.0f}" '
        yield f'width="{(end - start) * _PER_PIXEL:.0f}" height="{area.bottom * _PER_PIXEL:g}"/></clipPath>'
        again = f'<use href="#l" stroke="{_MARK}" clip-path="url(#w)"/>'
    line = path_data(area, days, values, per_pixel=_PER_PIXEL, column=_COLUMN)
    yield f'<g fill="none" transform="scale({1 / _PER_PIXEL:g})" stroke="{_LINE}" stroke-width="{1.5 * _PER_PIXEL:g}" '
    yield f'stroke-linejoin="round" stroke-linecap="round"><path id="l" d="{line}"/>{again}</g>'


def _last(area: Area, days: Days, values: Floats) -> Iterator[str]:
    x, y = float(area.x(days[-1:])[0]), float(area.y(values[-1:])[0])
    yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{_INK}"/>'
    yield f'<text x="{x + 7:.1f}" y="{y:.1f}" dy="4" fill="{_INK}" font-weight="bold">{short(float(values[-1]))}</text>'


def _dates(window: Window) -> str:
    return f"{window.start}" if window.start == window.end else f"{window.start} to {window.end}"
