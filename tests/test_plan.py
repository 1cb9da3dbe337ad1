"""Few windows for many holes: what is asked for, how often, and by whom together."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from macrocredit_assets.errors import UsageError
from macrocredit_assets.plan import (
    Chunk,
    Request,
    few,
    fill,
    if_answered,
    requests,
    stages,
    uncovered_inputs,
    whole,
    windows_to_fill,
)
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


@pytest.mark.parametrize(
    ("length", "start", "end", "parts"),
    [
        (
            "1y",
            "2020-02-29",
            "2022-03-01",
            ["2020-02-29..2021-02-27", "2021-02-28..2022-02-27", "2022-02-28..2022-03-01"],
        ),
        (
            "1m",
            "2024-01-31",
            "2024-04-01",
            ["2024-01-31..2024-02-28", "2024-02-29..2024-03-30", "2024-03-31..2024-04-01"],
        ),
        ("6m", "2023-10-01", "2024-09-30", ["2023-10-01..2024-03-31", "2024-04-01..2024-09-30"]),
        ("30d", "2024-01-01", "2024-01-31", ["2024-01-01..2024-01-30", "2024-01-31..2024-01-31"]),
        ("9999y", "2024-01-01", "2024-01-31", ["2024-01-01..2024-01-31"]),
    ],
)
def test_long_windows_are_cut_from_their_start(length: str, start: str, end: str, parts: list[str]) -> None:
    """Each part is as long as was asked for; months end where they end, and a 31st comes back after a February."""
    assert [str(part) for part in Chunk.parse(length).split(Window.parse(start, end))] == parts


@given(st.sampled_from(["d", "m", "y"]), st.integers(1, 40), _DAYS, st.integers(0, 4000))
def test_parts_are_the_window(unit: str, count: int, start: date, length: int) -> None:
    """Parts follow one another without a gap from the first day to the last."""
    window = Window(start, start + timedelta(days=length))
    parts = [*Chunk.parse(f"{count}{unit}").split(window)]
    assert [day for part in parts for day in part] == [*window]


@pytest.mark.parametrize("text", ["", "1", "y", "0y", "-1y", "1w", "1 y", "1y6m", "1.5y", "10000y"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    """A length is a positive number of days, months or years."""
    with pytest.raises(UsageError, match="write it as 1y, 6m or 30d"):
        Chunk.parse(text)


def test_whole_window_is_asked_for_but_for_what_is_done() -> None:
    """A part that is done is left out; one that is done in part is asked for as a whole."""
    window = Window.parse("2024-01-01", "2024-03-31")
    done = {"left": _coverage("2024-01-01..2024-02-29"), "right": _coverage("2024-01-01..2024-02-15")}
    assert [*whole(["left", "right"], window)] == [Request(window, ("left", "right"))]
    assert [*whole(["left", "right"], window, Chunk(1, "m"), done)] == [
        Request(Window.parse("2024-02-01", "2024-02-29"), ("right",)),
        Request(Window.parse("2024-03-01", "2024-03-31"), ("left", "right")),
    ]


def _asked(desk: Desk, *names: str, again: dict[str, Coverage] | None = None) -> list[tuple[str, tuple[str, ...]]]:
    """Return what is asked for if all that was asked before is answered."""
    look = partial(if_answered, desk.holdings)
    found = fill(desk.catalog, names, JANUARY, look, Chunk(20, "d"), again)
    return [(str(request.window), request.names) for request in found]


def test_signals_are_asked_for_what_their_inputs_will_have(desk: Desk) -> None:
    """Of a plan, too, a signal's holes are those of the days that its inputs have by then."""
    desk.put("left", "2024-01-01", "2024-01-31")
    assert _asked(desk, "left", "right", "gap") == [
        ("2024-01-01..2024-01-20", ("right",)),
        ("2024-01-21..2024-01-31", ("right",)),
        ("2024-01-01..2024-01-20", ("gap",)),
        ("2024-01-21..2024-01-31", ("gap",)),
    ]
    assert _asked(desk, "left", "gap") == []
    assert desk.store("right").head() is None


def test_what_is_not_sure_is_asked_for_again(desk: Desk) -> None:
    """Days are asked for beside those that are missing, whether they are there or not."""
    desk.put("left", "2024-01-01", "2024-01-31")
    again = {"left": _coverage("2024-01-10..2024-01-12"), "right": _coverage("2024-01-01..2024-01-02")}
    assert _asked(desk, "left", again=again) == [("2024-01-10..2024-01-12", ("left",))]


def test_file_that_cannot_be_read_is_asked_for(desk: Desk) -> None:
    """Its own step then says what is the matter with it; nobody else is kept waiting."""
    desk.put("left", "2024-01-01", "2024-01-31")
    desk.store("left").path.write_bytes(b"no parquet")
    asked = windows_to_fill(desk.holdings, ["left", "right", "gap"], JANUARY)
    assert {name: str(windows) for name, windows in asked.items()} == dict.fromkeys(
        ["left", "right", "gap"], str(JANUARY)
    )
    assert uncovered_inputs(desk.holdings, ["gap"], JANUARY, date(2024, 3, 1)).keys() == {"right"}
    assert [*if_answered(desk.holdings, [Request(JANUARY, ("left",))])["left"].coverage.windows] == [JANUARY]


def test_inputs_of_a_signal_that_nobody_asked_for(desk: Desk) -> None:
    """Holes are sessions that should be there: none yet to be published, none asked for in the same breath."""
    today = date(2024, 2, 1)

    def lacking(*names: str) -> dict[str, str]:
        found = uncovered_inputs(desk.holdings, names, JANUARY, today)
        return {name: str(holes) for name, holes in found.items()}

    # a Thursday: `left` is there a day after its session, `right` two days
    assert lacking("gap") == {"left": "2024-01-01..2024-01-30", "right": "2024-01-01..2024-01-29"}
    assert lacking("gap", "left") == {"right": "2024-01-01..2024-01-29"}
    assert lacking("left") == {}
    desk.put("left", "2024-01-01", "2024-01-30")
    desk.put("right", "2024-01-01", "2024-01-19")
    assert lacking("gap") == {"right": "2024-01-20..2024-01-29"}
    desk.put("right", "2024-01-22", "2024-01-29")
    assert lacking("gap") == {}
