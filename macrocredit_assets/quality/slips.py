"""Which rows of a column stand on another level than the rows beside them: about a hundred times too high or too low.

What belongs here: levels, and what counts as beside. What is said of such rows is the business of ``values.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from macrocredit_assets.catalog.models import Bounds
from macrocredit_assets.windows import Coverage

__all__ = ["NEIGHBOURHOOD", "Slip", "find_slip"]

#: Rows are compared with rows at most this far away: a fund's dividends come once a quarter, and since 1990 no level
#: has moved by a factor above 12 in that time.
NEIGHBOURHOOD = timedelta(days=100)

# A factor of 100, with room for what the market did from one row to the next: volatility has more than doubled in a
# day, and an opening print that is itself wrong was a fifth of the one before.
_LOW, _HIGH = 40.0, 700.0
# Less than that by any rounding of a ratio or of its reverse.
_NEAR = 39.0
# A column that crosses zero has ratios of any size: there, a slip is also so many times larger than its usual step ...
_STEPS = 20
# ... which so few rows do not tell.
_FEWEST_STEPS = 5

_Floats = npt.NDArray[np.float64]
_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Slip:
    """Rows that are off.

    Parameters
    ----------
    rows
        Their values, by date.
    beside
        What the first of them was compared with, and its date; None where that was the column's usual range.
    """

    rows: pd.Series[float]
    beside: tuple[pd.Timestamp, float] | None


def find_slip(
    came: pd.Series[float],
    stored: pd.Series[float],
    usual: Bounds | None,
    *,
    by_row: bool = True,
    accepted: Coverage = Coverage(),  # noqa: B008 - it is frozen
    among: pd.Index | None = None,
) -> Slip | None:
    """Return the rows of a column that are about a hundred times off, or None.

    A row is off where it comes about a hundred times higher or lower than it is stored; where such a step, or several,
    lead to it from a stored row that is not; and, of rows that no stored one is beside, where such a step parts them
    from the others, or all of them lie outside the usual range and a hundredth or hundredfold of them inside. So what
    cannot be seen is a level that is plausible by itself, with nothing to compare it with. Zeros have no level.

    Rows that are stored are judged as if they came together, with nothing stored beside them. An accepted one among
    them is right, whatever lies before and after it, and rows that follow it on its level are, too.

    Parameters
    ----------
    came
        Values by date; of a date that stands twice, the last one counts.
    stored
        What is stored in and around these dates, sorted and unique.
    usual
        The column's usual range.
    by_row
        Compare each row with the one before it; without it, only rows with what is stored, and all with the range.
    accepted
        Dates on which what came is right.
    among
        Dates of rows that may be told; None means all that came.
    """
    if _is_one_level(came, stored, usual, by_row=by_row):
        return None
    came, held = came[~came.index.duplicated(keep="last")].dropna().sort_index(), stored.dropna()
    came, held = came[came != 0], held[held != 0]
    if came.empty:
        return None
    seen = came.combine_first(held)
    off = _off(seen, held, usual, accepted, by_row=by_row)
    told = off & seen.index.isin(came.index) & (True if among is None else seen.index.isin(among))
    if not told.any():
        return None
    return Slip(seen[told], _beside(seen.index[told][0], held, seen[~off]))


def _is_one_level(came: pd.Series[float], stored: pd.Series[float], usual: Bounds | None, *, by_row: bool) -> bool:
    """Tell at a glance that no row can be off: no two are far apart, and all are in the usual range.

    So it is nearly always. False says nothing.
    """
    values = np.concatenate([each.to_numpy(dtype=np.float64, na_value=np.nan) for each in (came, stored)])
    values = values[~np.isnan(values) & (values != 0)]
    if not len(values):
        return True
    sizes = np.abs(values)
    is_near = bool(sizes.max() < _NEAR * sizes.min()) or not (by_row or len(stored))
    return is_near and (usual is None or bool(usual.low <= values.min() and values.max() <= usual.high))


def _off(
    seen: pd.Series[float], held: pd.Series[float], usual: Bounds | None, accepted: Coverage, *, by_row: bool
) -> _Mask:
    index = pd.DatetimeIndex(seen.index).as_unit("us")
    values: _Floats = np.asarray(seen, dtype=np.float64)
    # the level that a stored row has by what is stored of it: 0 is the stored one, 1 is a hundred times higher
    known = _hundreds(values / held.reindex(index).to_numpy(dtype=np.float64))
    steps = _hundreds(values[1:] / values[:-1])
    steps[~_is_telling(values, usual) if by_row else slice(None)] = 0
    # between two stored rows, a step that is stored already is none
    steps = np.where(np.isnan(known[1:] - known[:-1]), steps, known[1:] - known[:-1])
    level = np.concatenate([[0.0], np.cumsum(np.nan_to_num(steps))])
    right = np.array([day in accepted for day in index.date], dtype=bool) if accepted else np.zeros(len(index), bool)
    # a step from or to an accepted row is none: it says nothing of the rows on its other side
    apart = (np.diff(index) > NEIGHBOURHOOD) | ((np.nan_to_num(steps) != 0) & (right[1:] | right[:-1]))
    part = np.concatenate([[0], np.cumsum(apart)])
    anchors = pd.Series(known - level).groupby(part)
    off = np.zeros(len(values), dtype=bool)
    for anchor in (anchors.ffill().to_numpy(), anchors.bfill().to_numpy()):
        off |= ~np.isnan(anchor) & (level + anchor != 0)
    for rows in _without(anchors.transform("count").to_numpy(), part):
        off[rows] = _apart(level[rows], values[rows], usual, set(level[rows & right].tolist()))
    return off


def _hundreds(ratios: _Floats) -> _Floats:
    """Return 1 where a ratio is about 100, -1 where it is about a hundredth, 0 elsewhere; NaN stays."""
    with np.errstate(divide="ignore", invalid="ignore"):
        larger = np.maximum(ratios, 1 / ratios)
    far = (larger >= _LOW) & (larger <= _HIGH)
    return np.where(np.isnan(ratios), np.nan, np.where(far, np.where(ratios > 1, 1.0, -1.0), 0.0))


def _is_telling(values: _Floats, usual: Bounds | None) -> _Mask:
    """Return for each step whether its ratio can be a slip's."""
    sizes = np.maximum(np.abs(values[1:]), np.abs(values[:-1]))
    if (values > 0).all() and (usual is None or usual.low >= 0):
        return np.ones(len(sizes), dtype=bool)
    if len(sizes) < _FEWEST_STEPS:
        return np.zeros(len(sizes), dtype=bool)
    telling: _Mask = sizes >= _STEPS * np.median(np.abs(np.diff(values)))
    return telling


