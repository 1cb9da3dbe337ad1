"""Start a run in this process, without a daemon, and follow it.

What belongs here: the way from a request of the command line to a finished run. Dagster's own commands, the UI and the
schedules start the same job by their own ways; whatever must hold for all of them is in the executor.
"""

import gc
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from multiprocessing import parent_process
from pathlib import Path
from typing import Literal

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableJob
from dagster._core.execution.api import execute_run_iterator
from dagster._utils.interrupts import capture_interrupts

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.errors import MacrocreditError
from macrocredit_assets.orchestration.build import INGEST_JOB, build_definitions
from macrocredit_assets.orchestration.failure_notice import notifying
from macrocredit_assets.orchestration.instance import QUIET, open_instance
from macrocredit_assets.orchestration.tags import (
    ACCEPT,
    ALLOW_WITHDRAWALS,
    LAUNCHED_BY,
    RANGE_END,
    RANGE_START,
    SWITCH_SERIES,
)
from macrocredit_assets.persistence.root_kind import require_root_kind
from macrocredit_assets.persistence.run_log import find
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

__all__ = ["BackfillOutcome", "Progress", "run_backfill"]


@dataclass(frozen=True)
class Progress:
    """One dataset's step began or ended."""

    dataset: str
    state: Literal["started", "done", "failed"]


@dataclass(frozen=True)
class BackfillOutcome:
    """A finished run.

    Parameters
    ----------
    run_id
        Dagster's run id.
    success
        Whether every dataset was written.
    run_log
        Absolute path of the run log, which tells all else.
    """

    run_id: str
    success: bool
    run_log: Path


def run_backfill(
    settings: Settings,
    names: Sequence[str],
    window: Window,
    *,
    accept: Sequence[str] = (),
    allow_withdrawals: bool = False,
    switch_reason: str | None = None,
    launched_by: str = "macrocredit backfill",
    on_event: Callable[[Progress], None] | None = None,
    run_id: str | None = None,
) -> BackfillOutcome:
    """Materialize datasets for a window, as one run in this process.

    Parameters
    ----------
    settings
        The deployment.
    names
        Datasets and signals; none means all. Inputs of a signal run first where they are among them.
    window
        Dates to ask for; closed days included.
    accept
        Rules of severity ``error`` whose findings shall not stop the write.
    allow_withdrawals
        Whether stored rows of the window that the source no longer has leave the current file; they stay in the
        revisions.
    switch_reason
        Why the stored series is closed in favour of the one that the profile serves; None forbids it.
    launched_by
        What the run log says of who asked.
    on_event
        Called as steps begin and end.
    run_id
        What to call the run, for a caller who writes that down before it starts; None makes a new name.

    Raises
    ------
    UnknownDatasetError
        If a name is not in the catalog; nothing was started.
    RootKindError
        If the root holds the other kind of data; nothing was started.
    SettingsError
        If the ``dagster.yaml`` of the home cannot be used; nothing was started.
    OSError
        If Dagster's databases cannot be written.
    MacrocreditError
        If the run failed before its log was begun; no step has run.
    """
    catalog = load_catalog(settings.catalog)
    datasets = frozenset(catalog.entry(name).name for name in (names or catalog.names()))
    require_root_kind(settings.data_directory, settings.kind)
    tags = {
        RANGE_START: window.start.isoformat(),
        RANGE_END: window.end.isoformat(),
        LAUNCHED_BY: launched_by,
        **({ACCEPT: ",".join(accept)} if accept else {}),
        **({ALLOW_WITHDRAWALS: "true"} if allow_withdrawals else {}),
        **({SWITCH_SERIES: switch_reason} if switch_reason else {}),
    }
    # a signal ends the step at a safe point, and the run log is finished, wherever it arrives once there is a run
    with (
        open_instance(settings.dagster_home) as instance,
        capture_interrupts(),
        notifying(settings.notify),
        _in_environment(_KEY, settings.fred_api_key),
        _built_once(),
    ):
        job = _reconstructable(settings)
        run = instance.create_run_for_job(
            job_def=job.get_definition(),
            run_id=run_id,
            run_config=_QUIET,
            tags=tags,
            asset_selection=frozenset(map(dg.AssetKey, datasets)),
            job_code_origin=job.get_python_origin(),
        )
        failure = ""
        with _in_environment(QUIET, "1"), _collecting_what_is_new():
            for event in execute_run_iterator(job, run, instance):
                failure = _failure(event) or failure
                if on_event and (progress := _progress(event, datasets)):
                    on_event(progress)
        ended = instance.get_run_by_id(run.run_id)
        path = find(settings.logs_directory, run.run_id)
        if path is None:
            raise MacrocreditError(
                f"The run {run.run_id} failed before its run log was begun below {settings.logs_directory}, and wrote "
                f"nothing. {failure} `macrocredit doctor` says which places can be written."
            )
        return BackfillOutcome(
            run_id=run.run_id,
            success=ended is not None and ended.status == dg.DagsterRunStatus.SUCCESS,
            run_log=path,
        )


