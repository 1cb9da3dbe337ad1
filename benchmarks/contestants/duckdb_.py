"""DuckDB over Parquet: a query with a filter."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd

from benchmarks import material
from benchmarks.worker import serve


class DuckDB:
    """One connection in memory, and the files that pandas wrote."""

    def __init__(self) -> None:
        self._connection = duckdb.connect()

    def prepare_quotes(self, folder: str) -> None:
        """Store 5,900 rows."""
        self._path = Path(folder) / "quotes.parquet"
        material.quotes().reset_index().to_parquet(self._path, index=False)

    def read_month(self) -> pd.DataFrame:
        """One month of one column."""
        return self._query(self._path, ["close"], *material.MONTH)

    def prepare_panel(self, folder: str) -> None:
        """Store a hundred datasets."""
        self._folder = Path(folder)
        for seed, name in enumerate(material.names(100), start=1):
            material.quotes(seed).reset_index().to_parquet(self._folder / f"{name}.parquet", index=False)

    def read_panel(self) -> pd.DataFrame:
        """One year of one column of each, aligned."""
        start, end = material.PANEL_YEAR
        query = """
            select date, parse_filename(filename, true) as name, close
            from read_parquet($files, filename = true) where date between $start and $end
        """
        values = {"files": str(self._folder / "*.parquet"), "start": start, "end": end}
        frame = self._connection.execute(query, values).df()
        panel = frame.pivot(index="date", columns="name", values="close")  # noqa: PD010 - nothing to aggregate
        return panel.rename_axis(columns=None)

    def prepare_wide(self, folder: str) -> None:
        """Store a thousand columns."""
        self._wide = Path(folder) / "wide.parquet"
        material.wide().reset_index().to_parquet(self._wide, index=False)

    def read_wide(self) -> pd.DataFrame:
        """One year of ten of its columns."""
        return self._query(self._wide, list(material.WIDE_COLUMNS), *material.YEAR)

    def _query(self, path: Path, columns: list[str], start: str, end: str) -> pd.DataFrame:
        # the names are this program's own
        query = f"select date, {', '.join(columns)} from read_parquet($path) where date between $start and $end"  # noqa: S608
        values = {"path": str(path), "start": start, "end": end}
        return self._connection.execute(query, values).df().set_index("date")


if __name__ == "__main__":
    serve(DuckDB())
