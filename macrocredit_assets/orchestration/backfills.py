"""What the instance knows of the runs of a backfill that was cut off, and what it is still to be told.

What belongs here: questions that only Dagster's instance answers, and the events that a killed process owes it. What
was written stands in the run logs.
"""

import logging
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

import dagster as dg

# how an event gets into the log of a run when its step is gone has no public name
from dagster._core.events import DagsterEventBatchMetadata, StepMaterializationData
from dagster._core.execution.plan.objects import StepSuccessData

from macrocredit_assets.backfills import written
from macrocredit_assets.catalog import Catalog, load_catalog
from macrocredit_assets.orchestration.instance import open_instance
from macrocredit_assets.orchestration.metadata import Value, partition_metadata
from macrocredit_assets.orchestration.partitions import today
from macrocredit_assets.orchestration.run_doctor import diagnose_run
from macrocredit_assets.persistence import DataRegistry
from macrocredit_assets.persistence.run_log import RunLog
from macrocredit_assets.settings import Settings
from macrocredit_assets.stores import open_store
from macrocredit_assets.windows import Window

__all__ = ["settle"]


def settle(settings: Settings, runs: Iterable[str]) -> dict[str, frozenset[str]]:
    """End what is left of runs whose process is gone, and return what they completed: run -> datasets.

    A dataset is complete when its file, the run log, the registry and the instance have it. Where a process was killed
    just before it told the instance, that is done now: asking the source again would tell nothing new.
    """
    catalog = load_catalog(settings.catalog)
    completed: dict[str, frozenset[str]] = {}
    with open_instance(settings.dagster_home) as instance:
        for run_id in runs:
            diagnose_run(run_id, settings, instance)
            # a step that makes a dataset has its name, and succeeds when all its events are stored
            successes = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_SUCCESS)
            known = {event.step_key for event in successes if event.step_key}
            run = instance.get_run_by_id(run_id)
            for name, window in written(settings, [run_id]).get(run_id, {}).items():
                if run and name not in known and name in catalog.names() and _is_registered(settings, name, run_id):
                    _report(instance, run, settings, catalog, name, window)
                    known.add(name)
            completed[run_id] = frozenset(known)
    return completed


def _is_registered(settings: Settings, name: str, run_id: str) -> bool:
    entry = DataRegistry(settings.registry_path, settings.data_directory).find_entry(name)
    return entry is not None and entry.metadata.get("run_id") == run_id


def _report(
    instance: dg.DagsterInstance, run: dg.DagsterRun, settings: Settings, catalog: Catalog, name: str, window: Window
) -> None:
    """Store the materializations of a window that a run has written, and the success of its step."""
    run_log = RunLog(settings.logs_directory, run.run_id).path
    days = [*_days(settings, catalog, name, window, run_log).items()]
    batch = str(uuid4())
    for number, (day, metadata) in enumerate(days, start=1):
        materialization = dg.AssetMaterialization(name, partition=day, metadata=metadata)
        instance.report_dagster_event(
            dg.DagsterEvent(
                event_type_value=dg.DagsterEventType.ASSET_MATERIALIZATION.value,
                job_name=run.job_name,
                step_key=name,
                event_specific_data=StepMaterializationData(materialization),
                message=f"Materialized value {name}; told after the process of the run was gone.",
            ),
            run.run_id,
            log_level=logging.DEBUG,
            batch_metadata=DagsterEventBatchMetadata(batch, is_end=number == len(days)),
        )
    success = dg.DagsterEvent(
        event_type_value=dg.DagsterEventType.STEP_SUCCESS.value,
        job_name=run.job_name,
        step_key=name,
        event_specific_data=StepSuccessData(duration_ms=0.0),  # type: ignore[no-untyped-call]
    )
    instance.report_dagster_event(success, run.run_id, log_level=logging.DEBUG)


def _days(
    settings: Settings, catalog: Catalog, name: str, window: Window, run_log: Path
) -> dict[str, dict[str, Value]]:
    entry = catalog.entry(name)
    store = open_store(settings, entry, as_stored=True)
    head = store.head()
    if head is None:
        return {}
    values = store.read_frame(window, [entry.main])[entry.main]
    days = partition_metadata(entry, values, window, head.coverage, first=head.first, today=today())
    return {day: {"run_log": dg.MetadataValue.path(str(run_log)), **metadata} for day, metadata in days.items()}
