"""A deployment made of the assets in ``defs_run_log.py``, driven as users drive one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.reconstruct import ReconstructableJob, ReconstructableRepository

from macrocredit_assets.orchestration.instance import ensure_home, open_instance
from macrocredit_assets.orchestration.tags import RANGE_END, RANGE_START
from macrocredit_assets.settings import Settings

_DEADLINE_SECONDS = 60.0


@dataclass
class Deployment:
    """A root, a home, and the code location that writes there."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """The settings that its environment describes."""
        return Settings.from_env(self.environ)

    @property
    def job(self) -> ReconstructableJob:
        """The implicit job of all its assets."""
        location = ReconstructableRepository.for_file(str(self.folder / "defs_run_log.py"), "defs", str(self.folder))
        return location.get_reconstructable_job("__ASSET_JOB")

    def execute(
        self, *names: str, start: str = "2024-01-02", end: str = "2024-01-05", **tags: str
    ) -> dg.JobExecutionResult:
        """Run some assets in this process."""
        with open_instance(self.settings.dagster_home) as instance:
            return dg.execute_job(
                self.job,
                instance=instance,
                tags={RANGE_START: start, RANGE_END: end, **tags},
                asset_selection=[dg.AssetKey(name) for name in names],
            )

    def materialize(self, *names: str, start: str = "2024-01-02", end: str = "2024-01-05") -> subprocess.Popen[str]:
        """Start ``dagster asset materialize`` in a process of its own."""
        select = ["-f", "defs_run_log.py", "--select", ",".join(names), "--partition-range", f"{start}...{end}"]
        command = [sys.executable, "-m", "dagster", "asset", "materialize", *select]
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env={**os.environ, **self.environ},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a terminal's Ctrl-C reaches a group of processes
        )
        self.processes.append(process)
        return process

    def wait_for(self, name: str) -> int:
        """Wait until an asset is at work, and return the pid of its process."""
        trace = self.settings.root / "ran" / name
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while not trace.exists():
            assert time.monotonic() < deadline, f"{name} has not begun"
            time.sleep(0.02)
        return int(trace.read_text())

    def ran(self) -> set[str]:
        """Return the assets whose functions were called."""
        folder = self.settings.root / "ran"
        return {path.name for path in folder.iterdir()} if folder.exists() else set()

    def run_log(self) -> dict[str, Any]:
        """Return the one run log there is."""
        (path,) = self.settings.logs_directory.glob("*/[!.]*.json")
        document: dict[str, Any] = json.loads(path.read_text())
        return document

    def run_status(self) -> dg.DagsterRunStatus:
        """Return what the instance says of the one run there is."""
        with open_instance(self.settings.dagster_home) as instance:
            (run,) = instance.get_runs()
            return run.status


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """Give a fresh deployment with an in-process executor, and end what it left running."""
    shutil.copy(Path(__file__).with_name("defs_run_log.py"), tmp_path)
    environ = {"MACROCREDIT_ROOT": str(tmp_path / "root"), "DAGSTER_HOME": str(tmp_path / "home")}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "root").mkdir()
    made = Deployment(tmp_path, environ)
    ensure_home(made.settings.dagster_home)
    yield made
    for process in made.processes:
        process.kill()
        process.communicate()


@pytest.fixture
def multiprocess(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """Give a fresh deployment that runs every step in a process of its own."""
    monkeypatch.setenv("MACROCREDIT_EXECUTOR", "multiprocess")
    deployment.environ["MACROCREDIT_EXECUTOR"] = "multiprocess"
    return deployment
