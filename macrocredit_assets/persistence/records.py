"""The record of one materialization: made once, by whoever writes, and read by metadata, registry and run log alike.

What belongs here: frozen dataclasses of plain values. Who turns them into JSON: ``run_log.py``; into Dagster metadata
and registry entries: ``orchestration``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Literal

from macrocredit_assets.findings import Finding
from macrocredit_assets.windows import Coverage, Window

__all__ = ["AssetRecord", "Change", "ErrorInfo", "Provenance", "Seen", "SeenInput", "WriteResult"]


@dataclass(frozen=True)
class Change:
    """One stored value that a write replaced."""

    date: date
    column: str
    old: float | int | None
    new: float | int | None


@dataclass(frozen=True)
class SeenInput:
    """How far an input's revisions had come when a signal read it.

    Parameters
    ----------
    revision
        Number of its last revision; 0 where it had none.
    known_at
        When that revision became known, aware, in UTC.
    """

    revision: int
    known_at: datetime | None


@dataclass(frozen=True)
class Seen:
    """What the rows of one window of a signal were computed from.

    Parameters
    ----------
    window
        The dates.
    inputs
        Input -> what was seen of it.
    definition
        A hash of the signal's definition; None where that was not recorded.
    """

    window: Window
    inputs: Mapping[str, SeenInput]
    definition: str | None = None


@dataclass(frozen=True)
class Provenance:
    """Where the rows of a write come from; kept with the revision, never in the current file.

    Parameters
    ----------
    run_id
        The run that writes.
    ways
        How the rows came, such as ``("file:vix.csv",)``.
    inputs
        For a signal: what it saw of each input.
    reason
        Why, in the words of whoever asked for a switch or a migration.
    definition
        For a signal: a hash of the definition that it was computed by.
    landing
        Where the answers lie that the rows were read from: POSIX paths below the data directory.
    accepted
        Rules in spite of which rows are stored -> their dates; kept beside the revisions, see ``accepted.py``.
    """

    run_id: str | None = None
    ways: tuple[str, ...] = ()
    inputs: Mapping[str, SeenInput] = field(default_factory=dict)
    reason: str | None = None
    definition: str | None = None
    landing: tuple[str, ...] = ()
    accepted: Mapping[str, Coverage] = field(default_factory=dict)


@dataclass(frozen=True)
class WriteResult:
    """What a write did to one dataset's file.

    Parameters
    ----------
    path
        Absolute path of the file.
    written
        Whether bytes changed; False where neither rows nor coverage did.
    inserted, changed, unchanged, vanished
        Numbers of rows inside the window: new; stored with another value; stored and equal; stored but absent from what
        came (kept), where its date was answered. A cell that came empty where a value is stored counts its row as
        vanished, and is kept; if another value of the row was restated, the row counts as changed as well.
    withdrawn
        Rows removed: where a signal's window was replaced, where it was asked for, and those of a series that a switch
        closed.
    changes
        Old and new values, the last ``CHANGES_KEPT`` of them, in the order of their dates.
    row_count, first, last
        Of the whole file after the write; None where it has no row.
    coverage
        Of the whole file after the write.
    content_hash
        Hash of all rows, ``sha256:...``; the same rows have the same hash whatever the order of writes.
    revision, known_at
        Number and instant of the revision that this write made; None where it changed no row.
    vanished_dates
        The last ``CHANGES_KEPT`` dates of the vanished rows.
    added_columns
        Columns of the schema that the stored file lacked: empty in the rows that were not fetched again.
    inserted_dates
        The last ``CHANGES_KEPT`` dates of the inserted rows.
    """

    path: Path
    written: bool
    inserted: int
    changed: int
    unchanged: int
    vanished: int
    withdrawn: int
    changes: tuple[Change, ...]
    row_count: int
    first: date | None
    last: date | None
    coverage: Coverage
    content_hash: str
    revision: int | None = None
    known_at: datetime | None = None
    vanished_dates: tuple[date, ...] = ()
    added_columns: tuple[str, ...] = ()
    inserted_dates: tuple[date, ...] = ()


@dataclass(frozen=True)
class ErrorInfo:
    """What a failed step said."""

    type: str
    message: str


@dataclass(frozen=True)
class AssetRecord:
    """Everything one run knows of one dataset.

    ``result`` and what describes the fetch are None or empty where ``error`` says why they are missing: the step
    failed, or it was skipped because another one did. ``retries`` is how often the run tried again after a failure that
    might pass. ``landing`` is where the answers lie that its rows were read from: POSIX paths below the data directory.
    """

    dataset: str
    window: Window | None
    status: Literal["written", "unchanged", "failed", "skipped"]
    series: str | None = None
    ways: tuple[str, ...] = ()
    rows_read: int | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)
    result: WriteResult | None = None
    findings: tuple[Finding, ...] = ()
    accepted: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    retries: int = 0
    error: ErrorInfo | None = None
    landing: tuple[str, ...] = ()
