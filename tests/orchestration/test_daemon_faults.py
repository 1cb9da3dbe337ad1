"""What a real daemon does about runs whose process is gone: fail them, give back their pool slots, start them again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import psutil
import pytest

from macrocredit_assets.orchestration.build import INGEST_JOB
from macrocredit_assets.orchestration.instance import ensure_home, open_instance
from macrocredit_assets.orchestration.tags import RANGE_END, RANGE_START

sys.path.insert(0, str(Path(__file__).parent))
from faults import POOL, Faulty, environment

pytestmark = pytest.mark.slow

_DEADLINE_SECONDS = 240
_CODE = ["-m", "macrocredit_assets.definitions"]

#: The shipped times are an hour, a minute and half a minute; all else is as shipped.
_MAX_RUNTIME_SECONDS = 20
_SHORTER = {
    "poll_interval_seconds: 60": "poll_interval_seconds: 1",
    "max_runtime_seconds: 3600": f"max_runtime_seconds: {_MAX_RUNTIME_SECONDS}",
    "free_slots_after_run_end_seconds: 30": "free_slots_after_run_end_seconds: 5",
}


class Machine:
    """A root with a daemon that serves it."""

    def __init__(self, faulty: Faulty) -> None:
        self.faulty = faulty
        self.log = faulty.root / "daemon.log"
        self.daemon: subprocess.Popen[bytes] | None = None

    def set(self, shipped: str, other: str) -> None:
        """Change one line of the instance's settings."""
        settings = ensure_home(self.faulty.settings().dagster_home) / "dagster.yaml"
        text = settings.read_text()
        assert text.count(shipped) == 1
        settings.write_text(text.replace(shipped, other))

    def start(self) -> None:
        """Start a daemon, with a code server of its own."""
        environ = environment(self.faulty, DAGSTER_EVENT_LOG_CONSUMER_DAEMON_INTERVAL_SECONDS="1")
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "dagster._daemon", "run", *_CODE]
            self.daemon = subprocess.Popen(command, env=environ, stdout=log, stderr=log, cwd=self.faulty.root)

    def lose_power(self) -> None:
        """Kill the daemon and everything that it has started, at once."""
        assert self.daemon
        parent = psutil.Process(self.daemon.pid)
        everything = [parent, *parent.children(recursive=True)]
        for process in everything:
            process.suspend()  # nobody sees another one die
        for process in everything:
            process.kill()
        self.daemon.wait()

    def stop(self) -> None:
        """Stop the daemon as systemd would, and kill what is left."""
        if self.daemon and self.daemon.poll() is None:
            children = psutil.Process(self.daemon.pid).children(recursive=True)
            self.daemon.terminate()
            self.daemon.wait(_DEADLINE_SECONDS)
            _, left = psutil.wait_procs(children, timeout=20)
            for process in left:
                process.kill()

    def launch(self, run_id: str, **tags: str) -> None:
        """Put a run into the queue."""
        tags = {RANGE_START: "2024-01-02", RANGE_END: "2024-01-05", **tags}
        command = [sys.executable, "-m", "dagster", "job", "launch", *_CODE, "-j", INGEST_JOB]
        subprocess.run(
            [*command, "--run-id", run_id, "--tags", json.dumps(tags)],
            env=environment(self.faulty),
            cwd=self.faulty.root,
            check=True,
            capture_output=True,
            timeout=_DEADLINE_SECONDS,
        )

    def wait_for(self, condition: Callable[[dg.DagsterInstance], bool]) -> None:
        """Wait until the instance is as it should be."""
        deadline = time.monotonic() + _DEADLINE_SECONDS
        with open_instance(self.faulty.settings().dagster_home) as instance:
            while not condition(instance):
                assert time.monotonic() < deadline, self.log.read_text()[-8000:]
                time.sleep(0.2)

    def worker_at_work(self) -> int:
        """Wait until a run asks its source, and return the pid of its process."""
        self.wait_for(lambda _: bool(self.faulty.attempts("left")))
        return self.faulty.attempts("left")[-1]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """Give a root whose source hangs at the first request; its daemon is not started yet."""
    faulty = Faulty.install(tmp_path)
    faulty.tell("left", "sleep")
    made = Machine(faulty)
    for shipped, shorter in _SHORTER.items():
        made.set(shipped, shorter)
    yield made
    made.stop()


