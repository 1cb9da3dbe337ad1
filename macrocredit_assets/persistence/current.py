"""The current rows of a dataset, wherever they stand: one file, or one per year, or memory.

What belongs here: the few questions that a store asks of them, and the answers of the one file; those of many files
are in ``year_files.py``. Who decides when they are written is ``projection.py``; how a file looks, ``dataset_file.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from macrocredit_assets.persistence.dataset_file import read_head, read_rows, read_table, write_rows
from macrocredit_assets.persistence.revision_file import Revision
from macrocredit_assets.persistence.revisions import Folded
from macrocredit_assets.persistence.rows import Rows
from macrocredit_assets.persistence.schemas import unit_of
from macrocredit_assets.persistence.staging import Staging
from macrocredit_assets.persistence.stored_head import StoredHead, head_of, select_rows
from macrocredit_assets.windows import Coverage, Window

__all__ = ["WHOLE", "Current", "InMemory", "Loaded", "OneFile", "Part", "Readable", "is_same_content"]


class Readable(Protocol):
    """Rows that can be read."""

    def head(self) -> StoredHead | None:
        """Return what is known without reading rows; None where there is nothing."""
        ...

    def table(
        self, window: Window | None, columns: Sequence[str] | None, expected: pa.Schema | None
    ) -> tuple[StoredHead, pa.Table] | None:
        """Read a window, as :func:`~macrocredit_assets.persistence.dataset_file.read_table` does."""
        ...


@dataclass(frozen=True)
class Part:
    """Which rows of a dataset are meant: all of them, or those of some whole files.

    Parameters
    ----------
    window
        The dates of those files; None where all rows are meant.
    beside
        By year, the heads of the other files, as they were when the rows were read.
    """

    window: Window | None = None
    beside: Mapping[int, StoredHead] = field(default_factory=dict)


#: All rows.
WHOLE = Part()


@dataclass(frozen=True)
class Loaded:
    """Rows that were read to be written again, and which part of the dataset they are; the head is of all of it."""

    head: StoredHead
    rows: Rows
    part: Part = WHOLE


class Current(Readable, Protocol):
    """Rows that can be read and replaced; who replaces holds the dataset's lock."""

    @property
    def path(self) -> Path:
        """The file or folder."""
        ...

    def rows(self, window: Window | None, expected: pa.Schema | None = None) -> Loaded | None:
        """Read the rows that must be written when those of a window change, and hold them against their hash.

        None reads all rows, and so does a schema that adds a column.
        """
        ...

    def plan(self, rows: Rows, part: Part, *, series: str, coverage: Coverage, schema: pa.Schema) -> StoredHead:
        """Return the head after :meth:`write`, without writing."""
        ...

    def write(self, files: Staging, rows: Rows, part: Part, head: StoredHead) -> None:
        """Replace a part of the rows: what :meth:`rows` gave, or everything."""
        ...

    def is_between(self, before: Folded | None, after: Folded) -> bool:
        """Tell whether what stands there is what a writer leaves that dies on the way from some rows to others."""
        ...

    def written_at(self) -> datetime:
        """Return when the rows were last written."""
        ...

    def set_aside(self) -> Path:
        """Move what stands there out of the way, and return where to."""
        ...


class OneFile:
    """The one Parquet file of a dataset."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def head(self) -> StoredHead | None:
        """Read the footer."""
        return read_head(self._path)

    def table(
        self, window: Window | None, columns: Sequence[str] | None, expected: pa.Schema | None
    ) -> tuple[StoredHead, pa.Table] | None:
        """Read only the row groups of the window."""
        return read_table(self._path, window, columns, expected)

    def rows(self, window: Window | None, expected: pa.Schema | None = None) -> Loaded | None:  # noqa: ARG002 - whole
        """Read all rows: the file is written whole."""
        found = read_rows(self._path)
        return None if found is None else Loaded(*found)

    def plan(
        self,
        rows: Rows,
        part: Part,  # noqa: ARG002 - as above
        *,
        series: str,
        coverage: Coverage,
        schema: pa.Schema,
    ) -> StoredHead:
        """Compute the hash of all rows."""
        return head_of(self._path.stem, rows, series=series, coverage=coverage, schema=schema)

    def write(self, files: Staging, rows: Rows, part: Part, head: StoredHead) -> None:  # noqa: ARG002 - as above
        """Replace the file."""
        write_rows(files, self._path, rows, head)

    def is_between(self, before: Folded | None, after: Folded) -> bool:  # noqa: ARG002 - there is no way
        """Return False: the file is replaced in one step."""
        return False

    def written_at(self) -> datetime:
        """Return the file's modification time."""
        return datetime.fromtimestamp(self._path.stat().st_mtime, UTC)

    def set_aside(self) -> Path:
        """Rename the file to ``<name>.parquet.aside``, with a number where that is taken."""
        return set_aside(self._path)


@dataclass(frozen=True)
class InMemory:
    """Rows that were folded from revisions, for a reader that may not write, or of another time."""

    stored: StoredHead
    all_rows: Rows

    def head(self) -> StoredHead:
        """Return the head that a file of these rows would have."""
        return self.stored

    def table(
        self, window: Window | None, columns: Sequence[str] | None, expected: pa.Schema | None
    ) -> tuple[StoredHead, pa.Table]:
        """Select rows and columns."""
        return self.stored, select_rows(self.stored, self.all_rows, window, columns, expected)


def is_same_content(head: StoredHead, other: StoredHead | Revision) -> bool:
    """Tell whether two heads are about the same rows of the same series in the same units; coverage is not compared."""
    return (
        head.content_hash == other.content_hash
        and head.series == other.series
        # the hash has names and types of the columns, and nothing of what their numbers mean
        and (
            head.schema.equals(other.schema, check_metadata=True)
            or all(unit_of(field) == unit_of(other.schema.field(field.name)) for field in head.schema)
        )
    )


def set_aside(path: Path) -> Path:
    """Rename a file or folder to ``<name>.aside``, with a number where that is taken."""
    aside, number = path.with_name(f"{path.name}.aside"), 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.aside{number}")
    return path.rename(aside)
