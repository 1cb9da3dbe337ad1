"""Runs in this process: what they refuse, judge beside stored rows, and record."""

import dataclasses
from importlib import resources
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

import macrocredit_assets.catalog
from macrocredit_assets.errors import MacrocreditError
from macrocredit_assets.orchestration.instance import open_instance
from macrocredit_assets.orchestration.launch import run_backfill
from macrocredit_assets.persistence.run_log import read_run
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return a deployment of profile files, with an archive of the ten-year yield."""
    (tmp_path / "files").mkdir()
    settings = Settings(root=tmp_path, dagster_home=tmp_path / ".dagster", profile="files", files=tmp_path / "files")
    _archive(settings, "2024-01-02,3.95", "2024-01-03,3.91")
    return settings


def _archive(settings: Settings, *rows: str) -> None:
    assert settings.files is not None
    # the layout that the shipped catalog describes for this file
    (settings.files / "fred_DGS10.csv").write_text("DATE,DGS10\n" + "\n".join(rows) + "\n")


def test_yield_a_hundred_times_too_low_is_stopped_by_its_neighbours(settings: Settings) -> None:
    """0.0399 alone could be a yield; two days after 3.91 it is a fraction where a percentage was stored."""
    assert run_backfill(settings, ["ust_10y"], Window.parse("2024-01-02", "2024-01-03")).success
    _archive(settings, "2024-01-02,3.95", "2024-01-03,3.91", "2024-01-04,0.0399")
    refused = run_backfill(settings, ["ust_10y"], Window.parse("2024-01-04", "2024-01-04"))
    assert not refused.success
    assert "unit_slip" in refused.run_log.read_text()
    stored = pd.read_parquet(settings.dataset_path("market", "ust_10y"))
    assert stored["yield"].tolist() == [3.95, 3.91]

    error = read_run(refused.run_log).assets["ust_10y"]["error"]
    assert error["type"] == "RuleViolationError"
    assert error["message"].startswith("ust_10y 2024-01-04..2024-01-04: nothing was stored")
    with open_instance(settings.dagster_home) as instance:
        (event,) = instance.all_logs(refused.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    shown = event.get_dagster_event().step_failure_data.user_failure_data
    assert shown is not None
    first, *_, last = error["message"].splitlines()
    assert shown.description == "\n".join(
        [first, last, "In the UI: materialize the same partitions with the tag macrocredit/accept=unit_slip."]
    )
    table = shown.metadata["rows"]
    assert isinstance(table, dg.TableMetadataValue)
    assert [dict(row.data) for row in table.records] == [{"rule": "unit_slip", "date": "2024-01-04", "yield": 0.0399}]


def test_accepted_rule_is_stored_and_recorded(settings: Settings) -> None:
    """--accept stores a window in spite of a named rule."""
    assert run_backfill(settings, ["ust_10y"], Window.parse("2024-01-02", "2024-01-03")).success
    _archive(settings, "2024-01-02,3.95", "2024-01-03,3.91", "2024-01-04,0.0399")
    accepted = run_backfill(settings, ["ust_10y"], Window.parse("2024-01-04", "2024-01-04"), accept=["unit_slip"])
    assert accepted.success
    assert '"accepted": [\n        "unit_slip"\n      ]' in accepted.run_log.read_text()
    assert pd.read_parquet(settings.dataset_path("market", "ust_10y"))["yield"].tolist() == [3.95, 3.91, 0.0399]


def test_catalog_that_changed_between_two_runs_of_a_process_is_read_anew(settings: Settings) -> None:
    """What stands for one run does not stand for the next: a bound that was lowered meanwhile refuses a row."""
    catalog = settings.root / "catalog.yaml"
    shipped = resources.files(macrocredit_assets.catalog).joinpath("datasets.yaml").read_text("utf-8")
    catalog.write_text(shipped)
    settings = dataclasses.replace(settings, catalog=catalog)
    assert run_backfill(settings, ["ust_10y"], Window.parse("2024-01-02", "2024-01-02")).success
    lowered = shipped.replace("plausible: {low: 0, high: 10}", "plausible: {low: 0, high: 3}")
    catalog.write_text(lowered.replace("hard: {low: -3, high: 30}", "hard: {low: -3, high: 3.5}"))
    refused = run_backfill(settings, ["ust_10y"], Window.parse("2024-01-03", "2024-01-03"))
    assert not refused.success
    assert "hard_bounds" in refused.run_log.read_text()


def test_run_of_the_other_kind_is_refused_before_it_starts(settings: Settings) -> None:
    """A root is sample or real from its first write on."""
    assert run_backfill(settings, ["ust_10y"], Window.parse("2024-01-02", "2024-01-03")).success
    with pytest.raises(ValueError, match="MACROCREDIT_ROOT="):
        run_backfill(
            dataclasses.replace(settings, profile="sample"), ["ust_10y"], Window.parse("2024-01-02", "2024-01-03")
        )


def test_registry_that_does_not_parse_stops_the_write(settings: Settings) -> None:
    """Nothing is written of which the registry could not be told; the registry is left as it is."""
    assert run_backfill(settings, ["ust_10y"], Window.parse("2024-01-02", "2024-01-02")).success
    settings.registry_path.write_text('{"ust_10y": {"instr')
    refused = run_backfill(settings, ["ust_10y"], Window.parse("2024-01-03", "2024-01-03"))
    assert not refused.success
    assert "macrocredit registry rebuild" in refused.run_log.read_text()
    assert pd.read_parquet(settings.dataset_path("market", "ust_10y"))["yield"].tolist() == [3.95]
    assert settings.registry_path.read_text() == '{"ust_10y": {"instr'


def test_run_whose_log_cannot_be_begun_says_why(settings: Settings) -> None:
    """Where not even the run log can be written, the error has the reason, and nothing was stored."""
    settings.logs_directory.parent.mkdir(parents=True)
    settings.logs_directory.write_text("a file in the place of the folder")
    with pytest.raises(MacrocreditError, match=r"before its run log was begun.*runs"):
        run_backfill(settings, ["ust_10y"], Window.parse("2024-01-02", "2024-01-03"))
    assert not settings.data_directory.exists()


def test_step_processes_print_nothing_and_lose_no_event(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    """Steps in processes of their own are as quiet as in this one; what they would print is in the event log."""
    settings = dataclasses.replace(settings, executor="multiprocess")
    outcome = run_backfill(settings, ["ust_10y"], Window.parse("2024-01-02", "2024-01-03"))
    assert outcome.success
    assert capfd.readouterr() == ("", "")
    with open_instance(settings.dagster_home) as instance:
        told = {
            entry.dagster_event.event_type_value for entry in instance.all_logs(outcome.run_id) if entry.dagster_event
        }
    assert {"STEP_WORKER_STARTED", "STEP_SUCCESS", "ASSET_MATERIALIZATION", "ASSET_CHECK_EVALUATION"} <= told
    assert read_run(outcome.run_log).checks["ust_10y"]["values"] == "passed"


def test_few_slipped_rows_of_a_long_window_are_stopped(settings: Settings) -> None:
    """A restated history whose last days are a hundredth of what is stored changes nothing."""
    days = [f"{day:%Y-%m-%d}" for day in pd.bdate_range("2024-01-02", "2024-03-28")]
    window = Window.parse("2024-01-02", "2024-03-28")
    _archive(settings, *(f"{day},{4 + number / 100:.2f}" for number, day in enumerate(days)))
    assert run_backfill(settings, ["ust_10y"], window).success
    slipped = [f"{day},{(4 + number / 100) / (100 if number > 59 else 1)}" for number, day in enumerate(days)]
    _archive(settings, *slipped)
    refused = run_backfill(settings, ["ust_10y"], window)
    assert not refused.success
    assert "unit_slip" in refused.run_log.read_text()
    assert pd.read_parquet(settings.dataset_path("market", "ust_10y"))["yield"].min() == 4.0
