"""When a session's row must be there, and what each day of a dataset is: present, closed, a gap, late ...

What belongs here: the words for days, out of calendar, publication lag and coverage. No file is read, no clock asked:
``today`` comes from the caller, and is the date in New York.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, timedelta
from typing import Literal, get_args

from macrocredit_assets.catalog.calendars import is_session, sessions_of
from macrocredit_assets.catalog.models import DatasetSpec, SignalSpec
from macrocredit_assets.windows import Coverage, Window

__all__ = ["DAY_STATES", "DayState", "awaited", "day_states", "due", "is_due", "last_due"]

DayState = Literal[
    "present",
    "closed",
    "source_gap",
    "source_unavailable",
    "not_yet_published",
    "late",
    "absent",
    "not_covered",
]

#: Every state, in the order in which a legend lists them.
DAY_STATES: tuple[DayState, ...] = get_args(DayState)

_DAY = timedelta(days=1)


def due(spec: DatasetSpec, session: date) -> date:
    """Return the day by whose end a session's row must be there: the ``publication_lag``-th session after it.

    With a lag of 0 that is the session itself. The row is late from the next day on.
    """
    return _step(spec, session, spec.publication_lag, _DAY)


def is_due(spec: DatasetSpec, session: date, today: date) -> bool:
    """Return whether a session's row must be there by now; until then it is inside its publication lag."""
    return due(spec, session) < today


def last_due(spec: DatasetSpec, today: date) -> date:
    """Return the latest session whose row must be there by now; all sessions before it are due as well."""
    return _step(spec, today, spec.publication_lag + 1, -_DAY)


def awaited(spec: DatasetSpec, window: Window, observed: Collection[date], today: date) -> tuple[date, ...]:
    """Return the sessions of a window that have no row and are inside their publication lag, in order."""
    after = last_due(spec, today) + _DAY
    if after > window.end:
        return ()
    inside = sessions_of(spec, Window(max(after, window.start), window.end))
    return tuple(day for stamp in inside if (day := stamp.date()) not in observed)


def day_states(
    spec: DatasetSpec | SignalSpec,
    window: Window,
    observed: Collection[date],
    coverage: Coverage,
    *,
    first: date | None,
    today: date,
) -> dict[date, DayState]:
    """Name the state of every day of a window, in order.

    ============================ ==================================== ==========================
    day without a row            covered                              not covered
    ============================ ==================================== ==========================
    no session                   ``closed``                           ``not_covered``
    session before ``first``     ``source_unavailable``               as any other
    session, inside its lag      ``source_gap``                       ``not_yet_published``
    session, past its lag        ``source_gap``                       ``late``
    a signal's session           ``absent``                           ``not_covered``
    ============================ ==================================== ==========================

    A day with a row is ``present``, whatever its calendar says. A signal has no publication of its own: a covered
    session without a row lacks an input or stands in the warm-up.

    Parameters
    ----------
    spec, window
        What to describe, and for which days.
    observed
        The days that have a row; a set, where the window is long.
    coverage
        What the dataset covers.
    first
        The first row of the whole dataset; None where it has none.
    today
        The date in New York.
    """
    open_days = {stamp.date() for stamp in sessions_of(spec, window)}
    without_row = _without_row(spec, first, today)
    covered = {day for held in coverage.clip(window).windows for day in held}
    states: dict[date, DayState] = {}
    for day in window:
        if day in observed:
            states[day] = "present"
        elif day not in open_days:
            states[day] = "closed" if day in covered else "not_covered"
        else:
            states[day] = without_row(day, day in covered)
    return states


def _without_row(spec: DatasetSpec | SignalSpec, first: date | None, today: date) -> Callable[[date, bool], DayState]:
    """Return what names a session without a row, given whether it is covered."""
    if isinstance(spec, SignalSpec):
        return lambda _, covered: "absent" if covered else "not_covered"
    threshold = last_due(spec, today)

    def name(day: date, covered: bool) -> DayState:
        if covered:
            return "source_gap" if first is not None and day >= first else "source_unavailable"
        return "late" if day <= threshold else "not_yet_published"

    return name


def _step(spec: DatasetSpec, day: date, sessions: int, step: timedelta) -> date:
    """Go so many sessions from a day, in one direction; a publisher's days go on when a series of his has ended."""
    while sessions:
        day += step
        sessions -= is_session(spec.calendar, day, spec.special_days)
    return day
