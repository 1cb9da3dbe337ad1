"""What is known of stored rows without reading them, and what is selected from them.

What belongs here: the head that files, revisions and rows in memory have in common. How it is written into a file is in
``dataset_file.py``.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from macrocredit_assets.persistence.rows import Rows, content_hash, rows_to_table
from macrocredit_assets.persistence.schemas import DATE
from macrocredit_assets.windows import Coverage, Window

__all__ = ["StoredHead", "dataset_of", "head_of", "remedy", "select_rows", "wanted_columns"]

#: No dataset is called like that: names begin with a letter.
_YEAR = re.compile(r"\d{4}")


@dataclass(frozen=True)
class StoredHead:
    """What the footer of a dataset's file says; reading it takes a tenth of a millisecond.

    Parameters
    ----------
    dataset, series
        Name of the dataset, and what its numbers are (``fred:DGS10``).
    coverage
        The windows that were asked for and answered, closed days included.
    content_hash
        Hash of all rows, ``sha256:...``.
    row_count, first, last
        Number of rows, and the dates of the first and the last; None where there is no row.
    schema
        The columns without ``date``; each field's metadata hold unit and decimals.
    """

    dataset: str
    series: str
    coverage: Coverage
    content_hash: str
    row_count: int
    first: date | None
    last: date | None
    schema: pa.Schema


def head_of(dataset: str, rows: Rows, *, series: str, coverage: Coverage, schema: pa.Schema) -> StoredHead:
    """Return what the footer of a file with these rows says."""
    return StoredHead(
        dataset=dataset,
        series=series,
        coverage=coverage,
        content_hash=content_hash(rows, schema),
        row_count=len(rows),
        first=rows.date(0) if len(rows) else None,
        last=rows.date(-1) if len(rows) else None,
        schema=schema,
    )


def select_rows(
    head: StoredHead,
    rows: Rows,
    window: Window | None,
    columns: Sequence[str] | None,
    expected: pa.Schema | None = None,
) -> pa.Table:
    """Return of rows in memory what :func:`read_table` would return of a file that held them."""
    wanted = wanted_columns(head, columns, expected)
    fields = [*head.schema, *(() if expected is None else expected)]
    schema = pa.schema([next(field for field in fields if field.name == name) for name in wanted])
    if window is not None:
        rows = rows.take(rows.locate(window.start, window.end))
    return rows_to_table(rows.under(head.schema.names, wanted), schema)


def wanted_columns(head: StoredHead, columns: Sequence[str] | None, expected: pa.Schema | None) -> list[str]:
    """Return the columns to read, without ``date``; those of ``expected`` count as stored.

    Raises
    ------
    KeyError
        If a column does not exist; it names those that do.
    """
    schemas = [head.schema, *(() if expected is None else [expected])]
    if columns is None:
        return [*dict.fromkeys(name for schema in schemas for name in schema.names)]
    wanted = [name for name in columns if name != DATE]
    unknown = [name for name in wanted if all(schema.get_field_index(name) < 0 for schema in schemas)]
    if unknown:
        names = ", ".join(wanted_columns(head, None, expected))
        raise KeyError(f"{head.dataset!r} has no column {', '.join(unknown)}; it has {names}")
    return wanted


def dataset_of(path: Path) -> str:
    """Return the dataset to which a file belongs: its stem, or where that is a year the name of its folder."""
    return path.parent.name if _YEAR.fullmatch(path.stem) else path.stem


def remedy(path: Path, coverage: Coverage | None = None) -> str:
    """Return the sentence that says how to get rid of a file that cannot be used, and its rows back."""
    start = coverage.windows[0].start if coverage else "1990-01-01"
    end = f" --end {coverage.windows[-1].end}" if coverage else ""
    quoted, aside = shlex.quote(str(path)), shlex.quote(f"{path}.aside")
    return (
        "`macrocredit registry verify --repair` sets it aside and restores the rows from their revisions. Where it has "
        f"none: `mv {quoted} {aside} && macrocredit backfill {dataset_of(path)} --start {start}{end}`"
    )
