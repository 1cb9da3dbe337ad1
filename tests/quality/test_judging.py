"""The two ways in: which rules are applied to what, and what must be read for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pandas as pd
import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.catalog.models import Bounds, Column, DatasetSpec
from macrocredit_assets.errors import UsageError
from macrocredit_assets.quality import CHECKS, NEIGHBOURHOOD, Needs, examine, judge, needs, rules_of
from macrocredit_assets.quality.subject import Subject
from macrocredit_assets.quality.values import unit_slip
from macrocredit_assets.windows import Coverage, Window

Toy = Callable[..., DatasetSpec]

CATALOG = load_catalog()
TODAY = date(2030, 1, 2)
SPREAD = Column(unit="bp", decimals=2, hard=Bounds(low=30, high=10000))


def line(*values: float) -> pd.DataFrame:
    """Return spreads on consecutive weekdays."""
    return pd.DataFrame({"spread": values}, pd.bdate_range("2020-03-02", periods=len(values), name="date"))


@pytest.mark.parametrize(
    ("name", "check", "expected"),
    [
        ("cdx_hy_5y", "values", Needs(("spread",), NEIGHBOURHOOD, NEIGHBOURHOOD)),
        ("cdx_hy_5y", "jumps", Needs(("spread",), timedelta(130), timedelta(0), ("us_hy_oas", "oas"))),
        ("vix", "jumps", Needs(("close",), timedelta(130))),
        ("vix", "continuity", Needs(("open", "high", "low", "close"), NEIGHBOURHOOD, dates=True)),
        ("vix", "source", Needs()),
        ("cdx_vix_gap", "values", Needs(("gap",), NEIGHBOURHOOD, NEIGHBOURHOOD)),
        ("cdx_vix_gap", "continuity", Needs()),
        ("cdx_vix_gap", "jumps", Needs()),
    ],
)
def test_a_check_reads_what_its_rules_need(name: str, check: str, expected: Needs) -> None:
    """Columns, how far around the window, and the reference."""
    assert needs(CATALOG.entry(name), [check]) == expected  # type: ignore[list-item]


def test_checks_together_read_what_each_of_them_needs() -> None:
    """All columns in the order of the entry, the longest way back, and no reference where none is named."""
    every = needs(CATALOG.entry("hyg"))
    assert every == Needs(tuple(CATALOG.entry("hyg").columns), timedelta(130), NEIGHBOURHOOD, dates=True)
    around = every.around(Window(date(2024, 5, 10), date(2024, 5, 11)))
    assert str(around) == "2024-01-01..2024-08-19"


def test_which_rules_say_something_of_which_dataset(toy: Toy) -> None:
    """What is not told its parameters, has no range or no source is not judged by it."""

    def names(name: str) -> set[str]:
        return {rule.name for check in CHECKS for rule in rules_of(CATALOG.entry(name), check)}

    assert {"ohlc_order", "repeated_close", "stale_print", "closed_day", "late"} <= names("vix")
    assert {"ohlc_order", "repeated_close"}.isdisjoint(names("cdx_ig_5y"))
    assert ("drift" in names("cdx_ig_5y"), "drift" in names("vix")) == (True, False)
    assert "jump" not in {rule.name for rule in rules_of(toy(checks={"jump": None}), "jumps")}
    signal = CATALOG.entry("cdx_vix_gap")
    assert rules_of(signal, "continuity") == rules_of(signal, "jumps") == ()


def test_findings_know_all_their_dates(toy: Toy) -> None:
    """Five rows are shown, every date is known while the rows are at hand, and none is kept with the finding."""
    frame = line(300, *[20] * 8)
    (hit,) = judge(toy({"spread": SPREAD}, checks={"jump": None}), pd.concat([frame, frame.iloc[1:2]]))
    assert (hit.rule, hit.count, len(hit.examples)) == ("hard_bounds", 9, 5)
    assert hit.dates == tuple(frame.index[1:].date)
    assert "dates" not in hit.to_dict()


def test_only_the_checks_that_are_asked_for_are_applied(toy: Toy) -> None:
    """Each has its findings, or none, in the order of the checks."""
    frame, window = line(20, 300), Window(date(2020, 3, 2), date(2020, 3, 3))
    found = examine(
        toy({"spread": SPREAD}), window, frame, coverage=Coverage((window,)), today=TODAY, checks=["source", "values"]
    )
    assert [(check, [one.rule for one in findings]) for check, findings in found.items()] == [
        ("values", ["hard_bounds"]),
        ("source", []),
    ]


def test_rows_around_the_window_are_a_measure_and_not_judged(toy: Toy) -> None:
    """The slip before the window is not told; the one inside is, by the rows around."""
    frame = line(300, 3.0, 301, 302, 3.02, 303)
    found = examine(
        toy({"spread": Column(unit="bp", decimals=2)}),
        Window(date(2020, 3, 5), date(2020, 3, 6)),
        frame,
        coverage=Coverage(),
        today=TODAY,
        checks=["values"],
    )
    assert [(one.rule, one.count, one.examples[0]["date"]) for one in found["values"]] == [
        ("unit_slip", 1, "2020-03-06")
    ]


def test_what_the_store_refuses_is_in_no_table() -> None:
    """A check lists rules that it can fill: of rows outside the window, or of another series, none is ever stored."""
    listed = {rule.name for rule in rules_of(CATALOG.entry("vix"), "values")}
    assert {"unit_slip", "plausible_bounds"} <= listed
    assert {"outside_window", "other_series"}.isdisjoint(listed)


def test_warnings_are_told_once(toy: Toy) -> None:
    """Ten days come every morning: nine as they are stored, of which it was said when they were new."""
    spec = toy({"spread": Column(unit="bp", decimals=2, plausible=Bounds(low=30, high=300))})
    frame = line(301, 302, 303)
    frame.index = pd.DatetimeIndex(["2020-03-06", "2020-03-07", "2020-03-09"], name="date")

    def said(came: pd.DataFrame, stored: pd.DataFrame) -> list[tuple[str, int]]:
        return [(one.rule, one.count) for one in judge(spec, came, stored)]

    assert said(frame, frame.iloc[:0]) == [("plausible_bounds", 3), ("closed_day", 1)]
    assert said(frame, frame) == []
    assert said(frame, frame.iloc[:2]) == [("plausible_bounds", 1)]
    corrected = frame.copy()
    corrected.iloc[1] += 1
    assert said(frame, corrected) == [("plausible_bounds", 1), ("closed_day", 1)]


def test_rows_that_are_not_told_again_stay_a_measure(toy: Toy) -> None:
    """The fourth repetition is one beside three that came as they are stored."""
    frame = line(300, 300, 300, 300)
    assert [(one.rule, one.count) for one in judge(toy(checks={"stale": 2}), frame, frame.iloc[:3])] == [
        ("stale_print", 1)
    ]


def test_signals_are_told_once_and_not_held_against_what_is_stored() -> None:
    """A value outside the usual range is told when it is new; one that was near zero the day before is no measure."""
    signal = CATALOG.signals["cash_cds_basis_ig"]
    frame = line(2.0, 3.0, 2000.0).rename(columns={"spread": "basis"})
    assert [(one.rule, one.count) for one in judge(signal, frame, frame.iloc[:2])] == [("plausible_bounds", 1)]
    assert judge(signal, frame, frame) == ()
    assert judge(signal, frame.iloc[:1] * 50, frame.iloc[:1]) == ()


def test_errors_are_told_however_often_they_come(toy: Toy) -> None:
    """A row that cannot be true stops a write, whatever is stored."""
    frame = line(300, 20)
    assert [one.rule for one in judge(toy({"spread": SPREAD}), frame, frame)] == ["hard_bounds"]


YIELD = Column(unit="percent", decimals=4, plausible=Bounds(low=0, high=10))


@pytest.mark.parametrize(
    ("values", "accepted", "told"),
    [
        pytest.param([4.0, 4.1, 0.04, 4.1, 4.2], [], [2], id="a slip"),
        pytest.param([4.0, 4.1, 0.04, 4.1, 4.2], [2], [], id="accepted, and back"),
        pytest.param([4.0, 4.1, 0.04, 0.05, 0.05], [2], [], id="accepted, and what follows it"),
        pytest.param([4.0, 4.1, 0.04, 0.05, 4.1], [2], [4], id="back later than the next row"),
        pytest.param([4.0, 4.1, 0.04, 4.1, 0.04], [2], [4], id="once more"),
        pytest.param([400.0, 410.0], [0], [], id="outside the usual range from the first row on"),
        pytest.param([400.0, 410.0], [], [0, 1], id="the same, not accepted"),
    ],
)
@pytest.mark.parametrize("start", [0, 1, 2, 3, 4])
def test_a_slip_is_one_from_any_window(
    toy: Toy, values: list[float], accepted: list[int], told: list[int], start: int
) -> None:
    """Stored rows are neighbours of one another, wherever the window begins; an accepted one is right."""
    frame = line(*values).rename(columns={"spread": "yield"})
    days = [day.date() for day in frame.index]
    subject = Subject(
        toy({"yield": YIELD}),
        frame.iloc[start:],
        frame.iloc[:start],
        Window(date(2020, 3, 2), date(2020, 3, 31)),
        accepted=Coverage.of(Window(days[row], days[row]) for row in accepted),
    )
    assert [day for seen in unit_slip(subject) for day in seen.dates] == [days[row] for row in told if row >= start]


def test_stored_rows_may_be_accepted_too(toy: Toy) -> None:
    """A waived error is a warning that says so; a rule that cannot be waived is refused."""
    spec, window = toy({"spread": SPREAD}), Window(date(2020, 3, 2), date(2020, 3, 2))

    def ask(*accept: str) -> list[str]:
        found = examine(
            spec, window, line(20), coverage=Coverage(), today=TODAY, checks=["values"], accept=frozenset(accept)
        )
        return [f"{one.severity}: {one.message}" for one in found["values"]]

    assert ask()[0].startswith("error: spread lies outside")
    assert ask("hard_bounds")[0].startswith("warning: ")
    assert ask("hard_bounds")[0].endswith(" (accepted)")
    with pytest.raises(UsageError, match="'gap' cannot be accepted"):
        ask("gap")


@pytest.mark.parametrize("name", CATALOG.names())
def test_nothing_stored_is_nothing_to_say(name: str) -> None:
    """An empty frame passes every check."""
    entry = CATALOG.entry(name)
    frame = pd.DataFrame(
        {column: pd.Series(dtype=float) for column in entry.columns}, pd.DatetimeIndex([], name="date")
    )
    found = examine(entry, Window(date(2024, 1, 1), date(2024, 1, 31)), frame, coverage=Coverage(), today=TODAY)
    assert set(found) == set(CHECKS)
    assert not any(found.values())
