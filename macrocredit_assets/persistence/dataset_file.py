"""The Parquet file of one dataset: its layout, and what its footer says.

What belongs here: the only code that knows the file format. The columns are ``date`` (first; the pandas index) and
those of the catalog entry, each field with its unit and decimals. The footer's key ``macrocredit`` holds what follows
from the content alone, as JSON, so that the same data give the same bytes::

    {"dataset": "vix", "series": "cboe:VIX", "schema_version": 1,
     "coverage": [["2020-01-01", "2020-12-31"]], "content_hash": "sha256:..."}

What must not be here: clocks, run ids, and the decision whether to write.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from macrocredit_assets.errors import CorruptFileError
from macrocredit_assets.persistence.encoding import write_table
from macrocredit_assets.persistence.kept_footers import KeptFooters
from macrocredit_assets.persistence.rows import Rows, content_hash, rows_from_table, rows_to_table
from macrocredit_assets.persistence.schemas import DATE, DATE_FIELD, DTYPES, added_columns, kinds_of
from macrocredit_assets.persistence.staging import Staging
from macrocredit_assets.persistence.stored_head import StoredHead, dataset_of, remedy, wanted_columns
from macrocredit_assets.windows import Coverage, Window

__all__ = [
    "FOOTER_KEY",
    "SCHEMA_VERSION",
    "StoredHead",
    "read_head",
    "read_rows",
    "read_table",
    "write_rows",
]

#: Where the footer's JSON stands among the file's key-value metadata.
FOOTER_KEY = b"macrocredit"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class _Footer:
    """What a footer says, and the first and last date of each group of rows."""

    head: StoredHead
    groups: tuple[tuple[date, date], ...]


def read_head(path: Path) -> StoredHead | None:
    """Read the footer; None where there is no file.

    Raises
    ------
    CorruptFileError
        If the file is no Parquet, or was not written by this package for a dataset of this name.
    """
    try:
        return _FOOTERS.read(path).head
    except FileNotFoundError:
        return None


def read_rows(path: Path) -> tuple[StoredHead, Rows] | None:
    """Read everything, and hold the footer against the rows; None where there is no file.

    Raises
    ------
    CorruptFileError
        As :func:`read_head`, and if the rows are not those whose hash the footer states.
    """
    try:
        with _FOOTERS.open(path, whole=True) as (footer, file):
            head = footer.head
            rows = rows_from_table(file.read(use_threads=False))
    except FileNotFoundError:
        return None
    if content_hash(rows, head.schema) != head.content_hash:
        raise CorruptFileError(
            f"The rows in {path} are not those whose hash stands in its footer: something else than this package has "
            f"changed the file; it was left as it is. {remedy(path, head.coverage)}"
        )
    return head, rows


def read_table(
    path: Path, window: Window | None, columns: Sequence[str] | None, expected: pa.Schema | None = None
) -> tuple[StoredHead, pa.Table] | None:
    """Read the rows of a window and some columns, ``date`` first, touching only the row groups that have them.

    A column of ``expected`` that the file lacks comes empty. None where there is no file.

    Raises
    ------
    KeyError
        If a column does not exist; it names those that do.
    CorruptFileError
        As :func:`read_head`.
    """
    try:
        with _FOOTERS.open(path) as (footer, file):
            head = footer.head
            wanted = wanted_columns(head, columns, expected)
            added = {name: expected.field(name) for name in added_columns(head.schema, expected)} if expected else {}
            there = [name for name in wanted if name not in added]
            table = file.read_row_groups(_groups(footer, window), columns=[DATE, *there], use_threads=False)
    except FileNotFoundError:
        return None
    for name in added.keys() & wanted:
        table = table.append_column(added[name], pa.nulls(len(table), added[name].type))
    # Whoever keeps a part of the rows must not keep what the footer says of all of them.
    table = table.select([DATE, *wanted]).replace_schema_metadata(None)
    if window is None:
        return head, table
    days = table.column(DATE).to_numpy()
    low = int(np.searchsorted(days, np.datetime64(window.start, "us"), side="left"))
    high = int(np.searchsorted(days, np.datetime64(window.end, "us"), side="right"))
    return head, table.slice(low, high - low)


def write_rows(files: Staging, path: Path, rows: Rows, head: StoredHead) -> None:
    """Replace the file by rows and the head that ``head_of`` made of them."""
    files.replace(path, partial(_write, rows, head))


def _write(rows: Rows, head: StoredHead, handle: BinaryIO) -> None:
    said = {FOOTER_KEY: _footer(head), b"pandas": _pandas_metadata(head.schema)}
    write_table(rows_to_table(rows, head.schema).replace_schema_metadata(said), handle)


def _read_footer(path: Path, file: pq.ParquetFile) -> _Footer:
    schema = file.schema_arrow
    footer = _said(path, schema)
    dataset = dataset_of(path)
    if footer.get("schema_version") != SCHEMA_VERSION or footer.get("dataset") != dataset:
        raise CorruptFileError(
            f"{path} says that it holds {footer.get('dataset')!r} in version {footer.get('schema_version')}, expected "
            f"is {dataset!r} in version {SCHEMA_VERSION}; it was left as it is. {remedy(path)}"
        )
    try:
        groups = _groups_of(file)
        head = StoredHead(
            dataset=dataset,
            series=str(footer["series"]),
            coverage=Coverage.from_pairs(footer["coverage"]),
            content_hash=str(footer["content_hash"]),
            row_count=file.metadata.num_rows,
            first=groups[0][0] if groups else None,
            last=groups[-1][1] if groups else None,
            schema=schema.remove(0).remove_metadata(),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _foreign(path, f"its footer cannot be used: {error!r}") from error
    return _Footer(head, groups)


def _said(path: Path, schema: pa.Schema) -> dict[str, Any]:
    if schema.names[:1] != [DATE] or schema.field(0).type != DATE_FIELD.type:
        raise _foreign(path, f"its first column is not {DATE!r} of type {DATE_FIELD.type}")
    for field in schema.remove(0):
        if field.type not in DTYPES:
            raise _foreign(path, f"its column {field.name!r} is of type {field.type}")
    try:
        footer = json.loads((schema.metadata or {})[FOOTER_KEY])
    except (KeyError, ValueError) as error:
        raise _foreign(path, f"its footer has no JSON under {FOOTER_KEY.decode()!r}") from error
    if not isinstance(footer, dict):
        raise _foreign(path, f"its footer has no JSON object under {FOOTER_KEY.decode()!r}")
    return footer


def _foreign(path: Path, why: str) -> CorruptFileError:
    return CorruptFileError(
        f"{path} was not written by this package, or was changed since: {why}. It was left as it is. {remedy(path)}"
    )


def _groups_of(file: pq.ParquetFile) -> tuple[tuple[date, date], ...]:
    groups = range(file.num_row_groups if file.metadata.num_rows else 0)
    return tuple(_bounds(file, group) for group in groups)


def _bounds(file: pq.ParquetFile, group: int) -> tuple[date, date]:
    statistics = file.metadata.row_group(group).column(0).statistics
    if statistics is None or not statistics.has_min_max:
        raise ValueError("the dates have no statistics")
    return statistics.min.date(), statistics.max.date()


def _groups(footer: _Footer, window: Window | None) -> list[int]:
    return [
        group
        for group, (first, last) in enumerate(footer.groups)
        if window is None or (first <= window.end and window.start <= last)
    ]


def _footer(head: StoredHead) -> bytes:
    return json.dumps(
        {
            "dataset": head.dataset,
            "series": head.series,
            "schema_version": SCHEMA_VERSION,
            "coverage": head.coverage.to_pairs(),
            "content_hash": head.content_hash,
        }
    ).encode()


def _pandas_metadata(schema: pa.Schema) -> bytes:
    """Return what makes ``date`` the index in pandas, without the versions that pandas would add of itself.

    The format is described in pandas' developer guide, "Storing pandas DataFrame objects in Apache Parquet format".
    """
    columns = [_pandas_column(name, kind, kind) for name, kind in kinds_of(schema)]
    columns.append(_pandas_column(DATE, "datetime", "datetime64[us]"))
    return json.dumps({"index_columns": [DATE], "column_indexes": [], "columns": columns}).encode()


def _pandas_column(name: str, pandas_type: str, numpy_type: str) -> dict[str, str | None]:
    return {"name": name, "field_name": name, "pandas_type": pandas_type, "numpy_type": numpy_type, "metadata": None}


_FOOTERS = KeptFooters(_read_footer, remedy)
