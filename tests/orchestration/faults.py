"""A root with two datasets from the source in ``fault_source.py``, and a signal of them."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from macrocredit_assets.orchestration.launch import BackfillOutcome, run_backfill
from macrocredit_assets.settings import Executor, Settings
from macrocredit_assets.windows import Window

WINDOW = Window.parse("2024-01-02", "2024-01-05")
POOL = "source_fault"

_CATALOG = """
extends: none
datasets:
  left: &market
    title: Left
    instrument: LEFT
    group: made_up
    owner: team:desk
    description: Made up.
    calendar: weekdays
    publication_lag: 1
    main: value
    columns: {value: {unit: bp, decimals: 4}}
    ways:
      - {source: fault, series: "fault:left"}
  right:
    <<: *market
    ways:
      - {source: fault, series: "fault:right"}
signals:
  gap:
    title: Gap
    instrument: GAP
    group: made_up
    owner: team:desk
    description: Made up.
    calendar: weekdays
    main: value
    columns: {value: {unit: bp, decimals: 4}}
    function: cash_cds_basis
    inputs: {oas: {dataset: left, column: value}, spread: {dataset: right, column: value}}
    lookback: 0
"""


@dataclass(frozen=True)
class Faulty:
    """The root, and what the source shall do."""

    root: Path

    @classmethod
    def install(cls, folder: Path) -> Faulty:
        """Lay out an empty root, and beside it a package that has the source as an entry point."""
        package = folder / "packages"
        metadata = package / "fault_source-1.0.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: fault-source\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text("[macrocredit_assets.sources]\nfault = fault_source:FaultSource\n")
        shutil.copy(Path(__file__).with_name("fault_source.py"), package)
        root = folder / "root"
        (root / "faults").mkdir(parents=True)
        (root / "catalog.yaml").write_text(_CATALOG)
        return cls(root)

    @property
    def packages(self) -> Path:
        """The folder to put on the path."""
        return self.root.parent / "packages"

    @property
    def environ(self) -> dict[str, str]:
        """The variables that name the root and how it is used."""
        return {
            "MACROCREDIT_ROOT": str(self.root),
            "MACROCREDIT_PROFILE": "files",
            "MACROCREDIT_CATALOG": str(self.root / "catalog.yaml"),
            "DAGSTER_HOME": str(self.root / ".dagster"),
        }

    def settings(self, executor: Executor = "in_process") -> Settings:
        """Return the settings that the environment describes."""
        return Settings.from_env({**self.environ, "MACROCREDIT_EXECUTOR": executor})

    def tell(self, dataset: str, *faults: str) -> None:
        """Say what the source does at the coming attempts; after them it answers."""
        (self.root / "faults" / dataset).write_text("\n".join(faults))

    def attempts(self, dataset: str) -> list[int]:
        """Return the pid of each attempt so far."""
        path = self.root / "attempts" / dataset
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def backfill(self, *names: str, executor: Executor = "in_process") -> tuple[BackfillOutcome, dict[str, Any]]:
        """Run a backfill in this process; return its outcome and its log."""
        outcome = run_backfill(self.settings(executor), names, WINDOW)
        return outcome, json.loads(outcome.run_log.read_text())

    def run_logs(self) -> dict[str, dict[str, Any]]:
        """Return every run log by run id."""
        paths = self.settings().logs_directory.glob("*/[!.]*.json")
        return {path.stem: json.loads(path.read_text()) for path in paths}


def environment(faulty: Faulty, **more: str) -> dict[str, str]:
    """Return the environment of a process that serves this root."""
    path = os.pathsep.join(filter(None, [str(faulty.packages), os.environ.get("PYTHONPATH")]))
    return {**os.environ, **faulty.environ, "PYTHONPATH": path, **more}
