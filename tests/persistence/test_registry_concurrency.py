"""Many processes share one registry: no update is lost, and readers wait for nobody."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
from pathlib import Path

from macrocredit_assets.persistence import DataRegistry

WRITE = """
import sys
from macrocredit_assets.persistence import DataRegistry, DatasetEntry
registry = DataRegistry(sys.argv[1] + "/registry.json", sys.argv[1])
worker = int(sys.argv[2])
for number in range(50):
    entry = DatasetEntry("X", f"data/raw/{worker}_{number}.parquet", row_count=number, metadata={"text": "x" * 100})
    registry.update_entry(f"dataset_{worker}_{number}", lambda before: entry)
"""


def test_sixteen_writers_keep_all_updates_while_readers_see_whole_files(tmp_path: Path) -> None:
    """16 processes x 50 updates leave 800 entries; a reader meanwhile sees the number grow, and never half a file."""
    registry = DataRegistry(tmp_path / "registry.json", tmp_path)
    writers = [subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path), str(worker)]) for worker in range(16)]
    seen = [0]
    while any(writer.poll() is None for writer in writers):
        seen.append(len(registry.entries()))
    assert [writer.wait() for writer in writers] == [0] * 16
    assert seen == sorted(seen)
    assert len(set(seen)) > 5
    rows = {name: entry.row_count for name, entry in registry.entries().items()}
    assert rows == {f"dataset_{worker}_{number}": number for worker in range(16) for number in range(50)}
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".registry.json.lock",
        ".registry.json.sha256",
        "registry.json",
    ]


def test_readers_take_no_lock(tmp_path: Path) -> None:
    """While a writer holds the lock, every reading call answers, a broken registry's too."""
    registry = DataRegistry(tmp_path / "registry.json", tmp_path)
    registry.register_dataset("vix", "data/raw/vix.parquet", "VIX")
    read = (
        "import sys; from macrocredit_assets.persistence import DataRegistry;"
        "r = DataRegistry(sys.argv[1] + '/registry.json', sys.argv[1]);"
        "print(r.list_datasets(), r.get_dataset_info('vix')['instrument'], r.get_dataset_entry('vix').tenor,"
        "list(r.entries()), repr(r)[-11:])"
    )
    with (tmp_path / ".registry.json.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            [sys.executable, "-c", read, str(tmp_path)], capture_output=True, text=True, check=True, timeout=30
        )
    assert done.stdout == "['vix'] VIX None ['vix'] datasets=1)\n"
    assert list(json.loads(registry.registry_path.read_bytes())) == ["vix"]
