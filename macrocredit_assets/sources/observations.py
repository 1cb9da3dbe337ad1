"""From a sheet of texts to observations: dates, numbers in our units, and the part of them that was asked for.

What belongs here: what files and live answers have in common once they are columns of text. What must not: opening
either of them, and words for people about what could not be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from macrocredit_assets.catalog.models import DatasetSpec, FileColumn
from macrocredit_assets.findings import SHOWN, Finding
from macrocredit_assets.sources.base import Fetched
from macrocredit_assets.sources.file_cells import Complaint, Sheet, read_dates, read_numbers
from macrocredit_assets.sources.units import convert
from macrocredit_assets.windows import Window

__all__ = ["Reading", "read_sheet", "trim"]


@dataclass(frozen=True)
class Reading:
    """How the cells of a sheet are read.

    Parameters
    ----------
    date_column
        The header of the dates.
    columns
        Our column -> header and factor.
    missing
        Texts that stand for no value.
    date_format
        A strptime format; None is ISO 8601.
    decimal
        Between the whole part and the fraction.
    blank_rows
        Whether a row without a date is one without values, or a mistake.
    """

    date_column: str
    columns: Mapping[str, FileColumn]
    missing: frozenset[str]
    date_format: str | None = None
    decimal: str = "."
    blank_rows: bool = False


def read_sheet(sheet: Sheet, reading: Reading, spec: DatasetSpec) -> tuple[pd.DataFrame, list[Complaint]]:
    """Return one row per row of the sheet, in our columns and units, and every cell that could not be read.

    The index is NaT where a row has no date.
    """
    complaints: list[Complaint] = []
    data: dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]] = {}
    filled = np.zeros(len(sheet.places), dtype=bool)
    for name, column in reading.columns.items():
        texts = sheet.columns[column.column]
        values, unread = read_numbers(texts, reading.decimal, reading.missing)
        complaints += [Complaint(sheet.places[row], column.column, texts[row], "is no number") for row in unread]
        data[name] = convert(values, column.factor, spec.columns[name].decimals)
        filled |= ~np.isnan(values)
    dates = read_dates(sheet.columns[reading.date_column], reading.date_format)
    complaints += _undated(sheet, reading, np.flatnonzero(dates.isna()).tolist(), filled)
    return pd.DataFrame(data, index=dates).reindex(columns=list(spec.columns)), complaints


def trim(dataset: str, frame: pd.DataFrame, window: Window, *, today: date | None = None) -> Fetched:
    """Return the rows of a window that have a value, and count the others.

    Parameters
    ----------
    dataset
        Its name, for the finding.
    frame
        As :func:`read_sheet` returned it: all that the source sent.
    window
        What was asked for.
    today
        The date in New York: rows of later days are left out as ``future``, with a finding, and say nothing of where
        the source ends. None believes every date.
    """
    index = pd.DatetimeIndex(frame.index)
    filled = frame.notna().any(axis=1).to_numpy()
    ahead = np.asarray(index > pd.Timestamp(today or date.max))
    inside = ~ahead & np.asarray((index >= pd.Timestamp(window.start)) & (index <= pd.Timestamp(window.end)))
    outside = ~ahead & ~inside & np.asarray(index.notna())
    held = index[filled & ~ahead]
    first, last = _ends(held)
    counts = {
        "outside_window": int(outside.sum()),
        "missing": int((~filled & ~outside & ~ahead).sum()),
        "future": int(ahead.sum()),
    }
    return Fetched(
        frame=frame[inside & filled],
        first=first,
        last=last,
        rows_read=len(frame),
        dropped={reason: count for reason, count in counts.items() if count},
        findings=_future(dataset, index[ahead], today) if ahead.any() else (),
        before=_ends(held[held < pd.Timestamp(window.start)])[1],
        after=_ends(held[held > pd.Timestamp(window.end)])[0],
    )


def _ends(dates: pd.DatetimeIndex) -> tuple[date | None, date | None]:
    return (dates.min().date(), dates.max().date()) if len(dates) else (None, None)


def _undated(
    sheet: Sheet, reading: Reading, rows: list[int], filled: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> list[Complaint]:
    stamps = sheet.columns[reading.date_column]
    expected = f"is no date in the format {reading.date_format or 'YYYY-MM-DD'}"
    complaints = []
    for row in rows:
        blank = reading.blank_rows and stamps[row] in reading.missing
        if filled[row] or not blank:
            reason = "is no date, but its row has values" if blank else expected
            complaints.append(Complaint(sheet.places[row], reading.date_column, stamps[row], reason))
    return complaints


def _future(dataset: str, dates: pd.DatetimeIndex, today: date | None) -> tuple[Finding, ...]:
    rows = "1 row" if len(dates) == 1 else f"{len(dates)} rows"
    message = f"{dataset}: the source has {rows} after {today}, today in New York; left out"
    examples = tuple({"date": f"{day:%Y-%m-%d}"} for day in dates.sort_values()[:SHOWN])
    return (Finding("future_dates", "warning", message, len(dates), examples),)
