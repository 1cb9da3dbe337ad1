"""What the footer of a Parquet file says, without reading its rows: which column is the index, and its extremes."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from macrocredit_assets.errors import CorruptFileError

__all__ = ["Statistics", "index_field", "named_if_unreadable", "open_parquet", "read_statistics"]

_ADVICE = "Restore it from a copy, or move it away and write it again."


@dataclass(frozen=True)
class Statistics:
    """Extent of a dataset's file.

    Parameters
    ----------
    start, end
        First and last date of the index; None where it holds no dates, or no rows.
    row_count
        Number of rows; None where there is no file.
    """

    start: date | None = None
    end: date | None = None
    row_count: int | None = None


@contextmanager
def named_if_unreadable(path: Path, advice: Callable[[Path], str]) -> Iterator[None]:
    """Turn what Arrow raises of a file that it cannot read into an error that names it.

    Parameters
    ----------
    path
        The file.
    advice
        Returns what to do with it, in sentences.

    Raises
    ------
    CorruptFileError
        If it is not Parquet, is cut off, or its pages cannot be decoded.
    """
    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        # Arrow raises a bare OSError for damaged pages; an error of the system has a number
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = " ".join(str(error).split())
        raise CorruptFileError(
            f"{path} is not a readable Parquet file ({reason}). It was left as it is. {advice(path)}"
        ) from error


@contextmanager
def open_parquet(path: Path) -> Iterator[tuple[pa.NativeFile, pq.ParquetFile]]:
    """Open a Parquet file once, so that footer and rows are of the same file even while it is being replaced.

    The file is Arrow's own: its threads may still hold it when the interpreter ends, and one of Python's would then
    take the process down.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    CorruptFileError
        If it is not Parquet, is cut off, or its pages cannot be decoded.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    with named_if_unreadable(path, lambda _: _ADVICE), pa.OSFile(str(path)) as handle:
        yield handle, pq.ParquetFile(handle, pre_buffer=False)


def index_field(schema: pa.Schema) -> pa.Field | None:
    """Return the one column that pandas makes the index, or None (a range, several levels, not written by pandas)."""
    columns = (schema.pandas_metadata or {}).get("index_columns", [])
    if len(columns) != 1 or not isinstance(columns[0], str):
        return None
    field: pa.Field = schema.field(columns[0])
    return field


def read_statistics(path: Path) -> Statistics:
    """Return row count and first and last date of a file, from its footer where the footer tells.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    CorruptFileError
        If it is not Parquet.
    """
    with open_parquet(path) as (_, file):
        rows: int = file.metadata.num_rows
        field = index_field(file.schema_arrow)
        if field is None or not (pa.types.is_timestamp(field.type) or pa.types.is_date(field.type)):
            return Statistics(row_count=rows)
        low, high = _footer_extremes(file, field) or _read_extremes(file, field)
    return Statistics(low, high, rows)


def _footer_extremes(file: pq.ParquetFile, field: pa.Field) -> tuple[date | None, date | None] | None:
    """Return minimum and maximum over the row groups, or None where one that has rows does not say."""
    column = file.schema_arrow.get_field_index(field.name)
    groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
    statistics = [group.column(column).statistics for group in groups if group.num_rows]
    if not statistics or not all(each is not None and each.has_min_max for each in statistics):
        return None
    return (
        _in_zone(min(each.min for each in statistics), field.type),
        _in_zone(max(each.max for each in statistics), field.type),
    )


def _read_extremes(file: pq.ParquetFile, field: pa.Field) -> tuple[date | None, date | None]:
    extremes = pc.min_max(file.read(columns=[field.name]).column(field.name)).as_py()
    return _in_zone(extremes["min"], field.type), _in_zone(extremes["max"], field.type)


def _in_zone(value: date | None, kind: pa.DataType) -> date | None:
    """Return a value in the zone of its column; the footer has it in UTC."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(pa.lib.string_to_tzinfo(kind.tz))
    return value
