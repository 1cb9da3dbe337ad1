"""The current rows of a wide dataset in one file per year, ``<dataset>/2024.parquet``, of which a write replaces few.

What belongs here: how many files answer as one. Each is a dataset's file of its own (``dataset_file.py``): its footer
has the hash of its rows, and the coverage of its year. A year that has neither rows nor coverage has no file.

The hash of the whole follows from the footers alone: it is the SHA-256 of a line ``name:type`` for each column in order
of its name, then a line ``2024 sha256:...`` for each year that has rows. So a write need not read the other years, and
a reader who finds that the whole is not that of the last revision knows that a writer is on its way, or died there.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from macrocredit_assets.persistence.current import WHOLE, Loaded, Part, is_same_content, set_aside
from macrocredit_assets.persistence.dataset_file import read_head, read_rows, read_table, write_rows
from macrocredit_assets.persistence.revisions import Folded
from macrocredit_assets.persistence.rows import Rows, content_hash, join
from macrocredit_assets.persistence.schemas import DATE, added_columns, kinds_of, schema_mismatches
from macrocredit_assets.persistence.staging import Staging
from macrocredit_assets.persistence.stored_head import StoredHead, head_of, wanted_columns
from macrocredit_assets.windows import Coverage, Window

__all__ = ["YearFiles", "hash_of_years"]

_NAME = re.compile(r"(\d{4})\.parquet")

#: Hash of files that do not belong together: another series, another schema. It is that of no revision.
_MIXED = "mixed"

#: The year whose file says that a dataset was written, and has neither rows nor coverage.
_NOTHING = 1


class YearFiles:
    """The files of a dataset, one per year."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        # what all footers say together holds for these very heads, and for no others
        self._latest: tuple[Mapping[int, StoredHead | None], StoredHead | None] = {}, None

    @property
    def path(self) -> Path:
        """The folder."""
        return self._directory

    def head(self) -> StoredHead | None:
        """Read all footers."""
        return self._combined({year: read_head(self._file(year)) for year in self._years()})

    def table(
        self, window: Window | None, columns: Sequence[str] | None, expected: pa.Schema | None
    ) -> tuple[StoredHead, pa.Table] | None:
        """Read the files of the window's years, and of the others the footers."""
        heads: dict[int, StoredHead | None] = {}
        tables = []
        for year in self._years():
            if not _touches(window, year):
                heads[year] = read_head(self._file(year))
                continue
            found = read_table(self._file(year), window, columns, expected)
            heads[year] = found[0] if found else None
            tables += [found[1]] if found else []
        head = self._combined(heads)
        if head is None:
            return None
        if not tables:  # a window beside all years: the first file has no row of it, and all columns
            found = read_table(self._file(min(heads)), window, columns, expected)
            tables += [found[1]] if found else []
        # files that do not belong together have a hash that says so, and what is made of them is thrown away
        table = pa.concat_tables(tables, promote_options="permissive")
        return head, table.select([DATE, *wanted_columns(head, columns, expected)])

    def rows(self, window: Window | None, expected: pa.Schema | None = None) -> Loaded | None:
        """Read the rows of the window's years."""
        heads = {year: read_head(self._file(year)) for year in self._years()}
        head = self._combined(heads)
        if head is None:
            return None
        if window is None or (expected is not None and added_columns(head.schema, expected)):
            part = WHOLE
        else:
            years = Window(date(window.start.year, 1, 1), date(window.end.year, 12, 31))
            beside = {year: each for year, each in heads.items() if each and not _touches(years, year)}
            part = Part(years, {year: each for year, each in beside.items() if year != _NOTHING})
        parts = [Rows.none(len(head.schema))]
        for year in heads:
            found = read_rows(self._file(year)) if _touches(part.window, year) else None
            parts += [found[1].under(found[0].schema.names, head.schema.names)] if found else []
        return Loaded(head, join(parts), part)

    def plan(self, rows: Rows, part: Part, *, series: str, coverage: Coverage, schema: pa.Schema) -> StoredHead:
        """Compute the hashes of the part's years, and take those of the others from their heads."""
        planned = self._planned(rows, part.window, series=series, coverage=coverage, schema=schema)
        whole = self._combined({**part.beside, **planned})
        if whole is None:
            whole = head_of(self._directory.name, rows, series=series, coverage=coverage, schema=schema)
            return replace(whole, content_hash=hash_of_years(schema, {}))
        # which order of the columns is the right one is said by the schema
        return replace(whole, schema=schema)

    def write(self, files: Staging, rows: Rows, part: Part, head: StoredHead) -> None:
        """Replace the files of the part's years that change, and remove those of years without rows and coverage."""
        planned = self._planned(rows, part.window, series=head.series, coverage=head.coverage, schema=head.schema)
        if not head.row_count and not head.coverage:
            planned[_NOTHING] = head_of(
                self._directory.name, rows, series=head.series, coverage=head.coverage, schema=head.schema
            )
        for year in self._years():
            if year not in planned and (year == _NOTHING or _touches(part.window, year)):
                files.remove(self._file(year))
        there = {year: read_head(self._file(year)) for year in planned}
        # Those of which only the coverage differs come first: once the rows are the right ones nobody looks again.
        for year in sorted(planned, key=lambda year: (_has_other_rows(there[year], planned[year]), year)):
            before = there[year]
            if (
                before is None
                or before.coverage != planned[year].coverage
                or not is_same_content(before, planned[year])
            ):
                write_rows(files, self._file(year), rows.take(rows.locate(*_ends(year))), planned[year])

    def is_between(self, before: Folded | None, after: Folded) -> bool:
        """Compare the hash of each year with what it is in either."""
        old, new = _hashes(before), _hashes(after)
        heads = {year: read_head(self._file(year)) for year in self._years()}
        there = {year: head.content_hash for year, head in heads.items() if head and head.row_count}
        years = old.keys() | new.keys() | there.keys()
        return all(there.get(year) in {old.get(year), new.get(year)} for year in years)

    def written_at(self) -> datetime:
        """Return the modification time of the file that was written last."""
        return datetime.fromtimestamp(max(self._file(year).stat().st_mtime for year in self._years()), UTC)

    def set_aside(self) -> Path:
        """Rename the folder to ``<dataset>.aside``, with a number where that is taken."""
        return set_aside(self._directory)

    def _file(self, year: int) -> Path:
        return self._directory / f"{year:04d}.parquet"

    def _years(self) -> list[int]:
        try:
            names = os.listdir(self._directory)  # noqa: PTH208 - names are wanted, not paths
        except FileNotFoundError:
            return []
        return sorted(int(match[1]) for match in map(_NAME.fullmatch, names) if match)

    def _planned(
        self, rows: Rows, window: Window | None, *, series: str, coverage: Coverage, schema: pa.Schema
    ) -> dict[int, StoredHead]:
        years = set(_years_of(rows))
        years |= {year for each in coverage.windows for year in range(each.start.year, each.end.year + 1)}
        return {
            year: head_of(
                self._directory.name,
                rows.take(rows.locate(*_ends(year))),
                series=series,
                coverage=coverage.clip(Window(*_ends(year))),
                schema=schema,
            )
            for year in years
            if _touches(window, year)
        }

    def _combined(self, heads: Mapping[int, StoredHead | None]) -> StoredHead | None:
        before, whole = self._latest
        if before.keys() != heads.keys() or any(before[year] is not head for year, head in heads.items()):
            whole = self._combine(heads)
            self._latest = heads, whole
        return whole

    def _combine(self, heads: Mapping[int, StoredHead | None]) -> StoredHead | None:
        there = [head for _, head in sorted(heads.items()) if head is not None]
        if not there:
            return None
        newest, filled = there[-1], [head for head in there if head.row_count]
        hashes = {year: head.content_hash for year, head in heads.items() if head is not None and head.row_count}
        return StoredHead(
            dataset=self._directory.name,
            series=newest.series,
            coverage=Coverage.of(window for head in there for window in head.coverage.windows),
            content_hash=hash_of_years(newest.schema, hashes) if all(_fits(newest, head) for head in there) else _MIXED,
            row_count=sum(head.row_count for head in there),
            first=filled[0].first if filled else None,
            last=filled[-1].last if filled else None,
            schema=newest.schema,
        )


