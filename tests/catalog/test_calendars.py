"""Calendars, held against the days on which real files have values."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest

from macrocredit_assets.catalog import calendars
from macrocredit_assets.catalog.calendars import is_session, sessions
from macrocredit_assets.catalog.models import CalendarName
from macrocredit_assets.windows import Window

CALENDARS: tuple[CalendarName, ...] = get_args(CalendarName)

#: Sessions that a file leaves out although its publisher's market was open: gaps of the source, not of the calendar
ICE_GAPS = {"2013-08-30", "2013-08-31", "2015-01-16"}
MOODYS_GAPS = {"2001-12-24", "2017-11-10", "2021-04-02", "2021-12-31", "2023-04-07", "2026-04-03"}
CBOE_GAPS = {"1991-03-01", "1997-01-31", "1997-11-26", "1999-12-31"}


def _window(start: str, end: str) -> Window:
    return Window.parse(start, end)


def _days(found: pd.DatetimeIndex) -> list[str]:
    return [*found.strftime("%Y-%m-%d")]


def _published(path: Path, **filters: str) -> pd.DatetimeIndex:
    """Days since 1990 with a number in the first value column of a real file."""
    frame = pd.read_csv(path)
    for column, text in filters.items():
        frame = frame[frame[column] == text]
    numbers = pd.to_numeric(frame["spread_bps"] if filters else frame.iloc[:, 1], errors="coerce")
    days = pd.DatetimeIndex(pd.to_datetime(frame.iloc[:, 0][numbers.notna()]))
    return days[days >= pd.Timestamp("1990-01-01")]


@pytest.mark.parametrize(
    ("calendar", "file", "gaps"),
    [
        ("us_bond", "fred_DGS10.csv", set()),
        ("us_bond", "fred_DGS2.csv", set()),
        ("us_bond", "fred_BAA10Y.csv", MOODYS_GAPS),
        ("us_equity", "spx_ohlcv_yahoo_1927_2020.csv", set()),
        ("us_equity", "spx_close_yahoo.csv", set()),
        ("us_equity", "spy_daily_yahoo.csv", set()),
        ("us_equity", "hyg_daily_yahoo.csv", set()),
        ("ice_oas", "fred_BAMLH0A0HYM2.csv", ICE_GAPS),
        ("ice_oas", "fred_BAMLC0A0CM.csv", ICE_GAPS | {"2024-12-24"}),
    ],
)
def test_sessions_are_the_days_with_values(real_data: Path, calendar: CalendarName, file: str, gaps: set[str]) -> None:
    """No value on a closed day, and no session without a value but the gaps that are known."""
    published = _published(real_data / file)
    expected = sessions(calendar, Window(published[0].date(), published[-1].date()))

    assert _days(published.difference(expected)) == []
    assert set(_days(expected.difference(published))) == gaps


def test_vix_has_sessions_and_later_holidays(real_data: Path) -> None:
    """Cboe lacks four sessions, copied one closed day, and prints values on holidays since 2022-05-30."""
    published = _published(real_data / "vix_daily_cboe.csv")
    expected = sessions("us_equity", Window(published[0].date(), published[-1].date()))
    extra = _days(published.difference(expected))

    assert set(_days(expected.difference(published))) == CBOE_GAPS
    assert extra[:2] == ["2004-06-11", "2022-05-30"]
    assert all(day >= "2022-05-30" for day in extra[1:])


@pytest.mark.parametrize("index", ["EU_IG", "EU_XO"])
def test_itraxx_follows_london(real_data: Path, index: str) -> None:
    """The iTraxx indices have values on every London session, 1 May included, and on no other day."""
    published = _published(real_data / "cds_index_spreads_with_series_long.csv", index_name=index, tenor="5Y")
    expected = sessions("london", Window(published[0].date(), published[-1].date()))

    assert _days(published) == _days(expected)
    assert pd.Timestamp("2024-05-01") in published


@pytest.mark.parametrize(
    ("year", "closed"),
    [
        (1999, ["1999-01-01", "1999-12-31"]),
        (2000, ["2000-04-21", "2000-04-24", "2000-05-01", "2000-12-25", "2000-12-26"]),
        (2001, ["2001-01-01", "2001-04-13", "2001-04-16", "2001-05-01", "2001-12-25", "2001-12-26", "2001-12-31"]),
        (2021, ["2021-01-01", "2021-04-02", "2021-04-05"]),
        (2024, ["2024-01-01", "2024-03-29", "2024-04-01", "2024-05-01", "2024-12-25", "2024-12-26"]),
    ],
)
def test_target_closes_on_six_days(year: int, closed: list[str]) -> None:
    """The weekdays without settlement, as the central bank announced them for each year."""
    window = _window(f"{year}-01-01", f"{year}-12-31")
    weekdays = sessions("weekdays", window)

    assert _days(weekdays.difference(sessions("target", window))) == closed


@pytest.mark.parametrize(
    ("calendar", "day", "is_open"),
    [
        ("us_bond", "2012-04-06", True),
        ("us_bond", "2013-03-29", False),
        ("us_bond", "2012-10-29", True),
        ("us_bond", "2012-10-30", False),
        ("us_bond", "2025-01-09", True),
        ("us_bond", "2023-10-09", False),
        ("us_equity", "2025-01-09", False),
        ("us_equity", "2012-10-29", False),
        ("us_equity", "2023-10-09", True),
        ("ice_oas", "2023-09-30", True),
        ("ice_oas", "2023-09-24", False),
        ("ice_oas", "2023-04-07", False),
        ("ice_oas", "2023-07-04", True),
        ("ice_oas", "2022-12-26", False),
        ("ice_oas", "2021-12-24", False),
        ("london", "2023-05-08", False),
        ("london", "2024-05-01", True),
        ("target", "2023-05-08", True),
        ("weekdays", "2023-12-25", True),
        ("weekdays", "2023-12-24", False),
        ("daily", "2023-12-24", True),
    ],
)
def test_days_that_calendars_tell_apart(calendar: CalendarName, day: str, is_open: bool) -> None:
    """Payroll Good Fridays, storms, funerals, month ends on weekends, and holidays of one market only."""
    assert is_session(calendar, date.fromisoformat(day)) is is_open


@pytest.mark.parametrize("calendar", CALENDARS)
def test_sessions_are_sorted_unique_microseconds_across_centuries(calendar: CalendarName) -> None:
    """A window that crosses the turn of a century is the two parts, and agrees day by day with `is_session`."""
    window = _window("1999-12-20", "2000-01-10")
    found = sessions(calendar, window)

    assert found.name == "date"
    assert found.dtype == "datetime64[us]"
    assert found.is_monotonic_increasing
    assert found.is_unique
    assert [day.date() for day in found] == [day for day in window if is_session(calendar, day)]
    assert 10 < len(found) <= 22


@pytest.mark.parametrize("calendar", CALENDARS)
def test_a_window_may_hold_no_session(calendar: CalendarName) -> None:
    """A Sunday has a session in the daily calendar alone; the type of the answer stays."""
    found = sessions(calendar, _window("2024-01-07", "2024-01-07"))

    assert len(found) == (1 if calendar == "daily" else 0)
    assert found.dtype == "datetime64[us]"


def test_every_correction_corrects_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day that the rules get right by themselves has no place in calendars.yaml."""
    corrections = calendars._corrections()
    monkeypatch.setattr(calendars, "_corrections", dict)
    calendars._era.cache_clear()
    try:
        wrong = {
            (calendar, str(day))
            for calendar, known in corrections.items()
            for days, is_open in ((known.open, True), (known.closed, False))
            for day in days
            if is_session(calendar, day) is is_open
        }
    finally:
        calendars._era.cache_clear()

    assert corrections.keys() == {"us_bond", "ice_oas", "target"}
    assert wrong == set()


def test_calendars_load_no_market_library() -> None:
    """The library of market calendars is slow to import; its answers are shipped."""
    code = (
        "import sys; from macrocredit_assets.catalog.calendars import sessions;"
        "from macrocredit_assets.windows import Window; year = Window.parse('2024-01-01', '2024-12-31');"
        "print(len(sessions('ice_oas', year)), len(sessions('us_equity', year)), "
        "'pandas_market_calendars' in sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    # 262 weekdays, less New Year's Day, Good Friday and Christmas, and four month ends on weekends; less ten holidays
    assert finished.stdout == "263 252 False\n"
