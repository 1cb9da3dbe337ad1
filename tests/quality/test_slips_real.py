"""Unit slips in real files: none where there is none, and every simulated one that can be told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.catalog.models import Bounds
from macrocredit_assets.ingest import ingest
from macrocredit_assets.quality.slips import NEIGHBOURHOOD, find_slip
from macrocredit_assets.settings import Settings
from macrocredit_assets.sources import build_sources, choose
from macrocredit_assets.windows import Window

SPECS = load_catalog().datasets
NOTHING = pd.Series(dtype=float, index=pd.DatetimeIndex([]))


@pytest.fixture(params=SPECS)
def column(request: pytest.FixtureRequest, real_data: Path) -> tuple[pd.Series[float], Bounds]:
    """Return the main column of a dataset since 1990, and its usual range."""
    spec, sources = SPECS[request.param], build_sources(Settings(real_data, real_data, files=real_data))
    route, window = choose(spec, "files", sources), Window.parse("1990-01-01", "2026-06-30")
    values = ingest(spec, window, route, sources, today=date(2027, 1, 1)).frame[spec.main].dropna()
    usual = spec.columns[spec.main].plausible
    assert usual is not None
    return values, usual


def _beside(values: pd.Series[float], window: pd.Series[float]) -> list[pd.Series[float]]:
    """Return what may be stored when a window comes: nothing, it and more, what is around it, what is before it."""
    around = values[window.index[0] - NEIGHBOURHOOD : window.index[-1] + NEIGHBOURHOOD]
    return [NOTHING, around, around.drop(window.index), around[around.index < window.index[0]]]


def test_real_rows_are_no_slip(column: tuple[pd.Series[float], Bounds]) -> None:
    """Days, months, years and everything since 1990, alone and beside stored rows, crises among them."""
    values, usual = column
    for period, step in (("D", 500), ("M", 12), ("Y", 1)):
        for _, window in list(values.groupby(values.index.to_period(period)))[::step]:
            for stored in _beside(values, window):
                assert find_slip(window, stored, usual) is None
    assert find_slip(values, NOTHING, usual) is None


def test_slipped_rows_are_found(column: tuple[pd.Series[float], Bounds]) -> None:
    """Any run of rows, a hundred times up or down, unless it is plausible by itself and beside nothing."""
    values, usual = column
    chance = np.random.default_rng(len(values))
    for _, window in list(values.groupby(values.index.to_period("M")))[::6]:
        first = int(chance.integers(len(window)))
        rows = slice(first, int(chance.integers(first, len(window))) + 1)
        came = window.copy()
        came.iloc[rows] *= chance.choice([100, 0.01])
        for stored in _beside(values, window):
            beside_others = len(window.iloc[rows]) < len(window) or len(stored)
            if beside_others or not came.between(usual.low, usual.high).all():
                assert find_slip(came, stored, usual) is not None, (window.index[0], rows, len(stored))
