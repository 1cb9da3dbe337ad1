"""How each dataset stands: what is stored, which sessions are missing, how late it is, which days are stale.

What belongs here: one frozen answer per dataset, from files alone - the heads of stored files, their revisions, and the
registry and run logs for the last run. Dagster's opinion is not asked: its colours say that a run asked, coverage says
what came of it. How the answer looks is in ``cli``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Literal

import numpy as np

from macrocredit_assets.catalog import DatasetSpec, SignalSpec, arrow_schema
from macrocredit_assets.catalog.publication import awaited, last_due
from macrocredit_assets.errors import MacrocreditError
from macrocredit_assets.failures import LastFailure, last_failures
from macrocredit_assets.freshness import freshness
from macrocredit_assets.holdings import Days, Holdings
from macrocredit_assets.persistence import DataRegistry, DatasetEntry, StoredHead
from macrocredit_assets.persistence.schemas import schema_mismatches
from macrocredit_assets.staleness import count_days, counting_days, missing, stale
from macrocredit_assets.windows import EARLIEST, Coverage, Window

__all__ = ["DatasetStatus", "LastRun", "Span", "State", "statuses"]

State = Literal["complete", "late", "missing", "stale", "never ingested", "not served", "migrate", "unreadable"]

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """A window to fill, and how many days of it have something to be filled in: sessions, in most cases."""

    window: Window
    days: int


@dataclass(frozen=True)
class LastRun:
    """The run that wrote or checked a dataset last, as the registry has it."""

    run_id: str
    at: str


@dataclass(frozen=True)
class DatasetStatus:
    """How one dataset stands.

    Parameters
    ----------
    name, kind
        Which dataset.
    state
        The worst that can be said of it.
    series
        What its numbers are; None where nothing is stored.
    rows, first, last
        Of the stored file.
    coverage
        What was asked for and answered.
    holes
        What is missing: of a market dataset, sessions since the start of its coverage whose rows are due; of a signal,
        days that its inputs cover.
    awaited
        Sessions without a row that are not due yet.
    gaps
        Covered sessions, since the first row, for which the source had none: its affair, and nothing to be filled.
    days_late
        For how many days the first session after the end of the coverage has been overdue.
    stale
        Days of a signal whose inputs were revised since.
    last_run
        The run that wrote or checked it last.
    error
        Why its file cannot be read, how its columns differ from the catalog's, or why the profile cannot serve it.
    failure
        Why the newest run that touched it did not write it; None where that run did. It says nothing of the state: what
        was not there in the morning may not be due before the evening.
    """

    name: str
    kind: Literal["market", "signal"]
    state: State
    series: str | None = None
    rows: int = 0
    first: date | None = None
    last: date | None = None
    coverage: Coverage = field(default_factory=Coverage)
    holes: tuple[Span, ...] = ()
    awaited: int = 0
    gaps: int = 0
    days_late: int = 0
    stale: tuple[Span, ...] = ()
    last_run: LastRun | None = None
    error: str | None = None
    failure: LastFailure | None = None

    @property
    def missing_sessions(self) -> int:
        """How many sessions are missing."""
        return sum(hole.days for hole in self.holes)

    @property
    def stale_days(self) -> int:
        """How many days are stale."""
        return sum(span.days for span in self.stale)

    @property
    def wanting(self) -> bool:
        """Whether there is anything to be filled."""
        return self.state not in ("complete", "not served")


def statuses(
    holdings: Holdings,
    names: Sequence[str],
    *,
    today: date,
    unserved: Callable[[], Mapping[str, str]] = dict,
) -> tuple[DatasetStatus, ...]:
    """Return how datasets stand.

    Parameters
    ----------
    holdings
        What is stored.
    names
        The datasets.
    today
        The date in New York.
    unserved
        Returns what the profile cannot serve, with reasons; asked only where a dataset has nothing.
    """
    settings = holdings.settings
    registered = DataRegistry(settings.registry_path, settings.data_directory).entries()
    failures = last_failures(settings.logs_directory, names)
    found = [
        replace(_status(holdings, name, registered.get(name), today), failure=failures.get(name)) for name in names
    ]
    if any(status.state == "never ingested" for status in found):
        reasons = unserved()
        found = [_served(status, reasons) for status in found]
    return tuple(found)


def _status(holdings: Holdings, name: str, registered: DatasetEntry | None, today: date) -> DatasetStatus:
    entry = holdings.catalog.entry(name)
    run = _last_run(registered)
    try:
        head = holdings[name].head
        holes = _holes(holdings, entry, today)
        old = _stale(holdings, entry, today)
        waiting, gaps = _waiting(holdings, entry, today), _gaps(holdings, entry)
        days_late = freshness(holdings, name, today).days_late
    except MacrocreditError as error:
        return DatasetStatus(name, entry.kind, "unreadable", last_run=run, error=str(error))
    mismatch = _mismatch(entry, head)
    return DatasetStatus(
        name=name,
        kind=entry.kind,
        state="migrate" if mismatch else _state(holdings[name].coverage, holes, old, days_late),
        series=head.series if head else None,
        rows=head.row_count if head else 0,
        first=head.first if head else None,
        last=head.last if head else None,
        coverage=holdings[name].coverage,
        holes=holes,
        awaited=waiting,
        gaps=gaps,
        days_late=days_late,
        stale=old,
        last_run=run,
        error=mismatch,
    )


def _mismatch(entry: DatasetSpec | SignalSpec, head: StoredHead | None) -> str | None:
    """Return why no rows can be written before a migration, or None."""
    differences = schema_mismatches(head.schema, arrow_schema(entry)) if head else []
    if not differences:
        return None
    return f"{'; '.join(differences)}. Nothing can be written before: macrocredit migrate {entry.name}"


def _state(coverage: Coverage, holes: Sequence[Span], old: Sequence[Span], days_late: int) -> State:
    if days_late:
        return "late"
    if holes:
        return "missing"
    if old:
        return "stale"
    return "complete" if coverage else "never ingested"


def _holes(holdings: Holdings, entry: DatasetSpec | SignalSpec, today: date) -> tuple[Span, ...]:
    start, end = EARLIEST, today - _DAY
    if isinstance(entry, DatasetSpec):
        coverage = holdings[entry.name].coverage
        # what was never asked for before the first window is not missing
        start = max(EARLIEST, coverage.windows[0].start) if coverage else today
        end = last_due(entry, today)
    if start > end:
        return ()
    return _spans(holdings, entry, missing(holdings, entry.name, Window(start, end)))


def _stale(holdings: Holdings, entry: DatasetSpec | SignalSpec, today: date) -> tuple[Span, ...]:
    # older rows than the first partition cannot be computed again
    return _spans(holdings, entry, stale(holdings, entry.name, Window(EARLIEST, today - _DAY)))


def _spans(holdings: Holdings, entry: DatasetSpec | SignalSpec, windows: Coverage) -> tuple[Span, ...]:
    if not windows:
        return ()
    days = counting_days(holdings, entry, Window(windows.windows[0].start, windows.windows[-1].end))
    return tuple(Span(window, count_days(days, window)) for window in windows.windows)


def _waiting(holdings: Holdings, entry: DatasetSpec | SignalSpec, today: date) -> int:
    coverage = holdings[entry.name].coverage
    if isinstance(entry, SignalSpec) or not coverage:
        return 0
    recent = Window(last_due(entry, today), today - _DAY)
    return sum(day not in coverage for day in awaited(entry, recent, (), today))


def _gaps(holdings: Holdings, entry: DatasetSpec | SignalSpec) -> int:
    held = holdings[entry.name]
    if isinstance(entry, SignalSpec) or held.head is None or held.head.first is None or held.head.last is None:
        return 0
    end = max(held.head.last, held.coverage.windows[-1].end)
    expected = _within(counting_days(holdings, entry, Window(held.head.first, end)), held.coverage)
    return len(expected) - len(np.intersect1d(expected, held.days))


def _within(days: Days, coverage: Coverage) -> Days:
    edges = [np.datetime64(edge) for window in coverage.windows for edge in (window.start, window.end + _DAY)]
    # between an even and an odd edge lies a covered window
    inside: Days = days[np.searchsorted(np.array(edges), days, side="right") % 2 == 1]
    return inside


def _last_run(registered: DatasetEntry | None) -> LastRun | None:
    metadata = registered.metadata if registered else {}
    run_id = metadata.get("run_id")
    if registered is None or not isinstance(run_id, str):
        return None
    return LastRun(run_id, str(metadata.get("last_checked") or registered.last_updated or ""))


def _served(status: DatasetStatus, unserved: Mapping[str, str]) -> DatasetStatus:
    if status.state != "never ingested" or status.name not in unserved:
        return status
    return replace(status, state="not served", error=unserved[status.name])
