"""What a morning asks for: which datasets together, and for which window.

What belongs here: pure answers from catalog and stored files, the same for the schedules and for ``macrocredit
ingest``. What must not: Dagster, and the clock; the date comes from the caller.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Literal, TypeAlias

from macrocredit_assets.catalog import Catalog
from macrocredit_assets.errors import CorruptFileError
from macrocredit_assets.holdings import Holdings
from macrocredit_assets.staleness import counting_days, missing, stale
from macrocredit_assets.windows import Window

__all__ = ["DAYS_BACK", "MOST_DAYS_BACK", "Region", "daily_window", "names_of"]

#: Datasets that are asked for together, because their days end together.
Region: TypeAlias = Literal["us", "europe"]

#: So many days are asked for each morning: late prints and restatements come within them.
DAYS_BACK = 10
#: A hole that is older is no longer found by the mornings; `macrocredit backfill --only-missing` finds every one.
MOST_DAYS_BACK = 90

_EUROPEAN = frozenset({"london", "target"})


def names_of(catalog: Catalog, region: Region) -> tuple[str, ...]:
    """Return the datasets of a region, inputs before the signals that are made from them.

    European are the market datasets with a European calendar, and the signals made from nothing else; all others are
    of the US, whose morning comes later: a signal of both finds its European inputs there.
    """
    european = {name for name, spec in catalog.datasets.items() if spec.calendar in _EUROPEAN}
    for name in catalog.names():
        inputs = catalog.inputs_of(name)
        if inputs and european.issuperset(inputs):
            european.add(name)
    return tuple(name for name in catalog.names() if (name in european) == (region == "europe"))


def daily_window(holdings: Holdings, names: Iterable[str], today: date) -> Window:
    """Return the window that some datasets are asked for on a morning.

    It ends yesterday. It starts ten days back, or where the first thing is wanting that a morning can still fill: a
    session that is not covered though an earlier day is, or a stale day of a signal. Nothing older than 90 days makes
    it longer, and a dataset that was never ingested does not either: its history is a backfill's business.

    Parameters
    ----------
    holdings
        What is stored.
    names
        The datasets.
    today
        The date in New York.
    """
    reachable = Window(today - timedelta(days=MOST_DAYS_BACK), today - timedelta(days=1))
    wanting = (_first_wanting(holdings, name, reachable) for name in names)
    return Window(min([today - timedelta(days=DAYS_BACK), *filter(None, wanting)]), reachable.end)


def _first_wanting(holdings: Holdings, name: str, reachable: Window) -> date | None:
    try:
        coverage = holdings[name].coverage
        if not coverage or coverage.windows[0].start > reachable.end:
            return None
        window = Window(max(reachable.start, coverage.windows[0].start), reachable.end)
        days = missing(holdings, name, window).union(stale(holdings, name, window))
        if not days:
            return None
        first: date = counting_days(holdings, holdings.catalog.entry(name), days.windows[0])[0].item()
    except (CorruptFileError, OSError):
        # its own step says so in the run; the others are asked for all the same
        return None
    return first
