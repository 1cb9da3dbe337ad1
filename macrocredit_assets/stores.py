"""The store of a catalog entry: where its rows lie, under which columns, in one file or in one a year."""

from __future__ import annotations

from pathlib import Path

from macrocredit_assets.catalog import DatasetSpec, SignalSpec, arrow_schema
from macrocredit_assets.persistence import DatasetStore
from macrocredit_assets.settings import Settings

__all__ = ["open_store", "rows_path"]


def open_store(settings: Settings, entry: DatasetSpec | SignalSpec, *, as_stored: bool = False) -> DatasetStore:
    """Return the store of an entry.

    Parameters
    ----------
    settings, entry
        Where, and what.
    as_stored
        Open it for reading whatever columns are stored; without it, under the columns of the catalog.
    """
    return DatasetStore(
        settings.dataset_path(entry.kind, entry.name),
        None if as_stored else arrow_schema(entry),
        chunk=entry.chunk if isinstance(entry, DatasetSpec) else None,
    )


def rows_path(settings: Settings, entry: DatasetSpec | SignalSpec) -> Path:
    """Return where the rows of an entry stand: its file, or the folder with one a year."""
    path = settings.dataset_path(entry.kind, entry.name)
    return path.with_suffix("") if isinstance(entry, DatasetSpec) and entry.chunk else path
