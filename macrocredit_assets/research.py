"""Reading from a notebook: one dataset or a panel of them, from files, without Dagster.

Where no settings are given, a call reads them from the environment, as the command line does: a notebook is where a
program starts. The import does not. Since when something is known, and what is said where it is not: ``known.py``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import pyarrow as pa

from macrocredit_assets.adjust import back_adjust, require_adjustable
from macrocredit_assets.catalog import Catalog, load_catalog
from macrocredit_assets.errors import UsageError
from macrocredit_assets.known import Asked, as_of_instant, known_now, known_then
from macrocredit_assets.panel import Line, side_by_side
from macrocredit_assets.persistence import DatasetStore
from macrocredit_assets.persistence.frames import frame_of
from macrocredit_assets.persistence.revisions import Revision
from macrocredit_assets.persistence.schemas import DATE
from macrocredit_assets.settings import Settings
from macrocredit_assets.stores import open_store
from macrocredit_assets.windows import Window

__all__ = ["Reading", "find_store", "load", "load_panel", "read"]


@dataclass(frozen=True)
class Reading:
    """Rows of one dataset, and what they are.

    Parameters
    ----------
    frame
        The rows, as :func:`load` returns them.
    series
        What the numbers are (``fred:DGS10``).
    schema
        The columns of the frame; each field's metadata hold unit and decimals.
    revision
        For a read as of some moment: the last revision that was known then.
    """

    frame: pd.DataFrame
    series: str
    schema: pa.Schema
    revision: Revision | None = None


def load(
    name: str,
    start: str | date | None = None,
    end: str | date | None = None,
    columns: str | Sequence[str] | None = None,
    as_of: str | date | datetime | None = None,
    adjusted: bool = False,
    *,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Read one dataset, as it is or as it was known.

    Parameters
    ----------
    name
        Name of the dataset, as ``macrocredit datasets`` lists it.
    start, end
        First and last date, both included; None leaves that side open.
    columns
        Columns to read, in this order, or the name of one; None reads all.
    as_of
        Read exactly the rows and values that were known at this moment: an instant with its time zone, or a date, which
        means its end in UTC. None reads what is known now.
    adjusted
        Whether prices are adjusted for dividends and splits, and volume for splits, up to the last day known: also for
        those after ``end``, but not for what was paid on days that were never ingested. The formula stands in
        :func:`macrocredit_assets.adjust.back_adjust`.
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
        If no date of the window was ever ingested, or none was known yet; it says since when it is.
    UsageError
        If ``as_of`` has a time but no time zone, or a dataset without dividends and splits was to be adjusted.
    KeyError
        If the dataset has no such column.
    ValueError
        If a date is none.
    """
    return read(name, start, end, columns, as_of, adjusted, settings=settings).frame


