"""What the instance knows of the runs of a backfill that was cut off.

What belongs here: questions that only Dagster's instance answers. What was written stands in the run logs.
"""

from collections.abc import Iterable

import dagster as dg

from macrocredit_assets.orchestration.instance import open_instance
from macrocredit_assets.orchestration.run_doctor import diagnose_run
from macrocredit_assets.settings import Settings

__all__ = ["settle"]


def settle(settings: Settings, runs: Iterable[str]) -> dict[str, frozenset[str]]:
    """End what is left of runs whose process is gone, and return what they completed: run -> datasets.

    A dataset is complete once its step has succeeded: only then is every materialization of it stored. One whose rows
    were written just before the process was killed is not.
    """
    completed: dict[str, frozenset[str]] = {}
    with open_instance(settings.dagster_home) as instance:
        for run_id in runs:
            diagnose_run(run_id, settings, instance)
            successes = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_SUCCESS)
            # a step of ours makes one dataset, and has its name
            completed[run_id] = frozenset(event.step_key for event in successes if event.step_key)
    return completed
