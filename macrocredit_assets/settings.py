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
from urllib.parse import unquote, urlsplit

from macrocredit_assets.errors import SettingsError

__all__ = ["SECRETS", "VARIABLES", "Executor", "Profile", "Settings"]

Profile = Literal["sample", "files", "public", "terminal"]
Executor = Literal["in_process", "multiprocess"]

_A_DAY = 86_400.0
_A_CENTURY = 36_500
_SHORTEST_KEY = 8

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
    "FRED_API_KEY": ("none", "a key for FRED's official API; without one, FRED's public CSV is asked"),
    "MACROCREDIT_FRED_URL": (
        "https://fred.stlouisfed.org/graph/fredgraph.csv",
        "where FRED's public CSV is asked for",
    ),
    "MACROCREDIT_FRED_API_URL": ("https://api.stlouisfed.org/fred", "where FRED's official API is"),
    "MACROCREDIT_CBOE_URL": (
        "https://cdn.cboe.com/api/global/us_indices/daily_prices",
        "the folder of Cboe's history files",
    ),
    "MACROCREDIT_HTTP_TIMEOUT": ("120", "the most seconds that one request may take, repetitions and waits included"),
    "MACROCREDIT_LANDING_DAYS": ("for ever", "for how many days the answers of sources are kept as they came"),
    "DAGSTER_HOME": ("`<root>/.dagster`", "Dagster's instance: runs, events, schedules"),
}

#: The variables whose values are written nowhere: neither in a message nor in the commands that one advises.
SECRETS = frozenset({"FRED_API_KEY", "MACROCREDIT_NOTIFY"})


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
    fred_api_key
        A key for FRED's official API, or None; a secret: it is not shown.
    fred_url, fred_api_url, cboe_url
        Where sources are asked; without a slash at the end.
    http_timeout
        The most seconds that one request may take, repetitions and waits included.
    landing_days
        For how many days answers of sources are kept; None is for ever.
    """

    root: Path
    dagster_home: Path
    profile: Profile = "sample"
    files: Path | None = None
    catalog: Path | None = None
    executor: Executor = "in_process"
    schedules: bool = False
    notify: str | None = field(default=None, repr=False)
    fred_api_key: str | None = field(default=None, repr=False)
    fred_url: str = VARIABLES["MACROCREDIT_FRED_URL"][0]
    fred_api_url: str = VARIABLES["MACROCREDIT_FRED_API_URL"][0]
    cboe_url: str = VARIABLES["MACROCREDIT_CBOE_URL"][0]
    http_timeout: float = float(VARIABLES["MACROCREDIT_HTTP_TIMEOUT"][0])
    landing_days: int | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings from an environment; an empty variable counts as unset.

        Raises
        ------
        SettingsError
            If a variable has a value that is not among the known ones.
        """
        root = _path(environ, "MACROCREDIT_ROOT") or Path.cwd()
        key = _key(environ, "FRED_API_KEY")
        return cls(
            root=root,
            dagster_home=_path(environ, "DAGSTER_HOME") or root / ".dagster",
            profile=cast("Profile", _choice(environ, "MACROCREDIT_PROFILE", get_args(Profile))),
            files=_path(environ, "MACROCREDIT_FILES"),
            catalog=_path(environ, "MACROCREDIT_CATALOG"),
            executor=cast("Executor", _choice(environ, "MACROCREDIT_EXECUTOR", get_args(Executor))),
            schedules=_choice(environ, "MACROCREDIT_SCHEDULES", ("on", "off")) == "on",
            notify=_notifier(environ),
            fred_api_key=key,
            fred_url=_url(environ, "MACROCREDIT_FRED_URL", key),
            fred_api_url=_url(environ, "MACROCREDIT_FRED_API_URL", key),
            cboe_url=_url(environ, "MACROCREDIT_CBOE_URL", key),
            http_timeout=_seconds(environ, "MACROCREDIT_HTTP_TIMEOUT"),
            landing_days=_days(environ, "MACROCREDIT_LANDING_DAYS"),
        )

    @property
    def data_directory(self) -> Path:
        """Where Parquet files and the registry lie."""
        return self.root / "data"

    @property
    def landing_directory(self) -> Path:
        """Where the answers of sources lie as they came, below one folder per source and series."""
        return self.data_directory / "landing"

    @property
    def registry_path(self) -> Path:
        """The registry JSON."""
        return self.data_directory / "registry.json"

    @property
    def logs_directory(self) -> Path:
        """Where run logs lie, below one folder per date."""
        return self.root / "logs" / "runs"

    @property
    def charts_directory(self) -> Path:
        """Where pictures of long windows lie, below one folder per date and run."""
        return self.root / "logs" / "charts"

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


def _key(environ: Mapping[str, str], name: str) -> str | None:
    text = environ.get(name, "").strip()
    # of a shorter one every trace is to be hidden, and it would be found in ordinary text
    if text and not (text.isascii() and text.isalnum() and len(text) >= _SHORTEST_KEY):
        raise SettingsError(
            f"{name} is no key: a key has {_SHORTEST_KEY} letters and digits at least, and nothing else; FRED's are 32 "
            "of them, in lower case. Correct it, or unset it to ask FRED's public CSV, which needs none."
        )
    return text or None


def _url(environ: Mapping[str, str], name: str, key: str | None) -> str:
    text = (environ.get(name) or VARIABLES[name][0]).strip().rstrip("/")
    if not _is_address(text):
        # without the text: whoever puts a key into an address would find it in the log
        raise SettingsError(
            f"{name} is no address; write it as https://host/path, without a query and without a user's name."
        )
    if key and key.lower() in unquote(text).lower():
        # an address is shown wherever it is asked; again without the text
        raise SettingsError(
            f"{name} has FRED_API_KEY in it: take it out of the address; it is sent where it is needed."
        )
    return text


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment or parts.username or any(mark.isspace() for mark in text))
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0 and plain


def _seconds(environ: Mapping[str, str], name: str) -> float:
    text = environ.get(name) or VARIABLES[name][0]
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _A_DAY:
        raise SettingsError(f"{name}={text!r} is no number of seconds between 0 and {_A_DAY:g}.")
    return seconds


def _days(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name)
    if not text:
        return None
    if not text.isdecimal() or len(text) > len(str(_A_CENTURY)) or not 1 <= int(text) <= _A_CENTURY:
        raise SettingsError(
            f"{name}={text!r} is no number of days from 1 to {_A_CENTURY:,}; leave it unset to keep everything."
        )
    return int(text)
