"""Ranges by Dagster's own command line, over holidays and weekends, on the shipped definitions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.holdings import Holdings
from macrocredit_assets.orchestration.instance import open_instance
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

NAMES = ("vix", "cdx_hy_5y", "cash_cds_basis_hy", "us_hy_oas", "spread_momentum_hy")
_DEADLINE_SECONDS = 120


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return a deployment of its own, without a file."""
    return Settings(root=tmp_path, dagster_home=tmp_path / ".dagster")


def _materialize(settings: Settings, first: str, last: str) -> subprocess.CompletedProcess[str]:
    """Run ``dagster asset materialize`` for a range, as one does in a checkout."""
    with open_instance(settings.dagster_home):
        pass
    command = [sys.executable, "-m", "dagster", "asset", "materialize", "-m", "macrocredit_assets.definitions"]
    environ = {"MACROCREDIT_ROOT": str(settings.root), "DAGSTER_HOME": str(settings.dagster_home)}
    return subprocess.run(
        [*command, "--select", ",".join(NAMES), "--partition-range", f"{first}...{last}"],
        env={**os.environ, **environ},
        cwd=settings.root,
        capture_output=True,
        text=True,
        timeout=_DEADLINE_SECONDS,
        check=False,
    )


def test_range_over_holidays_and_weekends_is_complete(settings: Settings) -> None:
    """One run covers every day from a Saturday before Christmas to New Year's Day, signals included."""
    window = Window.parse("2023-12-23", "2024-01-01")
    result = _materialize(settings, "2023-12-23", "2024-01-01")
    assert result.returncode == 0, result.stderr
    (log,) = [json.loads(path.read_text()) for path in settings.logs_directory.glob("*/[!.]*.json")]
    assert (log["status"], log["window"]) == ("success", str(window))
    assert log["assets"].keys() == {*NAMES}
    holdings = Holdings(settings, load_catalog())
    assert {name: str(holdings[name].coverage) for name in NAMES} == dict.fromkeys(NAMES, str(window))
    # the exchange is closed on Christmas and New Year's Day
    assert [str(day) for day in holdings["vix"].days] == [f"2023-12-{day}" for day in (26, 27, 28, 29)]
    keys = {*(f"2023-12-{day}" for day in range(23, 32)), "2024-01-01"}
    with open_instance(settings.dagster_home) as instance:
        for name in NAMES:
            assert instance.get_materialized_partitions(dg.AssetKey(name)) == keys
