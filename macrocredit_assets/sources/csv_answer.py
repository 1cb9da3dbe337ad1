"""CSV as publishers send it: a known header, and below it rows of exactly as many cells.

What belongs here: from an answer to a sheet of texts; status 404 is how these publishers say that they do not know a
series. What must not: dates, numbers and units.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from http import HTTPStatus

from macrocredit_assets.sources.file_cells import Complaint, Sheet
from macrocredit_assets.sources.received import Received

__all__ = ["csv_sheet"]


def csv_sheet(received: Received, headers: Sequence[Sequence[str]]) -> Sheet:
    """Return the rows of an answer below one of the headers that the publisher is known to send.

    Byte order mark, either line end and empty lines mean nothing. An answer without rows is a sheet without rows. A
    last line without an end is one like others, unless nothing else shows that the answer has come to its own.

    Raises
    ------
    UnknownSeriesError, RejectedRequestError
        If its status says so.
    SourceUnavailableError
        If it may have been cut within its last line.
    MalformedResponseError
        If it is no CSV: a page, broken quotes, a row of more or fewer cells than the header.
    SchemaChangedError
        If the header is another one.
    """
    if received.answer.status >= HTTPStatus.BAD_REQUEST:
        received.refuse_status(unknown=received.answer.status == HTTPStatus.NOT_FOUND)
    text = received.text()
    if not received.answer.whole and not text.endswith(("\n", "\r")):
        received.refuse_cut()
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[int] = []
    rows: list[list[str]] = []
    ragged: list[Complaint] = []
    try:
        header = [cell.strip() for cell in next(filter(None, reader), [])]
        _check(received, header, headers)
        for cells in reader:
            if len(cells) == len(header):
                lines.append(reader.line_num)
                rows.append([cell.strip() for cell in cells])
            elif cells:
                reason = f"has {len(cells)} cells where the header has {len(header)}"
                ragged.append(Complaint(reader.line_num, None, ",".join(cells), reason))
    except csv.Error as error:
        received.refuse_malformed(f"sent no regular CSV: line {reader.line_num}: {error}")
    if ragged:
        received.refuse_cells("line", ragged)
    return Sheet({name: [cells[place] for cells in rows] for place, name in enumerate(header)}, lines)


def _check(received: Received, header: list[str], headers: Sequence[Sequence[str]]) -> None:
    if header in [list(known) for known in headers]:
        return
    if len(header) < 2:
        received.refuse_malformed("sent no table" if header else "sent nothing at all")
    received.refuse_schema(" or ".join(",".join(known) for known in headers), ",".join(header))
