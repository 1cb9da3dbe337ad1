"""Dagster's in-process executor, but attentive: between two steps, too, it notices that it was told to stop.

Dagster's own looks at signals inside steps only. It sleeps through the whole delay of a retry; and while it waits for a
pool it does not sleep at all, but takes a core for as long as another run is at work, and only SIGKILL ends it. The one
method that does so is replaced here; a plan is what brings it along.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import dagster as dg

# what an executor is handed, and what it is made of, has no public name
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.active import ActiveExecution
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.executor.in_process import InProcessExecutor
from dagster._utils.interrupts import pop_captured_interrupt

__all__ = ["AttentiveExecutor", "create_in_process_executor"]

#: How long a signal may go unnoticed between two steps.
_NAP_SECONDS = 0.2


class AttentiveExecutor(InProcessExecutor):
    """Executes every step in this process, and can be stopped at any time."""

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        """Execute the plan of the context.

        Raises
        ------
        dagster.DagsterExecutionInterruptedError
            If it is told to stop.
        """
        attentive = PlanOrchestrationContext(
            plan_data=plan_context.plan_data._replace(execution_plan=_Plan(*plan_context.execution_plan)),
            log_manager=plan_context.log,
            executor=plan_context.executor,
            output_capture=plan_context.output_capture,
            resume_from_failure=plan_context.resume_from_failure,
        )
        return super().execute(attentive, execution_plan)


def create_in_process_executor(context: dg.InitExecutorContext) -> dg.Executor:
    """Create the executor from the run configuration of Dagster's in-process executor."""
    create = cast("Callable[[dg.InitExecutorContext], dg.Executor]", dg.in_process_executor.executor_creation_fn)
    stock = create(context)
    return AttentiveExecutor(stock.retries, stock.step_dependency_config)


class _Plan(ExecutionPlan):
    def start(self, *args: Any, **kwargs: Any) -> ActiveExecution:  # noqa: ANN401 - passed on as they come
        return _Execution(self, *args, **kwargs)


class _Execution(ActiveExecution):
    def sleep_til_ready(self) -> None:
        if pop_captured_interrupt():
            raise dg.DagsterExecutionInterruptedError
        time.sleep(_NAP_SECONDS)
