"""The definitions of a deployment: what the lineage view shows."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.orchestration.build import build_definitions
from macrocredit_assets.settings import Profile, Settings

_REPOSITORY = Path(__file__).resolve().parents[2]


def _definitions(root: Path, profile: Profile = "sample", **options: Path) -> dg.Definitions:
    return build_definitions(Settings(root=root, dagster_home=root / ".dagster", profile=profile, **options))


def _graph(definitions: dg.Definitions) -> AssetGraph:
    return definitions.resolve_asset_graph()


def test_every_entry_is_an_asset(tmp_path: Path) -> None:
    """Key, group, owner, description and one daily partitions definition with a single-run policy."""
    graph = _graph(_definitions(tmp_path))
    catalog = load_catalog()
    assert len(catalog.names()) == 21
    for name in catalog.names():
        node, entry = graph.get(dg.AssetKey(name)), catalog.entry(name)
        assert (node.group_name, list(node.owners)) == (entry.group, [entry.owner])
        assert entry.description in (node.description or "")
        assert node.partitions_def == dg.DailyPartitionsDefinition("1990-01-01", timezone="America/New_York")
        assert node.backfill_policy == dg.BackfillPolicy.single_run()
        assert node.tags["instrument"]
        assert "parquet" in node.kinds


def test_columns_have_units_and_bounds(tmp_path: Path) -> None:
    """The schema of a dataset stands on its definition, once."""
    metadata = _graph(_definitions(tmp_path)).get(dg.AssetKey("ust_10y")).metadata
    date, rate = metadata["dagster/column_schema"].value.columns
    assert (date.name, date.constraints.unique, date.constraints.nullable) == ("date", True, False)
    assert (rate.name, rate.type, rate.tags["unit"]) == ("yield", "float64", "percent")
    assert any(text.startswith("hard:") for text in rate.constraints.other)
    assert metadata["path"].value == str(tmp_path / "data/raw/ust_10y.parquet")


def test_upstream_is_the_series_that_the_profile_chose(tmp_path: Path, real_data: Path) -> None:
    """The same dataset comes from another source under another profile."""
    sample = _graph(_definitions(tmp_path)).get(dg.AssetKey("us_hy_oas"))
    files = _graph(_definitions(tmp_path, "files", files=real_data)).get(dg.AssetKey("us_hy_oas"))
    assert sample.parent_keys == {dg.AssetKey(["source", "sample", "us_hy_oas"])}
    assert files.parent_keys == {dg.AssetKey(["source", "fred", "BAMLH0A0HYM2"])}


def test_signals_stand_below_their_inputs(tmp_path: Path) -> None:
    """Lineage: source, dataset, signal."""
    graph = _graph(_definitions(tmp_path))
    assert graph.get(dg.AssetKey("cdx_vix_gap")).parent_keys == {dg.AssetKey("cdx_hy_5y"), dg.AssetKey("vix")}
    external = [key for key in graph.get_all_asset_keys() if key.path[0] == "source"]
    assert len(external) == 16
    assert not any(graph.get(key).is_executable for key in external)


def test_dataset_that_the_profile_cannot_serve_stays_in_the_lineage(tmp_path: Path) -> None:
    """An asset must not vanish because a file is missing."""
    graph = _graph(_definitions(tmp_path, "files", files=tmp_path))
    assert graph.has(dg.AssetKey("vix"))


def test_code_version_follows_the_entry(tmp_path: Path) -> None:
    """Another entry, another version; the same entry, the same version."""
    shipped = yaml.safe_load((_REPOSITORY / "macrocredit_assets/catalog/datasets.yaml").read_text())
    ours = tmp_path / "ours.yaml"
    ours.write_text(yaml.safe_dump({"datasets": {"vix": {**shipped["datasets"]["vix"], "publication_lag": 3}}}))
    before = _graph(_definitions(tmp_path))
    again = _graph(_definitions(tmp_path / "elsewhere"))
    after = _graph(_definitions(tmp_path, catalog=ours))
    vix = dg.AssetKey("vix")
    assert before.get(vix).code_version == again.get(vix).code_version
    assert before.get(vix).code_version != after.get(vix).code_version


@pytest.mark.parametrize("options", [[], ["-w", "workspace.yaml"]])
def test_dagster_finds_the_definitions(options: list[str], tmp_path: Path) -> None:
    """By [tool.dagster] in pyproject.toml, and by workspace.yaml."""
    environ = {**os.environ, "MACROCREDIT_ROOT": str(tmp_path), "DAGSTER_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "dagster", "definitions", "validate", *options]
    done = subprocess.run(command, cwd=_REPOSITORY, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "All code locations passed validation" in done.stdout + done.stderr
    assert not (tmp_path / "data").exists()  # loading definitions writes nothing
