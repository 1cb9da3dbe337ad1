"""Numbers between units, rounded as decimals are."""

from __future__ import annotations

import doctest
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pytest

from macrocredit_assets.sources import units
from macrocredit_assets.sources.units import convert, round_decimals


def test_examples_of_the_docstrings() -> None:
    """What the docstrings show is what happens."""
    assert doctest.testmod(units) == (0, doctest.testmod(units).attempted)
    assert doctest.testmod(units).attempted >= 2


def test_every_percent_of_two_decimals_becomes_whole_basis_points() -> None:
    """From -50 % to 50 % in hundredths, times 100: exactly the integers, where plain floats miss many."""
    whole = np.arange(-5000, 5001)
    percent = np.array([float(Decimal(int(number)) / 100) for number in whole])
    assert (percent * 100 != whole).sum() > 500
    np.testing.assert_array_equal(convert(percent, 100, 4), whole)


@pytest.mark.parametrize("value", [0.1 + 0.2, 104.3499984741211, -0.0, 5e-324, np.nan, np.inf])
def test_without_a_factor_nothing_changes(value: float) -> None:
    """A factor of one keeps every bit, whatever the decimals."""
    kept = convert([value], 1.0, 0)
    assert kept.view(np.int64).tolist() == np.array([value]).view(np.int64).tolist()


def test_rounding_is_that_of_decimal_numbers() -> None:
    """Halves go to even as people see them, not as binary fractions lie."""
    values = [2.675, 1.005, 0.125, -2.5, 1e17 + 16, np.nan, -np.inf]
    expected = [
        float(Decimal(text).quantize(Decimal("0.01"), ROUND_HALF_EVEN))
        for text in ("2.675", "1.005", "0.125", "-2.5", "100000000000000016")
    ]
    assert round_decimals(values, 2)[:5].tolist() == expected == [2.68, 1.0, 0.12, -2.5, 1e17 + 16]
    assert np.isnan(round_decimals(values, 2)[5])
    assert round_decimals(values, 2)[6] == -np.inf


def test_a_small_factor_is_the_decimal_that_was_written() -> None:
    """0.01 is a hundredth, not the binary number beside it."""
    assert convert([58.0, 33.5], 0.01, 4).tolist() == [0.58, 0.335]
