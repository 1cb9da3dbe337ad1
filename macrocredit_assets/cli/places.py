"""The folders that this program writes to, and what the operating system says when it cannot.

What belongs here: sentences about folders and disks. Files that do not parse speak for themselves.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from macrocredit_assets.errors import UsageError

if TYPE_CHECKING:
    from macrocredit_assets.settings import Settings

__all__ = ["explained", "require_writable", "unwritable"]


def unwritable(settings: Settings) -> dict[str, str]:
    """Return which of ``data``, ``run logs`` and ``home`` cannot be written, each with a sentence; writes nothing."""
    data = settings.data_directory
    places = {
        "data": (data, data / "raw", data / "processed", data / "revisions"),
        "run logs": (settings.logs_directory,),
        "home": (settings.dagster_home,),
    }
    reasons = {name: next(_reasons(*paths), None) for name, paths in places.items()}
    return {
        name: f"Cannot write {name} below {places[name][0]}: {reason}"
        for name, reason in reasons.items()
        if reason is not None
    }


def require_writable(settings: Settings) -> None:
    """Refuse to start what could not be recorded.

    Raises
    ------
    UsageError
        If a folder cannot be written to; it says which, and what to do.
    """
    if problems := unwritable(settings):
        remedy = "Nothing was started. Mend it, or choose another MACROCREDIT_ROOT, or DAGSTER_HOME for the home."
        raise UsageError("\n".join([*problems.values(), remedy]))


def explained(error: OSError) -> str:
    """Say what the operating system refused, and what to do about it."""
    said = error.strerror or str(error)
    path = None if error.filename is None else Path(os.fsdecode(error.filename))
    if path is not None and error.errno in _BLOCKED and not _nearest(path).is_dir():
        return _is_no_folder(_nearest(path))
    advice = {**dict.fromkeys(_FULL, _MAKE_ROOM), **dict.fromkeys(_DENIED, _ASK_DOCTOR)}.get(error.errno or 0, "")
    return f"{f'{path}: ' if path else ''}{said}. {advice}".rstrip()


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_BLOCKED = {errno.ENOTDIR, errno.EEXIST}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
_MAKE_ROOM = "Make room and repeat the command: what was stored before is whole."
_ASK_DOCTOR = "`macrocredit doctor` says which places can be written."


def _reasons(*paths: Path) -> Iterator[str]:
    for existing in map(_nearest, paths):
        if not existing.is_dir():
            yield _is_no_folder(existing)
        elif not os.access(existing, os.W_OK | os.X_OK):
            yield f"{existing} cannot be written by this user."


def _nearest(path: Path) -> Path:
    """Return the path itself, or the nearest one above it that exists."""
    return next(place for place in (path, *path.parents) if os.path.lexists(place))


def _is_no_folder(path: Path) -> str:
    return f"{path} is a file, where a folder is expected. Move it away."
