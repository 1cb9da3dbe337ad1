"""How far the days of a signal can look back: an unbroken stretch of covered days, or not far enough.

What belongs here: arithmetic on coverage, calendars and dates. A day is a function of the rows before it only where it
is known that no row is missing among them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import reduce

import numpy as np
import numpy.typing as npt
import pandas as pd

from macrocredit_assets.catalog.calendars import sessions_of
from macrocredit_assets.catalog.models import Entry
from macrocredit_assets.windows import Coverage, Window

__all__ = ["looks_back", "stretches"]

_DAY = timedelta(days=1)


def stretches(inputs: Iterable[tuple[Entry, Coverage]]) -> Coverage:
    """Return the days that all inputs cover; closed days that one of them was not asked for are no hole of it."""
    return reduce(Coverage.intersect, (_over_closed_days(entry, coverage) for entry, coverage in inputs))


def looks_back(
    days: npt.NDArray[np.datetime64], covered: Coverage, lookback: int
) -> tuple[npt.NDArray[np.bool_], Coverage]:
    """Return which days have their lookback, and the dates that lack it because of a hole before them.

    Parameters
    ----------
    days
        The dates on which all inputs have a row, in order. Of rows before the ones in question, those of the lookback
        are enough.
    covered
        What :func:`stretches` returned.
    lookback
        Rows that must stand before a day, with no hole among them.
    """
    has, waiting = np.zeros(len(days), dtype=bool), []
    for number, stretch in enumerate(covered.windows):
        bounds = [np.datetime64(stretch.start), np.datetime64(stretch.end + _DAY)]
        first, after = np.searchsorted(days, bounds).tolist()
        has[first + lookback : after] = True
        # nothing is missing before the first stretch: there, a signal warms up
        if number and lookback:
            enough = first + lookback <= after
            last = days[first + lookback - 1].astype("datetime64[D]").item() if enough else stretch.end
            waiting.append(Window(stretch.start, last))
    return has, Coverage.of(waiting)


def _over_closed_days(entry: Entry, coverage: Coverage) -> Coverage:
    if len(coverage.windows) < 2:
        return coverage
    span = Window(coverage.windows[0].start, coverage.windows[-1].end)
    sessions = sessions_of(entry, span)
    closed = [hole for hole in coverage.holes(span).windows if not _has_any(sessions, hole)]
    return Coverage.of([*coverage.windows, *closed])


def _has_any(days: pd.DatetimeIndex, window: Window) -> bool:
    return bool(days.searchsorted(pd.Timestamp(window.start)) < days.searchsorted(pd.Timestamp(window.end), "right"))
