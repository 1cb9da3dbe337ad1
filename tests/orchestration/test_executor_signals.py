"""The executor in processes of its own: Dagster's command line, signals, and steps in processes."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import dagster as dg
import psutil
import pytest

if TYPE_CHECKING:
    from conftest import Deployment

_DEADLINE_SECONDS = 60.0


def test_dagsters_own_command_line_writes_a_run_log(deployment: Deployment) -> None:
    """``dagster asset materialize --partition-range`` passes the executor, and its header names that process."""
    process = deployment.materialize("quick", "broken")
    assert process.wait(_DEADLINE_SECONDS) == 1
    log = deployment.run_log()
    assert (log["status"], log["window"], log["launched_by"]) == ("failure", "2024-01-02..2024-01-05", "command line")
    assert log["pid"] == process.pid
    assert {name: entry["status"] for name, entry in log["assets"].items()} == {
        "quick": "unchanged",
        "broken": "failed",
    }


def test_reversed_range_fails_dagsters_own_command_line(deployment: Deployment) -> None:
    """What Dagster would call a success exits with an error and says what is wrong."""
    process = deployment.materialize("quick", start="2024-01-05", end="2024-01-02")
    _, said = process.communicate(timeout=_DEADLINE_SECONDS)
    assert process.returncode == 1
    assert "The window is reversed: it starts on 2024-01-05 and ends on 2024-01-02." in said
    assert deployment.ran() == set()


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_step_and_leaves_a_canceled_run(deployment: Deployment, signal_number: signal.Signals) -> None:
    """A run that is told to stop says so in its log, and what it was at."""
    process = deployment.materialize("sleeper", "after_sleeper")
    deployment.wait_for("sleeper")
    process.send_signal(signal_number)
    process.wait(_DEADLINE_SECONDS)
    log = deployment.run_log()
    assert log["status"] == "canceled"
    assert log["assets"]["sleeper"]["error"] == {
        "type": "Interrupted",
        "message": "The step was cut off before it ended.",
    }
    assert log["assets"]["after_sleeper"]["status"] == "skipped"
    assert "canceled before it was reached" in log["assets"]["after_sleeper"]["error"]["message"]
    assert deployment.ran() == {"sleeper"}
    assert deployment.run_status() == dg.DagsterRunStatus.FAILURE


def test_steps_in_processes_report_into_one_run_log(multiprocess: Deployment) -> None:
    """Parts left by other processes, failures and a process that died are merged by the parent."""
    process = multiprocess.materialize("quick", "broken", "after_broken", "crashing")
    assert process.wait(_DEADLINE_SECONDS) == 1
    log = multiprocess.run_log()
    assert log["status"] == "failure"
    assert log["error"] is None
    assert {name: entry["status"] for name, entry in log["assets"].items()} == {
        "quick": "unchanged",
        "broken": "failed",
        "after_broken": "skipped",
        "crashing": "failed",
    }
    assert log["assets"]["broken"]["error"]["message"] == "the upstream sent nonsense: 12,3"
    assert log["assets"]["crashing"]["error"]["type"] == "ChildProcessCrashException"


def test_signal_to_the_parent_ends_its_step_processes(multiprocess: Deployment) -> None:
    """A multiprocess run that is told to stop takes its children along."""
    process = multiprocess.materialize("sleeper", "after_sleeper")
    child = multiprocess.wait_for("sleeper")
    assert child != process.pid
    process.terminate()
    process.wait(_DEADLINE_SECONDS)
    assert multiprocess.run_log()["status"] == "canceled"
    assert not psutil.pid_exists(child)


def test_ctrl_c_while_a_step_process_starts_is_a_cancellation(multiprocess: Deployment) -> None:
    """A terminal's Ctrl-C kills a child that is still importing; that is no failure of the child."""
    process = multiprocess.materialize("sleeper")
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while not (children := _step_processes(process.pid)):
        assert time.monotonic() < deadline, "no step process was started"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    process.wait(_DEADLINE_SECONDS)
    assert multiprocess.run_log()["status"] == "canceled"
    assert multiprocess.ran() == set()
    assert not any(child.is_running() for child in children)


def _step_processes(parent: int) -> list[psutil.Process]:
    found = []
    for child in psutil.Process(parent).children():
        with suppress(psutil.NoSuchProcess):  # of the short-lived helpers that imports start
            if "forkserver" in " ".join(child.cmdline()):
                found.append(child)
    return found
