"""How fresh a dataset is: the first row that is not there yet, the day it was due, and for how long that is over.

What belongs here: the one answer, out of calendar, publication lag and coverage, that ``status.py`` shows and the rule
``late`` tells. A Monday after a holiday is fresh, since nothing was due. No clock: ``today`` comes from the caller, and
is the date in New York.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from macrocredit_assets.catalog import DatasetSpec, SignalSpec
from macrocredit_assets.catalog.calendars import sessions_of
from macrocredit_assets.catalog.publication import due
from macrocredit_assets.holdings import Holdings
from macrocredit_assets.staleness import counting_days, missing
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
        The first day after it on which a row is expected: a session; of a signal, a day that its inputs cover.
    due
        The day by whose end that row must be there; of a signal, the day by which the last of its inputs must.
    days_late
        For how many days it has been overdue.
    """

    state: Literal["fresh", "late", "ended", "empty"]
    last: date | None = None
    expected: date | None = None
    due: date | None = None
    days_late: int = 0


def freshness(holdings: Holdings, name: str, today: date) -> Freshness:
    """Return how fresh a dataset is.

    What counts is coverage, not rows: a session for which the source had nothing is answered. A source that stays
    behind answers no further than it reaches, and is late like one that was not asked. A signal whose inputs are late
    has all it can have, and is fresh.

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
    expected = _expected(holdings, entry, last, today)
    if expected is None:
        return Freshness("ended" if isinstance(entry, DatasetSpec) else "fresh", last)
    until = _due(holdings, entry, expected)
    days_late = max(0, (today - until).days)
    return Freshness("late" if days_late else "fresh", last, expected, until, days_late)


def _expected(holdings: Holdings, entry: DatasetSpec | SignalSpec, last: date, today: date) -> date | None:
    """Return the first day after the last covered one on which a row is expected, if there is any."""
    if isinstance(entry, DatasetSpec):
        ahead = sessions_of(entry, Window(last + _DAY, max(last, today) + _LONGEST_CLOSURE))
        return ahead[0].date() if len(ahead) else None
    if last + _DAY >= today:
        return None
    holes = missing(holdings, entry.name, Window(last + _DAY, today - _DAY))
    if not holes:
        return None
    first: date = counting_days(holdings, entry, holes.windows[0])[0].item()
    return first


def _due(holdings: Holdings, entry: DatasetSpec | SignalSpec, day: date) -> date:
    """Return when a row must be there; of a signal, when the last of its inputs must."""
    if isinstance(entry, DatasetSpec):
        return due(entry, day)
    catalog = holdings.catalog
    return max(_due(holdings, catalog.entry(name), day) for name in catalog.inputs_of(entry.name))
