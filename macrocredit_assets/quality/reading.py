"""What must be read of a dataset to look for a rule: which columns, how far around a window, and which reference.

What belongs here: one function for each way in which rules read. A rule that says nothing about a dataset - one about
open, high, low and close where there are none - reads None, and is left out for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from macrocredit_assets.catalog.models import DatasetSpec, Entry
from macrocredit_assets.quality.slips import NEIGHBOURHOOD
from macrocredit_assets.windows import Window

__all__ = [
    "NEIGHBOURHOOD",
    "OHLC",
    "Needs",
    "cells",
    "changes",
    "columns",
    "expected",
    "levels",
    "main_column",
    "numbers",
    "prices",
    "ranges",
    "reference",
    "refused",
    "repeats",
    "sessions",
    "told",
]

#: The columns of a price and its range.
OHLC = ("open", "high", "low", "close")

# the usual change of a day is that of some 60 rows before it
_CHANGES = timedelta(days=130)


@dataclass(frozen=True)
class Needs:
    """What must be read of a dataset so that rules can look at a window of it.

    Parameters
    ----------
    columns
        Columns of the dataset, in the order of its entry; none where nothing is read.
    before, after
        How far around the window rows are needed, calendar days included.
    reference
        Dataset and column that is compared with the main column, over the same dates; None where none is.
    dates
        Whether all dates are needed on which the main column has a value, however far from the window.
    """

    columns: tuple[str, ...] = ()
    before: timedelta = timedelta(0)
    after: timedelta = timedelta(0)
    reference: tuple[str, str] | None = None
    dates: bool = False

    def around(self, window: Window) -> Window:
        """Return the window that must be read."""
        return Window(window.start - self.before, window.end + self.after)


def columns(entry: Entry) -> Needs:
    """Read every column, row by row."""
    return Needs(tuple(entry.columns))


def levels(entry: Entry) -> Needs:
    """Read every column, beside its neighbours."""
    return Needs(tuple(entry.columns), NEIGHBOURHOOD, NEIGHBOURHOOD)


def prices(entry: Entry) -> Needs | None:
    """Read open, high, low and close."""
    return Needs(OHLC) if set(OHLC).issubset(entry.columns) else None


def main_column(entry: Entry) -> Needs | None:
    """Read the main column of a market dataset: a signal has the days that its inputs have."""
    return Needs((entry.main,)) if isinstance(entry, DatasetSpec) else None


def cells(entry: Entry) -> Needs | None:
    """Read every column of a market dataset, and the rows before: a signal is blank where an input is."""
    return Needs(tuple(entry.columns), NEIGHBOURHOOD) if isinstance(entry, DatasetSpec) else None


def numbers(entry: Entry) -> Needs | None:
    """Read every column of a market dataset that is no count, beside the rows before."""
    if not isinstance(entry, DatasetSpec):
        return None
    return Needs(tuple(name for name, column in entry.columns.items() if column.dtype == "float64"), NEIGHBOURHOOD)


def repeats(entry: Entry) -> Needs | None:
    """Read the main column and the rows before."""
    return Needs((entry.main,), NEIGHBOURHOOD) if entry.checks.stale is not None else None


def ranges(entry: Entry) -> Needs | None:
    """Read open, high, low and close, and the rows before."""
    return Needs(OHLC, NEIGHBOURHOOD) if set(OHLC).issubset(entry.columns) else None


def sessions(entry: Entry) -> Needs | None:
    """Read all dates that have a value of a market dataset: a signal has none where an input has none."""
    judged = isinstance(entry, DatasetSpec) and entry.checks.gap is not None
    return Needs((entry.main,), dates=True) if judged else None


def changes(entry: Entry) -> Needs | None:
    """Read the main column, and enough rows before to know what is usual."""
    judged = isinstance(entry, DatasetSpec) and entry.checks.jump is not None
    return Needs((entry.main,), _CHANGES) if judged else None


def reference(entry: Entry) -> Needs | None:
    """Read the main column, and the reference that the entry names."""
    if not isinstance(entry, DatasetSpec) or (named := entry.checks.reference) is None:
        return None
    return Needs((entry.main,), reference=(named.dataset, named.column))


def told(entry: Entry) -> Needs | None:
    """Read nothing: a source or the store tells it while it is asked, and a signal has no source."""
    return Needs() if isinstance(entry, DatasetSpec) else None


def refused(entry: Entry) -> None:
    """Read nothing, and say nothing: what the store refuses is never stored."""


def expected(entry: Entry) -> Needs:  # noqa: ARG001 - each function of this module is asked about an entry
    """Read nothing: coverage and calendars tell it, of signals too."""
    return Needs()
