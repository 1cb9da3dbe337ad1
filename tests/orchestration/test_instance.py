"""A home: what is written into it, that it can move, and that it can be swapped to stock Dagster and back."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.instance.config import PoolGranularity
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from macrocredit_assets.orchestration.event_log import BATCH_SIZE_VARIABLE, EmbeddedEventLogStorage
from macrocredit_assets.orchestration.instance import EmbeddedInstance, ensure_home, open_instance

sys.path.insert(0, str(Path(__file__).parent))
import defs_event_log as history

STOCK = "telemetry: {enabled: false}\n"


def test_a_new_home_has_the_settings_that_survive_faults(tmp_path: Path) -> None:
    """What Dagster reads from a new home is what the shipped file says."""
    with open_instance(tmp_path / "new" / "home") as instance:
        assert isinstance(instance, EmbeddedInstance)
        assert isinstance(instance.event_log_storage, EmbeddedEventLogStorage)
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_max_runtime_seconds == 60 * 60
        assert instance.run_monitoring_poll_interval_seconds == 60
        assert instance.get_settings("run_monitoring")["free_slots_after_run_end_seconds"] == 30
        assert instance.run_retries_enabled
        assert instance.run_retries_max_retries == 2
        assert not instance.run_retries_retry_on_asset_or_op_failure
        concurrency = instance.get_concurrency_config()
        assert concurrency.run_queue_config
        assert concurrency.run_queue_config.max_concurrent_runs == 2
        assert concurrency.pool_config.default_pool_limit == 1
        assert concurrency.pool_config.pool_granularity == PoolGranularity.OP
        kept = instance.get_tick_retention_settings(InstigatorType.SENSOR)
        assert {status.value: days for status, days in kept.items()} == {
            "SKIPPED": 1,
            "STARTED": 30,
            "FAILURE": 30,
            "SUCCESS": 30,
        }


def test_a_process_that_opens_a_home_batches_its_events(tmp_path: Path) -> None:
    """Opening the instance sets the size of batches for this process; a size that is set already stays."""
    with open_instance(tmp_path):
        assert os.environ[BATCH_SIZE_VARIABLE] == "500"


def test_a_batch_size_of_the_user_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A size that the environment names is not overwritten."""
    monkeypatch.setenv(BATCH_SIZE_VARIABLE, "7")
    with open_instance(tmp_path):
        assert os.environ[BATCH_SIZE_VARIABLE] == "7"


def test_settings_of_the_user_are_never_touched(tmp_path: Path) -> None:
    """A home with a dagster.yaml of its own keeps it, byte for byte, and works with the storage it names."""
    (tmp_path / "dagster.yaml").write_text(STOCK)
    assert ensure_home(tmp_path) == tmp_path
    assert (tmp_path / "dagster.yaml").read_text() == STOCK
    with open_instance(tmp_path) as instance:
        assert type(instance.event_log_storage) is SqliteEventLogStorage
        assert history.materialize(instance, 1, history.LEVEL, first="2024-01-02", last="2024-01-04")
        assert instance.get_materialized_partitions(history.LEVEL) == history.days(2, 4)


def test_a_home_is_written_once(tmp_path: Path) -> None:
    """Opening a home again leaves the file as it is, whatever its owner changed in it."""
    settings = ensure_home(tmp_path) / "dagster.yaml"
    settings.write_text(settings.read_text().replace("max_concurrent_runs: 2", "max_concurrent_runs: 5"))
    before = settings.stat().st_mtime_ns
    with open_instance(tmp_path) as instance:
        queue = instance.get_concurrency_config().run_queue_config
        assert queue
        assert queue.max_concurrent_runs == 5
    assert settings.stat().st_mtime_ns == before


def test_a_stock_home_without_settings_keeps_its_history(tmp_path: Path) -> None:
    """Runs that stock Dagster stored in a folder without a dagster.yaml are there when ours is written beside them."""
    with dg.DagsterInstance.from_config(str(tmp_path)) as stock:
        assert type(stock.event_log_storage) is SqliteEventLogStorage
        history.materialize(stock, 1, history.LEVEL, first="2024-01-02", last="2024-01-04")
    with open_instance(tmp_path) as instance:
        assert isinstance(instance.event_log_storage, EmbeddedEventLogStorage)
        assert instance.get_materialized_partitions(history.LEVEL) == history.days(2, 4)
        assert [run.run_id for run in instance.get_runs()] == [history.run_id(1)]


