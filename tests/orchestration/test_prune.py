"""Pruning: which runs go, what stays of them, and that a partition that was green stays green."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.events import DagsterEvent
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    ScheduleInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.storage.partition_status_cache import AssetPartitionStatus
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from macrocredit_assets.errors import UsageError
from macrocredit_assets.orchestration.build import build_definitions
from macrocredit_assets.orchestration.forgotten_runs import forget, require_sql
from macrocredit_assets.orchestration.instance import open_instance
from macrocredit_assets.orchestration.launch import run_backfill
from macrocredit_assets.orchestration.prune import PRUNE_JOB, days_ago, prune
from macrocredit_assets.persistence.run_log import RunHeader, RunLog, read_runs
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

VIX = dg.AssetKey("vix")
FIRST, SECOND = Window.parse("2024-01-02", "2024-01-05"), Window.parse("2024-01-04", "2024-01-09")


def _days(window: Window) -> set[str]:
    return {day.isoformat() for day in window}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give an empty root of sample data."""
    return _settings(tmp_path / "root")


def _settings(root: Path) -> Settings:
    return Settings(root=root, dagster_home=root / ".dagster")


@pytest.fixture(scope="module")
def run_twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str, datetime]:
    """Run two windows that share two days; return their root, their ids, and a moment between them."""
    root = tmp_path_factory.mktemp("twice")
    first = run_backfill(_settings(root), ["vix"], FIRST)
    # Dagster dates runs by the second
    between = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    time.sleep((between - datetime.now(UTC)).total_seconds())
    second = run_backfill(_settings(root), ["vix"], SECOND)
    assert first.success
    assert second.success
    return root, first.run_id, second.run_id, between


@pytest.fixture
def two_runs(run_twice: tuple[Path, str, str, datetime], settings: Settings) -> tuple[str, str, datetime]:
    """Copy the root with two runs, and return their ids and the moment."""
    shutil.copytree(run_twice[0], settings.root)
    return run_twice[1:]


def _files(root: Path, *, below: str) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in (root / below).rglob("*") if path.is_file()}


def test_pictures_go_with_their_run(settings: Settings, two_runs: tuple[str, str, datetime]) -> None:
    """What a run has drawn is as old as the run; the folder of its date goes when it is empty."""
    _, second, between = two_runs
    pictures = [settings.charts_directory / f"2024-01-0{at}" / run / "vix.svg" for at, run in enumerate(two_runs[:2])]
    for picture in pictures:
        picture.parent.mkdir(parents=True)
        picture.write_text("<svg/>")
    with open_instance(settings.dagster_home) as instance:
        told = prune(settings, instance, between)
        assert all(picture.exists() for picture in pictures)
        assert prune(settings, instance, between, apply=True).size == told.size
    assert [path.name for path in settings.charts_directory.glob("*/*")] == [second]
    assert not (settings.charts_directory / "2024-01-00").exists()


def test_partitions_of_a_pruned_run_stay_green(settings: Settings, two_runs: tuple[str, str, datetime]) -> None:
    """Each partition keeps its latest materialization with its metadata; those that were replaced go."""
    first, second, between = two_runs
    with open_instance(settings.dagster_home) as instance:
        before = {
            record.partition_key: (record.run_id, record.asset_materialization.metadata)
            for record in reversed(instance.fetch_materializations(VIX, limit=100).records)
        }
        done = prune(settings, instance, between, apply=True)
        assert done.runs == (first,)
        assert instance.get_materialized_partitions(VIX) == _days(FIRST) | _days(SECOND)
        records = instance.fetch_materializations(VIX, limit=100).records
        assert {record.partition_key: (record.run_id, record.asset_materialization.metadata) for record in records} == (
            before
        )
        assert len(records) == len(before) == 8
        assert [run.run_id for run in instance.get_runs()] == [second]
        latest = instance.get_latest_materialization_event(VIX)
        assert latest is not None
        assert latest.run_id == second


