"""How fresh a dataset is: the first row that is not there yet, the day it was due, and for how long that is over.

What belongs here: the one answer, out of calendar, publication lag and coverage, that ``status.py`` shows and the rule
``late`` tells. A Monday after a holiday is fresh, since nothing was due. A signal is due when the last of its inputs
is, whether that one is there or not. No clock: ``today`` comes from the caller, and is the date in New York.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from typing import Literal

import pandas as pd

from macrocredit_assets.catalog import Catalog, DatasetSpec, SignalSpec
from macrocredit_assets.catalog.calendars import sessions_of
from macrocredit_assets.catalog.publication import due
from macrocredit_assets.holdings import Holdings
from macrocredit_assets.windows import Window

__all__ = ["Freshness", "freshness"]

_DAY = timedelta(days=1)
#: No calendar closes for so long; where it has no session within it, the series has ended.
_LONGEST_CLOSURE = timedelta(days=31)


@dataclass(frozen=True)
class Freshness:
    """How fresh one dataset is.

    Parameters
    ----------
    state
        ``late`` where a row is overdue; ``ended`` where none will come any more; ``empty`` where nothing is covered.
    last
        The last day that is covered.
    expected
        The first day after it on which a row is expected: a session; of a signal, one of its own and of all its inputs.
    due
        The day by whose end that row must be there; of a signal, the day by which the last of its inputs must.
    days_late
        For how many days it has been overdue.
    lacking
        Of a late signal, the inputs that do not cover the expected day themselves.
    """

    state: Literal["fresh", "late", "ended", "empty"]
    last: date | None = None
    expected: date | None = None
    due: date | None = None
    days_late: int = 0
    lacking: tuple[str, ...] = ()


def freshness(holdings: Holdings, name: str, today: date) -> Freshness:
    """Return how fresh a dataset is.

    What counts is coverage, not rows: a session for which the source had nothing is answered. A source that stays
    behind answers no further than it reaches, and is late like one that was not asked; so are the signals made from it.

    Parameters
    ----------
    holdings
        What is stored.
    name
        The dataset.
    today
        The date in New York.

    Raises
    ------
    UnknownDatasetError
        If the catalog has no such dataset.
    CorruptFileError
        If its file, or that of an input, cannot be read.
    """
    entry, coverage = holdings.catalog.entry(name), holdings[name].coverage
    if not coverage:
        return Freshness("empty")
    last = coverage.windows[-1].end
    ahead = _sessions(holdings.catalog, entry, Window(last + _DAY, max(last, today) + _LONGEST_CLOSURE))
    if not len(ahead):
        return Freshness("ended", last)
    expected = ahead[0].date()
    until = _due(holdings.catalog, entry, expected)
    if today <= until:
        return Freshness("fresh", last, expected, until)
    lacking = tuple(each for each in holdings.catalog.inputs_of(name) if expected not in holdings[each].coverage)
    return Freshness("late", last, expected, until, (today - until).days, lacking)


def _sessions(catalog: Catalog, entry: DatasetSpec | SignalSpec, window: Window) -> pd.DatetimeIndex:
    """Return the sessions of a dataset; of a signal, those that all its inputs have as well."""
    given = (_sessions(catalog, catalog.entry(name), window) for name in catalog.inputs_of(entry.name))
    return reduce(pd.DatetimeIndex.intersection, given, sessions_of(entry, window))


def _due(catalog: Catalog, entry: DatasetSpec | SignalSpec, day: date) -> date:
    """Return when a row must be there; of a signal, when the last of its inputs must."""
    if isinstance(entry, DatasetSpec):
        return due(entry, day)
    return max(_due(catalog, catalog.entry(name), day) for name in catalog.inputs_of(entry.name))
