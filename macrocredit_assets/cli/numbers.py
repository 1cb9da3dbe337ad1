"""How the numbers of a column are written for people.

What belongs here: presentation of values, by what the column's field says of them. Tables are in ``render.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["header", "written"]


def header(field: pa.Field) -> str:
    """Return the title of a column: its name, and below it the unit."""
    return f"{field.name}\n{_metadata(field, b'unit')}"


def written(values: Sequence[float | None], field: pa.Field) -> list[str]:
    """Write numbers with the column's decimals, or with fewer, but two, where the rest of all of them are zeros.

    A missing number is blank.
    """
    decimals = int(_metadata(field, b"decimals") or 0)
    there = [value for value in values if value is not None and not isnan(value)]
    fewer = (places for places in range(min(2, decimals), decimals) if _same(there, places, decimals))
    places = next(fewer, decimals)
    return ["" if value is None or isnan(value) else f"{value:,.{places}f}" for value in values]


def _same(values: Sequence[float], places: int, decimals: int) -> bool:
    return all(round(value, places) == round(value, decimals) for value in values)


def _metadata(field: pa.Field, key: bytes) -> str:
    text: bytes = (field.metadata or {}).get(key, b"")
    return text.decode()
