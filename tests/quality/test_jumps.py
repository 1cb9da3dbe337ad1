"""Rules about changes and references: a hit, a near miss, and the legitimate case that must not be called one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import numpy as np
import pandas as pd
import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.catalog.models import Column, DatasetSpec
from macrocredit_assets.findings import Finding
from macrocredit_assets.quality import examine, judge
from macrocredit_assets.windows import Coverage, Window

Toy = Callable[..., DatasetSpec]

EVERY_DAY = Window.parse("1980-01-01", "2029-12-31")
# up and down by one: the median change is 1, and its usual size 1 / 0.6745 = 1.4826
CALM = [100.0, 101.0] * 35


def line(values: Sequence[float], start: str = "2020-04-01") -> pd.DataFrame:
    """Return spreads on consecutive weekdays."""
    return pd.DataFrame({"spread": values}, pd.bdate_range(start, periods=len(values), name="date"), dtype=float)


def jumps(
    spec: DatasetSpec, frame: pd.DataFrame, window: Window = EVERY_DAY, reference: pd.Series[float] | None = None
) -> list[Finding]:
    """Examine the changes of stored rows."""
    found = examine(
        spec, window, frame, coverage=Coverage(), today=date(2030, 1, 1), reference=reference, checks=["jumps"]
    )
    return list(found["jumps"])


# jump


@pytest.mark.parametrize(("change", "hit"), [(14.82, False), (14.84, True), (-14.82, False), (-14.84, True)])
def test_ten_times_the_usual_change_is_a_jump(toy: Toy, change: float, hit: bool) -> None:
    """10 x 1.4826 is 14.826, up or down."""
    found = jumps(toy(), line([*CALM, 101 + change]))
    assert [(one.rule, one.severity, one.count) for one in found] == [("jump", "warning", 1)] * hit
    if hit:
        expected = {"date": "2020-07-08", "spread": 101 + change, "before": 101.0, "times": 10.0}
        assert found[0].examples == (expected,)
        assert found[0].message == "spread moved more than 10 times as far as it usually does in a day"


def test_the_future_is_no_measure(toy: Toy) -> None:
    """What comes after a jump, wild or calm, changes nothing about it."""
    hit = jumps(toy(), line([*CALM, 120.0]))
    assert jumps(toy(), line([*CALM, 120.0, *[90.0, 130.0] * 40]), Window.parse("2020-04-01", "2020-07-08")) == hit


def test_in_a_storm_the_same_change_is_none(toy: Toy) -> None:
    """After two weeks of changes of 5, one of 20 is four times the usual; a calm quarter before does not matter."""
    storm = [100.0, 105.0] * 10
    assert jumps(toy(), line([*CALM, *storm, 125.0])) == []
    assert len(jumps(toy(), line([*CALM, *CALM[:20], 121.0]))) == 1


def test_too_few_rows_tell_nothing(toy: Toy) -> None:
    """Nobody knows what is usual before 30 changes; with 30, one does."""
    assert jumps(toy(), line([*CALM[:30], 200.0])) == []
    assert len(jumps(toy(), line([*CALM[:31], 200.0]))) == 1


def test_a_series_in_whole_steps_moves_by_one_or_by_none(toy: Toy) -> None:
    """Where most changes are none, the smallest one is the measure."""
    still = [100.0] * 40 + [101.0] * 30
    assert jumps(toy(), line([*still, 111.0])) == []
    assert len(jumps(toy(), line([*still, 111.5]))) == 1
    assert jumps(toy(), line([100.0] * 70 + [150.0])) == [], "of rows that never moved nobody knows"


def test_a_change_over_many_sessions_is_larger(toy: Toy) -> None:
    """After nine sessions, a change may be three times as large as after one."""
    frame = line([*CALM, *[0.0] * 8, 101 + 40])
    assert jumps(toy(), pd.concat([frame.iloc[:70], frame.iloc[-1:]])) == []
    assert len(jumps(toy(), line([*CALM, 101 + 40]))) == 1


@pytest.mark.parametrize(
    ("unit", "changes", "last", "hit"),
    [
        ("bp", None, 116.0, True),
        ("percent", None, 116.0, True),
        ("USD", None, 116.0, False),
        ("USD", None, 117.1, True),
        ("index points", None, 116.0, False),
        ("bp vol", None, 116.0, False),
        ("USD", "absolute", 116.0, True),
        ("bp", "log", 116.0, False),
        ("USD", None, -5.0, False),
    ],
)
def test_spreads_move_by_differences_and_prices_by_parts(
    toy: Toy, unit: str, changes: str | None, last: float, hit: bool
) -> None:
    """From 101, ten usual differences end at 115.83 and ten usual ratios at 117.05; no price is negative."""
    spec = toy({"spread": Column.model_validate({"unit": unit, "decimals": 2})}, checks={"jump": {"changes": changes}})
    assert len(jumps(spec, line([*CALM, last]))) == hit


def test_the_entry_says_what_a_jump_is(toy: Toy) -> None:
    """A higher limit finds less, and null nothing."""
    frame = line([*CALM, 116.0])
    assert jumps(toy(checks={"jump": {"limit": 10.2}}), frame) == []
    assert jumps(toy(checks={"jump": None}), frame) == []


@pytest.mark.parametrize(("at", "hit"), [(-1, True), (0, False), (1, False), (2, True)])
def test_a_roll_and_the_session_after_it_are_no_jumps(toy: Toy, at: int, hit: bool) -> None:
    """The series rolls on Saturday 20 June 2020: Monday's change compares two series, and Tuesday may follow it."""
    rolls = {"months": (6,), "day": 20}
    day = int(pd.bdate_range("2020-04-01", "2020-06-22").size) - 1 + at
    values = [*CALM[:day], *(value + 30 for value in CALM[day:])]
    assert len(jumps(toy(rolls=rolls), line(values))) == hit
    assert len(jumps(toy(), line(values))) == 1