def _status(run_id: str) -> Callable[[dg.DagsterInstance], dg.DagsterRunStatus | None]:
    def status(instance: dg.DagsterInstance) -> dg.DagsterRunStatus | None:
        run = instance.get_run_by_id(run_id)
        return run.status if run else None

    return status


def _claimed(instance: dg.DagsterInstance) -> list[str]:
    info = instance.event_log_storage.get_concurrency_info(POOL)
    return [slot.run_id for slot in info.claimed_slots]


def _retries_of(instance: dg.DagsterInstance, run_id: str) -> list[dg.DagsterRun]:
    return [run for run in instance.get_runs() if run.parent_run_id == run_id]


def _assert_retried(machine: Machine, run_id: str) -> None:
    """Wait until the daemon has started a failed run again; all of it is written, and no slot is held any more."""
    succeeded = dg.DagsterRunStatus.SUCCESS
    machine.wait_for(lambda instance: [run.status for run in _retries_of(instance, run_id)] == [succeeded])
    with open_instance(machine.faulty.settings().dagster_home) as instance:
        (again,) = _retries_of(instance, run_id)
        assert again.tags["dagster/retry_number"] == "1"
        assert _claimed(instance) == []
    logs = machine.faulty.run_logs()
    assert logs[run_id]["status"] == "aborted"
    assert logs[again.run_id]["status"] == "success"
    assert logs[again.run_id]["window"] == "2024-01-02..2024-01-05"
    assert {name: entry["status"] for name, entry in logs[again.run_id]["assets"].items()} == dict.fromkeys(
        ("left", "right", "gap"), "written"
    )


def test_run_whose_process_is_killed_is_started_again(machine: Machine) -> None:
    """The code server sees it die; its retry is queued until the daemon has given back the slot that it held."""
    run_id = "00000000-0000-4000-8000-000000000001"
    machine.start()
    machine.launch(run_id)
    worker = machine.worker_at_work()
    with open_instance(machine.faulty.settings().dagster_home) as instance:
        assert _claimed(instance) == [run_id]
    killed = time.monotonic()
    os.kill(worker, 9)
    machine.wait_for(lambda instance: _status(run_id)(instance) == dg.DagsterRunStatus.FAILURE)
    assert time.monotonic() - killed < _MAX_RUNTIME_SECONDS / 2
    with open_instance(machine.faulty.settings().dagster_home) as instance:
        assert _claimed(instance) == [run_id]
    _assert_retried(machine, run_id)


def test_run_whose_machine_lost_power_fails_after_the_stated_time_and_is_started_again(machine: Machine) -> None:
    """Nobody saw it die: it stays started until it is older than a run may be."""
    run_id = "00000000-0000-4000-8000-000000000003"
    machine.start()
    machine.launch(run_id)
    machine.worker_at_work()
    machine.lose_power()
    with open_instance(machine.faulty.settings().dagster_home) as instance:
        assert _status(run_id)(instance) == dg.DagsterRunStatus.STARTED
        assert _claimed(instance) == [run_id]
    machine.start()
    machine.wait_for(lambda instance: _status(run_id)(instance) == dg.DagsterRunStatus.FAILURE)
    with open_instance(machine.faulty.settings().dagster_home) as instance:
        (record,) = instance.get_run_records(dg.RunsFilter(run_ids=[run_id]))
        assert record.start_time
        assert record.end_time
        assert _MAX_RUNTIME_SECONDS < record.end_time - record.start_time < _MAX_RUNTIME_SECONDS + 20
    _assert_retried(machine, run_id)
