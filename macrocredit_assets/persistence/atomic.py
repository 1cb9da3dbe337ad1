"""Where bytes go: atomic replacement, locks, and the one read-modify-write primitive.

Every file of this package is written through here, or where several belong together through ``staging.py``. A reader
sees the old bytes or the new ones, never a mixture and never nothing; when a write returns, its bytes survive a power
cut. What must not live here: any knowledge of formats.
portalocker is imported where a lock is taken: a reader takes none, and its import is a tenth of pandas' own.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

__all__ = [
    "LOCK_SUFFIX",
    "TEMPORARY_SUFFIX",
    "is_private",
    "locked",
    "make_directory",
    "open_temporary",
    "replacing",
    "sweep",
    "sweep_names",
    "sync_directory",
    "update",
    "write_bytes",
]

#: Temporary files are called ``.<target>.<random>.tmp``: hidden, and matched by no pattern that means data.
TEMPORARY_SUFFIX = ".tmp"

#: Lock files are called ``.<target>.lock`` and stay for good.
LOCK_SUFFIX = ".lock"

_RANDOM_DIGITS = 12
_TEMPORARY_NAME = re.compile(rf"\.(.+)\.[0-9a-f]{{{_RANDOM_DIGITS}}}{re.escape(TEMPORARY_SUFFIX)}", re.DOTALL)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside ``path`` that takes its place when the block ends without an error.

    Parents are created. A symbolic link is followed, so that the link stays; permissions stay too. If the block raises,
    the old bytes stand and the temporary file is gone; if the process is killed, the next write to the same target
    sweeps it away. Of two writers at once, the last to finish wins: who must not lose the other's change takes
    :func:`update`.

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
    make_directory(target.parent)
    sweep(target)
    temporary, handle = open_temporary(target)
    try:
        with handle:
            yield handle
            handle.flush()
            with suppress(FileNotFoundError):
                temporary.chmod(stat.S_IMODE(target.stat().st_mode))
            os.fsync(handle.fileno())
            # inside the block: the lock on the file tells sweepers that this writer lives
            temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(target.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Replace the content of a file, atomically and durably."""
    with replacing(path) as handle:
        handle.write(data)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that belongs to ``path``, waiting for it as long as it takes.

    The lock is a file of its own (``.<name>.lock``), because a file that is replaced cannot carry one: a process would
    wait on the bytes of yesterday. It is never deleted, for the same reason. The operating system lets go of it when
    the holder dies. The wait is a blocking one: polling starves a process under load. It excludes threads as well as
    processes, and is not reentrant: a holder that asks for it again waits for ever.
    """
    import portalocker

    target = path.resolve()
    make_directory(target.parent)
    lock = target.with_name(f".{target.name}{LOCK_SUFFIX}")
    with lock.open("ab") as handle:
        portalocker.lock(handle, portalocker.LockFlags.EXCLUSIVE)
        try:
            yield
        finally:
            # closing is not enough: a child forked meanwhile holds the same open file, and with it the lock
            portalocker.unlock(handle)


def update(path: Path, change: Callable[[bytes | None], bytes | None]) -> None:
    """Read a file, change its content and write it back, while no other process does the same.

    Parameters
    ----------
    path
        The file.
    change
        Takes the current bytes (None where there is no file) and returns the new ones, or None to leave the file
        untouched; bytes equal to the current ones are not written either. If it raises, the file stays as it is. It
        must not lock ``path`` again.
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
    names = os.listdir(target.parent)  # noqa: PTH208 - iterdir() makes paths of a thousand names, glob() looks at each
    sweep_names(target.parent, names, target.name)


def is_private(path: Path) -> bool:
    """Tell whether a file is a temporary or a lock file of this module, and so nobody's data."""
    return path.name.startswith(".") and path.name.endswith((TEMPORARY_SUFFIX, LOCK_SUFFIX))


def sweep_names(directory: Path, names: Iterable[str], target: str | None = None) -> None:
    """Remove those of a folder's files that are temporary files of dead writers, of one target or of any.

    As :func:`sweep`, for who has listed the folder already.
    """
    for name in names:
        match = _TEMPORARY_NAME.fullmatch(name) if name.endswith(TEMPORARY_SUFFIX) else None
        if match is None or target not in {None, match[1]}:
            continue
        import portalocker

        litter = directory / name
        with suppress(OSError, portalocker.LockException), litter.open("r+b") as handle:
            portalocker.lock(handle, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
            litter.unlink()


def open_temporary(target: Path) -> tuple[Path, BinaryIO]:
    """Create and lock the file that is to become ``target``, beside it; who holds it removes it or renames it."""
    import portalocker

    while True:
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(_RANDOM_DIGITS // 2)}{TEMPORARY_SUFFIX}")
        # not tempfile: its files are private to their owner, and data are for the whole desk; the umask decides
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        handle = cast("BinaryIO", os.fdopen(descriptor, "w+b"))
        try:
            portalocker.lock(handle, portalocker.LockFlags.EXCLUSIVE)
        except BaseException:  # a file system without locks, or an interrupt
            handle.close()
            temporary.unlink(missing_ok=True)
            raise
        if temporary.exists():
            return temporary, handle
        handle.close()  # another process swept it between creation and lock


def make_directory(directory: Path) -> None:
    """Create a directory and its parents, durably."""
    if directory.is_dir():
        return
    make_directory(directory.parent)
    with suppress(FileExistsError):
        directory.mkdir()
    # a new name is durable only once the directory that holds it is
    sync_directory(directory.parent)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
