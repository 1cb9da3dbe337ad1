"""Answers of sources as they came: every body once, compressed, named by when it came and what it is.

What belongs here: names of such files, and how long they stay. What must not: what an answer means, and secrets; who
keeps an answer has taken them out.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from macrocredit_assets.errors import CorruptFileError, UsageError
from macrocredit_assets.persistence.atomic import locked, write_bytes

__all__ = ["Landing"]

_DIGITS = 16
_NAME = re.compile(rf"\d{{8}}T\d{{6}}Z-(?P<hash>[0-9a-f]{{{_DIGITS}}})\.[a-z]+\.gz")
_GONE = "What was stored of it stands: delete this file, or restore it from a backup."


@dataclass(frozen=True)
class Landing:
    """A folder of answers, one below it for each source and, in that, for each series.

    Parameters
    ----------
    directory
        The folder; paths of answers are relative to its parent, and so begin with its name.
    keep_days
        Answers that came last so many days ago go when the next one of their series is kept; None is never. The newest
        one always stays.
    """

    directory: Path
    keep_days: int | None = None

    def keep(self, source: str, series: str, body: bytes, at: datetime, suffix: str) -> str:
        """Keep an answer, and return its path: POSIX, relative to the parent of the folder.

        A body that is there already is not kept again: the file of its first time is named, and counts as new.

        Parameters
        ----------
        source, series
            Whose answer it is; each becomes a folder, whatever characters it has.
        body
            Its bytes.
        at
            When it came; aware.
        suffix
            What it is: ``csv``, ``json``.
        """
        folder = self.directory / _folder(source) / _folder(series)
        digest = hashlib.sha256(body).hexdigest()[:_DIGITS]
        with locked(folder):
            path = next((path for path in _answers(folder) if _same(path, digest, suffix)), None)
            if path is None:
                path = folder / f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{digest}.{suffix}.gz"
                write_bytes(path, gzip.compress(body, mtime=0))
            # the time at which it came last is the one of the file; its name has the first one
            os.utime(path, (at.timestamp(), at.timestamp()))
            self._trim(folder, at)
        return path.relative_to(self.directory.parent).as_posix()

    def read(self, path: str) -> bytes:
        """Return an answer as it came.

        Parameters
        ----------
        path
            As :meth:`keep` returned it.

        Raises
        ------
        FileNotFoundError
            If it is there no more: answers go after a time, where that was set.
        CorruptFileError
            If the file is not the one that was written.
        UsageError
            If the path does not lead into the folder.
        """
        parts = PurePosixPath(path).parts
        if parts[:1] != (self.directory.name,) or ".." in parts:
            raise UsageError(f"{path} is no path of an answer: those lie in {self.directory}.")
        file = self.directory.parent / path
        try:
            body = gzip.decompress(file.read_bytes())
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise CorruptFileError(f"{file} cannot be read: {error}. {_GONE}") from error
        name = _NAME.fullmatch(file.name)
        if name is None or not hashlib.sha256(body).hexdigest().startswith(name["hash"]):
            raise CorruptFileError(f"{file} holds other bytes than those that its name was made of. {_GONE}")
        return body

    def _trim(self, folder: Path, at: datetime) -> None:
        if self.keep_days is None:
            return
        oldest = (at - timedelta(days=self.keep_days)).timestamp()
        ages = sorted((path.stat().st_mtime, path) for path in _answers(folder))
        for when, path in ages[:-1]:
            if when < oldest:
                path.unlink()


def _answers(folder: Path) -> Iterator[Path]:
    """Yield what was kept in a folder, and nothing that somebody else put there."""
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))


def _same(path: Path, digest: str, suffix: str) -> bool:
    return path.name.endswith(f"-{digest}.{suffix}.gz")


def _folder(text: str) -> str:
    """Return a folder's name for a text, another one for every other text: ``A/B`` is ``A%2FB``."""
    name = quote(text, safe=" ")
    return f"%2E{name[1:]}" if name.startswith(".") else name or "%"
