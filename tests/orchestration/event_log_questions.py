"""What the UI, the daemon and sensors ask an event log, as questions whose answers can be compared."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg
import defs_event_log as history
from dagster import DagsterEventType as Type
from dagster._core.definitions.run_status_sensor_definition import RunStatusSensorCursor
from dagster._core.event_api import AssetRecordsFilter, EventRecordsFilter, RunShardedEventsCursor
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus as Status
from dagster._core.storage.dagster_run import DagsterRunStatus, RunsFilter
from dagster._core.storage.event_log.base import AssetRecord
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value
from dagster._time import datetime_from_timestamp

ALL_DAYS = sorted(history.days(1, 31))
RUNS = [history.run_id(number) for number in range(1, 12)]


def told(entry: EventLogEntry | None) -> object:
    """Say what an event says, without the clock and without ids that depend on how many events were stored."""
    if entry is None:
        return None
    event = entry.dagster_event
    said = (
        entry.run_id,
        entry.step_key,
        re.sub(r"in [0-9.]+m?s", "", entry.user_message),
        event and event.event_type_value,
    )
    if event is None or not (event.is_step_materialization or event.is_asset_observation):
        return said
    stored = (
        event.step_materialization_data.materialization
        if event.is_step_materialization
        else event.asset_observation_data.asset_observation
    )
    tags = {key: value for key, value in (stored.tags or {}).items() if "event_pointer" not in key}
    values = {label: value.value for label, value in stored.metadata.items()}
    return (*said, stored.asset_key, stored.partition, values, tags)


def _records(fetch: Callable[..., Any], *arguments: object, **settings: object) -> list[object]:
    """Turn the pages of a query, three records each, by the cursors that it hands out."""
    found, cursor, more = [], None, True
    while more:
        page = fetch(*arguments, limit=3, cursor=cursor, **settings)
        found += [told(record.event_log_entry) for record in page.records]
        cursor, more = page.cursor, page.has_more
    return found


def _logs(instance: dg.DagsterInstance, run: str) -> list[object]:
    events = _records(instance.get_records_for_run, run)
    # planned partitions are one event or many; what they name is asked for by a question of its own
    return [event for event in events if event[3] != Type.ASSET_MATERIALIZATION_PLANNED.value]


def _stats(instance: dg.DagsterInstance, run: str) -> object:
    stats = instance.get_run_stats(run)
    steps = [
        (step.step_key, step.status, step.attempts, [told(event) for event in step.materialization_events])
        for step in instance.get_run_step_stats(run)
    ]
    counts = (stats.steps_succeeded, stats.steps_failed, stats.materializations, stats.expectations)
    return counts, stats.start_time is not None, stats.end_time is not None, sorted(steps, key=str)


def _asset_record(record: AssetRecord) -> object:
    entry = record.asset_entry
    return entry.asset_key, told(entry.last_materialization), entry.last_run_id, entry.asset_details is not None


def _status_cache(instance: dg.DagsterInstance, key: dg.AssetKey) -> object:
    cached = get_and_update_asset_status_cache_value(instance, key, history.DAYS)
    return cached and (
        cached.serialized_materialized_partition_subset,
        cached.serialized_failed_partition_subset,
        cached.serialized_in_progress_partition_subset,
    )


def _attempts(instance: dg.DagsterInstance, key: dg.AssetKey) -> object:
    storage = instance.event_log_storage
    attempts = storage.get_latest_asset_partition_materialization_attempts_without_materializations(key)
    return {partition: run for partition, (run, _) in attempts.items()}


def _plans(instance: dg.DagsterInstance, key: dg.AssetKey) -> object:
    plans = {day: instance.get_latest_planned_materialization_info(key, day) for day in [None, *ALL_DAYS]}
    return {day: plan.run_id for day, plan in plans.items() if plan}


def _checks(instance: dg.DagsterInstance) -> object:
    storage = instance.event_log_storage
    records = storage.get_asset_check_execution_history(history.CHECK, limit=200)
    summary = storage.get_asset_check_summary_records([history.CHECK])[history.CHECK]
    last = summary.last_completed_check_execution_record
    # stock storage plans a check for every partition of its run, and ends none of these
    planned = Status.PLANNED
    ended = [(record.run_id, record.status, record.partition) for record in records if record.status != planned]
    waiting = {record.run_id for record in records if record.status == planned} - {run for run, _, _ in ended}
    return ended, waiting, last and last.run_id


def _of_type(instance: dg.DagsterInstance, event_type: Type) -> object:
    cursor = RunShardedEventsCursor(id=0, run_updated_after=datetime_from_timestamp(0))
    records = instance.event_log_storage.get_event_records(EventRecordsFilter(event_type, after_cursor=cursor))
    return sorted((told(record.event_log_entry) for record in records), key=str)


def _sensor(instance: dg.DagsterInstance, sensor: dg.SensorDefinition, cursor: str | None = None) -> object:
    repository = history.definitions().get_repository_def()
    context = dg.build_sensor_context(instance, cursor, repository_def=repository, sensor_name=sensor.name)
    asked = []
    for _ in range(3):
        tick = sensor.evaluate_tick(context)
        asked += [request.run_key for request in tick.run_requests or []]
        context.update_cursor(tick.cursor)
    return asked


#: Asked of an instance; the answers of two instances can be compared.
Question = Callable[[dg.DagsterInstance], object]


def _per_asset(ask: Callable[[dg.DagsterInstance, dg.AssetKey], object]) -> Question:
    return lambda instance: {key: ask(instance, key) for key in history.KEYS}


def _per_run(ask: Callable[[dg.DagsterInstance, str], object]) -> Question:
    return lambda instance: {run: ask(instance, run) for run in RUNS}


#: What the UI, the daemon and sensors ask.
QUESTIONS: Mapping[str, Question] = {
    "materialized partitions": _per_asset(lambda i, key: i.get_materialized_partitions(key)),
    "partition statuses": _per_asset(lambda i, key: i.get_status_by_partition(key, ALL_DAYS, history.DAYS)),
    "status cache": _per_asset(_status_cache),
    "attempts without materialization": _per_asset(_attempts),
    "planned materializations": _per_asset(_plans),
    "latest materializations": lambda i: {
        key: told(event) for key, event in i.get_latest_materialization_events(list(history.KEYS)).items()
    },
    "asset records": lambda i: sorted(map(_asset_record, i.get_asset_records(list(history.KEYS))), key=str),
    "asset keys": lambda i: (sorted(i.all_asset_keys()), [i.has_asset_key(key) for key in history.KEYS]),
    "code versions": lambda i: i.get_latest_materialization_code_versions(list(history.KEYS)),
    "event tags": _per_asset(lambda i, key: sorted(map(str, i.get_event_tags_for_asset(key)))),
    "tags by partition": _per_asset(
        lambda i, key: i.event_log_storage.get_latest_tags_by_partition(
            key, Type.ASSET_MATERIALIZATION, ["dagster/data_version"]
        )
    ),
    "order of partitions": _per_asset(
        lambda i, key: sorted(
            (found := i.get_latest_storage_id_by_partition(key, Type.ASSET_MATERIALIZATION)), key=found.__getitem__
        )
    ),
    "materializations, newest first": _per_asset(lambda i, key: _records(i.fetch_materializations, key)),
    "materializations, oldest first": _per_asset(
        lambda i, key: _records(i.fetch_materializations, key, ascending=True)
    ),
    "materializations of some partitions": _per_asset(
        lambda i, key: _records(
            i.fetch_materializations, AssetRecordsFilter(key, asset_partitions=["2024-01-05", "2024-01-12"])
        )
    ),
    "observations": _per_asset(lambda i, key: _records(i.fetch_observations, key)),
    "run status changes": lambda i: {
        kind: _records(i.fetch_run_status_changes, kind)
        for kind in (Type.RUN_SUCCESS, Type.RUN_FAILURE, Type.RUN_START)
    },
    "events of all runs": lambda i: {kind: _of_type(i, kind) for kind in (Type.STEP_FAILURE, Type.STEP_SUCCESS)},
    "logs of a run": _per_run(_logs),
    "failures of a run": _per_run(lambda i, run: [told(e) for e in i.all_logs(run, of_type=Type.STEP_FAILURE)]),
    "statistics of a run": _per_run(_stats),
    "partitions of a run": _per_run(lambda i, run: i.get_asset_partitions_for_run(run)),
    "partitions planned by a run": _per_run(
        lambda i, run: i.get_asset_partitions_for_run(run, of_type=Type.ASSET_MATERIALIZATION_PLANNED)
    ),
    "assets of a run": _per_run(lambda i, run: i.get_asset_keys_for_run(run)),
    "runs": lambda i: [(run.dagster_run.run_id, run.dagster_run.status) for run in i.get_run_records()],
    "runs that are not done": lambda i: i.get_run_ids(RunsFilter(statuses=[DagsterRunStatus.STARTED])),
    "asset checks": _checks,
    "dynamic partitions": lambda i: i.get_dynamic_partitions("desks"),
    "an asset sensor": lambda i: _sensor(i, history.on_level),
    "a run status sensor": lambda i: _sensor(
        i,
        history.on_failure,
        RunStatusSensorCursor(record_id=0, record_timestamp="2000-01-01T00:00:00+00:00").to_json(),
    ),
}
