"""The module that Dagster loads: a deployment's definitions, and a process that is otherwise as before."""

from __future__ import annotations

import gc
import runpy
from pathlib import Path

import dagster as dg
import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.errors import CatalogError


@pytest.mark.parametrize("collecting", [True, False])
def test_it_holds_the_definitions_and_leaves_the_collector_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, collecting: bool
) -> None:
    """Garbage is collected afterwards if it was before, also where loading failed."""
    monkeypatch.setenv("MACROCREDIT_ROOT", str(tmp_path))
    (gc.enable if collecting else gc.disable)()
    try:
        loaded = runpy.run_module("macrocredit_assets.definitions")
        assert gc.isenabled() is collecting
        (defs,) = (each for each in loaded.values() if isinstance(each, dg.Definitions))
        assert {key.to_user_string() for key in defs.resolve_all_asset_keys()} >= {*load_catalog().names()}
        monkeypatch.setenv("MACROCREDIT_CATALOG", str(tmp_path / "absent.yaml"))
        with pytest.raises(CatalogError, match="There is no catalog file"):
            runpy.run_module("macrocredit_assets.definitions")
        assert gc.isenabled() is collecting
    finally:
        gc.unfreeze()
        gc.enable()
