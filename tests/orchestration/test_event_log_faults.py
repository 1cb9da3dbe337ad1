"""What the embedded event log does when a process is killed, when two write at once, and when one reads meanwhile."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log.base import EventLogCursor

from macrocredit_assets.orchestration.event_log import BATCH_SIZE_VARIABLE
from macrocredit_assets.orchestration.instance import open_instance

sys.path.insert(0, str(Path(__file__).parent))
import defs_event_log as history

HERE = Path(__file__).parent

#: Kills its own process as the second batch of a run is committed: to the file of the run, or to the index after it.
KILLED_IN_MID_BATCH = """
import os, signal, sys
from pathlib import Path
import sqlalchemy as db
sys.path.insert(0, sys.argv[1])
import defs_event_log as history
from macrocredit_assets.orchestration.instance import open_instance

inserts = []

def count(connection, cursor, statement, parameters, context, executemany):
    # ten materializations; what was planned is stored in a smaller batch before
    if executemany and len(parameters) == 10 and statement.startswith("INSERT INTO event_logs"):
        inserts.append(connection.engine.url.database)

def kill(connection):
    # a batch is inserted into both files before either is committed
    if len(inserts) == 4 and (Path(connection.engine.url.database).stem == "index") == (sys.argv[3] == "index"):
        os.kill(os.getpid(), signal.SIGKILL)

db.event.listen(db.Engine, "before_cursor_execute", count)
db.event.listen(db.Engine, "commit", kill)
with open_instance(Path(sys.argv[2])) as instance:
    history.materialize(instance, 1, history.LEVEL, first="2024-01-02", last="2024-01-31")
"""

BACKFILLS = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import defs_event_log as history
from macrocredit_assets.orchestration.instance import open_instance

number = int(sys.argv[3])
with open_instance(Path(sys.argv[2])) as instance:
    for run in range(number, number + 4):
        key = history.LEVEL if run % 2 else history.WIPED
        assert history.materialize(instance, run, key, first="2024-01-02", last="2024-01-31")
"""


def _start(script: str, home: Path, argument: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script, str(HERE), str(home), str(argument)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _materializations(instance: dg.DagsterInstance, number: int) -> int:
    return len(instance.all_logs(history.run_id(number), of_type=dg.DagsterEventType.ASSET_MATERIALIZATION))


@pytest.mark.parametrize(("killed_at", "in_log_of_run"), [("run", 10), ("index", 20)])
def test_a_rerun_heals_a_process_killed_in_mid_batch(
    killed_at: str, in_log_of_run: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole batches are there, nothing of the one at work counts, and the same range can be run again."""
    monkeypatch.setenv(BATCH_SIZE_VARIABLE, "10")
    process = _start(KILLED_IN_MID_BATCH, tmp_path, killed_at)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, errors
    with open_instance(tmp_path) as instance:
        assert instance.get_materialized_partitions(history.LEVEL) == history.days(2, 11)
        assert _materializations(instance, 1) == in_log_of_run
        dead = instance.get_run_by_id(history.run_id(1))
        assert dead is not None
        assert dead.status == dg.DagsterRunStatus.STARTED
        instance.report_run_failed(dead)
        lost = sorted(history.days(12, 31))
        states = instance.get_status_by_partition(history.LEVEL, lost, history.DAYS) or {}
        assert {state and state.value for state in states.values()} == {"FAILED"}

        assert history.materialize(instance, 2, history.LEVEL, first="2024-01-02", last="2024-01-31")
        assert instance.get_materialized_partitions(history.LEVEL) == history.days(2, 31)
        states = instance.get_status_by_partition(history.LEVEL, lost, history.DAYS) or {}
        assert {state and state.value for state in states.values()} == {"MATERIALIZED"}
        assert _materializations(instance, 2) == 30
    for path in tmp_path.glob("history/runs/*.db"):
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    """Backfills in two processes on one home keep every event, and neither has to fall back to single ones."""
    processes = [_start(BACKFILLS, tmp_path, number) for number in (1, 5)]
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    assert "Falling back" not in "".join(errors)
    with open_instance(tmp_path) as instance:
        for key in (history.LEVEL, history.WIPED):
            assert instance.get_materialized_partitions(key) == history.days(2, 31)
            assert len(instance.fetch_materializations(key, limit=1000).records) == 4 * 30
        assert {_materializations(instance, number) for number in range(1, 9)} == {30}


def test_a_watcher_sees_events_while_the_writer_keeps_its_connection(tmp_path: Path) -> None:
    """The live log of the UI moves on although the database file itself has not changed yet."""
    seen: list[str] = []
    with open_instance(tmp_path) as writer, open_instance(tmp_path) as reader:
        run = history.plan(writer, 1, dg.DagsterRunStatus.STARTED, first="2024-01-02", last="2024-01-03")
        cursor = reader.get_records_for_run(run.run_id).cursor
        reader.watch_event_logs(run.run_id, cursor, lambda event, _cursor: seen.append(event.user_message))
        writer.report_engine_event("first", run)
        _wait_until(lambda: len(seen) == 1)
        writer.report_engine_event("second", run)
        _wait_until(lambda: len(seen) == 2)
        reader.end_watch_event_logs(run.run_id, seen.append)
    assert len(seen) == 2


def test_a_cursor_follows_a_run_that_is_being_written(tmp_path: Path) -> None:
    """A reader that keeps its connection sees each new event, once, from its cursor on."""
    with open_instance(tmp_path) as writer, open_instance(tmp_path) as reader:
        run = history.plan(writer, 1, dg.DagsterRunStatus.STARTED, first="2024-01-02", last="2024-01-03")
        cursor = reader.get_records_for_run(run.run_id).cursor
        for number in range(3):
            writer.report_engine_event(f"event {number}", run)
            page = reader.get_records_for_run(run.run_id, cursor)
            messages = [record.event_log_entry.dagster_event.message for record in page.records]
            assert messages == [f"event {number}"]
            assert EventLogCursor.parse(page.cursor).storage_id() == EventLogCursor.parse(cursor).storage_id() + 1
            cursor = page.cursor


def _wait_until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)
