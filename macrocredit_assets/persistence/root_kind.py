"""Whether a root holds sample data or real data: never both.

What belongs here: the stamp ``data/root.json``, written once, by whichever process writes first.
"""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias, cast, get_args

from macrocredit_assets.errors import CorruptFileError, RootKindError
from macrocredit_assets.persistence.atomic import update
from macrocredit_assets.persistence.json_io import load_json, to_json_bytes

__all__ = ["STAMP", "RootKind", "read_root_kind", "require_root_kind", "stamp_root"]

RootKind: TypeAlias = Literal["sample", "real"]

#: Name of the stamp in the data directory.
STAMP = "root.json"

_COMMAND = "macrocredit backfill --start 2020-01-01"
_MEANING = {"sample": "simulated data", "real": "observed data"}


def stamp_root(data_directory: Path, kind: RootKind, *, command: str = _COMMAND) -> None:
    """Stamp a root at its first write; do nothing where it bears the same stamp.

    Of two processes that stamp a fresh root with different kinds, one wins and the other gets the error.

    Parameters
    ----------
    data_directory
        ``<root>/data``; created where it is absent.
    kind
        What is about to be written.
    command
        The command that the user ran, for the error.

    Raises
    ------
    RootKindError
        If the root holds the other kind; it says which command writes to a root of its own.
    CorruptFileError
        If the stamp cannot be read.
    """
    path = data_directory / STAMP
    if read_root_kind(data_directory) is None:
        stamp = to_json_bytes({"kind": kind, "stamped_at": datetime.now(UTC)})
        update(path, lambda before: stamp if before is None else None)
    require_root_kind(data_directory, kind, command=command)


def require_root_kind(data_directory: Path, kind: RootKind, *, command: str = _COMMAND) -> None:
    """Refuse a root that holds the other kind, writing nothing; parameters and errors as of :func:`stamp_root`."""
    stamped = read_root_kind(data_directory)
    if stamped in {None, kind}:
        return
    root, here = data_directory.absolute().parent, Path.cwd()
    # beside a root that is called by its kind, below any other
    fresh = root.with_name(kind) if root.name == stamped else root / kind
    shown = f"./{fresh.relative_to(here)}" if fresh.is_relative_to(here) else str(fresh)
    raise RootKindError(
        f"The root {root} holds {_MEANING[str(stamped)]}, and {_MEANING[kind]} were to be written: the two never share "
        f"a root. Nothing was written. Use a root of its own: `MACROCREDIT_ROOT={shlex.quote(shown)} {command}`"
    )


def read_root_kind(data_directory: Path) -> RootKind | None:
    """Return what a root holds; None before its first write.

    Raises
    ------
    CorruptFileError
        If the stamp does not parse, or names no kind.
    """
    path = data_directory / STAMP
    try:
        stamp = load_json(path)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise _corrupt(path, str(error)) from error
    for kind in get_args(RootKind):
        if isinstance(stamp, dict) and stamp.get("kind") == kind:
            return cast("RootKind", kind)
    raise _corrupt(path, f'it has no "kind" that is one of {", ".join(get_args(RootKind))}')


def _corrupt(path: Path, why: str) -> CorruptFileError:
    return CorruptFileError(
        f"The stamp {path} cannot be used: {why}. It was left as it is. Write into it what this root holds: "
        f'`{{"kind": "sample"}}` for simulated data, `{{"kind": "real"}}` for observed data.'
    )
