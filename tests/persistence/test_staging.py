"""Files that belong together: the commit comes first, is durable first, and nothing is seen before it."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from macrocredit_assets.persistence.atomic import TEMPORARY_SUFFIX
from macrocredit_assets.persistence.staging import staged


def names(directory: Path) -> list[str]:
    """Return what lies in a directory, hidden files too."""
    return sorted(path.name for path in directory.iterdir())


def create(path: Path, content: bytes, *, beside: Path | None = None) -> None:
    """Write a commit, and a file that follows from it."""
    with staged() as files:
        if beside:
            files.replace(beside, lambda file: file.write(content))
        files.create(path).write(content)


def test_a_file_that_is_created_is_never_replaced(tmp_path: Path) -> None:
    """Where the name is taken the old bytes stand, and nothing lies beside them."""
    path = tmp_path / "a" / "1.bin"
    create(path, b"first")
    with pytest.raises(FileExistsError):
        create(path, b"second")
    assert path.read_bytes() == b"first"
    assert names(path.parent) == ["1.bin"]


def test_nothing_is_seen_before_the_block_ends(tmp_path: Path) -> None:
    """Where the block raises, no name was touched and nothing lies beside them."""
    (tmp_path / "old.bin").write_bytes(b"old")

    def fail() -> None:
        with staged() as files:
            files.replace(tmp_path / "current.bin", lambda file: file.write(b"new"))
            files.remove(tmp_path / "old.bin")
            files.create(tmp_path / "1.bin").write(b"new")
            raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        fail()
    assert names(tmp_path) == ["old.bin"]


def test_taken_name_keeps_what_follows_from_it_back(tmp_path: Path) -> None:
    """Where another commit has the name, the file that was to follow is not replaced."""
    create(tmp_path / "1.bin", b"first", beside=tmp_path / "current.bin")
    with pytest.raises(FileExistsError):
        create(tmp_path / "1.bin", b"second", beside=tmp_path / "current.bin")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"1.bin": b"first", "current.bin": b"first"}


def test_link_is_followed_and_permissions_stay(tmp_path: Path) -> None:
    """A file that is replaced keeps its permissions, and a link to it stays one."""
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file.bin").write_bytes(b"old")
    (tmp_path / "there" / "file.bin").chmod(0o640)
    (tmp_path / "link.bin").symlink_to(tmp_path / "there" / "file.bin")
    with staged() as files:
        files.replace(tmp_path / "link.bin", lambda file: file.write(b"new"))
    assert (tmp_path / "link.bin").is_symlink()
    assert (tmp_path / "there" / "file.bin").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "there" / "file.bin").stat().st_mode) == 0o640


@pytest.mark.parametrize("commit", [True, False])
def test_order_of_what_is_made_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commit: bool) -> None:
    """All bytes are durable before a name is given, the commit's name before others; without one, all names at last."""
    for folder in ("log", "data"):
        (tmp_path / folder).mkdir()
    (tmp_path / "data" / "gone.bin").write_bytes(b"old")
    sync, seen = os.fsync, []

    def note(descriptor: int) -> None:
        path = Path(f"/dev/fd/{descriptor}").resolve()
        there = {each.name for each in tmp_path.glob("*/*.bin")}
        sync(descriptor)
        seen.append((path.name.split(".")[1] if path.name.endswith(TEMPORARY_SUFFIX) else path.name, there))

    monkeypatch.setattr(os, "fsync", note)
    with staged() as files:
        files.replace(tmp_path / "data" / "a.bin", lambda file: file.write(b"a"))
        files.replace(tmp_path / "data" / "b.bin", lambda file: file.write(b"b"))
        files.remove(tmp_path / "data" / "gone.bin")
        if commit:
            files.create(tmp_path / "log" / "1.bin").write(b"1")
    before, after = {"gone.bin"}, {"a.bin", "b.bin"}
    if commit:
        assert ("1", before) in seen
        assert seen.index(("log", before | {"1.bin"})) > seen.index(("1", before))
        assert {name for name, _ in seen} == {"a", "b", "1", "log"}
    else:
        assert sorted(seen[:2]) == [("a", before), ("b", before)]
        assert seen[2:] == [("data", after)]
    assert {path.name for path in tmp_path.glob("*/*.bin")} == after | ({"1.bin"} if commit else set())


def test_bytes_that_cannot_be_made_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the disk in another thread is raised, and the file is not replaced by what may be lost."""
    (tmp_path / "current.bin").write_bytes(b"old")

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output error"), staged() as files:
        files.replace(tmp_path / "current.bin", lambda file: file.write(b"new"))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"current.bin": b"old"}


def test_threads_that_outlive_the_main_one_can_write(tmp_path: Path) -> None:
    """A program that leaves its writes to threads, and ends before they do, loses none."""
    script = (
        "import sys, threading, time; from pathlib import Path\n"
        "from macrocredit_assets.persistence.staging import staged\n"
        "def late():\n"
        "    threading.main_thread().join()\n"
        "    with staged() as files:\n"
        "        files.replace(Path(sys.argv[1]) / 'current.bin', lambda file: file.write(b'new'))\n"
        "        files.create(Path(sys.argv[1]) / '1.bin').write(b'new')\n"
        "threading.Thread(target=late).start()"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"1.bin": b"new", "current.bin": b"new"}


def test_no_thread_can_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system gives no thread, files are written one after the other."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    create(tmp_path / "1.bin", b"new", beside=tmp_path / "current.bin")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"1.bin": b"new", "current.bin": b"new"}


def test_file_that_cannot_be_written_keeps_the_commit_back(tmp_path: Path) -> None:
    """Where one of the files cannot be written, in another thread and late, nothing happens at all."""
    (tmp_path / "current.bin").write_bytes(b"old")
    created = threading.Event()

    def fill_the_disk(_: object) -> None:
        assert created.wait(10)
        raise OSError(errno.ENOSPC, "No space left on device")

    def write() -> None:
        with staged() as files:
            files.replace(tmp_path / "current.bin", fill_the_disk)
            files.create(tmp_path / "1.bin").write(b"new")
            created.set()

    with pytest.raises(OSError, match="No space left"):
        write()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"current.bin": b"old"}
