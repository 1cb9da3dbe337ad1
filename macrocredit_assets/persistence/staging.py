"""Files that belong together: all written beside their places first, then put there one after the other.

What belongs here: what a commit costs, and what a power cut can do to it. At most one file of a staging is *created*,
and is the commit; the others are *replaced*, and follow from it. They become visible in this order:

1. Every file is written under a temporary name. Those that follow from the commit come first, and threads of their own
   make them durable while the commit is written and made durable itself.
2. The commit gets its name, and its folder is made durable. From here on the write has happened: before, no other name
   was touched; after, nothing can take it back.
3. The others, once their bytes are durable, are renamed into their places. Their folders are *not* waited for. A power
   cut may therefore bring an old file back beside the commit that replaces it, and never part of a file: its bytes were
   durable before it had a name. Whoever reads next sees the two apart, as after a writer that was killed in this place,
   and brings the file forward (``projection.py``). So what is replaced beside a commit must follow from it.

Without a commit there is nothing that the files follow from, and their folders are made durable at the end.

A write thus waits for the disk twice - for the bytes of the commit, then for its name - where writing one file after
the other waits four times. Once would be a loss: the name could outlast the bytes below it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import BinaryIO

from macrocredit_assets.persistence.atomic import make_directory, open_temporary, sweep, sync_directory

__all__ = ["Staging", "staged"]


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
        self._threads: list[Thread] = []
        self._errors: list[OSError] = []

    def create(self, path: Path) -> BinaryIO:
        """Open the commit: a file of a new name, which is written once and never changes. There is one at most.

        The files that it brings with it were written before. What killed writers left under other names is swept by
        whoever knows the folder.
        """
        self._sync_replaced()
        make_directory(path.parent)
        return self._open(path, self._created)

    def replace(self, path: Path) -> BinaryIO:
        """Open a file that takes the place of another; a symbolic link is followed, and permissions stay."""
        target = path.resolve()
        make_directory(target.parent)
        sweep(target)
        return self._open(target, self._replaced)

    def remove(self, path: Path) -> None:
        """Remove a file after the commit, before others are replaced."""
        self._removed.append(path)

    def _open(self, target: Path, among: list[_Temporary]) -> BinaryIO:
        temporary = _Temporary(target, *open_temporary(target))
        among.append(temporary)
        return temporary.handle

    def finish(self) -> None:
        """Put the files in their places."""
        self._sync_replaced()
        for each in self._created:
            each.handle.flush()
            os.fsync(each.handle.fileno())
            os.link(each.path, each.target)  # unlike a rename, it refuses a name that is taken
            each.path.unlink()
            sync_directory(each.target.parent)
        self._join()
        if self._errors:
            raise self._errors[0]
        for path in self._removed:
            path.unlink()
        for each in self._replaced:
            each.path.replace(each.target)
        if not self._created:
            for folder in {path.parent for path in (*self._removed, *(each.target for each in self._replaced))}:
                sync_directory(folder)

    def _sync_replaced(self) -> None:
        for each in self._replaced[len(self._threads) :]:
            with suppress(FileNotFoundError):
                each.path.chmod(stat.S_IMODE(each.target.stat().st_mode))
            each.handle.flush()
            self._threads.append(Thread(target=self._sync, args=(each.handle.fileno(),)))
            self._threads[-1].start()

    def _sync(self, descriptor: int) -> None:
        try:
            os.fsync(descriptor)
        except OSError as error:
            self._errors.append(error)

    def _join(self) -> None:
        for thread in self._threads:
            thread.join()

    def close(self) -> None:
        """Remove what is not in its place."""
        self._join()
        with ExitStack() as handles:
            for each in (*self._created, *self._replaced):
                handles.enter_context(each.handle)
            # before its lock goes
            for each in (*self._created, *self._replaced):
                each.path.unlink(missing_ok=True)


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
