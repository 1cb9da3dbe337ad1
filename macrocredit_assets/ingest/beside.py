"""What a window is judged beside: what is stored of its series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from macrocredit_assets.persistence import DatasetStore
from macrocredit_assets.persistence.accepted import accepted_dates
from macrocredit_assets.persistence.frames import frame_of
from macrocredit_assets.quality import NEIGHBOURHOOD
from macrocredit_assets.windows import Coverage, Window

__all__ = ["Beside", "stored_beside"]


@dataclass(frozen=True)
class Beside:
    """What is stored of a series, seen from a window.

    Parameters
    ----------
    rows
        Those in and around the window: index ``date``, sorted and unique.
    first
        The first row of all, however far before the window; None where there is none.
    coverage
        The dates that count as answered.
    accepted
        What was accepted of the rows, rule -> dates.
    """

    rows: pd.DataFrame
    first: date | None = None
    coverage: Coverage = field(default_factory=Coverage)
    accepted: Mapping[str, Coverage] = field(default_factory=dict)

    def days_in(self, window: Window) -> tuple[date, ...]:
        """Return the dates inside a window that have a row."""
        index = pd.DatetimeIndex(self.rows.index)
        return tuple(index[(index >= pd.Timestamp(window.start)) & (index <= pd.Timestamp(window.end))].date)


def stored_beside(store: DatasetStore, window: Window, series: str) -> Beside | None:
    """Return what is stored of a series, with the rows in and around a window; None where nothing of it is stored.

    Parameters
    ----------
    store
        Opened as stored: what is held under other columns than the catalog's is compared by those that are the same.
    window
        What is about to be written.
    series
        What the numbers are; those of another series are no measure for them.
    """
    found = store.read_current(Window(window.start - NEIGHBOURHOOD, window.end + NEIGHBOURHOOD))
    if found is None or found[0].series != series:
        return None
    head, rows = found
    return Beside(frame_of(rows), head.first, head.coverage, accepted_dates(store.accepted()))
