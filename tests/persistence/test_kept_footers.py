"""Footers that are kept: what is said of a file is always what stands in it now."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from macrocredit_assets.errors import CorruptFileError
from macrocredit_assets.persistence.kept_footers import KeptFooters


def _write(path: Path, value: float, note: str = "n", rows: int = 3) -> None:
    table = pa.table({"x": np.full(rows, value)}).replace_schema_metadata({b"note": note.encode()})
    pq.write_table(table, path, use_dictionary=False, write_statistics=False, compression="none")


class Footers:
    """The kept footers of files that say a note, and how often one was parsed."""

    def __init__(self, limit: int = 1_000_000) -> None:
        self.parsed = 0
        self.kept = KeptFooters(self._parse, lambda path: f"Look at {path.name}.", limit)

    def _parse(self, _: Path, file: pq.ParquetFile) -> str:
        self.parsed += 1
        return file.schema_arrow.metadata[b"note"].decode()

    def look(self, path: Path) -> tuple[str, list[float]]:
        """Return the note and the rows."""
        with self.kept.open(path) as (note, file):
            return note, file.read()["x"].to_pylist()


def test_same_bytes_are_parsed_once(tmp_path: Path) -> None:
    """As long as a footer is the same it is parsed once, whether rows are read or not."""
    footers, path = Footers(), tmp_path / "x.parquet"
    _write(path, 1.0)
    assert [footers.kept.read(path), footers.look(path), footers.look(path)] == [
        "n",
        ("n", [1.0] * 3),
        ("n", [1.0] * 3),
    ]
    assert footers.parsed == 1


@pytest.mark.parametrize("in_place", [True, False])
def test_other_footer_of_the_same_size_time_and_inode(tmp_path: Path, in_place: bool) -> None:
    """A file that differs in its footer alone is noticed, though size and times, and even the inode, are the same."""
    footers, path = Footers(), tmp_path / "x.parquet"
    _write(path, 1.0, "old")
    assert footers.look(path) == ("old", [1.0] * 3)
    before = path.stat()
    other = tmp_path / "other.parquet"
    _write(other, 1.0, "new")
    path.write_bytes(other.read_bytes()) if in_place else other.replace(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert (footers.kept.read(path), footers.look(path)) == ("new", ("new", [1.0] * 3))


def test_rows_are_never_kept(tmp_path: Path) -> None:
    """Of a file with the very same footer the rows are those that stand in it now."""
    footers, path = Footers(), tmp_path / "x.parquet"
    for value in (1.0, 2.0):
        _write(path, value)
        assert footers.look(path) == ("n", [value] * 3)
    assert footers.parsed == 1


def test_file_is_replaced_while_it_is_read(tmp_path: Path) -> None:
    """Footer and rows are of the file that was opened, also for a reader that was kept."""
    footers, path = Footers(), tmp_path / "x.parquet"
    _write(path, 1.0, "first")
    footers.look(path)
    with footers.kept.open(path) as (note, file):
        _write(tmp_path / "next.parquet", 2.0, "other", rows=5_000)
        (tmp_path / "next.parquet").replace(path)
        assert (note, file.read()["x"].to_pylist()) == ("first", [1.0] * 3)
    assert footers.look(path) == ("other", [2.0] * 5_000)


def test_threads_do_not_share_a_reader(tmp_path: Path) -> None:
    """Threads that read two files in turn, each of which is replaced meanwhile, see one whole file each time."""
    footers = Footers()
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for number, path in enumerate(paths):
        _write(path, float(number), str(number), rows=20_000)

    def look(turn: int) -> bool:
        if turn % 10 == 0:
            _write(tmp_path / f"{turn}.parquet", float(turn), str(turn), rows=20_000)
            (tmp_path / f"{turn}.parquet").replace(paths[turn % 2])
        note, rows = footers.look(paths[turn % 2])
        return rows == [float(note)] * 20_000

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(look, range(120)))


def test_what_is_kept_is_bounded(tmp_path: Path) -> None:
    """Beyond the limit all is forgotten, and parsed again when it is needed."""
    footers, paths = Footers(limit=1_000), [tmp_path / f"{number}.parquet" for number in range(10)]
    for path in paths:
        _write(path, 1.0)
        footers.look(path)
    assert footers.look(paths[0]) == ("n", [1.0] * 3)
    assert footers.parsed == 11
    footers.look(paths[0])
    assert footers.parsed == 11


def test_file_that_changes_often_drives_no_other_out(tmp_path: Path) -> None:
    """Of a file that is written again and again one footer is kept, and so are those of the files beside it."""
    footers, still, busy = Footers(limit=1_000), tmp_path / "still.parquet", tmp_path / "busy.parquet"
    _write(still, 1.0)
    for number in range(10):
        _write(busy, 1.0, str(number))
        assert (footers.kept.read(still), footers.kept.read(busy)) == ("n", str(number))
    assert footers.parsed == 11


def test_unreadable_file_is_named(tmp_path: Path) -> None:
    """A file that is cut off, or no Parquet, is an error that says what to do, before and after it was readable."""
    footers, path = Footers(), tmp_path / "x.parquet"
    for content in (b"", b"PAR1"):
        path.write_bytes(content)
        with pytest.raises(CorruptFileError, match=r"x\.parquet is not a readable Parquet file .* Look at x\.parquet"):
            footers.kept.read(path)
    _write(path, 1.0)
    assert footers.kept.read(path) == "n"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptFileError):
        footers.look(path)
    with pytest.raises(FileNotFoundError):
        footers.kept.read(tmp_path / "absent.parquet")
