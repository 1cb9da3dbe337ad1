"""Runs of a whole profile in which one publisher fails: the others complete; log and ``status`` say which, and why."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from macrocredit_assets.orchestration import retries
from macrocredit_assets.orchestration.launch import run_backfill
from macrocredit_assets.persistence.run_log import RunDocument, read_run
from macrocredit_assets.testing.servers.faults import FAULTS
from macrocredit_assets.windows import Window

if TYPE_CHECKING:
    from conftest import World

SERVED = ["us_ig_oas", "us_hy_oas", "baa_10y", "ust_2y", "ust_10y", "vix"]
WEEK = Window.parse("2024-03-01", "2024-03-07")
MORNING = datetime(2024, 3, 8, 7, tzinfo=ZoneInfo("America/New_York"))
#: What is due until then, by the lags of the catalog.
LAST = {"us_ig_oas": "2024-03-05", "us_hy_oas": "2024-03-05"}


@pytest.fixture(autouse=True)
def _no_waits(impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Try steps again at once: when, the tests of retries say."""
    monkeypatch.setattr(retries, "FIRST_WAIT_SECONDS", 0.01)


def _run(world: World, **more: str) -> tuple[bool, RunDocument]:
    with dg.partition_loading_context(effective_dt=MORNING):
        outcome = run_backfill(world.settings(**more), SERVED, WEEK)
    return outcome.success, read_run(outcome.run_log)


def _check(world: World, run: RunDocument, failed: dict[str, str]) -> None:
    """Check the run log and ``macrocredit status`` of a run in which some datasets failed with errors of a type."""
    statuses = {name: asset["status"] for name, asset in run.assets.items()}
    assert statuses == dict.fromkeys(SERVED, "written") | dict.fromkeys(failed, "failed")
    errors = {name: error for name, asset in run.assets.items() if (error := asset.get("error"))}
    assert {name: error["type"] for name, error in errors.items()} == failed
    told = world.say("status", *SERVED, "--json")
    document = {entry["name"]: entry for entry in json.loads(told.stdout)["datasets"]}
    for name, entry in document.items():
        if name in failed:
            assert entry["state"] == "late"
            assert (entry["failure"]["type"], entry["failure"]["message"]) == (
                failed[name],
                errors[name]["message"],
            )
        else:
            assert (entry["state"], entry["failure"]) == ("complete", None), name
    shown = world.say("status", *SERVED)
    for error in errors.values():
        assert f"  {error['message'].splitlines()[0]}\n" in shown.output


def test_others_complete_while_two_fail(own_world: World) -> None:
    """One sends a login page and is not asked again, one is down however often it is asked; the next run mends both."""
    before = {name: body for name, body in own_world.kept().items() if "ust_10y" in name or "vix" in name}
    assert len(before) >= 4
    own_world.fred.install(FAULTS["login_page"], series="DGS10")
    own_world.cboe.install(FAULTS["unavailable"])
    success, run = _run(own_world)
    assert not success
    _check(own_world, run, {"ust_10y": "MalformedResponseError", "vix": "SourceUnavailableError"})
    assert before.items() <= own_world.kept().items()
    assert (run.assets["ust_10y"]["retries"], run.assets["vix"]["retries"]) == (0, retries.MAX_RETRIES)
    own_world.fred.clear()
    own_world.cboe.clear()
    success, run = _run(own_world)
    assert success
    assert {asset["status"] for asset in run.assets.values()} == {"written", "unchanged"}
    assert own_world.say("status", *SERVED, "--check").exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "error", "seconds"),
    [
        ("rate_limited", "RateLimitedError", "0.9"),
        ("slow_body", "SourceUnavailableError", "0.5"),
        ("reset_in_body", "SourceUnavailableError", "30"),
        ("not_found", "UnknownSeriesError", "30"),
        ("header_only", "EmptyResponseError", "30"),
        ("renamed_header", "SchemaChangedError", "30"),
        ("elsewhere", "UntrustedSourceError", "30"),
        ("gzip_bomb", "MalformedResponseError", "30"),
        ("conflicting", "RuleViolationError", "30"),
    ],
)
def test_others_complete_while_one_fails(own_world: World, name: str, error: str, seconds: str) -> None:
    """One kind of error after the other, each in a run of all datasets."""
    own_world.fred.install(FAULTS[name], series="BAMLH0A0HYM2")
    before = {name: body for name, body in own_world.kept().items() if "us_hy_oas" in name}
    success, run = _run(own_world, MACROCREDIT_HTTP_TIMEOUT=seconds)
    assert not success
    _check(own_world, run, {"us_hy_oas": error})
    assert before.items() <= own_world.kept().items()
