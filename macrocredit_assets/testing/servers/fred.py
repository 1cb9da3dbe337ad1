"""FRED's two doors: the public CSV behind its charts, and the official API, which wants a key.

What belongs here: paths, parameters and formats, as https://fred.stlouisfed.org/docs/api/fred/series_observations.html
has them.
"""

from __future__ import annotations

import json
import ssl
import time
from collections import deque
from datetime import date
from threading import Lock
from typing import Literal

from macrocredit_assets.testing.servers.publisher import Publisher
from macrocredit_assets.testing.servers.replies import Draft, Reply, Request, Row, Table, page
from macrocredit_assets.testing.servers.server import PublisherServer
from macrocredit_assets.windows import Window

__all__ = ["KEY", "FredServer"]

#: The key that a server takes unless it is told another: the one in FRED's documentation, which is nobody's.
KEY = "abcdefghijklmnopqrstuvwxyz123456"

_CSV, _API = "/graph/fredgraph.csv", "/fred"
_OBSERVATIONS = _API + "/series/observations"
_MOST_ROWS = 100_000
_KEY_PAGE = "Read https://fred.stlouisfed.org/docs/api/api_key.html for more information."
_NEVER, _ALWAYS = date(9999, 12, 31), date(1600, 1, 1)


class FredServer(PublisherServer):
    """Serves every series of its publisher that has one text a date, through both doors.

    *The CSV*: ``/graph/fredgraph.csv?id=DGS10&cosd=2026-01-01&coed=2026-03-31``, one series a request, no key; an
    unknown series is a page with status 404. Of a series that its publisher truncates, as FRED does with those of ICE
    BofA, ``cosd`` is ignored.

    *The API*: ``/fred/series/observations?series_id=DGS10&api_key=...&file_type=json``, with ``observation_start``,
    ``observation_end``, ``limit`` and ``offset``; so many requests a minute, then 429.

    Parameters
    ----------
    publisher, tls
        As every server.
    key
        The one key that is registered.
    layout
        Of the CSV: ``new`` has the header ``observation_date,<ID>`` and prints nothing where there is no value, ``old``
        has ``DATE,<ID>`` and prints a dot.
    page_rows
        The most rows of a page of the API, whatever ``limit`` says.
    requests_a_minute
        Of the API.

    Examples
    --------
    >>> from urllib.request import urlopen
    >>> publisher = Publisher(today=date(2026, 3, 4))
    >>> publisher.publish("DGS10", {date(2026, 3, 2): "4.06", date(2026, 3, 3): ""})
    >>> with FredServer(publisher) as fred, urlopen(f"{fred.graph}?id=DGS10") as sent:
    ...     print(sent.read().decode(), end="")
    observation_date,DGS10
    2026-03-02,4.06
    2026-03-03,
    """

    def __init__(
        self,
        publisher: Publisher,
        *,
        tls: ssl.SSLContext | None = None,
        key: str = KEY,
        layout: Literal["new", "old"] = "new",
        page_rows: int = _MOST_ROWS,
        requests_a_minute: int = 120,
    ) -> None:
        super().__init__(publisher, tls=tls)
        self.key, self.layout, self.page_rows, self.requests_a_minute = key, layout, page_rows, requests_a_minute
        self._recent: deque[float] = deque()
        self._counting = Lock()

    def settings(self, *, keyed: bool = False) -> dict[str, str]:
        """Return the environment variables that send the package here, with the key for the API or without."""
        urls = {"MACROCREDIT_FRED_URL": self.graph, "MACROCREDIT_FRED_API_URL": self.api}
        return {**urls, "FRED_API_KEY": self.key} if keyed else urls

    @property
    def graph(self) -> str:
        """The address of the CSV."""
        return self.url + _CSV

    @property
    def api(self) -> str:
        """The address below which the API lies."""
        return self.url + _API

    def _series(self, path: str, query: dict[str, str]) -> str:
        return query.get("series_id" if path == _OBSERVATIONS else "id", "")

    def _answer(self, request: Request) -> Draft | Reply:
        if request.path == _OBSERVATIONS:
            return self._observations(request)
        if request.path != _CSV:
            return page(404, "Page Not Found", "St. Louis Fed: the page you requested cannot be found.")
        return self._graph(request)

    def _rows(self, series: str) -> tuple[Row, ...] | None:
        if series not in self.publisher.series:
            return None
        rows = self.publisher.served(series)
        return rows if all(len(texts) == 1 for _, texts in rows) else None

    def _graph(self, request: Request) -> Draft | Reply:
        rows = self._rows(request.series)
        if rows is None:
            return page(404, "Page Not Found", "St. Louis Fed: the series you requested cannot be found.")
        start, end = _date(request, "cosd", _ALWAYS), _date(request, "coed", _NEVER)
        if start is None or end is None:
            return page(400, "Bad Request", "St. Louis Fed: that is no date.")
        if self.publisher.is_truncated(request.series):
            start = _ALWAYS
        name = "observation_date" if self.layout == "new" else "DATE"
        table = Table((name, request.series), _between(rows, start, end), request.today)
        return Draft(table, lambda table: _csv(table, "" if self.layout == "new" else "."))

    def _observations(self, request: Request) -> Draft | Reply:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        rows = self._rows(request.series)
        start, end = _date(request, "observation_start", _ALWAYS), _date(request, "observation_end", _NEVER)
        limit, offset = _number(request, "limit", _MOST_ROWS), _number(request, "offset", 0)
        if rows is None:
            return _bad_request("The series does not exist.")
        if start is None or end is None:
            return _bad_request("The value of an observation date is not a date in the format YYYY-MM-DD.")
        if not 1 <= limit <= _MOST_ROWS or offset < 0:
            return _bad_request(f"Value of limit is not between 1 and {_MOST_ROWS}, or offset is negative.")
        table = Table(("date", "value"), _between(rows, start, end), request.today)
        rows_a_page = min(limit, self.page_rows)
        return Draft(table, lambda table: _json(table, Window(start, end), rows_a_page, offset))

    def _refusal(self, request: Request) -> Reply | None:
        """Return why a request is not answered at all, or None."""
        key = request.query.get("api_key", "")
        if request.query.get("file_type") != "json":
            return Reply(b'<error code="400" message="Bad Request.  Here is JSON alone."/>', "text/xml", 400)
        if not key:
            return _bad_request(f"Variable api_key is not set.  {_KEY_PAGE}")
        if key != self.key:
            return _bad_request(f"The value for variable api_key is not registered.  {_KEY_PAGE}")
        return _error(429, "Too Many Requests.  Exceeded Rate Limit") if self._is_too_fast() else None

    def _is_too_fast(self) -> bool:
        now = time.monotonic()
        with self._counting:
            while self._recent and self._recent[0] <= now - 60:
                self._recent.popleft()
            too_fast = len(self._recent) >= self.requests_a_minute
            if not too_fast:
                self._recent.append(now)
        return too_fast


