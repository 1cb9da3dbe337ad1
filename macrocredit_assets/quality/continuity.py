"""What looks at which dates have a row, and whether a row says anything that the one before did not.

What belongs here: rows against a calendar, and against the rows before them. What must not: how large a value is.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from macrocredit_assets.catalog.calendars import sessions_of
from macrocredit_assets.quality.reading import NEIGHBOURHOOD, OHLC
from macrocredit_assets.quality.subject import SHOWN, Observation, Subject, dates_of, seen_cells, seen_rows
from macrocredit_assets.windows import EARLIEST, Window

__all__ = ["closed_day", "forward_filled_holiday", "gap", "repeated_close", "stale_print"]

# A row without a range is telling where the others have one: of so many rows before it, less than this part is flat.
_ROWS_BEFORE, _FEWEST_ROWS, _SELDOM = 60, 20, 0.25

_Mask = npt.NDArray[np.bool_]


def closed_day(subject: Subject) -> Iterator[Observation]:
    """Rows on days that are no session."""
    entry, rows = subject.entry, subject.rows
    closed = rows.index[_is_closed(subject, rows.index)].unique()
    if len(closed):
        message = f"rows stand on days that are closed in the calendar {entry.calendar}; they are stored as published"
        yield seen_cells(message, rows.loc[rows.index.isin(closed), entry.main].sort_index(), len(closed))


def forward_filled_holiday(subject: Subject) -> Iterator[Observation]:
    """Rows on days that are no session, which say what the row before said."""
    table, main = subject.table, subject.entry.main
    filled = subject.is_judged(table.index) & _is_closed(subject, table.index)
    if not filled.any():
        return
    before = table.shift()
    for name in table:
        # nothing traded is 0 in some columns, and an index without a range has its close in all of them
        known = table[name].isna() | (table[name] == 0)
        filled &= (known | (table[name] == before[name]) | (table[name] == before[main])).to_numpy()
    filled &= (table[main] == before[main]).to_numpy()
    if filled.any():
        message = "rows on days that are closed repeat the row before: a holiday that was filled forward"
        yield seen_cells(message, table.loc[filled, main])


def stale_print(subject: Subject) -> Iterator[Observation]:
    """Sessions on which the main column is what it has been for longer than the series ever stood still."""
    limit = subject.entry.checks.stale
    line = subject.line[~_is_closed(subject, subject.line.index)]
    if limit is None or line.empty:
        return
    values, rows = line.to_numpy(), np.arange(len(line))
    changed = np.concatenate([[True], values[1:] != values[:-1]])
    repeats = rows - np.maximum.accumulate(np.where(changed, rows, 0))
    stale = line[(repeats > limit) & subject.is_judged(line.index)]
    if len(stale):
        message = f"{subject.entry.main} has not changed for more than {limit} sessions"
        yield seen_cells(message, stale)


def repeated_close(subject: Subject) -> Iterator[Observation]:
    """Sessions whose open, high, low and close all are the close before, where rows usually have a range."""
    prices = subject.table[[*OHLC]].dropna()
    prices = prices[~_is_closed(subject, prices.index)]
    flat = prices["high"] == prices["low"]
    flat_before = flat.shift().rolling(_ROWS_BEFORE, min_periods=_FEWEST_ROWS).mean()
    repeats = flat & (prices["close"] == prices["close"].shift()) & (flat_before < _SELDOM)
    repeats &= subject.is_judged(prices.index)
    if repeats.any():
        message = "open, high, low and close all repeat the close before, where rows usually have a range"
        yield seen_rows(message, prices[repeats])


def gap(subject: Subject) -> Iterator[Observation]:
    """Covered sessions without a row, of which too many follow one another."""
    limit, window, coverage = subject.entry.checks.gap, subject.window, subject.coverage
    index = subject.table.index
    if limit is None or window is None or coverage is None or index.empty:
        return
    # nothing is missing before the first row, and calendars are a guess before the first partition
    start = max(index[0].date(), window.start - NEIGHBOURHOOD, EARLIEST)
    if start > window.end:
        return
    span = Window(start, window.end + NEIGHBOURHOOD)
    sessions = sessions_of(subject.entry, span)
    missing = ~sessions.isin(index)
    for hole in coverage.holes(span).windows:
        missing &= ~_within(sessions, hole)
    edges = np.flatnonzero(np.diff(missing, prepend=False, append=False))
    stretches = [sessions[first:after] for first, after in zip(edges[::2], edges[1::2], strict=True)]
    long = [each for each in stretches if len(each) > limit and _within(each, window).any()]
    if long:
        dates = tuple(day for each in long for day in dates_of(each) if day in window)
        rows = "session has" if len(dates) == 1 else "sessions have"
        message = f"{len(dates)} covered {rows} no row, in stretches of more than {limit} in a row"
        yield Observation(message, len(dates), tuple(_stretch(each) for each in long[:SHOWN]), dates)


def _stretch(sessions: pd.DatetimeIndex) -> dict[str, str | int]:
    first, last = sessions[[0, -1]]
    return {"start": f"{first:%Y-%m-%d}", "end": f"{last:%Y-%m-%d}", "sessions": len(sessions)}


def _is_closed(subject: Subject, index: pd.Index) -> _Mask:
    """Return which dates are no session; none of those before calendars are held against published data."""
    days = pd.DatetimeIndex(index)
    recent = days >= pd.Timestamp(EARLIEST)
    if not recent.any():
        return np.zeros(len(days), dtype=bool)
    sessions = sessions_of(subject.entry, Window(days[recent].min().date(), days[recent].max().date()))
    closed: _Mask = recent & ~days.isin(sessions)
    return closed


def _within(days: pd.DatetimeIndex, window: Window) -> _Mask:
    inside: _Mask = (days >= pd.Timestamp(window.start)) & (days <= pd.Timestamp(window.end))
    return inside
