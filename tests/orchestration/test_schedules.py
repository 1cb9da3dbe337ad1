"""The mornings, evaluated by Dagster: what each tick asks for, in two time zones that change their clocks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.holdings import Holdings
from macrocredit_assets.orchestration.build import build_definitions
from macrocredit_assets.orchestration.instance import open_instance
from macrocredit_assets.orchestration.launch import run_backfill
from macrocredit_assets.orchestration.tags import RANGE_END, RANGE_START, SCHEDULE
from macrocredit_assets.persistence.run_log import read_runs
from macrocredit_assets.settings import Settings
from macrocredit_assets.staleness import missing, stale
from macrocredit_assets.windows import Window

NEW_YORK = ZoneInfo("America/New_York")
ZONES = {"daily_us": NEW_YORK, "daily_europe": ZoneInfo("Europe/London")}
DAY = timedelta(days=1)


def _settings(root: Path, **options: bool) -> Settings:
    return Settings(root=root, dagster_home=root / ".dagster", **options)


@pytest.fixture
def few(tmp_path: Path) -> Settings:
    """Give a deployment with two datasets and a signal of the US, and one dataset of Europe."""
    kept = {"cdx_hy_5y", "vix", "cdx_vix_gap", "itraxx_main_5y"}
    path = tmp_path / "few.yaml"
    path.write_text(f"remove: [{', '.join(name for name in load_catalog().names() if name not in kept)}]\n")
    return Settings(root=tmp_path, dagster_home=tmp_path / ".dagster", catalog=path)


def _schedule(settings: Settings, name: str) -> dg.ScheduleDefinition:
    return build_definitions(settings).resolve_schedule_def(name)


def _tick(schedule: dg.ScheduleDefinition, at: datetime) -> dg.RunRequest:
    (request,) = schedule.evaluate_tick(dg.build_schedule_context(scheduled_execution_time=at)).run_requests or ()
    return request


def _window(request: dg.RunRequest) -> Window:
    return Window.parse(request.tags[RANGE_START], request.tags[RANGE_END])


def _times(schedule: dg.ScheduleDefinition, since: datetime) -> Iterator[datetime]:
    """Return the times of a schedule's ticks as the daemon computes them."""
    return schedule_execution_time_iterator(
        since.timestamp(), str(schedule.cron_schedule), schedule.execution_timezone or "UTC"
    )


def _asked(request: dg.RunRequest) -> list[str]:
    return [key.to_user_string() for key in request.asset_selection or ()]


@pytest.mark.parametrize("name", ZONES)
def test_four_hundred_mornings_ask_for_every_day_once_it_is_over(tmp_path: Path, name: str) -> None:
    """Across both changes of the clocks in both zones, each tick ends with the day before, and that is over."""
    definitions = build_definitions(_settings(tmp_path))
    schedule, job = definitions.resolve_schedule_def(name), definitions.resolve_job_def("ingest")
    assert job.partitions_def is not None
    ticks = [*islice(_times(schedule, datetime(2024, 2, 1, tzinfo=UTC)), 400)]
    offsets = {tick.astimezone(zone).utcoffset() for tick in ticks for zone in ZONES.values()}
    assert len(offsets) == 4  # both zones, summer and winter

    windows = []
    for tick in ticks:
        assert tick.astimezone(ZONES[name]).timetz().replace(tzinfo=None).isoformat() == "07:00:00"
        window = _window(_tick(schedule, tick))
        with dg.partition_loading_context(effective_dt=tick):
            for day in window:
                assert job.partitions_def.has_partition_key(day.isoformat())
        # a day is over in New York when the next one has begun there
        assert datetime.combine(window.end + DAY, datetime.min.time(), NEW_YORK) <= tick
        assert window.days == 10
        windows.append(window)
    assert [window.end for window in windows] == [date(2024, 1, 31) + DAY * offset for offset in range(400)]


def test_zones_disagree_for_some_weeks_a_year(tmp_path: Path) -> None:
    """London's tick is at 02:00 in New York, and at 03:00 while only one of them has changed its clocks."""
    ticks = [*islice(_times(_schedule(_settings(tmp_path), "daily_europe"), datetime(2024, 3, 9, tzinfo=UTC)), 30)]
    hours = {tick.astimezone(NEW_YORK).date(): tick.astimezone(NEW_YORK).hour for tick in ticks}
    assert (hours[date(2024, 3, 9)], hours[date(2024, 3, 10)]) == (2, 3)
    assert (hours[date(2024, 3, 30)], hours[date(2024, 3, 31)]) == (3, 2)


def test_each_region_asks_for_its_own(tmp_path: Path) -> None:
    """Together the two ask for the whole catalog, nothing twice, and signals follow in the same run."""
    at = datetime(2024, 3, 29, 12, tzinfo=UTC)
    us, europe = (_asked(_tick(_schedule(_settings(tmp_path), name), at)) for name in ZONES)
    assert europe == ["itraxx_main_5y", "itraxx_xover_5y"]
    assert sorted([*us, *europe]) == sorted(load_catalog().names())
    assert "cash_cds_basis_ig" in us


