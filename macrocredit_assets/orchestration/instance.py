"""The embedded Dagster instance: the folder it lives in, its settings, and opening it.

What belongs here: ``dagster.yaml`` and the class it names. What must not: how events are stored (``event_log``).

What a process prints is left to Dagster's own log files: a run in one process keeps one pair of them, whatever the
number of its steps, and the UI shows them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from dagster import DagsterInstance
from dagster._core.execution import context_creation_job
from dagster._core.instance.config import DAGSTER_CONFIG_YAML_FILENAME
from dagster._core.instance.ref import InstanceRef
from dagster._serdes import ConfigurableClassData

from macrocredit_assets.orchestration.event_log import EmbeddedEventLogStorage
from macrocredit_assets.orchestration.home_errors import database_errors, settings_errors
from macrocredit_assets.persistence.atomic import locked, write_bytes

__all__ = ["QUIET", "EmbeddedInstance", "ensure_home", "open_instance"]

#: In the environment of step processes whose run is followed by a person: events are not printed beside the progress.
QUIET = "MACROCREDIT_QUIET_STEPS"


class EmbeddedInstance(DagsterInstance):
    """Dagster's instance with the embedded event log in place of the stock one.

    ``dagster.yaml`` names this class rather than the storage: a storage there needs an absolute path, and a folder
    that was moved or copied would go on writing to its old place. An instance class is told where the folder is.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the many parts of Dagster's
        super().__init__(*args, **kwargs)
        if QUIET in os.environ:
            # A step process prints the event of its own start before it reads the run's configuration, at a level that
            # is also the one below which events are lost. The instance is the only thing of ours that it makes before.
            context_creation_job.default_system_loggers = _no_loggers  # type: ignore[attr-defined]

    @classmethod
    def config_schema(cls) -> Mapping[str, Any]:
        """Name the settings beyond Dagster's own: none."""
        return {}

    @classmethod
    def config_defaults(cls, base_dir: str) -> Mapping[str, ConfigurableClassData | None]:
        """Say what is used where ``dagster.yaml`` is silent.

        Parameters
        ----------
        base_dir
            The folder of the instance.
        """
        stock = InstanceRef.config_defaults(base_dir)
        event_log = _stock_setting(stock, "event_log_storage")._replace(
            module_name=EmbeddedEventLogStorage.__module__, class_name=EmbeddedEventLogStorage.__name__
        )
        parts = {**stock, "event_log_storage": event_log}
        return {**parts, "storage": _composite(parts)}


def ensure_home(home: Path) -> Path:
    """Make a folder usable as Dagster's home.

    A ``dagster.yaml`` that is there is never touched: it may be somebody's own, with storage of their own. A home that
    stock Dagster filled without one gets ours and keeps its history.

    Parameters
    ----------
    home
        The folder; it is created with its parents.

    Returns
    -------
    Path
        Its absolute path, as ``DAGSTER_HOME`` needs it.
    """
    home = home.expanduser().resolve()
    settings = home / DAGSTER_CONFIG_YAML_FILENAME
    if not settings.exists():
        with locked(settings), database_errors(home):
            _create(home, settings)
    return home


@contextmanager
def open_instance(home: Path) -> Iterator[DagsterInstance]:
    """Open the instance of a home, creating the home if need be, and close its files at the end.

    Parameters
    ----------
    home
        The folder of the instance.

    Raises
    ------
    SettingsError
        If its ``dagster.yaml`` cannot be used.
    OSError
        If its databases cannot be read or written, also while the instance is open.
    """
    home = ensure_home(home)
    with database_errors(home):
        with locked(home / DAGSTER_CONFIG_YAML_FILENAME), settings_errors(home):  # see _create
            instance = DagsterInstance.from_config(str(home))
        with instance:
            yield instance


def _no_loggers(instance: DagsterInstance | None) -> tuple[()]:  # noqa: ARG001 - Dagster's signature
    return ()


def _create(home: Path, settings: Path) -> None:
    if not settings.exists():
        write_bytes(settings, resources.files(__package__).joinpath("dagster.yaml").read_bytes())
        # with its databases: webserver and daemon start at once, and two processes that create the same SQLite files
        # of Dagster fail, or leave a version table with two rows that nobody can open again
        DagsterInstance.from_config(str(home)).dispose()


def _composite(parts: Mapping[str, ConfigurableClassData | None]) -> ConfigurableClassData:
    # what Dagster itself builds when the three storages are named one by one
    names = ("run_storage", "event_log_storage", "schedule_storage")
    config = {name: _stock_setting(parts, name)._asdict() for name in names}
    return ConfigurableClassData("dagster._core.storage.legacy_storage", "CompositeStorage", yaml.safe_dump(config))


def _stock_setting(parts: Mapping[str, ConfigurableClassData | None], name: str) -> ConfigurableClassData:
    setting = parts[name]
    if setting is None:
        raise LookupError(f"Dagster has no default for {name}; this package knows dagster 1.13 only.")
    return setting
