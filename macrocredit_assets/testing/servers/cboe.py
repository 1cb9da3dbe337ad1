"""Cboe's history files: ``VIX_History.csv``, always the whole of it.

What belongs here: paths and the format.
"""

from __future__ import annotations

import re

from macrocredit_assets.testing.servers.replies import Draft, Reply, Request, Table, page
from macrocredit_assets.testing.servers.server import PublisherServer

__all__ = ["CboeServer"]

_FOLDER = "/api/global/us_indices/daily_prices"
_FILE = re.compile(rf"{_FOLDER}/([A-Z0-9]+)_History\.csv")
_COLUMNS = ("DATE", "OPEN", "HIGH", "LOW", "CLOSE")


class CboeServer(PublisherServer):
    """Serves every series of its publisher that has four texts a date: open, high, low and close.

    Dates are ``MM/DD/YYYY``, lines end with LF; a symbol that it does not know is a page with status 404. Texts go out
    as they were published (Cboe prints six decimals).

    Examples
    --------
    >>> from datetime import date
    >>> from urllib.request import urlopen
    >>> from macrocredit_assets.testing import Publisher
    >>> publisher = Publisher(today=date(2026, 3, 3))
    >>> publisher.publish("VIX", {date(2026, 3, 2): ("17.240000", "18.190000", "17.010000", "17.600000")})
    >>> with CboeServer(publisher) as cboe, urlopen(f"{cboe.folder}/VIX_History.csv") as sent:
    ...     print(sent.read().decode(), end="")
    DATE,OPEN,HIGH,LOW,CLOSE
    03/02/2026,17.240000,18.190000,17.010000,17.600000
    """

    def settings(self) -> dict[str, str]:
        """Return the environment variables that send the package here."""
        return {"MACROCREDIT_CBOE_URL": self.folder}

    @property
    def folder(self) -> str:
        """The address of the folder in which the histories lie."""
        return self.url + _FOLDER

    def _series(self, path: str, query: dict[str, str]) -> str:  # noqa: ARG002 - the base's signature
        match = _FILE.fullmatch(path)
        return match[1] if match else ""

    def _answer(self, request: Request) -> Draft | Reply:
        if request.series not in self.publisher.series:
            return page(404, "404 Not Found", "There is no such file.")
        rows = self.publisher.served(request.series)
        if any(len(texts) != len(_COLUMNS) - 1 for _, texts in rows):
            return page(404, "404 Not Found", "There is no such file.")
        return Draft(Table(_COLUMNS, rows, request.today), _csv)


def _csv(table: Table) -> Reply:
    lines = [",".join(table.columns), *(",".join((f"{day:%m/%d/%Y}", *texts)) for day, texts in table.rows)]
    return Reply("\n".join([*lines, ""]).encode(), "text/csv")
