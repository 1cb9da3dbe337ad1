"""Two weeks of profile ``public`` with a real daemon: publishers fail and recover, and in the end all is there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from datetime import time as clock_time
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from dagster._core.scheduler.instigation import InstigatorStatus

from macrocredit_assets.orchestration.instance import ensure_home, open_instance
from macrocredit_assets.persistence.run_log import RunDocument, read_runs
from macrocredit_assets.stores import open_store
from macrocredit_assets.testing import faults
from macrocredit_assets.windows import Window

sys.path.insert(0, str(Path(__file__).parent))
from searching import find

if TYPE_CHECKING:
    from conftest import OpenWorld, World

pytestmark = pytest.mark.slow

SERIES = {
    "us_ig_oas": "BAMLC0A0CM",
    "us_hy_oas": "BAMLH0A0HYM2",
    "baa_10y": "BAA10Y",
    "ust_2y": "DGS2",
    "ust_10y": "DGS10",
    "vix": "VIX",
}
#: The machine sleeps on the weekend, in which New York changes its clocks.
MORNINGS = [date(2024, 3, day) for day in (4, 5, 6, 7, 8, 11, 12, 13, 14, 15)]
#: Morning -> dataset -> the error of its step; the other datasets of that morning complete.
FAILED: dict[date, dict[str, str]] = {
    date(2024, 3, 4): {"ust_10y": "SourceUnavailableError"},
    date(2024, 3, 5): {"ust_10y": "SourceUnavailableError", "vix": "SourceUnavailableError"},
    date(2024, 3, 6): {"ust_2y": "MalformedResponseError"},
    date(2024, 3, 8): {name: "MalformedResponseError" for name in SERIES if name != "vix"},
    date(2024, 3, 11): {"us_ig_oas": "SchemaChangedError", "vix": "UnknownSeriesError"},
    date(2024, 3, 12): {"us_hy_oas": "SourceUnavailableError", "baa_10y": "RuleViolationError"},
}
SCHEDULE, LOOK = "schedule:daily_us", "schedule:freshness"
CANARY = "c4n4ryb1"
SEVEN = clock_time(7)
NEW_YORK = ZoneInfo("America/New_York")


def _plan(world: World) -> None:
    """Install what goes wrong, by the publisher's days, and have rows come late, be corrected and be withdrawn."""
    fred, cboe, publisher = world.fred, world.cboe, world.publisher
    fred.install(faults.unavailable(), series="DGS10", days=_days(4, 5))
    cboe.install(faults.reset_in_body(), days=_days(5))
    fred.install(faults.login_page(), series="DGS2", days=_days(6))
    fred.install(faults.rate_limited(None), series="BAA10Y", days=_days(7), times=2)
    fred.install(faults.echo(), days=_days(8))
    fred.install(faults.renamed_header(), series="BAMLC0A0CM", days=_days(11))
    cboe.install(faults.not_found(), days=_days(11))
    fred.install(faults.slow_body(), series="BAMLH0A0HYM2", days=_days(12))
    fred.install(faults.conflicting(), series="BAA10Y", days=_days(12))
    fred.install(faults.out_of_order(), series="DGS10", days=_days(13))
    fred.install(faults.future(), series="DGS2", days=_days(14))
    publisher.delay("DGS2", date(2024, 3, 6), until=date(2024, 3, 13))
    publisher.revise("DGS10", date(2024, 3, 6), "4.99", on=date(2024, 3, 12))
    publisher.revise("BAA10Y", date(2024, 3, 6), None, on=date(2024, 3, 14))


def _days(*days: int) -> set[date]:
    return {date(2024, 3, day) for day in days}


@dataclass(frozen=True)
class Lived:
    """What the two weeks left."""

    world: World
    runs: dict[date, RunDocument]
    log: Path


@pytest.fixture(scope="module")
def lived(open_world: OpenWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """Let the mornings come, each when the run of the one before has ended."""
    folder = tmp_path_factory.mktemp("weeks")
    with open_world(folder / "root") as world:
        world.fred.key = 4 * CANARY
        _plan(world)
        lived = Lived(world, {}, folder / "daemon.log")
        clock = folder / "clock"
        _set(clock, datetime(2024, 3, 3, 20, tzinfo=NEW_YORK))
        with _daemon(world, clock, lived.log) as daemon:
            daemon.wait(lambda: _is_on(world))
            for morning in MORNINGS:
                world.publisher.today = morning
                _set(clock, datetime.combine(morning, SEVEN, NEW_YORK))
                daemon.wait(lambda: len(_ended(world)) > len(lived.runs))
                (lived.runs[morning],) = [run for run in _ended(world) if run not in lived.runs.values()]
        yield lived


def _set(clock: Path, moment: datetime) -> None:
    beside = clock.with_suffix(".new")
    beside.write_text(str(moment.timestamp() - time.time()))
    beside.replace(clock)


@dataclass(frozen=True)
class _Daemon:
    process: subprocess.Popen[bytes]
    log: Path

    def wait(self, condition: Callable[[], bool]) -> None:
        """Wait for what the daemon brings about."""
        deadline = time.monotonic() + 120
        while not condition():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.2)


