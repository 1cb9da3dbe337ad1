"""Cboe's history files: one CSV for each index, always the whole of it.

What belongs here: the request and the format, ``DATE,OPEN,HIGH,LOW,CLOSE`` with dates as ``MM/DD/YYYY``. That some of
its rows cannot be true - an open below the low - is the business of the rules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from urllib.parse import quote

from macrocredit_assets.catalog.models import CboeWay, DatasetSpec, FileColumn, Way
from macrocredit_assets.errors import EmptyResponseError, NotServedError
from macrocredit_assets.sources.base import Fetched
from macrocredit_assets.sources.csv_answer import csv_sheet
from macrocredit_assets.sources.http import Asked
from macrocredit_assets.sources.observations import Reading, read_sheet, trim
from macrocredit_assets.sources.profiles import way_label
from macrocredit_assets.sources.received import Asker
from macrocredit_assets.windows import Window

__all__ = ["CboeSource"]

_HEADER = ("DATE", "OPEN", "HIGH", "LOW", "CLOSE")
_COLUMNS = {name.lower(): FileColumn(column=name, factor=1.0) for name in _HEADER[1:]}


class CboeSource:
    """Daily prices of Cboe's indices.

    Parameters
    ----------
    asker
        Who asks.
    url
        The folder of the files.
    today
        Returns the date in New York.
    """

    name = "cboe"

    def __init__(self, asker: Asker, url: str, *, today: Callable[[], date]) -> None:
        self._asker = asker
        self._url = url
        self._today = today

    def unavailable(self, way: Way) -> str | None:
        """Return why a way is none of this source, or None: Cboe needs nothing but a network."""
        return None if isinstance(way, CboeWay) else f"its entry is no index of Cboe but {way.source}"

    def fetch(self, spec: DatasetSpec, way: Way, window: Window) -> Fetched:
        """Return the observations of a window; the whole file is asked for, for there is nothing less.

        Raises
        ------
        SourceError
            Transient or permanent, as :mod:`macrocredit_assets.errors` has them.
        """
        if not isinstance(way, CboeWay):
            raise NotServedError(f"{spec.name}: {self.unavailable(way)}.")
        columns = {name: column for name, column in _COLUMNS.items() if name in spec.columns}
        if spec.main not in columns:
            raise NotServedError(f"{spec.name}: Cboe has {', '.join(_COLUMNS)}, and not its main column {spec.main}.")
        asked = Asked(spec.name, way_label(way), window, "Cboe")
        url = f"{self._url}/{quote(way.symbol, safe='')}_History.csv"
        received = self._asker.get(url, {}, asked, folder=way.symbol, suffix="csv")
        sheet = csv_sheet(received, [_HEADER])
        if not sheet.places:
            raise received.error(
                EmptyResponseError, "Cboe sent a header and no row", f"try again later: {asked.command}"
            )
        frame, complaints = read_sheet(sheet, Reading(_HEADER[0], columns, frozenset({""}), "%m/%d/%Y"), spec)
        if complaints:
            received.refuse_cells(sheet.unit, complaints)
        found = trim(spec.name, frame, window, today=self._today())
        return replace(found, landing=(received.landing,) if received.landing else ())
