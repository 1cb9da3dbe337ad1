"""What the instance knows of runs that were killed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from macrocredit_assets.backfills import written
from macrocredit_assets.orchestration.backfills import settle
from macrocredit_assets.orchestration.instance import open_instance
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

#: Kills itself after its second write: before the registry is told of it, or before Dagster is.
_KILLED = """
import os, signal, sys
from pathlib import Path
from macrocredit_assets import writing
from macrocredit_assets.orchestration import io_manager
from macrocredit_assets.orchestration.launch import run_backfill
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

root, run_id, before = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
module, name = {"registry": (writing, "sync"), "instance": (io_manager, "set_partition_metadata")}[before]
told, calls = getattr(module, name), []

def last_words(*arguments, **options):
    calls.append(arguments)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return told(*arguments, **options)

setattr(module, name, last_words)
settings = Settings(root=root, dagster_home=root / ".dagster")
run_backfill(settings, ["vix", "move"], Window.parse("2024-01-02", "2024-01-06"), run_id=run_id)
"""
_RUN = "0d4a2c4e-8a0e-4f0e-9f4e-3f1c1a2b3c4d"
_WINDOW = Window.parse("2024-01-02", "2024-01-06")


def _kill(root: Path, before: str) -> Settings:
    command = [sys.executable, "-c", _KILLED, str(root), _RUN, before]
    assert subprocess.run(command, check=False, timeout=60).returncode == -9
    return Settings(root=root, dagster_home=root / ".dagster")


def _materialized(settings: Settings) -> dict[str, int]:
    with open_instance(settings.dagster_home) as instance:
        keys = {name: instance.get_materialized_partitions(dg.AssetKey(name)) for name in ("vix", "move")}
    return {name: len(days) for name, days in keys.items()}


def test_instance_is_told_what_a_killed_run_owes_it(tmp_path: Path) -> None:
    """What file, run log and registry have is complete; its materializations are made up for, once, in its own run."""
    settings = _kill(tmp_path, "instance")
    assert written(settings, [_RUN]) == {_RUN: {"vix": _WINDOW, "move": _WINDOW}}
    assert sorted(_materialized(settings).values()) == [0, 5]
    assert settle(settings, [_RUN, "never begun"]) == {_RUN: {"vix", "move"}, "never begun": frozenset()}
    assert _materialized(settings) == {"vix": 5, "move": 5}
    assert settle(settings, [_RUN]) == {_RUN: {"vix", "move"}}
    with open_instance(settings.dagster_home) as instance:
        events = instance.all_logs(_RUN, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        run = instance.get_run_by_id(_RUN)
    # every day of both, told or made up for, with the same words: a Saturday is closed
    said = [event.asset_materialization for event in events if event.asset_materialization]
    described = {
        (one.asset_key.to_user_string(), one.partition): {key: value.value for key, value in one.metadata.items()}
        for one in said
    }
    assert len(said) == len(described) == 10
    (path,) = settings.logs_directory.glob("*/[!.]*.json")
    for name in ("vix", "move"):
        closed = {**described[name, "2024-01-06"]}
        assert (closed["state"], closed["dagster/partition_row_count"]) == ("closed", 0)
        assert closed["run_log"] == str(path)
        stored = pd.read_parquet(settings.dataset_path("market", name))
        assert described[name, "2024-01-03"]["close"] == stored.loc["2024-01-03", "close"]
    # and the run itself is over, for Dagster as well as for its log
    assert run is not None
    assert run.status == dg.DagsterRunStatus.FAILURE
    assert json.loads(path.read_text())["status"] == "aborted"


@pytest.mark.slow
def test_what_the_registry_does_not_know_is_not_complete(tmp_path: Path) -> None:
    """A dataset whose file was written, and nobody told of it but the run log, is to be asked for again."""
    settings = _kill(tmp_path, "registry")
    assert written(settings, [_RUN])[_RUN].keys() == {"vix", "move"}
    registered = json.loads(settings.registry_path.read_text()).keys()
    assert len(registered) == 1
    assert settle(settings, [_RUN]) == {_RUN: registered}
    assert {name for name, days in _materialized(settings).items() if days} == registered
