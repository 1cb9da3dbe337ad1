"""Publishers: which rows are served on which morning, and the simulated market as FRED and Cboe would print it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.catalog.calendars import is_session_of
from macrocredit_assets.testing import Publisher
from macrocredit_assets.windows import Window

CATALOG = load_catalog()
# Monday to Friday, and the Monday after
WEEK = [date(2026, 3, day) for day in (2, 3, 4, 5, 6, 9)]
ROWS = {day: f"4.{day.day:02}" for day in WEEK}


def _days(publisher: Publisher, series: str = "DGS10") -> list[int]:
    return [day.day for day, _ in publisher.served(series)]


@pytest.mark.parametrize(
    ("lag", "today", "served"),
    [
        (0, 4, [2, 3, 4]),
        (1, 4, [2, 3]),
        (2, 4, [2]),
        (1, 7, [2, 3, 4, 5]),
        (1, 8, [2, 3, 4, 5]),
        (1, 9, [2, 3, 4, 5, 6]),
        (2, 9, [2, 3, 4, 5]),
        (2, 10, [2, 3, 4, 5, 6]),
    ],
)
def test_row_is_served_on_its_weekday(lag: int, today: int, served: list[int]) -> None:
    """Friday's row comes on Monday with a lag of one weekday, on Tuesday with two, on Friday itself with none."""
    publisher = Publisher(today=date(2026, 3, today))
    publisher.publish("DGS10", ROWS, lag=lag)
    assert _days(publisher) == served


def test_weekend_row_comes_with_the_next_weekday() -> None:
    """The value of a month's last day that is a Saturday is there on Monday."""
    publisher = Publisher(today=date(2026, 2, 1))
    publisher.publish("BAMLH0A0HYM2", {date(2026, 1, 30): "3.10", date(2026, 1, 31): "3.11"})
    assert _days(publisher, "BAMLH0A0HYM2") == []
    publisher.today = date(2026, 2, 2)
    assert _days(publisher, "BAMLH0A0HYM2") == [30, 31]


def test_delayed_row_comes_after_later_ones() -> None:
    """Until its morning it is missing from the middle."""
    publisher = Publisher(today=date(2026, 3, 5))
    publisher.publish("DGS10", ROWS)
    publisher.delay("DGS10", date(2026, 3, 3), until=date(2026, 3, 6))
    assert _days(publisher) == [2, 4]
    publisher.today = date(2026, 3, 6)
    assert _days(publisher) == [2, 3, 4, 5]


def test_revisions_hold_from_their_morning() -> None:
    """A value is restated, a row withdrawn, and an old date inserted, none of it a day too early."""
    publisher = Publisher(today=date(2026, 3, 5))
    publisher.publish("DGS10", ROWS)
    publisher.revise("DGS10", date(2026, 3, 2), "9.99", on=date(2026, 3, 6))
    publisher.revise("DGS10", date(2026, 3, 3), None, on=date(2026, 3, 6))
    publisher.revise("DGS10", date(2026, 2, 27), "4.00", on=date(2026, 3, 6))
    assert publisher.served("DGS10") == tuple((day, (ROWS[day],)) for day in WEEK[:3])
    publisher.today = date(2026, 3, 6)
    assert publisher.served("DGS10") == (
        (date(2026, 2, 27), ("4.00",)),
        (date(2026, 3, 2), ("9.99",)),
        (date(2026, 3, 4), ("4.04",)),
        (date(2026, 3, 5), ("4.05",)),
    )


def test_truncated_history_moves_with_today() -> None:
    """Three years back from today, a leap day included; and all of it again when the publisher thinks better."""
    publisher = Publisher(today=date(2024, 2, 29))
    rows = {date(2021, 2, 27): "1", date(2021, 2, 28): "2", date(2021, 3, 1): "3", date(2021, 3, 2): "4"}
    publisher.publish("BAMLC0A0CM", rows, serves_years=3)
    assert [text for _, (text,) in publisher.served("BAMLC0A0CM")] == ["2", "3", "4"]
    publisher.today = date(2024, 3, 2)
    assert [text for _, (text,) in publisher.served("BAMLC0A0CM")] == ["4"]
    publisher.truncate("BAMLC0A0CM", None)
    assert len(publisher.served("BAMLC0A0CM")) == len(rows)


def test_simulated_publisher_has_what_profile_public_asks_for() -> None:
    """Every series of a fred or cboe way, under the name by which the source asks for it."""
    ways = [way for spec in CATALOG.datasets.values() for way in spec.ways]
    asked = {way.series_id for way in ways if way.source == "fred"} | {w.symbol for w in ways if w.source == "cboe"}
    window = Window(date(2026, 1, 1), date(2026, 2, 27))
    assert set(Publisher.simulated(CATALOG, window, today=date(2026, 3, 2)).series) == asked


def test_simulated_publisher_prints_in_percent_with_a_blank_on_closed_days() -> None:
    """An OAS in percent with two decimals, a row without text on Christmas, and one on a month's last Saturday."""
    window = Window(date(2025, 12, 1), date(2026, 1, 31))
    served = dict(Publisher.simulated(CATALOG, window, today=date(2026, 2, 3)).served("BAMLH0A0HYM2"))
    assert served[date(2025, 12, 25)] == ("",)
    assert date(2026, 1, 31) in served
    values = [text for (text,) in served.values() if text]
    assert all(1 < float(text) < 25 and len(text.partition(".")[2]) == 2 for text in values)
    days = [window.start + timedelta(days=number) for number in range(window.days)]
    sessions = {day for day in days if is_session_of(CATALOG.datasets["us_hy_oas"], day)}
    assert {day for day, (text,) in served.items() if text} == sessions


def test_simulated_cboe_prints_six_decimals_in_order() -> None:
    """Open, high, low and close of every session, low below and high above the others."""
    window = Window(date(2026, 1, 1), date(2026, 1, 30))
    served = Publisher.simulated(CATALOG, window, today=date(2026, 2, 2)).served("VIX")
    assert [day.day for day, _ in served][:3] == [2, 5, 6]
    for _, texts in served:
        assert all(len(text.partition(".")[2]) == 6 for text in texts)
        opened, high, low, closed = (float(text) for text in texts)
        assert low <= min(opened, closed) <= max(opened, closed) <= high
