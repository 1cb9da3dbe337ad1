"""A failed run is told to the notifier, whatever way it was launched, and a notifier can do it no harm."""

from __future__ import annotations

import json
import shlex
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from macrocredit_assets.notify import send
from macrocredit_assets.orchestration import failure_notice
from macrocredit_assets.orchestration.instance import open_instance
from macrocredit_assets.orchestration.launch import run_backfill
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

if TYPE_CHECKING:
    from conftest import Deployment

WORD = "s3cret"

Notify = Callable[[str], None]


@pytest.fixture
def set_notifier(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Notify:
    """Set a notifier, for runs in this process and in others."""

    def choose(notifier: str) -> None:
        monkeypatch.setenv("MACROCREDIT_NOTIFY", notifier)
        deployment.environ["MACROCREDIT_NOTIFY"] = notifier

    return choose


def _recorder(told: Path) -> str:
    """Return a command that appends what it is told, and how the run log stood at that moment."""
    script = 'cat >> "$1"; grep -o "\\"status\\": *\\"[a-z]*\\"" "$MACROCREDIT_RUN_LOG" | head -1 >> "$1"'
    return shlex.join(["sh", "-c", f"{script}; echo $MACROCREDIT_RUN_STATUS >> $1", WORD, str(told)])


def _notes(deployment: Deployment) -> list[str]:
    """Return what the run's event log says of the notifier."""
    with open_instance(deployment.settings.dagster_home) as instance:
        (run,) = instance.get_runs()
        said = [entry.message for entry in instance.all_logs(run.run_id)]
        assert not any(WORD in f"{entry}" for entry in instance.all_logs(run.run_id))
    return [message for message in said if "MACROCREDIT_NOTIFY" in message]


def test_failed_run_is_told_once_its_log_is_finished(
    deployment: Deployment, set_notifier: Notify, tmp_path: Path
) -> None:
    """The log says how it ended when the command is called, and the text says what failed and why."""
    set_notifier(_recorder(tmp_path / "told"))
    assert not deployment.execute("broken", "after_broken", "quick").success
    lines = (tmp_path / "told").read_text().splitlines()
    assert "failure of command line, 2024-01-02..2024-01-05" in lines[0]
    assert lines[1:3] == ["broken: the upstream sent nonsense: 12,3", "not run: after_broken"]
    assert lines[3].startswith("run log: ")
    assert lines[3].endswith('"status": "failure"')
    assert lines[4:] == ["failure"]
    assert _notes(deployment) == ["MACROCREDIT_NOTIFY was told of the failure."]


def test_successful_run_is_not_told(deployment: Deployment, set_notifier: Notify, tmp_path: Path) -> None:
    """No news is good news."""
    set_notifier(_recorder(tmp_path / "told"))
    assert deployment.execute("quick").success
    assert not (tmp_path / "told").exists()


def test_refused_run_is_told(deployment: Deployment, set_notifier: Notify, tmp_path: Path) -> None:
    """A run that was refused before its first step has failed like any other."""
    set_notifier(_recorder(tmp_path / "told"))
    assert not deployment.execute("quick", start="2024-01-05", end="2024-01-02").success
    assert "The window is reversed" in (tmp_path / "told").read_text()


def test_steps_in_other_processes_are_told_of_once(
    multiprocess: Deployment, set_notifier: Notify, tmp_path: Path
) -> None:
    """The process that executes the run tells, and none of its steps'."""
    set_notifier(_recorder(tmp_path / "told"))
    multiprocess.materialize("broken", "quick").wait(60)
    assert (tmp_path / "told").read_text().count("broken: the upstream sent nonsense") == 1


def test_run_that_was_told_to_stop_is_not_told(deployment: Deployment, set_notifier: Notify, tmp_path: Path) -> None:
    """Whoever ended it knows."""
    set_notifier(_recorder(tmp_path / "told"))
    process = deployment.materialize("sleeper")
    deployment.wait_for("sleeper")
    process.send_signal(signal.SIGINT)
    process.wait(30)
    assert deployment.run_log()["status"] == "canceled"
    assert not (tmp_path / "told").exists()


@pytest.mark.parametrize(
    ("notifier", "said"),
    [
        (f"sh -c 'exit 3' {WORD}", "failed: its command ended with 3"),
        (f"no-such-command {WORD}", "failed: its command cannot be started: No such file or directory"),
        (f"sh -c 'sleep 60' {WORD}", "failed: its command did not end within 1 s, and was killed"),
        (f"sh -c 'head -c 9000000 /dev/zero' {WORD}", "was told of the failure"),
        (f"http://127.0.0.1:9/{WORD}", "failed: its address cannot be reached: ConnectionError"),
    ],
    ids=["fails", "does not exist", "hangs", "writes much", "nobody there"],
)
def test_notifier_harms_no_run(
    deployment: Deployment, set_notifier: Notify, monkeypatch: pytest.MonkeyPatch, notifier: str, said: str
) -> None:
    """Whatever it does, the run ends as it would have, in time, with its own error, and the event log says so."""
    monkeypatch.setattr(failure_notice, "send", partial(send, timeout=1.0))
    set_notifier(notifier)
    started = time.monotonic()
    result = deployment.execute("broken", "quick")
    assert time.monotonic() - started < 10
    assert (result.success, deployment.run_status()) == (False, dg.DagsterRunStatus.FAILURE)
    log = deployment.run_log()
    assert (log["status"], log["assets"]["broken"]["error"]["type"]) == ("failure", "ValueError")
    assert log["assets"]["quick"]["error"] is None
    assert _notes(deployment) == [f"MACROCREDIT_NOTIFY {said}."]


def test_address_is_not_stored_with_a_run(tmp_path: Path) -> None:
    """Of a backfill from the command line, no file below root or home has the secret; it is told all the same."""
    told = tmp_path / "told"
    root = tmp_path / "root"
    settings = Settings(
        root=root,
        dagster_home=root / ".dagster",
        profile="files",
        files=tmp_path,
        notify=_recorder(told),
    )
    outcome = run_backfill(settings, ["vix"], Window.parse("2024-01-02", "2024-01-05"))
    assert not outcome.success
    assert "vix: " in told.read_text()
    assert json.loads(outcome.run_log.read_text())["status"] == "failure"
    written = [path for path in root.rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if WORD.encode() in path.read_bytes()]
    # another run of this process has its own notifier, though its definitions are the same
    told.unlink()
    assert not run_backfill(
        Settings(root=root, dagster_home=root / ".dagster", profile="files", files=tmp_path),
        ["vix"],
        Window.parse("2024-01-02", "2024-01-05"),
    ).success
    assert not told.exists()
