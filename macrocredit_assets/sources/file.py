"""The ``file`` source: archives as CSV or Parquet below one folder, wide or long, read strictly.

What belongs here: from a :class:`FileWay` to a :class:`Fetched`. Nothing is guessed: a cell that is neither a number
nor a missing marker, a date in another format, or a column that does not exist is an error that shows where.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from macrocredit_assets.catalog.models import DatasetSpec, FileWay, Way
from macrocredit_assets.errors import NotServedError, UnreadableSourceError
from macrocredit_assets.sources.base import Fetched
from macrocredit_assets.sources.file_cells import MISSING, Sheet, unreadable
from macrocredit_assets.sources.file_csv import read_csv
from macrocredit_assets.sources.file_parquet import read_parquet
from macrocredit_assets.sources.observations import Reading, read_sheet, trim
from macrocredit_assets.windows import Window

__all__ = ["FileSource", "open_sheet"]


class FileSource:
    """Files below a folder.

    Parameters
    ----------
    folder
        What ``MACROCREDIT_FILES`` names; None where it is not set.
    """

    name = "file"

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def unavailable(self, way: Way) -> str | None:
        """Return why a file cannot be read here, or None."""
        if not isinstance(way, FileWay):
            return f"its entry is no file but {way.source}"
        if self._folder is None:
            return f"MACROCREDIT_FILES is not set, so {way.path} cannot be found"
        if not self._folder.is_dir():
            return f"MACROCREDIT_FILES={self._folder} is no folder, so {way.path} cannot be found"
        path = self._folder / way.path
        return None if path.is_file() else f"there is no file {path} (MACROCREDIT_FILES={self._folder})"

    def fetch(self, spec: DatasetSpec, way: Way, window: Window) -> Fetched:
        """Return the observations of a window, in the order of the file.

        Raises
        ------
        NotServedError
            If there is no such file.
        UnreadableSourceError
            If any part of the file cannot be read as the way describes it, inside the window or not.
        """
        reason = self.unavailable(way)
        if reason or self._folder is None or not isinstance(way, FileWay):
            raise NotServedError(f"{spec.name}: {reason}.")
        path = self._folder / way.path
        try:
            frame = _parse(open_sheet(path, way, spec.name), path, way, spec)
        except OSError as error:
            raise UnreadableSourceError(f"{spec.name}: {path} cannot be opened: {error.strerror}.") from error
        return trim(spec.name, frame, window)


def open_sheet(path: Path, way: FileWay, dataset: str) -> Sheet:
    """Return the cells of a file, as text, and where they stand in it; only the rows that the way keeps.

    Raises
    ------
    UnreadableSourceError
        If it has not the shape that the way describes.
    OSError
        If it cannot be opened.
    """
    wanted = list(dict.fromkeys([way.date_column, *way.filters, *(column.column for column in way.columns.values())]))
    if path.suffix in {".parquet", ".pq"}:
        sheet = read_parquet(path, wanted, dataset)
    else:
        sheet = read_csv(path, way, wanted, dataset)
    kept = sheet.where(way.filters) if way.filters else sheet
    if sheet.places and not kept.places:
        filters = ", ".join(f"{name} = {text!r}" for name, text in way.filters.items())
        known = "; ".join(f"{name} has {', '.join(sorted(set(sheet.columns[name]))[:20])}" for name in way.filters)
        raise UnreadableSourceError(
            f"{dataset}: no row of {path} has {filters}; {known}. Correct `filters:` in the catalog."
        )
    return kept


def _parse(sheet: Sheet, path: Path, way: FileWay, spec: DatasetSpec) -> pd.DataFrame:
    reading = Reading(
        way.date_column, way.columns, MISSING.union(way.missing), way.date_format, way.decimal, blank_rows=True
    )
    frame, complaints = read_sheet(sheet, reading, spec)
    if complaints:
        raise unreadable(spec.name, path, sheet.unit, complaints, len(complaints))
    return frame
