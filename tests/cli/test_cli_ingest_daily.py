"""``macrocredit ingest [NAMES...]``: a morning by hand, or from cron."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from click.testing import Result

Run = Callable[..., Result]

DAY = timedelta(days=1)


def _today() -> date:
    return datetime.now(ZoneInfo("America/New_York")).date()


def _weekday(day: date) -> date:
    """Return the day, or the Monday after it."""
    return day + DAY * max(0, 7 - day.weekday()) if day.weekday() > 4 else day


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Give a folder of files that serve two datasets, one of them with a file that is none."""
    folder = tmp_path / "files"
    folder.mkdir()
    days = pd.bdate_range(_today() - 20 * DAY, _today() - DAY)
    rows = "".join(f"{day.date()},4.20\n" for day in days)
    (folder / "fred_DGS10.csv").write_text(f"DATE,DGS10\n{rows}")
    (folder / "fred_DGS2.csv").write_text("<html>Service unavailable</html>\n")
    return folder


def test_days_that_are_missing_are_ingested(run: Run, filled: Path) -> None:
    """Three datasets that ended long ago get ninety days, and the day after nothing but the last ten."""
    names = ["vix", "cdx_hy_5y", "cdx_vix_gap"]
    first = json.loads(run("ingest", *names, "--json", root=filled).stdout)
    start, end = first["window"].split("..")
    assert (first["status"], first["launched_by"]) == ("success", "macrocredit ingest")
    assert _today() - 90 * DAY <= date.fromisoformat(start) <= _weekday(_today() - 90 * DAY) + DAY
    assert end == str(_today() - DAY)
    assert all(first["assets"][name]["inserted"] > 40 for name in names[:2])
    # its lookback would lie across the days that nobody has asked for yet
    assert first["assets"]["cdx_vix_gap"]["inserted"] == 0

    again = run("ingest", *names, root=filled)
    assert again.exit_code == 0, again.output
    assert f"{_today() - 10 * DAY}..{_today() - DAY} (10 days)" in again.stdout
    rows = {line.split()[0]: line.split()[1:3] for line in again.stdout.splitlines() if line.startswith(tuple(names))}
    assert all(rows[name] == ["0", "0"] for name in names), again.stdout
    (log,) = re.findall(r"run log: (.*)", again.stdout)
    assert json.loads(Path(log).read_text())["window"] == f"{_today() - 10 * DAY}..{_today() - DAY}"


def test_without_names_everything_that_is_served_is_ingested(run: Run, files: Path, tmp_path: Path) -> None:
    """What the profile cannot serve is left out and named; what fails is told with the command for just that."""
    result = run("ingest", MACROCREDIT_PROFILE="files", MACROCREDIT_FILES=str(files))
    assert result.exit_code == 1
    assert "Left out, because profile files cannot serve them: " in result.stderr
    assert re.search(r"^ust_10y +\d+ ", result.stdout, re.MULTILINE)
    (again,) = re.findall(r"retry: +(.*)", result.stdout)
    assert shlex.split(again)[-3:] == ["macrocredit", "ingest", "ust_2y"]
    assert f"MACROCREDIT_FILES={files}" in again
    assert (tmp_path / "fresh/data/raw/ust_10y.parquet").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--series", "cboe:VIX"], "--history FILE"),
        (["vix", "--column", "close=Last"], "--history FILE"),
        (["vix", "move", "--history", __file__], "name that dataset"),
        (["--history", __file__], "name that dataset"),
        (["vixx"], "vix"),
        (["vix", "--accept", "no_such_rule"], "no_such_rule"),
    ],
)
def test_wrong_use_ends_with_2_and_starts_nothing(run: Run, tmp_path: Path, arguments: list[str], said: str) -> None:
    """What cannot be meant is refused before anything is started."""
    result = run("ingest", *arguments)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert not (tmp_path / "fresh").exists()


def test_root_of_the_other_kind_is_refused(run: Run, filled: Path, files: Path) -> None:
    """Real data do not get among samples; the command that works is named."""
    result = run("ingest", "ust_10y", root=filled, MACROCREDIT_PROFILE="files", MACROCREDIT_FILES=str(files))
    assert result.exit_code == 2
    assert re.search(r"MACROCREDIT_ROOT=\S+.* macrocredit ingest ust_10y", result.stderr)