def test_a_roll_is_no_measure_either(toy: Toy) -> None:
    """After months of rolls that move by 30, a change of 16 on another day is found as before."""
    rolls = {"months": tuple(range(1, 13)), "day": 20}
    frame = line([*CALM, 116.0])
    for roll in ("2020-04-20", "2020-05-20", "2020-06-22"):
        frame.loc[roll:] += 30
    assert [one.count for one in jumps(toy(rolls=rolls), frame)] == [1]


def test_before_a_write_a_row_is_held_against_the_stored_ones(toy: Toy) -> None:
    """Only what comes is judged, and what is stored of the same day does not count."""
    frame = line([*CALM, 130.0, 130.0])
    (hit,) = judge(toy(), frame.iloc[70:71], frame.iloc[:70])
    assert (hit.rule, hit.examples[0]["date"]) == ("jump", "2020-07-08")
    stored = frame.copy()
    stored.iloc[70] = 101.0
    assert judge(toy(), frame.iloc[70:71], stored) == (hit,)
    assert judge(toy(), frame.iloc[71:], frame.iloc[:71]) == ()


# drift


def other(*values: float | None) -> pd.Series[float]:
    """Return values of a reference on consecutive weekdays."""
    return pd.Series(values, pd.bdate_range("2020-04-01", periods=len(values)), dtype=float)


def against(toy: Toy, **measure: object) -> DatasetSpec:
    """Return a dataset that is held against another one."""
    return toy(checks={"reference": {"dataset": "other", "column": "x", **measure}})


def test_a_level_that_must_be_equal(toy: Toy) -> None:
    """Differences up to the bound are none, in either direction, and not by the last bit of 1.01 - 1."""
    spec, frame = against(toy, within=0.01), line([1.01, 0.99, 1.02, 0.98, 1.0])
    assert 1.01 - 1.0 > 0.01
    (hit,) = jumps(spec, frame, reference=other(1, 1, 1, 1, None))
    assert (hit.rule, hit.severity, hit.count) == ("drift", "warning", 2)
    assert hit.examples[0] == {"date": "2020-04-03", "spread": 1.02, "other": 1.0, "difference": 0.02}
    assert hit.message == "spread has drifted: it differs from other by more than 0.01 bp"


def test_a_level_that_stays_in_a_ratio(toy: Toy) -> None:
    """Bounds are inside."""
    spec, frame = against(toy, ratio={"low": 0.5, "high": 1.4}), line([50, 49, 140, 141])
    (hit,) = jumps(spec, frame, reference=other(100, 100, 100, 100))
    assert (hit.count, [example["ratio"] for example in hit.examples]) == (2, [0.49, 1.41])
    assert hit.message == "spread has drifted: its ratio to other lies outside 0.5..1.4"


def test_only_rows_of_the_window_have_drifted(toy: Toy) -> None:
    """Those around it are read for other rules."""
    day = Window(date(2020, 4, 2), date(2020, 4, 2))
    (hit,) = jumps(against(toy, within=0), line([2, 3, 4]), day, other(1, 1, 1))
    assert (hit.count, hit.examples[0]["date"]) == (1, "2020-04-02")


def test_dates_that_one_of_them_lacks_are_not_compared(toy: Toy) -> None:
    """A reference that is not stored, or of other dates, says nothing."""
    spec, frame = against(toy, within=0), line([10, 11])
    assert jumps(spec, frame) == []
    assert jumps(spec, frame, reference=other()) == []
    assert jumps(spec, frame, reference=other(10)) == []
    assert jumps(toy(), frame, reference=other(20, 20)) == []


def test_shipped_cdx_in_percent_has_drifted() -> None:
    """Spreads that all came in percent are plausible to no one who looks at bonds."""
    spec = load_catalog().datasets["cdx_hy_5y"]
    (hit,) = jumps(spec, line([3.5, 3.6]), reference=other(380, 385))
    assert (hit.rule, hit.count) == ("drift", 2)
    assert np.isclose(float(hit.examples[0]["ratio"] or 0), 3.5 / 380, atol=1e-6)
