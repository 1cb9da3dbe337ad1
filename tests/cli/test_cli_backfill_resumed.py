"""A backfill that goes on where one was cut off believes what is stored, not what was said of it."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import Result

from macrocredit_assets.backfills import Asked, Begun, Journal
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

Run = Callable[..., Result]

_START = date(2024, 1, 2)


@pytest.fixture
def root(run: Run, tmp_path: Path) -> Path:
    """Return a root in which a backfill of 2024-01-02..2024-01-05 looks as if it was cut off after its only run."""
    root = tmp_path / "cut"
    done = run("backfill", "vix", "--start", str(_START), "--end", "2024-01-05", "--json", root=root)
    _cut_off(root, Asked(("vix",), _START, date(2024, 1, 5)), json.loads(done.stdout)["run_id"])
    return root


def _settings(root: Path) -> Settings:
    return Settings(root=root, dagster_home=root / ".dagster")


def _cut_off(root: Path, asked: Asked, run_id: str) -> Path:
    journal = Journal(_settings(root), asked)
    window = Window(_START, date(2024, 1, 5))
    journal.write(Begun(("vix",), window, datetime.now(UTC), (run_id,)), running=False)
    return journal.path


def _backfill(run: Run, root: Path, *more: str) -> Result:
    return run("backfill", "vix", "--start", str(_START), *more, root=root)


def test_what_is_stored_is_not_asked_for_again(run: Run, root: Path) -> None:
    """Everything was written before the cut: no run starts, and the plan is forgotten."""
    before = len([*(root / "logs/runs").glob("*/*.json")])
    again = _backfill(run, root, "--end", "2024-01-05")
    assert again.exit_code == 0, again.output
    assert len([*(root / "logs/runs").glob("*/*.json")]) == before
    assert not [*(root / "logs/backfills").glob("*.json")]


def test_what_is_gone_since_is_asked_for_again(run: Run, root: Path) -> None:
    """A run log that says written is no row: data that were taken away come back."""
    shutil.rmtree(root / "data")
    assert _backfill(run, root, "--end", "2024-01-05").exit_code == 0
    shown = json.loads(run("show", "vix", "--json", root=root).stdout)
    assert "2024-01-02" in json.dumps(shown)


def test_without_an_end_it_goes_on_to_yesterday(run: Run, root: Path) -> None:
    """The range is as it is asked for now, not as it was when the first one began."""
    (old,) = (root / "logs/backfills").glob("*.json")
    run_id = json.loads(old.read_text())["runs"][0]
    old.unlink()
    _cut_off(root, Asked(("vix",), _START), run_id)
    plan = json.loads(_backfill(run, root, "--dry-run", "--json").stdout)
    assert plan["window"] > "2024-01-02..2026"
    assert [asked["window"].split("..")[0] for asked in plan["runs"]] == ["2024-01-06"]


def test_refetch_that_is_done_leaves_nothing_to_go_on_with(run: Run, root: Path) -> None:
    """Whoever fetched everything anew has ended what was cut off before."""
    assert _backfill(run, root, "--end", "2024-01-05", "--refetch").exit_code == 0
    assert not [*(root / "logs/backfills").glob("*.json")]
