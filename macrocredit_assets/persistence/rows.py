"""The rows of one dataset as plain arrays, and their hash: the form in which frames are compared.

What belongs here: between pandas, Arrow and arrays, without loss. What must not: files, windows that were asked for,
or which of two values wins (``diff.py``).

Every stored column is a ``float64`` or an ``int64``, both of eight bytes. One matrix of their *bits* therefore holds a
whole frame, and two frames are equal, bit for bit, where two integer matrices are: no tolerance, no NaN that differs
from itself, and a volume above 2**53 keeps its last digit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from macrocredit_assets.errors import SchemaMismatchError
from macrocredit_assets.persistence.schemas import DATE_FIELD, frame_mismatches, kinds_of

__all__ = ["Rows", "content_hash", "join", "rows_from_frame", "rows_from_table", "rows_to_table"]

Days: TypeAlias = npt.NDArray[np.datetime64]

#: The bits of a column, and where there is a value.
_Column: TypeAlias = tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]

#: A NaN in a frame is a missing value, whatever its bits; missing values have no bits of their own.
_NO_VALUE = 0


@dataclass(frozen=True)
class Rows:
    """Rows sorted by date, one per date.

    Parameters
    ----------
    days
        ``datetime64[D]``, strictly ascending, shape ``(n,)``.
    bits
        The eight bytes of each value as ``int64``, zero where there is none, shape ``(n, columns)``.
    valid
        Whether there is a value, shape ``(n, columns)``.
    """

    days: Days
    bits: npt.NDArray[np.int64]
    valid: npt.NDArray[np.bool_]

    @classmethod
    def none(cls, columns: int) -> Rows:
        """Return no rows of so many columns."""
        return cls(np.empty(0, "datetime64[D]"), np.empty((0, columns), np.int64), np.empty((0, columns), np.bool_))

    def __len__(self) -> int:
        return len(self.days)

    def take(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.intp] | slice) -> Rows:
        """Return some of the rows, by mask, by ascending position or by slice."""
        return Rows(self.days[which], self.bits[which], self.valid[which])

    def blank(self) -> Rows:
        """Return the same dates without values."""
        return Rows(self.days, np.zeros_like(self.bits), np.zeros_like(self.valid))

    def under(self, names: Sequence[str], wanted: Sequence[str]) -> Rows:
        """Return the rows, whose columns are ``names``, with the columns ``wanted``; empty where there is none."""
        if list(names) == list(wanted):
            return self
        bits, valid = np.zeros((len(self), len(wanted)), np.int64), np.zeros((len(self), len(wanted)), np.bool_)
        for position, name in enumerate(wanted):
            if name in names:
                bits[:, position] = self.bits[:, names.index(name)]
                valid[:, position] = self.valid[:, names.index(name)]
        return Rows(self.days, bits, valid)

    def locate(self, start: date, end: date) -> slice:
        """Return where the rows of a closed range of dates stand."""
        low = np.searchsorted(self.days, np.datetime64(start, "D"), side="left")
        high = np.searchsorted(self.days, np.datetime64(end, "D"), side="right")
        return slice(int(low), int(high))

    def date(self, row: int) -> date:
        """Return the date of one row."""
        return date.fromisoformat(str(self.days[row]))

    def value(self, row: int, column: int, dtype: pa.DataType) -> float | int | None:
        """Return one cell as a plain value."""
        if not self.valid[row, column]:
            return None
        bits = self.bits[row, column]
        return int(bits) if pa.types.is_integer(dtype) else float(bits.view(np.float64))


def join(parts: Sequence[Rows]) -> Rows:
    """Put rows of the same columns one after the other, as they come."""
    return Rows(
        np.concatenate([part.days for part in parts]),
        np.concatenate([part.bits for part in parts]),
        np.concatenate([part.valid for part in parts]),
    )


def rows_from_frame(frame: pd.DataFrame, schema: pa.Schema, dataset: str) -> Rows:
    """Take the rows of a frame that has exactly the columns of a schema, in any order of rows and columns.

    Raises
    ------
    SchemaMismatchError
        Naming every way in which the frame differs from what is stored: index, columns, types, duplicated dates.
    """
    mismatches = frame_mismatches(frame, schema)
    if mismatches:
        raise SchemaMismatchError(
            f"The frame to be written to {dataset!r} does not have the dataset's schema; nothing was written:\n"
            + "\n".join(f"  - {mismatch}" for mismatch in mismatches)
            + "\nGive it an index of dates and one column per field of the catalog entry; `macrocredit datasets` "
            "lists them."
        )
    ordered = frame if frame.index.is_monotonic_increasing else frame.sort_index()
    days = ordered.index.to_numpy().astype("datetime64[D]")
    if set(schema.types) == {pa.float64()} and set(ordered.dtypes) == {np.dtype(np.float64)}:
        # a thousand columns one by one take pandas forty milliseconds
        same = ordered if list(ordered.columns) == schema.names else ordered[schema.names]
        bits, valid = _from_floats(same.to_numpy().T)
        return Rows(days, bits.T, valid.T)
    return _stack(days, [_column_from_pandas(ordered[field.name], field.type) for field in schema])


def rows_from_table(table: pa.Table) -> Rows:
    """Take the rows of a table whose first column is ``date`` and whose others are numbers of eight bytes."""
    days = table.column(0).to_numpy().astype("datetime64[D]")
    return _stack(days, [_column_from_arrow(column) for column in table.columns[1:]])


def rows_to_table(rows: Rows, schema: pa.Schema) -> pa.Table:
    """Return rows as a table: ``date``, then the columns of ``schema``; null where there is no value."""
    # one array holds all columns one after the other, and each column is a slice of it: a thousand take half the time
    cells, gaps = np.ascontiguousarray(rows.bits.T).ravel(), np.ascontiguousarray(~rows.valid.T).ravel()
    missing = gaps if gaps.any() else None
    whole = {kind: pa.array(cells.view(kind.to_pandas_dtype()), kind, mask=missing) for kind in set(schema.types)}
    columns = [whole[kind].slice(position * len(rows), len(rows)) for position, kind in enumerate(schema.types)]
    days = pa.array(rows.days.astype("datetime64[us]"), DATE_FIELD.type)
    return pa.Table.from_arrays([days, *columns], schema=schema.remove_metadata().insert(0, DATE_FIELD))


def content_hash(rows: Rows, schema: pa.Schema) -> str:
    r"""Return the hash of dates and values, ``sha256:...``: the same rows have the same hash in any file layout.

    It is the SHA-256 of the dates as microseconds since 1970 (little-endian int64), followed, for each column in
    order of its name, by the line ``name:type``, one byte per row (1 where there is a value), and eight little-endian
    bytes per row (zero where there is none). To compute it again from a file::

        table = pyarrow.parquet.read_table(path)
        digest = hashlib.sha256(table["date"].to_numpy().astype("<M8[us]").tobytes())
        for name in sorted(set(table.column_names) - {"date"}):
            column, kind = table[name], {"double": "float64"}.get(str(table[name].type), str(table[name].type))
            digest.update(f"{name}:{kind}\n".encode())
            digest.update(column.is_valid().to_numpy().astype("u1").tobytes())
            digest.update(column.fill_null(0).to_numpy().astype(f"<{kind[0]}8").tobytes())
        print("sha256:" + digest.hexdigest())
    """
    digest = hashlib.sha256(rows.days.astype("<M8[us]").tobytes())
    # each column in one piece
    valid, bits = np.ascontiguousarray(rows.valid.T, "u1"), np.ascontiguousarray(rows.bits.T, "<i8")
    for (name, kind), position in sorted((column, position) for position, column in enumerate(kinds_of(schema))):
        digest.update(f"{name}:{kind}\n".encode())
        digest.update(valid[position])
        digest.update(bits[position])
    return f"sha256:{digest.hexdigest()}"


def _stack(days: Days, columns: Sequence[_Column]) -> Rows:
    # each column in one piece: whatever is done with rows is done column by column
    bits, valid = np.empty((len(columns), len(days)), np.int64), np.empty((len(columns), len(days)), np.bool_)
    for position, (values, there) in enumerate(columns):
        bits[position], valid[position] = values, there
    return Rows(days, bits.T, valid.T)


def _column_from_pandas(column: pd.Series, dtype: pa.DataType) -> _Column:
    if pa.types.is_integer(dtype):
        return column.to_numpy(np.int64, na_value=_NO_VALUE), column.notna().to_numpy(np.bool_)
    return _from_floats(column.to_numpy(np.float64, na_value=np.nan))


def _from_floats(values: npt.NDArray[np.float64]) -> _Column:
    valid = ~np.isnan(values)
    return np.where(valid, np.ascontiguousarray(values).view(np.int64), _NO_VALUE), valid


def _column_from_arrow(column: pa.ChunkedArray) -> _Column:
    if not column.null_count:
        return column.to_numpy().view(np.int64), np.ones(len(column), np.bool_)
    return pc.fill_null(column, _NO_VALUE).to_numpy().view(np.int64), pc.is_valid(column).to_numpy()