def hash_of_years(schema: pa.Schema, hashes: Mapping[int, str]) -> str:
    """Return the hash of a dataset from those of its years; the recipe stands in the module's docstring."""
    columns = sorted(f"{name}:{kind}\n" for name, kind in kinds_of(schema))
    years = [f"{year:04d} {digest}\n" for year, digest in sorted(hashes.items())]
    return f"sha256:{hashlib.sha256(''.join([*columns, *years]).encode()).hexdigest()}"


def _has_other_rows(before: StoredHead | None, after: StoredHead) -> bool:
    return bool(after.row_count) if before is None else not is_same_content(before, after)


def _fits(head: StoredHead, other: StoredHead) -> bool:
    differs = schema_mismatches(head.schema, other.schema) or added_columns(head.schema, other.schema)
    return head.series == other.series and not differs


def _hashes(folded: Folded | None) -> dict[int, str]:
    if folded is None:
        return {}
    rows, schema = folded.rows, folded.revision.schema
    return {year: content_hash(rows.take(rows.locate(*_ends(year))), schema) for year in _years_of(rows)}


def _years_of(rows: Rows) -> list[int]:
    return [1970 + int(year) for year in np.unique(rows.days.astype("datetime64[Y]").astype(int))]


def _touches(window: Window | None, year: int) -> bool:
    return window is None or window.start.year <= year <= window.end.year


def _ends(year: int) -> tuple[date, date]:
    return date(year, 1, 1), date(year, 12, 31)
