"""What people write for dates, and the instants they mean."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from macrocredit_assets.persistence.bounds import Bounds, Moment, resolve_bounds


@pytest.mark.parametrize(
    "moment",
    [
        "2024-01-31",
        " 20240131 ",
        "2024-W05-3",
        date(2024, 1, 31),
        np.datetime64("2024-01-31"),
    ],
)
def test_a_date_alone_is_its_whole_day(moment: Moment) -> None:
    """As a start it is its midnight, as an end everything before the next one."""
    bounds = resolve_bounds(moment, moment, None)
    assert bounds == Bounds(pd.Timestamp("2024-01-31"), None, pd.Timestamp("2024-02-01"))


@pytest.mark.parametrize(
    ("text", "first", "before"),
    [("2024", "2024-01-01", "2025-01-01"), ("2024-02", "2024-02-01", "2024-03-01")],
)
def test_a_year_or_a_month_is_all_of_it(text: str, first: str, before: str) -> None:
    """Shorter ISO text means the whole stretch that it names, as slices of pandas do."""
    assert resolve_bounds(text, text, None) == Bounds(pd.Timestamp(first), None, pd.Timestamp(before))


@pytest.mark.parametrize(
    "moment",
    [
        "2024-01-31T16:00",
        "2024-01-31 16:00:00",
        datetime(2024, 1, 31, 16),  # noqa: DTZ001 - naive on purpose
        pd.Timestamp("2024-01-31 16:00"),
        np.datetime64("2024-01-31T16:00"),
    ],
)
def test_a_time_is_that_instant(moment: Moment) -> None:
    """With a time of day, start and end are exact."""
    instant = pd.Timestamp("2024-01-31 16:00")
    assert resolve_bounds(moment, moment, None) == Bounds(instant, instant, None)


def test_a_timestamp_at_midnight_is_an_instant() -> None:
    """A Timestamp always has a time of day: midnight, not the whole day."""
    midnight = pd.Timestamp("2024-01-31")
    assert resolve_bounds(None, midnight, None) == Bounds(None, midnight, None)


def test_naive_bounds_take_the_zone_of_the_index() -> None:
    """A day in New York starts at 05:00 UTC in winter and ends at 04:00 UTC in summer."""
    bounds = resolve_bounds("2024-01-02", "2024-07-01", "America/New_York")
    assert bounds.first == pd.Timestamp("2024-01-02 05:00", tz="UTC")
    assert bounds.before == pd.Timestamp("2024-07-02 04:00", tz="UTC")


def test_aware_bounds_are_instants_in_any_zone() -> None:
    """Bounds in UTC are compared with an index in New York as the instants they are."""
    bounds = resolve_bounds(datetime(2024, 1, 2, 5, tzinfo=UTC), "2024-01-02T10:00:00-05:00", "America/New_York")
    assert bounds.first == pd.Timestamp("2024-01-02", tz="America/New_York")
    assert bounds.last == pd.Timestamp("2024-01-02 15:00", tz="UTC")


def test_of_two_local_times_the_outer_one_is_meant() -> None:
    """01:30 occurs twice when clocks go back: a start takes the first, an end the second."""
    bounds = resolve_bounds("2024-11-03T01:30", "2024-11-03T01:30", "America/New_York")
    assert bounds.first == pd.Timestamp("2024-11-03 05:30", tz="UTC")
    assert bounds.last == pd.Timestamp("2024-11-03 06:30", tz="UTC")


def test_a_local_time_that_does_not_exist_is_the_moment_the_clocks_went_forward() -> None:
    """02:30 on that night means 03:00 summer time."""
    bounds = resolve_bounds("2024-03-10T02:30", None, "America/New_York")
    assert bounds.first == pd.Timestamp("2024-03-10 07:00", tz="UTC")


def test_the_last_date_there_is_means_no_end() -> None:
    """9999-12-31 is what people write for 'no end'; that it has no day after must not matter."""
    assert resolve_bounds(None, date.max, None).last == pd.Timestamp("9999-12-31")


def test_no_bounds_are_no_bounds() -> None:
    """None stays None."""
    assert resolve_bounds(None, None, "UTC") == Bounds(None, None, None)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2024-02-01", "2024-01-31"),
        ("2024-01-31T12:00", "2024-01-31T11:59"),
        (pd.Timestamp("2024-02-01"), "2024-01-31"),
    ],
)
def test_reversed_bounds_are_refused(start: Moment, end: Moment) -> None:
    """A start after the end is a mistake, not an empty answer."""
    with pytest.raises(ValueError, match=r"Reversed bounds: start_date .* lies after end_date"):
        resolve_bounds(start, end, None)


def test_a_zone_on_a_bound_needs_one_on_the_index() -> None:
    """An aware bound on a naive index is refused: nobody knows the zone of the index."""
    with pytest.raises(ValueError, match="has a time zone and the index has none"):
        resolve_bounds(pd.Timestamp("2024-01-01", tz="UTC"), None, None)


@pytest.mark.parametrize("text", ["01/02/2024", "yesterday", "", "2024-13", "2024-01-31T25:00"])
def test_text_that_is_no_iso_date_is_refused(text: str) -> None:
    """01/02 is January in New York and February in London: only ISO 8601 is a date."""
    with pytest.raises(ValueError, match=r"2024-13|is no ISO 8601 date; write it as YYYY-MM-DD"):
        resolve_bounds(text, None, None)


@pytest.mark.parametrize("moment", [pd.NaT, np.datetime64("NaT", "ns")])
def test_nat_is_refused(moment: Moment) -> None:
    """A missing date as a bound is a mistake of the caller; no bound is None."""
    with pytest.raises(ValueError, match="NaT is none"):
        resolve_bounds(moment, None, None)


@pytest.mark.parametrize("moment", [20240131, True, 1.5])
def test_numbers_are_refused(moment: object) -> None:
    """A number could be seconds, nanoseconds or a year."""
    with pytest.raises(TypeError, match=r"A date bound is text, a date or a Timestamp, not .* \((int|bool|float)\)"):
        resolve_bounds(moment, None, None)  # type: ignore[arg-type]
