"""The ``file`` source: archives as CSV or Parquet below one folder, wide or long, read strictly.

What belongs here: from a :class:`FileWay` to a :class:`Fetched`. Nothing is guessed: a cell that is neither a number
nor a missing marker, a date in another format, or a column that does not exist is an error that shows where.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from macrocredit_assets.catalog.models import DatasetSpec, FileWay, Way
from macrocredit_assets.errors import NotServedError, UnreadableSourceError
from macrocredit_assets.sources.base import Fetched
from macrocredit_assets.sources.file_cells import MISSING, Complaint, Sheet, read_dates, read_numbers, unreadable
from macrocredit_assets.sources.file_csv import read_csv
from macrocredit_assets.sources.file_parquet import read_parquet
from macrocredit_assets.sources.units import convert
from macrocredit_assets.windows import Window

__all__ = ["FileSource"]


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
            frame = _parse(_open(path, way, spec.name), path, way, spec)
        except OSError as error:
            raise UnreadableSourceError(f"{spec.name}: {path} cannot be opened: {error.strerror}.") from error
        return _trim(frame, window)


def _open(path: Path, way: FileWay, dataset: str) -> Sheet:
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
    """Return one row per row of the sheet; index NaT where a row has neither date nor value."""
    missing = MISSING.union(way.missing)
    complaints: list[Complaint] = []
    data: dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]] = {}
    filled = np.zeros(len(sheet.places), dtype=bool)
    for name, column in way.columns.items():
        texts = sheet.columns[column.column]
        values, unread = read_numbers(texts, way.decimal, missing)
        complaints += [Complaint(sheet.places[row], column.column, texts[row], "is no number") for row in unread]
        data[name] = convert(values, column.factor, spec.columns[name].decimals)
        filled |= ~np.isnan(values)
    stamps = sheet.columns[way.date_column]
    dates = read_dates(stamps, way.date_format)
    expected = f"is no date in the format {way.date_format or 'YYYY-MM-DD'}"
    for row in np.flatnonzero(dates.isna()).tolist():
        if filled[row] or stamps[row] not in missing:
            reason = "is no date, but its row has values" if stamps[row] in missing else expected
            complaints.append(Complaint(sheet.places[row], way.date_column, stamps[row], reason))
    if complaints:
        raise unreadable(spec.name, path, sheet.unit, complaints, len(complaints))
    return pd.DataFrame(data, index=dates).reindex(columns=list(spec.columns))


def _trim(frame: pd.DataFrame, window: Window) -> Fetched:
    index = pd.DatetimeIndex(frame.index)
    filled = frame.notna().any(axis=1).to_numpy()
    inside = np.asarray((index >= pd.Timestamp(window.start)) & (index <= pd.Timestamp(window.end)))
    outside = ~inside & np.asarray(index.notna())
    held = index[filled]
    first, last = (held.min().date(), held.max().date()) if len(held) else (None, None)
    counts = {"outside_window": int(outside.sum()), "missing": int((~filled & ~outside).sum())}
    return Fetched(
        frame=frame[inside & filled],
        first=first,
        last=last,
        rows_read=len(frame),
        dropped={reason: count for reason, count in counts.items() if count},
    )