def _without(anchors: npt.NDArray[np.int64], part: npt.NDArray[np.int64]) -> Iterator[_Mask]:
    """Yield the rows of each part that has no stored row."""
    for number in np.unique(part[anchors == 0]):
        yield part == number


def _apart(level: _Floats, values: _Floats, usual: Bounds | None, accepted: set[float]) -> _Mask:
    """Return which rows are off among such that only have each other and the usual range.

    The right level is an accepted one; else the one inside the range; if all are, or none is, the one of most rows.
    """
    if accepted:
        return ~np.isin(level, [*accepted])
    medians = {one: float(np.median(values[level == one])) for one in dict.fromkeys(level.tolist())}
    right = max(medians, key=lambda one: (_is_usual(medians[one], usual), (level == one).sum()))
    if usual and not _is_usual(medians[right], usual):
        moved = (medians[right] * 100, medians[right] / 100)
        if any(_is_usual(each, usual) for each in moved):
            return np.ones(len(level), dtype=bool)
    off: _Mask = level != right
    return off


def _is_usual(value: float, usual: Bounds | None) -> bool:
    return usual is not None and usual.low <= value <= usual.high


def _beside(day: pd.Timestamp, held: pd.Series[float], right: pd.Series[float]) -> tuple[pd.Timestamp, float] | None:
    """Return what a row that is off is held against: itself as stored, or the nearest row that is right."""
    if day in held.index:
        return day, float(held[day])
    away = np.abs(pd.DatetimeIndex(right.index) - day)
    if not len(away) or away.min() > NEIGHBOURHOOD:
        return None
    nearest = int(away.argmin())
    return right.index[nearest], float(right.iloc[nearest])
