"""One event for all partitions that a run intends to materialize, with the answers of one event for each.

What belongs here: how planned partitions are stored and read back. Dagster writes, before a run starts, one planned
event for every asset and partition; for a range of ten years these take as long to write as the run itself, and a
third of the disk. Its event log has another form, used by its hosted service: one event with the whole subset. SQL
storages store that form but do not read it, so that the partitions of a failed run do not turn red; here they do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple, cast

import sqlalchemy as db
from dagster import AssetKey, DagsterEventType, EventLogEntry
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.definitions.partitions.subset import PartitionsSubset
from dagster._core.events import AssetMaterializationPlannedData
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.base import PlannedMaterializationInfo
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._serdes import deserialize_value, serialize_value
from sqlalchemy.engine import Connection

__all__ = ["PlannedPartitions"]

_PLANNED = DagsterEventType.ASSET_MATERIALIZATION_PLANNED


class _Planned(NamedTuple):
    storage_id: int
    run_id: str
    subset: PartitionsSubset


class PlannedPartitions(SqliteEventLogStorage):
    """SQLite event log that stores planned partitions as subsets, and answers as if each had an event of its own."""

    @property
    def supports_partition_subset_in_asset_materialization_planned_events(self) -> bool:
        """Ask Dagster for one planned event per asset."""
        return True

    def _event_to_row(self, event: EventLogEntry) -> dict[str, Any]:
        return super()._event_to_row(_without_partitions(_with_single_partition(event)))

    def get_latest_asset_partition_materialization_attempts_without_materializations(
        self, asset_key: AssetKey, after_storage_id: int | None = None
    ) -> Mapping[str, tuple[str, int]]:
        """Find the partitions whose latest plan has no materialization: in progress, or failed.

        Returns
        -------
        Mapping of str to tuple of str and int
            Partition to id of the run and storage id of the plan.
        """
        attempts = dict(
            super().get_latest_asset_partition_materialization_attempts_without_materializations(
                asset_key, after_storage_id
            )
        )
        planned = list(self._planned_subsets(asset_key, after_storage_id))
        if not planned:
            return attempts
        materialized = self.get_latest_storage_id_by_partition(
            asset_key, DagsterEventType.ASSET_MATERIALIZATION, after_cursor=after_storage_id
        )
        for plan in planned:
            for partition in plan.subset.get_partition_keys():
                known = max(materialized.get(partition, 0), attempts.get(partition, ("", 0))[1])
                if plan.storage_id > known:
                    attempts[partition] = (plan.run_id, plan.storage_id)
        return attempts

    def get_latest_planned_materialization_info(
        self, asset_key: AssetKey, partition: str | None = None
    ) -> PlannedMaterializationInfo | None:
        """Find the latest plan for an asset, or for one of its partitions."""
        latest = super().get_latest_planned_materialization_info(asset_key, partition)
        if partition is None:
            return latest
        for plan in self._planned_subsets(asset_key, latest.storage_id if latest else None):
            if partition in plan.subset:
                latest = PlannedMaterializationInfo(storage_id=plan.storage_id, run_id=plan.run_id)
        return latest

    def get_asset_partitions_for_run(
        self, run_id: str, of_type: DagsterEventType | set[DagsterEventType] | None = None
    ) -> Mapping[AssetKey, AbstractSet[str | None]]:
        """Name the partitions of each asset that the events of a run are about."""
        wanted = {of_type} if isinstance(of_type, DagsterEventType) else set(of_type or DagsterEventType)
        others = wanted - {_PLANNED}
        found: dict[AssetKey, set[str | None]] = {}
        if others:
            for key, partitions in super().get_asset_partitions_for_run(run_id, others).items():
                found[key] = set(partitions)
        if _PLANNED in wanted:
            for record in self.get_records_for_run(run_id, of_type=_PLANNED).records:
                data = record.event_log_entry.get_dagster_event().asset_materialization_planned_data
                keys = data.partitions_subset.get_partition_keys() if data.partitions_subset else [data.partition]
                found.setdefault(data.asset_key, set()).update(keys)
        return found

    def _store_asset_check_evaluation_planned(self, event: EventLogEntry, event_id: int | None) -> None:
        with self.index_connection() as index:
            self._store_planned_checks(index, [(event, event_id)])

    def _store_planned_checks(self, index: Connection, planned: Sequence[tuple[EventLogEntry, int | None]]) -> None:
        """Store one row for each planned check, in a transaction of the index.

        Stock storage stores one for each partition of the run, 2,500 for ten years: the evaluation of a check without
        partitions finds none of them, and leaves them all planned for ever.
        """
        rows = [
            {
                "asset_key": check.asset_key.to_string(),
                "check_name": check.check_name,
                "partition": None,
                "run_id": event.run_id,
                "execution_status": AssetCheckExecutionRecordStatus.PLANNED.value,
                "evaluation_event": serialize_value(event),
                "evaluation_event_timestamp": self._event_insert_timestamp(event),  # type: ignore[no-untyped-call]
                "evaluation_event_storage_id": event_id,
            }
            for event, event_id in ((_without_partitions(event), event_id) for event, event_id in planned)
            for check in (event.get_dagster_event().asset_check_planned_data,)
        ]
        index.execute(AssetCheckExecutionsTable.insert(), rows)

    def _planned_subsets(self, asset_key: AssetKey, after_storage_id: int | None) -> Iterator[_Planned]:
        table = SqlEventLogStorageTable.c
        query = db.select(table.id, table.event).where(
            table.asset_key == asset_key.to_string(),
            table.dagster_event_type == _PLANNED.value,
            table.partition.is_(None),
            table.id > (after_storage_id or 0),
        )
        query = self._add_assets_wipe_filter_to_query(query, self._get_assets_details([asset_key]), [asset_key])
        with self.index_connection() as connection:
            rows = connection.execute(query.order_by(table.id)).all()
        for storage_id, text in rows:
            event = deserialize_value(cast("str", text), EventLogEntry)
            subset = event.get_dagster_event().asset_materialization_planned_data.partitions_subset
            if subset is not None:
                yield _Planned(storage_id, event.run_id, subset)


def _with_single_partition(event: EventLogEntry) -> EventLogEntry:
    # the daily run plans one partition: store what stock storage does, which then finds it by its own query
    dagster_event = event.dagster_event
    if dagster_event is None or dagster_event.event_type != _PLANNED:
        return event
    data = dagster_event.asset_materialization_planned_data
    if data.partitions_subset is None or len(data.partitions_subset) != 1:
        return event
    (partition,) = data.partitions_subset.get_partition_keys()
    single = AssetMaterializationPlannedData(data.asset_key, partition=partition)
    return event._replace(dagster_event=dagster_event._replace(event_specific_data=single))


def _without_partitions(event: EventLogEntry) -> EventLogEntry:
    # a run hands its partitions to all that it plans, also to checks that have none
    dagster_event = event.dagster_event
    if dagster_event is None or dagster_event.event_type != DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED:
        return event
    data = dagster_event.asset_check_planned_data
    planned = AssetCheckEvaluationPlanned(asset_key=data.asset_key, check_name=data.check_name)
    return event._replace(dagster_event=dagster_event._replace(event_specific_data=planned))
