"""What is known of a run before its first step: the header of its run log."""

import platform
import socket
from datetime import UTC, datetime
from importlib.metadata import version

import dagster as dg
import psutil

from macrocredit_assets.orchestration.tags import launched_by, recorded_tags, requested_range
from macrocredit_assets.persistence.run_log import RunHeader
from macrocredit_assets.settings import Settings

__all__ = ["build_header"]

_RECORDED_PACKAGES = ("macrocredit-assets", "dagster", "pandas", "pyarrow")


def build_header(run: dg.DagsterRun, settings: Settings) -> RunHeader:
    """Describe a run that is about to start in this process.

    The window is written as it was asked for, so that a refused one can be read in the log.
    """
    requested = requested_range(run.tags)
    process = psutil.Process()
    return RunHeader(
        run_id=run.run_id,
        job=run.job_name,
        started=datetime.now(UTC),
        profile=settings.profile,
        root_kind=settings.kind,
        window="..".join(requested) if requested else None,
        launched_by=launched_by(run.tags),
        host=socket.gethostname(),
        pid=process.pid,
        # a pid is used again; together with its start time it names one process for good
        pid_started=process.create_time(),
        versions={
            **{package.replace("-", "_"): version(package) for package in _RECORDED_PACKAGES},
            "python": platform.python_version(),
        },
        tags=recorded_tags(run.tags),
    )
