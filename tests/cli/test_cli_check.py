"""``macrocredit check``: what it says, its exit codes, and what it does with datasets that cannot be read."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from macrocredit_assets.catalog import arrow_schema, load_catalog
from macrocredit_assets.cli import check, cli, render
from macrocredit_assets.cli.context import Context
from macrocredit_assets.persistence import DatasetStore
from macrocredit_assets.quality import CHECKS
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

#: The filled root ends on Thursday, 28 March 2024; the Friday was Good Friday.
COMPLETE, LATER = date(2024, 3, 28), date(2024, 4, 10)


def _invoke(root: Path, *arguments: str, yesterday: date = COMPLETE) -> Result:
    context = Context(
        settings=Settings(root=root, dagster_home=root / ".dagster"),
        yesterday=yesterday,
        chosen={"MACROCREDIT_ROOT": str(root)},
    )
    return CliRunner().invoke(cli, ["check", *arguments], obj=context, prog_name="macrocredit")


def _store_close(root: Path, name: str, day: str, value: float) -> None:
    """Put a row into a file on a day that its source does not have."""
    store = DatasetStore(
        Settings(root=root, dagster_home=root).dataset_path("market", name), arrow_schema(load_catalog().entry(name))
    )
    row = pd.DataFrame(value, pd.DatetimeIndex([day], name="date"), store.schema.names if store.schema else [])
    store.write(Window.parse(day, day), row, series=f"sample:{name}")


def _documents(result: Result) -> dict[str, dict[str, Any]]:
    return {document["name"]: document for document in json.loads(result.stdout)}


def test_choices_are_the_checks_of_the_rules() -> None:
    """The command writes them out, so that its help need not import what looks at frames."""
    assert check.CHECKS == CHECKS


def test_sound_datasets_have_one_line_each(backfilled: tuple[Path, Result]) -> None:
    """Without names all that is stored is checked, without dates all of its rows; the rest is counted."""
    result = _invoke(backfilled[0])
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert [*lines[0]] == ["dataset", "check", "outcome", "found"]
    assert [line[0] for line in lines[1:4]] == ["cdx_hy_5y", "vix", "cdx_vix_gap"]
    assert ["vix", "values,", "continuity,", "jumps,", "source", "passed"] in lines
    assert lines[3] == ["cdx_vix_gap", "values,", "source", "passed"]
    assert result.stdout.splitlines()[-1] == "10 checks of 3 datasets: 10 passed; nothing is stored of 18"


def test_error_ends_with_1_and_shows_its_rows(filled: Path) -> None:
    """An error has its sentence and its first rows; a window without it passes."""
    _store_close(filled, "vix", "2024-01-06", 9e5)
    result = _invoke(filled, "vix")
    assert result.exit_code == 1
    assert "error: vix, values, hard_bounds (1)" in result.stdout
    assert "date 2024-01-06, close 900000.0" in result.stdout
    # each check that is not passed has a line, and those that are share one; what is only to be known is no warning
    table = [line.split()[:3] for line in result.stdout.split("\n\n")[0].splitlines()[1:]]
    assert table == [["vix", "values", "failed"], ["vix", "jumps", "warning"], ["vix", "continuity,", "source"]]
    assert "closed_day 1" in result.stdout
    assert "closed_day (" not in result.stdout
    assert result.stdout.splitlines()[-1] == "4 checks of 1 dataset: 2 passed, 1 with warnings, 1 failed"
    assert _invoke(filled, "vix", "--start", "2024-01-08", "--end", "2024-02-02").exit_code == 0
    assert _invoke(filled, "vix", "--end", "2024-01-05").exit_code == 0
    assert _invoke(filled, "vix", "--start", "2024-01-05").exit_code == 1
    assert _invoke(filled, "vix", "--only", "continuity", "--only", "source").exit_code == 0


def test_warning_ends_with_1_only_when_strict(filled: Path) -> None:
    """A VIX of 120 is not plausible, and possible."""
    _store_close(filled, "vix", "2024-01-06", 120.0)
    result = _invoke(filled, "vix", "--only", "values")
    assert result.exit_code == 0
    assert "warning: vix, values, plausible_bounds (1)" in result.stdout
    assert _invoke(filled, "vix", "--only", "values", "--strict").exit_code == 1


def test_late_dataset_is_told_with_the_command_that_asks_for_it(backfilled: tuple[Path, Result]) -> None:
    """What is overdue is a warning, told as `status` has it, with a command for the user's shell."""
    result = _invoke(backfilled[0], "vix", "--only", "source", yesterday=LATER)
    assert (result.exit_code, "warning: vix, source, late (1)" in result.stdout) == (0, True)
    command = f"MACROCREDIT_ROOT={backfilled[0]} macrocredit backfill vix --start 2024-04-01"
    assert command in result.stdout
    assert command in _invoke(backfilled[0], "vix", "--only", "source", "--json", yesterday=LATER).stdout
    assert _invoke(backfilled[0], "vix", "--only", "source", "--strict", yesterday=LATER).exit_code == 1


