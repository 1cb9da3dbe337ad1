"""On which days a market is open, as ``pandas_market_calendars`` has it.

What belongs here: asking that library, and the table of its answers that is shipped. Its import and the holidays of
three markets take 0.15 s, which every cold start would pay again. The table is for the one version of the library that
it was made with; with any other, the library is asked. What is wrong in its rules is in ``calendars.yaml``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib import metadata, resources
from typing import Literal, TypeAlias, cast, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["TABLE", "Market", "Table", "ask_library", "every_day", "make_table", "open_days", "read_table"]

Market = Literal["NYSE", "SIFMA_US", "LSE"]

#: The file of the table, made by `.ci/markets`.
TABLE = "markets.json"

_LIBRARY = "pandas_market_calendars"
#: The first year from which all three are closed on weekends, and the last one that anybody will ask for.
_FIRST, _LAST = 1970, 2059

_Days: TypeAlias = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class Table:
    """Closed weekdays of the markets.

    Parameters
    ----------
    version
        Of the library that was asked.
    first, last
        From the beginning of which year, and to the end of which.
    closed
        Market -> its closed weekdays between them.
    """

    version: str
    first: int
    last: int
    closed: Mapping[Market, _Days]


def open_days(market: Market, start: date, end: date) -> pd.DatetimeIndex:
    """Return the days between two dates, both included, on which a market is open: tz-naive midnights, in order."""
    table = read_table()
    if table.version != metadata.version(_LIBRARY) or start.year < table.first or end.year > table.last:
        return ask_library(market, start, end)
    days = every_day(start, end)
    return pd.DatetimeIndex(days[np.is_busday(days, holidays=table.closed[market])])


def ask_library(market: Market, start: date, end: date) -> pd.DatetimeIndex:
    """Return the same days as the library makes them."""
    import pandas_market_calendars
    from pandas.tseries.holiday import AbstractHolidayCalendar
    from pandas.tseries.offsets import CustomBusinessDay

    found = pandas_market_calendars.get_calendar(market)
    known = (AbstractHolidayCalendar.start_date, AbstractHolidayCalendar.end_date)
    if pd.Timestamp(start) < known[0] or pd.Timestamp(end) > known[1]:
        return cast("pd.DatetimeIndex", found.valid_days(start, end, tz=None))
    # what valid_days() does, but for the years that are asked for, where it makes the holidays of all years from 1970
    # to 2200, and then goes from day to day
    holidays = [*found.adhoc_holidays, *found.regular_holidays.holidays(start, end)]
    days = every_day(start, end)
    week = CustomBusinessDay(holidays=holidays, weekmask=found.weekmask).calendar
    return pd.DatetimeIndex(days[np.is_busday(days, busdaycal=week)])


@lru_cache(maxsize=1)
def read_table() -> Table:
    """Return the table that is shipped."""
    known = json.loads(resources.files(__package__).joinpath(TABLE).read_text("utf-8"))
    closed = {
        market: np.array([f"{year}-{day}" for year, days in years.items() for day in days.split()], "datetime64[D]")
        for market, years in known["closed"].items()
    }
    return Table(known["version"], known["first"], known["last"], closed)


def make_table() -> str:
    """Return the text of the table, by the library that is installed; a line for each year."""
    weekdays = every_day(date(_FIRST, 1, 1), date(_LAST, 12, 31))
    weekdays = weekdays[np.is_busday(weekdays)]
    closed = {market: _by_year(np.setdiff1d(weekdays, _open(market))) for market in get_args(Market)}
    table = {"version": metadata.version(_LIBRARY), "first": _FIRST, "last": _LAST, "closed": closed}
    return json.dumps(table, indent=1) + "\n"


def every_day(start: date, end: date) -> _Days:
    """Return the days from one date to another, both included."""
    return np.arange(np.datetime64(start, "D"), np.datetime64(end, "D") + np.timedelta64(1, "D"))


def _open(market: Market) -> _Days:
    return ask_library(market, date(_FIRST, 1, 1), date(_LAST, 12, 31)).to_numpy().astype("datetime64[D]")


def _by_year(days: _Days) -> dict[str, str]:
    years: dict[str, list[str]] = {}
    for day in np.datetime_as_string(days):
        years.setdefault(day[:4], []).append(day[5:])
    return {year: " ".join(found) for year, found in years.items()}
