"""All revisions of one dataset: append one, find the last, and say what they amount to.

What belongs here: the folder ``<revisions>/<dataset>``, whose files are numbered from 1 without a gap and never change.
What must not be here: the current file, which is their projection (``projection.py``), and locks: who appends holds the
dataset's lock.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from macrocredit_assets.errors import CorruptFileError
from macrocredit_assets.persistence.atomic import sweep_names
from macrocredit_assets.persistence.diff import Delta
from macrocredit_assets.persistence.revision_file import (
    ACTION,
    Revision,
    create_revision,
    delta_of,
    read_revision,
    read_revision_table,
    revision_path,
)
from macrocredit_assets.persistence.rows import Rows
from macrocredit_assets.persistence.schemas import DATE_FIELD
from macrocredit_assets.persistence.snapshots import Snapshots
from macrocredit_assets.persistence.staging import Staging
from macrocredit_assets.windows import Window

__all__ = ["Folded", "Revision", "RevisionLog", "utc_now"]

_DIGITS, _SUFFIX = 8, ".parquet"
_LENGTH = _DIGITS + len(_SUFFIX)


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Folded:
    """All rows after a revision, and that revision; and the number of the snapshot that they were made with, or 0."""

    revision: Revision
    rows: Rows
    snapshot: int = 0


class RevisionLog:
    """The revisions of one dataset.

    Parameters
    ----------
    directory
        Their folder, named as the dataset; it need not exist.
    clock
        What tells the time, aware.
    """

    def __init__(self, directory: Path, clock: Callable[[], datetime] = utc_now) -> None:
        self.directory = directory
        self.snapshots = Snapshots(directory)
        self._clock = clock

    def now(self) -> datetime:
        """Return the time by the clock, in UTC."""
        return self._clock().astimezone(UTC)

    def newest(self) -> int:
        """Return the number of the last revision, 0 where there is none, without listing the folder.

        Numbers have no gap, so doubling and halving finds the end in some twenty questions: 0.04 ms among a thousand
        files, which take ten times as long to list. Where a file was taken away the answer is too low; whoever then
        finds the current file to be another one asks :meth:`numbers`.
        """
        if not self._has(1):
            return 0
        high = 2
        while self._has(high):
            high *= 2
        low = high // 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._has(middle) else (low, middle)
        return low

    def numbers(self) -> range:
        """Return the numbers of all revisions.

        Raises
        ------
        CorruptFileError
            If one is missing before the last.
        """
        return self._numbers(self._names())

    def _names(self) -> list[str]:
        try:
            return os.listdir(self.directory)  # noqa: PTH208 - iterdir() takes twenty times as long: it makes paths
        except FileNotFoundError:
            return []

    def _numbers(self, names: Sequence[str]) -> range:
        found = [
            name for name in names if len(name) == _LENGTH and name.endswith(_SUFFIX) and name[:_DIGITS].isdecimal()
        ]
        # names are as long as each other, so the greatest is that of the last, and two never are the same
        last = int(max(found)[:_DIGITS]) if found else 0
        if len(found) < last:
            missing = sorted(set(range(1, last)) - {int(name[:_DIGITS]) for name in found})
            raise CorruptFileError(
                f"Of the {last} revisions in {self.directory} {len(missing)} are missing, the first of them "
                f"{self._path(missing[0]).name}. Nothing was changed. Restore the files from a copy."
            )
        return range(1, last + 1)

    def head(self, number: int) -> Revision:
        """Return what one revision says of itself."""
        return read_revision(self._path(number))

    def find(self, number: int) -> Revision | None:
        """Return what one revision says of itself; None where it does not exist."""
        return self.head(number) if self._has(number) else None

    def last(self) -> Revision | None:
        """Return the last revision; None where there is none."""
        number = self.newest()
        return self.head(number) if number else None

    def heads(self) -> Iterator[Revision]:
        """Yield all revisions, the newest first."""
        return (self.head(number) for number in reversed(self.numbers()))

    def known(self, moment: datetime) -> Revision | None:
        """Return the last revision that was known at a moment; None where there was none.

        Raises
        ------
        ValueError
            If the moment has no time zone.
        CorruptFileError
            If a revision is missing before the last.
        """
        if moment.tzinfo is None:
            raise ValueError(f"{moment.isoformat()} is no instant without its time zone; write {moment.isoformat()}Z.")
        # an answer from before a gap would be wrong without anyone noticing
        low, high = 0, len(self.numbers()) + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.head(middle).known_at <= moment else (low, middle)
        return self.head(low) if low else None

    def append(
        self,
        files: Staging,
        delta: Delta,
        describe: Callable[[int, datetime], Revision],
        *,
        known_at: datetime | None = None,
    ) -> Revision:
        """Write the next revision; the caller holds the dataset's lock.

        What killed writers of other revisions left is swept: the next one has another name.

        Parameters
        ----------
        files
            What it is written with, as its commit.
        delta
            The touched rows.
        describe
            Makes the head from the number and the instant that it gets.
        known_at
            When the rows became known, where that is not now. A clock that went backwards never puts a revision before
            the one that it follows.
        """
        names = self._names()
        number = len(self._numbers(names))
        sweep_names(self.directory, names)
        now = self.now()
        moment = now if known_at is None else min(now, known_at)
        if number:
            moment = max(moment, self.head(number).known_at)
        revision = describe(number + 1, moment)
        create_revision(files, self.directory, revision, delta)
        return revision

    def fold(self, number: int, *, snapshots: bool = False) -> Folded:
        """Return all rows after a revision.

        With ``snapshots`` they may come from one, and have to be held against the hash that the revision states.
        """
        base = self.snapshots.newest(number) if snapshots else 0
        head, tables = self.head(number), []
        for each in range(number, base, -1):
            revision, table = read_revision_table(self._path(each))
            tables.append(table)
            if revision.begins_anew:
                base = 0
                break
        if base:
            table = self.snapshots.read(self.head(base))
            if table is None:
                self.snapshots.remove(base)
                return self.fold(number)
            tables.append(table)
        # the newest stands first and has all columns: others may only be added without beginning anew
        table = pa.concat_tables(tables, promote_options="default")
        delta = delta_of(table, self.directory)
        # of equal dates unique() gives the first
        _, first = np.unique(delta.rows.days, return_index=True)
        return Folded(head, delta.rows.take(first[~delta.withdrawn[first]]), base)

    def rows(self, window: Window | None, after: int) -> pa.Table:
        """Return what the revisions after one say of the dates of a window, oldest first.

        The columns are ``revision``, ``known_at``, ``action``, ``date``, then the values.
        """
        parts = []
        for number in self.numbers()[after:]:
            head, table = read_revision_table(self._path(number))
            if window is not None:
                where = delta_of(table, self._path(number)).rows.locate(window.start, window.end)
                table = table.slice(where.start, where.stop - where.start)
            table = table.add_column(0, _KNOWN_AT, _repeated(head.known_at, len(table), _KNOWN_AT))
            table = table.add_column(0, _REVISION, _repeated(number, len(table), _REVISION))
            parts.append(table.select([*_ROWS.names, *head.schema.names]))
        # a column may have been of another type before a migration
        return pa.concat_tables(parts, promote_options="permissive") if parts else _ROWS.empty_table()

    def _path(self, number: int) -> Path:
        return revision_path(self.directory, number)

    def _has(self, number: int) -> bool:
        # twenty of them are asked for; a path takes three times as long as the answer
        return os.path.lexists(f"{self.directory}{os.sep}{number:0{_DIGITS}d}{_SUFFIX}")


_REVISION = pa.field("revision", pa.int64(), nullable=False)
_KNOWN_AT = pa.field("known_at", pa.timestamp("us", tz="UTC"), nullable=False)
_ROWS = pa.schema([_REVISION, _KNOWN_AT, pa.field(ACTION, pa.string(), nullable=False), DATE_FIELD])


def _repeated(value: object, times: int, field: pa.Field) -> pa.Array:
    return pa.repeat(pa.scalar(value, field.type), times)
