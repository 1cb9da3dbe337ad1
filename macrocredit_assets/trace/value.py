"""The trace of one row: its values, the revision that set them, its run, and what it was read or computed from.

What belongs here: putting together what store, run logs, calendar and origins say of one date.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa

from macrocredit_assets.catalog import Catalog, DatasetSpec, SignalSpec, arrow_schema
from macrocredit_assets.catalog.publication import DayState, day_states
from macrocredit_assets.errors import CorruptFileError, UsageError
from macrocredit_assets.persistence import DatasetStore, Revision, StoredHead
from macrocredit_assets.persistence.run_log import find, read_run
from macrocredit_assets.serving import lacking
from macrocredit_assets.settings import Settings
from macrocredit_assets.stores import open_store
from macrocredit_assets.trace.absence import why_no_row
from macrocredit_assets.trace.changes import RowChange, Values, row_changes
from macrocredit_assets.trace.origins import Origin, origins
from macrocredit_assets.windows import Coverage, Window

__all__ = ["Trace", "TracedInput", "TracedRun", "trace"]


@dataclass(frozen=True)
class TracedRun:
    """A run as far as it is still known.

    Parameters
    ----------
    run_id
        Which one.
    log
        Its run log; None where that was pruned.
    started, status, launched_by
        What the log says of it; None where it is gone or cannot be read.
    """

    run_id: str
    log: Path | None = None
    started: datetime | None = None
    status: str | None = None
    launched_by: str | None = None


@dataclass(frozen=True)
class TracedInput:
    """What a signal saw of an input: its last revision then, 0 where it had none, and when that became known."""

    dataset: str
    revision: int
    known_at: datetime | None


@dataclass(frozen=True)
class Trace:
    """Where a row came from, or why there is none.

    Parameters
    ----------
    name, date, column
        What was asked for; without a column, it is about the whole row.
    state, why
        What the day is, and a sentence about it where it has no row.
    series
        What the numbers are; None where nothing is stored.
    schema
        The stored columns that were asked for, each field with its unit.
    row
        Column -> value; None where there is no row.
    set_by
        Column -> the number of the revision that gave it its value; columns that were not asked for are left out.
    change
        What the last revision that touched the row, or the column, did to it. A migration is passed over: it changes
        how a value is written, and not where it came from.
    run
        Who wrote that revision.
    origins
        Of a market dataset: what its ways said of the day.
    inputs
        Of a signal: what its computation saw.
    history
        All that revisions ever did to the row, or the column, oldest first.
    """

    name: str
    date: date
    column: str | None
    state: DayState
    why: str | None
    series: str | None
    schema: pa.Schema
    row: Values | None
    set_by: Mapping[str, int]
    change: RowChange | None
    run: TracedRun | None
    origins: tuple[Origin, ...]
    inputs: tuple[TracedInput, ...]
    history: tuple[RowChange, ...]

    @property
    def revision(self) -> Revision | None:
        """The revision that last touched the row, or the column."""
        return self.change.revision if self.change else None


def trace(
    settings: Settings, catalog: Catalog, name: str, day: date, column: str | None = None, *, today: date
) -> Trace:
    """Follow a stored row, or one value of it, back to where it came from.

    Parameters
    ----------
    settings, catalog
        Where, and what exists.
    name, day, column
        Which value.
    today
        The date in New York.

    Raises
    ------
    UnknownDatasetError
        If the catalog does not have the dataset.
    UsageError
        If the dataset has no such column.
    CorruptFileError
        If the stored file, or a revision, cannot be read.
    """
    entry = catalog.entry(name)
    store = open_store(settings, entry, as_stored=True)
    head = store.head()
    schema = head.schema if head else arrow_schema(entry)
    if column is not None and column not in schema.names:
        raise UsageError(f"{name} has no column {column}; it has {', '.join(schema.names)}.")
    asked = schema if column is None else pa.schema([schema.field(column)])
    values = _values(store, day) if head else None
    whole = tuple(row_changes(store, Window(day, day)))
    change = _setter(whole, None if values is None else column)
    state = _state(entry, head, day, today, there=values is not None)
    if values is not None:
        why = _why_unknown(entry, change, whole)
    else:
        first = head.first if head else None
        why = _why_taken(change) or why_no_row(
            entry, day, state, today=today, first=first, lacking=lambda: lacking(settings, catalog).get(name)
        )
    return Trace(
        name=name,
        date=day,
        column=column,
        state=state,
        why=why,
        series=head.series if head else None,
        schema=asked,
        row=None if values is None else {each: values[each] for each in asked.names},
        set_by={each: by.revision.number for each in asked.names if values and (by := _setter(whole, each))},
        change=change,
        run=_run(settings, change),
        origins=_origins(settings, entry, change),
        inputs=_inputs(store, day) if isinstance(entry, SignalSpec) else (),
        history=tuple(each for each in whole if _touches(each, column)),
    )


def _state(
    entry: DatasetSpec | SignalSpec, head: StoredHead | None, day: date, today: date, *, there: bool
) -> DayState:
    coverage, first = (head.coverage, head.first) if head else (Coverage(), None)
    return day_states(entry, Window(day, day), (day,) if there else (), coverage, first=first, today=today)[day]


def _values(store: DatasetStore, day: date) -> Values | None:
    rows = store.read(Window(day, day)).to_pylist()
    return {name: value for name, value in rows[0].items() if name != "date"} if rows else None


def _touches(change: RowChange, column: str | None) -> bool:
    return column is None or any(name == column for name, _, _ in change.cells())


def _setter(history: Sequence[RowChange], column: str | None) -> RowChange | None:
    """Return the last change that brought a value, or took the row away."""
    return next(
        (each for each in reversed(history) if each.action != "migrate" and _touches(each, column)),
        None,
    )


def _run(settings: Settings, change: RowChange | None) -> TracedRun | None:
    run_id = change.revision.run_id if change else None
    if run_id is None:
        return None
    log = find(settings.logs_directory, run_id)
    try:
        document = read_run(log) if log else None
    except (CorruptFileError, FileNotFoundError):
        document = None
    if document is None:
        return TracedRun(run_id, log)
    return TracedRun(run_id, log, document.header.started, document.status, document.header.launched_by)


def _origins(settings: Settings, entry: DatasetSpec | SignalSpec, change: RowChange | None) -> tuple[Origin, ...]:
    if change is None or change.new is None or isinstance(entry, SignalSpec):
        return ()
    return origins(settings, entry, change.revision, change.date)


def _inputs(store: DatasetStore, day: date) -> tuple[TracedInput, ...]:
    seen = next((seen for seen in store.seen() if day in seen.window), None)
    if seen is None:
        return ()
    return tuple(TracedInput(name, saw.revision, saw.known_at) for name, saw in sorted(seen.inputs.items()))


def _why_unknown(entry: DatasetSpec | SignalSpec, change: RowChange | None, history: Sequence[RowChange]) -> str | None:
    """Say why nothing is known of where a stored row, or a value of it, came from; None where something is."""
    if change is None and history:
        return "No revision ever brought a value."
    if change is None or change.revision.kind == "adopt":
        return f"{entry.name} was written before revisions were kept: where its rows came from was not noted."
    return None


def _why_taken(change: RowChange | None) -> str | None:
    """Say which revision took a row away that is not there; None where none did."""
    if change is None or change.new is not None:
        return None
    reason = f": {change.revision.reason}" if change.revision.reason else ""
    return f"Revision {change.revision.number} took the row away ({change.action}){reason}."
