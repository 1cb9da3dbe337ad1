"""The run log of a run in progress: begun before its first step, ended whatever becomes of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

import dagster as dg
from dagster._utils.interrupts import check_captured_interrupt  # no public way tells of a signal that was held back

from macrocredit_assets.errors import WindowError
from macrocredit_assets.orchestration.failure_notice import tell_of_failure
from macrocredit_assets.orchestration.run_header import build_header
from macrocredit_assets.orchestration.step_watch import StepWatch, describe
from macrocredit_assets.orchestration.tags import window_of_tags
from macrocredit_assets.persistence.records import AssetRecord, ErrorInfo
from macrocredit_assets.persistence.run_log import RunLog, RunStatus
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

__all__ = ["keep_run_log"]

_NOT_RUN: Mapping[str, str] = {
    "failure": "the run failed before it was reached",
    "canceled": "the run was canceled before it was reached",
}


@contextmanager
def keep_run_log(
    run: dg.DagsterRun, instance: dg.DagsterInstance, watch: StepWatch, settings: Settings
) -> Iterator[None]:
    """Write ``started`` now, and how the block ended when it does.

    Records of what was written are left in the log by whoever writes; added here are the errors of steps that failed,
    the reason why others did not run, and what stopped the run as a whole. Of a failure, whoever is to know is told.
    """
    log = RunLog(settings.logs_directory, run.run_id)
    log.start(build_header(run, settings))
    status: RunStatus = "failure"
    failure: ErrorInfo | None = None
    try:
        yield
        status = "failure" if watch.has_failed else "success"
        failure = watch.broken_check
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError, GeneratorExit):
        status = "canceled"
        raise
    except BaseException as error:
        # a multiprocess executor sums up the failures of its steps in one error of its own: they are told already
        failure = watch.broken_check if watch.has_failed else describe(error)
        raise
    finally:
        if status == "failure" and (watch.is_interrupted or _is_told_to_stop(instance, run)):
            status = "canceled"
        if status != "success":
            _add_not_run(log, watch, _window(run), _NOT_RUN[status])
        try:
            log.finish(
                status, watch.failed, datetime.now(UTC), error=failure, retries=watch.retries, checks=watch.checks
            )
        finally:
            if status == "failure":
                tell_of_failure(run, instance, settings, log.path)


def _add_not_run(log: RunLog, watch: StepWatch, window: Window | None, otherwise: str) -> None:
    for dataset, reason in watch.not_run(otherwise).items():
        log.add(AssetRecord(dataset=dataset, window=window, status="skipped", error=reason))


def _is_told_to_stop(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    # a signal that came with the death of the last step process is still waiting to be noticed
    if check_captured_interrupt():
        return True
    now = instance.get_run_by_id(run.run_id)
    return now is not None and now.status in {dg.DagsterRunStatus.CANCELING, dg.DagsterRunStatus.CANCELED}


def _window(run: dg.DagsterRun) -> Window | None:
    try:
        return window_of_tags(run.tags)
    except WindowError:
        return None  # refused: the header has the words
