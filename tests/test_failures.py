"""What the newest run that touched a dataset says of its failure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from macrocredit_assets.failures import RUNS_READ, LastFailure, last_failures
from macrocredit_assets.persistence import AssetRecord, ErrorInfo, RunHeader, RunLog

STARTED = datetime(2024, 2, 5, 12, tzinfo=UTC)
DOWN = ErrorInfo("SourceUnavailableError", "vix: no answer.\nTry later: macrocredit ingest vix")


def _run(logs: Path, hour: int, done: tuple[str, ...] = (), **failed: ErrorInfo) -> str:
    """Leave the log of a run that began so many hours after the first one."""
    run_id, started = f"r{hour}", STARTED + timedelta(hours=hour)
    log = RunLog(logs, run_id)
    log.start(RunHeader(run_id, "daily", started, "public", "real", None, "schedule", "desk7", 1, 1.0))
    for name in done:
        log.add(AssetRecord(name, None, "unchanged"))
    log.finish("failure" if failed else "success", failed, started)
    return run_id


def test_newest_run_that_touched_a_dataset_has_the_word(tmp_path: Path) -> None:
    """A failure stands until a later run has written its dataset; runs of other datasets say nothing of it."""
    _run(tmp_path, 0, vix=DOWN, move=DOWN)
    _run(tmp_path, 1, ("vix",))
    _run(tmp_path, 2, ("lqd",))
    found = last_failures(tmp_path, ["vix", "move", "lqd", "never"])
    assert found == {"move": LastFailure("r0", STARTED, DOWN.type, DOWN.message)}


def test_run_under_way_says_nothing_yet(tmp_path: Path) -> None:
    """While a run goes on, what the one before it said stands."""
    _run(tmp_path, 0, vix=DOWN)
    started = STARTED + timedelta(hours=1)
    RunLog(tmp_path, "r1").start(RunHeader("r1", "daily", started, "public", "real", None, "ui", "desk7", 1, 1.0))
    assert [failure.run_id for failure in last_failures(tmp_path, ["vix"]).values()] == ["r0"]


def test_logs_are_read_no_further_than_weeks(tmp_path: Path) -> None:
    """What no run of the last hundred has touched is not searched for."""
    _run(tmp_path, 0, vix=DOWN)
    for hour in range(1, RUNS_READ):
        _run(tmp_path, hour)
    assert last_failures(tmp_path, ["vix"])
    _run(tmp_path, RUNS_READ)
    assert last_failures(tmp_path, ["vix"]) == {}


def test_no_run_yet(tmp_path: Path) -> None:
    """Where nothing ran, nothing failed."""
    assert last_failures(tmp_path / "logs", ["vix"]) == {}


@pytest.mark.parametrize(
    ("message", "summary"), [("\n  first \nsecond", "first"), ("", "KeyError"), (" \n", "KeyError")]
)
def test_summary_is_the_first_line(message: str, summary: str) -> None:
    """A reason is told by its first line that says anything, else by its type."""
    assert LastFailure("r1", STARTED, "KeyError", message).summary == summary
