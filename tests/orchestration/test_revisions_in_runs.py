"""Runs and the history they leave: vanished rows, withdrawals, another series, days that are not published yet."""

import dataclasses
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pandas as pd
import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.catalog.definition import definition_of
from macrocredit_assets.orchestration.instance import open_instance
from macrocredit_assets.orchestration.launch import BackfillOutcome, run_backfill
from macrocredit_assets.settings import Settings
from macrocredit_assets.stores import open_store
from macrocredit_assets.windows import Window

_WEEK = Window.parse("2024-01-08", "2024-01-14")
_FULL = ["2024-01-08,4.01", "2024-01-09,4.02", "2024-01-10,4.04", "2024-01-11,3.98", "2024-01-12,3.96"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return a deployment of profile files."""
    (tmp_path / "files").mkdir()
    return Settings(root=tmp_path, dagster_home=tmp_path / ".dagster", profile="files", files=tmp_path / "files")


@pytest.fixture
def first_run(settings: Settings) -> BackfillOutcome:
    """Return a run that stored five days of the ten-year yield."""
    _archive(settings, _FULL)
    return run_backfill(settings, ["ust_10y"], _WEEK)


def _archive(settings: Settings, rows: list[str], name: str = "fred_DGS10.csv") -> None:
    assert settings.files is not None
    (settings.files / name).write_text("\n".join(["DATE,DGS10", *rows]) + "\n")


def _record(outcome: BackfillOutcome) -> dict[str, object]:
    return json.loads(outcome.run_log.read_text())["assets"]["ust_10y"]


def _yields(settings: Settings) -> dict[str, float]:
    frame = pd.read_parquet(settings.dataset_path("market", "ust_10y"))
    return {f"{day:%Y-%m-%d}": value for day, value in frame["yield"].items()}


def test_vanished_row_is_kept_and_is_a_finding(settings: Settings, first_run: BackfillOutcome) -> None:
    """A source that shrinks costs nothing; run log, registry and Dagster say what it no longer has."""
    _archive(settings, [row for row in _FULL if "01-10" not in row])
    again = run_backfill(settings, ["ust_10y"], _WEEK)
    assert again.success
    assert _yields(settings)["2024-01-10"] == 4.04
    record = _record(again)
    assert (record["vanished"], record["withdrawn"], record["status"]) == (1, 0, "unchanged")
    assert [finding["rule"] for finding in record["findings"]] == ["vanished"]
    registry = json.loads(settings.registry_path.read_text())["ust_10y"]
    assert [finding["rule"] for finding in registry["metadata"]["findings"]] == ["vanished"]


def test_unchanged_write_leaves_the_file_alone(settings: Settings, first_run: BackfillOutcome) -> None:
    """Neither bytes nor time of the file change; the registry notes when it was last checked."""
    path = settings.dataset_path("market", "ust_10y")
    before, registry = path.stat().st_mtime_ns, json.loads(settings.registry_path.read_text())["ust_10y"]
    again = run_backfill(settings, ["ust_10y"], _WEEK)
    assert _record(again)["status"] == "unchanged"
    assert path.stat().st_mtime_ns == before
    after = json.loads(settings.registry_path.read_text())["ust_10y"]
    assert after["metadata"]["last_checked"] > registry["metadata"]["last_checked"]
    assert after["last_updated"] == registry["last_updated"]
    assert len(open_store(settings, load_catalog().entry("ust_10y")).revisions()) == 1


def test_history_that_a_source_cut_off_is_not_withdrawn(settings: Settings, first_run: BackfillOutcome) -> None:
    """Rows before the first date that the source still has stay, even where withdrawals are allowed."""
    _archive(settings, _FULL[3:])
    again = run_backfill(settings, ["ust_10y"], _WEEK, allow_withdrawals=True)
    assert again.success
    assert len(_yields(settings)) == 5
    assert _record(again)["withdrawn"] == 0


def test_withdrawal_is_asked_for_by_name(settings: Settings, first_run: BackfillOutcome) -> None:
    """With withdrawals allowed the row leaves the current file, and stays in what was known before."""
    _archive(settings, [row for row in _FULL if "01-10" not in row])
    again = run_backfill(settings, ["ust_10y"], _WEEK, allow_withdrawals=True)
    assert _record(again)["withdrawn"] == 1
    assert "2024-01-10" not in _yields(settings)
    store = open_store(settings, load_catalog().entry("ust_10y"))
    first, second = store.revisions()
    assert [revision.run_id for revision in (first, second)] == [first_run.run_id, again.run_id]
    assert len(store.read_frame(as_of=first.known_at)) == 5


def test_another_series_is_refused_until_a_switch_is_asked_for(
    settings: Settings, first_run: BackfillOutcome, tmp_path: Path
) -> None:
    """Rows of another series stop the write, and name the command; the switch closes the old series."""
    shipped = load_catalog().datasets["ust_10y"]
    way = next(way for way in shipped.ways if way.source == "file").model_dump(mode="json")
    entry = shipped.model_dump(mode="json", exclude={"name", "kind"}) | {
        "ways": [{**way, "series": "desk:DGS10", "path": "desk.csv"}]
    }
    (tmp_path / "ours.yaml").write_text(json.dumps({"datasets": {"ust_10y": entry}}))
    ours = dataclasses.replace(settings, catalog=tmp_path / "ours.yaml")
    _archive(ours, ["2024-01-09,4.00"], "desk.csv")
    refused = run_backfill(ours, ["ust_10y"], _WEEK)
    assert not refused.success
    assert "--switch-series" in str(_record(refused)["error"])
    assert len(_yields(settings)) == 5

    switched = run_backfill(ours, ["ust_10y"], _WEEK, switch_reason="the desk marks its own")
    assert switched.success
    assert _yields(ours) == {"2024-01-09": 4.0}
    store = open_store(ours, load_catalog(ours.catalog).entry("ust_10y"))
    closed, opened = store.revisions()
    assert (closed.series, opened.series) == ("fred:DGS10", "desk:DGS10")
    assert opened.reason == "the desk marks its own"
    assert len(store.read_frame(as_of=closed.known_at)) == 5


@pytest.fixture
def wednesday() -> Iterator[None]:
    """Freeze the clock of partitions: Wednesday 2024-01-10, eight in the morning in New York."""
    with dg.partition_loading_context(effective_dt=datetime(2024, 1, 10, 8, tzinfo=ZoneInfo("America/New_York"))):
        yield


@pytest.mark.usefixtures("wednesday")
def test_session_inside_its_lag_is_green_and_not_covered(settings: Settings) -> None:
    """Tuesday's yield is published on Wednesday evening: its partition says so, and it is asked for again."""
    _archive(settings, _FULL[:1])
    window = Window.parse("2024-01-08", "2024-01-09")
    assert run_backfill(settings, ["ust_10y"], window).success
    key = dg.AssetKey("ust_10y")
    with open_instance(settings.dagster_home) as instance:
        assert instance.get_materialized_partitions(key) == {"2024-01-08", "2024-01-09"}
        records = instance.fetch_materializations(key, limit=10).records
    days = {record.partition_key: record.asset_materialization.metadata for record in records}
    assert days["2024-01-08"]["state"].value == "present"
    assert days["2024-01-09"]["state"].value == "not_yet_published"
    head = open_store(settings, load_catalog().entry("ust_10y")).head()
    assert head is not None
    assert str(head.coverage) == "2024-01-08..2024-01-08"


def test_signal_records_what_it_saw_of_its_inputs(settings: Settings) -> None:
    """Revision and instant of each input stand beside the signal's rows, and the definition that made them."""
    sample = dataclasses.replace(settings, profile="sample")
    names = ["cdx_ig_5y", "us_ig_oas", "cash_cds_basis_ig"]
    assert run_backfill(sample, names, _WEEK).success
    catalog = load_catalog()
    (seen,) = open_store(sample, catalog.entry("cash_cds_basis_ig")).seen()
    assert seen.window == _WEEK
    assert seen.definition == definition_of(catalog.signals["cash_cds_basis_ig"], catalog)
    for name in names[:2]:
        (revision,) = open_store(sample, catalog.entry(name)).revisions()
        assert (seen.inputs[name].revision, seen.inputs[name].known_at) == (1, revision.known_at)
