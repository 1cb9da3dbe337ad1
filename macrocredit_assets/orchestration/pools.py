"""Pools: how many steps ask one source at a time, over all runs of an instance.

What belongs here: the name of a source's pool, and giving back the slots that a dead run holds. How many slots a pool
has is in the instance: ``pools: default_limit`` of ``dagster.yaml``, or the page of the pool in the UI.
"""

import dagster as dg

from macrocredit_assets.orchestration.run_doctor import diagnose_run
from macrocredit_assets.settings import Settings
from macrocredit_assets.sources.profiles import Route

__all__ = ["end_dead_runs", "pool_of"]


def pool_of(route: Route) -> str:
    """Return the pool of the source that a route asks first."""
    return f"source_{route.ways[0].source}"


def end_dead_runs(run: dg.DagsterRun, settings: Settings, instance: dg.DagsterInstance) -> None:
    """End the runs whose process is gone and whom this one would wait for, or whose work it takes up again.

    A daemon that monitors runs frees the pool slots of a dead run some time later; without a daemon, whoever wants them
    would wait for ever. And the log of a run that this one repeats would say ``started`` for ever.
    """
    storage = instance.event_log_storage
    holders = storage.get_concurrency_run_ids() if storage.supports_global_concurrency_limits else set()
    for run_id in holders | ({run.parent_run_id} if run.parent_run_id else set()):
        diagnose_run(run_id, settings, instance)
