"""What is stored below a root, as dates: coverage, rows and revisions of every dataset, each file looked at once.

What belongs here: looking. What follows from it - holes, days that are late or stale - is in ``staleness.py`` and
``status.py``.
"""

from __future__ import annotations

from functools import cached_property, reduce
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from macrocredit_assets.catalog import Catalog, SignalSpec
from macrocredit_assets.persistence import DatasetStore, StoredHead
from macrocredit_assets.settings import Settings
from macrocredit_assets.stores import open_store
from macrocredit_assets.windows import Coverage

__all__ = ["Days", "Holding", "Holdings", "as_days"]

#: Dates in order, ``datetime64[D]``.
Days: TypeAlias = npt.NDArray[np.datetime64]

_NONE: Days = np.empty(0, dtype="datetime64[D]")


class Holdings:
    """What is stored below a root, every file looked at once; make a new one after a write.

    Parameters
    ----------
    settings
        Where the data lie.
    catalog
        What exists.
    """

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self.settings = settings
        self.catalog = catalog
        self._held: dict[str, Holding] = {}
        self._shared: dict[str, Days] = {}

    def __getitem__(self, name: str) -> Holding:
        """Return what is stored of one dataset; raise ``UnknownDatasetError`` where the catalog has none such."""
        if name not in self._held:
            # what is stored under other columns than the catalog's is held all the same
            self._held[name] = Holding(open_store(self.settings, self.catalog.entry(name), as_stored=True))
        return self._held[name]

    def shared(self, signal: SignalSpec) -> Days:
        """Return the dates on which every input of a signal has a value, as the signal itself joins them."""
        if signal.name not in self._shared:
            given = (self[read.dataset].days_with(read.column) for read in signal.inputs.values())
            self._shared[signal.name] = reduce(np.intersect1d, given)
        return self._shared[signal.name]


class Holding:
    """What is stored of one dataset."""

    def __init__(self, store: DatasetStore) -> None:
        self.store = store

    @cached_property
    def head(self) -> StoredHead | None:
        """The head of its file, or None."""
        return self.store.head()

    @cached_property
    def coverage(self) -> Coverage:
        """The dates it covers."""
        return self.head.coverage if self.head else Coverage()

    @cached_property
    def days(self) -> Days:
        """The dates of its rows."""
        return _NONE if self.head is None else as_days(self.store.read(columns=[])["date"].to_numpy())

    @cached_property
    def last_revision(self) -> int:
        """The number of its last revision; 0 where there is none."""
        revision = self.store.last_revision()
        return revision.number if revision else 0

    def days_with(self, column: str) -> Days:
        """Return the dates on which a column has a value."""
        if self.head is None or column not in self.head.schema.names:
            return _NONE
        return as_days(self.store.read_frame(columns=[column])[column].dropna().index.to_numpy())


def as_days(stamps: npt.NDArray[np.datetime64]) -> Days:
    """Return midnights as days."""
    return stamps.astype("datetime64[D]")
