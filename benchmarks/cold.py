"""Work that is a process of its own: a run, a start, an import; timed from its start to its exit.

What belongs here: which commands stand for which work, ours and the peer's, in turn. Peak memory is that of the
largest process among a command and its children, as the system counts it.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks import files

__all__ = ["COLD", "MACROCREDIT", "PYTHON", "Cold", "Step", "clean_environment", "run"]

#: The interpreter of this environment, and the command line installed beside it.
PYTHON = sys.executable
MACROCREDIT = str(Path(PYTHON).with_name("macrocredit"))
_DAGSTER = str(Path(PYTHON).with_name("dagster"))


@dataclass(frozen=True)
class Step:
    """A command of one contestant.

    Parameters
    ----------
    who
        As tables show it.
    command
        Given the folder, what is run.
    units
        What the time is divided by: the partitions of a run, for contestants that do not do equally many.
    environment
        Given the folder, what is set.
    prepare
        Given the folder, what is made before every round, unmeasured.
    rounds
        How often; None is what the work says.
    """

    who: str
    command: Callable[[Path], list[str]]
    units: int = 1
    environment: Callable[[Path], Mapping[str, str]] = lambda _: {}
    prepare: Callable[[Path], None] = lambda _: None
    rounds: int | None = None


@dataclass(frozen=True)
class Cold:
    """One piece of work.

    Parameters
    ----------
    name, title
        For the command line, and for people.
    steps
        The contestants' commands, ours first.
    promise, holds
        What is promised, in words; and whether it holds, given the medians by contestant.
    rounds
        How often each command is run, in turn.
    most_mb
        What our peak memory may be, where that is promised.
    """

    name: str
    title: str
    steps: tuple[Step, ...]
    promise: str
    holds: Callable[[Mapping[str, float]], bool]
    rounds: int = 3
    most_mb: float = math.inf


def run(step: Step, folder: Path) -> tuple[float, float]:
    """Run a step once; return its seconds per unit and the peak in MB of what it started.

    Raises
    ------
    subprocess.CalledProcessError
        If it failed.
    """
    step.prepare(folder)
    environment = {**clean_environment(), **step.environment(folder)}
    command, told = step.command(folder), folder / "timed.json"
    timed = [PYTHON, str(Path(__file__).with_name("timed.py")), str(told), *command]
    done = subprocess.run(
        timed, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout)
    taken = json.loads(told.read_text(encoding="utf-8"))
    return taken["seconds"] / step.units, taken["peak_mb"]


def clean_environment() -> dict[str, str]:
    """Return the environment without settings of this package or of Dagster."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MACROCREDIT_", "DAGSTER_"))}
    return {**kept, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}


def _ours(folder: Path, **more: str) -> dict[str, str]:
    return {"MACROCREDIT_ROOT": str(folder / "root"), **more}


def _files(folder: Path) -> dict[str, str]:
    return _ours(folder, MACROCREDIT_PROFILE="files", MACROCREDIT_FILES=str(folder / "files"))


def _stock(folder: Path) -> dict[str, str]:
    return {"DAGSTER_HOME": str(folder / "home"), "BENCH_FOLDER": str(folder / "days")}


