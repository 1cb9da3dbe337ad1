"""Connections are kept, shared among threads, given up when there are too many, and never carried into a fork."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, exc

from macrocredit_assets.orchestration.shard_connections import ShardConnections


def _create_table(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS rows (n INTEGER)")


@pytest.fixture
def shards(tmp_path: Path) -> Iterator[ShardConnections]:
    """Files with one table, two of them kept open at once."""
    shards = ShardConnections(lambda shard: tmp_path / f"{shard}.db", _create_table, limit=2)
    yield shards
    shards.close()


def _add(connection: Connection, number: int) -> None:
    connection.exec_driver_sql("INSERT INTO rows VALUES (?)", (number,))


def _rows(shards: ShardConnections, shard: str) -> list[int]:
    with shards.transaction(shard) as connection:
        return list(connection.exec_driver_sql("SELECT n FROM rows ORDER BY n").scalars())


def test_a_connection_is_kept(shards: ShardConnections) -> None:
    """Two transactions on one shard share one connection of the database driver."""
    with shards.transaction("a") as connection:
        first = connection.connection.dbapi_connection
    with shards.transaction("a") as connection:
        assert connection.connection.dbapi_connection is first


def test_only_so_many_are_kept(shards: ShardConnections, tmp_path: Path) -> None:
    """The shard that was not used for longest is closed, and its log written back; nothing of it is lost."""
    for shard in ("a", "b", "c"):
        with shards.transaction(shard) as connection:
            _add(connection, 1)
    assert len(shards) == 2
    assert not (tmp_path / "a.db-wal").exists()
    assert (tmp_path / "c.db-wal").exists()
    assert _rows(shards, "a") == [1]


def test_an_error_rolls_back_every_shard_of_the_block(shards: ShardConnections) -> None:
    """Nothing of a failed block stays, in either of two nested shards."""

    def fail() -> None:
        with shards.transaction("a") as outer, shards.transaction("b") as inner:
            _add(outer, 1)
            _add(inner, 1)
            inner.exec_driver_sql("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(exc.OperationalError, match="nowhere"):
        fail()
    assert _rows(shards, "a") == []
    assert _rows(shards, "b") == []


def test_the_same_shard_joins_the_transaction_around_it(shards: ShardConnections) -> None:
    """What an inner block writes is seen by the outer one, and gone with it; afterwards, blocks are apart again."""

    def fail() -> None:
        with shards.transaction("a") as outer:
            with shards.transaction("a") as inner:
                _add(inner, 1)
            assert outer.exec_driver_sql("SELECT count(*) FROM rows").scalar_one() == 1
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    with shards.transaction("a") as connection:
        _add(connection, 2)
    assert _rows(shards, "a") == [2]


def test_a_file_that_was_replaced_is_opened_again(shards: ShardConnections, tmp_path: Path) -> None:
    """Rows written after somebody deleted the file are in the new file, not in the deleted one."""
    with shards.transaction("a") as connection:
        _add(connection, 1)
    for path in tmp_path.glob("a.db*"):
        path.unlink()
    with shards.transaction("a") as connection:
        _add(connection, 2)
    assert _rows(shards, "a") == [2]
    assert (tmp_path / "a.db").exists()


def test_threads_take_turns(shards: ShardConnections) -> None:
    """Eight threads that write to three shards, more than are kept, lose nothing."""

    def write(number: int) -> None:
        for shard in "abc" * 10:
            with shards.transaction(shard) as connection:
                _add(connection, number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = sorted(list(range(8)) * 10)
    assert [_rows(shards, shard) for shard in "abc"] == [expected] * 3


def test_it_can_be_used_after_it_was_closed(shards: ShardConnections) -> None:
    """Dagster goes on using a storage that it has disposed of."""
    with shards.transaction("a") as connection:
        _add(connection, 1)
    shards.close()
    assert len(shards) == 0
    assert _rows(shards, "a") == [1]


FORK = """
import os, sys
from pathlib import Path
from macrocredit_assets.orchestration.shard_connections import ShardConnections

def create(engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS rows (n INTEGER)")

def add(first):
    for number in range(first, first + 50):
        with shards.transaction("a") as connection:
            connection.exec_driver_sql("INSERT INTO rows VALUES (?)", (number,))

shards = ShardConnections(lambda shard: Path(sys.argv[1]) / f"{shard}.db", create)
add(0)
child = os.fork()
assert len(shards) == 0, "a connection was carried through the fork"
add(50 if child else 100)
if child == 0:
    shards.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


def test_both_sides_of_a_fork_go_on(shards: ShardConnections, tmp_path: Path) -> None:
    """Parent and child write to the same file after a fork, and the file has the rows of both."""
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORK, str(tmp_path)], check=True, timeout=60)
    assert _rows(shards, "a") == list(range(150))