def test_all_runs_can_go_and_what_is_green_stays(settings: Settings, two_runs: tuple[str, str, datetime]) -> None:
    """Without any run left, Dagster still tells every partition, its status from nothing but the events."""
    with open_instance(settings.dagster_home) as instance:
        prune(settings, instance, datetime.now(UTC) + timedelta(days=1), apply=True)
        assert instance.get_runs() == []
        instance.event_log_storage.wipe_asset_cached_status(VIX)
        assert instance.get_materialized_partitions(VIX) == _days(FIRST) | _days(SECOND)
        assert instance.get_status_by_partition(
            VIX, sorted(_days(SECOND)), build_definitions(settings).resolve_assets_def("vix").partitions_def
        ) == dict.fromkeys(_days(SECOND), AssetPartitionStatus.MATERIALIZED)
    # the pruned home goes on
    assert run_backfill(settings, ["vix"], Window.parse("2024-01-09", "2024-01-10")).success
    with open_instance(settings.dagster_home) as instance:
        assert "2024-01-10" in instance.get_materialized_partitions(VIX)


def test_latest_result_of_every_check_stays(settings: Settings, two_runs: tuple[str, str, datetime]) -> None:
    """Those that a later run has replaced go, and so does what a killed run had planned; a plan replaces nothing."""
    first, second, between = two_runs
    key = dg.AssetCheckKey(VIX, "values")
    with open_instance(settings.dagster_home) as instance:
        storage = instance.event_log_storage

        def results() -> list[tuple[str, str]]:
            told = storage.get_asset_check_execution_history(key, limit=10)
            return [(record.status.value, record.run_id) for record in told]

        assert results() == [("SUCCEEDED", second), ("SUCCEEDED", first)]
        prune(settings, instance, between, apply=True)
        assert results() == [("SUCCEEDED", second)]
        _plan(instance, key, "killed")
        assert results() == [("PLANNED", "killed"), ("SUCCEEDED", second)]
        forget(instance, [second])
        assert results() == [("PLANNED", "killed"), ("SUCCEEDED", second)]
        forget(instance, ["killed"])
        assert results() == [("SUCCEEDED", second)]


def _plan(instance: dg.DagsterInstance, key: dg.AssetCheckKey, run_id: str) -> None:
    planned = AssetCheckEvaluationPlanned(asset_key=key.asset_key, check_name=key.name)
    event = DagsterEvent(
        dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED.value, "ingest", event_specific_data=planned
    )
    instance.run_storage.add_run(dg.DagsterRun(job_name="ingest", run_id=run_id, status=dg.DagsterRunStatus.FAILURE))
    instance.report_dagster_event(event, run_id)


def test_stock_deletion_turns_partitions_grey(settings: Settings, two_runs: tuple[str, str, datetime]) -> None:
    """The fact for which this is done in a way of our own: Dagster's deletes the materializations as well."""
    first, _, _ = two_runs
    with open_instance(settings.dagster_home) as instance:
        instance.delete_run(first)
        assert instance.get_materialized_partitions(VIX) == _days(SECOND)
        assert Path(instance.event_log_storage.path_for_shard(first)).exists()


def test_files_of_a_pruned_run_are_gone(settings: Settings, two_runs: tuple[str, str, datetime]) -> None:
    """Its events, what it printed, its run log and the folder of a day without runs; nothing of the other run."""
    first, second, between = two_runs
    home = settings.dagster_home
    log = RunLog(settings.logs_directory, first).path
    moved = settings.logs_directory / "2020-01-01" / log.name
    moved.parent.mkdir()
    log.rename(moved)
    assert any((home / "storage" / first).rglob("*"))
    with open_instance(home) as instance:
        done = prune(settings, instance, between, apply=True)
    assert done.run_logs == (moved,)
    assert done.size > moved.parent.parent.stat().st_size
    assert not moved.parent.exists()
    assert not [path for path in home.rglob("*") if first in str(path)]
    assert [path for path in (home / "history").rglob("*") if second in str(path)]
    assert [run.header.run_id for run in read_runs(settings.logs_directory).runs] == [second]


def test_dry_run_tells_the_same_and_deletes_nothing(settings: Settings, two_runs: tuple[str, str, datetime]) -> None:
    """What would go is what goes."""
    first, second, between = two_runs
    with open_instance(settings.dagster_home) as instance:
        told = prune(settings, instance, between)
        assert {run.run_id for run in instance.get_runs()} == {first, second}
        assert Path(instance.event_log_storage.path_for_shard(first)).exists()
        assert told.run_logs[0].exists()
        done = prune(settings, instance, between, apply=True)
        assert (told.runs, told.run_logs, told.ticks, told.size) == (done.runs, done.run_logs, done.ticks, done.size)
        assert (told.applied, done.applied) == (False, True)
        again = prune(settings, instance, between, apply=True)
        assert (again.runs, again.run_logs, again.size) == ((), (), 0)


