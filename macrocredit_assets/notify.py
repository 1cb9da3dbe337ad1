"""Telling somebody of a run that failed: by a command of theirs, or a webhook.

What belongs here: what is said, and how it is sent. Whatever becomes of that - nobody there, no answer, no end - is
returned as a sentence, and takes no longer than the timeout. The notifier itself is in no sentence and in no log:
webhooks have their secret in the address.
"""

from __future__ import annotations

import logging
import os
import shlex
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from macrocredit_assets.errors import CorruptFileError
from macrocredit_assets.persistence.run_log import RunDocument, read_run

__all__ = ["TIMEOUT_SECONDS", "Notice", "notice", "send"]

#: A run that has failed stays in its process so much longer at most.
TIMEOUT_SECONDS = 10.0

_NAMED = 5
_LONGEST_REASON = 200


@dataclass(frozen=True)
class Notice:
    """What is told of a run.

    Parameters
    ----------
    run_id, status
        Which run, and how it ended.
    run_log
        Absolute path of its run log.
    text
        Some lines for people.
    """

    run_id: str
    status: str
    run_log: Path
    text: str


def notice(run_id: str, status: str, run_log: Path) -> Notice:
    """Put in a few lines what a run log says of a run that ended badly."""
    try:
        lines = _lines(read_run(run_log))
    except (OSError, CorruptFileError) as error:
        # a full disk, say: the run failed all the same, and it should be known
        lines = [f"Run {run_id}: {status}.", f"Its log cannot be read: {type(error).__name__}."]
    return Notice(run_id, status, run_log, "\n".join([*lines, f"run log: {run_log}"]))


def send(notifier: str, told: Notice, timeout: float = TIMEOUT_SECONDS) -> str | None:
    """Tell somebody, and return what went wrong with that, or None; never raise, and never wait for longer.

    Parameters
    ----------
    notifier
        An http(s) address, which is posted JSON with ``text``, ``run_log``, ``run_id`` and ``status``; else a command,
        which gets the text on its standard input, and ``MACROCREDIT_RUN_LOG`` and ``MACROCREDIT_RUN_STATUS`` in its
        environment. What either says is not kept.
    told
        What to tell.
    timeout
        Seconds until the command is killed with all its children, or the answer is no longer waited for.
    """
    if notifier.lower().startswith(("http://", "https://")):
        return _post(notifier, told, timeout)
    return _run(notifier, told, timeout)


def _lines(run: RunDocument) -> list[str]:
    header = run.header
    failed = {name: asset["error"] for name, asset in run.assets.items() if asset["status"] == "failed"}
    skipped = [name for name, asset in run.assets.items() if asset["status"] == "skipped"]
    lines = [f"macrocredit on {header.host}: {run.status} of {header.launched_by}, {header.window or 'no window'}."]
    if run.error is not None:
        lines.append(_short(run.error.message))
    lines += [f"{name}: {_short(why['message']) if why else 'failed'}" for name, why in [*failed.items()][:_NAMED]]
    if len(failed) > _NAMED:
        lines.append(f"... and {len(failed) - _NAMED} more")
    held_up = [f"{name} ({', '.join(found)})" for name, found in run.checks_that("failed").items()]
    if held_up:
        lines.append(f"checks failed: {_some(held_up)}")
    if skipped:
        lines.append(f"not run: {_some(skipped)}")
    return lines


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _short(message: str) -> str:
    first = message.strip().partition("\n")[0]
    return first if len(first) <= _LONGEST_REASON else f"{first[:_LONGEST_REASON]}..."


def _run(command: str, told: Notice, timeout: float) -> str | None:
    variables = {"MACROCREDIT_RUN_LOG": str(told.run_log), "MACROCREDIT_RUN_STATUS": told.status}
    try:
        process = subprocess.Popen(  # noqa: S603 - the operator's own command, and no shell
            shlex.split(command),
            stdin=subprocess.PIPE,
            # what nobody reads cannot fill a pipe
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **variables},
            start_new_session=True,
            encoding="utf-8",
            errors="replace",
        )
    except (OSError, ValueError) as error:
        return f"its command cannot be started: {getattr(error, 'strerror', None) or type(error).__name__}"
    try:
        process.communicate(told.text, timeout)
    except subprocess.TimeoutExpired:
        return f"its command did not end within {timeout:g} s, and was killed"
    finally:
        _kill(process)
    return f"its command ended with {process.returncode}" if process.returncode else None


def _kill(process: subprocess.Popen[str]) -> None:
    """End a command that is still at work, and all its children."""
    if process.poll() is None:
        # one that became another user, by sudo, cannot be killed; it is not waited for either
        with suppress(OSError, subprocess.TimeoutExpired):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(1)


def _post(address: str, told: Notice, timeout: float) -> str | None:
    import requests  # every run could fail, and few do: none pays for the import before

    body = {"text": told.text, "run_log": str(told.run_log), "run_id": told.run_id, "status": told.status}
    problems: list[str] = []

    def post() -> None:
        try:
            with (
                _unheard(),
                # streamed: what else is said after the status is not waited for
                requests.post(address, json=body, timeout=timeout, allow_redirects=False, stream=True) as answer,
            ):
                if not 200 <= answer.status_code < 300:
                    problems.append(f"its address answered {answer.status_code}")
        except Exception as error:  # noqa: BLE001 - a thread's error would be printed, with the address in it
            problems.append(f"its address cannot be reached: {type(error).__name__}")

    # requests' timeout is one per read: a server that sends a byte now and then is never late
    thread = threading.Thread(target=post, name="notify", daemon=True)
    thread.start()
    thread.join(timeout)
    if thread.is_alive():
        return f"its address did not answer within {timeout:g} s"
    return problems[0] if problems else None


@contextmanager
def _unheard() -> Iterator[None]:
    """Keep from the logs what urllib3 says in this thread: at level DEBUG, it is the address."""
    logger, thread = logging.getLogger("urllib3.connectionpool"), threading.get_ident()

    def of_others(record: logging.LogRecord) -> bool:
        return record.thread != thread

    logger.addFilter(of_others)
    try:
        yield
    finally:
        logger.removeFilter(of_others)
