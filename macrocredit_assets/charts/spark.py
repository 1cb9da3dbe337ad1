"""A line without anything around it, small enough to stand in a table."""

from __future__ import annotations

import pandas as pd

from macrocredit_assets.charts.area import Area, known, path_data
from macrocredit_assets.windows import Window

__all__ = ["sparkline"]

_LINE, _MARK = "#3b6fb6", "#d9730d"
_BYTES = 660
_EDGE = 2  # room for half of the stroke


def sparkline(series: pd.Series, *, window: Window | None, width: int = 240, height: int = 40) -> str:
    """Draw a series as a bare line, with the days of a window marked.

    The lowest and the highest value of every few pixels are kept, as many as the bytes allow; the same arguments give
    the same text.

    Parameters
    ----------
    series, window
        What to draw, and what to mark, as :func:`~macrocredit_assets.charts.line.line_chart` has them.
    width, height
        In pixels.

    Returns
    -------
    str
        An SVG document of at most 660 bytes: as a data URI it takes less than 1 kB, and no page hides it.
    """
    days, values = known(series)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" fill="none">'
    if not len(days):
        return head + "</svg>"
    area = Area.around(days, values, _EDGE, width - _EDGE, _EDGE, height - _EDGE)
    if window:
        start, end = area.band(window)
        head += f'<path d="M{start:.0f} 0H{end:.0f}V{height}H{start:.0f}" fill="{_MARK}" opacity=".3"/>'
    for column in range(2, width):
        line = path_data(area, days, values, per_pixel=1, column=column)
        svg = f'{head}<path d="{line}" stroke="{_LINE}" stroke-linecap="round"/></svg>'
        if len(svg) <= _BYTES:
            break
    return svg
