"""Every rule on hand-made frames: a hit, a near miss, and the legitimate case that must not be called one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.catalog.models import Bounds, Column, DatasetSpec, FileColumn, FileWay, Unit
from macrocredit_assets.findings import Finding
from macrocredit_assets.quality import judge

SPREAD = Column(unit="bp", decimals=2, plausible=Bounds(low=150, high=2500), hard=Bounds(low=30, high=10000))
YIELD = Column(unit="percent", decimals=4, plausible=Bounds(low=0, high=10), hard=Bounds(low=-3, high=30))


def spec_of(**columns: Column) -> DatasetSpec:
    """Return a dataset with these columns."""
    way = FileWay(series="toy:x", path="x.csv", columns={name: FileColumn(column=name) for name in columns})
    return DatasetSpec(
        name="toy",
        title="Toy",
        instrument="TOY",
        group="toys",
        owner="team:toys",
        description="A toy.",
        columns=columns,
        main=next(iter(columns)),
        calendar="weekdays",
        ways=(way,),
    )


def frame_of(start: str = "2020-03-02", **columns: list[float | None]) -> pd.DataFrame:
    """Return a frame of consecutive weekdays."""
    length = len(next(iter(columns.values())))
    index = pd.bdate_range(start, periods=length, name="date")
    frame = pd.DataFrame(columns, index=index)
    return frame.astype({name: float for name in columns if None in columns[name]})


def rules_hit(findings: tuple[Finding, ...]) -> list[str]:
    """Return the names of the rules, in order."""
    return [one.rule for one in findings]


def test_clean_frame_has_no_findings() -> None:
    """Values inside all bounds, missing cells of columns that often lack them included, are nothing to speak of."""
    frame = frame_of(spread=[300.0, 301.0, 305.5], other=[None, 300.0, None])
    assert judge(spec_of(spread=SPREAD, other=SPREAD), frame) == ()


def test_an_empty_frame_has_no_findings() -> None:
    """A closed day's answer breaks no rule, whatever is stored."""
    empty = frame_of(spread=[300.0]).iloc[:0]
    assert judge(spec_of(spread=SPREAD), empty, frame_of(spread=[300.0])) == ()


# conflicting_duplicate


def test_conflicting_duplicate() -> None:
    """One date with two values is an error that shows both; the other dates are not counted."""
    frame = frame_of(spread=[300.0, 301.0, 302.0])
    frame.index = frame.index[[0, 1, 1]]
    (hit,) = judge(spec_of(spread=SPREAD), frame)
    assert (hit.rule, hit.severity, hit.count) == ("conflicting_duplicate", "error", 1)
    assert hit.examples == ({"date": "2020-03-03", "spread": 301.0}, {"date": "2020-03-03", "spread": 302.0})


@pytest.mark.parametrize("value", [301.0, None])
def test_equal_duplicates_do_not_conflict(value: float | None) -> None:
    """The same row twice, missing cells included, is a repetition and no conflict."""
    frame = frame_of(spread=[300.0, 301.0, 301.0], other=[300.0, value, value])
    frame.index = frame.index[[0, 1, 1]]
    assert judge(spec_of(spread=SPREAD, other=SPREAD), frame) == ()


# wrong_type


def test_text_is_a_wrong_type_and_stops_the_other_rules() -> None:
    """A column of text is one error, and no rule about numbers is tried on it."""
    (hit,) = judge(spec_of(spread=SPREAD), frame_of(spread=["300", "x"]))  # type: ignore[list-item]
    assert (hit.rule, hit.severity, hit.count) == ("wrong_type", "error", 2)


@pytest.mark.parametrize(
    ("values", "count"),
    [([1.0, 2.0, None], 0), ([1.0, 2.5, None], 1), ([1.0, np.inf], 1), ([2.0**53, -(2.0**53)], 0), ([2.0**54], 1)],
)
def test_int64_columns_hold_whole_numbers(values: list[float | None], count: int) -> None:
    """Fractions, infinities and numbers beyond what a float holds exactly are counted; missing cells are not."""
    volume = Column(dtype="int64", unit="shares", decimals=0)
    found = judge(spec_of(volume=volume), frame_of(volume=values))
    assert sum(one.count for one in found if one.rule == "wrong_type") == count


