"""The executor in this process: what it refuses, and what it records of runs that end by themselves."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.execution.api import execute_run_iterator

from macrocredit_assets.orchestration.executor import build_executor
from macrocredit_assets.orchestration.instance import open_instance
from macrocredit_assets.orchestration.tags import LAUNCHED_BY, PARTITION
from macrocredit_assets.persistence.root_kind import stamp_root

if TYPE_CHECKING:
    from conftest import Deployment

TODAY = datetime.now(ZoneInfo("America/New_York")).date()


def _error_in_event_log(result: dg.JobExecutionResult) -> str:
    (event,) = [event for event in result.all_events if event.is_run_failure]
    return event.job_failure_data.error.to_string()


def test_success_is_recorded_with_its_header_and_the_records_of_its_assets(deployment: Deployment) -> None:
    """A run that succeeds leaves a complete log: who, when, with what, and what each asset reported."""
    result = deployment.execute("quick", **{LAUNCHED_BY: "a test"})
    log = deployment.run_log()
    assert result.success
    assert (log["run_id"], log["job"], log["status"]) == (result.run_id, "__ASSET_JOB", "success")
    assert (log["window"], log["profile"], log["launched_by"]) == ("2024-01-02..2024-01-05", "sample", "a test")
    assert set(log["versions"]) == {"macrocredit_assets", "dagster", "pandas", "pyarrow", "python"}
    assert log["assets"]["quick"]["rows_read"] == 7
    assert log["started"] <= log["ended"]
    assert log["error"] is None


def test_failed_step_is_recorded_with_what_it_said_and_whom_it_held_up(deployment: Deployment) -> None:
    """The log has the error of the failed asset, the reason why others did not run, and those that succeeded."""
    assert not deployment.execute("quick", "broken", "after_broken", "after_after_broken").success
    log = deployment.run_log()
    assert log["status"] == "failure"
    assert {name: entry["status"] for name, entry in log["assets"].items()} == {
        "quick": "unchanged",
        "broken": "failed",
        "after_broken": "skipped",
        "after_after_broken": "skipped",
    }
    assert log["assets"]["broken"]["error"] == {"type": "ValueError", "message": "the upstream sent nonsense: 12,3"}
    for name in ("after_broken", "after_after_broken"):
        assert log["assets"][name]["error"]["message"] == "Not run, because broken failed in this run."
    assert deployment.ran() == {"quick"}


def test_step_that_succeeds_when_tried_again_is_no_failure(deployment: Deployment) -> None:
    """Retries of the inner executor work, and leave no error behind."""
    assert deployment.execute("flaky").success
    assert deployment.run_log()["status"] == "success"
    assert deployment.run_log()["assets"] == {}


def test_resource_that_cannot_be_had_fails_the_run_before_any_step(deployment: Deployment) -> None:
    """A resource failure belongs to the run; the assets are listed as not run."""
    assert not deployment.execute("quick", "unreachable").success
    log = deployment.run_log()
    assert log["status"] == "failure"
    assert log["error"] == {"type": "ConnectionError", "message": "the terminal is logged off"}
    assert {entry["status"] for entry in log["assets"].values()} == {"skipped"}
    assert deployment.ran() == set()


def test_input_that_cannot_be_loaded_fails_its_asset(deployment: Deployment) -> None:
    """A load failure is the failure of the asset that asked, with the IO manager's own words."""
    assert not deployment.execute("stored", "reader").success
    error = deployment.run_log()["assets"]["reader"]["error"]
    assert error == {"type": "LookupError", "message": "no date of the window is covered"}


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2024-01-05", "2024-01-02", "The window is reversed"),
        (str(TODAY + timedelta(days=1)), str(TODAY + timedelta(days=9)), "no day of it is over yet"),
        (str(TODAY), str(TODAY), "no day of it is over yet"),
        ("1989-12-31", "1990-01-02", "before the first partition"),
    ],
)
def test_impossible_window_fails_the_run_before_any_step(
    deployment: Deployment, start: str, end: str, said: str
) -> None:
    """A window that cannot be answered is refused: no step, no materialization, our message in both logs."""
    result = deployment.execute("quick", start=start, end=end)
    log = deployment.run_log()
    assert not result.success
    assert said in _error_in_event_log(result)
    assert (log["status"], log["error"]["type"]) == ("failure", "WindowError")
    assert said in log["error"]["message"]
    assert log["window"] == f"{start}..{end}"
    assert deployment.ran() == set()
    assert not [event for event in result.all_events if event.is_step_event and event.is_step_start]


def test_window_that_ends_yesterday_is_not_refused(deployment: Deployment) -> None:
    """The last day that is over in New York can be asked for."""
    yesterday = str(TODAY - timedelta(days=1))
    assert deployment.execute("quick", start=yesterday, end=yesterday).success


def test_window_is_read_from_the_tag_of_a_single_partition(deployment: Deployment) -> None:
    """A run of one partition has a window of one day."""
    with open_instance(deployment.settings.dagster_home) as instance:
        tags = {PARTITION: "2024-01-02", "dagster/schedule_name": "daily_us"}
        dg.execute_job(deployment.job, instance=instance, tags=tags, asset_selection=[dg.AssetKey("quick")])
    log = deployment.run_log()
    assert (log["status"], log["window"], log["launched_by"]) == (
        "success",
        "2024-01-02..2024-01-02",
        "schedule:daily_us",
    )


def test_root_of_the_other_kind_fails_the_run_before_any_step(deployment: Deployment) -> None:
    """Sample data are not written to a root of real data; the message has the command that would do."""
    stamp_root(deployment.settings.data_directory, "real")
    result = deployment.execute("quick")
    log = deployment.run_log()
    assert not result.success
    assert log["error"]["type"] == "RootKindError"
    assert "MACROCREDIT_ROOT=" in log["error"]["message"]
    assert "MACROCREDIT_ROOT=" in _error_in_event_log(result)
    assert deployment.ran() == set()


def test_run_whose_events_nobody_takes_any_more_is_canceled(deployment: Deployment) -> None:
    """A consumer that closes the stream of events in mid-run leaves a finished log."""
    with open_instance(deployment.settings.dagster_home) as instance:
        run = instance.create_run_for_job(
            deployment.job.get_definition(),
            tags={PARTITION: "2024-01-02"},
            asset_selection=frozenset([dg.AssetKey("quick")]),
            job_code_origin=deployment.job.get_python_origin(),
        )
        events = execute_run_iterator(deployment.job, run, instance)
        # inside a step, Dagster itself does not stand being closed
        next(event for event in events if event.event_type == dg.DagsterEventType.LOGS_CAPTURED)
        assert deployment.run_log()["status"] == "started"
        events.close()
    log = deployment.run_log()
    assert log["status"] == "canceled"
    assert log["assets"]["quick"]["status"] == "skipped"
    assert "canceled before it was reached" in log["assets"]["quick"]["error"]["message"]


@pytest.mark.parametrize(("executor", "asked"), [("in_process", 0), ("multiprocess", 3)])
def test_only_several_processes_ask_for_an_instance_on_disk(deployment: Deployment, executor: str, asked: int) -> None:
    """The executor takes over what the inner one requires of job and instance."""
    deployment.environ["MACROCREDIT_EXECUTOR"] = executor
    assert len(build_executor(deployment.settings).get_requirements({})) == asked
