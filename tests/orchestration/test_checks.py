"""Checks under Dagster: after a write of a range, alone, and where they hold up what comes after them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run

from macrocredit_assets.catalog import arrow_schema, load_catalog
from macrocredit_assets.orchestration.build import build_definitions
from macrocredit_assets.orchestration.freshness_job import FRESHNESS_JOB
from macrocredit_assets.orchestration.instance import open_instance
from macrocredit_assets.orchestration.launch import BackfillOutcome, run_backfill
from macrocredit_assets.persistence import DatasetStore
from macrocredit_assets.persistence.run_log import find
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

WINDOW = Window.parse("2024-01-02", "2024-01-12")
NAMES = ("vix", "cdx_hy_5y", "cdx_vix_gap")
CHECKS = ("values", "continuity", "jumps", "source")


def _settings(root: Path) -> Settings:
    return Settings(root=root, dagster_home=root / ".dagster")


def _document(settings: Settings, run_id: str) -> dict[str, Any]:
    path = find(settings.logs_directory, run_id)
    assert path is not None
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def _evaluations(settings: Settings, run_id: str) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
    with open_instance(settings.dagster_home) as instance:
        logs = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    found = [entry.get_dagster_event().asset_check_evaluation_data for entry in logs]
    return {(one.asset_key.to_user_string(), one.check_name): one for one in found}


def _statuses(settings: Settings, name: str) -> set[tuple[str, str | None]]:
    """Return what the instance has of every check of a dataset: status, and partition."""
    with open_instance(settings.dagster_home) as instance:
        storage = instance.event_log_storage
        keys = [dg.AssetCheckKey(dg.AssetKey(name), check) for check in CHECKS]
        records = [one for key in keys for one in storage.get_asset_check_execution_history(key, limit=100)]
    return {(record.status.value, record.partition) for record in records}


def _run(settings: Settings, job: str, checks: Iterable[tuple[str, str]] | None = None) -> str:
    """Execute a job, or some checks of it, in this process and as a run without partitions, as the UI starts them."""
    selection = {dg.AssetCheckKey(dg.AssetKey(name), check) for name, check in checks} if checks else None
    definition = build_definitions(settings).resolve_job_def(job)
    if selection:
        definition = definition.get_subset(asset_check_selection=selection)
    with open_instance(settings.dagster_home) as instance:
        config = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        run = instance.create_run_for_job(definition, run_config=config)
        execute_run(InMemoryJob(definition), run, instance)
        return run.run_id


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, BackfillOutcome]:
    """Fill a root that nobody changes with two datasets and their signal, checks included."""
    settings = _settings(tmp_path_factory.mktemp("checked"))
    return settings, run_backfill(settings, NAMES, WINDOW)


@pytest.fixture(scope="module")
def held_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, BackfillOutcome]:
    """Run the same over a stored row of `vix` on a Saturday, which its source never had and which cannot be true."""
    settings = _settings(tmp_path_factory.mktemp("held_up"))
    store = DatasetStore(settings.dataset_path("market", "vix"), arrow_schema(load_catalog().entry("vix")))
    row = pd.DataFrame(9e5, pd.DatetimeIndex(["2024-01-06"], name="date"), ["open", "high", "low", "close"])
    store.write(Window.parse("2024-01-06", "2024-01-06"), row, series="sample:vix")
    return settings, run_backfill(settings, NAMES, WINDOW)


def test_range_is_checked_in_one_step_per_dataset(checked: tuple[Settings, BackfillOutcome]) -> None:
    """After a range each check has been made once, of the whole range; the run log has what came of it."""
    settings, outcome = checked
    assert outcome.success
    found = _evaluations(settings, outcome.run_id)
    expected = {(name, check) for name in ("vix", "cdx_hy_5y") for check in CHECKS}
    assert found.keys() == expected | {("cdx_vix_gap", check) for check in ("values", "source")}
    for evaluation in found.values():
        assert evaluation.partition is None
        assert evaluation.metadata["window"].value == str(WINDOW)
    assert found["vix", "values"].blocking
    assert not found["vix", "jumps"].blocking
    document = _document(settings, outcome.run_id)
    assert document["checks"]["vix"] == dict.fromkeys(CHECKS, "passed")
    assert set(document["checks"]) == set(document["assets"]) == set(NAMES)


def test_rules_stand_with_the_check_and_not_with_every_result(checked: tuple[Settings, BackfillOutcome]) -> None:
    """What a check asks names each rule, its severity and what it means; a result that found nothing says how many."""
    settings, outcome = checked
    key = dg.AssetCheckKey(dg.AssetKey("vix"), "values")
    asked = build_definitions(settings).resolve_asset_graph().get_check_spec(key).description or ""
    lines = [line for line in asked.splitlines() if line.startswith("- ")]
    assert "- `hard_bounds` (error): A value that cannot be true at all." in lines
    assert "- `ohlc_order` (warning): Open or close outside low..high, or low above high." in lines
    result = _evaluations(settings, outcome.run_id)["vix", "values"]
    assert result.description == f"{len(lines)} rules looked at {WINDOW} and found nothing."
    assert set(result.metadata) == {"window"}


def test_result_is_about_the_materialization_of_its_run(checked: tuple[Settings, BackfillOutcome]) -> None:
    """Dagster shows a result beside the materialization that it judges: the last one of the asset."""
    settings, outcome = checked
    target = _evaluations(settings, outcome.run_id)["vix", "values"].target_materialization_data
    with open_instance(settings.dagster_home) as instance:
        (last,) = instance.fetch_materializations(dg.AssetKey("vix"), limit=1).records
    assert target is not None
    assert (target.run_id, target.storage_id) == (outcome.run_id, last.storage_id)


def test_no_check_stays_planned(checked: tuple[Settings, BackfillOutcome]) -> None:
    """Stock storage plans a check for every partition of its run; a check without partitions never ends those."""
    settings, _ = checked
    assert _statuses(settings, "vix") == {("SUCCEEDED", None)}


def test_failed_check_of_values_holds_up_the_signals(held_up: tuple[Settings, BackfillOutcome]) -> None:
    """The run fails, the signal is skipped with check and dataset as the reason; what was fetched is written."""
    settings, outcome = held_up
    assert not outcome.success
    document = _document(settings, outcome.run_id)
    assert (document["status"], document["error"]) == ("failure", None)
    assert document["checks"]["vix"]["values"] == "failed"
    statuses = {name: entry["status"] for name, entry in document["assets"].items()}
    assert statuses == {"cdx_hy_5y": "written", "vix": "written", "cdx_vix_gap": "skipped"}
    assert document["assets"]["vix"]["error"] is None
    assert document["assets"]["cdx_vix_gap"]["error"] == {
        "type": "UpstreamFailed",
        "message": "Not run, because the check 'values' of vix failed in this run.",
    }
    assert not settings.dataset_path("signal", "cdx_vix_gap").exists()


def test_failed_check_shows_what_it_found(held_up: tuple[Settings, BackfillOutcome]) -> None:
    """An error is red and a warning yellow; the offending rows stand beside the sentence."""
    settings, outcome = held_up
    found = _evaluations(settings, outcome.run_id)
    values = found["vix", "values"]
    assert (values.passed, values.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "hard_bounds" in (values.description or "")
    # the source check tells of the row as well: it did not come again
    assert (found["vix", "source"].passed, found["vix", "source"].severity) == (False, dg.AssetCheckSeverity.WARN)
    table = values.metadata["rows"]
    assert isinstance(table, dg.TableMetadataValue)
    rows = [row.data for row in table.records]
    assert {"rule": "hard_bounds", "date": "2024-01-06", "values": "close 900000"} in rows


def test_checks_run_alone_over_everything_stored(held_up: tuple[Settings, BackfillOutcome]) -> None:
    """Started from the UI a check has no partitions: it looks at all rows, and at no other check's."""
    settings, _ = held_up
    run_id = _run(settings, "__ASSET_JOB", [("vix", "values"), ("cdx_hy_5y", "continuity")])
    found = _evaluations(settings, run_id)
    assert set(found) == {("vix", "values"), ("cdx_hy_5y", "continuity")}
    assert {evaluation.metadata["window"].value for evaluation in found.values()} == {str(WINDOW)}
    document = _document(settings, run_id)
    assert (document["status"], document["error"], document["window"]) == ("failure", None, None)
    assert document["assets"] == {}
    assert document["checks"] == {"vix": {"values": "failed"}, "cdx_hy_5y": {"continuity": "passed"}}


