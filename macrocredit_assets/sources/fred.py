"""FRED, by either of its doors: the public CSV, which needs no key, or the official API, which needs one.

What belongs here: which door, which dates, and what an answer says of where the series begins and ends. The formats are
in ``fred_csv.py`` and ``fred_api.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from macrocredit_assets.catalog.calendars import sessions_of
from macrocredit_assets.catalog.models import DatasetSpec, FileColumn, FredWay, Way
from macrocredit_assets.errors import EmptyResponseError, NotServedError
from macrocredit_assets.sources.base import Fetched
from macrocredit_assets.sources.fred_api import FredApi
from macrocredit_assets.sources.fred_csv import FredCsv
from macrocredit_assets.sources.fred_rows import FredRows
from macrocredit_assets.sources.http import Asked
from macrocredit_assets.sources.observations import Reading, read_sheet, trim
from macrocredit_assets.windows import Window

__all__ = ["FredSource"]

#: So many days are asked for beyond both ends: where a series begins or ends within a window shows in the rows outside.
_MARGIN = timedelta(days=31)

#: Where both doors have nothing: an empty cell, in older files and in the API a dot.
_MISSING = frozenset({"", "."})

_DAY = timedelta(days=1)


class FredSource:
    """Series of the Federal Reserve Bank of St. Louis.

    Parameters
    ----------
    door
        The CSV or the API: the same series, which extend each other.
    today
        Returns the date in New York.
    """

    name = "fred"

    def __init__(self, door: FredCsv | FredApi, *, today: Callable[[], date]) -> None:
        self._door = door
        self._today = today

    def unavailable(self, way: Way) -> str | None:
        """Return why a way is none of this source, or None: FRED needs nothing but a network."""
        return None if isinstance(way, FredWay) else f"its entry is no series of FRED but {way.source}"

    def fetch(self, spec: DatasetSpec, way: Way, window: Window) -> Fetched:
        """Return the observations of a window.

        One request; a second one, for all that there is, only where the first says nothing of sessions at the start of
        the window: whether the series begins there, ended before, or has a long gap shows in all of it alone.

        Raises
        ------
        SourceError
            Transient or permanent, as :mod:`macrocredit_assets.errors` has them.
        """
        if not isinstance(way, FredWay):
            raise NotServedError(f"{spec.name}: {self.unavailable(way)}.")
        label = f"{self._door.label}:{way.series_id}"
        asked = Asked(spec.name, label, window, "FRED")
        rows = self._door.ask(way.series_id, asked, _around(window))
        found = self._read(spec, way, window, rows)
        if found.first is None or _lacks(spec, Window(window.start, max(found.first, window.start))):
            rows = self._door.ask(way.series_id, asked, None)
            found = self._read(spec, way, window, rows)
        if not found.rows_read:
            raise rows.received.error(
                EmptyResponseError,
                "FRED sent a header and no row of the series, however far back it was asked",
                f"try again later: {asked.command}",
            )
        return replace(found, label=label, landing=rows.landing)

    def _read(self, spec: DatasetSpec, way: FredWay, window: Window, rows: FredRows) -> Fetched:
        columns = {way.column: FileColumn(column=rows.value_column, factor=way.factor)}
        frame, complaints = read_sheet(rows.sheet, Reading(rows.date_column, columns, _MISSING), spec)
        if complaints:
            rows.received.refuse_cells(rows.sheet.unit, complaints)
        return trim(spec.name, frame, window, today=self._today())


def _around(window: Window) -> Window:
    # date arithmetic ends at the first and the last year there is
    start = window.start - min(_MARGIN, window.start - date.min)
    return Window(start, window.end + min(_MARGIN, date.max - window.end))


def _lacks(spec: DatasetSpec, before: Window) -> bool:
    """Return whether there is a session before the last day of a window, at which a source's rows begin."""
    return before.days > 1 and len(sessions_of(spec, Window(before.start, before.end - _DAY))) > 0
