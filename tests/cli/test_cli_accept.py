"""``macrocredit accept``: what somebody has looked at is counted, and fails nothing any more."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from macrocredit_assets.cli import cli
from macrocredit_assets.cli.context import Context
from macrocredit_assets.windows import Window

if TYPE_CHECKING:
    from conftest import Desk


def _invoke(desk: Desk, *arguments: str) -> Result:
    context = Context(settings=desk.settings, yesterday=date(2024, 1, 31), chosen={"MACROCREDIT_ROOT": "desk"})
    return CliRunner().invoke(cli, arguments, obj=context, prog_name="macrocredit")


def _accept(desk: Desk, *arguments: str, rule: str = "stale_print") -> Result:
    return _invoke(desk, "accept", "left", rule, "--start", "2024-01-01", "--end", "2024-01-31", *arguments)


@pytest.fixture
def stale(desk_at: object, tmp_path: Path) -> Desk:
    """Store a January in which the value changes, but for two days at its end; more than one is told."""
    desk: Desk = desk_at(tmp_path)  # type: ignore[operator]
    path = tmp_path / "desk.yaml"
    path.write_text(
        path.read_text().replace("    publication_lag: 1\n", "    publication_lag: 1\n    checks: {stale: 1}\n")
    )
    days = pd.bdate_range("2024-01-01", "2024-01-31")
    rows = {str(day.date()): 50.0 + min(number, len(days) - 4) for number, day in enumerate(days)}
    desk.put("left", "2024-01-01", "2024-01-31", rows)
    return desk


def test_accepted_findings_pass_and_are_counted(stale: Desk) -> None:
    """Before it the check warns, and names the command; after it, it passes and says how many were accepted."""
    before = _invoke(stale, "check", "left", "--strict")
    assert before.exit_code == 1
    command = "macrocredit accept left stale_print --start 2024-01-30 --end 2024-01-31 --reason TEXT"
    assert f"MACROCREDIT_ROOT=desk {command}" in before.stdout
    done = _accept(stale, "--reason", "a quiet month")
    assert (done.exit_code, done.stdout) == (0, "accepted: left, stale_print, 2 dates in 2024-01-01..2024-01-31\n")
    after = _invoke(stale, "check", "left", "--strict")
    assert after.exit_code == 0, after.output
    assert "stale_print 2 accepted" in after.stdout
    assert "macrocredit accept" not in after.stdout


def test_nothing_to_accept_ends_with_1(stale: Desk) -> None:
    """Only what is found now can be accepted, and only once."""
    assert _accept(stale, "--reason", "x", rule="hard_bounds").exit_code == 1
    assert _accept(stale, "--reason", "x").exit_code == 0
    again = _accept(stale, "--reason", "x")
    assert (again.exit_code, again.stdout) == (1, "nothing is found: left, stale_print, 2024-01-01..2024-01-31\n")


def test_list_shows_who_when_and_why(stale: Desk) -> None:
    """The list has rule, dates, time and reason, for people and for programs."""
    assert "nothing is accepted: left" in _invoke(stale, "accept", "left", "--list").stdout
    _accept(stale, "--reason", "a quiet month")
    lines = _invoke(stale, "accept", "left", "--list").stdout.splitlines()
    assert lines[0].split() == ["rule", "dates", "at", "run", "reason"]
    assert lines[1].startswith("stale_print  2024-01-30..2024-01-31")
    assert lines[1].endswith("a quiet month")
    (document,) = json.loads(_invoke(stale, "accept", "left", "--list", "--json").stdout)
    assert document["dates"] == [["2024-01-30", "2024-01-31"]]
    assert json.loads(_invoke(stale, "accept", "left", "jump", "--list", "--json").stdout) == []


def test_withdrawn_acceptance_is_told_again(stale: Desk) -> None:
    """What is taken back is a finding again; what was never accepted cannot be."""
    assert _accept(stale, "--withdraw").exit_code == 1
    assert json.loads(_accept(stale, "--reason", "x", "--json").stdout)["dates"] == [["2024-01-30", "2024-01-31"]]
    assert "no longer accepted: left, stale_print, 2 dates" in _accept(stale, "--withdraw").stdout
    assert _invoke(stale, "check", "left", "--strict").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["left"], "macrocredit accept left RULE"),
        (["left", "jump", "--start", "2024-01-01"], "macrocredit accept left RULE"),
        (["left", "jump", "--start", "2024-01-01", "--end", "2024-01-31"], "--reason TEXT"),
        (["left", "late", "--start", "2024-01-01", "--end", "2024-01-31", "--reason", "x"], "hard_bounds"),
        (["left", "jumpp", "--start", "2024-01-01", "--end", "2024-01-31", "--reason", "x"], "'jumpp' says nothing"),
        (["leftt", "--list"], "leftt"),
    ],
)
def test_wrong_use(stale: Desk, arguments: list[str], said: str) -> None:
    """A name or rule that is none, and what is not said, are wrong use."""
    result = _invoke(stale, "accept", *arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_row_that_changes_is_told_anew(stale: Desk) -> None:
    """What was accepted was the row as it stood."""
    _accept(stale, "--reason", "x")
    rows = {"2024-01-29": 90.0, "2024-01-30": 90.0, "2024-01-31": 90.0}
    stale.put("left", "2024-01-29", "2024-01-31", rows)
    assert stale.store("left").accepted() == ()
    assert Window.parse("2024-01-29", "2024-01-31").days == 3
    assert _invoke(stale, "check", "left", "--strict").exit_code == 1
