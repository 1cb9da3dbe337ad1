"""What is left of findings where somebody accepted rows of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import pandas as pd
import pytest

from macrocredit_assets.catalog.models import Bounds, Column, DatasetSpec
from macrocredit_assets.findings import Finding
from macrocredit_assets.quality import CHECKS, Check, examine, judge
from macrocredit_assets.windows import Coverage, Window

Toy = Callable[..., DatasetSpec]

SPREAD = Column(unit="bp", decimals=2, hard=Bounds(low=-1, high=90000), plausible=Bounds(low=30, high=1000))
MARCH = Window.parse("2020-03-02", "2020-03-31")
LEVELS = (60.0, 61.0, 60.5, 61.5, 62.0, 60.0, 61.0, 60.5)


def _line(*values: float) -> pd.DataFrame:
    """Return spreads on consecutive weekdays from Monday, 2 March 2020."""
    return pd.DataFrame({"spread": values}, pd.bdate_range("2020-03-02", periods=len(values), name="date"))


def _of_march(*windows: tuple[int, int]) -> Coverage:
    return Coverage.of(Window.parse(f"2020-03-{start:02}", f"2020-03-{end:02}") for start, end in windows)


def _examine(
    entry: DatasetSpec, frame: pd.DataFrame, accepted: Mapping[str, Coverage], window: Window = MARCH
) -> dict[Check, list[tuple[str, str, int]]]:
    coverage = Coverage((Window(MARCH.start, frame.index[-1].date()),))
    found = examine(entry, window, frame, coverage=coverage, today=date(2030, 1, 2), accepted=accepted)
    return {check: _told(found[check]) for check in CHECKS}


def _told(findings: tuple[Finding, ...]) -> list[tuple[str, str, int]]:
    return [(one.rule, one.severity, one.count) for one in findings]


def test_accepted_rows_are_counted_and_only_to_be_known(toy: Toy) -> None:
    """Of four rows out of bounds one was accepted: three are told, without it; with all of them, none is."""
    entry = toy({"spread": SPREAD})
    frame = _line(20.0, 21.0, 60.0, 22.0, 23.0)
    rows = {"plausible_bounds": _of_march((3, 3))}
    found = examine(entry, MARCH, frame, coverage=Coverage(), today=date(2030, 1, 2), accepted=rows)["values"]
    assert _told(found) == [("plausible_bounds", "warning", 3), ("plausible_bounds", "info", 1)]
    assert [row["date"] for row in found[0].examples] == ["2020-03-02", "2020-03-05", "2020-03-06"]
    assert [row["date"] for row in found[1].examples] == ["2020-03-03"]
    assert [one.accepted for one in found] == [False, True]
    assert "1 accepted" in found[1].message
    assert "macrocredit accept toy --list" in found[1].message
    everything = {"plausible_bounds": _of_march((1, 31))}
    assert _examine(entry, frame, everything)["values"] == [("plausible_bounds", "info", 4)]


def test_another_rule_is_not_accepted(toy: Toy) -> None:
    """Who accepts one rule accepts no other on the same row."""
    found = _examine(toy({"spread": SPREAD}), _line(20.0), {"hard_bounds": _of_march((1, 31))})
    assert found["values"] == [("plausible_bounds", "warning", 1)]


def test_accepted_gap_leaves_the_others(toy: Toy) -> None:
    """Sessions without a row are accepted by their dates; a gap beside them is told with its own sessions."""
    entry = toy({"spread": SPREAD}, checks={"gap": 1})
    frame = _line(*LEVELS, *LEVELS).drop(pd.DatetimeIndex(["2020-03-04", "2020-03-05", "2020-03-10", "2020-03-11"]))
    assert _examine(entry, frame, {})["continuity"] == [("gap", "warning", 4)]
    assert _examine(entry, frame, {"gap": _of_march((4, 5))})["continuity"] == [
        ("gap", "warning", 2),
        ("gap", "info", 2),
    ]
    found = examine(
        entry,
        MARCH,
        frame,
        coverage=_of_march((2, 23)),
        today=date(2030, 1, 2),
        accepted={"gap": _of_march((4, 5))},
    )["continuity"]
    assert found[0].message.endswith("(2 more accepted)")
    assert [row["start"] for one in found for row in one.examples] == ["2020-03-10", "2020-03-04"]


@pytest.mark.parametrize(("after", "name"), [(LEVELS[4:], "print"), ([100 * one for one in LEVELS[4:]], "level")])
def test_row_after_an_accepted_slip_may_stand_on_either_level(toy: Toy, after: list[float], name: str) -> None:
    """An accepted row may be one odd print, or the first of a new level: neither fails the mornings that follow."""
    entry = toy({"spread": Column(unit="bp", decimals=2)})
    slip = {"unit_slip": _of_march((5, 5))}
    stored = _line(*LEVELS[:3], 6150.0)
    frame = _line(*LEVELS[:3], 6150.0, *after)
    assert [one for one in _examine(entry, frame, {})["values"] if one[1] == "error"], name
    assert {one[1] for one in _examine(entry, frame, slip)["values"]} <= {"info"}
    assert {one.severity for one in judge(entry, frame, stored, accepted=slip)} <= {"info"}


def test_another_slip_beside_an_accepted_one_is_told(toy: Toy) -> None:
    """A row on neither level is an error as before, in stored rows and before a write."""
    entry = toy({"spread": Column(unit="bp", decimals=2)})
    slip = {"unit_slip": _of_march((5, 5))}
    frame = _line(*LEVELS[:3], 6150.0, *LEVELS[4:6], 0.61, 60.5)
    assert _examine(entry, frame, slip)["values"] == [("unit_slip", "error", 1), ("unit_slip", "info", 1)]
    found = judge(entry, frame, _line(*LEVELS[:3], 6150.0), accepted=slip)
    assert [one.dates for one in found if one.severity == "error"] == [(date(2020, 3, 10),)]


def test_rows_that_come_as_they_are_stored_are_not_asked_for_again(toy: Toy) -> None:
    """Before a write the accepted row passes with the stored value, and with no other."""
    entry = toy({"spread": Column(unit="bp", decimals=2, hard=Bounds(low=-1, high=90))})
    accepted = {"hard_bounds": _of_march((4, 4))}
    stored = _line(60.0, 61.0, 95.0)
    assert _told(judge(entry, stored, stored, accepted=accepted)) == [("hard_bounds", "info", 1)]
    assert _told(judge(entry, _line(60.5, 61.0, 95.0), stored, accepted=accepted)) == [("hard_bounds", "info", 1)]
    other = judge(entry, _line(60.0, 61.0, 95.1), stored, accepted=accepted)
    assert _told(other) == [("hard_bounds", "error", 1)]
    assert _told(judge(entry, stored, stored)) == [("hard_bounds", "error", 1)]


def test_accepting_again_leaves_what_was_accepted(toy: Toy) -> None:
    """What was accepted before stays to be known; only what is new becomes a warning that was waived."""
    entry = toy({"spread": Column(unit="bp", decimals=2, hard=Bounds(low=-1, high=90))})
    frame = _line(96.0, 61.0, 95.0)
    accept = frozenset({"hard_bounds"})
    found = judge(entry, frame, _line(60.0, 61.0, 95.0), accept=accept, accepted={"hard_bounds": _of_march((4, 4))})
    assert _told(found) == [("hard_bounds", "warning", 1), ("hard_bounds", "info", 1)]
    assert found[0].dates == (date(2020, 3, 2),)


def test_rows_that_are_no_numbers_are_not_as_stored(toy: Toy) -> None:
    """Text in a column is told as ever, and breaks nothing."""
    entry = toy({"spread": SPREAD})
    frame = pd.DataFrame({"spread": ["x", "y"]}, pd.bdate_range("2020-03-02", periods=2, name="date"))
    found = judge(entry, frame, _line(60.0, 61.0), accepted={"hard_bounds": _of_march((1, 31))})
    assert [one.rule for one in found] == ["wrong_type"]


def test_duplicates_whose_last_row_is_stored_were_accepted(toy: Toy) -> None:
    """The last row of a date is the one that is kept: as stored and accepted, it is not asked for again."""
    entry = toy({"spread": SPREAD})
    frame = pd.concat([_line(60.0, 61.0), _line(60.0, 62.0).iloc[1:]])
    accepted = {"conflicting_duplicate": _of_march((3, 3))}
    assert _told(judge(entry, frame, _line(60.0, 62.0), accepted=accepted)) == [("conflicting_duplicate", "info", 1)]
    assert _told(judge(entry, frame, _line(60.0, 61.0), accepted=accepted)) == [("conflicting_duplicate", "error", 1)]
