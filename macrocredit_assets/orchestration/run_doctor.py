"""Runs that say ``started`` although their process is gone: ended, marked ``aborted``, and reported as failed.

A process that is killed cannot write how its run ended, its step processes go on writing, and Dagster shows the run as
started for ever and keeps the pool slots it held. What belongs here: telling such runs from living ones, and cleaning
up after them. A run on another host is left to the doctor there.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

import dagster as dg
import psutil

from macrocredit_assets.local_run import is_alive
from macrocredit_assets.orchestration.run_header import RUN_MARK
from macrocredit_assets.persistence.records import ErrorInfo
from macrocredit_assets.persistence.run_log import RunHeader, RunLog, find, read_run, read_runs
from macrocredit_assets.settings import Settings

__all__ = ["Diagnosis", "diagnose", "diagnose_run"]

#: How long a step process may take to undo what it was writing, before it is killed.
_GRACE_SECONDS = 10.0


@dataclass(frozen=True)
class Diagnosis:
    """What is the matter with one run whose log says ``started``.

    Parameters
    ----------
    run_id
        The run.
    verdict
        ``running``: its process lives, and was left alone; ``elsewhere``: it was started on another host, and was left
        alone; ``aborted``: its process is gone.
    message
        One sentence for people.
    survivors
        Pids of its processes that had outlived it; they were ended, unless nothing was to be changed.
    """

    run_id: str
    verdict: Literal["running", "elsewhere", "aborted"]
    message: str
    survivors: tuple[int, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)


def diagnose(settings: Settings, instance: dg.DagsterInstance, *, apply: bool = True) -> list[Diagnosis]:
    """Look at every run log that says ``started``, and clean up after the runs whose process is gone.

    Parameters
    ----------
    settings
        Where the run logs are.
    instance
        The Dagster instance that is told of the runs that failed.
    apply
        Whether anything is changed; if not, only the verdicts are returned.

    Returns
    -------
    list of Diagnosis
        One for each run whose log says ``started``, newest first; none where all is well.
    """
    headers = [run.header for run in read_runs(settings.logs_directory).runs if run.status == "started"]
    verdicts = (_diagnose(header, settings, instance, apply=apply) for header in headers)
    return [verdict for verdict in verdicts if verdict is not None]


def diagnose_run(run_id: str, settings: Settings, instance: dg.DagsterInstance) -> Diagnosis | None:
    """Look at one run, and clean up after it if its process is gone; None where its log does not say ``started``."""
    path = find(settings.logs_directory, run_id)
    document = read_run(path) if path else None
    if document is None or document.status != "started":
        return None
    return _diagnose(document.header, settings, instance, apply=True)


def _diagnose(header: RunHeader, settings: Settings, instance: dg.DagsterInstance, *, apply: bool) -> Diagnosis | None:
    run_id, pid = header.run_id, header.pid
    if header.host != socket.gethostname():
        advice = f"It was started on {header.host}, by process {pid}: run `macrocredit runs doctor` there."
        return Diagnosis(run_id, "elsewhere", advice)
    if is_alive(pid, header.pid_started):
        return Diagnosis(run_id, "running", f"Its process {pid} is alive; nothing was done.")
    log = RunLog(settings.logs_directory, run_id)
    if read_run(log.path).status != "started":
        return None  # it ended between our look at its log and our look at its process
    message = f"Its process {pid} on {header.host} is gone, and did not say how the run ended."
    survivors = list(_survivors(run_id))
    if apply:
        _end(survivors)
        log.finish("aborted", {}, datetime.now(UTC), error=ErrorInfo("Aborted", message))
        _report(instance, run_id, message)
    return Diagnosis(run_id, "aborted", message, tuple(process.pid for process in survivors))


def _survivors(run_id: str) -> Iterator[psutil.Process]:
    """Yield the processes that carry the run's id in their environment."""
    for process in psutil.process_iter():
        # what we may not look at is not ours, and what vanishes needs no ending
        with suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(RUN_MARK) == run_id:
                yield process


def _end(processes: list[psutil.Process]) -> None:
    # psutil compares pid and start time before it sends a signal: a pid that is used again by now is safe
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(processes, timeout=_GRACE_SECONDS)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=_GRACE_SECONDS)


def _report(instance: dg.DagsterInstance, run_id: str, message: str) -> None:
    run = instance.get_run_by_id(run_id)
    if run is not None and not run.is_finished:
        instance.report_run_failed(run, message)
    if instance.event_log_storage.supports_global_concurrency_limits:
        # a slot that a dead run holds blocks its pool, unless a daemon that monitors runs frees it
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)
