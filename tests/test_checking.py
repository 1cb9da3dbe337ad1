"""What the checks say of stored datasets, and what they read for it.

The rules themselves are tested in ``quality``; here it is which rows they are shown, and what is added to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from macrocredit_assets.catalog.models import Bounds
from macrocredit_assets.checking import CheckResult, Report, check, checks_of
from macrocredit_assets.errors import CorruptFileError, SchemaMismatchError, UnknownDatasetError, UsageError
from macrocredit_assets.findings import Finding
from macrocredit_assets.persistence import DataRegistry
from macrocredit_assets.quality import CHECKS, Check
from macrocredit_assets.windows import Coverage, Window

if TYPE_CHECKING:
    from conftest import Desk

TODAY = date(2024, 2, 1)
JANUARY = Window.parse("2024-01-01", "2024-01-31")


def _check(
    desk: Desk,
    name: str,
    window: Window | None = None,
    *,
    today: date = TODAY,
    checks: Sequence[Check] = CHECKS,
    accept: frozenset[str] = frozenset(),
) -> Report:
    return check(desk.holdings, name, window, today=today, checks=checks, accept=accept)


def _with_bounds(desk: Desk, **bounds: Bounds) -> None:
    left = desk.catalog.datasets["left"]
    columns = {"value": left.columns["value"].model_copy(update=bounds)}
    datasets = {**desk.catalog.datasets, "left": left.model_copy(update={"columns": columns})}
    desk.catalog = replace(desk.catalog, datasets=datasets)


def _said(report: Report) -> dict[str, list[tuple[str, int]]]:
    return {result.check: [(one.rule, one.count) for one in result.findings] for result in report.results}


def _register(desk: Desk, *findings: dict[str, Any]) -> None:
    registry = DataRegistry(desk.settings.registry_path, desk.settings.data_directory)
    path = desk.settings.dataset_path("market", "left")
    registry.register_dataset("left", path, "LEFT", metadata={"findings": list(findings)})


def test_sound_dataset_passes_every_check_that_it_has(desk: Desk) -> None:
    """A market dataset has four checks; without a window all that is stored and covered is looked at."""
    desk.put("left", "2024-01-01", "2024-01-31")
    report = _check(desk, "left")
    assert [result.check for result in report.results] == ["values", "continuity", "jumps", "source"]
    assert [result.check for result in report.results] == [*checks_of(desk.catalog.entry("left"))]
    assert (report.window, {result.outcome for result in report.results}) == (JANUARY, {"passed"})
    assert all(result.rules for result in report.results)


def test_only_rows_of_the_window_are_reported(desk: Desk) -> None:
    """What is wrong outside the window is the affair of another check."""
    rows = {"2024-01-04": 110.0, "2024-01-10": 90.0, "2024-01-20": 90.0, "2024-01-24": 120.0}
    _with_bounds(desk, plausible=Bounds(low=0, high=100))
    desk.put("left", "2024-01-01", "2024-01-31", rows)
    assert ("plausible_bounds", 2) in _said(_check(desk, "left"))["values"]
    assert ("plausible_bounds", 1) in _said(_check(desk, "left", Window.parse("2024-01-02", "2024-01-12")))["values"]
    between = _said(_check(desk, "left", Window.parse("2024-01-05", "2024-01-19")))
    assert between["values"] == []
    # the 20th is a Saturday
    assert ("closed_day", 1) not in between["continuity"]
    assert ("closed_day", 1) in _said(_check(desk, "left"))["continuity"]


def test_only_the_checks_that_are_asked_for_are_made(desk: Desk) -> None:
    """Two of four are two, in the order of the checks; those that have no rule for a dataset are left out."""
    desk.put("left", "2024-01-01", "2024-01-31")
    assert [each.check for each in _check(desk, "left", checks=("jumps", "values")).results] == ["values", "jumps"]
    for name in ("left", "right"):
        desk.put(name, "2024-01-01", "2024-01-31")
    desk.compute("2024-01-01", "2024-01-31")
    assert "jumps" not in {each.check for each in _check(desk, "gap").results}


def test_source_is_checked_without_reading_a_row(desk: Desk) -> None:
    """Rows in other units than the catalog's cannot be judged; the source can."""
    desk.put("left", "2024-01-01", "2024-01-31")
    left = desk.catalog.datasets["left"]
    columns = {"value": left.columns["value"].model_copy(update={"unit": "percent"})}
    desk.catalog = replace(desk.catalog, datasets={"left": left.model_copy(update={"columns": columns})}, signals={})
    assert _check(desk, "left", checks=("source",)).results[0].passed
    with pytest.raises(SchemaMismatchError, match="macrocredit migrate left"):
        _check(desk, "left", checks=("values",))


