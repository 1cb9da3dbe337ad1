"""The parent's side: contestants as processes, each in its environment, told what to do in turn.

What belongs here: starting and ending processes, and what they say. What is asked of them stands in ``work.py``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.slow_disk import slow_disk

__all__ = ["CONTESTANTS", "Contestant", "ContestantError", "Crew"]

_HERE = Path(__file__).resolve().parent


class ContestantError(Exception):
    """A contestant failed at something that it says it can do."""


@dataclass(frozen=True)
class Contestant:
    """Who takes part.

    Parameters
    ----------
    name
        As tables show it.
    module
        Its program.
    packages
        What its own environment holds; empty where it runs in this one.
    """

    name: str
    module: str
    packages: tuple[str, ...] = ()


CONTESTANTS = {
    "ours": Contestant("macrocredit_assets", "ours"),
    "seed": Contestant("pandas, json", "seed"),
    "arrow": Contestant("pyarrow", "arrow"),
    "polars": Contestant("polars", "polars_"),
    "duckdb": Contestant("DuckDB", "duckdb_"),
    "arctic": Contestant("ArcticDB on LMDB", "arctic", ("arcticdb==6.28.2", "pandas<3", "numpy")),
}


@dataclass
class Crew:
    """Contestants' processes, started when they are first asked and ended together.

    Parameters
    ----------
    folder
        Below which each has one.
    flush_ms
        How much longer their disk takes to flush than that of this machine.
    """

    folder: Path
    flush_ms: float = 0
    _processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    _absent: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.stdin.close()
            process.wait()

    def ask(self, who: str, call: str, **arguments: object) -> dict[str, Any]:
        """Have a contestant do something, and return what it says: seconds, digest, rows, peak, or why it is absent.

        Raises
        ------
        ContestantError
            If it failed.
        """
        if who in self._absent:
            return {"absent": self._absent[who]}
        process = self._process(who)
        if process is None:
            return {"absent": self._absent[who]}
        process.stdin.write(json.dumps({"call": call, "with": arguments}) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            self._absent[who] = f"its process ended with {process.wait()}"
            raise ContestantError(f"{CONTESTANTS[who].name}: {self._absent[who]} at {call}")
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise ContestantError(f"{CONTESTANTS[who].name} failed at {call}:\n{reply['error']}")
        return reply

    def room(self, who: str) -> Path:
        """Return a contestant's folder, empty at the first time."""
        path = self.folder / who
        path.mkdir(exist_ok=True)
        return path

    @cached_property
    def _disk(self) -> dict[str, str] | None:
        """What the environment of the contestants needs for their disk; None where it cannot be had."""
        return slow_disk(self.folder, self.flush_ms) if self.flush_ms else {}

    def _process(self, who: str) -> subprocess.Popen[str] | None:
        if who not in self._processes:
            contestant = CONTESTANTS[who]
            command = [sys.executable]
            if contestant.packages:
                python = self._environment(contestant)
                if python is None:
                    return None
                command = [str(python)]
            elif not _importable(contestant):
                self._absent[who] = "not installed; uv sync --group bench brings it"
                return None
            if self._disk is None:
                self._absent[who] = "a slow disk is made by a C compiler, and there is no cc"
                return None
            self._processes[who] = subprocess.Popen(
                [*command, "-m", f"benchmarks.contestants.{contestant.module}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, **self._disk, "PYTHONPATH": str(_HERE.parent)},
            )
        return self._processes[who]

    def _environment(self, contestant: Contestant) -> Path | None:
        """Return the Python of an environment with the contestant's packages, made by uv at the first time."""
        folder = _HERE / ".environments" / contestant.module
        python = folder / "bin" / "python"
        if python.is_file():
            return python
        uv = shutil.which("uv")
        install = [uv, "pip", "install", "--no-config", "--quiet", "--python", str(python), *contestant.packages]
        try:
            if uv is None:
                raise FileNotFoundError("there is no uv")
            subprocess.run([uv, "venv", "--no-config", "--quiet", "--python", sys.executable, str(folder)], check=True)
            subprocess.run(install, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            self._absent[contestant.module] = f"its environment cannot be made: {error}"
            return None
        return python


def _importable(contestant: Contestant) -> bool:
    probe = f"import benchmarks.contestants.{contestant.module}"
    environment = {**os.environ, "PYTHONPATH": str(_HERE.parent)}
    done = subprocess.run([sys.executable, "-c", probe], env=environment, capture_output=True, check=False)
    return done.returncode == 0
