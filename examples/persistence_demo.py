"""Parquet, JSON and the registry in five minutes; everything happens in a temporary directory.

Run it with: uv run python examples/persistence_demo.py

It needs neither Dagster nor a catalog, and no settings. Each step is a function; read them from top to bottom.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path

import numpy as np
import pandas as pd

from macrocredit_assets.persistence import (
    DataRegistry,
    EnhancedJSONEncoder,
    list_parquet_files,
    load_json,
    load_parquet,
    save_json,
    save_parquet,
)


def make_spreads() -> pd.DataFrame:
    """Return 215 made-up closing spreads in basis points, one per weekday, indexed by date."""
    days = pd.bdate_range("2024-01-01", periods=215, name="date")
    steps = np.random.default_rng(seed=7).normal(0, 1.2, size=len(days))
    return pd.DataFrame({"spread": (56 + steps.cumsum()).round(2), "volume": 1_000}, index=days)


def show_parquet(root: Path) -> Path:
    """Save a frame, list what is there, and read back only the part that is wanted."""
    heading("1. Frames in Parquet files")
    path = save_parquet(make_spreads(), root / "data" / "raw" / "cdx_ig_5y.parquet", compression="zstd")
    print(f"saved      {path.relative_to(root)} ({path.stat().st_size:,} bytes)")
    print(f"listed     {[file.name for file in list_parquet_files(path.parent)]}")

    # Both ends are included. A date alone means the whole day; only the row groups that hold it are read.
    week = load_parquet(path, columns=["spread"], start_date="2024-03-04", end_date=pd.Timestamp("2024-03-08"))
    print(f"one week   index {week.index.dtype}, columns {list(week.columns)}\n{week}")
    print(f"one month  {len(load_parquet(path, start_date='2024-03', end_date='2024-03'))} rows in 2024-03")

    # Mistakes are errors that say what to do, never an empty answer.
    show_error(lambda: load_parquet(path, columns=["oas"]))
    show_error(lambda: load_parquet(path, start_date="2024-03-08", end_date="2024-03-04"))
    return path


class Side(Enum):
    """Enumerations are written as their value."""

    LONG = "long credit risk"
    SHORT = "short credit risk"


@dataclass(frozen=True)
class Quote:
    """Dataclasses are written as objects."""

    instrument: str
    day: date
    spread: float


def show_json(root: Path) -> None:
    """Save a document with the types that analysis produces, and read it back as plain JSON."""
    heading("2. Documents in JSON files")
    document = {
        "made_at": datetime(2024, 10, 25, 14, 30, tzinfo=UTC),
        "quote": Quote("CDX.NA.IG", date(2024, 10, 25), 53.4),
        "side": Side.LONG,
        "sharpe": np.float64("nan"),  # what is not a number is null: the file is always valid JSON
        "weights": np.array([0.25, 0.75]),
        "tenors": {"5Y", "10Y"},  # sets are sorted, so that the same data give the same file
        "file": Path("data/raw/cdx_ig_5y.parquet"),
        "holding": pd.Timedelta(days=20),
        date(2024, 10, 25): "dates, numbers, paths and enumerations may be keys too",
    }
    path = save_json(document, root / "reports" / "signal.json")
    print(path.read_text(encoding="utf-8"), end="")
    print(f"read back  weights {load_json(path)['weights']}, sharpe {load_json(path)['sharpe']}")
    print(f"in memory  {json.dumps({'on': date(2024, 10, 25)}, cls=EnhancedJSONEncoder)}")

    # What JSON cannot hold is named, with its place.
    show_error(lambda: save_json({"legs": [{"price": object()}]}, path))


def show_registry(root: Path, path: Path) -> None:
    """Register the dataset, find it again, and let the registry follow its file."""
    heading("3. The registry of datasets")
    registry = DataRegistry(root / "data" / "registry.json", root / "data")
    registry.register_dataset(
        name="cdx_ig_5y",
        file_path="data/raw/cdx_ig_5y.parquet",
        instrument="CDX.NA.IG",
        tenor="5Y",
        metadata={"source": "Bloomberg", "frequency": "daily"},
    )
    # A file that does not exist yet may be registered: its statistics are null until there is one.
    registry.register_dataset(name="vix", file_path="data/raw/vix.parquet", instrument="VIX")
    print(f"registry   {len(registry.list_datasets())} datasets: {registry.list_datasets()}")
    print(f"CDX IG     {registry.list_datasets(instrument='CDX.NA.IG')}")
    print(json.dumps(registry.get_dataset_info("cdx_ig_5y"), indent=2))

    # The file has grown: the statistics are read from its footer, not from its rows.
    grown = pd.concat([load_parquet(path), make_spreads().tail(1).shift(freq="1D")])
    save_parquet(grown, path)
    before = registry.get_dataset_info("cdx_ig_5y")["row_count"]
    after = registry.update_dataset_stats("cdx_ig_5y").row_count
    print(f"updated    {before} rows became {after}")

    registry.remove_dataset("cdx_ig_5y", delete_file=True)
    print(f"removed    left {registry.list_datasets()}, file there: {path.exists()}")
    show_error(lambda: registry.get_dataset_info("cdx_ig_5y"))


def show_safety(root: Path) -> None:
    """Break things, and see that nothing is lost."""
    heading("4. Nothing is lost")
    path = save_json({"stored": "yesterday"}, root / "data" / "state.json")
    show_error(lambda: save_json({"broken": object()}, path))
    print(f"state      {load_json(path)} - the failed write left it as it was")

    # A registry that does not parse is never overwritten. A copy is set aside, and the error says how to restore it.
    registry = DataRegistry(root / "data" / "registry.json", root / "data")
    registry.registry_path.write_text('{"cdx_ig_5y": {"instr', encoding="utf-8")
    show_error(registry.list_datasets)
    print(f"beside it  {[file.name for file in sorted((root / 'data').glob('registry.json*'))]}")


def heading(text: str) -> None:
    """Print a heading."""
    print(f"\n{text}\n{'=' * len(text)}")


def show_error(call: Callable[[], object]) -> None:
    """Print the error that a call raises; that it raises none would be a surprise."""
    try:
        call()
    except (LookupError, TypeError, ValueError) as error:
        print(f"refused    {type(error).__name__}: {error.args[0]}")
    else:
        raise AssertionError("expected an error")


def main() -> None:
    """Run all steps in a directory that is gone afterwards."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory).resolve()
        path = show_parquet(root)
        show_json(root)
        show_registry(root, path)
        show_safety(root)


if __name__ == "__main__":
    main()
