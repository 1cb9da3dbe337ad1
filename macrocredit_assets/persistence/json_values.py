"""What the values that analysts hold look like in JSON: a table of types, and nothing about files or encoders.

numpy, pandas and pydantic are recognised without being imported: a value of theirs can only exist once they are.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["Rows", "unwrapper"]

#: Takes a value to one that is a step nearer to JSON: a scalar, a dict, a list, or :class:`Rows`.
Unwrapper = Callable[[Any], object]


@dataclass(frozen=True)
class Rows:
    """Columns to be written as a list of records."""

    names: list[object]
    columns: list[list[object]]
    length: int


def _find_unwrapper(kind: type) -> Unwrapper | None:
    roots = {base.__module__.partition(".")[0] for base in kind.__mro__}
    for root, table in (("pandas", _pandas_types), ("numpy", _numpy_types), ("", _standard_types)):
        if not root or root in roots:
            for known, unwrap in table():
                if issubclass(kind, known):
                    return unwrap
    if "pydantic" in roots and hasattr(kind, "model_dump"):
        return lambda value: value.model_dump()
    if is_dataclass(kind):
        return lambda value: {field.name: getattr(value, field.name) for field in fields(value)}
    return None


#: Takes a type to what brings its values nearer to JSON, or to None where nothing is known of it.
unwrapper: Callable[[type], Unwrapper | None] = lru_cache(maxsize=1024)(_find_unwrapper)


def _standard_types() -> Iterator[tuple[type, Unwrapper]]:
    yield Enum, lambda value: value.value  # before str and int: many are both
    yield str, lambda value: str.__str__(value)
    yield int, int.__int__
    yield float, float.__float__
    yield datetime, lambda value: value.isoformat()
    yield date, lambda value: value.isoformat()
    yield time, lambda value: value.isoformat()
    yield timedelta, lambda value: _duration(value // timedelta(microseconds=1), 10**6)
    yield Decimal, lambda value: str(value) if value.is_finite() else None
    yield complex, lambda value: {"real": value.real, "imag": value.imag}
    yield UUID, str
    yield PurePath, str
    yield bytes, _base64
    yield bytearray, _base64
    yield memoryview, _base64
    yield BaseException, lambda value: {"type": type(value).__name__, "message": str(value)}
    yield Mapping, dict
    yield list, list
    yield tuple, list
    yield set, frozenset
    yield frozenset, frozenset


def _numpy_types() -> Iterator[tuple[type, Unwrapper]]:
    import numpy as np

    yield np.ma.MaskedArray, _from_masked
    yield np.ndarray, _from_array
    yield np.datetime64, _from_datetime64
    yield np.timedelta64, _from_timedelta64
    yield np.bool, bool
    yield np.integer, int
    yield np.floating, float
    yield np.complexfloating, complex
    yield np.str_, str
    yield (
        np.void,
        lambda value: (
            dict(zip(value.dtype.names, value, strict=True)) if value.dtype.names else _base64(value.tobytes())
        ),
    )


def _pandas_types() -> Iterator[tuple[type, Unwrapper]]:
    import pandas as pd

    yield type(pd.NaT), lambda _: None
    yield type(pd.NA), lambda _: None
    yield pd.Timestamp, lambda value: value.isoformat()
    yield pd.Timedelta, lambda value: value.isoformat()
    yield pd.Period, str
    yield pd.DataFrame, _from_frame
    yield pd.Series, _from_values
    yield pd.Index, _from_values
    yield pd.api.extensions.ExtensionArray, _from_values


def _from_frame(frame: pd.DataFrame) -> Rows:
    return Rows(list(frame.columns), [_from_values(column) for _, column in frame.items()], len(frame))


def _from_values(values: pd.Series | pd.Index) -> list[object]:
    import numpy as np

    numbers = isinstance(values.dtype, np.dtype) and values.dtype.kind in "biuf"
    return cast("list[object]", _from_array(values.to_numpy())) if numbers else list(values)


def _from_array(array: np.ndarray[Any, Any]) -> object:
    import numpy as np

    if array.dtype.kind in "biu":
        return array.tolist()
    if array.dtype.kind == "f":
        return array.astype(np.float64, copy=False).tolist()  # a long double would stay one
    # element by element, so that no unit and no field is lost
    return array[()] if array.ndim == 0 else list(array)


def _from_masked(array: np.ma.MaskedArray[Any, Any]) -> object:
    # a masked element of a list is the constant np.ma.masked, an array of no dimension
    if array.ndim:
        return list(array)
    return None if array.mask else array.data


def _from_datetime64(value: np.datetime64) -> str | None:
    import numpy as np

    if np.isnat(value):
        return None
    if np.datetime_data(value.dtype)[0] in {"h", "m"}:
        value = value.astype("datetime64[s]")
    whole, _, fraction = str(value).partition(".")
    digits = fraction.rstrip("0")
    return f"{whole}.{digits.ljust(6 if len(digits) <= 6 else 9, '0')}" if digits else whole


def _from_timedelta64(value: np.timedelta64) -> object:
    import numpy as np

    if np.isnat(value):
        return None
    unit, step = np.datetime_data(value.dtype)
    count = int(value.astype(np.int64)) * step
    if unit == "generic":
        return count
    if unit in {"Y", "M"}:  # of no fixed length
        return f"P{count}{unit}"
    seconds, per_second = _SECONDS[unit]
    return _duration(count * seconds, per_second)


#: A unit of numpy's in seconds: so many of them, or so many to one of them.
_SECONDS = {
    "W": (7 * 86_400, 1),
    "D": (86_400, 1),
    "h": (3_600, 1),
    "m": (60, 1),
    "s": (1, 1),
    **{unit: (1, 1000**power) for power, unit in enumerate(("ms", "us", "ns", "ps", "fs", "as"), start=1)},
}


def _duration(count: int, per_second: int) -> str:
    """Return ISO 8601 text in the form of ``pd.Timedelta.isoformat``: ``P1DT2H3M4.5S``, only the days below zero."""
    seconds, rest = divmod(count, per_second)
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3_600)
    minutes, whole = divmod(seconds, 60)
    digits = f"{rest * 10**18 // per_second:018d}".rstrip("0")
    return f"P{days}DT{hours}H{minutes}M{whole}{'.' if digits else ''}{digits}S"


def _base64(value: bytes | bytearray | memoryview) -> str:
    return base64.b64encode(bytes(value)).decode("ascii")
