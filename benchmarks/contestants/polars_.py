"""Polars over Parquet: a lazy scan with a filter, which reads the row groups that have the dates."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import polars as pl

from benchmarks import material
from benchmarks.worker import serve


class Polars:
    """One file a dataset, as polars writes it."""

    def prepare_quotes(self, folder: str) -> None:
        """Store 5,900 rows."""
        self._path = Path(folder) / "quotes.parquet"
        pl.from_pandas(material.quotes().reset_index()).write_parquet(self._path)

    def read_month(self) -> pd.DataFrame:
        """One month of one column."""
        return _pandas(_scan(self._path, ["close"], *material.MONTH).collect())

    def prepare_panel(self, folder: str) -> None:
        """Store a hundred datasets."""
        self._folder = Path(folder)
        for seed, name in enumerate(material.names(100), start=1):
            pl.from_pandas(material.quotes(seed).reset_index()).write_parquet(self._folder / f"{name}.parquet")

    def read_panel(self) -> pd.DataFrame:
        """One year of one column of each, aligned."""
        scans = [
            _scan(self._folder / f"{name}.parquet", ["close"], *material.PANEL_YEAR).rename({"close": name})
            for name in material.names(100)
        ]
        return _pandas(pl.concat(pl.collect_all(scans), how="align"))

    def prepare_wide(self, folder: str) -> None:
        """Store a thousand columns."""
        self._wide, self._days = Path(folder) / "wide.parquet", itertools.count(1)
        pl.from_pandas(material.wide().reset_index()).write_parquet(self._wide)

    def read_wide(self) -> pd.DataFrame:
        """One year of ten of its columns."""
        return _pandas(_scan(self._wide, list(material.WIDE_COLUMNS), *material.YEAR).collect())

    def append_wide(self) -> None:
        """One day more of all of them: the file is read and written whole."""
        frame = pl.read_parquet(self._wide)
        row = frame.tail(1).with_columns(pl.col("date") + timedelta(days=1))
        beside = self._wide.with_suffix(".new")
        pl.concat([frame, row]).write_parquet(beside)
        beside.replace(self._wide)


def _scan(path: Path, columns: list[str], start: str, end: str) -> pl.LazyFrame:
    first, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
    return pl.scan_parquet(path).select("date", *columns).filter(pl.col("date").is_between(first, last))


def _pandas(frame: pl.DataFrame) -> pd.DataFrame:
    return frame.to_pandas().set_index("date")


if __name__ == "__main__":
    serve(Polars())
