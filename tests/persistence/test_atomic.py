"""Files are replaced whole or not at all, whatever dies in between; locks exclude, and let go."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import portalocker
import pytest

from macrocredit_assets.persistence import atomic
from macrocredit_assets.persistence.atomic import is_private, locked, replacing, sweep, update, write_bytes

# Python programs that other processes run; each says when it is where the test wants it.
WRITE_AND_HANG = """
import sys, time
from pathlib import Path
from macrocredit_assets.persistence.atomic import replacing
with replacing(Path(sys.argv[1])) as handle:
    handle.write(b"half")
    handle.flush()
    print("writing", flush=True)
    time.sleep(60)
"""
LOCK_AND_HANG = """
import sys, time
from pathlib import Path
from macrocredit_assets.persistence.atomic import locked
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(60)
"""
COUNT = """
import sys
from pathlib import Path
from macrocredit_assets.persistence.atomic import update
for _ in range(int(sys.argv[2])):
    update(Path(sys.argv[1]), lambda before: str(int(before or b"0") + 1).encode())
"""


def start(program: str, *arguments: object) -> subprocess.Popen[bytes]:
    """Start a Python program in a process of its own."""
    return subprocess.Popen([sys.executable, "-c", program, *map(str, arguments)], stdout=subprocess.PIPE)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process once it has said that it is where it should be, and wait until it is gone."""
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()


def names(directory: Path) -> list[str]:
    """Return what lies in a directory, hidden files too."""
    return sorted(path.name for path in directory.iterdir())


def test_write_creates_parents_and_replaces_the_content(tmp_path: Path) -> None:
    """A file appears below directories that did not exist, and is replaced whole."""
    path = tmp_path / "a" / "b" / "file.bin"
    write_bytes(path, b"a long first content")
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert names(path.parent) == ["file.bin"]


def test_a_failed_write_leaves_the_old_bytes_and_no_litter(tmp_path: Path) -> None:
    """Where the block raises, the file is as it was and nothing lies beside it."""
    path = tmp_path / "file.bin"
    write_bytes(path, b"old")

    def fail() -> None:
        with replacing(path) as handle:
            handle.write(b"new")
            raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        fail()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file.bin"]


def test_a_failed_replacement_leaves_no_litter(tmp_path: Path) -> None:
    """A target that cannot be replaced, such as a directory, is left alone and the temporary file goes."""
    (tmp_path / "taken").mkdir()
    with pytest.raises(IsADirectoryError):
        write_bytes(tmp_path / "taken", b"new")
    assert names(tmp_path) == ["taken"]


