"""Findings as tables: which columns they have, and what a failure says that has them beside it."""

from __future__ import annotations

from datetime import date

import dagster as dg
import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.errors import RuleViolationError
from macrocredit_assets.findings import Finding
from macrocredit_assets.ingest.judged import stop_on_errors
from macrocredit_assets.orchestration.finding_metadata import finding_metadata
from macrocredit_assets.orchestration.violations import violations_shown
from macrocredit_assets.windows import Window

BOUNDS = Finding("hard_bounds", "error", "low lies outside 0..500", 1, ({"date": "2024-01-03", "low": -1.0},))
DOUBLE = Finding(
    "conflicting_duplicate",
    "error",
    "dates stand twice",
    2,
    ({"date": "2024-01-04", "low": 14.1, "close": 14.25}, {"date": "2024-01-04", "low": 14.1, "close": None}),
)
WINDOW = Window(date(2024, 1, 2), date(2024, 1, 5))


def _table(findings: list[Finding], name: str) -> list[dict[str, object]]:
    value = finding_metadata(findings)[name]
    assert isinstance(value, dg.TableMetadataValue)
    assert all([*row.data] == [column.name for column in value.schema.columns] for row in value.records)
    return [dict(row.data) for row in value.records]


def test_rows_of_one_kind_have_their_columns() -> None:
    """Where every row has every cell, each cell has a column, as a number if it is one."""
    assert _table([BOUNDS], "rows") == [{"rule": "hard_bounds", "date": "2024-01-03", "low": -1.0}]
    assert _table([BOUNDS], "findings")[0]["what was seen"] == "low lies outside 0..500"


def test_cells_that_not_every_row_has_stand_in_one_column() -> None:
    """No table is mostly empty: what rules saw in different columns is told in words, and empty cells are left out."""
    assert _table([BOUNDS, DOUBLE], "rows") == [
        {"rule": "hard_bounds", "date": "2024-01-03", "low": -1.0, "values": ""},
        {"rule": "conflicting_duplicate", "date": "2024-01-04", "low": 14.1, "values": "close 14.25"},
        {"rule": "conflicting_duplicate", "date": "2024-01-04", "low": 14.1, "values": ""},
    ]


def test_nothing_found_is_no_table() -> None:
    """A finding without rows has a line, and no table of rows."""
    assert finding_metadata([]) == {}
    assert [*finding_metadata([Finding("late", "warning", "it is late")])] == ["findings"]


def _failure(findings: list[Finding]) -> dg.Failure:
    with pytest.raises(dg.Failure) as failed, violations_shown():
        stop_on_errors(load_catalog().entry("vix"), WINDOW, findings)
    return failed.value


def test_failure_says_what_to_do_here_and_in_a_shell() -> None:
    """Sentences and rows stand in the tables, once; the words are what happened, the command, and the tag."""
    failure = _failure([BOUNDS, DOUBLE])
    happened, command, tag = (failure.description or "").splitlines()
    assert happened == (
        "vix 2024-01-02..2024-01-05: nothing was stored, because what came breaks the rules hard_bounds, "
        "conflicting_duplicate."
    )
    backfill = "macrocredit backfill vix --start 2024-01-02 --end 2024-01-05"
    assert command == (
        "If these rows are right, store them in spite of it: "
        f"{backfill} --accept hard_bounds --accept conflicting_duplicate"
    )
    assert tag == (
        "In the UI: materialize the same partitions with the tag macrocredit/accept=hard_bounds,conflicting_duplicate."
    )
    assert {*failure.metadata} == {"findings", "rows"}
    assert failure.allow_retries is False


def test_failure_that_nobody_can_waive_names_no_tag() -> None:
    """Of a rule that is never accepted, the last line says what else to do."""
    said = (_failure([Finding("wrong_type", "error", "close is text, not numbers")]).description or "").splitlines()
    assert (len(said), said[-1]) == (2, "This cannot be waived: correct the source, or the entry in the catalog.")


def test_failure_whose_message_names_the_tag_names_it_once() -> None:
    """Of an asset of somebody's own no command is known."""
    with pytest.raises(dg.Failure) as failed, violations_shown():
        stop_on_errors(load_catalog().entry("vix"), WINDOW, [BOUNDS], tag="macrocredit/accept")
    assert (failed.value.description or "").count("macrocredit/accept") == 1
    assert isinstance(failed.value.__cause__, RuleViolationError)
