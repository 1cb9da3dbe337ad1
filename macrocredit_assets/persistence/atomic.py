"""Where bytes go: atomic replacement, locks, and the one read-modify-write primitive.

Every file of this package is written through here. A reader sees the old bytes or the new ones, never a mixture and
never nothing; when a write returns, its bytes survive a power cut. What must not live here: any knowledge of formats.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

import portalocker

__all__ = ["TEMPORARY_SUFFIX", "locked", "replacing", "sweep", "update", "write_bytes"]

#: Temporary files are called ``.<target>.<random>.tmp``: hidden, and matched by no pattern that means data.
TEMPORARY_SUFFIX = ".tmp"


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside ``path`` that takes its place when the block ends without an error.

    Parents are created. A symbolic link is followed, so that the link stays. If the block raises, the old bytes stand
    and the temporary file is gone; if the process is killed, the next write to the same target sweeps it away.

    Parameters
    ----------
    path
        The file to replace or create.

    Yields
    ------
    BinaryIO
        The temporary file, open for reading and writing.
    """
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    sweep(target)
    temporary, handle = _open_temporary(target)
    try:
        with handle:
            yield handle
            handle.flush()
            with suppress(FileNotFoundError):
                temporary.chmod(target.stat().st_mode)
            os.fsync(handle.fileno())
            temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_directory(target.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Replace the content of a file, atomically and durably."""
    with replacing(path) as handle:
        handle.write(data)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that belongs to ``path``, waiting for it as long as it takes.

    The lock is a file of its own (``.<name>.lock``), because a file that is replaced cannot carry one: a process would
    wait on the bytes of yesterday. It is never deleted, for the same reason. The operating system lets go of it when
    the holder dies. The wait is a blocking one: polling starves a process under load. Not reentrant.
    """
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    lock = target.with_name(f".{target.name}.lock")
    with lock.open("ab") as handle:
        portalocker.lock(handle, portalocker.LockFlags.EXCLUSIVE)
        yield


def update(path: Path, change: Callable[[bytes | None], bytes | None]) -> None:
    """Read a file, change its content and write it back, while no other process does the same.

    Parameters
    ----------
    path
        The file.
    change
        Takes the current bytes (None where there is no file) and returns the new ones, or None to leave the file
        untouched. It must not lock ``path`` again.
    """
    with locked(path):
        try:
            before: bytes | None = path.read_bytes()
        except FileNotFoundError:
            before = None
        after = change(before)
        if after is not None and after != before:
            write_bytes(path, after)


def sweep(target: Path) -> None:
    """Remove the temporary files of ``target`` whose writers are dead.

    A living writer holds an OS lock on its temporary file, so a lock that can be had tells a dead one, on any host that
    shares the file system, and whatever process has its pid by now.
    """
    for litter in target.parent.glob(f".{_glob_escape(target.name)}.*{TEMPORARY_SUFFIX}"):
        with suppress(OSError, portalocker.LockException), litter.open("rb") as handle:
            portalocker.lock(handle, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
            litter.unlink()


def _open_temporary(target: Path) -> tuple[Path, BinaryIO]:
    while True:
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}{TEMPORARY_SUFFIX}")
        # not tempfile: its files are private to their owner, and data are for the whole desk; the umask decides
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        handle = cast("BinaryIO", os.fdopen(descriptor, "w+b"))
        portalocker.lock(handle, portalocker.LockFlags.EXCLUSIVE)
        if temporary.exists():
            return temporary, handle
        handle.close()  # another process swept it between creation and lock


def _glob_escape(name: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in name)


def _sync_directory(directory: Path) -> None:
    # a rename is durable only once the directory that holds the name is
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
