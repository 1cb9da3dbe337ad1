"""One kept SQLite connection per database file, instead of an engine and a connection for every statement.

What belongs here: when a connection is opened, kept, given up and closed. What must not: what is asked over it.

Dagster's SQLite event log is a file per run and one index; each is called a shard. The stock storage opens and closes
a shard around every event, and closing the last connection to a file in WAL mode writes the whole log back. Here a
connection stays open until the storage is disposed, the process ends, or too many others are open.
"""

from __future__ import annotations

import functools
import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as db
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import StaticPool

__all__ = ["ShardConnections"]

#: Files kept open at once: the index, the run at work, and those that a page of runs in the UI reads.
KEPT_SHARDS = 16

#: Seconds a writer waits for another process; Dagster waits as long.
BUSY_TIMEOUT_SECONDS = 30


class _Kept(NamedTuple):
    engine: Engine
    identity: tuple[int, int] | None


class ShardConnections:
    """The open shards of one storage.

    Safe among threads: one lock is held while a connection is in use, as the stock storage does. Safe in a fork: SQLite
    forbids to carry a connection into a child, so all are closed before a fork and opened again on both sides.

    Parameters
    ----------
    path_of
        Where the file of a shard lies.
    initialise
        Called with a new engine, before its first use; creates what is missing in the file.
    limit
        How many shards are kept open; the one that was not used for longest is closed first.
    """

    def __init__(
        self, path_of: Callable[[str], Path], initialise: Callable[[Engine], None], limit: int = KEPT_SHARDS
    ) -> None:
        self._path_of = path_of
        self._initialise = initialise
        self._limit = limit
        self._lock = threading.RLock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._at_work: dict[str, Connection] = {}
        # also at exit of the interpreter: closing writes the log back into the file and removes it
        weakref.finalize(self, _close_all, self._kept)
        _close_before_forks()
        _living.add(self)

    @contextmanager
    def transaction(self, shard: str) -> Iterator[Connection]:
        """Lend the connection of a shard, in a transaction that is committed unless the block raises.

        Another shard may be asked for inside the block; the same one once more is part of the same transaction, which
        is then undone by the outer block alone.
        """
        with self._lock:
            if (joined := self._at_work.get(shard)) is not None:
                yield joined
                return
            with self._engine(shard).begin() as connection:
                self._at_work[shard] = connection
                try:
                    yield connection
                finally:
                    del self._at_work[shard]

    def close(self) -> None:
        """Close every connection; the next use opens it again."""
        with self._lock:
            _close_all(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def _engine(self, shard: str) -> Engine:
        path = self._path_of(shard)
        kept = self._kept.get(shard)
        if kept is not None:
            if kept.identity == _identity(path):
                self._kept.move_to_end(shard)
                return kept.engine
            # the file was deleted or replaced behind our back: what is written to the old one is lost
            self._kept.pop(shard).engine.dispose()
        engine = _create_engine(path)
        self._initialise(engine)
        self._kept[shard] = _Kept(engine, _identity(path))
        while len(self._kept) > self._limit:
            self._kept.popitem(last=False)[1].engine.dispose()
        return engine


def _create_engine(path: Path) -> Engine:
    engine = db.create_engine(
        db.URL.create("sqlite", database=str(path)),
        poolclass=StaticPool,
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
    )
    db.event.listen(engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection has no type
    # NORMAL: in WAL mode a power cut may cost the last events but never the file, and a killed process costs nothing.
    # The data files are the truth, so that a re-run heals what the log lost; a sync per commit is not worth its time.
    connection.execute("PRAGMA synchronous=NORMAL")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _close_all(kept: OrderedDict[str, _Kept]) -> None:
    while kept:
        kept.popitem()[1].engine.dispose()


_living: weakref.WeakSet[ShardConnections] = weakref.WeakSet()
_held_for_fork: list[ShardConnections] = []


@functools.cache
def _close_before_forks() -> None:
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


def _before_fork() -> None:
    for connections in list(_living):
        connections._lock.acquire()  # noqa: SLF001 - the same module
        _held_for_fork.append(connections)
        connections.close()


def _after_fork() -> None:
    while _held_for_fork:
        _held_for_fork.pop()._lock.release()  # noqa: SLF001 - the same module
