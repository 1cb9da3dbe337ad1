"""The simulated factors: numbers that any machine repeats, and paths that never look ahead."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest

from macrocredit_assets.sources.simulation import Market, day_number, normals, revert, simulate


def test_normals_are_standard_on_weekdays_and_rest_at_weekends() -> None:
    """Thirty years of draws have mean 0 and deviation 1 within four standard errors; weekends are exactly 0."""
    draws = normals(7, "x", 10_955).reshape(-1, 7)
    weekdays = draws[:, :5].ravel()
    assert abs(weekdays.mean()) < 4 / math.sqrt(weekdays.size)
    assert abs(weekdays.std() - 1) < 4 / math.sqrt(2 * weekdays.size)
    assert np.abs(weekdays).max() < 6
    assert not draws[:, 5:].any()


def test_normals_differ_between_labels_and_seeds() -> None:
    """Two labels, and two seeds, are uncorrelated streams."""
    one, other, reseeded = normals(1, "x", 7_000), normals(1, "y", 7_000), normals(2, "x", 7_000)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.06
    assert abs(np.corrcoef(one, reseeded)[0, 1]) < 0.06


def test_first_normals_are_pinned() -> None:
    """The first draws of a stream: sums of twelve 16-bit integers, the same on every machine."""
    sums = [round(draw * 65_536) for draw in normals(1990, "stress", 5)]
    assert sums == [20069, -90375, -114637, -9937, -5528]


def test_revert_fades_by_half_in_a_half_life() -> None:
    """A shock of 8 with a half-life of one day leaves 4, 2 and 1; a second shock adds to what is left."""
    assert revert(np.array([8.0, 0.0, 0.0, 0.0, 2.0]), half_life=1).tolist() == [8.0, 4.0, 2.0, 1.0, 2.5]
    assert revert(np.array([1.0, *[0.0] * 10]), half_life=10)[10] == pytest.approx(0.5, rel=1e-14)


def test_a_later_horizon_changes_no_earlier_day() -> None:
    """A market simulated to 2060 has the very numbers of one simulated to 2020."""
    near, far = simulate(3, 2020), simulate(3, 2060)
    assert near.days == day_number_of_next_year(2020)
    for name in ("credit", "volatility", "equity", "short_rate", "long_rate"):
        assert np.array_equal(getattr(near, name), getattr(far, name)[: near.days]), name


def day_number_of_next_year(year: int) -> int:
    """Return the days from 1990-01-01 to the end of a year, counted by hand."""
    leap_years = sum(1 for one in range(1990, year + 1) if one % 4 == 0)
    return 365 * (year - 1989) + leap_years


def test_rates_lie_between_two_and_ten_years() -> None:
    """The curve is flat outside the two nodes, and half-way between them at their geometric mean."""
    market = Market(*(np.zeros(1),) * 3, short_rate=np.array([1.0]), long_rate=np.array([5.0]))
    assert market.rate(0.25)[0] == market.rate(2)[0] == 1.0
    assert market.rate(30)[0] == market.rate(10)[0] == 5.0
    assert market.rate(math.sqrt(20))[0] == pytest.approx(3.0, rel=1e-14)


def test_stress_is_high_in_crises_and_low_in_between() -> None:
    """November 2008 and March 2020 are full crises; early 2007, mid-2017 and late 2019 are calm."""
    credit = simulate(1990, 2022).credit
    for crisis in (date(2008, 11, 24), date(2020, 3, 23)):
        assert credit[day_number(crisis)] > 0.7
    for calm in (date(2007, 2, 1), date(2017, 6, 1), date(2019, 11, 1)):
        assert abs(credit[day_number(calm)]) < 0.3