def test_a_parent_that_is_a_file_is_an_error_and_stays(tmp_path: Path) -> None:
    """A file in the place of the directory is neither replaced nor mistaken for one."""
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(NotADirectoryError):
        write_bytes(tmp_path / "file" / "below", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_file_system_without_locks_gets_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the lock on the temporary file is refused, the error passes and the file goes."""

    def refuse(*_: object) -> None:
        raise portalocker.LockException("no locks here")

    monkeypatch.setattr(portalocker, "lock", refuse)
    with pytest.raises(portalocker.LockException, match="no locks here"):
        write_bytes(tmp_path / "file.bin", b"new")
    assert names(tmp_path) == []


def test_the_next_write_sweeps_what_a_killed_writer_left(tmp_path: Path) -> None:
    """SIGKILL in mid-write leaves the old bytes and a temporary file, which the next write removes."""
    path = tmp_path / "file [1]*.bin"
    write_bytes(path, b"old")
    kill(start(WRITE_AND_HANG, path))
    assert path.read_bytes() == b"old"
    assert len(names(tmp_path)) == 2
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == [path.name]


def test_a_living_writer_is_not_swept(tmp_path: Path) -> None:
    """Two writers at once do not take each other's temporary files; the last to finish wins."""
    path = tmp_path / "file.bin"
    with replacing(path) as handle:
        handle.write(b"first to start")
        write_bytes(path, b"second")
        assert path.read_bytes() == b"second"
    assert path.read_bytes() == b"first to start"
    assert names(tmp_path) == ["file.bin"]


def test_sweeping_leaves_other_files_alone(tmp_path: Path) -> None:
    """Only names that this module makes for this target are litter."""
    kept = [".file.bin.tmp", ".file.bin.backup.tmp", ".other.bin.0123456789ab.tmp", "file.bin.0123456789ab.tmp"]
    for name in [*kept, ".file.bin.0123456789ab.tmp"]:
        (tmp_path / name).write_bytes(b"")
    sweep(tmp_path / "file.bin")
    assert names(tmp_path) == sorted(kept)


def test_a_temporary_file_that_was_swept_before_its_lock_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweeper that comes between creation and lock costs the writer one more try, and no data."""
    lock = portalocker.lock
    swept: list[Path] = []

    def sweep_first(handle: object, flags: portalocker.LockFlags) -> None:
        if not swept:
            swept.extend(tmp_path.iterdir())
            swept[0].unlink()
        lock(handle, flags)

    monkeypatch.setattr(portalocker, "lock", sweep_first)
    write_bytes(tmp_path / "file.bin", b"new")
    assert len(swept) == 1
    assert (tmp_path / "file.bin").read_bytes() == b"new"
    assert names(tmp_path) == ["file.bin"]


def test_a_link_and_permissions_survive(tmp_path: Path) -> None:
    """Writing through a symbolic link replaces the file behind it, with the mode it had."""
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "elsewhere" / "file.bin"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link = tmp_path / "link.bin"
    link.symlink_to(path)
    write_bytes(link, b"new")
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_new_file_has_the_permissions_that_the_umask_leaves(tmp_path: Path) -> None:
    """Files are for the whole desk, not private as temporary files usually are."""
    before = os.umask(0o027)
    try:
        write_bytes(tmp_path / "file.bin", b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file.bin").stat().st_mode) == 0o640


def test_bytes_and_names_are_on_the_disk_before_a_write_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is synced under its temporary name, then the directory; new directories likewise."""
    synced: list[str] = []
    sync = os.fsync

    def note(descriptor: int) -> None:
        path = Path(f"/dev/fd/{descriptor}").resolve()
        synced.append("temporary" if path.name.endswith(atomic.TEMPORARY_SUFFIX) else str(path.relative_to(tmp_path)))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    write_bytes(tmp_path / "a" / "b" / "file.bin", b"new")
    assert synced == [".", "a", "temporary", "a/b"]


def test_update_gets_none_and_then_the_bytes(tmp_path: Path) -> None:
    """The change sees no file as None, and afterwards what the change before it returned."""
    seen: list[bytes | None] = []

    def change(before: bytes | None) -> bytes:
        seen.append(before)
        return (before or b"") + b"x"

    update(tmp_path / "file.bin", change)
    update(tmp_path / "file.bin", change)
    assert seen == [None, b"x"]
    assert (tmp_path / "file.bin").read_bytes() == b"xx"


@pytest.mark.parametrize("after", [None, b"same"])
def test_update_without_a_change_writes_nothing(tmp_path: Path, after: bytes | None) -> None:
    """None and equal bytes leave the very file that was there."""
    path = tmp_path / "file.bin"
    path.write_bytes(b"same")
    before = path.stat()
    update(path, lambda _: after)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_update_that_raises_changes_nothing_and_frees_the_lock(tmp_path: Path) -> None:
    """After an error in the change the file is as it was, and the next update goes through."""
    path = tmp_path / "file.bin"
    path.write_bytes(b"1")
    with pytest.raises(ValueError, match="invalid literal"):
        update(path, lambda _: b"%d" % int("x"))
    assert path.read_bytes() == b"1"
    update(path, lambda _: b"2")
    assert path.read_bytes() == b"2"


def test_sixteen_processes_lose_no_update(tmp_path: Path) -> None:
    """16 processes that count to 10 each in one file leave 160 there."""
    path = tmp_path / "counter"
    processes = [start(COUNT, path, 10) for _ in range(16)]
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0] * 16
    assert path.read_bytes() == b"160"
    assert names(tmp_path) == [".counter.lock", "counter"]


def test_the_lock_of_a_killed_holder_is_free(tmp_path: Path) -> None:
    """The operating system lets go of a dead process's lock; the lock file stays."""
    path = tmp_path / "file.bin"
    kill(start(LOCK_AND_HANG, path))
    with locked(path):
        assert names(tmp_path) == [".file.bin.lock"]


def test_a_lock_excludes_threads_too(tmp_path: Path) -> None:
    """A second thread waits until the first lets go."""
    order: list[str] = []
    path = tmp_path / "file.bin"

    def wait() -> None:
        with locked(path):
            order.append("second")

    with locked(path):
        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(timeout=0.2)
        assert thread.is_alive()
        order.append("first")
    thread.join(timeout=10)
    assert order == ["first", "second"]


def test_a_child_forked_under_the_lock_does_not_keep_it(tmp_path: Path) -> None:
    """A process that was forked while the lock was held shares the open file, and yet not the lock."""
    path = tmp_path / "file.bin"
    program = """
import os, sys, time
from pathlib import Path
from macrocredit_assets.persistence.atomic import locked
with locked(Path(sys.argv[1])):
    child = os.fork()
    if not child:
        time.sleep(60)
        os._exit(0)
print(child, flush=True)
"""
    process = start(program, path)
    assert process.stdout is not None
    with process.stdout:
        child = int(process.stdout.readline())
        process.wait()
    try:
        with (tmp_path / ".file.bin.lock").open("ab") as handle:
            portalocker.lock(handle, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
    finally:
        os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize(
    ("name", "private"),
    [(".a.parquet.0123456789ab.tmp", True), (".a.parquet.lock", True), ("a.parquet", False), (".hidden", False)],
)
def test_private_files_are_told_from_data(name: str, private: bool) -> None:
    """Temporary and lock files are recognised by name; a hidden file of somebody else is not ours."""
    assert is_private(Path(name)) is private
