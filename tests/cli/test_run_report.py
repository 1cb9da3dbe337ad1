"""What is said of a run: rows that came, changed and left, and why datasets failed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from macrocredit_assets.cli.context import Context
from macrocredit_assets.cli.run_report import print_datasets, says_what_to_do
from macrocredit_assets.persistence.records import AssetRecord, ErrorInfo
from macrocredit_assets.persistence.run_document import RunDocument, RunHeader, RunStatus, asset_entry
from macrocredit_assets.settings import Settings

_CONTEXT = Context(
    settings=Settings(root=Path("/srv/credit"), dagster_home=Path("/srv/credit/.dagster")),
    yesterday=date(2024, 1, 31),
    chosen={"MACROCREDIT_ROOT": "/srv/credit"},
)
_HEADER = RunHeader(
    run_id="4711",
    job="ingest",
    started=datetime(2024, 1, 31, tzinfo=UTC),
    profile="sample",
    root_kind="sample",
    window=None,
    launched_by="test",
    host="here",
    pid=1,
    pid_started=1.0,
)


def _written(**facts: object) -> dict[str, Any]:
    numbers = {"inserted": 0, "changed": 0, "unchanged": 5, "first": "2024-01-02", "last": "2024-01-08"}
    return {**asset_entry(AssetRecord("vix", None, "written")), **numbers, **facts}


def _failed(kind: str, message: str) -> dict[str, Any]:
    return asset_entry(AssetRecord("vix", None, "failed", error=ErrorInfo(kind, message)))


def _printed(
    capsys: pytest.CaptureFixture[str],
    status: RunStatus = "success",
    error: ErrorInfo | None = None,
    **assets: dict[str, Any],
) -> list[list[str]]:
    """Return the blocks of lines that are printed."""
    print_datasets(_CONTEXT, RunDocument(_HEADER, status=status, error=error, assets=assets))
    return [block.splitlines() for block in capsys.readouterr().out.strip().split("\n\n")]


def test_rows_that_left_or_did_not_come_have_columns_where_there_are_any(capsys: pytest.CaptureFixture[str]) -> None:
    """Withdrawn and vanished rows are counted in columns that stand only where a dataset has such rows."""
    ((header, row),) = _printed(capsys, vix=_written())
    assert header.split() == ["dataset", "new", "changed", "same", "first", "last", "findings"]
    assert row.split() == ["vix", "0", "0", "5", "2024-01-02", "2024-01-08"]
    ((header, hyg, vix),) = _printed(capsys, hyg=_written(withdrawn=1234, vanished=0), vix=_written(vanished=7))
    assert header.split() == [
        *("dataset", "new", "changed", "withdrawn", "vanished", "same", "first", "last", "findings")
    ]
    assert hyg.split()[1:6] == ["0", "0", "1,234", "0", "5"]
    assert vix.split()[1:6] == ["0", "0", "0", "7", "5"]


def test_run_log_of_before_vanished_rows_were_counted_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """A run log whose datasets lack these counts has no such columns."""
    old = _written()
    del old["withdrawn"], old["vanished"]
    ((header, _),) = _printed(capsys, vix=old)
    assert "vanished" not in header


def test_long_reason_keeps_the_line_that_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a refusal with many examples the first lines are shown and the last, its command written for this shell."""
    examples = "\n".join(f"    date 2024-01-0{day}" for day in range(1, 8))
    message = f"vix: nothing was stored.\n{examples}\nStore them: macrocredit backfill vix --accept unit_slip"
    (lines,) = _printed(capsys, "failure", vix=_failed("RuleViolationError", message))
    assert lines == [
        "failed: vix",
        "  vix: nothing was stored.",
        "      date 2024-01-01",
        "      date 2024-01-02",
        "      date 2024-01-03",
        "  ...",
        "  Store them: MACROCREDIT_ROOT=/srv/credit macrocredit backfill vix --accept unit_slip",
    ]


