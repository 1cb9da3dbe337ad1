"""The stamp of a root: sample or real, decided by the first write."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from macrocredit_assets.errors import CorruptFileError, RootKindError
from macrocredit_assets.persistence.root_kind import read_root_kind, require_root_kind, stamp_root


def test_fresh_root(tmp_path: Path) -> None:
    """A root that was never written holds nothing, and asking creates nothing."""
    data = tmp_path / "data"
    assert read_root_kind(data) is None
    require_root_kind(data, "real")
    assert not data.exists()


def test_first_write_stamps(tmp_path: Path) -> None:
    """The first write stamps, with the time in UTC; later ones of the same kind leave the stamp as it is."""
    stamp_root(tmp_path / "data", "real")
    path = tmp_path / "data" / "root.json"
    stamp = json.loads(path.read_text())
    assert stamp["kind"] == "real"
    assert datetime.fromisoformat(stamp["stamped_at"]).utcoffset() == timedelta(0)
    before = path.read_bytes()
    stamp_root(tmp_path / "data", "real")
    assert path.read_bytes() == before
    assert read_root_kind(tmp_path / "data") == "real"


def test_other_kind_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other kind is refused with the command that writes to a root of its own."""
    monkeypatch.chdir(tmp_path)
    stamp_root(Path("data"), "sample")
    with pytest.raises(
        RootKindError, match=r"holds simulated data.*`MACROCREDIT_ROOT=\./real macrocredit backfill --start"
    ):
        stamp_root(Path("data"), "real")
    assert read_root_kind(Path("data")) == "sample"


def test_command_for_a_root_elsewhere(tmp_path: Path) -> None:
    """The command names a folder below a root that is not the current directory, quoted, and what the user ran."""
    root = tmp_path / "my data"
    stamp_root(root / "data", "real")
    with pytest.raises(RootKindError) as caught:
        require_root_kind(root / "data", "sample", command="macrocredit backfill vix")
    assert f"`MACROCREDIT_ROOT='{root}/sample' macrocredit backfill vix`" in str(caught.value)


def test_root_that_is_called_by_its_kind_gets_a_sister(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sample data do not go to a folder below real ones: ./real and ./sample stand side by side."""
    monkeypatch.chdir(tmp_path)
    stamp_root(tmp_path / "real" / "data", "real")
    with pytest.raises(RootKindError, match=r"`MACROCREDIT_ROOT=\./sample macrocredit"):
        require_root_kind(tmp_path / "real" / "data", "sample")


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"kind": "both"}', '{"kind": []}'])
def test_stamp_that_cannot_be_used(tmp_path: Path, content: str) -> None:
    """A stamp that says nothing is an error for whoever asks, and is never overwritten."""
    path = tmp_path / "root.json"
    path.write_text(content)
    with pytest.raises(CorruptFileError, match=r"root\.json cannot be used.*\"kind\": \"real\""):
        stamp_root(tmp_path, "sample")
    assert path.read_text() == content


def test_race(tmp_path: Path) -> None:
    """Of processes that stamp a fresh root at the same moment with different kinds, one kind wins for all of them."""
    script = (
        "import sys, time; from pathlib import Path\n"
        "from macrocredit_assets.errors import RootKindError\n"
        "from macrocredit_assets.persistence.root_kind import stamp_root\n"
        "folder, kind = Path(sys.argv[1]), sys.argv[2]\n"
        "(folder / f'ready-{sys.argv[3]}').touch()\n"
        "while not (folder / 'go').exists(): pass\n"
        "try: stamp_root(folder / 'data', kind)\n"
        "except RootKindError: sys.exit(2)\n"
    )
    kinds = ["sample", "real", "sample", "real"]
    processes = [
        subprocess.Popen([sys.executable, "-c", script, tmp_path, kind, str(number)])
        for number, kind in enumerate(kinds)
    ]
    while len(list(tmp_path.glob("ready-*"))) < len(processes):
        assert all(process.poll() is None for process in processes)
        time.sleep(0.01)
    (tmp_path / "go").touch()
    codes = [process.wait(timeout=60) for process in processes]
    winner = read_root_kind(tmp_path / "data")
    assert codes == [0 if kind == winner else 2 for kind in kinds]