def test_error_fails_and_a_waived_one_warns(desk: Desk) -> None:
    """An error fails its check; where its rule is accepted, it is a warning that says so."""
    _with_bounds(desk, hard=Bounds(low=0, high=100))
    desk.put("left", "2024-01-01", "2024-01-31", {"2024-01-02": 1.0, "2024-01-03": 1e6})
    failed = _check(desk, "left").results[0]
    assert (failed.outcome, failed.passed, failed.severity) == ("failed", False, "error")
    waived = _check(desk, "left", accept=frozenset({"hard_bounds"})).results[0]
    assert (waived.outcome, waived.passed, waived.severity) == ("warning", False, "warning")
    assert "(accepted)" in waived.findings[0].message
    with pytest.raises(UsageError, match="cannot be accepted"):
        _check(desk, "left", accept=frozenset({"late"}))


@pytest.mark.parametrize(
    ("severities", "outcome"),
    [((), "passed"), (("info",), "passed"), (("info", "warning"), "warning"), (("warning", "error"), "failed")],
)
def test_gravest_finding_decides(severities: tuple[Any, ...], outcome: str) -> None:
    """What is only to be known fails nothing."""
    findings = tuple(Finding("rule", severity, "It was seen.") for severity in severities)
    assert CheckResult("values", (), findings).outcome == outcome


@pytest.mark.parametrize(
    ("window", "late"),
    [
        (None, 1),
        # the row of Monday the 15th was due on the 16th
        (Window.parse("2024-01-10", "2024-01-15"), 1),
        (Window.parse("2024-01-01", "2024-01-14"), 0),
    ],
)
def test_late_is_told_of_a_window_that_reaches_what_is_overdue(desk: Desk, window: Window | None, late: int) -> None:
    """The source check has the answer of `freshness`; of a window in the past nothing more is expected."""
    desk.put("left", "2024-01-01", "2024-01-14")
    (source,) = _check(desk, "left", window, today=date(2024, 1, 18), checks=("source",)).results
    assert len(source.findings) == late
    if late:
        assert source.outcome == "warning"
        assert source.findings[0].message == (
            "the row of 2024-01-15 was due on 2024-01-16, 2 days ago, and nothing is covered after 2024-01-14; "
            "ask for it: macrocredit backfill left --start 2024-01-15"
        )


def test_signal_of_late_inputs_is_late_and_names_them(desk: Desk) -> None:
    """Its check `source` has the one rule; the command says what is missing, of the inputs too."""
    desk.put("left", "2024-01-01", "2024-01-31")
    desk.put("right", "2024-01-01", "2024-01-14")
    desk.compute("2024-01-01", "2024-01-14")
    (source,) = _check(desk, "gap", today=date(2024, 1, 18), checks=("source",)).results
    assert ([rule.name for rule in source.rules], source.outcome) == (["late"], "warning")
    assert source.findings[0].message == (
        "the row of 2024-01-15 was due on 2024-01-17, 1 day ago, and right had nothing for it; "
        "what is missing: macrocredit status left right gap"
    )
    desk.put("right", "2024-01-15", "2024-01-31")
    (source,) = _check(desk, "gap", today=date(2024, 1, 19), checks=("source",)).results
    assert "2 days ago, and it was not computed; " in source.findings[0].message
    (source,) = _check(desk, "gap", Window.parse("2024-01-01", "2024-01-14"), checks=("source",)).results
    assert source.passed


def test_source_that_stays_behind_is_told_once(desk: Desk) -> None:
    """It has been asked, and has nothing: to ask it again is no advice."""
    desk.put("left", "2024-01-01", "2024-01-14")
    behind = Finding("stale_source", "warning", "left: the source goes until 2024-01-12; the rest stays open")
    _register(desk, behind.to_dict())
    (source,) = _check(desk, "left", checks=("source",)).results
    assert source.findings == (behind,)


def test_what_the_source_was_found_to_be_is_told_by_the_registry(desk: Desk) -> None:
    """Rules that nobody can see in the rows are told as they were found when the source was last asked."""
    desk.put("left", "2024-01-01", "2024-01-31")
    vanished = Finding("vanished", "warning", "1 stored row did not come again", 1, ({"date": "2024-01-09"},))
    jump = Finding("jump", "warning", "value moved", 1)
    _register(desk, vanished.to_dict(), jump.to_dict())
    found = {result.check: result.findings for result in _check(desk, "left").results}
    assert found["source"] == (vanished,)
    assert found["jumps"] == ()


def test_what_an_archive_lacks_is_told_by_the_check_that_lists_it(desk: Desk) -> None:
    """Rules that are told while a source is read stand in the table of their check, and so do their findings."""
    desk.put("left", "2024-01-01", "2024-01-31")
    gaps = Finding("archive_gaps", "warning", "the archive has no row on 11 sessions", 11, ({"start": "2024-01-09"},))
    _register(desk, gaps.to_dict())
    results = {result.check: result for result in _check(desk, "left").results}
    assert results["continuity"].findings == (gaps,)
    assert results["source"].findings == ()
    for result in results.values():
        assert {one.rule for one in result.findings} <= {rule.name for rule in result.rules}


