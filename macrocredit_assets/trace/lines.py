"""The lines of answers and files that speak of one day, as they were sent.

What belongs here: finding them again, in the formats that sources keep. Reading values out of them is the business of
the sources: here nothing is converted, and what cannot be recognised is not found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from macrocredit_assets.catalog.ways import FileWay
from macrocredit_assets.sources.file import open_sheet
from macrocredit_assets.sources.file_cells import MISSING, Sheet, read_dates

__all__ = ["Line", "lines_of_answer", "lines_of_file"]

_LINE_END = re.compile(r"\r\n|\n|\r")
#: The objects of a JSON answer that hold no others, as they stand there: in FRED's, the observations.
_OBJECT = re.compile(r"\{[^{}]*\}")
_NO_VALUE = re.compile(r'"value"\s*:\s*"?\.?"?\s*[,}]')

#: How the first cell of a line says its date, where that is not in ISO 8601.
_DATE_FORMATS = {"cboe": "%m/%d/%Y"}


@dataclass(frozen=True)
class Line:
    """Where a day stands in an answer or a file, and what stands there.

    Parameters
    ----------
    unit
        What ``number`` counts: lines of text (the header is 1), rows of a Parquet file, or observations of a JSON
        answer, from 1.
    number
        Which one.
    text
        As it was sent.
    empty
        Whether it says that there is no value.
    """

    unit: Literal["line", "row", "observation"]
    number: int
    text: str
    empty: bool = False


def lines_of_answer(body: bytes, source: str, suffix: str, day: date) -> tuple[Line, ...]:
    """Return what an answer says of a day; several lines where it says it several times.

    Parameters
    ----------
    body
        The bytes that came.
    source, suffix
        Whose answer it is (``fred``, ``cboe``), and what: ``csv`` or ``json``.
    day
        The day.
    """
    text = body.decode("utf-8-sig", errors="replace")
    if suffix == "json":
        of_day = re.compile(rf'"date"\s*:\s*"{day.isoformat()}"')
        # the numbers are those of observations, wherever else dates stand
        observations = [found[0] for found in _OBJECT.finditer(text) if '"value"' in found[0]]
        return tuple(
            Line("observation", number, each, bool(_NO_VALUE.search(each)))
            for number, each in enumerate(observations, 1)
            if of_day.search(each)
        )
    written = day.strftime(_DATE_FORMATS.get(source, "%Y-%m-%d"))
    lines = ((number, line, line.split(",")) for number, line in enumerate(_LINE_END.split(text), 1))
    return tuple(
        Line("line", number, line, all(cell.strip() in MISSING for cell in cells[1:]))
        for number, line, cells in lines
        if cells[0].strip().strip('"') == written
    )


def lines_of_file(path: Path, way: FileWay, dataset: str, day: date) -> tuple[Line, ...]:
    """Return what a file that serves a dataset says of a day, as it is now.

    Raises
    ------
    UnreadableSourceError
        If the file cannot be read as its way describes it.
    OSError
        If it cannot be opened.
    """
    sheet = open_sheet(path, way, dataset)
    dates = read_dates(sheet.columns[way.date_column], way.date_format)
    rows = np.flatnonzero(np.asarray(dates == pd.Timestamp(day))).tolist()
    texts = [] if sheet.unit == "row" else _LINE_END.split(path.read_bytes().decode(way.encoding))
    missing = MISSING.union(way.missing)
    headers = [column.column for column in way.columns.values()]
    return tuple(
        Line(
            sheet.unit,
            sheet.places[row],
            texts[sheet.places[row] - 1] if texts else _cells(sheet, row),
            all(sheet.columns[header][row] in missing for header in headers),
        )
        for row in rows
    )


def _cells(sheet: Sheet, row: int) -> str:
    return ", ".join(f"{header}: {texts[row]}" for header, texts in sheet.columns.items())
