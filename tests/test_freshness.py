"""How fresh a dataset is on a given day, with nothing but a calendar, a lag and what was answered.

``left`` is published one session after its own, ``right`` two; both have the calendar of weekdays, and are used here
with that of the US stock market where a holiday matters: Monday, 15 January 2024.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from macrocredit_assets.freshness import Freshness, freshness

if TYPE_CHECKING:
    from conftest import Desk


def _freshness(desk: Desk, name: str, today: str) -> Freshness:
    return freshness(desk.holdings, name, date.fromisoformat(today))


def _with(desk: Desk, name: str, **changes: object) -> None:
    entry = desk.catalog.datasets[name].model_copy(update=changes)
    desk.catalog = replace(desk.catalog, datasets={**desk.catalog.datasets, name: entry})


@pytest.mark.parametrize(
    ("today", "state", "days_late"),
    [
        ("2024-01-12", "fresh", 0),
        # Monday is a holiday, and Tuesday's row is due on Wednesday
        ("2024-01-16", "fresh", 0),
        ("2024-01-17", "fresh", 0),
        ("2024-01-18", "late", 1),
        ("2024-01-22", "late", 5),
    ],
)
def test_day_after_a_holiday_is_fresh(desk: Desk, today: str, state: str, days_late: int) -> None:
    """Nothing is late before the session after the next one is over: neither over a weekend nor over a holiday."""
    _with(desk, "left", calendar="us_equity")
    desk.put("left", "2024-01-01", "2024-01-12")
    found = _freshness(desk, "left", today)
    assert found == Freshness(state, date(2024, 1, 12), date(2024, 1, 16), date(2024, 1, 17), days_late)  # type: ignore[arg-type]


def test_row_of_the_same_evening_is_late_the_next_day(desk: Desk) -> None:
    """With a lag of 0 the row is due on its own day."""
    _with(desk, "left", publication_lag=0)
    desk.put("left", "2024-01-01", "2024-01-12")
    assert _freshness(desk, "left", "2024-01-15").state == "fresh"
    assert _freshness(desk, "left", "2024-01-16").days_late == 1


def test_session_without_a_row_is_answered(desk: Desk) -> None:
    """Coverage counts, not rows: what the source does not have is a gap of its own, and nothing is late."""
    desk.put("left", "2024-01-01", "2024-01-31", {"2024-01-02": 1.0})
    assert _freshness(desk, "left", "2024-02-01").state == "fresh"


def test_hole_before_the_last_covered_day_makes_nothing_late(desk: Desk) -> None:
    """What was never answered in between is missing, which is another thing."""
    desk.put("left", "2024-01-01", "2024-01-05")
    desk.put("left", "2024-01-22", "2024-01-31")
    assert _freshness(desk, "left", "2024-02-01") == Freshness(
        "fresh", date(2024, 1, 31), date(2024, 2, 1), date(2024, 2, 2)
    )


@pytest.mark.parametrize(("until", "state"), [("2024-01-11", "late"), ("2024-01-12", "ended"), ("2024-02-29", "ended")])
def test_series_that_ended_is_late_only_before_its_end(desk: Desk, until: str, state: str) -> None:
    """Nothing is expected after the last day of a series; what is missing up to it is late for good."""
    _with(desk, "left", ended=date(2024, 1, 12))
    desk.put("left", "2024-01-01", until)
    assert _freshness(desk, "left", "2030-01-02").state == state


def test_nothing_stored_is_empty(desk: Desk) -> None:
    """What was never asked for is neither fresh nor late."""
    assert _freshness(desk, "left", "2024-02-01") == Freshness("empty")


@pytest.mark.parametrize("until", ["2024-01-14", "2024-01-16", "2024-03-29"])
def test_signal_is_due_when_the_slower_of_its_inputs_is(desk: Desk, until: str) -> None:
    """Whether they are there or not: late inputs, or a computation that was never made, make no difference."""
    for name in ("left", "right"):
        desk.put(name, "2024-01-01", until)
    desk.compute("2024-01-01", "2024-01-14")
    last, expected, due = date(2024, 1, 14), date(2024, 1, 15), date(2024, 1, 17)
    assert _freshness(desk, "gap", "2024-01-17") == Freshness("fresh", last, expected, due)
    lacking = ("left", "right") if until == "2024-01-14" else ()
    assert _freshness(desk, "gap", "2024-01-18") == Freshness("late", last, expected, due, 1, lacking)


def test_signal_expects_a_row_where_all_its_inputs_have_a_session(desk: Desk) -> None:
    """On the holiday of one input there is nothing to be made of the other; which of them is behind is told."""
    _with(desk, "left", calendar="us_equity")
    for name, until in (("left", "2024-01-12"), ("right", "2024-01-31")):
        desk.put(name, "2024-01-01", until)
    desk.compute("2024-01-01", "2024-01-12")
    found = _freshness(desk, "gap", "2024-01-22")
    assert found == Freshness("late", date(2024, 1, 12), date(2024, 1, 16), date(2024, 1, 18), 4, ("left",))


def test_signal_of_a_series_that_ended_has_ended(desk: Desk) -> None:
    """Nothing is expected of a signal that can have no further row."""
    _with(desk, "left", ended=date(2024, 1, 12))
    for name in ("left", "right"):
        desk.put(name, "2024-01-01", "2024-01-12")
    desk.compute("2024-01-01", "2024-01-12")
    assert _freshness(desk, "gap", "2030-01-02") == Freshness("ended", date(2024, 1, 12))
