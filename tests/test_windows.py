"""Windows and coverage, held against sets of days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from macrocredit_assets.errors import WindowError
from macrocredit_assets.windows import EARLIEST, Coverage, Window, clip_to_past

_FIRST = date(2024, 1, 1)
_YESTERDAY = date(2024, 6, 14)


def _window(first: int, length: int) -> Window:
    start = _FIRST + timedelta(days=first)
    return Window(start, start + timedelta(days=length))


windows = st.builds(_window, st.integers(0, 40), st.integers(0, 10))
coverages = st.lists(windows, max_size=5).map(Coverage.of)


def _days(coverage: Coverage) -> set[date]:
    return {day for window in coverage.windows for day in window}


def test_window_has_both_of_its_ends() -> None:
    """A window of January has 31 days, the first and the last among them."""
    january = Window(date(2024, 1, 1), date(2024, 1, 31))
    assert january.days == 31
    assert date(2024, 1, 1) in january
    assert date(2024, 1, 31) in january
    assert date(2023, 12, 31) not in january
    assert date(2024, 2, 1) not in january
    assert "2024-01-05" not in january
    assert [*january][::30] == [date(2024, 1, 1), date(2024, 1, 31)]


def test_reversed_window_is_refused_with_the_ends_swapped() -> None:
    """The message of a reversed window shows the one that was probably meant."""
    with pytest.raises(WindowError, match="--start 2024-01-01 --end 2024-02-01"):
        Window(date(2024, 2, 1), date(2024, 1, 1))


@pytest.mark.parametrize("text", ["2024-13-01", "yesterday", "", "01/02/2024", "2024-02-30"])
def test_what_is_no_date_is_refused_in_its_own_words(text: str) -> None:
    """A text that is no ISO date is quoted in the error, which shows how to write one."""
    with pytest.raises(WindowError, match="YYYY-MM-DD") as caught:
        Window.parse(text, "2024-12-31")
    assert repr(text) in str(caught.value)


@given(coverages, coverages)
def test_what_another_coverage_has_is_taken_out(one: Coverage, other: Coverage) -> None:
    """The difference has exactly the days that the other lacks."""
    assert _days(one.without(other)) == _days(one) - _days(other)


@given(windows, windows)
def test_intersection_of_windows_has_the_days_of_both(one: Window, other: Window) -> None:
    """The intersection has exactly the shared days, and is None where there are none."""
    shared = one.intersect(other)
    assert (set(shared) if shared else set()) == set(one) & set(other)


@given(st.lists(windows, max_size=6))
def test_coverage_merges_what_touches_in_any_order(parts: list[Window]) -> None:
    """A coverage has the days of its parts, in sorted windows with a gap between any two."""
    coverage = Coverage.of(parts)
    assert _days(coverage) == {day for part in parts for day in part}
    assert coverage == Coverage.of(reversed(parts))
    for before, after in zip(coverage.windows, coverage.windows[1:], strict=False):
        assert after.start - before.end >= timedelta(days=2)


@given(coverages, coverages)
def test_coverages_unite_and_intersect_as_sets_of_days_do(one: Coverage, other: Coverage) -> None:
    """Union, intersection and difference are those of the sets of days."""
    assert _days(one.union(other)) == _days(one) | _days(other)
    assert _days(one.intersect(other)) == _days(one) & _days(other)
    assert one.days == len(_days(one))
    assert bool(one) == bool(_days(one))


@given(coverages, windows)
def test_holes_are_the_days_of_a_window_that_are_not_covered(coverage: Coverage, window: Window) -> None:
    """What is covered and what is a hole make up the window."""
    assert _days(coverage.holes(window)) == set(window) - _days(coverage)
    assert _days(coverage.clip(window)) == set(window) & _days(coverage)
    assert all((day in coverage) == (day in _days(coverage)) for day in window)


@given(coverages)
def test_coverage_survives_its_form_in_files(coverage: Coverage) -> None:
    """Pairs of ISO dates read back as the same coverage."""
    assert Coverage.from_pairs(coverage.to_pairs()) == coverage


def test_coverage_in_words() -> None:
    """A coverage is written as its windows, and an empty one as nothing."""
    assert str(Coverage()) == "nothing"
    assert str(Coverage.of([_window(0, 1), _window(5, 0)])) == "2024-01-01..2024-01-02, 2024-01-06..2024-01-06"


def test_request_without_end_ends_yesterday() -> None:
    """No end means yesterday, and nothing is said about it."""
    assert clip_to_past(_FIRST, None, _YESTERDAY) == (Window(_FIRST, _YESTERDAY), None)


def test_request_that_is_over_is_taken_as_it_is() -> None:
    """An end of yesterday or earlier is not touched, and nothing is said about it."""
    for end in (_FIRST, _YESTERDAY):
        assert clip_to_past(_FIRST, end, _YESTERDAY) == (Window(_FIRST, end), None)


@pytest.mark.parametrize("end", [date(2024, 6, 15), date(2031, 1, 1)])
def test_end_that_is_not_over_is_clipped_and_said(end: date) -> None:
    """An end of today or later becomes yesterday, and the notice has both dates."""
    window, notice = clip_to_past(_FIRST, end, _YESTERDAY)
    assert window == Window(_FIRST, _YESTERDAY)
    assert notice is not None
    assert str(end) in notice
    assert "2024-06-14" in notice


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (date(2024, 3, 2), date(2024, 3, 1), "reversed"),
        (date(2031, 3, 2), date(2031, 3, 1), "reversed"),
        (date(2024, 6, 15), None, "--start 2024-06-14"),
        (date(2031, 1, 1), date(2031, 2, 1), "--start 2024-06-14"),
        (date(1989, 12, 31), None, "--start 1990-01-01"),
        (date(1980, 1, 1), date(1981, 1, 1), "--start 1990-01-01"),
    ],
)
def test_request_that_cannot_be_met_is_refused_with_the_remedy(start: date, end: date | None, said: str) -> None:
    """A range that is reversed, not over yet, or before the first partition is refused, and the remedy named."""
    with pytest.raises(WindowError, match=said):
        clip_to_past(start, end, _YESTERDAY)


def test_first_partition_may_be_asked_for() -> None:
    """The first partition itself is inside."""
    assert clip_to_past(EARLIEST, EARLIEST, _YESTERDAY)[0] == Window(date(1990, 1, 1), date(1990, 1, 1))