def test_run_key_is_schedule_and_date(tmp_path: Path) -> None:
    """A tick that is evaluated again, after a crash, launches no second run; that of another day does."""
    schedule = _schedule(_settings(tmp_path), "daily_us")
    morning = datetime(2024, 3, 29, 7, tzinfo=NEW_YORK)
    assert _tick(schedule, morning).run_key == "daily_us:2024-03-29"
    assert _tick(schedule, morning + DAY).run_key == "daily_us:2024-03-30"


def test_schedules_are_off_unless_switched_on(tmp_path: Path) -> None:
    """One setting switches both on; either way the UI has the last word."""
    for schedules, status in ((False, dg.DefaultScheduleStatus.STOPPED), (True, dg.DefaultScheduleStatus.RUNNING)):
        definitions = build_definitions(_settings(tmp_path, schedules=schedules))
        assert {name: definitions.resolve_schedule_def(name).default_status for name in ZONES} == dict.fromkeys(
            ZONES, status
        )


def test_what_the_profile_cannot_serve_is_not_asked_for(tmp_path: Path) -> None:
    """A file that is missing fails no morning: without any, the tick is skipped, and says why."""
    (tmp_path / "files").mkdir()
    settings = Settings(root=tmp_path, dagster_home=tmp_path / ".dagster", profile="files", files=tmp_path / "files")
    schedule = _schedule(settings, "daily_us")
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2024, 3, 29, 12, tzinfo=UTC))
    told = schedule.evaluate_tick(context)
    assert told.run_requests == []
    assert "macrocredit doctor" in (told.skip_message or "")
    # whether a way is usable is looked at by each tick, not when the definitions were loaded
    (tmp_path / "files" / "fred_DGS10.csv").write_text("DATE,DGS10\n2024-03-27,4.20\n")
    assert _asked(_tick(schedule, datetime(2024, 3, 29, 12, tzinfo=UTC))) == ["ust_10y"]


def test_twelve_days_without_ticks_are_made_up_for_by_the_next(few: Settings) -> None:
    """The run that the tick asks for, executed, leaves no hole and no stale day, and says who launched it."""
    today = datetime.now(NEW_YORK).date()
    names = ["cdx_hy_5y", "vix", "cdx_vix_gap"]
    before = Window(today - 120 * DAY, today - 13 * DAY)
    assert run_backfill(few, names, before).success

    request = _tick(_schedule(few, "daily_us"), datetime.combine(today, datetime.min.time(), NEW_YORK).replace(hour=7))
    lacking = missing(Holdings(few, load_catalog(few.catalog)), "vix", Window(before.start, today - DAY))
    assert lacking
    assert today - 13 * DAY < _window(request).start <= today - 10 * DAY
    assert (_asked(request), _window(request).end) == (names, today - DAY)
    assert _window(request).start <= lacking.windows[0].end

    ran = _execute(few, request)
    assert ran.success
    whole = Window(before.start, today - DAY)
    holdings = Holdings(few, load_catalog(few.catalog))
    for name in names:
        assert not missing(holdings, name, Window(whole.start, today - 4 * DAY)), name  # what is not due yet may come
        assert not stale(holdings, name, whole), name
    (run,) = read_runs(few.logs_directory, 1).runs
    assert (run.status, run.header.launched_by) == ("success", "schedule:daily_us")

    # the next morning has nothing to make up for
    tomorrow = datetime.combine(today + DAY, datetime.min.time(), NEW_YORK).replace(hour=7)
    assert _window(_tick(_schedule(few, "daily_us"), tomorrow)).start == today - 9 * DAY


def test_morning_that_changes_nothing_writes_nothing(few: Settings) -> None:
    """The same request again leaves every byte as it is."""
    at = datetime.combine(datetime.now(NEW_YORK).date(), datetime.min.time(), NEW_YORK).replace(hour=7)
    schedule = _schedule(few, "daily_europe")
    assert _execute(few, _tick(schedule, at)).success
    path = few.dataset_path("market", "itraxx_main_5y")
    before = (path.stat().st_mtime_ns, path.read_bytes())
    assert _execute(few, _tick(schedule, at)).success
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before
    (last,) = read_runs(few.logs_directory, 1).runs
    assert (last.assets["itraxx_main_5y"]["inserted"], last.assets["itraxx_main_5y"]["status"]) == (0, "unchanged")


def _execute(settings: Settings, request: dg.RunRequest) -> dg.JobExecutionResult:
    """Run a request as the daemon would launch it, in this process."""
    job = dg.build_reconstructable_job(
        "macrocredit_assets.orchestration.launch",
        "ingest_job",
        reconstructable_args=(json.dumps({"root": str(settings.root), "dagster_home": str(settings.dagster_home),
                                          "files": None, "catalog": str(settings.catalog)}),),
    )  # fmt: skip
    schedule = (request.run_key or "").partition(":")[0]
    with open_instance(settings.dagster_home) as instance:
        return dg.execute_job(
            job,
            instance=instance,
            tags={**request.tags, SCHEDULE: schedule},
            asset_selection=[*(request.asset_selection or ())],
        )
