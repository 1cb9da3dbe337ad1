"""The catalog as the rest of the package sees it: entries by name, in an order in which they can be built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from macrocredit_assets.catalog.models import DatasetSpec, Entry, SignalSpec
from macrocredit_assets.errors import UnknownDatasetError

__all__ = ["Catalog", "Place"]


@dataclass(frozen=True)
class Place:
    """Where an entry is written.

    Parameters
    ----------
    path
        The catalog file.
    line
        The line of the entry's name, from 1.
    ways
        The lines on which its ways begin, in their order; none of a signal.
    """

    path: Path
    line: int
    ways: tuple[int, ...] = ()


@dataclass(frozen=True)
class Catalog:
    """Every dataset there is.

    Parameters
    ----------
    datasets, signals
        Market datasets and signals by name, in the order of their file.
    places
        Where the entries are written, by name; an entry that no file has is absent.
    """

    datasets: Mapping[str, DatasetSpec]
    signals: Mapping[str, SignalSpec]
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)

    def entry(self, name: str) -> DatasetSpec | SignalSpec:
        """Return the entry of a dataset or signal.

        Raises
        ------
        UnknownDatasetError
            If there is none; the message names the nearest ones.
        """
        found = self.datasets.get(name) or self.signals.get(name)
        if found is None:
            known = [*self.datasets, *self.signals]
            near = get_close_matches(name.lower(), known, n=3)
            hint = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(known)}."
            raise UnknownDatasetError(f"There is no dataset {name!r} in the catalog. {hint}")
        return found

    def names(self) -> tuple[str, ...]:
        """Return every name: market datasets in the order of their file, then signals, each after its inputs."""
        ordered = dict.fromkeys(self.datasets)
        waiting = {name: set(self.inputs_of(name)) for name in self.signals}
        while ready := [name for name, inputs in waiting.items() if inputs <= ordered.keys()]:
            ordered |= dict.fromkeys(ready)
            for name in ready:
                del waiting[name]
        return tuple(ordered)

    def inputs_of(self, name: str) -> tuple[str, ...]:
        """Return the datasets that a signal reads, each once; a market dataset reads none."""
        entry: Entry = self.entry(name)
        if not isinstance(entry, SignalSpec):
            return ()
        return tuple(dict.fromkeys(given.dataset for given in entry.inputs.values()))
