"""Frames in and out of Parquet files: one frame, one file, no knowledge of datasets.

What must not live here: windows, coverage and revisions of a dataset (``dataset_store.py``).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from macrocredit_assets.persistence.atomic import is_private, replacing
from macrocredit_assets.persistence.bounds import Moment, resolve_bounds
from macrocredit_assets.persistence.footer import index_field, open_parquet
from macrocredit_assets.persistence.json_plain import to_plain
from macrocredit_assets.persistence.paths import StrPath, absolute

__all__ = ["COMPRESSIONS", "list_parquet_files", "load_parquet", "save_parquet"]

#: What ``save_parquet`` compresses with.
COMPRESSIONS = ("snappy", "gzip", "zstd", "brotli", "lz4", "none")


def save_parquet(df: pd.DataFrame, path: StrPath, compression: str | None = "snappy", index: bool = True) -> Path:
    """Write a frame to a Parquet file, atomically and durably.

    Parameters
    ----------
    df
        The frame; at least one row and one column. What ``df.attrs`` holds is kept, as JSON values.
    path
        The file; parents are created, an existing file is replaced.
    compression
        One of ``snappy``, ``gzip``, ``zstd``, ``brotli``, ``lz4``, ``none``; None is ``none``.
    index
        Whether the index is written.

    Returns
    -------
    Path
        The absolute path of the file.

    Raises
    ------
    TypeError
        If ``df`` is no DataFrame.
    ValueError
        If the frame is empty, the compression unknown, or two column names are the same as text. Nothing is written.

    Examples
    --------
    >>> import tempfile
    >>> frame = pd.DataFrame({"spread": [56.2]}, index=pd.DatetimeIndex(["2024-01-02"], name="date"))
    >>> save_parquet(frame, f"{tempfile.mkdtemp()}/cdx_ig_5y.parquet").name
    'cdx_ig_5y.parquet'
    """
    codec = "none" if compression is None else str(compression).lower()
    if codec not in COMPRESSIONS:
        raise ValueError(f"Unknown compression {compression!r}; use one of {', '.join(COMPRESSIONS)}.")
    if not isinstance(df, pd.DataFrame):
        raise TypeError(f"save_parquet takes a DataFrame, not a {type(df).__name__}; a Series has .to_frame().")
    if df.empty:
        raise ValueError("Cannot save empty DataFrame")
    target = absolute(path)
    table = _to_table(df, index=index)
    with replacing(target) as handle:
        pq.write_table(table, handle, compression=codec)
    return target


def load_parquet(
    path: StrPath,
    columns: Sequence[str] | str | None = None,
    start_date: Moment | None = None,
    end_date: Moment | None = None,
) -> pd.DataFrame:
    """Read a frame from a Parquet file; only the row groups and columns that are asked for.

    Parameters
    ----------
    path
        The file.
    columns
        The columns to read, in this order; the index always comes along. None reads all.
    start_date, end_date
        First and last moment, both included: Timestamp, ``datetime``, ``datetime64``, ``date`` or ISO 8601 text. A date
        alone (``"2024-01-31"``; also ``"2024-01"`` and ``"2024"``) means the whole day (month, year). Without a zone
        they are in the zone of the index.

    Returns
    -------
    pd.DataFrame
        With the index as it was saved: name, zone and resolution.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    KeyError
        If a column is missing; names it and those that exist.
    ValueError
        If dates are given and the index is no DatetimeIndex; if a bound has a zone and the index has none; if the
        bounds are reversed or no dates.
    CorruptFileError
        If the file is not Parquet.
    """
    source = absolute(path)
    try:
        with open_parquet(source) as (handle, file):
            schema = file.schema_arrow
            table = pq.read_table(
                handle,
                columns=_known_columns(schema, columns, source),
                filters=_date_filter(schema, start_date, end_date, source),
                use_pandas_metadata=True,
                pre_buffer=False,
                partitioning=None,  # a folder called year=2024 is not a column of the file in it
            )
    except FileNotFoundError:
        raise FileNotFoundError(f"Parquet file not found: {source}") from None
    return _to_frame(table)


def list_parquet_files(directory: StrPath, pattern: str = "*.parquet") -> list[Path]:
    """Return the files of a directory that match a pattern, sorted; temporary and lock files are never among them.

    Parameters
    ----------
    directory
        The directory; one that does not exist has no files.
    pattern
        A glob pattern; ``**/*.parquet`` looks into subdirectories.
    """
    return sorted(
        file for file in Path(directory).expanduser().glob(pattern) if file.is_file() and not is_private(file)
    )


def _to_table(df: pd.DataFrame, *, index: bool) -> pa.Table:
    names = [str(name) for name in df.columns]
    if len(set(names)) < len(names):
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"Column names must be unique as text; repeated: {', '.join(repeated)}.")
    frame = df.copy(deep=False)
    frame.attrs = cast(
        "dict[Hashable | None, Any]", to_plain(df.attrs)
    )  # Arrow keeps what JSON can say, and drops the rest with a warning
    return pa.Table.from_pandas(frame, preserve_index=index)


def _known_columns(schema: pa.Schema, columns: Sequence[str] | str | None, source: Path) -> list[str] | None:
    if columns is None:
        return None
    wanted = list(dict.fromkeys([columns] if isinstance(columns, str) else map(str, columns)))
    index = {name for name in (schema.pandas_metadata or {}).get("index_columns", []) if isinstance(name, str)}
    known = [name for name in schema.names if name not in index]
    missing = [name for name in wanted if name not in schema.names]
    if missing:
        raise KeyError(f"{source} has no column {', '.join(map(repr, missing))}; it has {', '.join(map(repr, known))}")
    return [name for name in wanted if name not in index]


def _date_filter(schema: pa.Schema, start: Moment | None, end: Moment | None, source: Path) -> pc.Expression | None:
    if start is None and end is None:
        return None
    field = index_field(schema)
    if field is None or not pa.types.is_timestamp(field.type):
        found = "no date index" if field is None else f"an index of type {field.type}"
        raise ValueError(f"Date filtering requires DatetimeIndex, but {source} has {found}.")
    bounds = resolve_bounds(start, end, field.type.tz)
    column = pc.field(field.name)
    kept = column.is_valid()
    if bounds.first is not None:
        kept &= column >= _scalar(bounds.first, field.type, up=True)
    if bounds.last is not None:
        kept &= column <= _scalar(bounds.last, field.type, up=False)
    if bounds.before is not None:
        kept &= column < _scalar(bounds.before, field.type, up=True)
    return kept


def _scalar(moment: pd.Timestamp, kind: pa.TimestampType, *, up: bool) -> pa.Scalar:
    """Return a bound in the unit of the column, so that Arrow never casts the column, which could overflow."""
    utc = moment if moment.tz is None else moment.tz_convert("UTC")
    rounded = utc.ceil(kind.unit) if up else utc.floor(kind.unit)
    if kind.unit == "ns":  # ends in 2262: an end of 9999-12-31 is a habit, not an error
        rounded = min(max(rounded, pd.Timestamp.min.tz_localize(utc.tz)), pd.Timestamp.max.tz_localize(utc.tz))
    return pa.scalar(rounded, kind)


def _to_frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    # Parquet has no seconds: they come back as milliseconds, https://github.com/apache/parquet-format LogicalTypes.md
    seconds = {
        column["field_name"]
        for column in (table.schema.pandas_metadata or {}).get("columns", [])
        if column["numpy_type"] == "datetime64[s]"
    }
    index = index_field(table.schema)
    if isinstance(frame.index, pd.DatetimeIndex) and index is not None and index.name in seconds:
        frame.index = frame.index.as_unit("s")
    for position, name in enumerate(frame.columns):
        if str(name) in seconds:
            frame.isetitem(position, frame.iloc[:, position].dt.as_unit("s"))
    return frame
