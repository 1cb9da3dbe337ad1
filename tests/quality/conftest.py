"""What tests of rules share: entries made up for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from macrocredit_assets.catalog.models import Column, DatasetSpec, FileColumn, FileWay


@pytest.fixture(scope="session")
def toy() -> Callable[..., DatasetSpec]:
    """Make a dataset on weekdays: its columns, the first of them the main one, and keys of the entry."""

    def make(columns: dict[str, Column] | None = None, **keys: object) -> DatasetSpec:
        columns = columns or {"spread": Column(unit="bp", decimals=4)}
        way = FileWay(series="toy:x", path="x.csv", columns={name: FileColumn(column=name) for name in columns})
        plain = {
            "name": "toy",
            "title": "Toy",
            "instrument": "TOY",
            "group": "toys",
            "owner": "team:toys",
            "description": "A toy.",
            "calendar": "weekdays",
            "main": next(iter(columns)),
        }
        return DatasetSpec.model_validate({**plain, "columns": columns, "ways": (way,), **keys})

    return make
