"""What a publisher has, and on which morning it serves it: late rows, revisions, withdrawals, a history cut short.

What belongs here: which rows are served on a date. In which format is the business of the servers; what goes wrong
on the way, of ``faults``.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from threading import Lock
from typing import TypeAlias
from zoneinfo import ZoneInfo

from macrocredit_assets.catalog import Catalog
from macrocredit_assets.testing.servers.prints import prints
from macrocredit_assets.testing.servers.replies import Row
from macrocredit_assets.windows import Window

__all__ = ["Publisher", "Text"]

#: What is printed for a date: one text for a FRED series, four (open, high, low, close) for a Cboe history.
Text: TypeAlias = str | Sequence[str]

_DAY = timedelta(days=1)


class Publisher:
    """Series, and the date on which they are asked for; servers of one publisher share both.

    It may be changed while its servers answer, from any thread.

    Parameters
    ----------
    today
        The publisher's date; None is today in New York. Assign :attr:`today` to let days pass.

    Examples
    --------
    >>> publisher = Publisher(today=date(2026, 3, 4))
    >>> publisher.publish("DGS10", {date(2026, 3, 2): "4.06", date(2026, 3, 3): "4.08", date(2026, 3, 4): "4.11"})
    >>> publisher.revise("DGS10", date(2026, 3, 2), "4.07", on=date(2026, 3, 5))
    >>> [text for day, (text,) in publisher.served("DGS10")]
    ['4.06', '4.08']
    >>> publisher.today = date(2026, 3, 5)
    >>> [text for day, (text,) in publisher.served("DGS10")]
    ['4.07', '4.08', '4.11']
    """

    def __init__(self, today: date | None = None) -> None:
        self._today = today
        self._series: dict[str, _Series] = {}
        self._lock = Lock()

    @classmethod
    def simulated(cls, catalog: Catalog, window: Window, *, today: date | None = None) -> Publisher:
        """Return a publisher of the simulated market, so that profile ``public`` can be rehearsed as a whole.

        It has every series that an entry has a ``fred`` or ``cboe`` way to, with the values of the entry's ``sample``
        way, in the publisher's unit and decimals (percent with two of them, where the catalog stores basis points).
        Rows lag as the entry's ``publication_lag`` says, and FRED's ICE BofA series go back three years.

        Parameters
        ----------
        catalog
            Which series there are.
        window
            Of which dates there are rows, those of days to come among them.
        today
            As above.
        """
        publisher = cls(today)
        for printed in prints(catalog, window):
            publisher.publish(printed.series, printed.rows, lag=printed.lag, serves_years=printed.serves_years)
        return publisher

    @property
    def today(self) -> date:
        """The publisher's date."""
        return self._today or datetime.now(ZoneInfo("America/New_York")).date()

    @today.setter
    def today(self, day: date | None) -> None:
        self._today = day

    @property
    def series(self) -> tuple[str, ...]:
        """The names of all series."""
        with self._lock:
            return tuple(self._series)

    def publish(self, series: str, rows: Mapping[date, Text], *, lag: int = 1, serves_years: int | None = None) -> None:
        """Have a series, in place of what was published under its name.

        Parameters
        ----------
        series
            ``DGS10``, or ``VIX``: as FRED and Cboe call it.
        rows
            What is printed for each date, those of days to come among them; an empty text is a missing value.
        lag
            On which weekday after its date a row is served: 1 is the next, 0 the day itself.
        serves_years
            So many years before today the history begins; None is all of it.
        """
        ordered = {day: _texts(rows[day]) for day in sorted(rows)}
        with self._lock:
            self._series[series] = _Series(ordered, lag, serves_years)

    def revise(self, series: str, day: date, row: Text | None, *, on: date) -> None:
        """From a morning on, print something else for a date; None withdraws it. A new date is inserted late."""
        with self._lock:
            self._series[series].revisions.append((on, day, None if row is None else _texts(row)))

    def delay(self, series: str, day: date, *, until: date) -> None:
        """Serve the row of a date on a later morning than its lag says, when rows after it may be there already."""
        with self._lock:
            self._series[series].delays[day] = until

    def truncate(self, series: str, years: int | None) -> None:
        """From now on, begin the history so many years before today; None is all of it again."""
        with self._lock:
            self._series[series].serves_years = years

    def is_truncated(self, series: str) -> bool:
        """Tell whether the history begins a number of years before today."""
        with self._lock:
            return self._series[series].serves_years is not None

    def served(self, series: str) -> tuple[Row, ...]:
        """Return the rows that are served today, in order of their dates.

        Raises
        ------
        KeyError
            If there is no such series.
        """
        with self._lock:
            return self._series[series].served(self.today)


@dataclass
class _Series:
    rows: Mapping[date, tuple[str, ...]]
    lag: int
    serves_years: int | None
    revisions: list[tuple[date, date, tuple[str, ...] | None]] = field(default_factory=list)
    delays: dict[date, date] = field(default_factory=dict)

    def served(self, today: date) -> tuple[Row, ...]:
        days = [*self.rows]
        shown = {day: self.rows[day] for day in days[: bisect_right(days, _newest(today, self.lag))]}
        for day, until in self.delays.items():
            if today < until:
                shown.pop(day, None)
        for on, day, row in self.revisions:
            if on <= today and row is not None:
                shown[day] = row
            elif on <= today:
                shown.pop(day, None)
        days = sorted(shown)
        first = 0 if self.serves_years is None else bisect_left(days, _years_before(today, self.serves_years))
        return tuple((day, shown[day]) for day in days[first:])


def _texts(row: Text) -> tuple[str, ...]:
    return (row,) if isinstance(row, str) else tuple(row)


def _newest(today: date, lag: int) -> date:
    """Return the last date whose ``lag``-th weekday after it is not after today."""
    day = today
    while lag:
        lag -= day.weekday() < 5
        day -= _DAY
    return day


def _years_before(day: date, years: int) -> date:
    leap_day = (day.month, day.day) == (2, 29)
    return (day - _DAY if leap_day else day).replace(year=day.year - years)
