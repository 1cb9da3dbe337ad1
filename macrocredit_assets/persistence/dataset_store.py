"""One dataset's windows: write them in any order, read them back, as they are or as they were known.

What belongs here: :class:`DatasetStore`, which says what a caller can ask for. How a write is done: ``writer.py``; how
revisions and current file belong together: ``projection.py``. What must not be here: the catalog, calendars, and
whether the rows are plausible.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as pa

from macrocredit_assets.errors import CorruptFileError, StoreError
from macrocredit_assets.persistence.accepted import Accepted, end_accepted, read_accepted, record_accepted
from macrocredit_assets.persistence.atomic import locked
from macrocredit_assets.persistence.current import OneFile, Readable
from macrocredit_assets.persistence.diff import CHANGES_KEPT
from macrocredit_assets.persistence.frames import frame_of
from macrocredit_assets.persistence.projection import Projection
from macrocredit_assets.persistence.records import Provenance, Seen, WriteResult
from macrocredit_assets.persistence.revisions import Revision, RevisionLog, utc_now
from macrocredit_assets.persistence.seen import read_seen
from macrocredit_assets.persistence.stored_head import StoredHead
from macrocredit_assets.persistence.writer import Writer, WriteRequest, refuse_other_schema
from macrocredit_assets.persistence.year_files import YearFiles
from macrocredit_assets.windows import Coverage, Window

__all__ = ["CHANGES_KEPT", "DatasetStore", "StoredHead"]

_NOTHING_TOLD = Provenance()


class DatasetStore:
    """The rows of one dataset, the windows that they answer, and how they came to be.

    Parameters
    ----------
    path
        The dataset's Parquet file; its stem is the dataset's name. It need not exist.
    schema
        The columns without ``date``, each field's metadata with ``unit`` and ``decimals``. None opens the store for
        reading, whatever columns the file has.
    revisions
        Folder of the dataset's revisions; None means ``data/revisions/x`` for ``data/raw/x.parquet``.
    chunk
        ``year`` keeps one file per year, ``x/2024.parquet`` beside where ``x.parquet`` would be: for wide tables, of
        which a write then replaces only the years of its window. All else is the same.
    clock
        What tells the time, aware, for the instants at which revisions become known.

    Examples
    --------
    >>> import tempfile
    >>> schema = pa.schema([pa.field("close", pa.float64(), metadata={"unit": "index points"})])
    >>> frame = pd.DataFrame({"close": [82.69]}, index=pd.DatetimeIndex(["2020-03-16"], name="date"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = DatasetStore(Path(folder) / "raw" / "vix.parquet", schema)
    ...     result = store.write(Window.parse("2020-03-14", "2020-03-16"), frame, series="cboe:VIX")
    ...     print(result.inserted, store.head().coverage, store.read_frame().loc["2020-03-16", "close"])
    1 2020-03-14..2020-03-16 82.69
    """

    def __init__(
        self,
        path: Path,
        schema: pa.Schema | None = None,
        *,
        revisions: Path | None = None,
        chunk: Literal["year"] | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.path = path.absolute()
        self.schema = schema
        self.chunk = chunk
        directory = self.path.parent.parent / "revisions" / self.name if revisions is None else revisions.absolute()
        self._log = RevisionLog(directory, clock)
        current = OneFile(self.path) if chunk is None else YearFiles(self.path.with_suffix(""))
        self._projection = Projection(self.path, current, self._log)

    def __repr__(self) -> str:
        return f"DatasetStore({str(self.path)!r})"

    @property
    def name(self) -> str:
        """Name of the dataset: the stem of its file."""
        return self.path.stem

    def head(self) -> StoredHead | None:
        """Return what the file's footer says, reading nothing else; None where nothing was ever written.

        Raises
        ------
        CorruptFileError
            If the file is no Parquet, or was not written by this package for this dataset.
        """
        return self._projection.look(lambda at: (head := at.head(), head))

    def read(
        self,
        window: Window | None = None,
        columns: Sequence[str] | None = None,
        *,
        as_of: datetime | None = None,
        checked: bool = False,
    ) -> pa.Table:
        """Read rows as a table: ``date``, then the columns asked for.

        No lock is taken, save where a writer died between its commit and the file: the reader then finishes its work,
        or computes what the file would hold if it may not write.

        Parameters
        ----------
        window
            Dates to read, both ends included; None reads all. Only the row groups that have them are touched.
        columns
            Columns to read, in this order; None reads all. ``date`` always comes, first. A column of the schema that
            the file does not have yet comes empty.
        as_of
            Read the rows, values and columns that were known at this instant, which has a time zone; None reads those
            that are known now.
        checked
            Hold the current rows against their hash first, which reads whole files.

        Raises
        ------
        FileNotFoundError
            If nothing was ever written.
        NotCoveredError
            If nothing was known at that instant.
        KeyError
            If a column does not exist; it names those that do.
        SchemaMismatchError
            If the store was opened with a schema and the file has another one: numbers would be in other units.
        CorruptFileError
            As :meth:`head`, or if the file is that of no revision; ``checked``, also if rows were changed in it. Of an
            earlier moment: if revisions are missing that may have been known then; the file itself does not matter.
        """
        if checked:
            self._projection.current.rows(window)

        def look(at: Readable) -> tuple[StoredHead | None, pa.Table | None]:
            return self._found(at, window, columns) or (None, None)

        table = self._projection.look(look) if as_of is None else self._projection.look_as_of(look, as_of)
        if table is None:
            raise FileNotFoundError(f"Nothing was ever written to {self._projection.current.path}.")
        return table

    def read_current(
        self, window: Window | None = None, columns: Sequence[str] | None = None
    ) -> tuple[StoredHead, pa.Table] | None:
        """Return what :meth:`head` and :meth:`read` return, both of the same file; None where nothing was ever written.

        Raises
        ------
        KeyError, SchemaMismatchError, CorruptFileError
            As :meth:`read`.
        """

        def look(at: Readable) -> tuple[StoredHead | None, tuple[StoredHead, pa.Table] | None]:
            found = self._found(at, window, columns)
            return (found[0], found) if found else (None, None)

        return self._projection.look(look)

    def read_frame(
        self,
        window: Window | None = None,
        columns: Sequence[str] | None = None,
        *,
        as_of: datetime | None = None,
        checked: bool = False,
    ) -> pd.DataFrame:
        """Read as :meth:`read` does, into a frame whose index ``date`` is a ``datetime64[us]``.

        An integer column in which a value is missing becomes a float, as always in pandas.
        """
        return frame_of(self.read(window, columns, as_of=as_of, checked=checked))

    def revisions(self, newest: int | None = None) -> tuple[Revision, ...]:
        """Return the heads of all revisions, or only so many of the newest, oldest first."""
        return tuple(islice(self._log.heads(), newest))[::-1]

    def last_revision(self) -> Revision | None:
        """Return the head of the last revision, without looking at the others; None where there is none."""
        return self._log.last()

    def revision(self, number: int) -> Revision | None:
        """Return the head of one revision; None where there is none of this number."""
        return self._log.find(number)

    def revision_as_of(self, moment: datetime) -> Revision | None:
        """Return the head of the last revision known at an instant, which has a time zone, or None."""
        return self._log.known(moment)

    def revision_rows(self, window: Window | None = None, after: int = 0) -> pa.Table:
        """Return what the revisions after a number did to the dates of a window, oldest first.

        The columns are ``revision``, ``known_at``, ``action`` (``insert``, ``change`` or ``withdraw``), ``date``, then
        the values after it. A column has a null where a revision did not know it.
        """
        return self._log.rows(window, after)

    def seen(self) -> tuple[Seen, ...]:
        """Return what each window of a signal saw of its inputs, as disjoint windows in their order."""
        return read_seen(self._log.directory)

    def accepted(self) -> tuple[Accepted, ...]:
        """Return which findings on the stored rows were accepted, the oldest first.

        An acceptance ends on the dates whose rows a write changes, inserts or withdraws, and with a switch of series;
        a migration leaves it.

        Raises
        ------
        CorruptFileError
            If the record cannot be read.
        """
        return read_accepted(self._log.directory)

    def accept(self, rule: str, dates: Coverage, *, reason: str | None = None, run_id: str | None = None) -> None:
        """Record that findings of a rule on some dates were accepted, as far as they were not before.

        Raises
        ------
        CorruptFileError
            If the record cannot be read; it stays as it is.
        """
        with locked(self.path):
            record_accepted(self._log.directory, Accepted(rule, dates, run_id, self._log.now(), reason))

    def withdraw_accepted(self, rule: str, dates: Coverage) -> Coverage:
        """Take some dates out of what was accepted of a rule, and return those that had been.

        Raises
        ------
        CorruptFileError
            If the record cannot be read; it stays as it is.
        """
        with locked(self.path):
            return end_accepted(self._log.directory, dates, rule)

    def write(
        self,
        window: Window,
        frame: pd.DataFrame,
        *,
        series: str,
        answered: Coverage | None = None,
        replace: bool = False,
        withdraw: bool = False,
        switch: bool = False,
        provenance: Provenance = _NOTHING_TOLD,
    ) -> WriteResult:
        """Write the rows of one window; safe beside other writers, and whole or not at all.

        What becomes of rows:

        - inside the window, new or with another value: stored. Equality is judged bit for bit.
        - stored, inside the window, absent from ``frame``: kept and, where its date was answered, counted as vanished;
          or with ``replace`` withdrawn. So too where a single value comes empty.
        - ``frame`` without rows: an answer as any other. The first one creates a file of zero rows.
        - rows outside the window: refused, all of them.
        - two processes: windows that differ are both stored; of the same window the later wins.

        Whatever changes is appended to the revisions first. Where neither rows nor coverage change, nothing is written:
        bytes and modification time stay. Where only coverage grows, the same rows are written with the new coverage,
        and there is no revision.

        Parameters
        ----------
        window
            The dates that are being written.
        frame
            One row per date, in any order, with exactly the columns of the schema.
        series
            What the numbers are; the stored series must be the same.
        answered
            The dates that count as covered afterwards, as far as they lie in the window; None means all of it.
        replace
            The window's rows become exactly those of ``frame``, and its coverage ``answered``. For signals, whose rows
            follow from others; never for what was fetched.
        withdraw
            Stored rows of answered dates leave the current file if they did not come. For data that were fetched, where
            somebody has asked for it by name.
        switch
            Where another series is stored, close it: all its rows leave the current file and stay in the revisions.
            Needs a reason in ``provenance``.
        provenance
            Where the rows come from.

        Raises
        ------
        OutsideWindowError
            If a row lies outside the window.
        SeriesMismatchError
            If the dataset holds another series and no switch was asked for.
        SchemaMismatchError
            If the frame does not have the schema, or the stored file has another one; an added column is none.
        StoreError
            If the store was opened without a schema, or a switch has no reason.
        CorruptFileError
            If the stored file cannot be read, or is that of no revision; nothing is written over it.
        """
        request = WriteRequest(window, series, answered, replace, withdraw, switch, provenance)
        return Writer(self._projection, self.path, self._writable_schema()).write(request, frame)

    def migrate(self, provenance: Provenance = _NOTHING_TOLD) -> WriteResult:
        """Rewrite all rows under the store's schema, as one revision.

        Columns that the schema does not have are dropped, those that the file does not have come empty, types and
        units are converted. Reads as of an earlier moment give the columns, types and units of that moment. Where the
        file has the schema already, nothing is written.

        Raises
        ------
        FileNotFoundError
            If nothing was ever written.
        StoreError
            If the store was opened without a schema, or a column cannot be converted without loss; nothing was written.
        """
        return Writer(self._projection, self.path, self._writable_schema()).migrate(provenance)

    def repair(self) -> bool:
        """Bring the current file in line with the last revision, and return whether anything was done.

        A file that is behind is rolled forward. One that cannot be read, or is that of no revision, is set aside as
        ``<name>.parquet.aside`` and projected anew. One without any revision becomes the first.

        Raises
        ------
        CorruptFileError
            If the rows cannot be had back: the file is damaged and there is no revision, or revisions are missing.
        """
        with locked(self.path):
            return self._projection.repair()

    def verify(self) -> StoredHead | None:
        """Read every row and every revision, and return the head; None where nothing was ever written.

        Nothing is brought forward, and nothing else is written.

        Raises
        ------
        CorruptFileError
            If rows or revisions are not those of their hashes or missing, or the file is not that of the last revision.
        """
        try:
            return self._projection.verify()
        except CorruptFileError:
            with locked(self.path):  # a writer may just have been between its two steps
                return self._projection.verify()

    def _found(
        self, at: Readable, window: Window | None, columns: Sequence[str] | None
    ) -> tuple[StoredHead, pa.Table] | None:
        found = at.table(window, columns, self.schema)
        if found is not None and self.schema is not None:
            refuse_other_schema(self._projection.current.path, found[0], self.schema)
        return found

    def _writable_schema(self) -> pa.Schema:
        if self.schema is None:
            raise StoreError(f"{self!r} was opened without a schema, for reading; give it one to write.")
        return self.schema
