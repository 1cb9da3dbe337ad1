"""Our own: the dataset store, the registry, and what a notebook calls."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa

from benchmarks import material
from benchmarks.worker import serve
from macrocredit_assets import load_panel
from macrocredit_assets.persistence import DataRegistry, DatasetEntry
from macrocredit_assets.persistence.dataset_store import DatasetStore
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

_FIRST = datetime(2020, 1, 1, tzinfo=UTC)


def _schema(frame: pd.DataFrame) -> pa.Schema:
    return pa.schema(
        [pa.field(name, pa.float64(), metadata={"unit": "index points", "decimals": "4"}) for name in frame.columns]
    )


def _window(frame: pd.DataFrame) -> Window:
    return Window(frame.index[0].date(), frame.index[-1].date())


class Ours:
    """Writes are durable and leave a revision; reads go through the store, as everything here does."""

    def prepare_quotes(self, folder: str) -> None:
        """Store 5,900 rows."""
        self._quotes = material.quotes()
        self._store = DatasetStore(Path(folder) / "data" / "raw" / "quotes.parquet", _schema(self._quotes))
        self._store.write(_window(self._quotes), self._quotes, series="made:up")
        self._days = itertools.count()

    def read_month(self) -> pd.DataFrame:
        """One month of one column."""
        return self._store.read_frame(Window.parse(*material.MONTH), ["close"])

    def append_day(self) -> None:
        """One day more, durable, with its revision."""
        day = (self._quotes.index[-1] + pd.Timedelta(days=1 + next(self._days))).as_unit("us")
        row = pd.DataFrame(self._quotes.iloc[[-1]].to_numpy(), columns=self._quotes.columns, index=[day])
        row.index.name = "date"
        self._store.write(Window(day.date(), day.date()), row, series="made:up")

    def prepare_panel(self, folder: str) -> None:
        """Store a hundred datasets."""
        self._settings = Settings(root=Path(folder), dagster_home=Path(folder) / "home")
        for seed, name in enumerate(material.names(100), start=1):
            frame = material.quotes(seed)
            store = DatasetStore(self._settings.dataset_path("market", name), _schema(frame))
            store.write(_window(frame), frame, series=f"made:{name}")

    def read_panel(self) -> pd.DataFrame:
        """One year of one column of each, aligned."""
        return load_panel(material.names(100), "close", *material.PANEL_YEAR, settings=self._settings)

    def prepare_wide(self, folder: str) -> None:
        """Store a thousand columns, one file a year."""
        self._wide = material.wide()
        path = Path(folder) / "data" / "raw" / "wide.parquet"
        self._wide_store = DatasetStore(path, _schema(self._wide), chunk="year")
        self._wide_store.write(_window(self._wide), self._wide, series="made:wide")
        self._days = itertools.count()

    def read_wide(self) -> pd.DataFrame:
        """One year of ten of its columns."""
        return self._wide_store.read_frame(Window.parse(*material.YEAR), material.WIDE_COLUMNS)

    def append_wide(self) -> None:
        """One day more of all of them."""
        day = (self._wide.index[-1] + pd.Timedelta(days=1 + next(self._days))).as_unit("us")
        row = pd.DataFrame(self._wide.iloc[[-1]].to_numpy(), columns=self._wide.columns, index=[day])
        row.index.name = "date"
        self._wide_store.write(Window(day.date(), day.date()), row, series="made:wide")

    def prepare_as_of(self, folder: str) -> None:
        """Store 5,900 rows and change one of them two thousand times."""
        frame = material.quotes()
        ticks = itertools.count()
        store = DatasetStore(
            Path(folder) / "data" / "raw" / "revised.parquet",
            _schema(frame),
            clock=lambda: _FIRST + timedelta(minutes=next(ticks)),
        )
        store.write(_window(frame), frame, series="made:up")
        instants = []
        for number in range(material.AS_OF_REVISIONS):
            row = material.revised(frame, number)
            instants.append(store.write(_window(row), row, series="made:up").known_at)
        self._revised, self._instants = store, instants

    def read_as_of(self, revision: int) -> pd.DataFrame:
        """All rows as they were known after a revision."""
        return self._revised.read_frame(as_of=self._instants[revision])

    def prepare_registry(self, folder: str) -> None:
        """Register ten thousand datasets."""
        data = Path(folder) / "data"
        self._registry = DataRegistry(data / "registry.json", data)
        entries = {name: DatasetEntry.from_dict(entry) for name, entry in material.registry(10_000).items()}
        self._registry.replace_all(lambda _: entries)

    def registry_update(self) -> None:
        """One durable change of one entry."""
        touched = {"touched": datetime.now(UTC).isoformat()}
        self._registry.update_entry("dataset_05000", lambda entry: replace(entry, metadata=touched))

    def registry_lookup(self, folder: str) -> str:
        """One entry, by a registry that has read nothing yet."""
        data = Path(folder) / "data"
        return DataRegistry(data / "registry.json", data).get_dataset_info("dataset_07777")["file_path"]


if __name__ == "__main__":
    serve(Ours())
