"""What every command starts from: the settings, yesterday's date, and how a command is written for the user's shell.

Here, and in ``definitions.py``, the environment is read; nowhere else.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import update_wrapper
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

import click

from macrocredit_assets.settings import VARIABLES, Settings

__all__ = ["Context", "with_context"]

P = ParamSpec("P")
R = TypeVar("R")


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
        The settings that stand in the environment, as they were written there.
    program
        How this program is started.
    """

    settings: Settings
    yesterday: date
    chosen: dict[str, str] = field(default_factory=dict)
    program: str = "macrocredit"

    @classmethod
    def current(cls) -> Context:
        """Read environment and clock."""
        return cls(
            settings=Settings.from_env(os.environ),
            yesterday=datetime.now(ZoneInfo("America/New_York")).date() - timedelta(days=1),
            chosen={name: os.environ[name] for name in VARIABLES if os.environ.get(name)},
            # a checkout run by uv has no `macrocredit` on the PATH of the shell that reads our advice
            program="uv run macrocredit" if "UV_RUN_RECURSION_DEPTH" in os.environ else "macrocredit",
        )

    def command(self, *words: str, root: bool = True, profile: bool = False) -> str:
        """Return a command line for the user's shell, with the settings it needs to speak of the same data.

        Parameters
        ----------
        words
            The command and its arguments.
        root, profile
            Whether it matters where data lie, and by which ways they come in.
        """
        needed = [*(["MACROCREDIT_ROOT"] if root else []), "MACROCREDIT_CATALOG"]
        needed += ["MACROCREDIT_PROFILE", "MACROCREDIT_FILES"] if profile else []
        settings = (f"{name}={shlex.quote(self.chosen[name])}" for name in needed if name in self.chosen)
        return " ".join((*settings, self.program, *map(shlex.quote, words)))

    def shown(self, path: Path) -> str:
        """Return a path as people write it: relative to the current directory where it lies below."""
        here = Path.cwd()
        return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def with_context(command: Callable[Concatenate[Context, P], R]) -> Callable[P, R]:
    """Pass the :class:`Context` as first argument, read when the command runs and not before.

    ``--help`` therefore works whatever the settings are.
    """

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        context = click.get_current_context().find_object(Context) or Context.current()
        return command(context, *args, **kwargs)

    return update_wrapper(run, command)
