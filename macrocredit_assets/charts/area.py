"""Where things stand: dates and values as positions in a rectangle, and a line through them as path data.

What belongs here: geometry that every picture shares.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from macrocredit_assets.windows import Window

__all__ = ["Area", "Days", "Floats", "Pixels", "data_uri", "known", "path_data"]

Floats: TypeAlias = npt.NDArray[np.float64]
Pixels: TypeAlias = npt.NDArray[np.int64]
Days: TypeAlias = npt.NDArray[np.datetime64]

_NARROWEST = 3.0  # a day of a year is thinner than a hair
_WEEK = 7  # days


@dataclass(frozen=True)
class Area:
    """A rectangle of a picture: its edges in pixels, and which days and values they stand for."""

    left: float
    right: float
    top: float
    bottom: float
    first: np.datetime64
    last: np.datetime64
    low: float
    high: float

    @classmethod
    def around(cls, days: Days, values: Floats, left: float, right: float, top: float, bottom: float) -> Area:
        """Return the area of some rows, with a twentieth of the values to spare above and below."""
        low, high = float(values.min()), float(values.max())
        room = 0.05 * (high - low)
        if room <= 1e-9 * max(abs(low), abs(high)):  # constant, or but for rounding errors
            room = 0.02 * max(abs(low), abs(high)) or 1.0
        return cls(left, right, top, bottom, days[0], days[-1], low - room, high + room)

    @property
    def span(self) -> int:
        """Days from edge to edge; never 0."""
        return max(int((self.last - self.first).astype(int)), 1)

    def x(self, days: Days) -> Floats:
        """Return where dates stand across."""
        since = (days - self.first).astype("timedelta64[D]").astype(np.float64)
        if self.first == self.last:  # one row stands in the middle
            since = since + 0.5
        position: Floats = self.left + (self.right - self.left) * since / self.span
        return position

    def y(self, values: Floats) -> Floats:
        """Return where values stand down from the top."""
        position: Floats = self.bottom - (self.bottom - self.top) * (values - self.low) / (self.high - self.low)
        return position

    def band(self, window: Window) -> tuple[float, float]:
        """Return from where to where the days of a window stand, as far as the rows reach; never too thin to see."""
        days = np.array([window.start, window.end], "datetime64[D]")
        start, end = self.x(np.clip(days, self.first, self.last)).tolist()
        if end - start >= _NARROWEST:
            return start, end
        return (start + end - _NARROWEST) / 2, (start + end + _NARROWEST) / 2


def known(series: pd.Series) -> tuple[Days, Floats]:
    """Return the dates and values of a series that are finite numbers."""
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    there = np.isfinite(values)
    return pd.DatetimeIndex(series.index).to_numpy().astype("datetime64[D]")[there], values[there]


def path_data(area: Area, days: Days, values: Floats, *, per_pixel: int, column: int) -> str:
    """Return a line through rows as the ``d`` of a path.

    The line breaks over more than a week without a row, or three times the usual step if that is longer, unless the gap
    is thinner than two columns.

    Parameters
    ----------
    area, days, values
        Where the rows stand; at least one.
    per_pixel
        Positions are whole numbers of this part of a pixel.
    column
        Of so many positions across, the lowest and the highest row are kept.
    """
    x = np.rint(area.x(days) * per_pixel).astype(np.int64)
    y = np.rint(area.y(values) * per_pixel).astype(np.int64)
    steps = np.diff(days).astype(np.int64)
    usual = max(_WEEK, 3 * np.median(steps)) if len(steps) else _WEEK
    breaks = np.flatnonzero((steps > usual) & (np.diff(x) >= 2 * column)) + 1
    parts = zip(np.split(x, breaks), np.split(y, breaks), strict=True)
    return "".join(_stroke(*_thinned(across, down, column)) for across, down in parts)


def data_uri(svg: str) -> str:
    """Return an SVG document as an address that pages and Markdown take for an image."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _stroke(x: Pixels, y: Pixels) -> str:
    # a stroke of no length and with round ends is a dot: how a row between two gaps is seen
    moves = zip(np.diff(x).tolist(), np.diff(y).tolist(), strict=True)
    # a minus separates two numbers as well as a space does
    line = " ".join(f"{across}{down}" if down < 0 else f"{across} {down}" for across, down in moves)
    return f"M{x[0]} {y[0]}l{line or '0 0'}"


def _thinned(x: Pixels, y: Pixels, column: int) -> tuple[Pixels, Pixels]:
    """Keep both ends of a stroke and, of every column, its lowest and its highest point in their order."""
    columns = x // column
    starts = np.flatnonzero(np.diff(columns, prepend=columns[0] - 1))
    if len(x) <= 2 * len(starts):
        return x, y
    order = np.lexsort((y, columns))
    lowest, highest = order[starts], order[np.append(starts[1:], len(x)) - 1]
    kept = np.unique(np.concatenate([lowest, highest, [0, len(x) - 1]]))
    return x[kept], y[kept]
