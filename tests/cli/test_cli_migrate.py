"""``macrocredit migrate NAME``: an entry changes its columns, and the stored rows follow."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import Result

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.persistence import DatasetStore

Run = Callable[..., Result]


@pytest.fixture
def catalog(tmp_path: Path) -> Callable[..., str]:
    """Write a catalog in which cdx_hy_5y is as in the shipped one, but for what is given; return its path."""

    def changed(**spread: Any) -> str:  # noqa: ANN401
        entry = load_catalog().datasets["cdx_hy_5y"].model_dump(mode="json", exclude={"name", "kind"})
        entry["columns"]["spread"] |= {"plausible": None, "hard": None, **spread}
        path = tmp_path / "ours.yaml"
        path.write_text(json.dumps({"datasets": {"cdx_hy_5y": _without_nulls(entry)}}))
        return str(path)

    return changed


def _without_nulls(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def _store(root: Path) -> DatasetStore:
    return DatasetStore(root / "data" / "raw" / "cdx_hy_5y.parquet")


def _spreads(root: Path) -> pd.Series[float]:
    return _store(root).read_frame()["spread"]


def test_unit_is_converted_as_one_revision(run: Run, filled: Path, catalog: Callable[..., str]) -> None:
    """Basis points become percent in every row, and as-of reads still give basis points."""
    before, known_at = _spreads(filled), _store(filled).revisions()[-1].known_at
    result = run("migrate", "cdx_hy_5y", root=filled, MACROCREDIT_CATALOG=catalog(unit="percent", decimals=6))
    assert result.exit_code == 0, result.output
    assert "column 'spread' is stored in bp, expected is percent" in result.stdout
    assert f"{len(before):,} rows were rewritten, as revision 2." in result.stdout
    pd.testing.assert_series_equal(_spreads(filled), before / 100)
    pd.testing.assert_series_equal(_store(filled).read_frame(as_of=known_at)["spread"], before)
    last = _store(filled).revisions()[-1]
    assert (last.kind, last.reason) == ("migrate", "column 'spread' is stored in bp, expected is percent")


def test_registry_and_run_log_follow(run: Run, filled: Path, catalog: Callable[..., str]) -> None:
    """After a migration the registry is true, and the run stands among the others."""
    ours = catalog(unit="percent", decimals=6)
    ways = json.loads((filled / "data" / "registry.json").read_text())["cdx_hy_5y"]["metadata"]["ways"]
    assert run("migrate", "cdx_hy_5y", root=filled, MACROCREDIT_CATALOG=ours).exit_code == 0
    metadata = json.loads((filled / "data" / "registry.json").read_text())["cdx_hy_5y"]["metadata"]
    assert (metadata["units"], metadata["ways"]) == ({"spread": "percent"}, ways)
    assert run("registry", "verify", root=filled, MACROCREDIT_CATALOG=ours).exit_code == 0
    latest = json.loads(run("runs", "list", "--json", root=filled).stdout)[0]
    assert (latest["job"], latest["status"], [*latest["assets"]]) == ("migrate", "success", ["cdx_hy_5y"])
    assert latest["run_id"] == metadata["run_id"]


def test_dry_run_says_it_and_does_nothing(run: Run, filled: Path, catalog: Callable[..., str]) -> None:
    """--dry-run has the answer of the real thing, and no file changes."""
    before = _files(filled)
    ours = catalog(unit="percent", decimals=6)
    said = json.loads(run("migrate", "cdx_hy_5y", "--dry-run", "--json", root=filled, MACROCREDIT_CATALOG=ours).stdout)
    assert _files(filled) == before
    done = json.loads(run("migrate", "cdx_hy_5y", "--json", root=filled, MACROCREDIT_CATALOG=ours).stdout)
    assert (said["dry_run"], said["revision"], said["run_log"]) == (True, None, None)
    assert said["rewritten"] == done["rewritten"] == len(_spreads(filled))
    assert said["differences"] == done["differences"] == ["column 'spread' is stored in bp, expected is percent"]


def test_dry_run_names_the_command_that_does_it(run: Run, filled: Path, catalog: Callable[..., str]) -> None:
    """The last line of a dry run is the command for the real one."""
    ours = catalog(unit="percent", decimals=6)
    said = run("migrate", "cdx_hy_5y", "--dry-run", root=filled, MACROCREDIT_CATALOG=ours).stdout.splitlines()
    assert said[-1].endswith("macrocredit migrate cdx_hy_5y")


def test_nothing_to_migrate(run: Run, filled: Path) -> None:
    """A dataset that is stored as the catalog has it is left alone."""
    before = _files(filled)
    assert run("migrate", "vix", root=filled).stdout == "vix is stored as the catalog has it: nothing to migrate.\n"
    assert json.loads(run("migrate", "vix", "--json", root=filled).stdout)["revision"] is None
    assert _files(filled) == before


def test_conversion_that_nobody_knows_is_refused(run: Run, filled: Path, catalog: Callable[..., str]) -> None:
    """A spread in dollars is no conversion: nothing is written, dry or not."""
    ours, before = catalog(unit="USD"), _files(filled)
    for arguments in (["--dry-run"], []):
        result = run("migrate", "cdx_hy_5y", *arguments, root=filled, MACROCREDIT_CATALOG=ours)
        assert result.exit_code == 1
        assert "cdx_hy_5y" in result.stderr
        assert "USD" in result.stderr
    assert {path: data for path, data in _files(filled).items() if path in before} == before


def test_nothing_stored_is_no_migration(run: Run) -> None:
    """A dataset without a file cannot be migrated; an unknown one is wrong use."""
    assert run("migrate", "vix").exit_code == 1
    assert run("migrate", "vixx").exit_code == 2


def _files(root: Path) -> dict[Path, bytes]:
    """Return every file that says something of the data; locks and Dagster's own files do not."""
    kept = (path for path in root.rglob("*") if path.suffix in {".parquet", ".json"} and ".dagster" not in path.parts)
    return {path.relative_to(root): path.read_bytes() for path in kept}
