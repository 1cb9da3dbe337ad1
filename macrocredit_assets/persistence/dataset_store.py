"""One dataset's windows: write them in any order, read them back.

What belongs here: :class:`DatasetStore`, and the steps of a write. A write reads what is stored, merges (``diff.py``),
and commits, in three separate steps under the lock of the file; the layout of the file is in ``dataset_file.py``. What
must not be here: the catalog, calendars, and whether the rows are plausible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from macrocredit_assets.errors import OutsideWindowError, SchemaMismatchError, SeriesMismatchError, StoreError
from macrocredit_assets.persistence.atomic import locked
from macrocredit_assets.persistence.dataset_file import (
    StoredHead,
    read_head,
    read_rows,
    read_table,
    remedy,
    write_rows,
)
from macrocredit_assets.persistence.diff import CHANGES_KEPT, Merge, merge
from macrocredit_assets.persistence.records import WriteResult
from macrocredit_assets.persistence.rows import Rows, rows_from_frame
from macrocredit_assets.persistence.schemas import DATE, schema_mismatches
from macrocredit_assets.windows import Coverage, Window

__all__ = ["CHANGES_KEPT", "DatasetStore", "StoredHead"]


class DatasetStore:
    """The rows of one dataset, and the windows that they answer.

    Parameters
    ----------
    path
        The dataset's Parquet file; its stem is the dataset's name. It need not exist.
    schema
        The columns without ``date``, each field's metadata with ``unit`` and ``decimals``. None opens the store for
        reading, whatever columns the file has.

    Examples
    --------
    >>> import tempfile
    >>> schema = pa.schema([pa.field("close", pa.float64(), metadata={"unit": "index points"})])
    >>> frame = pd.DataFrame({"close": [82.69]}, index=pd.DatetimeIndex(["2020-03-16"], name="date"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = DatasetStore(Path(folder) / "vix.parquet", schema)
    ...     result = store.write(Window.parse("2020-03-14", "2020-03-16"), frame, series="cboe:VIX")
    ...     print(result.inserted, store.head().coverage, store.read_frame().loc["2020-03-16", "close"])
    1 2020-03-14..2020-03-16 82.69
    """

    def __init__(self, path: Path, schema: pa.Schema | None = None) -> None:
        self.path = path.absolute()
        self.schema = schema

    def __repr__(self) -> str:
        return f"DatasetStore({str(self.path)!r})"

    @property
    def name(self) -> str:
        """Name of the dataset: the stem of its file."""
        return self.path.stem

    def head(self) -> StoredHead | None:
        """Return what the file's footer says, reading nothing else; None where there is no file.

        Raises
        ------
        CorruptFileError
            If the file is no Parquet, or was not written by this package for this dataset.
        """
        return read_head(self.path)

    def read(self, window: Window | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        """Read rows as a table: ``date``, then the columns asked for. No lock is taken.

        Parameters
        ----------
        window
            Dates to read, both ends included; None reads all. Only the row groups that have them are touched.
        columns
            Columns to read, in this order; None reads all. ``date`` always comes, first.

        Raises
        ------
        FileNotFoundError
            If nothing was ever written.
        KeyError
            If a column does not exist; it names those that do.
        SchemaMismatchError
            If the store was opened with a schema and the file has another one: numbers would be in other units.
        CorruptFileError
            As :meth:`head`.
        """
        head = self.head()
        if head is not None and self.schema is not None:
            self._refuse_other_schema(head, self.schema)
        return read_table(self.path, window, columns)

    def read_frame(self, window: Window | None = None, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Read as :meth:`read` does, into a frame whose index ``date`` is a ``datetime64[us]``.

        An integer column in which a value is missing becomes a float, as always in pandas.
        """
        frame: pd.DataFrame = self.read(window, columns).to_pandas()
        return frame.set_index(DATE)

    def write(
        self,
        window: Window,
        frame: pd.DataFrame,
        *,
        series: str,
        answered: Coverage | None = None,
        replace: bool = False,
    ) -> WriteResult:
        """Add and restate the rows of a window.

        What happens to a row inside the window: a new one is inserted; one that differs from the stored one, bit for
        bit, replaces it; a stored one that did not come is kept and counted as ``vanished``, and so is a stored value
        over which a missing one came. With ``replace`` the window's rows become exactly those of the frame, and stored
        ones that did not come are ``withdrawn``. Rows outside the window are never touched. Writing the same data in
        any order of windows gives the same bytes.

        A frame without rows is an answer too: it is covered, and a dataset that has none yet becomes a file of zero
        rows. If neither rows nor coverage change, nothing is written. Other processes may write other windows at the
        same time; each write waits for the one before. A write that fails leaves the file as it was.

        Parameters
        ----------
        window
            The dates that were asked for.
        frame
            Index of unique dates (naive, midnight, any resolution), exactly the columns of the schema.
        series
            What the numbers are (``fred:DGS10``).
        answered
            The dates of the window that are covered by this write; None means all of them. With ``replace``, the other
            dates of the window are no longer covered afterwards.
        replace
            Whether stored rows of the window that are not in the frame are withdrawn: for signals.

        Raises
        ------
        SchemaMismatchError
            If frame, stored file and schema differ; it names every difference.
        SeriesMismatchError
            If another series is stored.
        OutsideWindowError
            If the frame has rows outside the window.
        CorruptFileError
            If the stored file cannot be read, or was changed by something else.
        StoreError
            If the store was opened without a schema.
        """
        schema = self._writable_schema()
        incoming = rows_from_frame(frame, schema, self.name)
        self._refuse_rows_outside(incoming, window)
        answered = Coverage((window,)) if answered is None else answered.clip(window)
        with locked(self.path):
            stored = self._load(schema, series, window)
            merged = merge(stored.rows, incoming, window, schema, replace=replace)
            kept = _without(stored.coverage, window) if replace else stored.coverage
            return self._commit(stored, merged, kept.union(answered), schema, series)

    def _load(self, schema: pa.Schema, series: str, window: Window) -> _Stored:
        found = read_rows(self.path)
        if found is None:
            return _Stored(None, Rows.none(len(schema)), Coverage())
        head, rows = found
        self._refuse_other_schema(head, schema)
        if head.series != series:
            raise SeriesMismatchError(
                f"{self.name!r} holds the series {head.series} ({head.row_count} rows, {head.first} to {head.last}); "
                f"rows of {series} were to be written for {window}, and one dataset holds one series. "
                f"Nothing was written. Choose a profile that serves {head.series}, or start over with the other "
                f"series. {remedy(self.path)}"
            )
        order = [head.schema.names.index(name) for name in schema.names]
        return _Stored(head, Rows(rows.days, rows.bits[:, order], rows.valid[:, order]), head.coverage)

    def _commit(
        self, stored: _Stored, merged: Merge, coverage: Coverage, schema: pa.Schema, series: str
    ) -> WriteResult:
        head = stored.head
        written = head is None or merged.alters or coverage != head.coverage
        if head is None or written:
            head = write_rows(self.path, merged.rows, series=series, coverage=coverage, schema=schema)
        return WriteResult(
            path=self.path,
            written=written,
            inserted=merged.inserted,
            changed=merged.changed,
            unchanged=merged.unchanged,
            vanished=merged.vanished,
            withdrawn=merged.withdrawn,
            changes=merged.changes,
            row_count=head.row_count,
            first=head.first,
            last=head.last,
            coverage=head.coverage,
            content_hash=head.content_hash,
        )

    def _writable_schema(self) -> pa.Schema:
        if self.schema is None:
            raise StoreError(f"{self!r} was opened without a schema, for reading; give it one to write.")
        return self.schema

    def _refuse_rows_outside(self, incoming: Rows, window: Window) -> None:
        inside = incoming.locate(window.start, window.end)
        outside = len(incoming) - (inside.stop - inside.start)
        if outside:
            raise OutsideWindowError(
                f"{outside} of {len(incoming)} rows for {self.name!r} lie outside the window {window} that is being "
                f"written: the rows run from {incoming.date(0)} to {incoming.date(-1)}. Nothing was written. Trim the "
                "frame to the window, or write a window that has all of them."
            )

    def _refuse_other_schema(self, head: StoredHead, schema: pa.Schema) -> None:
        mismatches = schema_mismatches(head.schema, schema)
        if mismatches:
            raise SchemaMismatchError(
                f"{self.path} has another schema than the catalog gives {self.name!r}; it was left as it is:\n"
                + "\n".join(f"  - {mismatch}" for mismatch in mismatches)
                + "\nUndo the change in the catalog, or fetch the rows under the new one. "
                + remedy(self.path, head.coverage)
            )


@dataclass(frozen=True)
class _Stored:
    head: StoredHead | None
    rows: Rows
    coverage: Coverage


def _without(coverage: Coverage, window: Window) -> Coverage:
    return Coverage.of(hole for covered in coverage.windows for hole in Coverage((window,)).holes(covered).windows)
