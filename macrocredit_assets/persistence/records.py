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

__all__ = ["AssetRecord", "Change", "ErrorInfo", "SeenInput", "WriteResult"]


@dataclass(frozen=True)
class Change:
    """One stored value that a write replaced."""

    date: date
    column: str
    old: float | int | None
    new: float | int | None


@dataclass(frozen=True)
class SeenInput:
    """As of which of its revisions a signal saw an input; ``known_at`` is the revision's instant, UTC."""

    revision: int
    known_at: datetime | None


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
        came (kept). A cell that came empty where a value is stored counts its row as vanished, and is kept; if another
        value of the row was restated, the row counts as changed as well.
    withdrawn
        Rows removed: only where a signal's window was replaced.
    changes
        Old and new values, at most ``CHANGES_KEPT`` of them.
    row_count, first, last
        Of the whole file after the write; None where it has no row.
    coverage
        Of the whole file after the write.
    content_hash
        Hash of all rows, ``sha256:...``; the same rows have the same hash whatever the order of writes.
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


@dataclass(frozen=True)
class ErrorInfo:
    """What a failed step said."""

    type: str
    message: str


@dataclass(frozen=True)
class AssetRecord:
    """Everything one run knows of one dataset.

    ``result`` and what describes the fetch are None or empty where ``error`` says why they are missing: the step
    failed, or it was skipped because another one did.
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
    error: ErrorInfo | None = None
