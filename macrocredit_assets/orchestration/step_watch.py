"""What became of the steps of a run, told by the events that pass by, and what their errors said."""

from collections import Counter
from collections.abc import Sequence

import dagster as dg

# what an executor is handed, and what its events carry, has no public name
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.plan.step import IExecutionStep

from macrocredit_assets.persistence.records import ErrorInfo

__all__ = ["StepWatch", "describe"]

_CUT_OFF = ErrorInfo("Interrupted", "The step was cut off before it ended.")
_INTERRUPTIONS = {"DagsterExecutionInterruptedError", "KeyboardInterrupt"}


class StepWatch:
    """Collects which steps failed, which were tried again, and which were never run.

    Parameters
    ----------
    plan
        The plan whose steps are executed.
    """

    def __init__(self, plan: ExecutionPlan) -> None:
        self._datasets = {step.key: _names(step) for step in plan.get_steps_to_execute_in_topo_order()}
        self._upstream = dict(plan.get_executable_step_deps())
        self._started: set[str] = set()
        self._ended: set[str] = set()
        self._failed: dict[str, ErrorInfo] = {}
        self._retried: Counter[str] = Counter()
        #: Whether the run was told to stop; the executor may still report it as the failure of a step process.
        self.is_interrupted = False

    def see(self, event: dg.DagsterEvent) -> None:
        """Take note of an event."""
        if event.is_engine_event:
            # how a multiprocess executor says that it was told to stop; with an error it stops by itself
            data = event.engine_event_data
            self.is_interrupted |= "steps_interrupted" in data.metadata and data.error is None
        if event.step_key is None:
            return
        if event.event_type == dg.DagsterEventType.STEP_START:
            self._started.add(event.step_key)
        elif event.is_step_up_for_retry:
            self._retried[event.step_key] += 1
        elif event.is_step_failure:
            self._failed[event.step_key] = _describe_failure(event)
        if event.is_step_failure or event.is_step_success or event.is_step_skipped:
            self._ended.add(event.step_key)

    @property
    def failed(self) -> dict[str, ErrorInfo]:
        """Each dataset whose step failed or was cut off, with the error."""
        cut_off = dict.fromkeys(self._started - self._ended, _CUT_OFF)
        return {
            dataset: error
            for step, error in {**cut_off, **self._failed}.items()
            for dataset in self._datasets.get(step, (step,))
        }

    @property
    def retries(self) -> dict[str, int]:
        """Each dataset whose step was tried again, with the number of times."""
        return {
            dataset: count for step, count in self._retried.items() for dataset in self._datasets.get(step, (step,))
        }

    def not_run(self, otherwise: str) -> dict[str, ErrorInfo]:
        """Each dataset whose step did not start, with the reason.

        Parameters
        ----------
        otherwise
            The reason where no upstream failure explains it.
        """
        reasons: dict[str, ErrorInfo] = {}
        culprits = {
            step: set(self._datasets.get(step, (step,))) for step, error in self._failed.items() if error != _CUT_OFF
        }
        for step, datasets in self._datasets.items():
            if step in self._started | self._ended:
                continue
            # steps come in topological order: what is known of the upstream ones is complete
            culprits[step] = {name for upstream in self._upstream.get(step, ()) for name in culprits.get(upstream, ())}
            names = ", ".join(sorted(culprits[step]))
            reason = (
                ErrorInfo("UpstreamFailed", f"Not run, because {names} failed in this run.")
                if names
                else ErrorInfo("NotRun", f"Not run, because {otherwise}.")
            )
            reasons.update(dict.fromkeys(datasets, reason))
        return reasons


def describe(error: BaseException) -> ErrorInfo:
    """Return what an exception said, without the wrappers that Dagster puts around it."""
    while error.__cause__ is not None and isinstance(error, dg.DagsterError):
        error = error.__cause__
    return ErrorInfo(type(error).__name__, str(error))


def _describe_failure(event: dg.DagsterEvent) -> ErrorInfo:
    error = event.step_failure_data.error
    if error is None:
        return ErrorInfo("Failure", event.message or "")
    while error.cause is not None and (error.cls_name or "").startswith("Dagster"):
        error = error.cause
    name, message = error.cls_name or "Failure", error.message.strip()
    if name in _INTERRUPTIONS:
        return _CUT_OFF
    # the message is the last line of a traceback: "package.module.Name: what it said"
    head, separator, said = message.partition(": ")
    return ErrorInfo(name, said if separator and head.rpartition(".")[2] == name else message)


def _names(step: IExecutionStep) -> Sequence[str]:
    """Return the datasets a step makes; a step that makes none, such as a check, goes by its own name."""
    keys = (output.properties.asset_key for output in step.step_outputs)
    return [key.to_user_string() for key in keys if key is not None] or [step.key]
