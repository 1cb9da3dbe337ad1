"""Webserver and daemon as one program: which command that is, and how it is started and ended.

What belongs here: processes. It rests on ``dagster dev``, which serves one code location to both of its children and
shuts them down through pipes; what is added is that no way of ending it leaves one of them behind.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from types import FrameType

from macrocredit_assets.errors import UsageError
from macrocredit_assets.settings import Settings

__all__ = ["run_ui", "ui_command"]

#: `dagster dev` shuts its children down within 60 s each, or kills them.
_GRACE_SECONDS = 130

#: Signals within this time are one press of Ctrl-C: the terminal sends it to us, and `uv run` hands its own on.
_ONE_KEY_SECONDS = 2.0


def ui_command(settings: Settings, host: str, port: int) -> tuple[list[str], dict[str, str]]:
    """Return the command of webserver and daemon, and the variables it needs in addition to the environment.

    Raises
    ------
    UsageError
        If the webserver is not installed, or the address cannot be had.
    """
    if find_spec("dagster_webserver") is None:
        raise UsageError(
            "The web UI is not installed. It comes with the extra `ui`: python -m pip install 'macrocredit-assets[ui]'"
        )
    _require_free(host, port)
    argv = [
        sys.executable,
        # it says that `dg dev` supersedes it, which is another package
        *("-W", "ignore:Function `dev_command` is superseded:FutureWarning"),
        *("-m", "dagster", "dev"),
        *("-m", "macrocredit_assets.definitions"),
        *("--host", host, "--port", str(port)),
    ]
    environment = {
        "DAGSTER_HOME": str(settings.dagster_home),
        # a home that was there before may say otherwise
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "MACROCREDIT_ROOT": str(settings.root),
        "MACROCREDIT_PROFILE": settings.profile,
        "MACROCREDIT_EXECUTOR": settings.executor,
    }
    if settings.files:
        environment["MACROCREDIT_FILES"] = str(settings.files)
    if settings.catalog:
        environment["MACROCREDIT_CATALOG"] = str(settings.catalog)
    return argv, environment


def run_ui(settings: Settings, argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Serve until Ctrl-C or SIGTERM; return 0 where that ended it, and 1 where the services stopped by themselves.

    Parameters
    ----------
    settings
        The deployment, whose home is made where there is none.
    argv
        The command, of :func:`ui_command`.
    environ
        The whole environment of the services.
    """
    # late: what `ui_command` refuses is refused at once, without Dagster
    from macrocredit_assets.orchestration.instance import ensure_home

    ensure_home(settings.dagster_home)
    return _supervise(argv, environ)


def _supervise(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    asked: list[float] = []
    process: subprocess.Popen[bytes] | None = None

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of handlers
        asked.append(time.monotonic())
        if process is None:
            return
        if len(asked) == 1:
            _ask(process)
        elif number == signal.SIGALRM or asked[-1] - asked[0] > _ONE_KEY_SECONDS:
            _kill(process)

    # Before the start: exec gives a child the default in place of a handler, but hands an ignored SIGINT down, as a
    # program in a script's background has it; and `dagster dev` would make its SIGTERM the same.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, end)
    # A session of its own: Ctrl-C would reach the grandchildren too, and they would die before their parent has
    # ended them in order; and what is left at the end can be named by its group.
    process = subprocess.Popen(argv, env=environ, start_new_session=True)  # noqa: S603 - our own interpreter
    if asked:
        _ask(process)
    process.wait()
    signal.alarm(0)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    return 0 if asked else 1


def _ask(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    signal.alarm(_GRACE_SECONDS)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            # as the server does: a port that was used a moment ago may be used again
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise UsageError(
            f"Cannot listen on {host}:{port}: {error.strerror}. Use another one: --port {port + 1}"
        ) from error
