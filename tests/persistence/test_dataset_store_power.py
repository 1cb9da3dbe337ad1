"""The store when the power goes: whatever of unfinished work the disk has, a reader finds the old rows or the new ones.

The disk is modelled as pessimistically as POSIX allows: bytes are there once their file was synced; names are there
once their folder was synced, or earlier, each folder by itself.
"""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from macrocredit_assets.persistence.dataset_store import DatasetStore
from macrocredit_assets.windows import Window

SCHEMA = pa.schema([pa.field("spread", pa.float64(), metadata={b"unit": b"bp"})])

_watchers: list[Callable[[], None]] = []


def _audit(event: str, _: object) -> None:
    if _watchers and event in {"os.link", "os.rename", "os.remove", "os.mkdir"}:
        _watchers[0]()


# a hook of the interpreter stays for good: it sleeps where nobody watches
sys.addaudithook(_audit)


class Disk:
    """What of a folder is durable, and all that a power cut may leave of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.left: list[dict[str, bytes]] = []
        self._bytes: dict[int, bytes] = {}
        self._names: dict[Path, dict[str, int]] = {}
        self._open: list[int] = []
        self._lock = threading.Lock()
        for path in root.rglob("*"):
            if path.is_file():
                self._keep(os.open(path, os.O_RDONLY))
        self._names = self._all_names()

    def synced(self, descriptor: int) -> None:
        """Note that a file or a folder was synced."""
        path = Path(f"/dev/fd/{descriptor}").resolve()
        with self._lock:
            if path.is_dir():
                self._names[path] = {each.name: each.stat().st_ino for each in path.iterdir() if each.is_file()}
            else:
                self._keep(os.dup(descriptor))

    def cut(self) -> None:
        """Note what may be left if the power goes now."""
        with self._lock:
            now = self._all_names()
            for durable in itertools.product([True, False], repeat=len(now)):
                left = {}
                for (folder, names), early in zip(now.items(), durable, strict=True):
                    for name, inode in (self._names.get(folder, {}) if early else names).items():
                        left[str((folder / name).relative_to(self.root))] = self._bytes.get(inode, b"")
                if left not in self.left:
                    self.left.append(left)

    def close(self) -> None:
        """Let go of the files."""
        for descriptor in self._open:
            os.close(descriptor)

    def _keep(self, descriptor: int) -> None:
        # as long as it is open, no other file gets its inode
        self._open.append(descriptor)
        self._bytes[os.fstat(descriptor).st_ino] = Path(f"/dev/fd/{descriptor}").read_bytes()

    def _all_names(self) -> dict[Path, dict[str, int]]:
        folders = [self.root, *(path for path in self.root.rglob("*") if path.is_dir())]
        return {
            folder: {path.name: path.stat().st_ino for path in folder.iterdir() if path.is_file()} for folder in folders
        }


@contextmanager
def watched(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """Cut the power before each change of a name, and before and after each sync."""
    disk, sync = Disk(root), os.fsync

    def note(descriptor: int) -> None:
        disk.cut()
        sync(descriptor)
        disk.synced(descriptor)
        disk.cut()

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", note)
        _watchers.append(disk.cut)
        try:
            yield disk
        finally:
            _watchers.clear()
    disk.close()


def rows(window: Window, value: float) -> pd.DataFrame:
    """Build one row per date."""
    return pd.DataFrame({"spread": value}, index=pd.date_range(window.start, window.end, unit="us", name="date"))


def content(store: DatasetStore) -> dict[date, float]:
    """Read all rows; none where nothing was written."""
    if store.head() is None:
        return {}
    return {moment.date(): value for moment, value in store.read_frame()["spread"].items()}


JANUARY, LATER = Window.parse("2023-12-30", "2024-01-03"), Window.parse("2024-01-02", "2024-01-05")


@pytest.mark.parametrize("chunk", [None, "year"])
@pytest.mark.parametrize("first", [True, False])
def test_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: str | None, first: bool) -> None:
    """At any moment of a write the disk has the old rows or the new ones, and after it the new ones."""

    def store_in(root: Path) -> DatasetStore:
        return DatasetStore(root / "raw" / "cdx.parquet", SCHEMA, chunk="year" if chunk else None)

    root = tmp_path / "data"
    store = store_in(root)
    for folder in ("raw", "revisions/cdx"):
        (root / folder).mkdir(parents=True)
    if not first:
        store.write(JANUARY, rows(JANUARY, 1.0), series="test:x")
    old = content(store)
    with watched(root, monkeypatch) as disk:
        store.write(LATER, rows(LATER, 2.0), series="test:x")
        during, disk.left = disk.left, []
        disk.cut()
        after = disk.left
    new = content(store)
    assert new != old
    found = [_reread(left, store_in) for left in during]
    assert all(rows in (old, new) for rows in found)
    assert old in found
    assert new in found
    assert len(during) > 8
    # names that were not waited for may be missing, and the rows are there all the same
    assert all(_reread(left, store_in) == new for left in after)
    assert len(after) > 1


def _reread(left: dict[str, bytes], store_in: Callable[[Path], DatasetStore]) -> dict[date, float]:
    with tempfile.TemporaryDirectory() as folder:
        for name, data in left.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return content(store_in(Path(folder)))