def load_panel(
    names: Sequence[str],
    column: str | None = None,
    start: str | date | None = None,
    end: str | date | None = None,
    as_of: str | date | datetime | None = None,
    *,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Read one column of each of several datasets, side by side.

    Parameters
    ----------
    names
        A sequence, even of one. ``"vix"`` is a dataset; ``"hyg.volume"`` is this column of it, whatever ``column``
        says.
    column
        The column to read of each; None reads the main column of each.
    start, end
        First and last date, both included; None leaves that side open.
    as_of
        As :func:`load` takes it.
    settings
        Where the data lie; None reads the environment (``MACROCREDIT_ROOT``).

    Returns
    -------
    pandas.DataFrame
        One column per name, called by it; one row per date that any of them has. Nothing is filled: where a dataset
        has no row the cell is NaN.

    Raises
    ------
    UnknownDatasetError, NotCoveredError, UsageError, KeyError
        As :func:`load` does.
    TypeError
        If ``names`` is one text and no sequence of them.
    """
    if isinstance(names, str):
        raise TypeError(
            f"load_panel reads several datasets; write load_panel([{names!r}]), or load({names!r}) for one."
        )
    if not names:
        return pd.DataFrame()
    settings = settings or Settings.from_env(os.environ)
    parted = [name.partition(".") for name in names]
    # that of a thousand datasets takes seconds to read
    catalog = None if column or all(own for *_, own in parted) else load_catalog(settings.catalog)
    first, last, instant = _day(start), _day(end), _instant(as_of)
    lines = []
    for name, (dataset, _, own) in zip(names, parted, strict=True):
        wanted = own or column or cast("Catalog", catalog).entry(dataset).main
        rows = _rows(find_store(dataset, settings), Asked(dataset, first, last), [wanted], instant)
        values = rows.table.drop_columns(DATE).column(wanted)
        lines.append(Line(name, rows.table.column(DATE).to_numpy(), values.to_numpy()))
    return side_by_side(lines)


def read(
    name: str,
    start: str | date | None = None,
    end: str | date | None = None,
    columns: str | Sequence[str] | None = None,
    as_of: str | date | datetime | None = None,
    adjusted: bool = False,
    *,
    settings: Settings | None = None,
) -> Reading:
    """Read as :func:`load` does, and return what the rows are beside them."""
    settings = settings or Settings.from_env(os.environ)
    store = find_store(name, settings)
    columns = [columns] if isinstance(columns, str) else columns
    asked, instant = Asked(name, _day(start), _day(end)), _instant(as_of)
    if not adjusted:
        rows = _rows(store, asked, columns, instant)
        return Reading(frame_of(rows.table), rows.series, rows.table.schema.remove(0), rows.revision)

    revision = None if instant is None else known_then(store, asked, instant)
    series = revision.series if revision else known_now(store, asked, store.head())
    table = store.read(as_of=instant)  # all of it: the window depends on what was paid after its end
    schema = table.schema.remove(0)
    require_adjustable(name, schema.names)
    wanted = schema.names if columns is None else [*columns]
    if unknown := [column for column in wanted if column not in schema.names]:
        raise KeyError(f"{name!r} has no column {', '.join(unknown)}; it has {', '.join(schema.names)}")
    frame = back_adjust(frame_of(table)).loc[pd.Timestamp(asked.window.start) : pd.Timestamp(asked.window.end), wanted]
    return Reading(frame, series, pa.schema([schema.field(column) for column in wanted]), revision)


def find_store(name: str, settings: Settings) -> DatasetStore:
    """Return the store of a dataset, by the file that exists or else by the catalog, which need not list every file.

    Raises
    ------
    UnknownDatasetError
        If neither the root nor the catalog has the name.
    """
    for kind in ("market", "signal"):
        # a name with a separator would leave the directory; the catalog below refuses it
        if Path(name).name == name and name not in {"", ".."}:
            path = settings.dataset_path(kind, name)
            if path.is_file():
                return DatasetStore(path)
            if path.with_suffix("").is_dir():
                return DatasetStore(path, chunk="year")
    return open_store(settings, load_catalog(settings.catalog).entry(name), as_stored=True)


@dataclass(frozen=True)
class _Rows:
    """Rows of a window, what they are, and for a read as of some moment the last revision that was known then."""

    table: pa.Table
    series: str
    revision: Revision | None = None


def _rows(store: DatasetStore, asked: Asked, columns: Sequence[str] | None, instant: datetime | None) -> _Rows:
    if instant is not None:
        revision = known_then(store, asked, instant)
        series = revision.series if revision else known_now(store, asked, store.head())
        return _Rows(store.read(asked.window, columns, as_of=instant), series, revision)
    window = asked.window
    try:
        head, table = store.read_current(window, columns) or (None, None)
    except KeyError:
        # that these dates were never ingested says more than which columns there are
        known_now(store, asked, store.head())
        raise
    return _Rows(table, known_now(store, asked, head))


def _instant(as_of: str | date | datetime | None) -> datetime | None:
    return None if as_of is None else as_of_instant(as_of)


def _day(value: str | date | np.datetime64 | None) -> date | None:
    if value is None:
        return None
    if isinstance(value, str):
        return Window.parse(value, value).start
    if pd.isna(value):
        raise ValueError("NaT is no date; None leaves that side of the window open.")
    if isinstance(value, np.datetime64):
        value = cast("date", value.astype("datetime64[D]").item())
    if not isinstance(value, date):
        raise UsageError(f"{value!r} is no date; write it as YYYY-MM-DD, such as 2024-01-31.")
    # a Timestamp or datetime is a date too, but is not equal to one
    return date(value.year, value.month, value.day)
