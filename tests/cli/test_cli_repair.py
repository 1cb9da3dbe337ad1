"""``macrocredit registry verify --repair``: what was done, what is left, and the exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

Run = Callable[..., Result]


def test_repair_says_what_it_did(run: Run, filled: Path) -> None:
    """Each repair is one line; where nothing is left the code is 0, and a second repair has nothing to do."""
    path = filled / "data" / "raw" / "vix.parquet"
    path.write_bytes(b"broken")
    (filled / "data" / "raw" / "cdx_hy_5y.parquet").unlink()
    assert run("registry", "verify", root=filled).exit_code == 1
    result = run("registry", "verify", "--repair", root=filled)
    assert result.exit_code == 0, result.output
    aside = path.with_name("vix.parquet.aside")
    assert result.stdout.splitlines() == [
        "cdx_hy_5y: rolled forward, the file shows revision 1",
        f"vix: projected anew, the file shows revision 1; what stood there is kept as {aside}",
        "Registry and files agree: 3 datasets.",
    ]
    assert aside.read_bytes() == b"broken"
    assert run("registry", "verify", "--repair", root=filled).stdout == "Registry and files agree: 3 datasets.\n"


def test_repair_mends_the_registry(run: Run, filled: Path) -> None:
    """A registry that lies is put right from the files."""
    path = filled / "data" / "registry.json"
    before = json.loads(path.read_text())
    path.write_text(json.dumps({**before, "vix": {**before["vix"], "row_count": 7}}))
    result = run("registry", "verify", "--repair", root=filled)
    assert result.stdout.splitlines()[0] == "vix: registry entry changed: row_count"
    assert result.exit_code == 0
    assert json.loads(path.read_text())["vix"]["row_count"] == before["vix"]["row_count"]


def test_what_cannot_be_repaired_ends_with_1(run: Run, filled: Path) -> None:
    """Where rows cannot be had back, the rest is repaired and the command fails, as JSON too."""
    (filled / "data" / "revisions" / "vix" / "00000001.parquet").write_bytes(b"broken")
    (filled / "data" / "raw" / "vix.parquet").unlink()
    (filled / "data" / "raw" / "cdx_hy_5y.parquet").unlink()
    result = run("registry", "verify", "--repair", "--json", root=filled)
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert [(done["name"], done["what"]) for done in said["files"]] == [("cdx_hy_5y", "rolled forward")]
    assert [problem["subject"] for problem in said["problems"]] == ["vix"]