@pytest.mark.parametrize(
    ("kind", "message", "said"),
    [
        ("RuleViolationError", "Store them: macrocredit backfill vix --start 2024-01-02 --accept unit_slip", True),
        ("RuleViolationError", "This cannot be waived: correct the source.", False),
        ("CorruptFileError", "Fetch it anew: macrocredit backfill vix --start 2024-01-02", False),
    ],
)
def test_message_that_says_how_to_waive_needs_no_retry(kind: str, message: str, said: bool) -> None:
    """Whatever else failed may be asked for once more."""
    run = RunDocument(_HEADER, status="failure", error=None, assets={"vix": _failed(kind, message)})
    assert says_what_to_do(run, "vix") is said
    assert not says_what_to_do(run, "hyg")


def test_reason_of_six_lines_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is left out where the mark of it would take as much room."""
    (lines,) = _printed(capsys, "failure", vix=_failed("RuleViolationError", "\n".join("abcdef")))
    assert lines == ["failed: vix", *(f"  {letter}" for letter in "abcdef")]


def test_error_of_other_code_has_its_type(capsys: pytest.CaptureFixture[str]) -> None:
    """`boom` alone says nothing; a message of this package needs no type."""
    blocks = _printed(
        capsys,
        "failure",
        a=_failed("ZeroDivisionError", "boom"),
        b=_failed("KeyError", ""),
        c=_failed("StoreError", "no"),
    )
    assert blocks == [["failed: a", "  ZeroDivisionError: boom"], ["failed: b", "  KeyError"], ["failed: c", "  no"]]


def test_datasets_that_share_a_reason_are_told_together(capsys: pytest.CaptureFixture[str]) -> None:
    """One reason is said once: with the names of a few datasets, and with the number of many."""
    skipped = _failed("NotRun", "Not run, because the run was canceled.")
    stopped = ErrorInfo("RuntimeError", "the executor broke")
    few = _printed(capsys, "canceled", stopped, a=skipped, b=skipped)
    assert few == [
        ["canceled: the run", "  RuntimeError: the executor broke"],
        ["canceled: a, b", "  Not run, because the run was canceled."],
    ]
    (many,) = _printed(capsys, "canceled", **{f"desk_{number}": skipped for number in range(6)})
    assert many[0] == "canceled: 6 datasets"


def test_warnings_are_listed_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Ten warnings are shown, the others counted, and their commands are written for this shell."""
    warning = {"severity": "warning", "message": "stale; run macrocredit show vix", "count": 3, "examples": []}
    findings = [{**warning, "rule": f"rule_{number}"} for number in range(12)]
    table, *warnings, rest = _printed(capsys, vix=_written(findings=findings))
    assert table[1].endswith("36 warnings")
    assert len(warnings) == 10
    assert warnings[0] == ["warning: vix, rule_0 (3)", "  stale; run MACROCREDIT_ROOT=/srv/credit macrocredit show vix"]
    assert rest == ["... and 2 more, in the run log"]


def test_checks_that_were_not_passed_have_the_command_that_shows_them(capsys: pytest.CaptureFixture[str]) -> None:
    """What failed is told; a warning only where no warning of the write has told it already."""
    finding = {"rule": "jump", "severity": "warning", "message": "It moved.", "count": 1, "examples": []}
    run = RunDocument(
        replace(_HEADER, window="2024-01-02..2024-01-08"),
        status="failure",
        assets={"vix": _written(findings=[finding]), "move": _written()},
        checks={
            "vix": {"values": "failed", "jumps": "warning", "source": "failed"},
            "move": {"values": "passed", "jumps": "warning"},
        },
    )
    print_datasets(_CONTEXT, run)
    blocks = [block.splitlines() for block in capsys.readouterr().out.strip().split("\n\n")]
    command = "  MACROCREDIT_ROOT=/srv/credit macrocredit check {} --start 2024-01-02 --end 2024-01-08"
    assert ["checks failed", "  vix: values, source", command.format("vix")] in blocks
    assert ["checks with warnings", "  move: jumps", command.format("move")] in blocks


def test_checks_of_a_run_without_a_window_are_shown_over_everything(capsys: pytest.CaptureFixture[str]) -> None:
    """A run of checks alone has no window, and no datasets that it wrote."""
    print_datasets(_CONTEXT, RunDocument(_HEADER, status="success", checks={"vix": {"source": "failed"}}))
    out = capsys.readouterr().out.strip().splitlines()
    assert out == ["checks failed", "  vix: source", "  MACROCREDIT_ROOT=/srv/credit macrocredit check vix"]
