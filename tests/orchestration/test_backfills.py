"""What the instance knows of runs that were killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from macrocredit_assets.backfills import written
from macrocredit_assets.orchestration.backfills import settle
from macrocredit_assets.orchestration.instance import open_instance
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

#: Kills itself between the record of the second dataset's write and its materializations.
_KILLED = """
import os, signal, sys
from pathlib import Path
from macrocredit_assets.orchestration import io_manager
from macrocredit_assets.orchestration.launch import run_backfill
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

tell, told = io_manager.tell, []

def last_words(*arguments, **options):
    log = tell(*arguments, **options)
    told.append(log)
    if len(told) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return log

io_manager.tell = last_words
root = Path(sys.argv[1])
settings = Settings(root=root, dagster_home=root / ".dagster")
run_backfill(settings, ["vix", "move"], Window.parse("2024-01-02", "2024-01-05"), run_id=sys.argv[2])
"""
_RUN = "0d4a2c4e-8a0e-4f0e-9f4e-3f1c1a2b3c4d"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return a deployment in which a run was killed just after its second write."""
    command = [sys.executable, "-c", _KILLED, str(tmp_path), _RUN]
    assert subprocess.run(command, env={**os.environ}, check=False, timeout=60).returncode == -9
    return Settings(root=tmp_path, dagster_home=tmp_path / ".dagster")


def test_what_was_written_but_not_materialized_is_not_complete(settings: Settings) -> None:
    """The run log has both datasets, the instance one: the other is to be asked for again."""
    window = Window.parse("2024-01-02", "2024-01-05")
    assert written(settings, [_RUN]) == {_RUN: {"vix": window, "move": window}}
    completed = settle(settings, [_RUN, "never begun"])
    (done,) = completed[_RUN]
    with open_instance(settings.dagster_home) as instance:
        materialized = {name for name in ("vix", "move") if instance.get_materialized_partitions(dg.AssetKey(name))}
        run = instance.get_run_by_id(_RUN)
    assert materialized == {done}
    assert completed["never begun"] == frozenset()
    # and the run itself is over, for Dagster as well as for its log
    assert run is not None
    assert run.status == dg.DagsterRunStatus.FAILURE
    (path,) = settings.logs_directory.glob("*/[!.]*.json")
    assert json.loads(path.read_text())["status"] == "aborted"
