"""A morning as it comes in operation: a real daemon, which was away for twelve days."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.scheduler.instigation import InstigatorState, ScheduleInstigatorData

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.orchestration.instance import ensure_home, open_instance
from macrocredit_assets.orchestration.launch import run_backfill
from macrocredit_assets.persistence.run_log import RunDocument, read_runs
from macrocredit_assets.settings import Settings
from macrocredit_assets.stores import open_store
from macrocredit_assets.windows import Window

pytestmark = pytest.mark.slow

NEW_YORK = ZoneInfo("America/New_York")
DAY = timedelta(days=1)
KEPT = ("cdx_hy_5y", "vix", "cdx_vix_gap", "itraxx_main_5y")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give a deployment of three datasets of the US and one of Europe, with the schedules switched on."""
    removed = [name for name in load_catalog().names() if name not in KEPT]
    (tmp_path / "few.yaml").write_text(f"remove: [{', '.join(removed)}]\n")
    home = tmp_path / "home"
    ensure_home(home)
    return Settings(root=tmp_path / "root", dagster_home=home, catalog=tmp_path / "few.yaml", schedules=True)


@contextmanager
def _daemon(settings: Settings, log: Path) -> Iterator[None]:
    """Run Dagster's daemon as the documentation says."""
    environ = {
        **os.environ,
        "MACROCREDIT_ROOT": str(settings.root),
        "MACROCREDIT_CATALOG": str(settings.catalog),
        "MACROCREDIT_SCHEDULES": "on",
        "DAGSTER_HOME": str(settings.dagster_home),
    }
    command = [sys.executable, "-m", "dagster._daemon", "run", "-m", "macrocredit_assets.definitions"]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=environ, cwd=settings.dagster_home, stdout=output, stderr=output, start_new_session=True
        )
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def test_twelve_days_without_a_daemon_are_made_up_for(settings: Settings, tmp_path: Path) -> None:
    """One setting switches all schedules on; the first tick after twelve days asks for all of them, in one run."""
    today = datetime.now(NEW_YORK).date()
    before = Window(today - 60 * DAY, today - 14 * DAY)
    assert run_backfill(settings, KEPT, before).success
    log = tmp_path / "daemon.log"
    with _daemon(settings, log):
        _wait(lambda: len(_states(settings)) == 3, log)
    assert {state.name for state in _states(settings)} == {"daily_us", "daily_europe", "freshness"}
    _turn_back(settings, datetime.now(UTC) - 12 * DAY)

    with _daemon(settings, log):
        _wait(lambda: len(_finished(settings)) == 3, log)
    runs = {run.header.launched_by: run for run in _finished(settings)}
    assert sorted(runs) == ["schedule:daily_europe", "schedule:daily_us", "schedule:freshness"]
    freshness = runs.pop("schedule:freshness")
    assert (freshness.status, freshness.header.window, freshness.assets) == ("success", None, {})
    assert {name: [*came] for name, came in freshness.checks.items()} == {
        name: ["source"] for name in ("cdx_hy_5y", "vix", "itraxx_main_5y", "cdx_vix_gap")
    }
    for run in runs.values():
        assert run.status == "success", run
        assert set(run.checks) == set(run.assets)
        start, end = (run.header.window or "").split("..")
        # the tick was at most a day ago, and asked for the day before it
        assert end in {str(today - DAY), str(today - 2 * DAY)}
        assert str(today - 14 * DAY) < start < str(today - 9 * DAY)
        for name in run.assets:
            head = open_store(settings, load_catalog(settings.catalog).entry(name)).head()
            assert head is not None
            assert str(head.coverage.windows[-1].start) == str(before.start), name
    assert sorted(runs["schedule:daily_us"].assets) == ["cdx_hy_5y", "cdx_vix_gap", "vix"]
    with open_instance(settings.dagster_home) as instance:
        assert {run.status for run in instance.get_runs()} == {dg.DagsterRunStatus.SUCCESS}


def _states(settings: Settings) -> list[InstigatorState]:
    with open_instance(settings.dagster_home) as instance:
        return [*instance.all_instigator_state()]


def _turn_back(settings: Settings, moment: datetime) -> None:
    """Have the schedules started at a moment, with no tick since."""
    with open_instance(settings.dagster_home) as instance:
        for state in instance.all_instigator_state():
            data = state.instigator_data
            assert isinstance(data, ScheduleInstigatorData)
            turned = ScheduleInstigatorData(data.cron_schedule, moment.timestamp())
            instance.update_instigator_state(state.with_data(turned))


def _finished(settings: Settings) -> list[RunDocument]:
    runs = read_runs(settings.logs_directory, 10).runs
    return [run for run in runs if run.status != "started" and run.header.launched_by.startswith("schedule")]


def _wait(condition: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.5)
