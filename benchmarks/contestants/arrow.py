"""A careful reader with pyarrow: the file mapped, one thread, no metadata of pandas, and a binary search."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import material
from benchmarks.worker import serve


class Arrow:
    """Plain columns in lz4, one file a dataset."""

    def prepare_quotes(self, folder: str) -> None:
        """Store 5,900 rows."""
        self._path = Path(folder) / "quotes.parquet"
        _write(material.quotes(), self._path)

    def read_month(self) -> pd.DataFrame:
        """One month of one column."""
        return _read(self._path, ["close"], *material.MONTH)

    def prepare_panel(self, folder: str) -> None:
        """Store a hundred datasets."""
        self._folder = Path(folder)
        for seed, name in enumerate(material.names(100), start=1):
            _write(material.quotes(seed), self._folder / f"{name}.parquet")

    def read_panel(self) -> pd.DataFrame:
        """One year of one column of each, aligned."""
        series = {
            name: _read(self._folder / f"{name}.parquet", ["close"], *material.PANEL_YEAR)["close"]
            for name in material.names(100)
        }
        return pd.concat(series, axis=1, sort=True)

    def prepare_wide(self, folder: str) -> None:
        """Store a thousand columns."""
        self._wide = Path(folder) / "wide.parquet"
        _write(material.wide(), self._wide)

    def read_wide(self) -> pd.DataFrame:
        """One year of ten of its columns."""
        return _read(self._wide, list(material.WIDE_COLUMNS), *material.YEAR)


def _write(frame: pd.DataFrame, path: Path) -> None:
    table = pa.Table.from_pandas(frame.reset_index(), preserve_index=False)
    pq.write_table(table, path, compression="lz4", use_dictionary=False, column_encoding=None)


def _read(path: Path, columns: list[str], start: str, end: str) -> pd.DataFrame:
    with pq.ParquetFile(path, memory_map=True, pre_buffer=False) as file:
        table = file.read(["date", *columns], use_threads=False, use_pandas_metadata=False)
    dates = table.column("date").to_numpy()
    first, last = np.searchsorted(dates, [np.datetime64(start), np.datetime64(end) + np.timedelta64(1, "D")])
    data = {name: table.column(name).to_numpy()[first:last] for name in columns}
    return pd.DataFrame(data, index=pd.DatetimeIndex(dates[first:last], name="date"))


if __name__ == "__main__":
    serve(Arrow())