def test_infinity_is_no_number() -> None:
    """An infinity in a float column is a wrong type, shown with its date."""
    (hit,) = judge(spec_of(spread=SPREAD), frame_of(spread=[300.0, -np.inf]))
    assert (hit.rule, hit.examples[0]["date"]) == ("wrong_type", "2020-03-03")


def test_wrong_shapes() -> None:
    """Another index or other columns than the dataset's are wrong types that say what was expected."""
    spec, frame = spec_of(spread=SPREAD), frame_of(spread=[300.0])
    late = frame.set_axis(frame.index + pd.Timedelta(hours=1))
    shapes = {
        "not dates": frame.reset_index(drop=True),
        "without a time zone": frame.tz_localize("UTC"),
        "time of day": late,
        "the columns are oas; expected spread": frame.rename(columns={"spread": "oas"}),
    }
    for message, shape in shapes.items():
        (hit,) = judge(spec, shape)
        assert hit.rule == "wrong_type"
        assert message in hit.message


# bounds


@pytest.mark.parametrize(
    ("value", "hit"),
    [
        (29.99, ["hard_bounds", "plausible_bounds"]),
        (30.0, ["plausible_bounds"]),
        (149.99, ["plausible_bounds"]),
        (150.0, []),
        (2500.0, []),
        (2500.01, ["plausible_bounds"]),
        (10000.0, ["plausible_bounds"]),
        (10000.01, ["hard_bounds", "plausible_bounds"]),
    ],
)
def test_bounds_are_closed(value: float, hit: list[str]) -> None:
    """A value on a bound is inside; outside plausible is a warning, outside hard an error as well."""
    findings = judge(spec_of(spread=SPREAD), frame_of(spread=[300.0, 310.0, value]))
    assert rules_hit(findings) == hit
    assert [one.severity for one in findings] == [{"h": "error", "p": "warning"}[name[0]] for name in hit]
    assert all(one.examples == ({"date": "2020-03-04", "spread": value},) for one in findings)


def test_examples_are_few_and_all_are_counted() -> None:
    """The first five cells are shown."""
    (hit,) = judge(spec_of(spread=SPREAD), frame_of(spread=[300.0] * 10 + [3000.0] * 7))
    assert (hit.count, len(hit.examples)) == (7, 5)


@pytest.mark.parametrize(
    ("unit", "cause"),
    [
        ("bp", "percent taken for basis points, or the reverse?"),
        ("percent", "percent taken for basis points, or the reverse?"),
        ("index points", "a wrong unit, or a misplaced decimal point?"),
        ("USD", "a wrong unit, or a misplaced decimal point?"),
    ],
)
def test_a_slip_says_what_may_have_happened(unit: Unit, cause: str) -> None:
    """Only of what is quoted in percent or basis points one may be taken for the other."""
    (slip,) = judge(spec_of(level=Column(unit=unit, decimals=2)), frame_of(level=[300.0, 301.0, 3.0]))
    assert slip.message.endswith(f"3 {unit} on 2020-03-04, beside 301 on 2020-03-03; {cause}")


# unit_slip

STORED = frame_of("2020-02-17", spread=[350.0, 355.0, 349.0, 352.0, 360.0])


@pytest.mark.parametrize("stored", [None, STORED], ids=["alone", "beside stored rows"])
@pytest.mark.parametrize("values", [[3.55], [3.55, 3.6, 3.71], [35500.0, 36000.0]])
def test_unit_slip(values: list[float], stored: pd.DataFrame | None) -> None:
    """A window in percent, or a hundred times too high, is an error even if it is one row."""
    findings = judge(spec_of(spread=SPREAD), frame_of(spread=values), stored)
    assert "unit_slip" in [one.rule for one in findings if one.severity == "error"]


