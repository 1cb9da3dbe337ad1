"""Webserver and daemon as one program: how they are started, and that none of them is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from macrocredit_assets.errors import UsageError
from macrocredit_assets.orchestration import ui
from macrocredit_assets.settings import Settings

_DEADLINE_SECONDS = 120.0

# Stands for `dagster dev`: it has a child, says that both are there, and ends on SIGTERM without ending the child.
_SERVICES = """
import pathlib, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, (lambda *_: sys.exit(0)) if sys.argv[2] != "deaf" else signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
time.sleep(0 if sys.argv[2] == "end" else 600)
"""

_SUPERVISOR = """
import sys
from macrocredit_assets.orchestration.ui import _supervise
sys.exit(_supervise([sys.executable, *sys.argv[1:]], {}))
"""


def _settings(root: Path, **values: object) -> Settings:
    return Settings(root=root, dagster_home=root / ".dagster", **values)  # type: ignore[arg-type]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while not until():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def _gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def _start(folder: Path, mode: str, *, ignoring: bool = False) -> tuple[subprocess.Popen[bytes], int]:
    """Start a supervisor with its services; return it, and the pid of their child."""
    script, note = folder / "services.py", folder / "pid"
    script.write_text(_SERVICES)
    # as a shell starts what stands in the background of a script
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if ignoring else None
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", _SUPERVISOR, str(script), str(note), mode], start_new_session=True
        )
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
    _wait(lambda: note.exists() and note.read_text() != "")
    return process, int(note.read_text())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("ignoring", [False, True], ids=["foreground", "background"])
def test_signal_ends_all_of_it_in_order(tmp_path: Path, number: int, ignoring: bool) -> None:
    """Whatever signal ends the program, it ends with 0 and leaves no process, from a script's background too."""
    process, child = _start(tmp_path, "stay", ignoring=ignoring)
    process.send_signal(number)
    assert process.wait(_DEADLINE_SECONDS) == 0
    _wait(lambda: _gone(child))


def test_one_key_may_arrive_twice(tmp_path: Path) -> None:
    """Two signals at once are one wish to end, and cut nothing off."""
    process, child = _start(tmp_path, "stay")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    assert process.wait(_DEADLINE_SECONDS) == 0
    _wait(lambda: _gone(child))


def test_second_wish_kills_what_does_not_end(tmp_path: Path) -> None:
    """Services that do not listen are killed at the second wish, all of them."""
    process, child = _start(tmp_path, "deaf")
    process.send_signal(signal.SIGINT)
    time.sleep(ui._ONE_KEY_SECONDS + 0.2)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(_DEADLINE_SECONDS) == 0
    _wait(lambda: _gone(child))


def test_services_that_stop_by_themselves_are_a_failure(tmp_path: Path) -> None:
    """Where the services stop unasked the program ends with 1, and leaves no process."""
    process, child = _start(tmp_path, "end")
    assert process.wait(_DEADLINE_SECONDS) == 1
    _wait(lambda: _gone(child))


def test_command_names_the_definitions_and_the_place(tmp_path: Path) -> None:
    """The services are told definitions, address, root and home, whatever the environment says."""
    port = _free_port()
    settings = _settings(tmp_path, profile="files", files=tmp_path / "files", catalog=tmp_path / "desk.yaml")
    argv, environ = ui.ui_command(settings, "127.0.0.1", port)
    assert argv[0] == sys.executable
    assert argv[argv.index("dev") + 1 :][:2] == ["-m", "macrocredit_assets.definitions"]
    assert argv[-1] == str(port)
    assert environ["DAGSTER_HOME"] == str(tmp_path / ".dagster")
    names = {name: value for name, value in environ.items() if not name.startswith("DAGSTER_DISABLE")}
    assert Settings.from_env(names) == settings


def test_port_that_is_taken_is_refused_with_the_next_one(tmp_path: Path) -> None:
    """An address that cannot be had is refused before anything starts."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"--port {port + 1}"):
            ui.ui_command(_settings(tmp_path), "127.0.0.1", port)


def test_missing_webserver_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the webserver the error says how to install it."""
    monkeypatch.setitem(sys.modules, "dagster_webserver", None)
    with pytest.raises(UsageError, match=r"macrocredit-assets\[ui\]"):
        ui.ui_command(_settings(tmp_path), "127.0.0.1", _free_port())


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ui_serves_and_ends_clean(tmp_path: Path, number: int) -> None:
    """`macrocredit ui` serves the UI, and no process of it is left after Ctrl-C or SIGTERM."""
    port = _free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "macrocredit_assets", "ui", "--port", str(port)],
        env={**os.environ, "MACROCREDIT_ROOT": str(tmp_path)},
        start_new_session=True,
    )

    def answers() -> bool:
        try:
            return bool(urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5).read())
        except OSError:
            return False

    _wait(answers)
    services = psutil.Process(process.pid).children(recursive=True)
    assert len(services) >= 3
    process.send_signal(number)
    assert process.wait(_DEADLINE_SECONDS) == 0
    _wait(lambda: all(_gone(service.pid) for service in services))
    assert (tmp_path / ".dagster" / "dagster.yaml").is_file()
