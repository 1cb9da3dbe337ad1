"""Looking for a text in every byte of a folder, also where it is packed: by gzip, Parquet, SQLite and Dagster."""

from __future__ import annotations

import gzip
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

__all__ = ["find"]


def find(text: str, *folders: Path) -> list[str]:
    """Return the files below some folders that have a text, in their names or in what they hold."""
    wanted = text.encode()
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if text in str(path) or any(wanted in part for part in _parts(path))]


def _parts(path: Path) -> Iterator[bytes]:
    body = path.read_bytes()
    yield body
    if body.startswith(b"\x1f\x8b"):
        yield gzip.decompress(body)
    elif body.startswith(b"PAR1"):
        file = pq.ParquetFile(path)
        yield repr(file.schema_arrow.metadata).encode()
        yield file.read().to_pandas().to_csv().encode()
    elif body.startswith(b"SQLite format 3"):
        yield from _cells(path)


def _cells(path: Path) -> Iterator[bytes]:
    """Yield every cell: a long one is scattered over the pages of the file, and snapshots are compressed."""
    connection = sqlite3.connect(path)
    try:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - the name is the file's own
                for cell in row:
                    body = cell if isinstance(cell, bytes) else str(cell).encode()
                    yield body
                    if isinstance(cell, bytes):
                        yield _unpacked(body)
    finally:
        connection.close()


def _unpacked(body: bytes) -> bytes:
    try:
        return zlib.decompress(body)
    except zlib.error:
        return b""
