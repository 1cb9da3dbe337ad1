"""Every setting there is, as one frozen object.

What belongs here: names, defaults and parsing of settings. Who reads the environment: ``definitions.py`` and ``cli``,
which pass it to :meth:`Settings.from_env`; nobody else.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast, get_args

from macrocredit_assets.errors import SettingsError

__all__ = ["VARIABLES", "Executor", "Profile", "Settings"]

Profile = Literal["sample", "files", "public", "terminal"]
Executor = Literal["in_process", "multiprocess"]

#: Every environment variable this package reads, with its default and meaning; the README's table is made of it.
VARIABLES: Mapping[str, tuple[str, str]] = {
    "MACROCREDIT_ROOT": (
        "the current directory",
        "the folder that holds data, logs and, by default, DAGSTER_HOME",
    ),
    "MACROCREDIT_PROFILE": ("sample", "which ways to the data are used: sample, files, public or terminal"),
    "MACROCREDIT_FILES": ("none", "the folder with the files that profile `files` reads"),
    "MACROCREDIT_CATALOG": ("none", "a catalog file of your own that extends or replaces the shipped one"),
    "MACROCREDIT_EXECUTOR": ("in_process", "how steps are executed: in_process or multiprocess"),
    "MACROCREDIT_SCHEDULES": ("off", "whether the daily schedules run unless the UI says otherwise: on or off"),
    "MACROCREDIT_NOTIFY": ("none", "what is told of a failed run: a command, or the http(s) address of a webhook"),
    "DAGSTER_HOME": ("`<root>/.dagster`", "Dagster's instance: runs, events, schedules"),
}


@dataclass(frozen=True)
class Settings:
    """What a deployment chose.

    Parameters
    ----------
    root
        Absolute path of the folder that holds everything.
    dagster_home
        Absolute path of the Dagster instance.
    profile
        Which ways to the data are used.
    files
        Folder that profile ``files`` reads, or None.
    catalog
        A user's own catalog file, or None.
    executor
        How steps are executed.
    schedules
        Whether the daily schedules run where nobody has switched them on or off in the UI.
    notify
        What is told of a failed run, a command or a webhook's address, or None. It may hold a secret: it is not shown.
    """

    root: Path
    dagster_home: Path
    profile: Profile = "sample"
    files: Path | None = None
    catalog: Path | None = None
    executor: Executor = "in_process"
    schedules: bool = False
    notify: str | None = field(default=None, repr=False)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings from an environment; an empty variable counts as unset.

        Raises
        ------
        SettingsError
            If a variable has a value that is not among the known ones.
        """
        root = _path(environ, "MACROCREDIT_ROOT") or Path.cwd()
        return cls(
            root=root,
            dagster_home=_path(environ, "DAGSTER_HOME") or root / ".dagster",
            profile=cast("Profile", _choice(environ, "MACROCREDIT_PROFILE", get_args(Profile))),
            files=_path(environ, "MACROCREDIT_FILES"),
            catalog=_path(environ, "MACROCREDIT_CATALOG"),
            executor=cast("Executor", _choice(environ, "MACROCREDIT_EXECUTOR", get_args(Executor))),
            schedules=_choice(environ, "MACROCREDIT_SCHEDULES", ("on", "off")) == "on",
            notify=_notifier(environ),
        )

    @property
    def data_directory(self) -> Path:
        """Where Parquet files and the registry lie."""
        return self.root / "data"

    @property
    def registry_path(self) -> Path:
        """The registry JSON."""
        return self.data_directory / "registry.json"

    @property
    def logs_directory(self) -> Path:
        """Where run logs lie, below one folder per date."""
        return self.root / "logs" / "runs"

    def dataset_path(self, kind: Literal["market", "signal"], name: str) -> Path:
        """Where one dataset's Parquet file lies: ``data/raw`` as published, ``data/processed`` as derived."""
        return self.data_directory / ("raw" if kind == "market" else "processed") / f"{name}.parquet"

    @property
    def kind(self) -> Literal["sample", "real"]:
        """Whether this profile brings simulated or observed data."""
        return "sample" if self.profile == "sample" else "real"


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    text = environ.get(name, "")
    return Path(text).expanduser().resolve() if text else None


def _choice(environ: Mapping[str, str], name: str, known: tuple[str, ...]) -> str:
    text = environ.get(name) or VARIABLES[name][0]
    if text not in known:
        raise SettingsError(f"{name}={text!r} is not known; use one of {', '.join(known)}.")
    return text


def _notifier(environ: Mapping[str, str]) -> str | None:
    text = environ.get("MACROCREDIT_NOTIFY", "").strip()
    try:
        shlex.split(text)
    except ValueError as error:
        # without the text: a webhook's address is a secret
        raise SettingsError(f"MACROCREDIT_NOTIFY is neither a command nor an address: {error}.") from error
    return text or None