def test_data_stay(settings: Settings, two_runs: tuple[str, str, datetime]) -> None:
    """Files, revisions and the registry are the same bytes afterwards."""
    before = _files(settings.root, below="data")
    with open_instance(settings.dagster_home) as instance:
        prune(settings, instance, datetime.now(UTC) + timedelta(days=1), apply=True)
    assert _files(settings.root, below="data") == before


def test_killed_pruning_is_completed_by_the_next(settings: Settings, two_runs: tuple[str, str, datetime]) -> None:
    """A run is listed until everything else of it is gone."""
    first, _, between = two_runs
    with open_instance(settings.dagster_home) as instance:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(instance.run_storage, "delete_run", _killed)
            with pytest.raises(KeyboardInterrupt):
                prune(settings, instance, between, apply=True)
        assert instance.get_run_by_id(first) is not None
        assert prune(settings, instance, between, apply=True).runs == (first,)
        assert instance.get_run_by_id(first) is None


def _killed(run_id: str) -> None:
    raise KeyboardInterrupt(run_id)


@pytest.fixture
def leave_log(settings: Settings) -> Callable[[str, datetime], RunLog]:
    """Leave a run log that says ``started``."""

    def leave(run_id: str, started: datetime) -> RunLog:
        log = RunLog(settings.logs_directory, run_id)
        log.start(RunHeader(run_id, "ingest", started, "sample", "sample", None, "desk", "desk7", os.getpid(), 0.0))
        return log

    return leave


def test_run_that_has_not_ended_stays(settings: Settings, leave_log: Callable[[str, datetime], RunLog]) -> None:
    """However old: it is named, so that somebody looks; it goes once it has ended."""
    moment = datetime(2024, 1, 2, 12, tzinfo=UTC)
    log = leave_log("at-work", moment)
    with open_instance(settings.dagster_home) as instance:
        instance.run_storage.add_run(
            dg.DagsterRun(job_name="ingest", run_id="at-work", status=dg.DagsterRunStatus.STARTED)
        )
        later, path = datetime.now(UTC) + timedelta(days=1), log.path
        done = prune(settings, instance, later, apply=True)
        assert (done.runs, done.run_logs, done.unfinished) == ((), (), ("at-work",))
        assert path.exists()
        # its process was killed, and a daemon that monitors runs has seen it
        run = instance.get_run_by_id("at-work")
        assert run is not None
        instance.report_run_failed(run, "gone")
        (log.logs_directory / ".parts" / "at-work").mkdir(parents=True)
        done = prune(settings, instance, later, apply=True)
        assert (done.runs, done.run_logs, done.unfinished) == (("at-work",), (path,), ())
    assert [*settings.logs_directory.rglob("*at-work*")] == []


def test_what_started_later_stays(settings: Settings, leave_log: Callable[[str, datetime], RunLog]) -> None:
    """A run log is judged by its own start, also where Dagster has no such run: archives and migrations."""
    moment = datetime(2024, 1, 2, 12, tzinfo=UTC)
    for run_id, started in (("earlier", moment - timedelta(seconds=1)), ("then", moment)):
        leave_log(run_id, started).finish("success", {}, started)
    with open_instance(settings.dagster_home) as instance:
        done = prune(settings, instance, moment, apply=True)
    assert [path.stem for path in done.run_logs] == ["earlier"]
    assert [run.header.run_id for run in read_runs(settings.logs_directory).runs] == ["then"]


def test_old_ticks_go_but_the_latest(settings: Settings) -> None:
    """A schedule goes on from its latest tick, however old."""
    location = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="desk"))
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "repository"), "daily_us")
    morning, now = ScheduleInstigatorData(cron_schedule="0 7 * * *"), datetime.now(UTC)
    with open_instance(settings.dagster_home) as instance:
        state = InstigatorState(origin, InstigatorType.SCHEDULE, InstigatorStatus.RUNNING, morning)
        instance.add_instigator_state(state)
        ids = state.instigator_origin_id, state.selector_id
        for days in (300, 200, 100):
            tick = TickData(
                *(ids[0], "daily_us", InstigatorType.SCHEDULE, TickStatus.SUCCESS),
                timestamp=(now - timedelta(days=days)).timestamp(),
                run_ids=[],
                selector_id=ids[1],
            )
            instance.create_tick(tick)
        assert prune(settings, instance, now - timedelta(days=250)).ticks == 1
        assert prune(settings, instance, now - timedelta(days=90), apply=True).ticks == 2
        (left,) = instance.get_ticks(*ids)
        assert left.timestamp == pytest.approx((now - timedelta(days=100)).timestamp())
        assert prune(settings, instance, now - timedelta(days=90), apply=True).ticks == 0


