"""The doctor: what it does to runs whose process was killed, and what it leaves alone."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
import psutil
import pytest

from macrocredit_assets.orchestration.instance import open_instance
from macrocredit_assets.orchestration.run_doctor import Diagnosis, diagnose
from macrocredit_assets.orchestration.run_header import RUN_MARK
from macrocredit_assets.persistence.run_log import RunHeader, RunLog

if TYPE_CHECKING:
    from conftest import Deployment


def _diagnose(deployment: Deployment, *, apply: bool = True) -> list[Diagnosis]:
    with open_instance(deployment.settings.dagster_home) as instance:
        return diagnose(deployment.settings, instance, apply=apply)


def _header(**values: object) -> RunHeader:
    me = psutil.Process()
    header = RunHeader(
        run_id="3f6c",
        job="ingest",
        started=datetime.now(UTC),
        profile="sample",
        root_kind="sample",
        window=None,
        launched_by="command line",
        host=socket.gethostname(),
        pid=me.pid,
        pid_started=me.create_time(),
    )
    return replace(header, **values)  # type: ignore[arg-type]


def test_nothing_is_wrong_where_every_run_has_ended(deployment: Deployment) -> None:
    """A deployment without run logs, and one whose runs ended by themselves, have no patients."""
    assert _diagnose(deployment) == []
    deployment.execute("quick", "broken")
    assert _diagnose(deployment) == []


def test_killed_run_is_marked_aborted_and_reported_failed(deployment: Deployment) -> None:
    """SIGKILL leaves ``started``; the doctor says so, once, in the log and to the instance."""
    process = deployment.materialize("quick", "sleeper")
    deployment.wait_for("sleeper")
    deployment.wait_for("quick")
    process.kill()
    process.wait()
    assert deployment.run_log()["status"] == "started"
    assert deployment.run_status() == dg.DagsterRunStatus.STARTED

    (diagnosis,) = _diagnose(deployment)

    log = deployment.run_log()
    assert (diagnosis.run_id, diagnosis.verdict) == (log["run_id"], "aborted")
    assert (log["status"], log["error"]["type"]) == ("aborted", "Aborted")
    assert str(process.pid) in log["error"]["message"]
    assert deployment.run_status() == dg.DagsterRunStatus.FAILURE
    assert _diagnose(deployment) == []


def test_step_processes_that_outlived_their_parent_are_ended(multiprocess: Deployment) -> None:
    """Children of a killed parent go on; the doctor looks first without touching, then ends them."""
    process = multiprocess.materialize("sleeper")
    child = psutil.Process(multiprocess.wait_for("sleeper"))
    process.kill()
    process.wait()

    (seen,) = _diagnose(multiprocess, apply=False)
    assert child.pid in seen.survivors
    assert child.is_running()
    assert multiprocess.run_log()["status"] == "started"

    (ended,) = _diagnose(multiprocess)
    assert child.pid in ended.survivors
    assert not child.is_running()
    assert multiprocess.run_log()["status"] == "aborted"
    assert multiprocess.run_status() == dg.DagsterRunStatus.FAILURE
    assert multiprocess.ran() == {"sleeper"}


def test_child_that_has_only_just_started_is_found(deployment: Deployment) -> None:
    """A step process carries its run's id from its first moment, before it could tell anybody its pid."""
    RunLog(deployment.settings.logs_directory, "3f6c").start(_header(pid_started=0.0))
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with (
        subprocess.Popen(command, env={**os.environ, RUN_MARK: "3f6c"}) as ours,
        subprocess.Popen(command, env={**os.environ, RUN_MARK: "another"}) as other,
    ):
        try:
            while RUN_MARK not in psutil.Process(ours.pid).environ():
                time.sleep(0.01)
            (diagnosis,) = _diagnose(deployment)
            assert diagnosis.survivors == (ours.pid,)
            assert ours.poll() is not None
            assert other.poll() is None
        finally:
            ours.kill()
            other.kill()


@pytest.mark.slow
def test_process_that_does_not_heed_is_killed(deployment: Deployment) -> None:
    """A step process has some seconds to undo its write, and no more."""
    RunLog(deployment.settings.logs_directory, "3f6c").start(_header(pid_started=1.0))
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    command = [sys.executable, "-c", deaf]
    with subprocess.Popen(command, env={**os.environ, RUN_MARK: "3f6c"}, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (diagnosis,) = _diagnose(deployment)
        assert diagnosis.survivors == (process.pid,)
        assert process.poll() is not None


def test_living_run_is_left_alone(deployment: Deployment) -> None:
    """A run whose process lives is named and not touched."""
    RunLog(deployment.settings.logs_directory, "3f6c").start(_header())
    (diagnosis,) = _diagnose(deployment)
    assert diagnosis.verdict == "running"
    assert deployment.run_log()["status"] == "started"


def test_pid_that_is_used_again_does_not_keep_a_run_alive(deployment: Deployment) -> None:
    """A living process with the pid of the run, but another start time, is another process, and is not ended."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
        try:
            RunLog(deployment.settings.logs_directory, "3f6c").start(_header(pid=stranger.pid, pid_started=1.0))
            (diagnosis,) = _diagnose(deployment)
            assert (diagnosis.verdict, diagnosis.survivors) == ("aborted", ())
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_process_that_ended_without_being_asked_how_is_dead(deployment: Deployment) -> None:
    """A zombie has a pid and a start time, and does not keep its run alive."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        started = psutil.Process(process.pid).create_time()
        process.kill()
        while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        RunLog(deployment.settings.logs_directory, "3f6c").start(_header(pid=process.pid, pid_started=started))
        (diagnosis,) = _diagnose(deployment)
    assert diagnosis.verdict == "aborted"


def test_run_of_another_host_is_reported_and_left_alone(deployment: Deployment) -> None:
    """Whether a process of another machine lives cannot be seen from here."""
    RunLog(deployment.settings.logs_directory, "3f6c").start(_header(host="desk7", pid_started=1.0))
    (diagnosis,) = _diagnose(deployment)
    assert diagnosis.verdict == "elsewhere"
    assert "desk7" in diagnosis.message
    assert deployment.run_log()["status"] == "started"


def test_pool_slot_of_a_killed_run_is_freed(deployment: Deployment) -> None:
    """Another run may use the pool at once, without a daemon that watches."""
    RunLog(deployment.settings.logs_directory, "3f6c").start(_header(pid_started=1.0))
    with open_instance(deployment.settings.dagster_home) as instance:
        storage = instance.event_log_storage
        storage.set_concurrency_slots("terminal", 1)
        assert storage.claim_concurrency_slot("terminal", "3f6c", "step").slot_status.value == "CLAIMED"
        diagnose(deployment.settings, instance)
        assert storage.get_concurrency_info("terminal").claimed_slots == []


def test_diagnosis_is_plain_values() -> None:
    """A diagnosis can be printed as JSON."""
    given = Diagnosis("3f6c", "aborted", "gone", (4711,))
    assert json.loads(json.dumps(given.to_dict())) == {
        "run_id": "3f6c",
        "verdict": "aborted",
        "message": "gone",
        "survivors": [4711],
    }
