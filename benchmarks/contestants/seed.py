"""The way such things begin: pandas and the standard library's json, a file read whole and then cut."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import pandas as pd

from benchmarks import material
from benchmarks.worker import serve


class Seed:
    """Writes are made durable, as ours are: written beside, synced, and moved into place."""

    def prepare_quotes(self, folder: str) -> None:
        """Store 5,900 rows."""
        self._path = Path(folder) / "quotes.parquet"
        material.quotes().to_parquet(self._path)
        self._days = itertools.count()

    def read_month(self) -> pd.DataFrame:
        """One month of one column."""
        frame = pd.read_parquet(self._path, columns=["close"])
        return frame[(frame.index >= material.MONTH[0]) & (frame.index <= material.MONTH[1])]

    def append_day(self) -> None:
        """One day more; no revision."""
        frame = pd.read_parquet(self._path)
        row = frame.iloc[[-1]].set_axis(frame.index[-1:] + pd.Timedelta(days=1), axis=0)
        _durable(self._path, lambda path: pd.concat([frame, row]).to_parquet(path))

    def prepare_panel(self, folder: str) -> None:
        """Store a hundred datasets."""
        self._folder = Path(folder)
        for seed, name in enumerate(material.names(100), start=1):
            material.quotes(seed).to_parquet(self._folder / f"{name}.parquet")

    def read_panel(self) -> pd.DataFrame:
        """One year of one column of each, aligned."""
        series = {}
        for name in material.names(100):
            frame = pd.read_parquet(self._folder / f"{name}.parquet", columns=["close"])
            series[name] = frame.loc[material.PANEL_YEAR[0] : material.PANEL_YEAR[1], "close"]
        return pd.concat(series, axis=1, sort=True)

    def prepare_wide(self, folder: str) -> None:
        """Store a thousand columns."""
        self._wide = Path(folder) / "wide.parquet"
        material.wide().to_parquet(self._wide)

    def read_wide(self) -> pd.DataFrame:
        """One year of ten of its columns."""
        frame = pd.read_parquet(self._wide, columns=list(material.WIDE_COLUMNS))
        return frame.loc[material.YEAR[0] : material.YEAR[1]]

    def append_wide(self) -> None:
        """One day more of all of them."""
        frame = pd.read_parquet(self._wide)
        row = frame.iloc[[-1]].set_axis(frame.index[-1:] + pd.Timedelta(days=1), axis=0)
        _durable(self._wide, lambda path: pd.concat([frame, row]).to_parquet(path))

    def prepare_registry(self, folder: str) -> None:
        """Register ten thousand datasets."""
        self._registry = Path(folder) / "registry.json"
        self._registry.write_text(json.dumps(material.registry(10_000), indent=2))

    def registry_update(self) -> None:
        """One durable change of one entry."""
        document = json.loads(self._registry.read_text())
        document["dataset_05000"]["metadata"] = {"touched": "now"}
        _durable(self._registry, lambda path: path.write_text(json.dumps(document, indent=2)))

    def registry_lookup(self, folder: str) -> str:
        """One entry, read anew."""
        return json.loads((Path(folder) / "registry.json").read_text())["dataset_07777"]["file_path"]


def _durable(path: Path, write) -> None:  # noqa: ANN001 - a callable that takes a path
    beside = path.with_suffix(".new")
    write(beside)
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


if __name__ == "__main__":
    serve(Seed())