def test_gap_is_as_long_from_any_window(desk: Desk) -> None:
    """Half a year without a row is told whole from ten days of it: dates are read from as far as they lie."""
    desk.put("left", "2023-01-02", "2023-12-29", {"2023-01-02": 1.0, "2023-01-03": 1.0, "2023-12-29": 1.0})
    ten_days = _check(desk, "left", Window.parse("2023-06-05", "2023-06-14"), checks=("continuity",))
    (gap,) = ten_days.results[0].findings
    assert (gap.rule, gap.count) == ("gap", 8)
    assert gap.examples == ({"start": "2023-01-04", "end": "2023-12-28", "sessions": 257},)
    assert ten_days.nothing == "No row is stored of 2023-06-05..2023-06-14."


@pytest.mark.parametrize(
    ("start", "end", "nothing"),
    [
        ("2024-01-06", "2024-01-07", "No row is stored of 2024-01-06..2024-01-07."),
        ("2024-02-01", "2024-02-29", "Nothing of 2024-02-01..2024-02-29 is covered."),
        ("2024-01-31", "2024-02-29", ""),
    ],
)
def test_window_without_a_row_is_told_in_words(desk: Desk, start: str, end: str, nothing: str) -> None:
    """What passes because there is nothing to look at does not pass in silence."""
    desk.put("left", "2024-01-01", "2024-01-31")
    report = _check(desk, "left", Window.parse(start, end), checks=("values", "jumps"))
    assert (report.nothing, {result.outcome for result in report.results}) == (nothing, {"passed"})


def test_registry_that_tells_nonsense_is_an_error(desk: Desk) -> None:
    """A finding that cannot be read is told with the command that restores the registry."""
    desk.put("left", "2024-01-01", "2024-01-31")
    _register(desk, {"rule": "vanished", "rows": 3})
    with pytest.raises(CorruptFileError, match="macrocredit registry rebuild"):
        _check(desk, "left")


def test_reference_is_read_over_the_same_dates(desk: Desk) -> None:
    """A dataset that names another one is held against it, once that has rows."""
    left = desk.catalog.datasets["left"]
    checks = left.checks.model_validate({"reference": {"dataset": "right", "column": "value", "within": 0.5}})
    datasets = {**desk.catalog.datasets, "left": left.model_copy(update={"checks": checks})}
    desk.catalog = replace(desk.catalog, datasets=datasets)
    desk.put("left", "2024-01-01", "2024-01-31")
    assert "drift" not in dict(_said(_check(desk, "left"))["jumps"])
    desk.put("right", "2024-01-01", "2024-01-31", {"2024-01-03": 1.0, "2024-01-09": 2.0, "2024-01-23": 1.2})
    assert dict(_said(_check(desk, "left"))["jumps"])["drift"] == 1
    assert "drift" not in dict(_said(_check(desk, "left", Window.parse("2024-01-10", "2024-01-31")))["jumps"])


def test_nothing_stored_is_nothing_to_be_said(desk: Desk) -> None:
    """What was never ingested passes, with no window; a name that nobody knows does not."""
    report = _check(desk, "left")
    assert (report.window, {result.outcome for result in report.results}) == (None, {"passed"})
    assert report.nothing == "Nothing is stored."
    with pytest.raises(UnknownDatasetError, match="left"):
        _check(desk, "lefd")


def test_accepted_rows_pass(desk: Desk) -> None:
    """What the store has as accepted is counted and fails nothing; the same rule elsewhere does."""
    _with_bounds(desk, hard=Bounds(low=0, high=100))
    desk.put("left", "2024-01-01", "2024-01-31", {"2024-01-04": 110.0, "2024-01-10": 90.0})
    assert _outcome(desk) == "failed"
    desk.store("left").accept("hard_bounds", Coverage((Window.parse("2024-01-04", "2024-01-04"),)), reason="it was so")
    report = _check(desk, "left", checks=["values"])
    assert (_said(report), _outcome(desk)) == ({"values": [("hard_bounds", 1)]}, "passed")
    desk.put("left", "2024-01-04", "2024-01-04", {"2024-01-04": 111.0})
    assert _outcome(desk) == "failed"


def test_record_of_what_was_accepted_that_cannot_be_read(desk: Desk) -> None:
    """Nobody guesses what was accepted: the file is named."""
    desk.put("left", "2024-01-01", "2024-01-31")
    (desk.settings.data_directory / "revisions" / "left" / "accepted.json").write_text("{")
    with pytest.raises(CorruptFileError, match=r"accepted\.json"):
        _check(desk, "left", checks=["values"])


def _outcome(desk: Desk) -> str:
    (result,) = _check(desk, "left", checks=["values"]).results
    return result.outcome