def test_check_that_has_no_rule_for_a_dataset_says_so(backfilled: tuple[Path, Result]) -> None:
    """Asked for by name, it has a line that is neither passed nor failed."""
    result = _invoke(backfilled[0], "cdx_vix_gap", "--only", "jumps")
    assert (result.exit_code, result.stdout.splitlines()[1].split()) == (0, ["cdx_vix_gap", "none", "no", "rule"])
    assert result.stdout.splitlines()[-1] == "0 checks of 1 dataset"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--start", "2024-03-29"], "--start 2024-03-29 lies after 2024-03-28, the last day that can be stored"),
        (["--end", "1980-01-01"], "--end 1980-01-01 lies before 1990-01-01"),
    ],
)
def test_one_end_of_a_window_that_cannot_be(backfilled: tuple[Path, Result], arguments: list[str], said: str) -> None:
    """What was not given is not blamed."""
    result = _invoke(backfilled[0], *arguments)
    assert (result.exit_code, said in result.stderr) == (2, True)


def test_json_has_rules_and_findings(filled: Path) -> None:
    """For programs, every check of every dataset stands there, whatever came of it."""
    _store_close(filled, "vix", "2024-01-06", 9e5)
    documents = _documents(_invoke(filled, "vix", "move", "--json"))
    assert (documents["move"]["window"], documents["move"]["error"]) == (None, None)
    vix = {document["check"]: document for document in documents["vix"]["checks"]}
    assert [*vix] == [*CHECKS]
    assert vix["values"]["outcome"] == "failed"
    assert "hard_bounds" in vix["values"]["rules"]
    assert {"date": "2024-01-06", "close": 9e5} in [
        row for found in vix["values"]["findings"] for row in found["examples"]
    ]


def test_file_that_cannot_be_read_hides_no_other(filled: Path) -> None:
    """One broken file is told, and ends with 1; the others are checked."""
    (filled / "data/raw/vix.parquet").write_bytes(b"no parquet")
    result = _invoke(filled, "vix", "cdx_hy_5y")
    assert result.exit_code == 1
    assert "not checked: vix\n" in result.stdout
    assert "vix.parquet" in result.stdout
    assert any(line.startswith("cdx_hy_5y") and "passed" in line for line in result.stdout.splitlines())


@pytest.mark.parametrize("arguments", [["vixx"], ["--only", "value"], ["--start", "2024-02-01", "--end", "2024-01-01"]])
def test_wrong_use(backfilled: tuple[Path, Result], arguments: list[str]) -> None:
    """A name, a check or a window that does not exist is wrong use."""
    assert _invoke(backfilled[0], *arguments).exit_code == 2


@pytest.mark.parametrize("width", [80, 200])
def test_table_fits_a_terminal(filled: Path, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """No line is longer than the terminal, and no name is cut."""
    _store_close(filled, "vix", "2024-01-06", 120.0)
    terminal = Console(width=width, force_terminal=True, highlight=False, color_system=None, record=True)
    monkeypatch.setattr(render, "interactive", lambda: True)
    monkeypatch.setattr(render, "console", lambda: terminal)
    _invoke(filled)
    table = terminal.export_text().splitlines()
    assert max(map(len, table)) <= width
    assert any(line.startswith("cdx_vix_gap ") for line in table)
    assert any("plausible_bounds 4" in line for line in table)
