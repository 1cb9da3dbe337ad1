"""A run that stores rows in spite of a rule, and the mornings after it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from macrocredit_assets.orchestration.launch import BackfillOutcome, run_backfill
from macrocredit_assets.persistence import DatasetStore
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Coverage, Window

_WEEK = Window.parse("2024-01-08", "2024-01-14")
_MORE = Window.parse("2024-01-09", "2024-01-16")
_ROWS = ["2024-01-08,4.01", "2024-01-09,4.02", "2024-01-10,404", "2024-01-11,3.98", "2024-01-12,3.96", "2024-01-16,4.0"]


def _run(settings: Settings, rows: list[str], window: Window, *accept: str) -> tuple[BackfillOutcome, dict[str, Any]]:
    assert settings.files is not None
    settings.files.mkdir(exist_ok=True)
    (settings.files / "fred_DGS10.csv").write_text("\n".join(["DATE,DGS10", *rows]) + "\n")
    outcome = run_backfill(settings, ["ust_10y"], window, accept=accept)
    return outcome, json.loads(outcome.run_log.read_text())


def test_accepted_rows_stop_no_later_morning(tmp_path: Path) -> None:
    """What a run accepted passes as it is stored, and so do its checks; with another value it is judged anew."""
    settings = Settings(root=tmp_path, dagster_home=tmp_path / ".dagster", profile="files", files=tmp_path / "files")
    rules = ("unit_slip", "hard_bounds")
    first, document = _run(settings, _ROWS[:5], _WEEK, *rules)
    assert first.success, document
    store = DatasetStore(settings.dataset_path("market", "ust_10y"))
    tenth = Coverage((Window(date(2024, 1, 10), date(2024, 1, 10)),))
    assert {(each.rule, each.dates, each.run_id) for each in store.accepted()} == {
        (rule, tenth, first.run_id) for rule in document["assets"]["ust_10y"]["accepted"]
    }
    assert "unit_slip" in document["assets"]["ust_10y"]["accepted"]
    assert document["checks"]["ust_10y"]["values"] != "failed"

    next_morning, document = _run(settings, _ROWS, _MORE)
    assert next_morning.success, document
    assert document["checks"]["ust_10y"]["values"] != "failed"
    assert document["assets"]["ust_10y"]["accepted"] == []

    restated, _ = _run(settings, [*_ROWS[:2], "2024-01-10,405", *_ROWS[3:]], _MORE)
    assert not restated.success
    assert store.read_frame().loc["2024-01-10", "yield"] == 404
    assert store.accepted()
