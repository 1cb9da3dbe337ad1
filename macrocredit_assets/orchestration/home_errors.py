"""What goes wrong with Dagster's home, in the words of this package: its settings, and its databases."""

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from dagster import DagsterInvalidConfigError
from dagster._core.instance.config import DAGSTER_CONFIG_YAML_FILENAME
from sqlalchemy.exc import OperationalError

from macrocredit_assets.errors import SettingsError

__all__ = ["database_errors", "settings_errors"]

_TOO_LITTLE_BYTES = 1024 * 1024

_NUMBERS = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_READONLY: errno.EROFS,
    sqlite3.SQLITE_CANTOPEN: errno.EACCES,
    sqlite3.SQLITE_PERM: errno.EACCES,
}


@contextmanager
def settings_errors(home: Path) -> Iterator[None]:
    """Raise :class:`SettingsError` for a ``dagster.yaml`` that Dagster cannot use."""
    try:
        yield
    except (DagsterInvalidConfigError, yaml.YAMLError) as error:
        path = home / DAGSTER_CONFIG_YAML_FILENAME
        raise SettingsError(
            f"{path} cannot be used: {_reason(error)}. Mend it, or move it away: the next command writes a new one."
        ) from error


@contextmanager
def database_errors(home: Path) -> Iterator[None]:
    """Raise an ``OSError`` with the system's number where a database cannot be read or written: a full disk, mostly."""
    try:
        yield
    except OperationalError as error:
        # of an extended code, the low byte is the kind
        code = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_IOERR) & 0xFF
        number = _NUMBERS.get(code, errno.EIO)
        if number == errno.EIO and shutil.disk_usage(home).free < _TOO_LITTLE_BYTES:
            number = errno.ENOSPC  # on a full disk the files beside a database fail first, and only with an I/O error
        raise OSError(number, f"Dagster's database: {error.orig}", str(home)) from error


def _reason(error: DagsterInvalidConfigError | yaml.YAMLError) -> str:
    if isinstance(error, DagsterInvalidConfigError):
        # what would be allowed is a schema of four thousand letters
        return "; ".join(each.message.partition(" Expected: ")[0].rstrip(".") for each in error.errors)
    return " ".join(str(error).split())
