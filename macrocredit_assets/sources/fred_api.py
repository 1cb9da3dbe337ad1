"""FRED's official API, series/observations as JSON: it needs a key, and sends at most 100,000 rows a page.

What belongs here: the request and the format, as
https://fred.stlouisfed.org/docs/api/fred/series_observations.html has them. A value is a text, and a dot where there is
none; errors are ``{"error_code": 400, "error_message": "Bad Request.  ..."}``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from macrocredit_assets.sources.file_cells import Complaint, Sheet
from macrocredit_assets.sources.fred_rows import FredRows
from macrocredit_assets.sources.http import Asked
from macrocredit_assets.sources.received import Asker, Received
from macrocredit_assets.windows import Window

__all__ = ["FredApi", "Page", "read_page"]

_DATE, _VALUE = "date", "value"
_DOCUMENT = ("count", "offset", "observations")
_MOST_ROWS = 100_000
_UNKNOWN = "series does not exist"


@dataclass(frozen=True)
class FredApi:
    """The official API.

    Parameters
    ----------
    asker
        Who asks.
    url
        Where: the part before ``/series/observations``.
    key
        The user's; a secret.
    """

    asker: Asker
    url: str
    key: str = field(repr=False)

    #: Before the series in the label of a way.
    label = "fred_api"

    def ask(self, series_id: str, asked: Asked, window: Window | None) -> FredRows:
        """Return the rows of a window, or all that there are; so many requests as there are pages.

        Raises
        ------
        UnknownSeriesError, RejectedRequestError, MalformedResponseError, SchemaChangedError
            If the answer has no such rows.
        SourceError
            As :meth:`Asker.get`.
        """
        params = {"series_id": series_id, "api_key": self.key, "file_type": "json", "limit": str(_MOST_ROWS)}
        if window is not None:
            params |= {"observation_start": window.start.isoformat(), "observation_end": window.end.isoformat()}
        dates: list[str] = []
        values: list[str] = []
        landing: list[str] = []
        count = None
        while True:
            received = self.asker.get(
                f"{self.url}/series/observations",
                {**params, "offset": str(len(dates))},
                asked,
                folder=series_id,
                suffix="json",
                secret=self.key,
            )
            page = read_page(received, len(dates))
            dates += page.dates
            values += page.values
            landing += [received.landing] if received.landing else []
            count = page.count if count is None else count
            if page.count != count:
                received.refuse_malformed(f"changed the series from {count} to {page.count} rows while it was read")
            if len(dates) >= count:
                break
            if not page.dates:
                received.refuse_malformed(f"says that there are {count} rows, and stopped after {len(dates)}")
        sheet = Sheet({_DATE: dates, _VALUE: values}, range(1, len(dates) + 1), "row")
        return FredRows(sheet, _DATE, _VALUE, received, tuple(dict.fromkeys(landing)))


@dataclass(frozen=True)
class Page:
    """A part of a series, and how many rows there are on all pages."""

    count: int
    dates: list[str]
    values: list[str]


def read_page(received: Received, offset: int) -> Page:
    """Return a page that begins after so many rows.

    Raises
    ------
    SourceUnavailableError
        If it does not come to its end, and nothing but the end of the connection says that there is no more.
    UnknownSeriesError, RejectedRequestError, MalformedResponseError, SchemaChangedError
        If the answer is none.
    """
    if received.answer.status >= HTTPStatus.BAD_REQUEST:
        _refuse(received)
    document = _document(received)
    count, start, observations = (document.get(name) for name in _DOCUMENT)
    if not isinstance(observations, list) or not isinstance(count, int) or not isinstance(start, int):
        received.refuse_schema(", ".join(_DOCUMENT), ", ".join(document))
    if start != offset:
        received.refuse_malformed(f"sent the rows from {start} on in place of those from {offset} on")
    dates: list[str] = []
    values: list[str] = []
    complaints = []
    for place, row in enumerate(observations, start=offset + 1):
        if not isinstance(row, dict) or not row.keys() >= {_DATE, _VALUE}:
            came = ",".join(row) if isinstance(row, dict) else repr(row)
            received.refuse_schema(f"{_DATE},{_VALUE}", came)
        day, value = row[_DATE], row[_VALUE]
        if isinstance(day, str) and isinstance(value, str):
            dates.append(day.strip())
            values.append(value.strip())
        else:
            complaints.append(Complaint(place, None, f"{day}, {value}", "is no pair of texts"))
    if complaints:
        received.refuse_cells("row", complaints)
    return Page(count, dates, values)


def _document(received: Received) -> Mapping[str, object]:
    text = received.text()
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        if not received.answer.whole:
            received.refuse_cut()
        received.refuse_malformed(f"sent no JSON: {error}")
    if not isinstance(document, dict):
        received.refuse_malformed("sent JSON that is no page of observations")
    return document


def _refuse(received: Received) -> None:
    """Raise what the API itself says, in its own words where they can be read."""
    try:
        document = json.loads(received.answer.body)
    except (ValueError, RecursionError):
        document = None
    said = document.get("error_message") if isinstance(document, dict) else None
    why = " ".join(said.split()) if isinstance(said, str) else ""
    todo = ""
    if "api_key" in why:
        todo = (
            "correct FRED_API_KEY in the environment, or unset it to ask FRED's public CSV, which needs no key; then: "
            f"{received.asked.command}"
        )
    elif not why:
        todo = "check MACROCREDIT_FRED_API_URL, and see what it answers: macrocredit doctor --probe"
    received.refuse_status(_UNKNOWN in why, why.rstrip("."), todo)
