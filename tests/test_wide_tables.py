"""Datasets of one file a year: registered, verified, repaired and migrated like those of one file."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from macrocredit_assets.catalog import Catalog, load_catalog
from macrocredit_assets.ingest import Ingested
from macrocredit_assets.migration import migrate
from macrocredit_assets.persistence.root_kind import stamp_root
from macrocredit_assets.settings import Settings
from macrocredit_assets.stores import open_store
from macrocredit_assets.sync import rebuild, repair, verify
from macrocredit_assets.windows import Coverage, Window
from macrocredit_assets.writing import tell, write

_WINDOW = Window(date(2023, 1, 1), date(2024, 12, 31))


def _catalog(folder: Path, unit: str = "bp") -> Catalog:
    """Return the shipped catalog in which cdx_ig_5y is a table of one file a year, in some unit."""
    entry = load_catalog().datasets["cdx_ig_5y"].model_dump(mode="json", exclude={"name", "kind"}, exclude_none=True)
    entry["columns"] = {"spread": {"unit": unit, "decimals": 6}}
    path = folder / "ours.yaml"
    path.write_text(json.dumps({"datasets": {"cdx_ig_5y": {**entry, "chunk": "year"}}}))
    return load_catalog(path)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Write a table of two years, one row in each."""
    settings = Settings(root=tmp_path, dagster_home=tmp_path / ".dagster", profile="files")
    stamp_root(settings.data_directory, "real")
    spec = _catalog(tmp_path).datasets["cdx_ig_5y"]
    index = pd.DatetimeIndex(["2023-03-15", "2024-03-15"], name="date")
    ingested = Ingested(pd.DataFrame({"spread": [88.25, 51.5]}, index), "desk:CDX", _WINDOW, Coverage((_WINDOW,)))
    tell(settings, spec, write(settings, spec, ingested, run_id="run-1"), run_id="run-1")
    return settings


def _year(settings: Settings, year: int) -> Path:
    return settings.data_directory / "raw" / "cdx_ig_5y" / f"{year}.parquet"


def test_wide_table_is_registered_and_sound(settings: Settings) -> None:
    """Registry and files agree, and a lost registry is restored from the files of the years."""
    catalog = _catalog(settings.root)
    assert _year(settings, 2023).is_file()
    assert verify(settings, catalog) == []
    before = json.loads(settings.registry_path.read_text())["cdx_ig_5y"]
    settings.registry_path.unlink()
    rebuild(settings, catalog)
    after = json.loads(settings.registry_path.read_text())["cdx_ig_5y"]
    assert {key: after[key] for key in ("row_count", "start_date", "end_date", "file_path")} == {
        key: before[key] for key in ("row_count", "start_date", "end_date", "file_path")
    }
    assert verify(settings, catalog) == []


def test_changed_layout_is_told_as_what_it_is(settings: Settings) -> None:
    """Where the catalog no longer says `chunk: year`, verify says so, and calls no hash wrong."""
    (problem,) = verify(settings, load_catalog())
    assert "`chunk` was changed in the catalog" in problem.message
    assert "hash" not in problem.message


def test_lost_year_is_found_and_had_back(settings: Settings) -> None:
    """A year's file that is gone, or was changed, is told and comes back from the revisions."""
    catalog, before = _catalog(settings.root), _year(settings, 2023).read_bytes()
    for damage in (b"broken", None):
        if damage is None:
            _year(settings, 2023).unlink()
        else:
            _year(settings, 2023).write_bytes(damage)
        assert [problem.subject for problem in verify(settings, catalog)] == ["cdx_ig_5y"]
        (done,) = repair(settings, catalog).files
        assert (done.name, done.revision) == ("cdx_ig_5y", 1)
        assert _year(settings, 2023).read_bytes() == before
        assert verify(settings, catalog) == []


def test_wide_table_is_migrated_after_a_dry_run(settings: Settings) -> None:
    """The dry run works on copies of all years, and the real one rewrites them."""
    catalog = _catalog(settings.root, unit="percent")
    spec, before = catalog.datasets["cdx_ig_5y"], _year(settings, 2024).read_bytes()
    dry = migrate(spec, settings, dry_run=True)
    assert (dry.run_log, dry.result and dry.result.row_count) == (None, 2)
    assert _year(settings, 2024).read_bytes() == before
    migrate(spec, settings)
    assert open_store(settings, spec).read_frame()["spread"].tolist() == [0.8825, 0.515]
    assert verify(settings, catalog) == []
    assert repair(settings, catalog).files == ()