def test_accepted_rules_of_a_run_are_waived(held_up: tuple[Settings, BackfillOutcome]) -> None:
    """A run that accepts the rule is not held up by it: its signals are computed."""
    settings, _ = held_up
    outcome = run_backfill(settings, NAMES, WINDOW, accept=["hard_bounds"])
    document = _document(settings, outcome.run_id)
    assert (outcome.success, document["checks"]["vix"]["values"]) == (True, "warning")
    assert document["assets"]["cdx_vix_gap"]["error"] is None


def test_morning_without_a_run_turns_amber(checked: tuple[Settings, BackfillOutcome]) -> None:
    """The job of the schedule looks at the sources alone; what is late is a warning, of signals as well."""
    settings, _ = checked
    run_id = _run(settings, FRESHNESS_JOB)
    document = _document(settings, run_id)
    assert (document["status"], document["checks"]["vix"]) == ("success", {"source": "warning"})
    # nothing is stored of the others
    assert {name for name, came in document["checks"].items() if came["source"] == "warning"} == set(NAMES)
    found = _evaluations(settings, run_id)
    late = found["vix", "source"]
    assert (late.severity, "was due on 2024-01-17" in (late.description or "")) == (dg.AssetCheckSeverity.WARN, True)
    assert "cdx_hy_5y, vix had nothing for it" in (found["cdx_vix_gap", "source"].description or "")


def test_check_that_cannot_look_fails_the_run_and_says_why(tmp_path: Path) -> None:
    """A file that does not parse is the failure of the run, in the words of the error."""
    settings = _settings(tmp_path)
    settings.dataset_path("market", "vix").parent.mkdir(parents=True)
    settings.dataset_path("market", "vix").write_bytes(b"no parquet")
    document = _document(settings, _run(settings, "__ASSET_JOB", [("vix", "values")]))
    assert (document["status"], document["checks"]) == ("failure", {})
    assert document["error"]["type"] == "CorruptFileError"
    assert document["error"]["message"].startswith("vix could not be checked: ")
    assert "vix.parquet" in document["error"]["message"]
