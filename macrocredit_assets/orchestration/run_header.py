"""What is known of a run before its first step: the header of its run log."""

from datetime import UTC, datetime

import dagster as dg

from macrocredit_assets.local_run import process_facts
from macrocredit_assets.orchestration.tags import launched_by, recorded_tags, requested_range
from macrocredit_assets.persistence.run_log import RunHeader
from macrocredit_assets.settings import Settings

__all__ = ["RUN_MARK", "build_header"]

#: In the environment of the processes that a run starts: its id. A pid could be written down only once the child has
#: reported it, seconds after its start; this names it from the first moment to the last.
RUN_MARK = "MACROCREDIT_RUN_ID"


def build_header(run: dg.DagsterRun, settings: Settings) -> RunHeader:
    """Describe a run that is about to start in this process.

    The window is written as it was asked for, so that a refused one can be read in the log.
    """
    requested = requested_range(run.tags)
    return RunHeader(
        run_id=run.run_id,
        job=run.job_name,
        started=datetime.now(UTC),
        profile=settings.profile,
        root_kind=settings.kind,
        window="..".join(requested) if requested else None,
        launched_by=launched_by(run.tags),
        tags=recorded_tags(run.tags),
        **process_facts(),
    )