def test_unit_slip_inside_the_bounds_is_seen_beside_stored_rows() -> None:
    """A yield of 0.045 could be true, but not on the day after 4.5."""
    stored, slipped = frame_of("2020-02-24", **{"yield": [4.5, 4.4]}), frame_of(**{"yield": [0.045]})
    spec = spec_of(**{"yield": YIELD})
    assert judge(spec, slipped) == ()
    assert rules_hit(judge(spec, slipped, stored)) == ["unit_slip"]


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([2182.0], id="the peak of 2008 in one row"),
        pytest.param([700.0, 720.0, 710.0], id="doubled"),
        pytest.param([900.0, 1400.0, 2600.0], id="a crisis beyond the usual range"),
        pytest.param([300.0, 9.0, 301.0], id="a misprint that is no hundredth"),
    ],
)
@pytest.mark.parametrize("stored", [None, STORED], ids=["alone", "beside stored rows"])
def test_crises_are_no_unit_slip(values: list[float], stored: pd.DataFrame | None) -> None:
    """Spreads may double or leave their usual range without having changed their unit."""
    assert "unit_slip" not in rules_hit(judge(spec_of(spread=SPREAD), frame_of(spread=values), stored))


def test_stored_neighbours_outweigh_bounds() -> None:
    """An index that has outgrown its usual range makes no slip while it stands beside its own stored rows."""
    index = Column(unit="index points", decimals=2, plausible=Bounds(low=100, high=20000))
    grown, stored = frame_of(level=[20100.0]), frame_of("2020-02-24", level=[19900.0])
    assert "unit_slip" in rules_hit(judge(spec_of(level=index), grown))
    assert rules_hit(judge(spec_of(level=index), grown, stored)) == ["plausible_bounds"]


def test_stored_rows_far_away_say_nothing() -> None:
    """Yields were a hundredth of what they are twenty years earlier; only rows within a quarter compare."""
    spec = spec_of(**{"yield": YIELD})
    low = frame_of(**{"yield": [0.05, 0.06]})
    assert judge(spec, low, frame_of("2000-03-01", **{"yield": [5.0, 6.0]})) == ()


@pytest.mark.parametrize("factor", [100, 0.01])
@pytest.mark.parametrize("rows", [slice(0, 1), slice(2, 3), slice(1, 4), slice(3, 5), slice(4, 5)], ids=str)
def test_few_slipped_rows_are_seen_beside_the_others(rows: slice, factor: float) -> None:
    """The rows that are off are counted and shown, not the ones beside them."""
    frame = frame_of(spread=[350.0, 355.0, 349.0, 352.0, 360.0])
    frame.iloc[rows] *= factor
    slips = [one for one in judge(spec_of(spread=SPREAD), frame) if one.rule == "unit_slip"]
    assert [(one.severity, one.count) for one in slips] == [("error", len(frame.iloc[rows]))]
    assert [example["date"] for example in slips[0].examples] == [f"{day:%Y-%m-%d}" for day in frame.index[rows]]


def test_last_fifth_of_a_restated_history_is_seen() -> None:
    """Rows that come a hundred times lower than they are stored are found, however many came right."""
    stored = frame_of(**{"yield": [4.0 + number / 100 for number in range(50)]})
    came = stored.copy()
    came.iloc[40:] /= 100
    hit = judge(spec_of(**{"yield": YIELD}), came, stored)[0]
    assert (hit.rule, hit.count, hit.examples[0]["date"]) == ("unit_slip", 10, f"{stored.index[40]:%Y-%m-%d}")


def test_a_jump_that_is_stored_already_is_not_told_again() -> None:
    """What was accepted once comes as it is stored: nothing has slipped since."""
    stored = frame_of(**{"yield": [4.0, 4.1, 0.04, 0.05]})
    assert judge(spec_of(**{"yield": YIELD}), stored, stored) == ()
    assert judge(spec_of(**{"yield": YIELD}), stored.iloc[2:], stored) == ()