def test_a_home_is_swapped_to_stock_storage_and_back(tmp_path: Path) -> None:
    """Each storage goes on where the other stopped: partitions, logs of runs and ids of events."""
    settings = ensure_home(tmp_path) / "dagster.yaml"
    ours = settings.read_bytes()
    with open_instance(tmp_path) as instance:
        history.materialize(instance, 1, history.LEVEL, first="2024-01-02", last="2024-01-04")
        last = instance.event_log_storage.get_maximum_record_id()
    settings.write_text(STOCK)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert type(instance.event_log_storage) is SqliteEventLogStorage
        assert instance.event_log_storage.get_maximum_record_id() == last
        assert instance.get_materialized_partitions(history.LEVEL) == history.days(2, 4)
        history.materialize(instance, 2, history.LEVEL, first="2024-01-04", last="2024-01-06")
        first_log = _log(instance, 1)
        second_log = _log(instance, 2)
        last = instance.event_log_storage.get_maximum_record_id()
    settings.write_bytes(ours)
    with open_instance(tmp_path) as instance:
        assert instance.event_log_storage.get_maximum_record_id() == last
        assert (_log(instance, 1), _log(instance, 2)) == (first_log, second_log)
        history.materialize(instance, 3, history.LEVEL, day="2024-01-07")
        assert instance.get_materialized_partitions(history.LEVEL) == history.days(2, 7)
        latest = instance.get_latest_materialization_event(history.LEVEL)
        assert latest
        assert latest.run_id == history.run_id(3)


def test_a_home_can_be_moved(tmp_path: Path) -> None:
    """A folder that was moved is read and written where it is now, and not where it was."""
    with open_instance(tmp_path / "old") as instance:
        history.materialize(instance, 1, history.LEVEL, day="2024-01-02")
    shutil.move(tmp_path / "old", tmp_path / "new")
    with open_instance(tmp_path / "new") as instance:
        history.materialize(instance, 2, history.LEVEL, day="2024-01-03")
        assert instance.get_materialized_partitions(history.LEVEL) == history.days(2, 3)
    assert not (tmp_path / "old").exists()


def test_commands_of_dagster_use_the_home(tmp_path: Path) -> None:
    """Dagster's own commands, pointed to the home, load the embedded instance and see its runs."""
    with open_instance(tmp_path) as instance:
        history.materialize(instance, 1, history.SUMMARY)
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "run", "list"],
        env={**os.environ, "DAGSTER_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert history.run_id(1) in done.stdout


DAYS = dg.DailyPartitionsDefinition("2010-01-01", timezone="America/New_York")


class _Described(history.Nowhere):
    """Adds what the package adds to each day of a long range."""

    def handle_output(self, context: dg.OutputContext, obj: float) -> None:
        path = f"/home/somebody/projects/macrocredit/logs/runs/2024-10-25/{context.run_id}.json"
        context.add_output_metadata(
            {
                "run_log": dg.MetadataValue.path(path),
                "dagster/partition_row_count": 1,
                "state": "no_observation",
                "value": obj,
            }
        )


def _backfill_ten_years(home: Path, assets: int) -> tuple[int, float, Mapping[str, int]]:
    """Materialize 3,652 days; return the number of partitions, the processor's seconds, and the bytes while it runs."""

    def make(number: int) -> dg.AssetsDefinition:
        @dg.asset(name=f"cash_cds_basis_{number}", partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
        def stored() -> float:
            return 1.25

        return stored

    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with open_instance(home) as instance:
        began = time.process_time()
        result = dg.materialize(
            [make(number) for number in range(assets)],
            instance=instance,
            resources={"io_manager": _Described()},
            run_config=quiet,
            tags={history.START: "2010-01-01", history.END: "2019-12-31"},
        )
        seconds = time.process_time() - began
        assert result.success
        assert len(instance.get_materialized_partitions(dg.AssetKey("cash_cds_basis_0"))) == 3652
        return 3652 * assets, seconds, _bytes(home)


def test_a_partition_takes_at_most_six_kilobytes(tmp_path: Path) -> None:
    """Everything below the home, divided by the partitions of one long backfill; open files stay bounded too."""
    partitions, _, while_open = _backfill_ten_years(tmp_path, 1)
    assert sum(_bytes(tmp_path).values()) / partitions <= 6000
    assert not list(tmp_path.glob("history/runs/*-wal"))
    # SQLite writes a log back every 1,000 pages
    logs = sum(size for name, size in while_open.items() if name.endswith("-wal"))
    assert logs < 25_000_000


@pytest.mark.slow
def test_a_full_backfill_takes_less_than_a_minute(tmp_path: Path) -> None:
    """54,780 partitions in one run, as many as twenty-one datasets since 2020 have; only its own work counts."""
    partitions, seconds, _ = _backfill_ten_years(tmp_path, 15)
    assert seconds < 60
    assert sum(_bytes(tmp_path).values()) / partitions <= 6000


def test_a_daily_run_stays_small(tmp_path: Path) -> None:
    """The file of a run with one partition takes a third of what stock Dagster takes for its empty tables."""
    with open_instance(tmp_path) as instance:
        history.materialize(instance, 1, history.LEVEL, day="2024-01-02")
    run = tmp_path / "history" / "runs" / f"{history.run_id(1)}.db"
    assert run.stat().st_size < 64_000
    with sqlite3.connect(run) as connection:
        assert connection.execute("PRAGMA page_size").fetchone() == (1024,)
    connection.close()


def _log(instance: dg.DagsterInstance, number: int) -> list[tuple[int, str]]:
    records = instance.get_records_for_run(history.run_id(number)).records
    return [(record.storage_id, record.event_log_entry.user_message) for record in records]


def _bytes(home: Path) -> dict[str, int]:
    return {str(path): path.stat().st_size for path in home.rglob("*") if path.is_file()}
