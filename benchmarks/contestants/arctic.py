"""ArcticDB on LMDB, in an environment of its own: it needs pandas 2."""

from __future__ import annotations

import itertools

import arcticdb
import pandas as pd

from benchmarks import material
from benchmarks.worker import serve


class Arctic:
    """One library, one symbol a dataset; every write is a version."""

    def prepare_quotes(self, folder: str) -> None:
        """Store 5,900 rows."""
        self._library = _library(folder)
        frame = material.quotes()
        self._library.write("quotes", frame)
        self._row, self._days = frame.iloc[[-1]], itertools.count(1)

    def read_month(self) -> pd.DataFrame:
        """One month of one column."""
        return self._library.read("quotes", columns=["close"], date_range=_range(material.MONTH)).data

    def append_day(self) -> None:
        """One day more, as a version of its own."""
        self._library.update("quotes", _later(self._row, next(self._days)))

    def prepare_panel(self, folder: str) -> None:
        """Store a hundred datasets."""
        self._library = _library(folder)
        for seed, name in enumerate(material.names(100), start=1):
            self._library.write(name, material.quotes(seed))

    def read_panel(self) -> pd.DataFrame:
        """One year of one column of each; aligned here, which ``read_batch`` does not do."""
        requests = [
            arcticdb.ReadRequest(name, columns=["close"], date_range=_range(material.PANEL_YEAR))
            for name in material.names(100)
        ]
        answers = self._library.read_batch(requests)
        return pd.concat({answer.symbol: answer.data["close"] for answer in answers}, axis=1, sort=True)

    def prepare_wide(self, folder: str) -> None:
        """Store a thousand columns."""
        self._library = _library(folder)
        frame = material.wide()
        self._library.write("wide", frame)
        self._row, self._days = frame.iloc[[-1]], itertools.count(1)

    def read_wide(self) -> pd.DataFrame:
        """One year of ten of its columns."""
        return self._library.read("wide", columns=list(material.WIDE_COLUMNS), date_range=_range(material.YEAR)).data

    def append_wide(self) -> None:
        """One day more of all of them."""
        self._library.update("wide", _later(self._row, next(self._days)))

    def prepare_as_of(self, folder: str) -> None:
        """Store 5,900 rows and change one of them two thousand times."""
        self._library = _library(folder)
        frame = material.quotes()
        self._library.write("revised", frame)
        for number in range(material.AS_OF_REVISIONS):
            self._library.update("revised", material.revised(frame, number))

    def read_as_of(self, revision: int) -> pd.DataFrame:
        """All rows as they were known after a revision."""
        return self._library.read("revised", as_of=revision + 1).data


def _library(folder: str) -> arcticdb.library.Library:
    return arcticdb.Arctic(f"lmdb://{folder}/lmdb").get_library("bench", create_if_missing=True)


def _later(row: pd.DataFrame, days: int) -> pd.DataFrame:
    return row.set_axis(row.index + pd.Timedelta(days=days), axis=0)


def _range(window: tuple[str, str]) -> tuple[pd.Timestamp, pd.Timestamp]:
    return pd.Timestamp(window[0]), pd.Timestamp(window[1])


if __name__ == "__main__":
    serve(Arctic())
