"""Signals of inputs with holes: what runs store of them, and what is left once the holes are filled."""

from pathlib import Path

import pandas as pd
import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.holdings import Holdings
from macrocredit_assets.orchestration.launch import run_backfill
from macrocredit_assets.plan import stages, windows_to_fill
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

_NAMES = ("cdx_hy_5y", "spread_momentum_hy")
_ALL = Window.parse("2020-01-01", "2020-06-30")


def _settings(root: Path) -> Settings:
    return Settings(root=root, dagster_home=root / ".dagster", profile="sample")


def _signal(settings: Settings) -> pd.DataFrame:
    return pd.read_parquet(settings.dataset_path("signal", "spread_momentum_hy"))


def _backfill(settings: Settings, start: str, end: str, names: tuple[str, ...] = _NAMES) -> None:
    assert run_backfill(settings, list(names), Window.parse(start, end)).success


@pytest.fixture(scope="module")
def continuous(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Return the signal of one backfill over everything."""
    settings = _settings(tmp_path_factory.mktemp("continuous"))
    _backfill(settings, str(_ALL.start), str(_ALL.end))
    return _signal(settings)


def test_a_filled_hole_leaves_no_trace(tmp_path: Path, continuous: pd.DataFrame) -> None:
    """Days after a hole are absent, never of other rows; once nothing is left to fill, all is as if it had not been."""
    settings = _settings(tmp_path)
    _backfill(settings, "2020-01-01", "2020-02-29")
    _backfill(settings, "2020-05-01", "2020-06-30")
    holed = _signal(settings)
    pd.testing.assert_frame_equal(holed, continuous.loc[holed.index], check_exact=True)
    # 20 rows of May look back on 20 rows before them, of which April has none
    may = pd.read_parquet(settings.dataset_path("market", "cdx_hy_5y")).loc["2020-05-01":].index
    assert holed.loc["2020-05-01":].index.equals(may[20:])

    _backfill(settings, "2020-03-01", "2020-04-30", ("cdx_hy_5y",))
    catalog = load_catalog()
    for stage in stages(catalog, _NAMES):
        for name, windows in windows_to_fill(Holdings(settings, catalog), stage, _ALL).items():
            for window in windows.windows:
                _backfill(settings, str(window.start), str(window.end), (name,))
    assert windows_to_fill(Holdings(settings, catalog), _NAMES, _ALL) == {}
    pd.testing.assert_frame_equal(_signal(settings), continuous, check_exact=True)