def _fresh(folder: Path) -> None:
    for name in ("root", "home", "days"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "home").mkdir()
    # telemetry has no place in a measurement, and this machine may have no network
    (folder / "home" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")


def _stock_run(job: str, start: str | None = None, end: str | None = None) -> list[str]:
    command = [_DAGSTER, "job", "execute", "-m", "benchmarks.stock", "-j", job]
    if start:
        command += [
            "--tags",
            f'{{"dagster/asset_partition_range_start": "{start}", "dagster/asset_partition_range_end": "{end}"}}',
        ]
    return command


def _morning(folder: Path) -> None:
    """Store five hundred days up to the day before yesterday: what the daily run finds every morning."""
    if (folder / "before").exists():
        shutil.rmtree(folder / "root", ignore_errors=True)
        shutil.copytree(folder / "before", folder / "root")
        return
    _fresh(folder)
    today = datetime.now(ZoneInfo("America/New_York")).date()
    start, end = today - timedelta(days=500), today - timedelta(days=2)
    command = [MACROCREDIT, "backfill", "--start", start.isoformat(), "--end", end.isoformat()]
    subprocess.run(command, env={**clean_environment(), **_ours(folder)}, cwd=folder, check=True, capture_output=True)
    shutil.copytree(folder / "root", folder / "before")


def _many_datasets(folder: Path) -> None:
    if not (folder / "catalog.yaml").exists():
        (folder / "catalog.yaml").write_text(files.catalog_of(1_000))


def _some_files(folder: Path) -> None:
    _fresh(folder)
    if not (folder / "files").exists():
        files.write_files(folder / "files")


COLD = (
    Cold(
        "import",
        "import macrocredit_assets.persistence, and its store",
        (
            # the package imports its parts when they are used: what is measured is one that is used
            Step(
                "macrocredit_assets",
                lambda _: [PYTHON, "-c", "from macrocredit_assets.persistence import DatasetStore, load_parquet"],
            ),
            Step("pandas and pyarrow.parquet", lambda _: [PYTHON, "-c", "import pandas, pyarrow.parquet"]),
        ),
        "at most 1.15 times",
        lambda medians: medians["macrocredit_assets"] <= 1.15 * medians["pandas and pyarrow.parquet"],
        rounds=11,
    ),
    Cold(
        "thousand",
        "load the code location of a catalog of 1,000 datasets",
        (
            Step(
                "macrocredit_assets",
                lambda _: [
                    PYTHON,
                    "-c",
                    "from macrocredit_assets.definitions import defs; defs.resolve_all_job_defs()",
                ],
                environment=lambda folder: _ours(folder, MACROCREDIT_CATALOG=str(folder / "catalog.yaml")),
                prepare=_many_datasets,
            ),
        ),
        "below 8 s",
        lambda medians: medians["macrocredit_assets"] < 8,
    ),
    Cold(
        "daily",
        "the daily run of all 21 assets with their checks, from a cold start to its exit",
        (
            Step(
                "macrocredit_assets",
                lambda _: [MACROCREDIT, "ingest"],
                environment=_ours,
                prepare=_morning,
            ),
            Step("import dagster, pandas", lambda _: [PYTHON, "-c", "import dagster, pandas"]),
            Step(
                "stock Dagster, 10 empty assets",
                lambda _: _stock_run("empty_job"),
                environment=_stock,
                prepare=_fresh,
                rounds=1,
            ),
            Step(
                "the same in one process",
                lambda _: _stock_run("empty_in_process"),
                environment=_stock,
                prepare=_fresh,
            ),
        ),
        "8 times faster than stock, within 3 imports",
        lambda medians: (
            medians["macrocredit_assets"] * 8 <= medians["stock Dagster, 10 empty assets"]
            and medians["macrocredit_assets"] <= 3 * medians["import dagster, pandas"]
        ),
    ),
    Cold(
        "partitions",
        "one asset, 7,671 daily partitions in one run; per partition",
        (
            Step(
                "macrocredit_assets",
                lambda _: [MACROCREDIT, "backfill", "vix", "--start", "2004-01-01", "--end", "2024-12-31"],
                units=7_671,
                environment=_ours,
                prepare=_fresh,
            ),
            Step(
                "stock Dagster (366 partitions)",
                lambda _: _stock_run("quotes_job", "2004-01-01", "2004-12-31"),
                units=366,
                environment=_stock,
                prepare=_fresh,
                rounds=1,
            ),
        ),
        "below 0.6 ms a partition, 40 times faster",
        lambda medians: (
            medians["macrocredit_assets"] < 0.0006
            and medians["macrocredit_assets"] * 40 <= medians["stock Dagster (366 partitions)"]
        ),
    ),
    Cold(
        "history",
        "16 datasets and 5 signals, 2004-2024, from files",
        (
            Step(
                "macrocredit_assets",
                lambda _: [MACROCREDIT, "backfill", "--start", "2004-01-01", "--end", "2024-12-31"],
                environment=_files,
                prepare=_some_files,
            ),
        ),
        "below 120 s and 600 MB",
        lambda medians: medians["macrocredit_assets"] < 120,
        rounds=1,
        most_mb=600,
    ),
)
