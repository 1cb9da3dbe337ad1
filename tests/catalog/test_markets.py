"""Open days of markets: the shipped table and the library that made it say the same."""

from __future__ import annotations

from datetime import date
from importlib import metadata

import pandas_market_calendars
import pytest

from macrocredit_assets.catalog import markets
from macrocredit_assets.catalog.markets import Market, ask_library, make_table, open_days, read_table


def test_the_table_is_what_the_library_says() -> None:
    """An upgrade of the library is followed by `.ci/markets`: the days of its version, and of no other, are shipped."""
    assert markets.resources.files("macrocredit_assets.catalog").joinpath(markets.TABLE).read_text("utf-8") == (
        make_table()
    ), "run `uv run .ci/markets`, look at what it changes, and commit that"


@pytest.mark.parametrize("market", ["NYSE", "SIFMA_US", "LSE"])
@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date(1940, 1, 1), date(1969, 12, 31)),
        (date(1970, 1, 1), date(2029, 12, 31)),
        (date(2059, 12, 1), date(2060, 1, 31)),
    ],
)
def test_open_days_are_valid_days(market: Market, start: date, end: date) -> None:
    """Inside the table, before it, when markets opened on Saturdays, and across its end, they are the library's own."""
    expected = pandas_market_calendars.get_calendar(market).valid_days(start, end, tz=None)

    assert [*open_days(market, start, end).date] == [*expected.date]
    assert [*ask_library(market, start, end).date] == [*expected.date]


def test_another_version_of_the_library_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of another version says nothing: a day that the installed library has as open is open."""
    table = read_table()
    wrong = {market: markets.every_day(date(2024, 1, 1), date(2024, 12, 31)) for market in table.closed}
    stale = markets.Table("0.0", table.first, table.last, wrong)
    monkeypatch.setattr(markets, "read_table", lambda: stale)

    assert table.version == metadata.version("pandas_market_calendars")
    assert date(2024, 1, 2) in open_days("NYSE", date(2024, 1, 1), date(2024, 1, 5)).date
