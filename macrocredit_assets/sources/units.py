"""Numbers from a publisher's unit to ours, rounded the way people round decimals.

What belongs here: arithmetic on plain arrays. Which factor and how many decimals is the catalog's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import numpy.typing as npt

__all__ = ["convert", "round_decimals"]

Floats = npt.NDArray[np.float64]


def convert(values: Floats | Sequence[float], factor: float, decimals: int) -> Floats:
    """Multiply by a factor and round to decimals; a factor of one returns every value bit for bit.

    Binary floating point gives 57.99999999999999 for 0.58 x 100, so the product is taken of the decimal numbers that
    people see (the shortest text that reads back as the same float).

    Examples
    --------
    >>> convert([0.58, 21.82], 100, 2).tolist()
    [58.0, 2182.0]
    >>> convert([1.005], 100, 1).tolist()
    [100.5]
    """
    array = np.asarray(values, dtype=np.float64)
    return array if factor == 1 else _scaled(array, Decimal(repr(float(factor))), decimals)


def round_decimals(values: Floats | Sequence[float], decimals: int) -> Floats:
    """Round computed values to decimals, halves to even; what is not finite stays as it is."""
    return _scaled(np.asarray(values, dtype=np.float64), Decimal(1), decimals)


def _scaled(array: Floats, factor: Decimal, decimals: int) -> Floats:
    result = array.copy()
    finite = np.isfinite(array)
    result[finite] = [float(round(Decimal(repr(value)) * factor, decimals)) for value in array[finite].tolist()]
    return result