def test_rows_that_follow_an_accepted_jump_are_compared_with_what_is_stored() -> None:
    """The nearest stored row decides, not the level before it."""
    stored, spec = frame_of(**{"yield": [4.0, 4.1, 0.04]}), spec_of(**{"yield": YIELD})
    assert judge(spec, frame_of("2020-03-05", **{"yield": [0.05]}), stored) == ()
    assert rules_hit(judge(spec, frame_of("2020-03-05", **{"yield": [4.1]}), stored)) == ["unit_slip"]


def test_zeros_have_no_level() -> None:
    """A dividend stands among zeros and is compared with the one before."""
    dividend = Column(unit="USD", decimals=6, plausible=Bounds(low=0, high=5))
    spec, paid = spec_of(dividend=dividend), [0.4, 0.0, 0.0, 0.45, 0.0]
    assert judge(spec, frame_of(dividend=list(paid))) == ()
    assert rules_hit(judge(spec, frame_of(dividend=[0.4, 0.0, 0.0, 0.0045, 0.0]))) == ["unit_slip"]


BASIS = Column(unit="bp", decimals=2, plausible=Bounds(low=-500, high=1000))


def test_a_difference_near_zero_has_ratios_of_any_size() -> None:
    """A difference of 0.05 may be 6 a day later; a hundred times more than it ever moves is a slip."""
    calm = [3.0, -2.0, 4.0, 1.0, 0.05, 6.0, 2.0, -1.0, 0.02, -3.0, 2.0, 5.0]
    spec = spec_of(basis=BASIS)
    assert judge(spec, frame_of(basis=list(calm))) == ()
    assert rules_hit(judge(spec, frame_of(basis=[*calm, 480.0]))) == ["unit_slip"]


def test_signals_are_judged_as_a_whole() -> None:
    """A computed number may be near zero one day and not the next."""
    spec = load_catalog().signals["cdx_vix_gap"]
    assert judge(spec, frame_of(gap=[0.01, 1.0, 0.02])) == ()
    assert rules_hit(judge(spec, frame_of(gap=[150.0, 160.0])))[0] == "unit_slip"


@pytest.mark.parametrize(("new", "old"), [(1.0, 0.0), (0.0, 1.0), (0.5, -0.005)])
def test_zeros_and_signs_have_no_ratio(new: float, old: float) -> None:
    """Around zero a ratio means nothing."""
    spec = spec_of(**{"yield": YIELD})
    found = judge(spec, frame_of(**{"yield": [new]}), frame_of("2020-02-28", **{"yield": [old]}))
    assert "unit_slip" not in rules_hit(found)


def test_volumes_make_no_unit_slip() -> None:
    """A count of shares has no other unit to slip into."""
    volume = Column(dtype="int64", unit="shares", decimals=0)
    stored = frame_of("2020-02-28", volume=[1900.0])
    assert judge(spec_of(volume=volume), frame_of(volume=[190000.0]), stored) == ()


# ohlc_order

PRICE = Column(unit="USD", decimals=2)
OHLC = spec_of(close=PRICE, open=PRICE, high=PRICE, low=PRICE)


@pytest.mark.parametrize(
    ("prices", "broken"),
    [
        ((10, 12, 9, 11), False),
        ((10, 10, 10, 10), False),
        ((9, 12, 9, 12), False),
        ((8.99, 12, 9, 11), True),
        ((12.01, 12, 9, 11), True),
        ((10, 12, 9, 12.01), True),
        ((10, 12, 9, 8.99), True),
        ((10, 9, 12, 11), True),
        ((None, 12, 9, 11), False),
        ((None, 12, 9, 13), True),
    ],
)
def test_ohlc_order(prices: tuple[float | None, ...], broken: bool) -> None:
    """Open and close lie in low..high, bounds included; a missing cell breaks no order."""
    row = dict(zip(("open", "high", "low", "close"), ([price] for price in prices), strict=True))
    findings = judge(OHLC, frame_of(**row)[["close", "open", "high", "low"]])
    assert rules_hit(findings) == ["ohlc_order"] * broken
    assert all(one.severity == "warning" for one in findings)
