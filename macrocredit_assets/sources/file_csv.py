"""Opening delimited text: any separator, encoding and line end; what is not regular is an error with its line."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from macrocredit_assets.catalog.models import FileWay
from macrocredit_assets.errors import UnreadableSourceError
from macrocredit_assets.sources.file_cells import Complaint, Sheet, positions, unreadable

__all__ = ["read_csv"]


def read_csv(path: Path, way: FileWay, wanted: Sequence[str], dataset: str) -> Sheet:
    """Read the wanted columns as text; empty lines are no rows, rows of empty cells are.

    Raises
    ------
    UnreadableSourceError
        If bytes do not decode, quoting is broken, a row has another number of cells than the header, or a wanted
        column does not exist.
    OSError
        If the file cannot be opened.
    """
    stream = io.StringIO(_decode(path, way.encoding, dataset), newline="")
    reader = csv.reader(stream, delimiter=way.separator, strict=True, skipinitialspace=way.separator == " ")
    lines: list[int] = []
    rows: list[list[str]] = []
    ragged: list[Complaint] = []
    try:
        header = [cell.strip() for cell in next(filter(None, reader), [])]
        if not header:
            raise UnreadableSourceError(f"{dataset}: {path} is empty; expected a header and rows of data.")
        places = _locate(header, wanted, path, dataset)
        for cells in reader:
            if len(cells) == len(header):
                lines.append(reader.line_num)
                rows.append(cells)
            elif cells:
                reason = f"has {len(cells)} cells where the header has {len(header)}"
                ragged.append(Complaint(reader.line_num, None, way.separator.join(cells), reason))
    except csv.Error as error:
        raise UnreadableSourceError(
            f"{dataset}: {path}, line {reader.line_num}: {error}; expected regular text separated by {way.separator!r}."
        ) from error
    if ragged:
        raise unreadable(dataset, path, "line", ragged, len(ragged))
    return Sheet({name: [cells[place].strip() for cells in rows] for name, place in places.items()}, lines)


def _decode(path: Path, encoding: str, dataset: str) -> str:
    data = path.read_bytes()
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        text = data[max(0, error.start - 10) : error.start + 10]
        raise UnreadableSourceError(
            f"{dataset}: {path}, line {line}: {text!r} is no {encoding}. Set `encoding:` of this way in the catalog."
        ) from error
    except LookupError as error:
        raise UnreadableSourceError(
            f"{dataset}: {path}: the encoding {encoding!r} of this way is not known; write it as utf-8 or cp1252."
        ) from error


def _locate(header: Sequence[str], wanted: Sequence[str], path: Path, dataset: str) -> dict[str, int]:
    known = positions(header)
    absent = [name for name in wanted if name not in known]
    if absent:
        raise UnreadableSourceError(
            f"{dataset}: {path}, line 1 has no column {', '.join(map(repr, absent))}; "
            f"it has {', '.join(map(repr, known))}. Correct columns or separator of its way in the catalog."
        )
    return {name: known[name] for name in wanted}
