"""Where the rows of answers leave a hole: within one of them, or between two ways of a series.

What belongs here: rows against sessions. What a hole means for coverage is in ``answering.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from macrocredit_assets.catalog.calendars import sessions_of
from macrocredit_assets.catalog.models import DatasetSpec
from macrocredit_assets.sources.base import Fetched
from macrocredit_assets.windows import Window

__all__ = ["ARCHIVE_GAPS", "SOURCE_GAPS", "Answer", "Between", "GapRule", "Hole", "find_holes"]

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class GapRule:
    """Up to so many sessions in a row without a row ``who`` is taken at its word: it has nothing there.

    Parameters
    ----------
    longest
        So many sessions.
    rule
        What finds more of them.
    who
        Of whom, for people.
    """

    longest: int
    rule: str
    who: str


#: A publisher is asked for every day. The longest real gap of the series we know is 14 sessions; with 30, a series of
#: one row a month may be had.
SOURCE_GAPS = GapRule(30, "source_gaps", "the source")

#: A file of one's own has no days that it was asked for: one of month ends does not say that between them is nothing.
ARCHIVE_GAPS = GapRule(10, "archive_gaps", "the archive")


@dataclass(frozen=True)
class Answer:
    """Where the answer of one way begins and ends, by the dates that have a row.

    Parameters
    ----------
    label
        The way.
    first, last
        Of all rows; None where there is none.
    before, after
        The nearest row on either side of the window; None where there is none, or nobody knows.
    """

    label: str
    first: date | None
    last: date | None
    before: date | None = None
    after: date | None = None

    @classmethod
    def of(cls, label: str, fetched: Fetched) -> Answer:
        """Return what a source's answer says of it."""
        return cls(label, fetched.first, fetched.last, fetched.before, fetched.after)

    def spans(self, start: date, end: date) -> bool:
        """Return whether it goes from one date to the other."""
        return self.first is not None and self.last is not None and self.first <= start and end <= self.last

    def beside(self, window: Window) -> tuple[date | None, date | None]:
        """Return the nearest row on either side; where it is not known, but some are there, the next day."""
        before, after = self.before, self.after
        if before is None and self.first is not None and self.first < window.start:
            before = min(window.start - _DAY, self.last or date.max)
        if after is None and self.last is not None and self.last > window.end:
            after = max(window.end + _DAY, self.first or date.min)
        return before, after


@dataclass(frozen=True)
class Hole:
    """Dates of a window without a row, and how many sessions they are."""

    window: Window
    sessions: int


@dataclass(frozen=True)
class Between(Hole):
    """A hole that no way spans: which one ends before it and when, and which one begins after it."""

    ends: str
    last: date
    begins: str
    next: date


def find_holes(
    spec: DatasetSpec, window: Window, answers: Sequence[Answer], rows: pd.DatetimeIndex, rule: GapRule
) -> tuple[list[Hole], list[Between]]:
    """Return where an answer has no row on more sessions in a row than may be, and what no way spans at all.

    Parameters
    ----------
    spec, window
        The dataset, whose calendar counts, and what was asked for; a hole that goes beyond is cut off there, but counts
        with its whole length.
    answers
        Where each begins and ends.
    rows
        The dates inside the window that have a row in one of them; sorted and unique.
    rule
        How many sessions may be.
    """
    edges = [answer.beside(window) for answer in answers]
    before = max((day for day, _ in edges if day is not None), default=None)
    after = min((day for _, day in edges if day is not None), default=None)
    known = [*([before] if before else []), *rows.date, *([after] if after else [])]
    wide: list[Hole] = []
    between: list[Between] = []
    for start, end, count in _empty(spec, known):
        spanned = any(answer.spans(start, end) for answer in answers)
        hole = Window(start + _DAY, end - _DAY).intersect(window)
        if hole is None or (spanned and count <= rule.longest):
            continue
        sessions = len(sessions_of(spec, hole))
        if spanned:
            wide.append(Hole(hole, sessions))
        elif sessions:
            ends = max((one.last, one.label) for one in answers if one.last is not None and one.last <= start)
            begins = min((one.first, one.label) for one in answers if one.first is not None and one.first >= end)
            between.append(Between(hole, sessions, ends[1], ends[0], begins[1], begins[0]))
    return wide, between


def _empty(spec: DatasetSpec, known: Sequence[date]) -> list[tuple[date, date, int]]:
    """Return each two dates that follow one another with sessions between them, and how many these are."""
    if len(known) < 2:
        return []
    days = np.array(known, dtype="datetime64[us]")
    sessions = sessions_of(spec, Window(known[0], known[-1])).to_numpy()
    counts = np.searchsorted(sessions, days[1:], "left") - np.searchsorted(sessions, days[:-1], "right")
    return [(known[at], known[at + 1], int(counts[at])) for at in np.flatnonzero(counts).tolist()]
