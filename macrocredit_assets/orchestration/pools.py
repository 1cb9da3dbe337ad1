"""Pools: how many steps ask one source at a time, over all runs of an instance.

What belongs here: the name of a source's pool, and giving back the slots that a dead run holds. How many slots a pool
has is in the instance: ``pools: default_limit`` of ``dagster.yaml``, or the page of the pool in the UI.
"""

import dagster as dg

from macrocredit_assets.orchestration.run_doctor import diagnose_run
from macrocredit_assets.settings import Settings
from macrocredit_assets.sources.profiles import Route

__all__ = ["free_slots_of_dead_runs", "pool_of"]


def pool_of(route: Route) -> str:
    """Return the pool of the source that a route asks first."""
    return f"source_{route.ways[0].source}"


def free_slots_of_dead_runs(settings: Settings, instance: dg.DagsterInstance) -> None:
    """End every run that holds a pool slot although its process is gone.

    A daemon that monitors runs would free the slot some time later; without a daemon, whoever wants the slot would wait
    for ever.
    """
    storage = instance.event_log_storage
    if storage.supports_global_concurrency_limits:
        for run_id in storage.get_concurrency_run_ids():
            diagnose_run(run_id, settings, instance)
