"""Stored rows under another schema: the same numbers, in other types and units.

What belongs here: which conversions are known, and that none of them loses anything.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from macrocredit_assets.errors import StoreError
from macrocredit_assets.persistence.rows import Rows
from macrocredit_assets.persistence.schemas import DECIMALS, unit_of

__all__ = ["FACTORS", "convert"]

#: By what a number in one unit is multiplied to be one in another.
FACTORS = {("percent", "bp"): Decimal(100), ("bp", "percent"): Decimal("0.01")}

_EXACT_INTEGERS = 2.0**53

#: By how much of itself a value may change in rounding: what is less is no digit that anybody has written.
_NOISE = Decimal("1e-12")

_Bits = npt.NDArray[np.int64]
_Days = npt.NDArray[np.datetime64]
_Values = npt.NDArray[np.float64] | npt.NDArray[np.int64]


def convert(rows: Rows, stored: pa.Schema, wanted: pa.Schema, dataset: str) -> Rows:
    """Return rows that stand under one schema as they are under another.

    A column that is not wanted is dropped; one that is not stored comes empty. Converted values are rounded to the
    column's decimals, on the decimal numbers that people see, which takes the noise of floats away and no digit.

    Raises
    ------
    StoreError
        If a type or the column's decimals cannot hold the values, or no factor leads from one unit to the other; it
        names every column.
    """
    result = rows.under(stored.names, wanted.names)
    bits, problems = result.bits.copy(), []
    for position, field in enumerate(wanted):
        if field.name not in stored.names:
            continue
        there, valid = stored.field(field.name), result.valid[:, position]
        try:
            bits[valid, position] = _converted(bits[valid, position], there, field, result.days[valid])
        except ValueError as error:
            problems.append(f"column {field.name!r} {error}")
    if problems:
        raise StoreError(
            f"The stored rows of {dataset!r} cannot be rewritten under the catalog's schema; nothing was written:\n"
            + "\n".join(f"  - {problem}" for problem in problems)
            + "\nUndo the change in the catalog, or give the column another name there: the old one is then dropped, "
            "and stays in the revisions."
        )
    return Rows(result.days, bits, result.valid)


def _converted(bits: _Bits, there: pa.Field, wanted: pa.Field, days: _Days) -> _Bits:
    factor = _factor(unit_of(there), unit_of(wanted))
    if factor == 1 and there.type == wanted.type:
        return bits
    values = bits.view(there.type.to_pandas_dtype())
    if factor != 1:
        values = _scaled(values, factor, there, wanted, days)
    return _cast(values, wanted.type, days)


def _scaled(values: _Values, factor: Decimal, there: pa.Field, wanted: pa.Field, days: _Days) -> _Values:
    decimals = int((wanted.metadata or {}).get(DECIMALS, b"15"))
    exact = [Decimal(repr(value)) * factor for value in values.tolist()]
    rounded = [_rounded(value, decimals) for value in exact]
    lost = [at for at, (whole, left) in enumerate(zip(exact, rounded, strict=True)) if _is_loss(whole, left)]
    if lost:
        at = lost[0]
        raise ValueError(
            f"would lose digits of {len(lost)} values: {values[at]} {unit_of(there)} on {days[at]} is "
            f"{exact[at].normalize():f} {unit_of(wanted)}, and would become {rounded[at]:f} "
            f"({wanted.type} with {decimals} decimals)"
        )
    return np.array([float(value) for value in rounded], float)


def _rounded(value: Decimal, decimals: int) -> Decimal:
    exponent = value.as_tuple().exponent
    # infinity has no exponent, and a number without so many decimals needs no rounding
    return round(value, decimals) if isinstance(exponent, int) and exponent < -decimals else value


def _is_loss(exact: Decimal, rounded: Decimal) -> bool:
    return exact != rounded and abs(exact - rounded) > abs(exact) * _NOISE


def _factor(stored: str, wanted: str) -> Decimal:
    if stored == wanted:
        return Decimal(1)
    if (stored, wanted) not in FACTORS:
        raise ValueError(f"is stored in {stored}, and no factor to {wanted} is known")
    return FACTORS[stored, wanted]


def _cast(values: _Values, wanted: pa.DataType, days: _Days) -> _Bits:
    kind = wanted.to_pandas_dtype()
    if values.dtype == kind:
        return values.view(np.int64)
    lost = np.abs(values) >= _EXACT_INTEGERS
    if values.dtype == np.float64:
        lost |= ~np.isfinite(values) | (values != np.floor(values))
    if lost.any():
        example = f"{values[lost][0]} on {days[lost][0]}"
        raise ValueError(f"has {int(lost.sum())} values that {wanted} cannot hold, such as {example}")
    return values.astype(kind).view(np.int64)
