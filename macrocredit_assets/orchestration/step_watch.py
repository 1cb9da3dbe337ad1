"""What became of the steps of a run, told by the events that pass by, and what their errors said."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

import dagster as dg

# what an executor is handed, and what its events carry, has no public name
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.plan.step import IExecutionStep

from macrocredit_assets.persistence.records import ErrorInfo

__all__ = ["StepWatch", "describe"]

_T = TypeVar("_T")

_CUT_OFF = ErrorInfo("Interrupted", "The step was cut off before it ended.")
_INTERRUPTIONS = {"DagsterExecutionInterruptedError", "KeyboardInterrupt"}
#: How Dagster says that a step of checks has done its work, and a check holds up what comes after it.
_HELD_UP = "DagsterAssetCheckFailedError"


class StepWatch:
    """Collects which steps failed, which were tried again, which were never run, and what checks said.

    Parameters
    ----------
    plan
        The plan whose steps are executed.
    """

    def __init__(self, plan: ExecutionPlan) -> None:
        steps = plan.get_steps_to_execute_in_topo_order()
        self._checked = {step.key: dataset for step in steps if (dataset := _checked(step))}
        self._datasets = {step.key: () if step.key in self._checked else _names(step) for step in steps}
        self._upstream = dict(plan.get_executable_step_deps())
        self._started: set[str] = set()
        self._ended: set[str] = set()
        self._failed: dict[str, ErrorInfo] = {}
        self._retried: Counter[str] = Counter()
        self._holding_up: dict[str, list[str]] = {}
        #: Each dataset that was checked, with what came of each check.
        self.checks: dict[str, dict[str, str]] = {}
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
        elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            self._see_check(event.asset_check_evaluation_data)
        elif event.is_step_up_for_retry:
            self._retried[event.step_key] += 1
        elif event.is_step_failure:
            self._failed[event.step_key] = _describe_failure(event)
        if event.is_step_failure or event.is_step_success or event.is_step_skipped:
            self._ended.add(event.step_key)

    def _see_check(self, said: dg.AssetCheckEvaluation) -> None:
        dataset, is_error = said.asset_key.to_user_string(), said.severity == dg.AssetCheckSeverity.ERROR
        outcome = "passed" if said.passed else "failed" if is_error else "warning"
        self.checks.setdefault(dataset, {})[said.check_name] = outcome
        if outcome == "failed" and said.blocking:
            self._holding_up.setdefault(dataset, []).append(said.check_name)

    @property
    def has_failed(self) -> bool:
        """Whether any step failed or was cut off, one of checks included."""
        return bool(self._broken)

    @property
    def failed(self) -> dict[str, ErrorInfo]:
        """Each dataset whose step failed or was cut off, with the error."""
        return self._by_dataset(self._broken)

    @property
    def broken_check(self) -> ErrorInfo | None:
        """What the first step of checks said that did not get to its end; a check that said no got there."""
        for step, error in self._broken.items():
            if step in self._checked and error.type != _HELD_UP:
                return ErrorInfo(error.type, f"{self._checked[step]} could not be checked: {error.message}")
        return None

    @property
    def retries(self) -> dict[str, int]:
        """Each dataset whose step was tried again, with the number of times."""
        return self._by_dataset(self._retried)

    def not_run(self, otherwise: str) -> dict[str, ErrorInfo]:
        """Each dataset whose step did not start, with the reason.

        Parameters
        ----------
        otherwise
            The reason where no upstream failure explains it.
        """
        reasons: dict[str, ErrorInfo] = {}
        culprits = {step: self._culprits(step) for step, error in self._failed.items() if error != _CUT_OFF}
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

    def _culprits(self, step: str) -> set[str]:
        """Name what a step that failed is to blame for: its datasets, or the checks that hold up what follows."""
        dataset = self._checked.get(step)
        if dataset is None:
            return set(self._datasets.get(step, (step,)))
        return {f"the check {check!r} of {dataset}" for check in self._holding_up.get(dataset, ())} or {
            f"the checking of {dataset}"
        }

    @property
    def _broken(self) -> Mapping[str, ErrorInfo]:
        return {**dict.fromkeys(self._started - self._ended, _CUT_OFF), **self._failed}

    def _by_dataset(self, of_steps: Mapping[str, _T]) -> dict[str, _T]:
        return {dataset: told for step, told in of_steps.items() for dataset in self._datasets.get(step, (step,))}


def describe(error: BaseException) -> ErrorInfo:
    """Return what an exception said, without the wrappers that Dagster puts around it."""
    while error.__cause__ is not None and isinstance(error, dg.DagsterError | dg.Failure):
        error = error.__cause__
    return ErrorInfo(type(error).__name__, str(error))


def _describe_failure(event: dg.DagsterEvent) -> ErrorInfo:
    error = event.step_failure_data.error
    if error is None:
        return ErrorInfo("Failure", event.message or "")
    while error.cause is not None and _is_wrapper(error.cls_name or ""):
        error = error.cause
    name, message = error.cls_name or "Failure", error.message.strip()
    if name in _INTERRUPTIONS:
        return _CUT_OFF
    # the message is the last line of a traceback: "package.module.Name: what it said"
    head, separator, said = message.partition(": ")
    return ErrorInfo(name, said if separator and head.rpartition(".")[2] == name else message)


def _is_wrapper(name: str) -> bool:
    return name.startswith("Dagster") or name == dg.Failure.__name__


def _names(step: IExecutionStep) -> Sequence[str]:
    """Return the datasets a step makes; a step that makes none goes by its own name."""
    keys = (output.properties.asset_key for output in step.step_outputs)
    return [key.to_user_string() for key in keys if key is not None] or [step.key]


def _checked(step: IExecutionStep) -> str | None:
    """Return the dataset that a step checks, if it does nothing else."""
    if any(output.properties.asset_key for output in step.step_outputs):
        return None
    keys = (output.properties.asset_check_key for output in step.step_outputs)
    return next((key.asset_key.to_user_string() for key in keys if key is not None), None)