def _date(request: Request, parameter: str, default: date) -> date | None:
    """Return a date of the query, or None where its text is none."""
    text = request.query.get(parameter)
    if not text:
        return default
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _number(request: Request, parameter: str, default: int) -> int:
    """Return a number of the query, or -1 where its text is none."""
    text = request.query.get(parameter) or str(default)
    return int(text) if text.isdecimal() else -1


def _between(rows: tuple[Row, ...], start: date, end: date) -> tuple[Row, ...]:
    return tuple(row for row in rows if start <= row[0] <= end)


def _csv(table: Table, missing: str) -> Reply:
    lines = [",".join(table.columns), *(f"{day},{text or missing}" for day, (text,) in table.rows)]
    return Reply("\n".join([*lines, ""]).encode(), "application/csv")


def _json(table: Table, asked: Window, limit: int, offset: int) -> Reply:
    known = {"realtime_start": str(table.today), "realtime_end": str(table.today)}
    date_key, value_key = table.columns
    page_of_rows = table.rows[offset : offset + limit]
    document = {
        **known,
        "observation_start": str(asked.start),
        "observation_end": str(asked.end),
        "units": "lin",
        "output_type": 1,
        "file_type": "json",
        "order_by": "observation_date",
        "sort_order": "asc",
        "count": len(table.rows),
        "offset": offset,
        "limit": limit,
        "observations": [{**known, date_key: str(day), value_key: text or "."} for day, (text,) in page_of_rows],
    }
    return Reply(json.dumps(document, separators=(",", ":")).encode(), "application/json; charset=UTF-8")


def _bad_request(why: str) -> Reply:
    return _error(400, f"Bad Request.  {why}")


def _error(status: int, message: str) -> Reply:
    document = {"error_code": status, "error_message": message}
    return Reply(json.dumps(document, separators=(",", ":")).encode(), "application/json; charset=UTF-8", status)
