"""Why a date has no row, in a sentence or two, with the command that brings it where there is one.

What belongs here: the wording of what calendar, coverage and profile say. What a revision took away is in ``value.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from macrocredit_assets.catalog import DatasetSpec, SignalSpec
from macrocredit_assets.catalog.publication import DayState, due
from macrocredit_assets.windows import EARLIEST

__all__ = ["why_no_row"]


def why_no_row(
    entry: DatasetSpec | SignalSpec,
    day: date,
    state: DayState,
    *,
    today: date,
    first: date | None,
    lacking: Callable[[], str | None],
) -> str:
    """Say why there is no row.

    Parameters
    ----------
    entry, day, state
        Of what, and for which day, of which state.
    today
        The date in New York.
    first
        The first stored row; None where there is none.
    lacking
        Returns why a run cannot bring the dataset here, None where it can; asked only where a run could help.
    """
    if isinstance(entry, DatasetSpec) and entry.ended and day > entry.ended:
        return f"The series ended on {entry.ended}: no later day has a row."
    match state:
        case "closed":
            return f"The day was asked for. It is a {day:%A}, and no session of the calendar {entry.calendar}."
        case "source_gap":
            return f"A session of {entry.calendar} that was asked for: the source had no value."
        case "source_unavailable":
            begins = f"its rows begin on {first}" if first else "there is no row at all"
            return f"The day was asked for, and the source had nothing so early: {begins}."
        case "absent":
            return "The day was computed, and has no value: an input has no row that day, or too few rows before it."
        case "not_yet_published":
            return f"Not due yet: its row must be there by the end of {_due(entry, day)}."
    if day >= today:
        return f"The day is not over yet: today is {today} in New York."
    if day < EARLIEST:
        return _before_runs(entry)
    why = (
        f"Late: its row had to be there by the end of {_due(entry, day)}."
        if state == "late"
        else "The day was never asked for."
    )
    if reason := lacking():
        return f"{why} No run can bring it here: {reason}. See: macrocredit doctor"
    return f"{why} Run: macrocredit backfill {entry.name} --start {day} --end {day}"


def _before_runs(entry: DatasetSpec | SignalSpec) -> str:
    begin = f"Runs begin on {EARLIEST}: no source is asked for earlier days."
    if isinstance(entry, SignalSpec):
        return f"{begin} A signal is not computed for them."
    return f"{begin} Rows before come from a file. Run: macrocredit ingest {entry.name} --history FILE"


def _due(entry: DatasetSpec | SignalSpec, day: date) -> date:
    return due(entry, day) if isinstance(entry, DatasetSpec) else day
