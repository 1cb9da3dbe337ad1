"""``macrocredit prune``: what it says, and what it deletes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result

from macrocredit_assets.persistence.run_log import RunHeader, RunLog

Run = Callable[..., Result]


@pytest.fixture
def old_log(filled: Path) -> Path:
    """Leave the log of an archive that was taken in long ago, which Dagster knows nothing of."""
    started = datetime(2020, 1, 2, tzinfo=UTC)
    log = RunLog(filled / "logs" / "runs", "long-ago")
    log.start(RunHeader("long-ago", "ingest", started, "sample", "sample", None, "macrocredit ingest", "x", 1, 0.0))
    return log.finish("success", {}, started)


def test_dry_run_is_the_default_and_names_the_command(run: Run, filled: Path, old_log: Path) -> None:
    """Nothing is deleted; the last line is the command that does it."""
    result = run("prune", root=filled)
    assert result.exit_code == 0, result.output
    first, last = result.stdout.splitlines()
    assert "would be deleted: 0 runs, 1 run log, 0 ticks; 0.0 MB of files" in first
    assert last.startswith("to delete: ")
    assert last.endswith("macrocredit prune --keep-days 90 --apply")
    assert old_log.exists()


def test_apply_deletes_old_run_logs_and_keeps_new_ones(run: Run, filled: Path, old_log: Path) -> None:
    """The run of a moment ago stays; a second call finds nothing."""
    kept = {path for path in (filled / "logs").rglob("*.json") if path != old_log}
    document = json.loads(run("prune", "--apply", "--json", root=filled).stdout)
    assert (document["applied"], document["runs"], document["run_logs"]) == (True, [], [str(old_log)])
    assert document["size"] > 0
    assert {*(filled / "logs").rglob("*.json")} == kept
    assert "deleted: 0 runs, 0 run logs, 0 ticks" in run("prune", "--apply", root=filled).stdout


def test_runs_that_have_not_ended_are_named(run: Run, filled: Path) -> None:
    """They stay, and the command that looks after them is said."""
    started = datetime(2020, 1, 2, tzinfo=UTC)
    RunLog(filled / "logs" / "runs", "killed").start(
        RunHeader("killed", "ingest", started, "sample", "sample", None, "macrocredit ingest", "x", 1, 0.0)
    )
    said = run("prune", "--apply", root=filled).stdout.splitlines()[-1]
    assert said.startswith("1 run as old never said how it ended, and stays: ")
    assert said.endswith("macrocredit runs doctor")


def test_empty_root_has_nothing_to_prune(run: Run) -> None:
    """Before the first run there is nothing old."""
    result = run("prune")
    assert result.exit_code == 0
    assert "would be deleted: 0 runs, 0 run logs, 0 ticks" in result.stdout
    assert "--apply" not in result.stdout


@pytest.mark.parametrize("days", ["0", "-1", "soon"])
def test_days_to_keep_are_at_least_one(run: Run, days: str) -> None:
    """What started today is not old."""
    assert run("prune", "--keep-days", days).exit_code == 2
