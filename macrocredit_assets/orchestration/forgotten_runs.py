"""Runs that Dagster forgets, while it goes on knowing which partitions they have materialized.

What belongs here: what is deleted of one run, and what is kept. Which runs go is decided in ``prune.py``.

``DagsterInstance.delete_run`` deletes the materializations of a run as well: every partition that no later run has
materialized turns grey although its rows are stored; the file of the run's events stays, and so does every result of a
check. Here the latest materialization of every partition is kept, with its metadata, and the latest result of every
check; those that a later run has replaced go.
"""

from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import sqlalchemy as db
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from sqlalchemy.engine import Connection

from macrocredit_assets.errors import UsageError

__all__ = ["files_of", "forget", "require_sql"]

#: In one transaction: other processes wait for it.
_RUNS_AT_ONCE = 50

#: So many ids fit into one statement of any database.
_IDS_AT_ONCE = 500

_KEPT_TYPES = (dg.DagsterEventType.ASSET_MATERIALIZATION.value, dg.DagsterEventType.ASSET_OBSERVATION.value)


def require_sql(instance: dg.DagsterInstance) -> SqlEventLogStorage:
    """Return the event log of an instance.

    Raises
    ------
    UsageError
        If it is none of Dagster's SQL storages: nothing is known of how it keeps materializations.
    """
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        raise UsageError(
            f"The events of this instance are kept by {type(storage).__name__}, which is no SQL storage: its runs "
            "cannot be pruned without their materializations. Nothing was deleted."
        )
    return storage


def forget(instance: dg.DagsterInstance, run_ids: Sequence[str]) -> None:
    """Delete runs that have ended: their rows, their events and what their processes printed.

    A kill in between leaves runs that are still listed, and can be forgotten again.

    Raises
    ------
    UsageError
        If the instance has an event log of its own kind; nothing was deleted.
    """
    storage = require_sql(instance)
    for start in range(0, len(run_ids), _RUNS_AT_ONCE):
        some = run_ids[start : start + _RUNS_AT_ONCE]
        with storage.index_connection() as connection:
            _delete_events(connection, some)
            _delete_check_results(connection, some)
        for run_id in some:
            for path in files_of(storage, run_id):
                path.unlink(missing_ok=True)
            if storage.supports_global_concurrency_limits:
                storage.free_concurrency_slots_for_run(run_id)
            instance.compute_log_manager.delete_logs(prefix=[run_id])
            # last: what was not deleted of a run that is gone would never be found again
            instance.run_storage.delete_run(run_id)


def files_of(storage: SqlEventLogStorage, run_id: str) -> list[Path]:
    """Return the files that hold the events of one run and of no other, in the order in which they may go."""
    if not isinstance(storage, SqliteEventLogStorage):
        return []
    # the database first: a write-ahead log without one is nothing, a database without its log is older than it was
    path = storage.path_for_shard(run_id)
    return [found for found in map(Path, (path, f"{path}-wal", f"{path}-shm")) if found.exists()]


def _delete_events(connection: Connection, run_ids: Sequence[str]) -> None:
    event, later = SqlEventLogStorageTable.c, db.alias(SqlEventLogStorageTable, "later").c
    replaced = (
        db.select(later.id)
        .where(
            later.asset_key == event.asset_key,
            later.dagster_event_type == event.dagster_event_type,
            # a range writes an event for each partition; an asset without partitions has null there
            later.partition.is_not_distinct_from(event.partition),
            later.id > event.id,
        )
        .exists()
    )
    kept = db.and_(event.dagster_event_type.in_(_KEPT_TYPES), ~replaced)
    gone = db.select(event.id).where(event.run_id.in_(run_ids), db.or_(event.dagster_event_type.is_(None), ~kept))
    ids = [*connection.scalars(gone)]
    _delete(connection, AssetEventTagsTable.c.event_id, ids)
    _delete(connection, event.id, ids)


def _delete_check_results(connection: Connection, run_ids: Sequence[str]) -> None:
    """Delete what later results have replaced, and what was planned and never came.

    A result is kept in a table of its own, whole: Dagster reads the latest from there, and not from the events.
    """
    result, later = AssetCheckExecutionsTable.c, db.alias(AssetCheckExecutionsTable, "later").c
    planned = AssetCheckExecutionRecordStatus.PLANNED.value
    replaced = (
        db.select(later.id)
        .where(
            later.asset_key == result.asset_key,
            later.check_name == result.check_name,
            later.partition.is_not_distinct_from(result.partition),
            # a check that is about to run again says nothing yet
            later.execution_status != planned,
            later.id > result.id,
        )
        .exists()
    )
    gone = db.select(result.id).where(result.run_id.in_(run_ids), db.or_(result.execution_status == planned, replaced))
    _delete(connection, result.id, [*connection.scalars(gone)])


def _delete(connection: Connection, column: db.Column[int], ids: Sequence[int]) -> None:
    """Delete the rows of a column's table that have one of these ids there."""
    for start in range(0, len(ids), _IDS_AT_ONCE):
        connection.execute(db.delete(column.table).where(column.in_(ids[start : start + _IDS_AT_ONCE])))
