"""The list of rules: what can be waived, what the store's findings say, and what real crises are not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.catalog.models import FileWay
from macrocredit_assets.errors import UsageError
from macrocredit_assets.quality import RULES, acceptable_rules, finding, judge, vanished_finding
from macrocredit_assets.quality.subject import Subject
from macrocredit_assets.quality.values import unit_slip
from macrocredit_assets.sources import FileSource
from macrocredit_assets.windows import Window

CDX = load_catalog().datasets["cdx_hy_5y"]


def frame_of(*spread: float) -> pd.DataFrame:
    """Return spreads on consecutive weekdays."""
    return pd.DataFrame({"spread": spread}, index=pd.bdate_range("2020-03-02", periods=len(spread), name="date"))


def test_accepted_errors_become_warnings_that_say_so() -> None:
    """Only the named rule is waived; count and examples stay."""
    frame = frame_of(300.0, 20000.0, 20001.0)
    frame.index = frame.index[[0, 1, 1]]
    found = judge(CDX, frame, accept=frozenset({"hard_bounds"}))
    severities = {one.rule: one.severity for one in found}
    assert severities["hard_bounds"] == "warning"
    assert severities["conflicting_duplicate"] == "error"
    (waived,) = (one for one in found if one.rule == "hard_bounds")
    assert waived.message.endswith("(accepted)")
    assert waived.count == 2


@pytest.mark.parametrize("name", ["no_such_rule", "outside_window", "other_series", "wrong_type", "ohlc_order"])
def test_what_cannot_be_accepted(name: str) -> None:
    """An unknown rule, a warning, or what would break the store is refused, with the names that are taken."""
    with pytest.raises(UsageError) as caught:
        judge(CDX, frame_of(300.0), accept=frozenset({name, "unit_slip"}))
    assert str(caught.value) == (
        f"'{name}' cannot be accepted; --accept takes conflicting_duplicate, unit_slip, hard_bounds."
    )


def test_the_list_of_rules() -> None:
    """Names are unique, every rule has a sentence, and what can be accepted is an error that is looked for here."""
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.sentence.endswith(".") for rule in RULES)
    assert all(rule.severity == "error" and rule.look for rule in RULES if rule.name in acceptable_rules())
    assert finding("stale_source", "over").severity == "warning"
    assert finding("not_yet_published", "soon").severity == "info"


# what the store sees

_JANUARY = Window.parse("2024-01-01", "2024-01-31")


def test_vanished_rows_are_a_warning_with_the_command_that_withdraws_them() -> None:
    """Count, first dates in order, and the window that holds them all."""
    days = [date(2024, 1, day) for day in (9, 2, 3, 4, 5, 8)]
    (hit,) = vanished_finding(CDX, _JANUARY, 6, days)
    assert (hit.rule, hit.severity, hit.count) == ("vanished", "warning", 6)
    assert hit.message == (
        "6 stored rows did not come again, and were kept; if the publisher withdrew them: "
        "macrocredit backfill cdx_hy_5y --start 2024-01-02 --end 2024-01-09 --allow-withdrawals"
    )
    assert [example["date"] for example in hit.examples] == [f"2024-01-0{day}" for day in (2, 3, 4, 5, 8)]


def test_one_vanished_row_is_said_in_the_singular() -> None:
    """No plural of one."""
    (hit,) = vanished_finding(CDX, _JANUARY, 1, [date(2024, 1, 2)])
    assert hit.message.startswith(
        "1 stored row did not come again, and was kept; if the publisher withdrew it: macrocredit "
    )


@pytest.mark.parametrize(("count", "said"), [(1, "1 stored row"), (2, "2 stored rows")])
def test_who_withdraws_is_not_told_to(count: int, said: str) -> None:
    """What is left after a withdrawal are rows that came without one of their values, and nothing takes these out."""
    (hit,) = vanished_finding(CDX, _JANUARY, count, [date(2024, 1, 2), date(2024, 1, 3)][:count], withdraw=True)
    assert hit.message == f"{said} came without a value that is stored, which was kept"


def test_vanished_rows_of_which_some_are_listed_name_the_whole_window() -> None:
    """Where only the first dates are known, the command spans the window that was written."""
    (hit,) = vanished_finding(CDX, _JANUARY, 9, [date(2024, 1, 2), date(2024, 1, 3)])
    assert hit.message.endswith("cdx_hy_5y --start 2024-01-01 --end 2024-01-31 --allow-withdrawals")
    assert hit.count == 9


def test_nothing_vanished_is_nothing_to_say() -> None:
    """A write that lost sight of no row has no finding."""
    assert vanished_finding(CDX, _JANUARY, 0, ()) == ()


# real files


def test_real_crises_are_no_unit_slip(real_data: Path) -> None:
    """Month by month through 2008 and 2020, beside their neighbours or alone, no dataset's unit slips."""
    for spec in load_catalog().datasets.values():
        way = next(way for way in spec.ways if isinstance(way, FileWay))
        whole = FileSource(real_data).fetch(spec, way, Window.parse("2008-01-01", "2020-12-31")).frame.sort_index()
        months = pd.DatetimeIndex(whole.index).to_period("M")
        for _, month in whole[months.year.isin([2008, 2020])].groupby(months[months.year.isin([2008, 2020])]):
            beside = whole.drop(month.index)
            assert not [*unit_slip(Subject(spec, month)), *unit_slip(Subject(spec, month, beside))]
