"""What looks at which dates have a row, and whether a row says anything that the one before did not.

What belongs here: rows against a calendar, and against the rows before them. What must not: how large a value is.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from macrocredit_assets.catalog.calendars import sessions_of
from macrocredit_assets.catalog.models import DatasetSpec, Entry
from macrocredit_assets.findings import SHOWN
from macrocredit_assets.quality.reading import OHLC
from macrocredit_assets.quality.subject import Observation, Subject, dates_of, seen_cells, seen_rows
from macrocredit_assets.windows import EARLIEST, Coverage, Window

__all__ = ["closed_day", "forward_filled_holiday", "gap", "missing_value", "repeated_close", "stale_print"]

# A row without a range, or without a value, is telling where the others have one: of so many rows before it, less than
# this part has none.
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
    """Sessions whose open, high, low and close all say what was said before.

    They are those of the row before, where they have a range, which never happens in real files of prices; or all are
    the close before, where rows usually have a range.
    """
    prices = subject.table[[*OHLC]].dropna()
    prices = prices[~_is_closed(subject, prices.index)]
    judged = subject.is_judged(prices.index)
    flat = prices["high"] == prices["low"]
    again = judged & ~flat & (prices == prices.shift()).all(axis=1)
    if again.any():
        yield seen_rows("open, high, low and close all are those of the row before", prices[again])
    repeats = judged & flat & (prices["close"] == prices["close"].shift())
    if repeats.any() and (repeats := repeats & _is_unusual(flat)).any():
        message = "open, high, low and close all repeat the close before, where rows usually have a range"
        yield seen_rows(message, prices[repeats])


def missing_value(subject: Subject) -> Iterator[Observation]:
    """Rows that lack the main column, or another that nearly all rows before them have."""
    main = subject.entry.main
    blank = subject.rows[subject.rows[main].isna()].sort_index()
    if len(blank):
        yield seen_rows(f"rows have no {main}", blank)
    table = subject.table[subject.table[main].notna()]
    judged = subject.is_judged(table.index)
    for name in table.columns.drop(main):
        lacks = table[name].isna()
        if (judged & lacks).any() and (odd := judged & lacks & _is_unusual(lacks)).any():
            yield seen_rows(f"rows have no {name}, which nearly all rows before them have", table[odd])


def gap(subject: Subject) -> Iterator[Observation]:
    """Covered sessions without a value of the main column: too many in a row, or all that the window has."""
    entry, window, coverage = subject.entry, subject.window, subject.coverage
    if not isinstance(entry, DatasetSpec) or (limit := entry.checks.gap) is None or window is None or coverage is None:
        return
    dates = subject.line.index if subject.dates is None else subject.dates
    main = entry.main
    stretches = [each for each in _without_value(subject, dates, window, coverage) if _within(each, window).any()]
    if long := [each for each in stretches if len(each) > limit]:
        told = tuple(day for each in long for day in dates_of(each) if day in window)
        have = "session has" if len(told) == 1 else "sessions have"
        message = f"{len(told)} covered {have} no {main}, in stretches of more than {limit} in a row"
        yield Observation(message, len(told), tuple(_stretch(each) for each in long[:SHOWN]), told)
        return
    sessions = _covered_sessions(entry, window, coverage)
    if len(sessions) and not sessions.isin(dates).any():
        begin = f"; the first is of {dates[0]:%Y-%m-%d}" if len(dates) and dates[0] > sessions[-1] else ""
        message = f"no covered session of {window} has a {main}{begin}"
        yield Observation(message, len(sessions), (_stretch(sessions),), dates_of(sessions))


def _without_value(subject: Subject, dates: pd.Index, window: Window, coverage: Coverage) -> Iterator[pd.DatetimeIndex]:
    """Yield each stretch of covered sessions in a row without a value, as far as it goes beyond the window, too."""
    days = pd.DatetimeIndex(dates)
    before, after = days[days < pd.Timestamp(window.start)], days[days > pd.Timestamp(window.end)]
    # nothing is missing before the first value
    start = before[-1].date() if len(before) else days[0].date() if len(days) else None
    last = max((each.end for each in coverage.windows), default=window.end)
    end = after[0].date() if len(after) else max(last, window.end)
    if start is None or start > window.end:
        return
    covered = _covered_sessions(subject.entry, Window(start, end), coverage)
    sessions = sessions_of(subject.entry, Window(start, end))
    missing = sessions.isin(covered) & ~sessions.isin(days)
    edges = np.flatnonzero(np.diff(missing, prepend=False, append=False))
    for first, stop in zip(edges[::2], edges[1::2], strict=True):
        yield sessions[first:stop]


def _covered_sessions(entry: Entry, window: Window, coverage: Coverage) -> pd.DatetimeIndex:
    """Return the sessions of a window that are covered; calendars are a guess before the first partition."""
    if window.end < EARLIEST:
        return pd.DatetimeIndex([])
    window = Window(max(window.start, EARLIEST), window.end)
    sessions = sessions_of(entry, window)
    covered = np.ones(len(sessions), dtype=bool)
    for hole in coverage.holes(window).windows:
        covered &= ~_within(sessions, hole)
    return sessions[covered]


def _is_unusual(lacks: pd.Series[bool]) -> pd.Series[bool]:
    """Return which rows follow rows that seldom are so."""
    return lacks.shift().rolling(_ROWS_BEFORE, min_periods=_FEWEST_ROWS).mean() < _SELDOM


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
