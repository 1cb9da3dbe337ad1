"""Numbers and dates on axes: which, how many, and how they are written."""

from __future__ import annotations

from math import ceil, floor, log10

import numpy as np

from macrocredit_assets.charts.area import Area, Days, Floats

__all__ = ["date_ticks", "number_ticks", "short"]

_NUMBERS, _DATES = 6, 8  # at most

# days between ticks, about; in which unit they are counted; every how many of them; and from which one on
_STEPS = (
    (1, "D", 1, 0),
    (2, "D", 2, 0),
    (7, "D", 7, 4),  # Mondays: 1970-01-05 was one
    (14, "D", 14, 4),
    (30.4, "M", 1, 0),
    (60.9, "M", 2, 0),
    (91.3, "M", 3, 0),
    (182.6, "M", 6, 0),
    *((365.25 * years, "Y", years, -1970 % years) for years in (1, 2, 5, 10, 20, 50, 100)),
)

# numbers beyond these are written with a power of ten
_MANY, _LITTLE = 1e6, 1e-4


def number_ticks(area: Area) -> tuple[Floats, list[str]]:
    """Return round values between the lower and the upper edge, and how they are written."""
    span = area.high - area.low
    power = 10.0 ** floor(log10(span / _NUMBERS))
    step = next(step for factor in (1, 2, 2.5, 5, 10) if span / (step := factor * power) <= _NUMBERS)
    counted = np.arange(ceil(area.low / step), floor(area.high / step) + 1)
    values: Floats = counted * np.float64(step)
    return values, [_written(value, step) for value in values.tolist()]


def date_ticks(area: Area) -> tuple[Days, list[str]]:
    """Return dates from edge to edge, and how they are written: ``2024-01-31``, ``2024-01`` or ``2024``."""
    unit, every, origin = next((step[1:] for step in _STEPS if area.span / step[0] <= _DATES), _STEPS[-1][1:])
    first, last = np.array([area.first, area.last]).astype(f"datetime64[{unit}]").astype(np.int64).tolist()
    counted = np.arange(first, last + 1)
    ticks = counted[(counted - origin) % every == 0].astype(f"datetime64[{unit}]")
    ticks = ticks[ticks.astype("datetime64[D]") >= area.first]
    return ticks, np.datetime_as_string(ticks).tolist()


def short(value: float) -> str:
    """Return a value with four digits.

    Examples
    --------
    >>> [short(value) for value in (18.7, 6637.97, -0.16231, 66379700000.0)]
    ['18.70', '6,638', '-0.1623', '6.638e+10']
    """
    if not value or not _LITTLE <= abs(value) < _MANY:
        return f"{value:.4g}"
    return f"{value:,.{max(3 - floor(log10(abs(value))), 0)}f}"


def _written(value: float, step: float) -> str:
    if abs(value) >= _MANY or step < _LITTLE:
        return f"{value:g}"
    decimals = next(count for count in range(7) if step * 10**count % 1 < _LITTLE or step * 10**count % 1 > 1 - _LITTLE)
    return f"{value:,.{decimals}f}"
