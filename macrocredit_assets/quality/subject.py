"""What a rule is shown, and the form in which it says what it saw.

What belongs here: the two shapes between rules and the judge, and how cells become plain values. What must not: rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from macrocredit_assets.catalog.models import Entry
from macrocredit_assets.findings import SHOWN
from macrocredit_assets.windows import Coverage, Window

__all__ = [
    "Example",
    "Observation",
    "Subject",
    "as_plain",
    "as_row",
    "comes_as_stored",
    "dates_of",
    "seen_cells",
    "seen_rows",
]

Example = Mapping[str, str | float | int | None]


@dataclass(frozen=True)
class Observation:
    """What a rule saw.

    Parameters
    ----------
    message
        One sentence.
    count
        How many rows or dates it is about.
    examples
        The first of them.
    dates
        All of their dates, each once, in order; empty where it is about no row, but a frame or a column.
    """

    message: str
    count: int
    examples: tuple[Example, ...] = ()
    dates: tuple[date, ...] = ()


@dataclass(frozen=True)
class Subject:
    """What rules look at.

    Parameters
    ----------
    entry
        The dataset.
    rows
        The rows that are judged: index of dates, the entry's columns or those that the rules need. Rows that are about
        to be written have duplicates and order as the source gave them; stored ones are sorted and unique.
    beside
        Stored rows around them, sorted and unique; before a write, also those that are about to be replaced.
    window, coverage
        The dates that are judged, and what is covered of the dataset; None before a write, when it is not known yet
        which dates will be.
    reference
        Values of the series that the entry names as its reference, by date; None where there is none.
    today
        The date in New York; None where it does not matter.
    dates
        All dates on which the main column has a value, in order; None stands for those of the rows and around them.
    accepted
        Dates on which stored rows are right, whatever the rule that looks would say of them.
    """

    entry: Entry
    rows: pd.DataFrame
    beside: pd.DataFrame | None = None
    window: Window | None = None
    coverage: Coverage | None = None
    reference: pd.Series[float] | None = None
    today: date | None = None
    dates: pd.DatetimeIndex | None = None
    accepted: Coverage = field(default_factory=Coverage)

    @cached_property
    def table(self) -> pd.DataFrame:
        """The columns of the judged rows as numbers, with what stands beside them: sorted, unique."""
        came = self.rows[~self.rows.index.duplicated(keep="last")].astype("float64")
        if self.beside is not None:
            held = self.beside[~self.beside.index.isin(came.index)]
            if len(held):
                came = pd.concat([came, held.reindex(columns=came.columns).astype("float64")])
        return came.sort_index()

    @cached_property
    def line(self) -> pd.Series[float]:
        """The main column of the table, without missing cells."""
        return self.table[self.entry.main].dropna()

    @cached_property
    def news(self) -> Subject:
        """The same, without rows that come as they are stored: what is usual or odd in them was told back then."""
        if self.window is not None or self.beside is None:
            return self
        return replace(self, rows=self.rows[~comes_as_stored(self.rows, self.beside)])

    def is_judged(self, index: pd.Index) -> np.ndarray:
        """Return which dates have a row that is judged."""
        return np.asarray(index.isin(self.rows.index))


def comes_as_stored(rows: pd.DataFrame, stored: pd.DataFrame) -> pd.Series[bool]:
    """Return which rows of numbers are stored just so, in every column that they have."""
    came = rows.astype("float64")
    held = stored.reindex(index=rows.index, columns=rows.columns).astype("float64")
    return ((came == held) | (came.isna() & held.isna())).all(axis=1) & rows.index.isin(stored.index)


def seen_cells(message: str, values: pd.Series[float], count: int | None = None) -> Observation:
    """Return what is to be said of cells of a column; their number is counted where it is not given."""
    return seen_rows(message, values.to_frame(), count)


def seen_rows(message: str, rows: pd.DataFrame, count: int | None = None) -> Observation:
    """Return what is to be said of rows; their number is counted where it is not given."""
    examples = tuple(as_row(row) for row in rows.head(SHOWN).reset_index(names="date").to_dict("records"))
    return Observation(message, len(rows) if count is None else count, examples, dates_of(rows.index))


def dates_of(index: pd.Index) -> tuple[date, ...]:
    """Return the dates of an index, each once, in order."""
    return tuple(pd.DatetimeIndex(index).dropna().unique().sort_values().date)


def as_row(values: Mapping[object, object]) -> Example:
    """Return cells as plain values: dates as ISO strings, missing ones as None."""
    return {str(key): as_plain(value) for key, value in values.items()}


def as_plain(value: object) -> str | float | int | None:
    """Return a cell as a plain value."""
    if isinstance(value, date):  # a Timestamp too
        return value.isoformat()[:10]
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return None if np.isnan(value) else float(value)
    return None if value is pd.NA else str(value)
