"""The examples that people copy run as they stand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

DEMO = Path(__file__).resolve().parents[2] / "examples" / "persistence_demo.py"


def test_the_demo_runs_and_leaves_nothing(tmp_path: Path) -> None:
    """It shows every part, warns of nothing, and cleans up behind itself."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(DEMO)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"TMPDIR": str(tmp_path)},
    )
    for line in (
        "listed     ['cdx_ig_5y.parquet']",
        "one month  21 rows in 2024-03",
        '  "sharpe": null,',
        "registry   2 datasets: ['cdx_ig_5y', 'vix']",
        "updated    215 rows became 216",
        "removed    left ['vix'], file there: False",
    ):
        assert line in done.stdout.splitlines()
    assert done.stdout.count("refused") == 6
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_calls_of_the_library_before_this_one_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Notebooks that used its functions change the package's name, and nothing else."""
    monkeypatch.chdir(tmp_path)
    from macrocredit_assets.persistence import (
        DataRegistry,
        list_parquet_files,
        load_json,
        load_parquet,
        save_json,
        save_parquet,
    )

    df = pd.DataFrame(
        {"spread": np.linspace(50, 60, 215), "index": "CDX_IG_5Y"},
        index=pd.date_range("2024-01-01", periods=215, freq="B"),
    )
    save_parquet(df, "data/raw/cdx_ig_5y.parquet")
    save_parquet(df, Path("data/raw/compressed.parquet"), compression="gzip", index=True)
    df = load_parquet(
        "data/raw/cdx_ig_5y.parquet",
        columns=["spread"],
        start_date="2024-01-01",
        end_date=pd.Timestamp("2024-06-30"),
    )
    assert (len(df), list(df.columns), str(df.index[-1].date())) == (130, ["spread"], "2024-06-28")
    assert [path.stem for path in list_parquet_files("data/raw")] == ["cdx_ig_5y", "compressed"]

    registry = DataRegistry(Path("data/registry.json"), Path("data"))
    registry.register_dataset(
        name="cdx_ig_5y",
        file_path="data/raw/cdx_ig_5y.parquet",
        instrument="CDX.NA.IG",
        tenor="5Y",
        metadata={"source": "Bloomberg", "frequency": "daily"},
    )
    assert registry.list_datasets(instrument="CDX.NA.IG") == ["cdx_ig_5y"]
    info = registry.get_dataset_info("cdx_ig_5y")
    assert info["row_count"] == 215
    registry.update_dataset_stats("cdx_ig_5y")
    assert registry.get_dataset_entry("cdx_ig_5y").end_date == "2024-10-25T00:00:00"
    registry.remove_dataset("cdx_ig_5y", delete_file=True)
    assert not Path("data/raw/cdx_ig_5y.parquet").exists()

    save_json({"run": pd.Timestamp("2024-10-25"), "params": {"window": np.int64(252)}}, "logs/run.json")
    assert load_json("logs/run.json") == {"run": "2024-10-25T00:00:00", "params": {"window": 252}}
