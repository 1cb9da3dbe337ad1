"""What ``macrocredit check`` prints of answers: sentences once, whatever the number of datasets."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from macrocredit_assets.checking import CheckResult, Report
from macrocredit_assets.cli.check_report import Checked, print_checked, total
from macrocredit_assets.cli.context import Context
from macrocredit_assets.findings import Finding
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

WINDOW = Window.parse("2024-01-01", "2024-01-31")
CONTEXT = Context(
    Settings(root=Path("/srv"), dagster_home=Path("/srv")), date(2024, 1, 31), {"MACROCREDIT_ROOT": "/srv"}
)


def _late(name: str) -> Checked:
    message = f"nothing is covered after 2024-01-12; ask for it: macrocredit backfill {name} --start 2024-01-15"
    result = CheckResult("source", (), (Finding("late", "warning", message),))
    return Checked(name, Report(name, WINDOW, (CheckResult("values", ()), result)))


@pytest.mark.parametrize(("count", "who"), [(1, "a0"), (5, "a0, a1, a2, a3, a4"), (6, "6 datasets")])
def test_what_is_said_of_several_datasets_is_said_once(
    capsys: pytest.CaptureFixture[str], count: int, who: str
) -> None:
    """Sentences that differ in the name alone are one, and its command names them all, for the user's shell."""
    names = [f"a{number}" for number in range(count)]
    checked = [_late(name) for name in names]
    print_checked(CONTEXT, checked, named=False)
    said = capsys.readouterr().out
    assert said.count("nothing is covered after") == 1
    assert f"warning: {who}, source, late ({count})\n" in said
    assert f"MACROCREDIT_ROOT=/srv macrocredit backfill {' '.join(names)} --start 2024-01-15\n" in said
    assert total(checked) == {"passed": count, "warning": count, "not checked": 0}


def test_rows_of_one_dataset_are_not_those_of_another(capsys: pytest.CaptureFixture[str]) -> None:
    """Where examples differ the sentences stay apart; the name before a sentence is in its title already."""
    found = [Finding("gap", "warning", f"{name}: a hole", 1, ({"start": day},)) for name, day in (("a", 1), ("b", 2))]
    checked = [
        Checked(name, Report(name, WINDOW, (CheckResult("continuity", (), (one,)),)))
        for name, one in zip("ab", found, strict=True)
    ]
    print_checked(CONTEXT, checked, named=False)
    said = capsys.readouterr().out
    assert "warning: a, continuity, gap (1)\n  a hole\n    start 1\n" in said
    assert "warning: b, continuity, gap (1)\n  a hole\n    start 2\n" in said


def test_errors_come_before_warnings_and_the_rest_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Twenty sentences are told; `--json` has the others."""
    warnings = tuple(Finding(f"rule_{number}", "warning", "seen") for number in range(20))
    results = (
        CheckResult("values", (), (*warnings, Finding("last", "error", "wrong"), Finding("i", "info", "known"))),
    )
    print_checked(CONTEXT, [Checked("a", Report("a", WINDOW, results))], named=False)
    said = capsys.readouterr().out
    assert said.index("error: a, values, last (1)") < said.index("warning: a, values, rule_0 (1)")
    assert ("rule_18" in said.split("\n\n", 1)[1], "rule_19 (1)" in said, "known" in said) == (True, False, False)
    assert "... and 1 more, in --json" in said


def test_dataset_that_cannot_be_read_is_not_among_the_checks(capsys: pytest.CaptureFixture[str]) -> None:
    """The totals say what they count."""
    checked = [_late("a"), Checked("b", None, "b.parquet is no Parquet file")]
    print_checked(CONTEXT, checked, named=False)
    said = capsys.readouterr().out
    assert "not checked: b\n  b.parquet is no Parquet file\n" in said
    assert said.endswith("2 checks of 2 datasets: 1 passed, 1 with warnings; 1 dataset could not be checked\n")
    assert total(checked)["not checked"] == 1
