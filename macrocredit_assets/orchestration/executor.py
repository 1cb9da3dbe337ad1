"""The executor of every job: Dagster's own, which also refuses what must not start and keeps the run log.

An executor is the one place that every way of launching passes: command line, web UI, daemon, schedules, and any number
of processes. Except two: ``dg.materialize`` and ``execute_in_process`` bypass executors, and so write no run log and
refuse nothing here; use ``dg.execute_job``. What must not live here: what a run log looks like (``persistence``), or
how steps are executed (Dagster).
"""

import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

import dagster as dg

# what an executor is handed has no public name
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.retries import RetryMode
from dagster._core.execution.step_dependency_config import StepDependencyConfig

from macrocredit_assets.orchestration.in_process import create_in_process_executor
from macrocredit_assets.orchestration.pools import end_dead_runs
from macrocredit_assets.orchestration.run_header import RUN_MARK
from macrocredit_assets.orchestration.run_record import keep_run_log
from macrocredit_assets.orchestration.step_processes import create_multiprocess_executor, own_fork_server
from macrocredit_assets.orchestration.step_watch import StepWatch
from macrocredit_assets.orchestration.tags import window_of_tags
from macrocredit_assets.persistence.root_kind import require_root_kind
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import clip_to_past

__all__ = ["RecordedExecutor", "build_executor"]


def build_executor(settings: Settings) -> dg.ExecutorDefinition:
    """Return the executor of a deployment: in process or multiprocess, as the settings say.

    It takes the same run configuration as Dagster's executor of that name.
    """
    if settings.executor == "multiprocess":
        inner, create = dg.multiprocess_executor, create_multiprocess_executor
    else:
        inner, create = dg.in_process_executor, create_in_process_executor
    return dg.ExecutorDefinition(
        name="macrocredit_executor",
        config_schema=inner.config_schema.as_field(),
        requirements=inner.get_requirements,
        executor_creation_fn=lambda context: RecordedExecutor(create(context), settings),
        description=inner.description,
    )


class RecordedExecutor(dg.Executor):
    """Executes as another executor does, and keeps the run log meanwhile.

    The log says ``started`` before anything else happens, and how the run ended when it has: also where it was refused,
    failed before its first step, or was told to stop. Only a process that is killed leaves ``started`` behind, for
    :mod:`~macrocredit_assets.orchestration.run_doctor` to find.

    Parameters
    ----------
    inner
        The executor that does the work.
    settings
        Where the run log goes, and what kind of data this deployment writes.
    """

    def __init__(self, inner: dg.Executor, settings: Settings) -> None:
        self._inner = inner
        self._settings = settings

    @property
    def retries(self) -> RetryMode:
        """As the inner executor has it."""
        return self._inner.retries

    @property
    def step_dependency_config(self) -> StepDependencyConfig:
        """As the inner executor has it."""
        return self._inner.step_dependency_config

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        """Execute the plan; an exception here fails the run, and stands in its event log.

        Raises
        ------
        WindowError
            If the run's window is reversed, before the first partition, or not over yet; no step has run.
        RootKindError
            If the root holds the other kind of data; no step has run.
        """
        run = plan_context.dagster_run
        watch = StepWatch(execution_plan)
        with keep_run_log(run, plan_context.instance, watch, self._settings):
            _refuse(run.tags, self._settings)
            end_dead_runs(run, self._settings, plan_context.instance)
            events = cast("Generator[dg.DagsterEvent, None, None]", self._inner.execute(plan_context, execution_plan))
            with _marked(run.run_id), own_fork_server(), closing(events):
                for event in events:
                    watch.see(event)
                    yield event


def _refuse(tags: Mapping[str, str], settings: Settings) -> None:
    """Raise where no step of such a run may start.

    Dagster would run a reversed range with no keys, and report success.
    """
    window = window_of_tags(tags)
    if window is not None:
        yesterday = datetime.now(ZoneInfo("America/New_York")).date() - timedelta(days=1)
        clip_to_past(window.start, window.end, yesterday)
    require_root_kind(settings.data_directory, settings.kind)


@contextmanager
def _marked(run_id: str) -> Iterator[None]:
    os.environ[RUN_MARK] = run_id
    try:
        yield
    finally:
        os.environ.pop(RUN_MARK, None)