@contextmanager
def _daemon(world: World, clock: Path, log: Path) -> Iterator[_Daemon]:
    home = world.settings().dagster_home
    ensure_home(home)
    environ = {
        **os.environ,
        **world.environ(keyed=True),
        "MACROCREDIT_SCHEDULES": "on",
        "MACROCREDIT_HTTP_TIMEOUT": "1",
        "DAGSTER_HOME": str(home),
        "WORLD_CLOCK": str(clock),
    }
    command = [sys.executable, str(Path(__file__).with_name("defs_on_another_day.py"))]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=environ, cwd=world.root, stdout=output, stderr=output, start_new_session=True
        )
        try:
            yield _Daemon(process, log)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _is_on(world: World) -> bool:
    """Return whether the schedule is on; the look at nine whether anything is late, a run of its own, is put off."""
    with open_instance(world.settings().dagster_home) as instance:
        states = {f"schedule:{state.name}": state for state in instance.all_instigator_state()}
        if {SCHEDULE, LOOK} <= states.keys():
            instance.update_instigator_state(states[LOOK].with_status(InstigatorStatus.STOPPED))
            return True
        return False


def _ended(world: World) -> list[RunDocument]:
    runs = read_runs(world.settings().logs_directory).runs
    return [run for run in runs if run.status != "started" and run.header.launched_by == SCHEDULE]


def test_every_morning_asked_and_said_who_failed(lived: Lived) -> None:
    """One run a morning, by the schedule's tick: its log names those that failed, and all others are written."""
    for morning, run in lived.runs.items():
        failed = FAILED.get(morning, {})
        errors = {name: asset["error"]["type"] for name, asset in run.assets.items() if asset.get("error")}
        assert (morning, errors) == (morning, failed), run
        assert run.status == ("failure" if failed else "success"), run
        statuses = {asset["status"] for name, asset in run.assets.items() if name not in failed}
        assert statuses <= {"written", "unchanged"}
        assert run.assets.keys() == SERIES.keys()
    assert lived.runs[date(2024, 3, 7)].assets["baa_10y"]["retries"] >= 1


def test_coverage_is_complete_in_the_end(lived: Lived) -> None:
    """`status --check` ends with 0 on the last morning: nothing is missing or late, and no failure stands."""
    result = lived.world.say("status", *SERIES, "--check", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["complete"] is True
    assert {entry["state"] for entry in document["datasets"]} == {"complete"}
    assert [entry["failure"] for entry in document["datasets"]] == [None] * len(SERIES)


@pytest.mark.parametrize("name", list(SERIES))
def test_every_row_is_what_was_printed_last(lived: Lived, name: str) -> None:
    """Late, corrected and faulty answers included; the row that was withdrawn is kept as it was printed."""
    world, window = lived.world, Window.parse("2024-02-01", "2024-03-31")
    spec = world.catalog.datasets[name]
    # FRED prints percent, and spreads are stored in basis points
    factor = 100 if spec.columns[spec.main].unit == "bp" else 1
    frame = open_store(world.settings(), spec).read_frame(window)
    stored = {stamp.date(): tuple(row) for stamp, *row in frame.itertuples()}
    printed = {
        day: tuple(round(float(text) * factor, 4) for text in texts)
        for day, texts in world.publisher.served(SERIES[name])
        if day in window and all(texts)
    }
    withdrawn = stored.keys() - printed.keys()
    assert withdrawn == (_days(6) if name == "baa_10y" else set())
    assert {day: row for day, row in stored.items() if day not in withdrawn} == printed
    if name == "ust_10y":
        assert stored[date(2024, 3, 6)] == (4.99,)


def test_key_is_nowhere(lived: Lived) -> None:
    """Neither daemon, code server nor runs leave the key with which FRED was asked all the time."""
    keys = {request.query.get("api_key") for request in lived.world.fred.requests if request.path.startswith("/fred")}
    assert 4 * CANARY in keys
    assert find(CANARY, lived.world.root, lived.log.parent) == []
