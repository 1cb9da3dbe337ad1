"""Few windows for many holes: what is asked for, how often, and by whom together."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from macrocredit_assets.plan import Request, few, requests, stages, windows_to_fill
from macrocredit_assets.windows import Coverage, Window

if TYPE_CHECKING:
    from conftest import Desk

JANUARY = Window.parse("2024-01-01", "2024-01-31")


def _coverage(*days: str) -> Coverage:
    return Coverage.of(Window.parse(*day.split("..")) if ".." in day else Window.parse(day, day) for day in days)


@pytest.mark.parametrize(
    ("holes", "asked"),
    [
        ([], "nothing"),
        (["2024-01-05"], "2024-01-05..2024-01-05"),
        (["2024-01-05", "2024-02-06"], "2024-01-05..2024-02-06"),
        (["2024-01-05", "2024-02-07"], "2024-01-05..2024-01-05, 2024-02-07..2024-02-07"),
    ],
    ids=["none", "one", "31 days between", "32 days between"],
)
def test_near_holes_are_one_window(holes: list[str], asked: str) -> None:
    """Up to 31 covered days are asked for again rather than asked around."""
    assert str(few(_coverage(*holes))) == asked


def test_of_many_far_holes_the_nearest_are_joined() -> None:
    """One day in each of 30 years is asked for in 8 windows, between which the widest gaps lie."""
    holes = [f"{year}-06-03" for year in range(1990, 2020) if year not in range(2000, 2004)]
    asked = few(_coverage(*holes)).windows
    assert len(asked) == 8
    assert date(1999, 6, 3) in [window.end for window in asked]
    assert date(2004, 6, 3) in [window.start for window in asked]


_DAYS = st.integers(0, 12_000).map(lambda offset: date(1990, 1, 1) + timedelta(days=offset))


@given(st.lists(st.tuples(_DAYS, st.integers(0, 40)), max_size=60))
def test_all_holes_are_asked_for_in_few_windows(found: list[tuple[date, int]]) -> None:
    """No day of a hole is left out, windows begin and end with one, and there are at most 8."""
    holes = Coverage.of(Window(day, day + timedelta(days=length)) for day, length in found)
    asked = few(holes)
    assert asked.intersect(holes) == holes
    assert len(asked.windows) <= 8
    assert all(window.start in holes and window.end in holes for window in asked.windows)


def test_datasets_with_much_the_same_window_share_a_request() -> None:
    """Windows that differ by some days are one request for all of them, in the order of the names; others are not."""
    windows = {
        "vix": _coverage("2024-01-04..2024-03-29"),
        "move": _coverage("2024-01-02..2024-03-28", "2020-01-01..2020-01-03"),
        "hyg": _coverage("2023-01-01..2024-03-29"),
    }
    assert requests(windows) == (
        Request(Window.parse("2020-01-01", "2020-01-03"), ("move",)),
        Request(Window.parse("2023-01-01", "2024-03-29"), ("hyg",)),
        Request(Window.parse("2024-01-02", "2024-03-29"), ("vix", "move")),
    )


def test_signals_come_after_their_inputs(desk: Desk) -> None:
    """Names are run in stages, each made of what the ones before have filled."""
    assert [*stages(desk.catalog, ["gap", "right", "left"])] == [("left", "right"), ("gap",)]
    assert [*stages(desk.catalog, ["gap"])] == [("gap",)]


def test_windows_to_fill_are_holes_and_stale_days(desk: Desk) -> None:
    """A dataset is asked for its holes, a signal for its holes and stale days; what lacks nothing is left out."""
    desk.put("left", "2024-01-01", "2024-01-31")
    desk.put("right", "2024-01-01", "2024-01-24")
    desk.compute("2024-01-01", "2024-01-19")
    desk.put("left", "2024-01-10", "2024-01-10", {"2024-01-10": 7.0})
    asked = windows_to_fill(desk.holdings, ["left", "right", "gap"], JANUARY)
    assert {name: str(windows) for name, windows in asked.items()} == {
        "right": "2024-01-25..2024-01-31",
        "gap": "2024-01-10..2024-01-24",
    }
