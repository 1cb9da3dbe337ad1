"""Footers of Parquet files, parsed once for the same bytes.

What belongs here: opening a file so that what its footer says need not be made of its bytes again. What a footer says
is up to who asks (``dataset_file.py``, ``revision_file.py``).

Nothing is kept that could be wrong: a file is opened and the bytes of its footer are read each time, and what was made
of them before holds only where they are the same, byte for byte. Neither times nor numbers of inodes are trusted. The
footers of our files state the hash of the rows, and where they stand in the file; the rows themselves are never kept.

Arrow's reader is made of the footer too, which takes a millisecond where there are a thousand columns. It is kept with
it, over a seat in which the file that was just opened takes the place of the one before.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import Generic, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from macrocredit_assets.persistence.footer import named_if_unreadable

__all__ = ["KeptFooters"]

_Said = TypeVar("_Said")

#: A file ends with its footer, the length of the footer in four bytes, and four letters.
_END = 8

#: More bytes of footers are not kept: some five thousand datasets of a few columns, or fifty files of a thousand.
_LIMIT = 16_000_000


class _Seat:
    """What a reader takes for its file."""

    closed = False

    def __init__(self, file: FileIO) -> None:
        self.file = file

    def read(self, size: int = -1) -> bytes:
        return self.file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()


@dataclass(frozen=True)
class _Kept(Generic[_Said]):
    """A footer, what it says, and the reader that nobody is using; a thread takes it out, and puts it back."""

    end: bytes
    metadata: pq.FileMetaData
    said: _Said
    idle: list[tuple[_Seat, pq.ParquetFile]] = field(default_factory=list)

    def take(self, handle: FileIO) -> tuple[_Seat, pq.ParquetFile]:
        """Return a reader of this very file."""
        try:
            seat, reader = self.idle.pop()
        except IndexError:
            return _seated(handle, self.metadata)
        seat.file = handle
        return seat, reader


class KeptFooters(Generic[_Said]):
    """The footers of files of one kind.

    Parameters
    ----------
    parse
        Says what the footer of an open file means; it may raise, and is then asked again the next time.
    advice
        Says what to do with a file that cannot be read, in sentences.
    limit
        How many bytes of footers are kept.
    """

    def __init__(
        self, parse: Callable[[Path, pq.ParquetFile], _Said], advice: Callable[[Path], str], limit: int = _LIMIT
    ) -> None:
        self._parse = parse
        self._advice = advice
        self._limit = limit
        self._kept: dict[str, _Kept[_Said]] = {}
        self._size = 0

    def read(self, path: Path) -> _Said:
        """Return what the footer says.

        Raises
        ------
        FileNotFoundError
            If there is no file.
        CorruptFileError
            If it is not Parquet, or is cut off.
        """
        with named_if_unreadable(path, self._advice), FileIO(path) as handle:
            kept = self._same(path, handle) or self._keep(path, handle, pq.ParquetFile(handle, pre_buffer=False))
            return kept.said

    @contextmanager
    def open(self, path: Path, *, whole: bool = False) -> Iterator[tuple[_Said, pq.ParquetFile]]:
        """Open a file once, so that footer and rows are of the same file even while it is being replaced.

        Who will read all of it says so: its bytes are then read in one piece, and not column by column.

        Raises
        ------
        FileNotFoundError
            If there is no file.
        CorruptFileError
            If it is not Parquet, is cut off, or its pages cannot be decoded.
        """
        with named_if_unreadable(path, self._advice), FileIO(path) as handle:
            kept = self._same(path, handle)
            if whole:
                content = pa.BufferReader(handle.readall())
                reader = pq.ParquetFile(content, metadata=kept and kept.metadata, pre_buffer=False)
                yield (kept or self._keep(path, handle, reader)).said, reader
            else:
                seat, reader = kept.take(handle) if kept else _seated(handle, None)
                kept = kept or self._keep(path, handle, reader)
                yield kept.said, reader
                kept.idle[:] = [(seat, reader)]

    def _same(self, path: Path, handle: FileIO) -> _Kept[_Said] | None:
        kept = self._kept.get(str(path))
        return kept if kept and _end(handle, len(kept.end)) == kept.end else None

    def _keep(self, path: Path, handle: FileIO, reader: pq.ParquetFile) -> _Kept[_Said]:
        said = self._parse(path, reader)
        length = int.from_bytes(_end(handle, _END)[:4], "little")
        kept = _Kept(_end(handle, length + _END), reader.metadata, said)
        # no lock: threads at worst miscount by a footer, and what a fork inherits is never waited for
        before = self._kept.pop(str(path), None)
        self._size -= 0 if before is None else len(before.end)
        if self._size + len(kept.end) > self._limit:
            self._kept, self._size = {}, 0
        self._kept[str(path)] = kept
        self._size += len(kept.end)
        return kept


def _seated(handle: FileIO, metadata: pq.FileMetaData | None) -> tuple[_Seat, pq.ParquetFile]:
    seat = _Seat(handle)
    # reading ahead, threads of Arrow cost more than they bring, and one that still holds a file of Python's when the
    # interpreter ends takes the process down
    return seat, pq.ParquetFile(seat, metadata=metadata, pre_buffer=False)


def _end(handle: FileIO, length: int) -> bytes:
    return os.pread(handle.fileno(), length, max(0, os.fstat(handle.fileno()).st_size - length))
