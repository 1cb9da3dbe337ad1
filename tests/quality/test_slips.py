"""Slips: what is told at a glance is what a long look would say."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from macrocredit_assets.catalog.models import Bounds
from macrocredit_assets.quality import slips
from macrocredit_assets.quality.slips import find_slip
from macrocredit_assets.windows import Coverage, Window

RANGES = (None, Bounds(low=50, high=5_000), Bounds(low=-3, high=30))
#: Around the levels of the ranges, and on both sides of what is near: 39 and 40 times.
FACTORS = [1.0, 1.1, 38.9, 39.0, 39.5, 40.0, 41.0, 100.0, 0.01, -1.0, 0.0, np.nan]
WEIGHTS = [0.60, 0.20, 0.03, 0.03, 0.02, 0.02, 0.01, 0.03, 0.03, 0.01, 0.01, 0.01]


def _series(random: np.random.Generator, level: float) -> pd.Series[float]:
    days = pd.DatetimeIndex(np.sort(random.choice(pd.date_range("2024-01-01", periods=300), random.integers(0, 12))))
    return pd.Series(level * random.choice(FACTORS, len(days), p=WEIGHTS), days)


@pytest.mark.parametrize("seed", range(4))
def test_a_glance_hides_no_slip(seed: int) -> None:
    """Wherever a glance says that no row is off, a long look finds none: rows that come, stored ones, any range."""
    random, told = np.random.default_rng(seed), {"slip": 0, "glance": 0}
    for _ in range(100):
        level = float(random.choice([0.2, 3.0, 60.0, 300.0, 4_900.0]))
        came, stored = _series(random, level), _series(random, level)
        stored = stored[~stored.index.duplicated()]
        usual, by_row = RANGES[random.integers(3)], bool(random.integers(4))
        day = date(2024, 1, 1) + timedelta(days=int(random.integers(300)))
        accepted = Coverage((Window(day, day + timedelta(days=30)),)) if random.integers(2) else Coverage()
        if slips._is_one_level(came, stored, usual, by_row=by_row):
            told["glance"] += 1
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(slips, "_is_one_level", lambda *_, **__: False)
                assert find_slip(came, stored, usual, by_row=by_row, accepted=accepted) is None
        else:
            told["slip"] += find_slip(came, stored, usual, by_row=by_row, accepted=accepted) is not None

    assert min(told.values()) > 5, told
