"""Where step processes come from: a server of the run's own, which has loaded much and started nothing."""

import multiprocessing
import subprocess
import sys
import time

import psutil
import pytest

from macrocredit_assets.orchestration.run_header import RUN_MARK
from macrocredit_assets.orchestration.step_processes import own_fork_server

_LOOK = """
import signal, threading, psutil
import macrocredit_assets.orchestration.step_imports
me = psutil.Process()
print(threading.active_count(), me.open_files(), me.net_connections(), signal.getsignal(signal.SIGINT).__name__)
"""


def test_nothing_is_open_and_no_thread_runs_where_steps_are_forked() -> None:
    """A child could share none of it safely: no thread, file, database or connection, and signals are as they were."""
    looked = subprocess.run([sys.executable, "-c", _LOOK], capture_output=True, text=True, check=True, timeout=120)
    assert looked.stdout == "1 [] [] default_int_handler\n"


def test_each_run_forks_from_a_server_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step process bears its own run's mark, for the doctor to find, and nobody else's server is used or ended."""
    context = multiprocessing.get_context("forkserver")
    servers = set()
    monkeypatch.setenv(RUN_MARK, "somebody else's")
    theirs = context.Process(target=time.sleep, args=(600,))
    theirs.start()
    for mark in ("one", "two"):
        monkeypatch.setenv(RUN_MARK, mark)
        with own_fork_server():
            process = context.Process(target=time.sleep, args=(60,))
            process.start()
            child = psutil.Process(process.pid)
            assert child.environ()[RUN_MARK] == mark
            server = child.parent()
            assert server is not None
            process.terminate()
            process.join()
        assert not server.is_running()
        servers.add(server.pid)
    assert len(servers) == 2
    assert theirs.is_alive()
    assert psutil.Process(theirs.pid).environ()[RUN_MARK] == "somebody else's"
    theirs.terminate()
    theirs.join()
