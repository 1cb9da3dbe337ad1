"""``macrocredit ingest NAME --history FILE``: what people type, and what they are told."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]

_PAGE = (Path(__file__).resolve().parents[2] / "docs" / "history.md").read_text(encoding="utf-8")


@pytest.fixture
def archive(tmp_path: Path) -> str:
    """Write three days of the S&P 500 in 1987."""
    path = tmp_path / "spx.csv"
    path.write_text("date,close\n1987-10-16,282.70\n1987-10-19,224.84\n1987-10-20,236.83\n")
    return str(path)


def test_archive_is_stored_and_told(run: Run, archive: str) -> None:
    """The command shows what was stored, names the run log, and the rows can be shown at once."""
    result = run("ingest", "sp500", "--history", archive, "--series", "yahoo:^GSPC")
    assert result.exit_code == 0, result.output
    (row,) = (line.split() for line in result.stdout.splitlines() if line.startswith("sp500"))
    assert row[:6] == ["sp500", "3", "0", "0", "1987-10-16", "1987-10-20"]
    assert "224.84" in run("show", "sp500").stdout
    listed = run("runs", "list").stdout.splitlines()[1]
    assert "ingest --history" in listed or "success" in listed
    assert run("registry", "verify").exit_code == 0


def test_json_is_the_run_log(run: Run, archive: str, tmp_path: Path) -> None:
    """--json prints the run log as it stands in its file."""
    result = run("ingest", "sp500", "--history", archive, "--series", "yahoo:^GSPC", "--json")
    (log,) = (tmp_path / "fresh").glob("logs/runs/*/*.json")
    assert json.loads(result.stdout) == json.loads(log.read_text())
    assert json.loads(result.stdout)["assets"]["sp500"]["ways"] == ["history:spx.csv"]


def test_description_of_the_file(run: Run, tmp_path: Path) -> None:
    """Header, dates, separator and factor can be said."""
    path = tmp_path / "oas.csv"
    path.write_text("Day;High Yield = OAS\n04.01.1999;5.63\n")
    options = ["--column", "oas=High Yield = OAS", "--date-column", "Day", "--date-format", "%d.%m.%Y"]
    options += ["--factor", "100", "--separator", ";", "--series", "fred:BAMLH0A0HYM2"]
    assert run("ingest", "us_hy_oas", "--history", str(path), *options).exit_code == 0
    assert "563.00" in run("show", "us_hy_oas").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sp500"], "--series"),
        (["sp500", "--series", "desk:mine"], "has no way of the series desk:mine"),
        (["sp500", "--column", "close"], "OURS=THEIRS"),
        (["cash_cds_basis_ig"], "is a signal"),
        (["sp5000"], "sp500"),
        (["sp500", "--series", "yahoo:^GSPC", "--accept", "no_such_rule"], "no_such_rule"),
        (["sp500", "--series", "yahoo:^GSPC", "--separator", ";;"], "--separator"),
    ],
)
def test_wrong_use_ends_with_2_and_stores_nothing(
    run: Run, archive: str, tmp_path: Path, arguments: list[str], said: str
) -> None:
    """What cannot be meant is refused before anything is written, with what could be."""
    result = run("ingest", *arguments, "--history", archive)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert not (tmp_path / "fresh").exists()


def test_file_that_is_not_there(run: Run, tmp_path: Path) -> None:
    """A file that does not exist is wrong use."""
    assert run("ingest", "sp500", "--history", str(tmp_path / "no.csv")).exit_code == 2


def test_file_that_cannot_be_read_ends_with_1(run: Run, archive: str) -> None:
    """What was tried and failed ends with 1, and leaves a run log that says why."""
    result = run("ingest", "sp500", "--history", archive, "--series", "yahoo:^GSPC", "--date-format", "%d/%m/%Y")
    assert result.exit_code == 1
    assert "'1987-10-16' is no date in the format %d/%m/%Y" in result.stderr
    assert "failure" in run("runs", "list").stdout


def test_refused_rows_name_the_command_that_takes_them(run: Run, tmp_path: Path) -> None:
    """The command in the error is the one that was typed, and one word longer."""
    path = tmp_path / "twice.csv"
    path.write_text("Day,close\n1987-10-19,224.84\n1987-10-19,225.06\n")
    typed = ["ingest", "sp500", "--history", str(path), "--date-column", "Day", "--series", "yahoo:^GSPC"]
    result = run(*typed)
    assert result.exit_code == 1
    (command,) = re.findall(r"macrocredit (ingest .*)", result.stderr)
    assert sorted(shlex.split(command)) == sorted([*typed, "--accept", "conflicting_duplicate"])
    assert run(*shlex.split(command)).exit_code == 0


def test_sample_root_takes_no_real_archive(run: Run, filled: Path, archive: str) -> None:
    """A root of samples refuses observed rows, with the command that takes them elsewhere."""
    result = run("ingest", "sp500", "--history", archive, "--series", "yahoo:^GSPC", root=filled)
    assert result.exit_code == 2
    assert re.search(r"MACROCREDIT_ROOT=\S+ macrocredit ingest sp500 --history", result.stderr)


def test_commands_of_the_page(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands that docs/history.md gives for archives work as they stand there."""
    monkeypatch.chdir(tmp_path)
    Path("vix_archive.csv").write_text("date,open,high,low,close\n2024-01-08,13.6,13.7,13.0,13.1\n")
    Path("closes.csv").write_text("Day;Last\n09.01.2024;12.8\n")
    text = _PAGE.replace("\\\n", " ")
    commands = re.findall(r"^macrocredit (ingest .*)$", text, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        result = run(*shlex.split(command))
        assert result.exit_code == 0, result.output
    assert run("show", "vix", "--columns", "close").stdout.split()[-4:] == [
        "2024-01-08",
        "13.10",
        "2024-01-09",
        "12.80",
    ]
