"""Files that belong together: all written beside their places first, then put there one after the other.

What belongs here: what a commit costs, and what a power cut can do to it. At most one file of a staging is *created*,
and is the commit; the others are *replaced*, and follow from it. They become visible in this order:

1. Every file is written under a temporary name, and its bytes are made durable. Those that follow from the commit are
   written by threads of their own, while the commit is. Where any of them cannot be written, nothing has happened.
2. The commit gets its name, and its folder is made durable. From here on the write has happened: before, no other name
   was touched; after, nothing can take it back.
3. The others are renamed into their places. Their folders are *not* waited for. A power cut may therefore bring an old
   file back beside the commit that replaces it, and never part of a file: its bytes were durable before it had a name.
   Whoever reads next sees the two apart, as after a writer that was killed in this place, and brings the file forward
   (``projection.py``). So what is replaced beside a commit must follow from it.

Without a commit there is nothing that the files follow from, and their folders are made durable at the end.

A write thus waits for the disk twice - for the bytes of the commit, then for its name - where writing one file after
the other waits four times. Once would be a loss: the name could outlast the bytes below it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore, Thread
from typing import BinaryIO

from macrocredit_assets.persistence.atomic import make_directory, open_temporary, sweep, sync_directory

__all__ = ["Staging", "staged"]

#: How many files of years are encoded at a time, each from a copy of its rows.
_AT_A_TIME = 4


@dataclass(frozen=True)
class _Temporary:
    """A file that is to become ``target``; the lock on it tells sweepers that its writer lives."""

    target: Path
    path: Path
    handle: BinaryIO


class Staging:
    """The files of one write; made by :func:`staged`."""

    def __init__(self) -> None:
        self._created: list[_Temporary] = []
        self._replaced: list[_Temporary] = []
        self._removed: list[Path] = []
        self._writing: list[_Writing] = []
        self._turns = BoundedSemaphore(_AT_A_TIME)

    def create(self, path: Path) -> BinaryIO:
        """Open the commit: a file of a new name, which is written once and never changes. There is one at most.

        What killed writers left under other names is swept by whoever knows the folder.
        """
        make_directory(path.parent)
        return self._open(path, self._created).handle

    def replace(self, path: Path, write: Callable[[BinaryIO], object]) -> None:
        """Have a file written that takes the place of another; a symbolic link is followed, and permissions stay.

        Another thread calls ``write`` with the open file, now or later; what it raises is raised when the block ends.
        Where no thread can be had, as at the end of a process, this one does.
        """
        target = path.resolve()
        make_directory(target.parent)
        sweep(target)
        writing = _Writing(self._open(target, self._replaced), write, self._turns)
        self._writing.append(writing)
        writing.begin()

    def remove(self, path: Path) -> None:
        """Remove a file after the commit, before others are replaced."""
        self._removed.append(path)

    def _open(self, target: Path, among: list[_Temporary]) -> _Temporary:
        temporary = _Temporary(target, *open_temporary(target))
        among.append(temporary)
        return temporary

    def finish(self) -> None:
        """Put the files in their places."""
        for each in self._created:
            each.handle.flush()
            os.fsync(each.handle.fileno())
        for writing in self._writing:
            writing.finish()
        for each in self._created:
            os.link(each.path, each.target)  # unlike a rename, it refuses a name that is taken
            each.path.unlink()
            sync_directory(each.target.parent)
        for path in self._removed:
            path.unlink()
        for each in self._replaced:
            each.path.replace(each.target)
        if not self._created:
            for folder in {path.parent for path in (*self._removed, *(each.target for each in self._replaced))}:
                sync_directory(folder)

    def close(self) -> None:
        """Remove what is not in its place."""
        for writing in self._writing:
            writing.wait()
        with ExitStack() as handles:
            for each in (*self._created, *self._replaced):
                handles.enter_context(each.handle)
            # before its lock goes
            for each in (*self._created, *self._replaced):
                each.path.unlink(missing_ok=True)


class _Writing:
    """The writing of one file by a thread of its own, until its bytes are durable."""

    def __init__(self, temporary: _Temporary, write: Callable[[BinaryIO], object], turns: BoundedSemaphore) -> None:
        self._temporary, self._write, self._turns = temporary, write, turns
        self._thread: Thread | None = None
        self._error: BaseException | None = None

    def begin(self) -> None:
        thread = Thread(target=self._run)
        try:
            thread.start()
        except RuntimeError:
            self._run()
        else:
            self._thread = thread

    def wait(self) -> None:
        if self._thread is not None:
            self._thread.join()

    def finish(self) -> None:
        self.wait()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        each = self._temporary
        try:
            with self._turns:
                self._write(each.handle)
                with suppress(FileNotFoundError):
                    each.path.chmod(stat.S_IMODE(each.target.stat().st_mode))
                each.handle.flush()
                os.fsync(each.handle.fileno())
        except BaseException as error:  # noqa: BLE001 - whatever it is, whoever waits for the file is told
            self._error = error


@contextmanager
def staged() -> Iterator[Staging]:
    """Collect files, and put them in their places when the block ends without an error.

    If it raises, no name was touched and the temporary files are gone. If the process is killed before the commit, the
    same; the temporary files are swept by the next write to the same places.

    Raises
    ------
    FileExistsError
        If the commit's name is taken; everything stays as it is.
    """
    staging = Staging()
    try:
        yield staging
        staging.finish()
    finally:
        staging.close()
