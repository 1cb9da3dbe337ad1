"""Sessions: on which dates a dataset's calendar says it trades, or is published.

What belongs here: the rules of each calendar. Days on which rules are wrong are data, in ``calendars.yaml``; rules and
data together are right, against published observations, since 1990 (TARGET: since it began in 1999). What a user adds
to that travels with the entries of his catalog, as ``special_days``: two catalogs in one process share nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from macrocredit_assets.catalog.markets import every_day, open_days
from macrocredit_assets.catalog.models import DatasetSpec, Entry
from macrocredit_assets.catalog.special_days import CalendarName, SpecialDays
from macrocredit_assets.catalog.yaml_reader import read_yaml
from macrocredit_assets.windows import Window

if TYPE_CHECKING:
    from pandas.tseries.holiday import Holiday

__all__ = ["is_session", "is_session_of", "sessions", "sessions_of"]

_CORRECTIONS = "calendars.yaml"


def sessions_of(entry: Entry, window: Window) -> pd.DatetimeIndex:
    """Return the sessions of a dataset: those of its calendar and the special days of its catalog, until it ended."""
    found = sessions(entry.calendar, window, entry.special_days)
    ended = _ended(entry)
    return found if ended is None else found[found <= pd.Timestamp(ended)]


def is_session_of(entry: Entry, day: date) -> bool:
    """Return whether a day is a session of a dataset, as :func:`sessions_of` has them."""
    ended = _ended(entry)
    return (ended is None or day <= ended) and is_session(entry.calendar, day, entry.special_days)


def sessions(calendar: CalendarName, window: Window, own: SpecialDays | None = None) -> pd.DatetimeIndex:
    """Return the sessions of a window: tz-naive midnights, ``datetime64[us]``, sorted, unique.

    Parameters
    ----------
    calendar, window
        Which rules, and between which dates.
    own
        Days of a user's own, which win over rules and shipped corrections. Where a dataset is at hand,
        :func:`sessions_of` does not forget them.
    """
    found = _shipped(calendar, window)
    if own is not None and (own.open or own.closed):
        opened = _index({day: why for day, why in own.open.items() if day in window})
        found = found.difference(_index(own.closed)).union(opened).rename("date")
    return found


def is_session(calendar: CalendarName, day: date, own: SpecialDays | None = None) -> bool:
    """Return whether a day is a session; days of a user's own win over rules and shipped corrections."""
    if own is not None and (day in own.open or day in own.closed):
        return day in own.open
    return pd.Timestamp(day) in _era(calendar, _era_of(day))


def _ended(entry: Entry) -> date | None:
    return entry.ended if isinstance(entry, DatasetSpec) else None


def _shipped(calendar: CalendarName, window: Window) -> pd.DatetimeIndex:
    eras = range(_era_of(window.start), _era_of(window.end) + 1)
    days = np.concatenate([_era(calendar, era).to_numpy() for era in eras])
    after = np.datetime64(window.end) + np.timedelta64(1, "D")
    first, last = np.searchsorted(days, [np.datetime64(window.start, "us"), after.astype("datetime64[us]")])
    return pd.DatetimeIndex(days[first:last], name="date")


def _us_equity(start: date, end: date) -> pd.DatetimeIndex:
    return open_days("NYSE", start, end)


def _us_bond(start: date, end: date) -> pd.DatetimeIndex:
    return open_days("SIFMA_US", start, end)


def _london(start: date, end: date) -> pd.DatetimeIndex:
    # iTraxx trades by London's holidays alone: on 1 May, a closing day of TARGET, it has prices
    return open_days("LSE", start, end)


def _ice_oas(start: date, end: date) -> pd.DatetimeIndex:
    """Leave out three holidays: ICE prices its indices on all others, and on every month's last day, weekend or not."""
    from pandas.tseries.holiday import GoodFriday, Holiday, nearest_workday, sunday_to_monday

    closed = _holidays(
        start,
        end,
        Holiday("New Year's Day", month=1, day=1, observance=sunday_to_monday),
        GoodFriday,
        Holiday("Christmas", month=12, day=25, observance=nearest_workday),
    )
    return _weekdays(start, end).difference(closed).union(pd.date_range(start, end, freq="ME"))


def _target(start: date, end: date) -> pd.DatetimeIndex:
    """Leave out the six closing days of the euro's payment system (Official Journal of the ECB, 14 December 2000)."""
    from pandas.tseries.holiday import EasterMonday, GoodFriday, Holiday

    fixed = [("New Year's Day", 1, 1), ("Labour Day", 5, 1), ("Christmas Day", 12, 25), ("Boxing Day", 12, 26)]
    holidays = [Holiday(name, month=month, day=day) for name, month, day in fixed]
    return _weekdays(start, end).difference(_holidays(start, end, GoodFriday, EasterMonday, *holidays))


def _weekdays(start: date, end: date) -> pd.DatetimeIndex:
    days = every_day(start, end)
    return pd.DatetimeIndex(days[np.is_busday(days)])


def _daily(start: date, end: date) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(every_day(start, end))


_RULES: Mapping[CalendarName, Callable[[date, date], pd.DatetimeIndex]] = {
    "us_equity": _us_equity,
    "us_bond": _us_bond,
    "ice_oas": _ice_oas,
    "london": _london,
    "target": _target,
    "weekdays": _weekdays,
    "daily": _daily,
}


#: Sessions are made and kept for so many years at once, counted from 1970: most of what it costs is the same whatever
#: the number of years.
_ERA = 30


def _era_of(day: date) -> int:
    return (day.year - 1970) // _ERA


@lru_cache(maxsize=64)
def _era(calendar: CalendarName, era: int) -> pd.DatetimeIndex:
    first = 1970 + era * _ERA
    start, end = date(max(first, 1), 1, 1), date(min(first + _ERA - 1, 9999), 12, 31)
    days = _RULES[calendar](start, end)
    if (known := _corrections().get(calendar)) is not None:
        days = days.difference(_index(known.closed)).union(_index(known.open))
    days = days[(days >= pd.Timestamp(start)) & (days <= pd.Timestamp(end))]
    return days.as_unit("us")


@lru_cache(maxsize=1)
def _corrections() -> Mapping[CalendarName, SpecialDays]:
    text = resources.files(__package__).joinpath(_CORRECTIONS).read_text("utf-8")
    document = json.dumps(read_yaml(text, _CORRECTIONS).data)
    return TypeAdapter(dict[CalendarName, SpecialDays]).validate_json(document, strict=True)


def _holidays(start: date, end: date, *rules: Holiday) -> pd.DatetimeIndex:
    # an observed holiday may be counted from a date just outside
    first, last = pd.Timestamp(start) - pd.Timedelta(days=7), pd.Timestamp(end) + pd.Timedelta(days=7)
    days: list[pd.Timestamp] = []
    for rule in rules:
        days.extend(rule.dates(first, last))
    return pd.DatetimeIndex(days)


def _index(days: Mapping[date, str]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(sorted(days), dtype="datetime64[us]")
