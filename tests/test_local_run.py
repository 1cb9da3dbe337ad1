"""Runs without Dagster leave a log like any other, however they end."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from macrocredit_assets.local_run import local_run
from macrocredit_assets.persistence.records import AssetRecord
from macrocredit_assets.persistence.run_log import RunDocument, read_run, read_runs
from macrocredit_assets.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return the settings of an empty root."""
    return Settings(root=tmp_path, dagster_home=tmp_path / ".dagster", profile="files")


def _only_run(settings: Settings) -> RunDocument:
    (run,) = read_runs(settings.logs_directory).runs
    return run


def test_run_is_on_record_from_its_start_to_its_end(settings: Settings) -> None:
    """While it goes on its log says ``started`` and names this process; at the end, what its dataset reported."""
    with local_run(settings, "migrate", "vix", kind="real", window="2024-01-01..2024-01-31") as log:
        begun = read_run(log.path)
        log.add(AssetRecord("vix", None, "unchanged"))
    assert (begun.status, begun.header.job, begun.header.launched_by) == ("started", "migrate", "macrocredit migrate")
    assert (begun.header.pid, begun.header.pid_started) == (os.getpid(), psutil.Process().create_time())
    assert {"macrocredit_assets", "dagster", "python"} <= set(begun.header.versions)
    ended = _only_run(settings)
    assert (ended.status, ended.assets["vix"]["status"], ended.header.run_id) == ("success", "unchanged", log.run_id)
    assert (ended.header.root_kind, ended.header.window) == ("real", "2024-01-01..2024-01-31")


@pytest.mark.parametrize(("error", "status"), [(ValueError("no"), "failure"), (SystemExit(3), "failure")])
def test_error_is_told_of_the_dataset_and_raised(settings: Settings, error: BaseException, status: str) -> None:
    """Whatever stops the block stands in the log, and is raised all the same."""
    with pytest.raises(type(error)), local_run(settings, "migrate", "vix", kind="real"):
        raise error
    run = _only_run(settings)
    assert (run.status, run.assets["vix"]["error"]["type"]) == (status, type(error).__name__)


def test_interrupt_cancels_the_run(settings: Settings) -> None:
    """Ctrl-C is no failure of the dataset."""
    with pytest.raises(KeyboardInterrupt), local_run(settings, "migrate", "vix", kind="real"):
        raise KeyboardInterrupt
    assert (_only_run(settings).status, _only_run(settings).assets) == ("canceled", {})
