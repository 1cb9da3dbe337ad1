"""What looks at which dates have a row, and whether a row says anything new.

What belongs here: rows against a calendar, and against the rows before them. What must not: how large a value is.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from macrocredit_assets.catalog.calendars import sessions_of
from macrocredit_assets.quality.subject import Observation, Subject, as_cells
from macrocredit_assets.windows import EARLIEST, Window

__all__ = ["closed_day"]


def closed_day(subject: Subject) -> Iterator[Observation]:
    """Rows on days that are no session."""
    days = pd.DatetimeIndex(subject.rows.index).unique().sort_values()
    # calendars are held against published data from then on, and are a guess before
    days = days[days >= pd.Timestamp(EARLIEST)]
    if days.empty:
        return
    entry, rows = subject.entry, subject.rows
    closed = days.difference(sessions_of(entry, Window(days[0].date(), days[-1].date())))
    if len(closed):
        message = f"rows stand on days that are closed in the calendar {entry.calendar}; they are stored as published"
        yield Observation(message, len(closed), as_cells(rows.loc[rows.index.isin(closed), entry.main]))
