"""The embedded event log: Dagster's SQLite files and answers, written in batches over kept connections.

What belongs here: how events reach the files. Queries, the schema and migrations are Dagster's own, inherited, so that
a home can be swapped to the stock storage and back. On stock storage a partition costs 15 to 25 ms, nearly all of it
engines, connections and commits.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import sqlalchemy as db
from dagster._core.event_api import EventHandlerFn
from dagster._core.events import (
    ASSET_CHECK_EVENTS,
    ASSET_EVENTS,
    EVENT_TYPE_TO_PIPELINE_RUN_STATUS,
    DagsterEventType,
)
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    INDEX_SHARD_NAME,
    SqliteEventLogStorageWatchdog,
)
from dagster._serdes import ConfigurableClassData
from sqlalchemy.engine import Connection, Engine
from watchdog.events import FileSystemEvent
from watchdog.observers import Observer

from macrocredit_assets.orchestration.planned_partitions import PlannedPartitions
from macrocredit_assets.orchestration.shard_connections import ShardConnections

__all__ = ["BATCH_SIZE_VARIABLE", "EVENTS_PER_BATCH", "EmbeddedEventLogStorage"]

#: Dagster batches the events of a step only where this variable of the process says so.
BATCH_SIZE_VARIABLE = "DAGSTER_EVENT_BATCH_SIZE"

#: Few enough that another process waits some 50 ms for its turn, and that a kill costs little.
EVENTS_PER_BATCH = 500

#: Materializations take some 2.1 kB, so that two of them do not fit into a page of the default 4 kB, and a partition
#: would take 9 kB on disk. Seven fit into a page of 16 kB. The file of a run starts with 26 tables and indexes of one
#: page each: small pages keep a daily run small, and long rows go on in overflow pages that are filled to the end.
INDEX_PAGE_SIZE = 16384
RUN_PAGE_SIZE = 1024


class EmbeddedEventLogStorage(PlannedPartitions):
    """SQLite event log with one kept connection per file and one transaction per batch of events.

    Parameters
    ----------
    base_dir
        Folder of the files, as for the stock storage; files of either are used by the other.
    inst_data
        How Dagster was told to build this object.
    """

    _obs: Any  # the stock class gives it no type

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        # here rather than in a command: webserver, daemon, code servers and run workers all pass through
        os.environ.setdefault(BATCH_SIZE_VARIABLE, str(EVENTS_PER_BATCH))
        self._shards = ShardConnections(lambda shard: Path(self.path_for_shard(shard)), self._initdb)
        self._known: set[tuple[str, str]] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> EmbeddedEventLogStorage:
        """Build the storage from ``dagster.yaml``; the stock method names its own class and would return that."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._shards.transaction(shard) as connection:
            yield connection

    def _initdb(self, engine: Engine, for_index_shard: bool = False) -> None:
        # the stock method reads every migration script before it sees that there is nothing to do
        if not _is_stamped(engine):
            is_index = engine.url.database == self.path_for_shard(INDEX_SHARD_NAME)
            _set_page_size(engine, INDEX_PAGE_SIZE if is_index else RUN_PAGE_SIZE)
            super()._initdb(engine, for_index_shard)

    def has_table(self, table_name: str) -> bool:
        """Tell whether the index has a table."""
        return self._have("table", table_name, lambda: super(EmbeddedEventLogStorage, self).has_table(table_name))

    def has_asset_key_col(self, column_name: str) -> bool:
        """Tell whether the table of assets has a column."""
        return self._have(
            "column", column_name, lambda: super(EmbeddedEventLogStorage, self).has_asset_key_col(column_name)
        )

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        return self._have(
            "column",
            column_name,
            lambda: super(EmbeddedEventLogStorage, self)._has_asset_key_col_on_connection(conn, column_name),
        )

    def has_secondary_index(self, name: str) -> bool:
        """Tell whether a migration of data is done."""
        return self._have("migration", name, lambda: super(EmbeddedEventLogStorage, self).has_secondary_index(name))

    def _have(self, kind: str, name: str, ask: Callable[[], bool]) -> bool:
        # tables, columns and migrations come and never go; stock storage asks for them five times with each asset
        if (kind, name) not in self._known and ask():
            self._known.add((kind, name))
        return (kind, name) in self._known

    def store_event(self, event: EventLogEntry) -> None:
        """Store one event, in one transaction per file."""
        if _is_evaluation(event):
            self.store_event_batch([event])
        elif _is_in_index(event):
            super().store_event(event)
        else:
            with self._connect(event.run_id) as run:
                run.execute(SqlEventLogStorageTable.insert(), [self._event_to_row(event)])

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store the events of one run in one transaction per file: all of them, or none.

        A process that is killed between the two commits leaves events in the log of the run that the index does not
        know; the partitions count as missing, and a re-run heals them. The other order would have the index know of
        materializations that no run can show.
        """
        if not _is_plain_batch(events):
            super().store_event_batch(events)
            return
        rows = [self._event_to_row(event) for event in events]
        with self._connect(INDEX_SHARD_NAME) as index:
            stored = list(zip(events, _insert_returning_ids(index, rows), strict=True))
            if planned := [(event, event_id) for event, event_id in stored if _is_planned_check(event)]:
                self._store_planned_checks(index, planned)
            for event, event_id in stored:
                if _is_evaluation(event):
                    self.store_asset_check_event(event, event_id)
            if assets := [(event, event_id) for event, event_id in stored if event.dagster_event_type in ASSET_EVENTS]:
                self._store_asset_event_tags(index, *zip(*assets, strict=True))
                for event, event_id in _last_of_each_kind(assets):
                    self._store_asset_event(index, event, event_id)
            with self._connect(events[0].run_id) as run:
                run.execute(SqlEventLogStorageTable.insert(), rows)

    def watch(self, run_id: str, cursor: str | None, callback: EventHandlerFn) -> None:
        """Call back for every new event of a run, in this process or another."""
        if not self._obs:
            self._obs = Observer()
            self._obs.start()
        watchdog = _WriteAheadLogWatchdog(self, run_id, callback, cursor)
        self._watchers[run_id][callback] = (watchdog, self._obs.schedule(watchdog, self._base_dir, recursive=True))

    def wipe(self) -> None:
        """Delete all events; the files of runs go, so that no connection to them may stay."""
        self._shards.close()
        super().wipe()

    def dispose(self) -> None:
        """Stop watching and close every file."""
        super().dispose()
        self._shards.close()


class _WriteAheadLogWatchdog(SqliteEventLogStorageWatchdog):
    """Watches the write-ahead log too: with a kept connection the database file itself changes only now and then."""

    def __init__(
        self, storage: EmbeddedEventLogStorage, run_id: str, callback: EventHandlerFn, cursor: str | None
    ) -> None:
        super().__init__(storage, run_id, callback, cursor)
        self._patterns = [self._log_path, f"{self._log_path}-wal"]

    def on_modified(self, event: FileSystemEvent) -> None:  # noqa: ARG002 - the stock method insists on one path
        """Hand over what is new."""
        self._process_log()


def _is_stamped(engine: Engine) -> bool:
    with suppress(db.exc.OperationalError), engine.connect() as connection:
        return connection.exec_driver_sql("SELECT version_num FROM alembic_version").first() is not None
    return False


def _set_page_size(engine: Engine, size: int) -> None:
    # another process may be creating the same file; then its choice is as good
    with suppress(db.exc.OperationalError), engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA page_size={size}")
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def _is_plain_batch(events: Sequence[EventLogEntry]) -> bool:
    """Tell whether all events are of one run, and what is to be done for each of them is known here."""
    return len({event.run_id for event in events}) == 1 and all(
        event.is_dagster_event
        and (event.dagster_event_type in ASSET_EVENTS or _is_planned_check(event) or _is_evaluation(event))
        for event in events
    )


def _is_in_index(event: EventLogEntry) -> bool:
    """Tell whether an event stands in the index, beside the log of its run."""
    return event.is_dagster_event and (
        event.dagster_event_type in ASSET_EVENTS
        or event.dagster_event_type in ASSET_CHECK_EVENTS
        or event.dagster_event_type in EVENT_TYPE_TO_PIPELINE_RUN_STATUS
    )


def _is_evaluation(event: EventLogEntry) -> bool:
    """Tell whether an event is what a check of a run has said; those without a run have a log of their own."""
    return bool(event.run_id) and event.dagster_event_type == DagsterEventType.ASSET_CHECK_EVALUATION


def _is_planned_check(event: EventLogEntry) -> bool:
    return event.dagster_event_type == DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED


def _insert_returning_ids(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    # RETURNING would insert row by row; the ids of one transaction are consecutive, as nobody else writes meanwhile
    connection.execute(SqlEventLogStorageTable.insert(), cast("Any", rows))
    last: int = connection.exec_driver_sql("SELECT last_insert_rowid()").scalar_one()
    return list(range(last - len(rows) + 1, last + 1))


def _last_of_each_kind(stored: Sequence[tuple[EventLogEntry, int]]) -> list[tuple[EventLogEntry, int]]:
    """Leave out the events whose row in the asset table a later event of the batch overwrites in full."""
    last: dict[object, tuple[EventLogEntry, int]] = {}
    for event, event_id in stored:
        dagster_event = event.get_dagster_event()
        key = (dagster_event.asset_key, dagster_event.event_type)
        last.pop(key, None)
        last[key] = (event, event_id)
    return list(last.values())
