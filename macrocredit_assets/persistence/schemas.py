"""What a stored schema is, and in which ways a frame or another schema differs from it.

What belongs here: pure comparisons that return sentences, every difference at once. What is done about them is decided
by whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa

__all__ = [
    "DATE",
    "DATE_FIELD",
    "DECIMALS",
    "DTYPES",
    "UNIT",
    "added_columns",
    "frame_mismatches",
    "kinds_of",
    "schema_mismatches",
    "unit_of",
]

#: Name of the index of every dataset.
DATE = "date"
DATE_FIELD = pa.field(DATE, pa.timestamp("us"), nullable=False)

#: Keys of a field's metadata that say what its numbers mean, and how many decimals they have.
UNIT = b"unit"
DECIMALS = b"decimals"

#: The types a column may have, and the pandas types that hold them without loss. pandas turns integers among which one
#: is missing into floats, so whole floats are integers here.
DTYPES = {
    pa.float64(): ("float64", "Float64", "double[pyarrow]"),
    pa.int64(): ("int64", "Int64", "int64[pyarrow]", "float64"),
}

_KINDS = {kind: str(np.dtype(kind.to_pandas_dtype())) for kind in DTYPES}

_SHOWN = 3
_EXACT_INTEGERS = 2.0**53


def schema_mismatches(stored: pa.Schema, expected: pa.Schema) -> list[str]:
    """Return why rows under the expected schema cannot join the stored ones, one sentence for each reason.

    Compared are the columns' names, types and units. Their order and their number of decimals may change without
    changing what stands in the file, and a column may be added: it is empty in the stored rows.
    """
    if stored.equals(expected, check_metadata=True):
        return []
    fields = {field.name: field for field in stored}
    names = set(expected.names)
    mismatches = [f"column {name!r} is stored but not expected" for name in fields if name not in names]
    for field in expected:
        there = fields.get(field.name)
        if there is None:
            continue
        if there.type != field.type:
            mismatches.append(f"column {field.name!r} is stored as {there.type}, expected is {field.type}")
        if unit_of(there) != unit_of(field):
            mismatches.append(f"column {field.name!r} is stored in {unit_of(there)}, expected is {unit_of(field)}")
    return mismatches


def frame_mismatches(frame: pd.DataFrame, schema: pa.Schema) -> list[str]:
    """Return how a frame differs from what can be stored under a schema, one sentence for each difference."""
    mismatches = _index_mismatches(frame.index)
    texts = {dtype: str(dtype) for dtype in set(frame.dtypes)}
    kinds = {name: texts[dtype] for name, dtype in zip(frame.columns, frame.dtypes, strict=True)}
    names = set(schema.names)
    extra = [name for name in frame.columns if name not in names]
    mismatches += [f"column {name!r} is not a column of the dataset" for name in extra]
    repeated = [*frame.columns[frame.columns.duplicated()].unique()]
    mismatches += [f"column {name!r} is there more than once" for name in repeated]
    for field in schema:
        if field.name not in kinds:
            mismatches.append(f"column {field.name!r} is absent")
        elif field.name not in repeated:
            mismatches += _column_mismatches(frame, kinds[field.name], field)
    return mismatches


def added_columns(stored: pa.Schema, expected: pa.Schema) -> tuple[str, ...]:
    """Return the columns that are expected and not stored."""
    if stored.equals(expected):
        return ()
    there = set(stored.names)
    return tuple(name for name in expected.names if name not in there)


def kinds_of(schema: pa.Schema) -> list[tuple[str, str]]:
    """Return each column's name, and numpy's name of its type, as hashes state them."""
    return [(name, _KINDS[kind]) for name, kind in zip(schema.names, schema.types, strict=True)]


def unit_of(field: pa.Field) -> str:
    """Return what a column's numbers mean."""
    unit: bytes = (field.metadata or {}).get(UNIT, b"no unit")
    return unit.decode()


def _index_mismatches(index: pd.Index) -> list[str]:
    if not isinstance(index, pd.DatetimeIndex):
        return [f"the index is a {type(index).__name__}, expected is a DatetimeIndex of dates"]
    if index.tz is not None:
        return [f"the index has the time zone {index.tz}, expected are dates without one"]
    instants = index.to_numpy()
    if index.is_unique and not index.hasnans and (instants == instants.astype("datetime64[D]")).all():
        return []
    mismatches = []
    if index.hasnans:
        mismatches.append("the index has missing dates")
    with_time = index[(index != index.normalize()) & index.notna()]
    if len(with_time):
        mismatches.append(f"the index has times of day: {_some(with_time.astype(str))}")
    duplicated = index[index.duplicated() & index.notna()].unique()
    if len(duplicated):
        mismatches.append(f"dates stand there more than once: {_some(duplicated.strftime('%Y-%m-%d'))}")
    return mismatches


def _column_mismatches(frame: pd.DataFrame, kind: str, field: pa.Field) -> list[str]:
    known = DTYPES.get(field.type)
    if known is None:
        return [f"column {field.name!r} is to be stored as {field.type}; known are {', '.join(map(str, DTYPES))}"]
    if kind not in known:
        return [f"column {field.name!r} has the type {kind}, expected is {known[0]}"]
    if field.type == pa.int64() and kind == "float64":
        values = frame[field.name].dropna()
        broken = values[(values != np.floor(values)) | (values.abs() >= _EXACT_INTEGERS)]
        if len(broken):
            return [f"column {field.name!r} has values that are no exact integers: {_some(broken.astype(str))}"]
    return []


def _some(values: Iterable[str]) -> str:
    texts = list(values)
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more
