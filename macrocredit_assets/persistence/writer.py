"""The steps of a write: load what is stored, merge, commit; all under the lock of the dataset.

What belongs here: those steps, and what is refused. Which of two values wins: ``diff.py``. A commit is a revision, then
the current rows as its projection: ``projection.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa

from macrocredit_assets.errors import OutsideWindowError, SchemaMismatchError, SeriesMismatchError, StoreError
from macrocredit_assets.persistence.accepted import Accepted, end_accepted, read_accepted, record_accepted
from macrocredit_assets.persistence.atomic import locked
from macrocredit_assets.persistence.current import WHOLE, Part, is_same_content
from macrocredit_assets.persistence.diff import Merge, merge
from macrocredit_assets.persistence.migration import convert
from macrocredit_assets.persistence.projection import Projection
from macrocredit_assets.persistence.records import Provenance, WriteResult
from macrocredit_assets.persistence.revision_file import Kind, Revision
from macrocredit_assets.persistence.rows import Rows, rows_from_frame
from macrocredit_assets.persistence.schemas import added_columns, schema_mismatches
from macrocredit_assets.persistence.seen import record_seen
from macrocredit_assets.persistence.staging import staged
from macrocredit_assets.persistence.stored_head import StoredHead
from macrocredit_assets.windows import Coverage, Window

__all__ = ["WriteRequest", "Writer", "refuse_other_schema"]

_EVER = Window(date.min, date.max)


@dataclass(frozen=True)
class WriteRequest:
    """What :meth:`~macrocredit_assets.persistence.dataset_store.DatasetStore.write` is asked for, save the rows."""

    window: Window
    series: str
    answered: Coverage | None
    replace: bool
    withdraw: bool
    switch: bool
    provenance: Provenance


class Writer:
    """One write to one dataset.

    Parameters
    ----------
    projection
        The dataset.
    path
        Its path, to which its lock belongs.
    schema
        The columns to write.
    """

    def __init__(self, projection: Projection, path: Path, schema: pa.Schema) -> None:
        self._projection = projection
        self._path = path
        self._name = path.stem
        self._schema = schema

    def write(self, request: WriteRequest, frame: pd.DataFrame) -> WriteResult:
        """Write rows."""
        if request.switch and not request.provenance.reason:
            raise StoreError(
                f"To close the stored series of {self._name!r} for another one a reason is needed: give it with "
                "--reason TEXT. Nothing was written."
            )
        incoming = rows_from_frame(frame, self._schema, self._name)
        self._refuse_rows_outside(incoming, request.window)
        window = request.window
        answered = Coverage((window,)) if request.answered is None else request.answered.clip(window)
        with locked(self._path):
            stored = self._load(request)
            merged = merge(
                stored.rows,
                incoming,
                window,
                self._schema,
                answered=answered,
                replace=request.replace,
                withdraw=request.withdraw,
            )
            kept = stored.coverage.without(Coverage((window,))) if request.replace else stored.coverage
            self._end_accepted(merged, switched=stored.kind == "switch")
            result = self._commit(stored, merged, kept.union(answered), request)
            self._record_accepted(request.provenance)
            if request.provenance.inputs:
                record_seen(
                    self._projection.revisions.directory,
                    window,
                    request.provenance.inputs,
                    definition=request.provenance.definition,
                    anew=stored.kind == "switch",
                )
            return result

    def _end_accepted(self, merged: Merge, *, switched: bool) -> None:
        directory = self._projection.revisions.directory
        if read_accepted(directory):
            days = [_EVER] if switched else [Window(day, day) for day in merged.delta.rows.days.tolist()]
            end_accepted(directory, Coverage.of(days))

    def _record_accepted(self, provenance: Provenance) -> None:
        for rule, dates in provenance.accepted.items():
            revisions = self._projection.revisions
            accepted = Accepted(rule, dates, provenance.run_id, revisions.now(), provenance.reason)
            record_accepted(revisions.directory, accepted)

    def migrate(self, provenance: Provenance) -> WriteResult:
        """Rewrite the stored rows under the schema."""
        with locked(self._path):
            found = self._projection.load(None)
            if found is None:
                raise FileNotFoundError(f"Nothing was ever written to {self._projection.current.path}.")
            before, rows = found.head, found.rows
            added = added_columns(before.schema, self._schema)
            if not added and not schema_mismatches(before.schema, self._schema):
                return self._result(before, Merge.of_nothing(rows), None, written=False)
            rows = convert(rows, before.schema, self._schema, self._name)
            head = self._plan(rows, WHOLE, before.series, before.coverage)
            merged = Merge.of_everything(rows)
            with staged() as files:
                self._projection.current.write(files, rows, WHOLE, head)
                revision = self._projection.commit(files, head, merged.delta, kind="migrate", provenance=provenance)
            return self._result(head, merged, revision, written=True, added=added)

    def _load(self, request: WriteRequest) -> _Stored:
        found = self._projection.load(request.window, self._schema)
        if found is None:
            return _Stored(None, Rows.none(len(self._schema)), Coverage())
        head = found.head
        if head.series != request.series:
            if not request.switch:
                raise self._series_mismatch(head, request)
            return _Stored(head, Rows.none(len(self._schema)), Coverage(), kind="switch", closed=head.row_count)
        refuse_other_schema(self._projection.current.path, head, self._schema)
        rows = found.rows.under(head.schema.names, self._schema.names)
        return _Stored(head, rows, head.coverage, found.part)

    def _commit(self, stored: _Stored, merged: Merge, coverage: Coverage, request: WriteRequest) -> WriteResult:
        before = stored.head
        head = self._plan(merged.rows, stored.part, request.series, coverage)
        revision = None
        changes = before is None or not is_same_content(before, head)
        written = changes or before is None or before.coverage != coverage
        with staged() as files:
            if written:
                self._projection.current.write(files, merged.rows, stored.part, head)
            if changes:
                revision = self._projection.commit(
                    files,
                    head,
                    merged.delta,
                    kind=stored.kind,
                    window=request.window,
                    provenance=request.provenance,
                    closed=stored.closed,
                )
        if revision:
            self._projection.compact(revision, head.row_count)
        added = added_columns(before.schema, self._schema) if before else ()
        return self._result(head, merged, revision, written=written, added=added, closed=stored.closed)

    def _plan(self, rows: Rows, part: Part, series: str, coverage: Coverage) -> StoredHead:
        return self._projection.current.plan(rows, part, series=series, coverage=coverage, schema=self._schema)

    def _result(
        self,
        head: StoredHead,
        merged: Merge,
        revision: Revision | None,
        *,
        written: bool,
        added: tuple[str, ...] = (),
        closed: int = 0,
    ) -> WriteResult:
        return WriteResult(
            path=self._projection.current.path,
            written=written,
            inserted=merged.inserted,
            changed=merged.changed,
            unchanged=merged.unchanged,
            vanished=merged.vanished,
            withdrawn=merged.withdrawn + closed,
            changes=merged.changes,
            row_count=head.row_count,
            first=head.first,
            last=head.last,
            coverage=head.coverage,
            content_hash=head.content_hash,
            revision=None if revision is None else revision.number,
            known_at=None if revision is None else revision.known_at,
            vanished_dates=merged.vanished_dates,
            inserted_dates=merged.inserted_dates,
            added_columns=added,
        )

    def _refuse_rows_outside(self, incoming: Rows, window: Window) -> None:
        inside = incoming.locate(window.start, window.end)
        outside = len(incoming) - (inside.stop - inside.start)
        if outside:
            raise OutsideWindowError(
                f"{outside} of {len(incoming)} rows for {self._name!r} lie outside the window {window} that is being "
                f"written: the rows run from {incoming.date(0)} to {incoming.date(-1)}. Nothing was written. Trim the "
                "frame to the window, or write a window that has all of them."
            )

    def _series_mismatch(self, head: StoredHead, request: WriteRequest) -> SeriesMismatchError:
        window = request.window
        return SeriesMismatchError(
            f"{self._name!r} holds the series {head.series} ({head.row_count} rows, {head.first} to {head.last}); "
            f"rows of {request.series} were to be written for {window}, and one dataset holds one series. Nothing was "
            f"written. Choose a profile that serves {head.series}, or close it; its rows leave the file and stay in "
            f"the revisions: `macrocredit backfill {self._name} --start {window.start} --end {window.end} "
            "--switch-series --reason TEXT`"
        )


def refuse_other_schema(path: Path, head: StoredHead, schema: pa.Schema) -> None:
    """Raise :class:`SchemaMismatchError` where rows under a schema are not comparable with the stored ones."""
    mismatches = schema_mismatches(head.schema, schema)
    if mismatches:
        raise SchemaMismatchError(
            f"{path} has another schema than the catalog gives {path.stem!r}; it was left as it is:\n"
            + "\n".join(f"  - {mismatch}" for mismatch in mismatches)
            + "\nUndo the change in the catalog, or rewrite the stored rows under the new schema: "
            f"`macrocredit migrate {path.stem}`"
        )


@dataclass(frozen=True)
class _Stored:
    """What a write meets: the rows that it may touch, and which part of the dataset they are."""

    head: StoredHead | None
    rows: Rows
    coverage: Coverage
    part: Part = WHOLE
    kind: Kind = "write"
    closed: int = 0
