"""Runs that say ``started`` although their process is gone: ended, marked ``aborted``, and reported as failed.

A process that is killed cannot write how its run ended, its step processes go on writing, and Dagster shows the run as
started for ever and keeps the pool slots it held. What belongs here: telling such runs from living ones, and cleaning
up after them. A run on another host is left to the doctor there.
"""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal, cast

import dagster as dg
import psutil

from macrocredit_assets.orchestration.executor import RUN_MARK
from macrocredit_assets.orchestration.run_record import RUN
from macrocredit_assets.persistence.records import ErrorInfo
from macrocredit_assets.persistence.run_log import RunLog, read_runs
from macrocredit_assets.settings import Settings

__all__ = ["Diagnosis", "diagnose"]

#: The system derives start times from its clock: they shift when that is set. A process that took over a pid within
#: this time would be mistaken for its predecessor and left alone, which costs nothing.
_START_TOLERANCE_SECONDS = 60.0

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
        ``running``: its process lives, and was left alone; ``elsewhere``: it runs, or ran, on another host, and was
        left alone; ``aborted``: its process is gone.
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
        One for each run log that says ``started``, newest first; none where all is well.
    """
    logs = (log for log in read_runs(settings.logs_directory, None) if log["status"] == "started")
    return [_diagnose(log, settings, instance, apply=apply) for log in logs]


def _diagnose(log: Mapping[str, object], settings: Settings, instance: dg.DagsterInstance, *, apply: bool) -> Diagnosis:
    run_id, host, pid = str(log["run_id"]), str(log["host"]), cast("int", log["pid"])
    if host != socket.gethostname():
        return Diagnosis(run_id, "elsewhere", f"Its process {pid} is on {host}; run `macrocredit runs doctor` there.")
    if _is_alive(pid, cast("float", log["pid_started"])):
        return Diagnosis(run_id, "running", f"Its process {pid} is alive.")
    survivors = list(_survivors(run_id))
    if apply:
        _end(survivors)
        now = datetime.now(UTC)
        message = f"Its process {pid} on {host} was gone when the doctor looked, on {now:%Y-%m-%d %H:%M} UTC."
        RunLog(settings.logs_directory, run_id).finish("aborted", {RUN: ErrorInfo("Aborted", message)}, now)
        _report(instance, run_id, message)
    return Diagnosis(run_id, "aborted", f"Its process {pid} is gone.", tuple(process.pid for process in survivors))


def _is_alive(pid: int, started: float) -> bool:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        # a zombie has ended; only its parent has not asked how
        is_running = process.status() != psutil.STATUS_ZOMBIE
        return is_running and abs(process.create_time() - started) < _START_TOLERANCE_SECONDS
    return False


def _survivors(run_id: str) -> Iterator[psutil.Process]:
    """Yield the processes that carry the run's id in their environment."""
    for process in psutil.process_iter():
        # what we may not look at is not ours, and what vanishes needs no ending
        with suppress(psutil.AccessDenied, psutil.NoSuchProcess, OSError):
            if process.pid != os.getpid() and process.environ().get(RUN_MARK) == run_id:
                yield process


def _end(processes: list[psutil.Process]) -> None:
    # psutil compares pid and start time before it sends a signal, so a pid that was used again is safe
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
        # a slot that a dead run holds blocks its pool for ever, unless a daemon runs that monitors runs
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)
