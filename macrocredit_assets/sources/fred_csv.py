"""FRED's public CSV, the one behind the button *Download* of its charts: no key, one series a request.

What belongs here: the request and the format. The header is ``observation_date,<ID>``, and was ``DATE,<ID>``; a
missing value is an empty cell, and was a dot; an unknown series is a page with status 404. Of the ICE BofA series it
has about three years since April 2026, and sends all of these whatever dates it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from macrocredit_assets.sources.csv_answer import csv_sheet
from macrocredit_assets.sources.fred_rows import FredRows
from macrocredit_assets.sources.http import Asked
from macrocredit_assets.sources.received import Asker, Received
from macrocredit_assets.windows import Window

__all__ = ["FredCsv"]

_DATE_COLUMNS = ("observation_date", "DATE")


@dataclass(frozen=True)
class FredCsv:
    """The public CSV.

    Parameters
    ----------
    asker
        Who asks.
    url
        Where.
    """

    asker: Asker
    url: str

    #: Before the series in the label of a way.
    label = "fred"

    def ask(self, series_id: str, asked: Asked, window: Window | None) -> FredRows:
        """Return the rows of a window, or all that there are.

        Raises
        ------
        UnknownSeriesError, RejectedRequestError, MalformedResponseError, SchemaChangedError
            If the answer has no such rows.
        SourceError
            As :meth:`Asker.get`.
        """
        params = {"id": series_id}
        if window is not None:
            params |= {"cosd": window.start.isoformat(), "coed": window.end.isoformat()}
        received = self.asker.get(self.url, params, asked, folder=series_id, suffix="csv")
        return read_graph(received, series_id)


def read_graph(received: Received, series_id: str) -> FredRows:
    """Return the rows of an answer."""
    sheet = csv_sheet(received, [(name, series_id) for name in _DATE_COLUMNS])
    date_column, value_column = sheet.columns
    return FredRows(sheet, date_column, value_column, received, (received.landing,) if received.landing else ())
