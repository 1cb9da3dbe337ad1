"""Since when something is known: moments, what a store knew at one, and what is said where it knew nothing.

What belongs here: the meaning of ``as_of``. How revisions become rows again is the store's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np
import pandas as pd

from macrocredit_assets.errors import NotCoveredError, UsageError
from macrocredit_assets.persistence import DatasetStore, StoredHead
from macrocredit_assets.persistence.revisions import Revision
from macrocredit_assets.windows import EARLIEST, Window

__all__ = ["Asked", "as_of_instant", "known_now", "known_then"]

_WRITE = "write a date, 2024-01-31, or an instant in UTC, 2024-01-31T17:30Z."


def as_of_instant(moment: str | date | datetime | np.datetime64) -> datetime:
    """Return the instant that is meant: an instant itself, or the end of a date in UTC.

    Raises
    ------
    UsageError
        If it has a time but no time zone, is neither, or lies in UTC outside the years 1 to 9999.

    Examples
    --------
    >>> as_of_instant("2024-05-01T18:00+02:00").isoformat()
    '2024-05-01T16:00:00+00:00'
    >>> as_of_instant("2024-05-01").isoformat()
    '2024-05-01T23:59:59.999999+00:00'
    """
    value = _parsed(moment) if isinstance(moment, str) else _of_day(moment)
    if pd.isna(value):
        raise UsageError("NaT is no moment; None reads what is known now.")
    if isinstance(value, pd.Timestamp):
        value = value.to_pydatetime(warn=False)  # nothing is known to the nanosecond
    if not isinstance(value, date):
        raise UsageError(f"{moment!r} is no moment; {_WRITE}")
    if not isinstance(value, datetime):
        return datetime.combine(value, time.max, UTC)
    if value.utcoffset() is None:
        raise UsageError(f"{moment} is no instant without its time zone; write {value.isoformat()}Z if it is UTC.")
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise UsageError(f"{moment} is no moment of the years 1 to 9999 in UTC; {_WRITE}") from error


@dataclass(frozen=True)
class Asked:
    """A window of a dataset, open where a date is None."""

    name: str
    first: date | None
    last: date | None

    @property
    def window(self) -> Window:
        """The window, with an end of time where it is open."""
        return Window(self.first or date.min, self.last or date.max)

    def __str__(self) -> str:
        return f"{self.first or 'the beginning'}..{self.last or 'today'}"

    @property
    def remedy(self) -> str:
        """The sentence with the command that fetches it."""
        end = f" --end {self.last}" if self.last else ""
        return f"Run: macrocredit backfill {self.name} --start {self.first or EARLIEST}{end}"


def known_now(store: DatasetStore, asked: Asked, head: StoredHead | None) -> str:
    """Return the series that is stored, given the head of the store.

    Raises
    ------
    NotCoveredError
        If no date of the window was ever ingested.
    """
    if head is None or not head.coverage:
        raise NotCoveredError(f"{asked.name} holds nothing yet in {store.path}. {asked.remedy}")
    if not head.coverage.clip(asked.window):
        raise NotCoveredError(f"{asked.name} was never ingested for {asked}; it covers {head.coverage}. {asked.remedy}")
    return head.series


def known_then(store: DatasetStore, asked: Asked, instant: datetime) -> Revision | None:
    """Return the last revision that was known at an instant; None where rows are older than their revisions.

    Raises
    ------
    NotCoveredError
        If no date of the window was known then; it says since when one is.
    """
    then = store.revision_as_of(instant)
    if then is not None and then.coverage.clip(asked.window):
        return then
    revisions = store.revisions()
    covering = [revision for revision in revisions if revision.coverage.clip(asked.window)]
    if not covering:
        known_now(store, asked, store.head())
        if then is not None or not revisions:
            # days that are covered without a row, closed ones, leave no revision: there was nothing to know
            return then
    where = f" for {asked}" if asked.first or asked.last else ""
    raise NotCoveredError(
        f"{asked.name} was not known{where} as of {instant.isoformat()}; {_since(covering or revisions, then)}"
    )


def _since(known: Sequence[Revision], then: Revision | None) -> str:
    later = next((revision for revision in known if then is None or revision.number > then.number), None)
    if later is None:
        return f"its last revision for these dates is {known[-1].number}, known at {known[-1].known_at.isoformat()}."
    return f"it is known since {later.known_at.isoformat()} (revision {later.number})."


def _parsed(text: str) -> date | datetime:
    for parse in (date.fromisoformat, datetime.fromisoformat):
        with suppress(ValueError):
            value = parse(text)
            # the standard library also takes 20240131 and 2024-W05-3; here a day is written in one way
            if value.isoformat()[:10] == text[:10]:
                return value
    raise UsageError(f"{text!r} is no moment; {_WRITE}")


def _of_day(moment: object) -> Any:  # noqa: ANN401 - what it is, is asked next
    """Return a date for a day of numpy's; its finer moments never have a time zone, and are none here."""
    if isinstance(moment, np.datetime64) and np.datetime_data(moment)[0] == "D":
        return moment.item()
    return moment
