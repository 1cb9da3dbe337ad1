"""What every command starts from: the settings, yesterday's date, and how a command is written for the user's shell.

Here, and in ``definitions.py``, the environment is read; nowhere else.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import update_wrapper
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

import click

from macrocredit_assets.settings import SECRETS, VARIABLES, Settings

__all__ = ["Context", "with_context"]

P = ParamSpec("P")
R = TypeVar("R")

#: A command in a message, with the settings that stand before it; neither a path nor a version.
_COMMAND = re.compile(
    r"(?<![\w./-])(?P<given>(?:[A-Z_]+=(?:'[^']*'|\"[^\"]*\"|[^\s'\"`])*\s+)*)"
    r"(?:uv run )?macrocredit (?P<word>[a-z]+)\b"
)

_WAYS = (
    "MACROCREDIT_PROFILE",
    "MACROCREDIT_FILES",
    "MACROCREDIT_FRED_URL",
    "MACROCREDIT_FRED_API_URL",
    "MACROCREDIT_CBOE_URL",
    "MACROCREDIT_HTTP_TIMEOUT",
    "MACROCREDIT_LANDING_DAYS",
)
#: What commands need beside root and catalog: by which ways data come in, and where Dagster keeps its runs.
_NEEDED = {
    "backfill": (*_WAYS, "DAGSTER_HOME"),
    "doctor": (*_WAYS, "DAGSTER_HOME"),
    "ingest": (*_WAYS, "DAGSTER_HOME"),
    "prune": ("DAGSTER_HOME",),
    "runs": ("DAGSTER_HOME",),
    "trace": ("MACROCREDIT_FILES",),
    "ui": (*_WAYS, "DAGSTER_HOME"),
}


@dataclass(frozen=True)
class Context:
    """What a command knows before it does anything.

    Parameters
    ----------
    settings
        The settings of this invocation.
    yesterday
        The last closed day in New York.
    chosen
        The settings that stand in the environment, as they were written there; secrets are not among them.
    program
        How this program is started.
    """

    settings: Settings
    yesterday: date
    chosen: dict[str, str] = field(default_factory=dict)
    program: str = "macrocredit"

    @classmethod
    def of(cls, ctx: click.Context) -> Context:
        """Return what an invocation was given, or read environment and clock."""
        return ctx.find_object(cls) or cls.current()

    @classmethod
    def current(cls) -> Context:
        """Read environment and clock."""
        return cls(
            settings=Settings.from_env(os.environ),
            yesterday=datetime.now(ZoneInfo("America/New_York")).date() - timedelta(days=1),
            chosen={name: os.environ[name] for name in VARIABLES if name not in SECRETS and os.environ.get(name)},
            # a checkout run by uv has no `macrocredit` on the PATH of the shell that reads our advice
            program="uv run macrocredit" if "UV_RUN_RECURSION_DEPTH" in os.environ else "macrocredit",
        )

    def command(self, *words: str) -> str:
        """Return a command line for the user's shell, with the settings it needs to speak of the same data."""
        return self.localized(shlex.join(("macrocredit", *words)))

    def localized(self, text: str) -> str:
        """Return a message with every ``macrocredit ...`` in it written for the user's shell.

        The library does not know how it was started. A command keeps the settings that stand before it and gets those
        of this invocation that it lacks; done twice, nothing changes.
        """
        return _COMMAND.sub(self._completed, text)

    def _completed(self, found: re.Match[str]) -> str:
        needed = ("MACROCREDIT_ROOT", "MACROCREDIT_CATALOG", *_NEEDED.get(found["word"], ()))
        given = found["given"]
        lacking = [
            f"{name}={shlex.quote(self.chosen[name])} "
            for name in needed
            if name in self.chosen and f"{name}=" not in given
        ]
        return f"{given}{''.join(lacking)}{self.program} {found['word']}"

    def shown(self, path: Path) -> str:
        """Return a path as people write it: relative to the current directory where it lies below."""
        here = Path.cwd()
        return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def with_context(command: Callable[Concatenate[Context, P], R]) -> Callable[P, R]:
    """Pass the :class:`Context` as first argument, read when the command runs and not before.

    ``--help`` therefore works whatever the settings are.
    """

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        return command(Context.of(click.get_current_context()), *args, **kwargs)

    return update_wrapper(run, command)
