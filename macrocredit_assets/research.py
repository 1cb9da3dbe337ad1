"""Reading from a notebook: one dataset or a panel of them, from files, without Dagster.

Where no settings are given, a call reads them from the environment, as the command line does: a notebook is where a
program starts. The import does not.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.errors import NotCoveredError
from macrocredit_assets.persistence import DatasetStore
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import EARLIEST, Window

__all__ = ["find_store", "load", "load_panel"]


def load(
    name: str,
    start: str | date | None = None,
    end: str | date | None = None,
    columns: Sequence[str] | None = None,
    *,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Read one dataset.

    Parameters
    ----------
    name
        Name of the dataset, as ``macrocredit datasets`` lists it.
    start, end
        First and last date, both included; None leaves that side open.
    columns
        Columns to read, in this order; None reads all.
    settings
        Where the data lie; None reads the environment (``MACROCREDIT_ROOT``).

    Returns
    -------
    pandas.DataFrame
        One row per observation; index ``date`` (``datetime64[us]``, tz-naive, unique, sorted). Units of the columns
        stand in the catalog and in the file's own schema.

    Raises
    ------
    UnknownDatasetError
        If neither the root nor the catalog has the name.
    NotCoveredError
        If no date of the window was ever ingested.
    KeyError
        If the dataset has no such column.
    """
    settings = settings or Settings.from_env(os.environ)
    store = find_store(name, settings)
    head = store.head()
    first, last = _day(start), _day(end)
    if head is None or not head.coverage:
        raise NotCoveredError(f"{name} holds nothing yet below {settings.root}. {_backfill(name, first, last)}")
    window = Window(first or date.min, last or date.max)
    if not head.coverage.clip(window):
        raise NotCoveredError(
            f"{name} was never ingested for {_described(first, last)}; it covers {head.coverage}. "
            f"{_backfill(name, first, last)}"
        )
    frame: pd.DataFrame = store.read(window, columns).to_pandas()
    return frame if frame.index.name == "date" else frame.set_index("date")


def load_panel(
    names: Sequence[str],
    start: str | date | None = None,
    end: str | date | None = None,
    *,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Read one column of each of several datasets, side by side.

    Parameters
    ----------
    names
        ``"vix"`` is the main column of a dataset, ``"hyg.volume"`` another one.
    start, end
        First and last date, both included; None leaves that side open.
    settings
        Where the data lie; None reads the environment (``MACROCREDIT_ROOT``).

    Returns
    -------
    pandas.DataFrame
        One column per name, called by it; one row per date that any of them has. Nothing is filled: where a dataset
        has no row the cell is NaN.

    Raises
    ------
    UnknownDatasetError, NotCoveredError, KeyError
        As :func:`load` does.
    """
    settings = settings or Settings.from_env(os.environ)
    catalog = load_catalog(settings.catalog)
    series = []
    for name in names:
        dataset, _, column = name.partition(".")
        column = column or catalog.entry(dataset).main
        series.append(load(dataset, start, end, [column], settings=settings)[column].rename(name))
    return pd.concat(series, axis="columns", sort=True) if series else pd.DataFrame()


def find_store(name: str, settings: Settings) -> DatasetStore:
    """Return the store of a dataset, by the file that exists or else by the catalog, which need not list every file.

    Raises
    ------
    UnknownDatasetError
        If neither the root nor the catalog has the name.
    """
    for kind in ("market", "signal"):
        # a name with a separator would leave the directory; the catalog below refuses it
        if Path(name).name == name and (path := settings.dataset_path(kind, name)).is_file():
            return DatasetStore(path)
    return DatasetStore(settings.dataset_path(load_catalog(settings.catalog).entry(name).kind, name))


def _day(value: str | date | None) -> date | None:
    if value is None:
        return None
    if isinstance(value, str):
        return Window.parse(value, value).start
    # a Timestamp or datetime is a date too, but is not equal to one
    return date(value.year, value.month, value.day)


def _described(first: date | None, last: date | None) -> str:
    return f"{first or 'the beginning'}..{last or 'today'}"


def _backfill(name: str, first: date | None, last: date | None) -> str:
    end = f" --end {last}" if last else ""
    return f"Run: macrocredit backfill {name} --start {first or EARLIEST}{end}"
