"""The current rows as what they are: the projection of the revisions, which are the commits.

What belongs here: telling whether the two are apart, and rolling the current rows forward. A writer that dies between
its commit and the projection leaves them apart; the next writer, reader or repair brings them together. What must not
be here: what a write does to rows (``dataset_store.py``, ``diff.py``), and how files look.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from macrocredit_assets.errors import CorruptFileError, NotCoveredError, SchemaMismatchError, StoreError
from macrocredit_assets.persistence.atomic import locked, sync_directory
from macrocredit_assets.persistence.current import WHOLE, Current, InMemory, Loaded, OneFile, Readable, is_same_content
from macrocredit_assets.persistence.diff import Delta
from macrocredit_assets.persistence.records import Provenance
from macrocredit_assets.persistence.revision_file import Kind, Revision
from macrocredit_assets.persistence.revisions import Folded, RevisionLog
from macrocredit_assets.persistence.rows import Rows
from macrocredit_assets.persistence.staging import Staging, staged
from macrocredit_assets.persistence.stored_head import StoredHead, remedy
from macrocredit_assets.persistence.year_files import YearFiles
from macrocredit_assets.windows import Window

__all__ = ["Projection"]

_Seen = TypeVar("_Seen")

#: What a look at rows gives: their head, and whatever was looked for.
_Look = Callable[[Readable], tuple[StoredHead | None, _Seen]]


class Projection:
    """The current rows of a dataset beside its revisions.

    Parameters
    ----------
    path
        The path to which the dataset's lock belongs; its stem is the dataset's name.
    current
        The current rows.
    revisions
        The revisions.
    """

    def __init__(self, path: Path, current: Current, revisions: RevisionLog) -> None:
        self.current = current
        self.revisions = revisions
        self._path = path

    def look(self, look: _Look[_Seen]) -> _Seen:
        """Look at the current rows; where they are behind, bring them forward first, or look at what they should be.

        No lock is taken where they are not behind, and none by who may not write.
        """
        try:
            head, seen = look(self.current)
            if not self._is_apart(head):
                return seen
        except (KeyError, SchemaMismatchError):
            # a column may be missing, or have another unit, because the current rows are behind
            if not self._is_apart(self.current.head()):
                raise
        try:
            with locked(self._path):
                # a writer may just have been between its two steps: settle() asks again
                self.settle()
                return look(self.current)[1]
        except OSError as error:
            if error.errno not in {errno.EACCES, errno.EPERM, errno.EROFS}:
                raise
            return look(self._in_memory(self.revisions.numbers()[-1]))[1]

    def look_as_of(self, look: _Look[_Seen], moment: datetime) -> _Seen:
        """Look at the rows that were known at a moment.

        Raises
        ------
        ValueError
            If the moment has no time zone.
        NotCoveredError
            If nothing was known then.
        CorruptFileError
            If revisions are missing that may have been known then. The current rows may be damaged.
        """
        revision = self.revisions.known(moment)
        if revision is None:
            return self._look_before_revisions(look, moment)
        try:
            head = self.current.head()
            if head is not None and is_same_content(head, revision):
                # most questions are about the last revision; a writer may be on the way to the next one
                head, seen = look(self.current)
                if head is not None and is_same_content(head, revision):
                    return seen
        except CorruptFileError:
            head = None  # the revisions have no gap, and are enough
        is_last = self.revisions.find(revision.number + 1) is None
        # one that was taken away after the last was known later than it: earlier moments are answered all the same
        if is_last and head is not None and not self._is_known(head):
            raise self._of_no_revision()
        return look(self._in_memory(revision.number))[1]

    def load(self, window: Window | None, expected: pa.Schema | None = None) -> Loaded | None:
        """Read the rows that a write in a window may touch, in line with the last revision; the caller holds the lock.

        Rows that are behind are rolled forward first, and rows without any revision become the first one. None where
        nothing was ever written.

        Raises
        ------
        CorruptFileError
            If the rows are damaged, or those of no revision.
        """
        try:
            found = self.current.rows(window, expected)
            behind = self._is_apart(None if found is None else found.head)
        except CorruptFileError:
            # what is behind is written anew in any case; what is not, says what is wrong with it once more
            behind = True
        if behind:
            self.settle()
            found = self.current.rows(window, expected)
        if found is not None:
            self.adopt()
        return found

    def settle(self) -> None:
        """Roll the current rows forward where they are behind; the caller holds the lock.

        Raises
        ------
        CorruptFileError
            If the current rows are those of no revision: something else has changed them.
        """
        head = self.current.head()
        if not self._is_apart(head):
            return
        if head is not None and not self._is_known(head):
            raise self._of_no_revision()
        self._project()

    def adopt(self) -> None:
        """Take current rows that have no revision as the first one; the caller holds the lock.

        They were written before revisions were kept. They are known since the file was written at the latest.
        """
        if self.revisions.newest() or self.revisions.numbers():
            return
        found = self.current.rows(None)
        if found is None:
            return
        empty = Rows.none(len(found.head.schema))
        delta, known_at = Delta.of(found.rows, empty, empty), self.current.written_at()
        with staged() as files:
            self.commit(files, found.head, delta, kind="adopt", known_at=known_at)

    def commit(
        self,
        files: Staging,
        head: StoredHead,
        delta: Delta,
        *,
        kind: Kind,
        window: Window | None = None,
        provenance: Provenance | None = None,
        closed: int = 0,
        known_at: datetime | None = None,
    ) -> Revision:
        """Append the revision after which the current rows are those of ``head``; the caller holds the lock.

        It is there once ``files`` are in their places; the current rows that follow from it are among them already.

        ``closed`` counts the rows of another series that leave the current rows with it.
        """
        told = provenance or Provenance()
        inserted, changed, withdrawn = delta.counts
        return self.revisions.append(
            files,
            delta,
            lambda number, moment: Revision(
                dataset=head.dataset,
                number=number,
                known_at=moment,
                kind=kind,
                series=head.series,
                window=window,
                coverage=head.coverage,
                content_hash=head.content_hash,
                inserted=inserted,
                changed=changed,
                withdrawn=withdrawn + closed,
                run_id=told.run_id,
                ways=told.ways,
                reason=told.reason,
                schema=head.schema,
                landing=told.landing,
            ),
            known_at=known_at,
        )

    def compact(self, revision: Revision, row_count: int) -> None:
        """Write a snapshot after a revision where one is due; the caller holds the lock.

        The rows are those of the revisions, not of the current file, and have their hash. Where that fails the write
        has happened all the same, and reads as of its moment take longer.
        """
        if self.revisions.snapshots.is_due(revision.number, row_count, len(revision.schema)):
            with suppress(CorruptFileError, OSError):
                self.revisions.snapshots.write(revision, self._in_memory(revision.number).all_rows)

    def repair(self) -> bool:
        """Bring the current rows in line with the last revision, whatever stands there; the caller holds the lock.

        Rows that are those of no revision, or cannot be read, are set aside and projected anew. Rows without any
        revision are adopted. Return whether anything was done.

        Raises
        ------
        CorruptFileError
            If the current rows cannot be read and there is no revision, or if revisions are missing or damaged.
        """
        if not self.revisions.numbers():
            self.adopt()
            return bool(self.revisions.newest())
        last = self.revisions.head(self.revisions.newest())
        try:
            found = self.current.rows(None)
            if found is not None and is_same_content(found.head, last):
                return False
            self.settle()
        except CorruptFileError:
            self._in_memory(last.number)  # nothing is moved before it is known that the rows can be had back
            self.current.set_aside()
            self._project()
        return True

    def verify(self) -> StoredHead | None:
        """Hold every row and every revision against their hashes, and the current rows against the last revision.

        Return their head; None where there is nothing. Nothing is written.

        Raises
        ------
        CorruptFileError
            If anything is not as it should be.
        StoreError
            If the rows stand in the other layout.
        """
        numbers = self.revisions.numbers()
        last = self._in_memory(numbers[-1], snapshots=False).stored if numbers else None
        found = self.current.rows(None)
        head = None if found is None else found.head
        if head is None:
            self._refuse_other_layout()
        if last is not None and (head is None or not is_same_content(head, last)):
            if head is not None and not self._is_known(head):
                raise self._of_no_revision()
            state, does = ("does not exist", "writes it anew") if head is None else ("is behind", "rolls it forward")
            raise CorruptFileError(
                f"Of {self._path.stem!r} there are {len(numbers)} revisions, and {self.current.path} {state}: a writer "
                f"died before it was done, or something else has changed it. `macrocredit registry verify --repair` "
                f"{does}."
            )
        return head

    def _is_apart(self, head: StoredHead | None) -> bool:
        if head is None:
            self._refuse_other_layout()
        last = self.revisions.last()
        return last is not None and (head is None or not is_same_content(head, last))

    def _of_no_revision(self) -> CorruptFileError:
        return CorruptFileError(
            f"The rows in {self.current.path} are those of none of the {len(self.revisions.numbers())} revisions in "
            f"{self.revisions.directory}: something else than this package has changed the file, or has taken "
            f"revisions away. It was left as it is. {remedy(self.current.path)}"
        )

    def _other_layout(self) -> Current:
        folder = self._path.with_suffix("")
        return YearFiles(folder) if self.current.path == self._path else OneFile(self._path)

    def _refuse_other_layout(self) -> None:
        other = self._other_layout().path
        if other.exists():
            raise self._layout_changed(f"stand in {other}, and are looked for in {self.current.path}")

    def _layout_changed(self, what: str) -> StoreError:
        return StoreError(
            f"The rows of {self._path.stem!r} {what}: `chunk` was changed in the catalog. Nothing was written. Undo "
            "the change in the catalog: changing the layout of stored rows is not supported yet."
        )

    def _is_known(self, head: StoredHead) -> bool:
        """Tell whether the current rows are those of a revision, or what a writer left on the way to the last one."""
        if any(is_same_content(head, revision) for revision in self.revisions.heads()):
            return True
        number = self.revisions.newest()
        after = self.revisions.fold(number)
        before = self.revisions.fold(number - 1) if number > 1 else None
        return self.current.is_between(before, after)

    def _project(self) -> None:
        folded = self._in_memory(self.revisions.numbers()[-1])
        # a writer that was killed may have given the revision its name without making it durable, and what follows
        # from a revision must not outlast it
        sync_directory(self.revisions.directory)
        with staged() as files:
            self.current.write(files, folded.all_rows, WHOLE, folded.stored)

    def _in_memory(self, number: int, *, snapshots: bool = True) -> InMemory:
        folded = self.revisions.fold(number, snapshots=snapshots)
        head = _planned(self.current, folded)
        stated = folded.revision.content_hash
        if head.content_hash == stated:
            return InMemory(head, folded.rows)
        if folded.snapshot:
            # in the other layout the hash is another one, and the snapshot right
            if _planned(self._other_layout(), folded).content_hash != stated:
                self.revisions.snapshots.remove(folded.snapshot)
            return self._in_memory(number, snapshots=False)
        other = self._other_layout()
        if _planned(other, folded).content_hash == stated:
            raise self._layout_changed(f"were written to {other.path}, and are looked for in {self.current.path}")
        raise CorruptFileError(
            f"The rows of the revisions 1 to {number} in {self.revisions.directory} do not have the hash that "
            f"revision {number} states: something else than this package has changed them. They were left as they "
            "are. Restore them from a copy."
        )

    def _look_before_revisions(self, look: _Look[_Seen], moment: datetime) -> _Seen:
        if first := self.revisions.find(1):
            since = f"it is known since {first.known_at.isoformat()} (revision 1)."
        else:
            head, seen = look(self.current)
            if head is None:
                since = "nothing was written yet."
            elif self.current.written_at() <= moment:
                return seen
            else:
                written = self.current.written_at().isoformat()
                since = f"its file, which has no revision yet, was written at {written}."
        raise NotCoveredError(f"Nothing of {self._path.stem!r} was known as of {moment.isoformat()}; {since}")


def _planned(layout: Current, folded: Folded) -> StoredHead:
    revision = folded.revision
    return layout.plan(folded.rows, WHOLE, series=revision.series, coverage=revision.coverage, schema=revision.schema)