#: Dagster prints a line per event, 53,000 for a first backfill; they are in the instance, their outcome in the run log.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


#: How a step in another process gets the key: what a job is built from, Dagster keeps in its database.
_KEY = "FRED_API_KEY"


#: With Python's 700, a sixth of a run's processor time goes into looking for garbage; with more than these, a backfill
#: of decades holds much that it needs no longer.
_NEW_OBJECTS_PER_COLLECTION = 50_000


@contextmanager
def _collecting_what_is_new() -> Iterator[None]:
    """Look for garbage among what the block makes, and not among modules and definitions: they stay."""
    before, is_ours = gc.get_threshold(), not gc.get_freeze_count()
    if is_ours:
        gc.freeze()
    gc.set_threshold(_NEW_OBJECTS_PER_COLLECTION)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        if is_ours:
            gc.unfreeze()


@contextmanager
def _in_environment(name: str, value: str | None) -> Iterator[None]:
    """Have a variable, or have it not, for this process and those that it starts meanwhile."""
    before = os.environ.pop(name, None)
    if value is not None:
        os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name, None)
        if before is not None:
            os.environ[name] = before


def ingest_job(settings: str) -> dg.JobDefinition:
    """Build the job from settings as JSON: how a step in another process finds the same definitions.

    The key is no part of them; it is read from the environment.
    """
    built = _BUILT.get()
    if built is None:
        built = {}
        if parent_process() is not None:
            _BUILT.set(built)  # this process is a step's, and ends with it
    if settings not in built:
        built[settings] = _build(settings)
    return built[settings]


#: The jobs of the run that is going on in this process. Dagster asks for it three times, and twice in a
#: step's own process.
_BUILT: ContextVar[dict[str, dg.JobDefinition] | None] = ContextVar("_BUILT", default=None)


@contextmanager
def _built_once() -> Iterator[None]:
    """Build a job once while the block lasts, and again in the next: the catalog may have changed."""
    token = _BUILT.set({})
    try:
        yield
    finally:
        _BUILT.reset(token)


def _build(settings: str) -> dg.JobDefinition:
    values: Mapping[str, str | None] = json.loads(settings)
    paths = {key: Path(text) if (text := values[key]) else None for key in ("root", "dagster_home", "files", "catalog")}
    known = {**values, **paths, "fred_api_key": os.environ.get(_KEY)}
    return build_definitions(Settings(**known)).resolve_job_def(INGEST_JOB)  # type: ignore[arg-type]


def _reconstructable(settings: Settings) -> ReconstructableJob:
    kept = replace(settings, notify=None, fred_api_key=None)
    return dg.build_reconstructable_job(
        __name__,
        ingest_job.__name__,
        reconstructable_args=(json.dumps(asdict(kept), default=str),),
    )


_STATES: Mapping[dg.DagsterEventType, Literal["started", "done", "failed"]] = {
    dg.DagsterEventType.STEP_START: "started",
    dg.DagsterEventType.STEP_SUCCESS: "done",
    dg.DagsterEventType.STEP_FAILURE: "failed",
}


def _failure(event: dg.DagsterEvent) -> str | None:
    """Return what the event of a failed run says, if it is one."""
    if event.event_type != dg.DagsterEventType.RUN_FAILURE or event.job_failure_data.error is None:
        return None
    error = event.job_failure_data.error
    while error.cause is not None:
        error = error.cause
    return error.message.strip()


def _progress(event: dg.DagsterEvent, datasets: Set[str]) -> Progress | None:
    """Return what an event says of a dataset; its checks are a step of their own, and no progress."""
    state, step = _STATES.get(event.event_type), event.step_key
    return Progress(step, state) if state and step and step in datasets else None
