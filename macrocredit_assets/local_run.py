"""A run that is not Dagster's: one dataset, in this process, with a run log like any other.

What belongs here: how such a run begins and ends in its log, and what is known of a process.
"""

from __future__ import annotations

import platform
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TypedDict
from uuid import uuid4

import psutil

from macrocredit_assets.persistence.records import ErrorInfo
from macrocredit_assets.persistence.root_kind import RootKind
from macrocredit_assets.persistence.run_log import RunHeader, RunLog
from macrocredit_assets.settings import Settings

__all__ = ["ProcessFacts", "is_alive", "local_run", "process_facts"]

#: The system derives start times from its clock: they shift when that is set. A process that took over a pid within
#: this time would be mistaken for its predecessor and its run left alone, which costs nothing.
_START_TOLERANCE_SECONDS = 60.0

_RECORDED_PACKAGES = ("macrocredit-assets", "dagster", "pandas", "pyarrow")


class ProcessFacts(TypedDict):
    """The part of a run's header that tells of the process."""

    host: str
    pid: int
    pid_started: float
    versions: Mapping[str, str]


def process_facts() -> ProcessFacts:
    """Describe this process: where it runs, which one it is, and the versions of what it runs."""
    process = psutil.Process()
    return ProcessFacts(
        host=socket.gethostname(),
        pid=process.pid,
        # a pid is used again; together with its start time it names one process for good
        pid_started=process.create_time(),
        versions={
            **{package.replace("-", "_"): version(package) for package in _RECORDED_PACKAGES},
            "python": platform.python_version(),
        },
    )


def is_alive(pid: int, started: float) -> bool:
    """Tell whether the process of this host that a pid and a start time name is there; see :func:`process_facts`."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        # a zombie has ended; only its parent has not asked how
        has_ended = process.status() == psutil.STATUS_ZOMBIE
        return not has_ended and abs(process.create_time() - started) < _START_TOLERANCE_SECONDS
    return False


@contextmanager
def local_run(
    settings: Settings, job: str, dataset: str, *, kind: RootKind, window: str | None = None
) -> Iterator[RunLog]:
    """Write the log of a run: ``started`` now, and how the block ended when it does.

    Parameters
    ----------
    settings
        Where logs lie.
    job
        What is done, in the words of the command line; also who launched it.
    dataset
        The one dataset of the run; an error of the block is told of it.
    kind
        Whether sample or real data are handled.
    window
        The dates asked for, where there are any.
    """
    log = RunLog(settings.logs_directory, str(uuid4()))
    log.start(
        RunHeader(
            run_id=log.run_id,
            job=job,
            started=datetime.now(UTC),
            profile=settings.profile,
            root_kind=kind,
            window=window,
            launched_by=f"macrocredit {job}",
            **process_facts(),
        )
    )
    try:
        yield log
    except KeyboardInterrupt:
        log.finish("canceled", {}, datetime.now(UTC))
        raise
    except BaseException as error:
        log.finish("failure", {dataset: ErrorInfo(type(error).__name__, str(error))}, datetime.now(UTC))
        raise
    log.finish("success", {}, datetime.now(UTC))
