"""What is not there, and what is no longer true: uncovered sessions, and signal days to be computed again.

What belongs here: questions to stored coverage and revisions, answered with dates. What must not: how holes are filled
(``plan.py``), how they are shown (``status.py``), Dagster, and the clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import reduce
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from macrocredit_assets.catalog import Entry, SignalSpec
from macrocredit_assets.catalog.calendars import sessions_of
from macrocredit_assets.catalog.definition import definition_of
from macrocredit_assets.catalog.lookback import looks_back, stretches
from macrocredit_assets.holdings import Days, Holding, Holdings, as_days
from macrocredit_assets.windows import Coverage, Window

__all__ = ["count_days", "counting_days", "missing", "stale"]

_Numbers: TypeAlias = npt.NDArray[np.int64]

_DAY = np.timedelta64(1, "D")

#: What a day has seen of an input when nothing is known of it: less than any revision, and than 0, which is none.
_UNKNOWN = -1


def missing(holdings: Holdings, name: str, window: Window) -> Coverage:
    """Return the holes of a dataset's coverage in a window.

    A market dataset lacks the days that were never answered, whether they are due or not. A signal lacks the days that
    all its inputs cover, and it does not; those that look back across a hole of the inputs wait until it is filled. A
    hole has at least one session (of a signal: or one row of all its inputs); the closed days beside it belong to it,
    and closed days alone are none.
    """
    entry, coverage = holdings.catalog.entry(name), holdings[name].coverage
    if not isinstance(entry, SignalSpec):
        return _having(coverage.holes(window), _sessions(entry, window))
    decided = _waiting(holdings, entry).holes(window)
    possible = reduce(
        Coverage.intersect, (holdings[given].coverage for given in holdings.catalog.inputs_of(name)), decided
    )
    holes = Coverage.of(hole for part in possible.windows for hole in coverage.holes(part).windows)
    return _having(holes, counting_days(holdings, entry, window)) if holes else holes


def stale(holdings: Holdings, name: str, window: Window) -> Coverage:
    """Return the covered days of a signal whose values may no longer follow from its inputs.

    A day is stale where the record of what its computation saw is older than a revision of an input that touched a date
    in its reach: the day itself, or one of the ``lookback`` rows that all inputs share before it. It is stale, too,
    where there is no such record, where the signal was defined otherwise then, or where it looks back across a hole in
    the inputs' coverage. Market datasets are never stale: they are what their source said.
    """
    entry, coverage = holdings.catalog.entry(name), holdings[name].coverage.clip(window)
    if not isinstance(entry, SignalSpec) or not coverage:
        return Coverage()
    span = Window(coverage.windows[0].start, coverage.windows[-1].end)
    old = _defined_otherwise(holdings, entry, span)
    for dataset in holdings.catalog.inputs_of(name):
        saw = _saw(holdings, name, dataset, span)
        old |= saw < _revised(holdings, entry, dataset, span, saw)
    days = _runs(old, span).union(_waiting(holdings, entry)).intersect(coverage)
    return _having(days, counting_days(holdings, entry, span)) if days else days


def counting_days(holdings: Holdings, entry: Entry, window: Window) -> Days:
    """Return the days of a window on which a row is expected, in order.

    These are the sessions of a dataset; for a signal, also the dates that its inputs share, and those of its own rows,
    whatever its calendar says.
    """
    days = _sessions(entry, window)
    if isinstance(entry, SignalSpec):
        days = np.union1d(np.union1d(days, holdings.shared(entry)), holdings[entry.name].days)
    first, after = np.searchsorted(days, [np.datetime64(window.start), np.datetime64(window.end) + _DAY])
    return days[first:after]


def _waiting(holdings: Holdings, entry: SignalSpec) -> Coverage:
    """Return the dates of which nothing can be said before a hole of the inputs is filled."""
    inputs = (
        (holdings.catalog.entry(name), holdings[name].coverage) for name in holdings.catalog.inputs_of(entry.name)
    )
    return looks_back(holdings.shared(entry), stretches(inputs), entry.lookback)[1]


def _defined_otherwise(holdings: Holdings, entry: SignalSpec, span: Window) -> npt.NDArray[np.bool_]:
    """Return which days of a span were computed by another definition of the signal, or by one that is not known."""
    other, definition = np.zeros(span.days, dtype=bool), definition_of(entry, holdings.catalog)
    for seen in holdings[entry.name].store.seen():
        other[_slice(seen.window, span)] = seen.definition != definition
    return other


def _saw(holdings: Holdings, signal: str, dataset: str, span: Window) -> _Numbers:
    """Return, for every day of a span, which revision of an input its computation saw; -1 where that is not known."""
    saw = np.full(span.days, _UNKNOWN)
    for seen in holdings[signal].store.seen():
        # one that is not in the record was no input yet
        if dataset in seen.inputs:
            saw[_slice(seen.window, span)] = seen.inputs[dataset].revision
    # revisions that are gone tell nothing
    saw[saw > holdings[dataset].last_revision] = _UNKNOWN
    return saw


def _revised(holdings: Holdings, entry: SignalSpec, dataset: str, span: Window, saw: _Numbers) -> _Numbers:
    """Return, for every day of a span, the latest revision that touched a date in its reach; 0 where none did.

    Revisions that all days saw are left out.
    """
    latest = np.zeros(span.days, dtype=np.int64)
    after = int(saw[saw != _UNKNOWN].min(initial=holdings[dataset].last_revision))
    if after == holdings[dataset].last_revision:
        return latest
    start = np.datetime64(span.start)
    for number, dates in _touched(holdings[dataset], after):
        if dates is None:
            latest[:] = number
            continue
        firsts = np.clip((dates - start).astype(np.int64), 0, None)
        ends = np.clip((_reach(dates, holdings.shared(entry), entry.lookback) - start).astype(np.int64) + 1, 0, None)
        for first, end in zip(firsts, ends, strict=True):
            latest[first:end] = number
    return latest


def _touched(holding: Holding, after: int) -> Iterator[tuple[int, Days | None]]:
    """Yield later revisions in order, each with the dates it touched; None stands for all dates."""
    rows = holding.store.revision_rows(after=after)
    numbers, dates = rows["revision"].to_numpy(), as_days(rows["date"].to_numpy())
    for revision in holding.store.revisions():
        if revision.number <= after or revision.kind == "adopt":
            continue  # what is adopted was there before
        yield revision.number, None if revision.begins_anew else dates[numbers == revision.number]


def _reach(dates: Days, shared: Days, lookback: int) -> Days:
    """Return, for each date, the last day whose value it can enter: the ``lookback``-th shared row after it."""
    if not lookback or not len(shared):
        return dates
    rows = np.searchsorted(shared, dates, side="right") + lookback - 1
    return np.maximum(dates, shared[np.minimum(rows, len(shared) - 1)])


def _sessions(entry: Entry, window: Window) -> Days:
    return as_days(sessions_of(entry, window).to_numpy())


def _having(windows: Coverage, days: Days) -> Coverage:
    """Return those windows that have at least one of the days."""
    return Coverage(tuple(window for window in windows.windows if count_days(days, window)))


def count_days(days: Days, window: Window) -> int:
    """Return how many of the days, which are in order, lie in a window."""
    first, after = np.searchsorted(days, [np.datetime64(window.start), np.datetime64(window.end) + _DAY])
    return int(after - first)


def _slice(window: Window, span: Window) -> slice:
    """Return where a window lies in an array of a span's days."""
    first, end = (window.start - span.start).days, (window.end - span.start).days + 1
    return slice(max(first, 0), max(end, 0))


def _runs(mask: npt.NDArray[np.bool_], span: Window) -> Coverage:
    """Return the days of a span that are marked."""
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False)).tolist()
    days = [span.start + timedelta(days=offset) for offset in edges]
    return Coverage(
        tuple(Window(first, after - timedelta(days=1)) for first, after in zip(days[::2], days[1::2], strict=True))
    )
