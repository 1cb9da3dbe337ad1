"""Cells of a file, as text, and how they become dates and numbers: strictly, with a complaint for each that does not.

What belongs here: reading single cells, and the one error that lists those that could not be read. Opening files is the
business of ``file_csv.py`` and ``file_parquet.py``; both hand over a :class:`Sheet`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from macrocredit_assets.errors import UnreadableSourceError

__all__ = ["MISSING", "Complaint", "Sheet", "positions", "read_dates", "read_numbers", "unreadable"]

#: What publishers and spreadsheets write where there is no value; a way's ``missing`` adds to it.
MISSING = frozenset({"", ".", "N/A", "n/a", "#N/A", "#N/A N/A", "NA", "<NA>", "NaN", "nan", "null", "NULL", "None"})

_ISO_MIDNIGHT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ]00:00(?::00(?:\.0+)?)?)?")
_SHOWN = 5
_LONGEST = 80


@dataclass(frozen=True)
class Sheet:
    """The wanted columns of a file as stripped text, and where each row stands in it.

    Parameters
    ----------
    columns
        Header -> one text per row.
    places
        For each row its line (CSV, the header included) or its number (Parquet, from 1).
    unit
        What ``places`` counts.
    """

    columns: Mapping[str, Sequence[str]]
    places: Sequence[int]
    unit: Literal["line", "row"] = "line"

    def where(self, filters: Mapping[str, str]) -> Sheet:
        """Return the rows whose cells have exactly these texts."""
        keep = [
            row
            for row in range(len(self.places))
            if all(self.columns[name][row] == text for name, text in filters.items())
        ]
        columns = {name: [texts[row] for row in keep] for name, texts in self.columns.items()}
        return Sheet(columns, [self.places[row] for row in keep], self.unit)


@dataclass(frozen=True, order=True)
class Complaint:
    """One cell or row that could not be read."""

    place: int
    column: str | None
    text: str
    reason: str

    def located(self, unit: str) -> str:
        """Return where it is and what is wrong with it, in one clause; a place is a ``unit``."""
        column = "" if self.column is None else f", column {self.column!r}"
        text = self.text if len(self.text) <= _LONGEST else f"{self.text[: _LONGEST - 3]}..."
        return f"{unit} {self.place}{column}: {text!r} {self.reason}"


def positions(header: Sequence[str]) -> dict[str, int]:
    """Return the position of every column of a header; the second of a name is ``name.1``, the third ``name.2``.

    Examples
    --------
    >>> positions(["Date", "3Y", "Date", "5Y"])
    {'Date': 0, '3Y': 1, '5Y': 3, 'Date.1': 2}
    """
    found: dict[str, int] = {}
    repeated: dict[str, int] = {}
    later: list[tuple[str, int]] = []
    for position, name in enumerate(header):
        if found.setdefault(name, position) != position:
            repeated[name] = repeated.get(name, 0) + 1
            later.append((f"{name}.{repeated[name]}", position))
    for name, position in later:
        found.setdefault(name, position)
    return found


def read_dates(texts: Sequence[str], date_format: str | None) -> pd.DatetimeIndex:
    """Parse calendar dates; NaT where a text is not exactly one, or has a time of day other than midnight.

    Parameters
    ----------
    texts
        Stripped cells.
    date_format
        A strptime format, or None for ISO 8601 (``2023-01-02`` or ``2023-01-02 00:00:00``).
    """
    if date_format is None:
        iso = [text[:10] if _ISO_MIDNIGHT.fullmatch(text) else None for text in texts]
        parsed = pd.to_datetime(pd.Series(iso, dtype="str"), format="%Y-%m-%d", errors="coerce")
    else:
        parsed = pd.to_datetime(pd.Series(texts, dtype="str"), format=date_format, errors="coerce")
    # a format with a zone gives aware timestamps or objects: no calendar date follows without guessing
    if not isinstance(parsed.dtype, np.dtype) or parsed.dtype.kind != "M":
        parsed = pd.Series(pd.NaT, index=parsed.index, dtype="datetime64[us]")
    index = pd.DatetimeIndex(parsed, name="date").as_unit("us")
    return pd.DatetimeIndex(index.where(index == index.normalize()))


def read_numbers(
    texts: Sequence[str], decimal: str, missing: frozenset[str]
) -> tuple[npt.NDArray[np.float64], list[int]]:
    """Parse numbers bit for bit; return them (NaN where missing or unreadable) and the rows that are unreadable."""
    pattern = _number(decimal)
    values = np.full(len(texts), np.nan)
    unread = []
    for row, text in enumerate(texts):
        if text in missing:
            continue
        if pattern.fullmatch(text):
            values[row] = float(text.replace(decimal, "."))
        else:
            unread.append(row)
    return values, unread


def unreadable(
    dataset: str, path: Path, unit: str, complaints: Iterable[Complaint], total: int
) -> UnreadableSourceError:
    """Build the error that shows the first complaints and counts them all."""
    shown = sorted(complaints)[:_SHOWN]
    lines = [
        f"{dataset}: {path} cannot be read as the catalog describes it; {total} {'place' if total == 1 else 'places'}:"
    ]
    lines += [f"  {complaint.located(unit)}" for complaint in shown]
    if total > len(shown):
        lines.append(f"  and {total - len(shown)} more.")
    lines.append(
        "Nothing was guessed and nothing was stored. Correct the file, or its way in the catalog: "
        "date_format, decimal, separator, or `missing:` for a text that stands for no value."
    )
    return UnreadableSourceError("\n".join(lines))


@cache
def _number(decimal: str) -> re.Pattern[str]:
    mark = re.escape(decimal)
    return re.compile(rf"[+-]?(?:[0-9]+(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][+-]?[0-9]+)?")