def test_job_says_what_would_go_and_deletes_where_it_is_told(
    settings: Settings, two_runs: tuple[str, str, datetime]
) -> None:
    """The job is dry without configuration."""
    job = build_definitions(settings).resolve_job_def(PRUNE_JOB)
    old = settings.logs_directory / "2020-01-01" / "archived.json"
    RunLog(settings.logs_directory, "archived").start(
        RunHeader("archived", "ingest", datetime(2020, 1, 1, tzinfo=UTC), "sample", "sample", None, "x", "x", 1, 0.0)
    )
    RunLog(settings.logs_directory, "archived").finish("success", {}, datetime(2020, 1, 1, tzinfo=UTC))
    with open_instance(settings.dagster_home) as instance:
        assert job.execute_in_process(instance=instance).success
        assert old.exists()
        config = {"ops": {"forget": {"config": {"apply": True, "keep_days": 30}}}}
        assert job.execute_in_process(instance=instance, run_config=config).success
        assert not old.exists()
        assert {two_runs[0], two_runs[1]} <= {run.run_id for run in instance.get_runs()}


def test_less_than_a_day_is_refused() -> None:
    """Runs of today may be at work."""
    with pytest.raises(UsageError, match="at least one day"):
        days_ago(0)


def test_event_log_of_another_kind_is_refused() -> None:
    """Nothing is deleted where nobody knows how materializations are kept."""
    with pytest.raises(UsageError, match="kept by object, which is no SQL storage"):
        require_sql(cast("dg.DagsterInstance", SimpleNamespace(event_log_storage=object())))


_ASKED = """{
  assetsLatestInfo(assetKeys: [{path: ["vix"]}]) { latestMaterialization { runId } latestRun { id } }
  assetNodes(assetKeys: [{path: ["vix"]}]) {
    partitionStats { numMaterialized numFailed }
    assetPartitionStatuses { ... on TimePartitionStatuses { ranges { startKey endKey status } } }
    assetMaterializations(limit: 1) { partition runOrError { __typename } metadataEntries { label } }
  }
}"""


@pytest.mark.slow
def test_webserver_shows_what_is_left(settings: Settings, two_runs: tuple[str, str, datetime]) -> None:
    """Without any run, the pages of an asset answer: all green, and the run is said to be gone."""
    with open_instance(settings.dagster_home) as instance:
        prune(settings, instance, datetime.now(UTC) + timedelta(days=1), apply=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["-m", "dagster_webserver", "-m", "macrocredit_assets.definitions", "-h", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, "MACROCREDIT_ROOT": str(settings.root), "DAGSTER_HOME": str(settings.dagster_home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        data = _answer(f"http://127.0.0.1:{port}/graphql", process)
    finally:
        process.terminate()
        process.wait(60)
    assert data["assetsLatestInfo"] == [{"latestMaterialization": {"runId": two_runs[1]}, "latestRun": None}]
    (node,) = data["assetNodes"]
    assert node["partitionStats"] == {"numMaterialized": 8, "numFailed": 0}
    assert node["assetPartitionStatuses"]["ranges"] == [
        {"startKey": "2024-01-02", "endKey": "2024-01-09", "status": "MATERIALIZED"}
    ]
    (shown,) = node["assetMaterializations"]
    assert (shown["partition"], shown["runOrError"]) == ("2024-01-09", {"__typename": "RunNotFoundError"})
    assert "state" in {entry["label"] for entry in shown["metadataEntries"]}
    assert [path.name for path in (settings.dagster_home / "history" / "runs").glob("*.db")] == ["index.db"]


def _answer(url: str, process: subprocess.Popen[bytes]) -> Any:  # noqa: ANN401 - a JSON document
    request = urllib.request.Request(url, json.dumps({"query": _ASKED}).encode(), {"Content-Type": "application/json"})
    deadline = time.monotonic() + 90
    while True:
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["data"]
        except OSError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.5)
