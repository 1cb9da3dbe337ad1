"""What a signal is, as a short hash: values of another definition are no values of this one.

What belongs here: which keys of the catalog enter a signal's numbers. Titles, owners and bounds do not.
"""

from __future__ import annotations

import hashlib
import json

from macrocredit_assets.catalog.catalog import Catalog
from macrocredit_assets.catalog.models import DatasetSpec, SignalSpec

__all__ = ["definition_of"]


def definition_of(spec: SignalSpec, catalog: Catalog) -> str:
    """Return a hash of everything in the catalog that a signal is computed from.

    These are its function, parameters and lookback, its inputs in their order with their roll days, and how its main
    column is rounded. The code of the function is not among them.
    """
    main = spec.columns[spec.main]
    plain = {
        "function": spec.function,
        "parameters": spec.parameters,
        "lookback": spec.lookback,
        # a list: the function may read its arguments by position
        "inputs": [
            [argument, read.dataset, read.column, _rolls(catalog, read.dataset)]
            for argument, read in spec.inputs.items()
        ],
        "column": [spec.main, main.dtype, main.unit, main.decimals],
    }
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:12]


def _rolls(catalog: Catalog, name: str) -> object:
    dataset = catalog.datasets.get(name)
    return dataset.rolls.model_dump(mode="json") if isinstance(dataset, DatasetSpec) and dataset.rolls else None
