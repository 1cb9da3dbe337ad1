"""Reading from a notebook, held against plain pandas."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import macrocredit_assets
from macrocredit_assets.errors import NotCoveredError, UnknownDatasetError, WindowError
from macrocredit_assets.persistence import DatasetStore
from macrocredit_assets.research import load, load_panel
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

_VIX = pd.DataFrame(
    {"open": [13.0, 14.0, 15.0], "close": [13.5, np.nan, 15.5]},
    index=pd.DatetimeIndex(["2024-01-02", "2024-01-03", "2024-01-05"], name="date"),
)
_OAS = pd.DataFrame({"oas": [330.0, 340.0]}, index=pd.DatetimeIndex(["2024-01-03", "2024-01-04"], name="date"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Write two datasets of the catalog, covered from 2 to 8 January 2024."""
    settings = Settings(root=tmp_path, dagster_home=tmp_path / ".dagster")
    for name, frame in (("vix", _VIX), ("us_hy_oas", _OAS)):
        schema = pa.schema([pa.field(column, pa.float64()) for column in frame.columns])
        store = DatasetStore(settings.dataset_path("market", name), schema)
        store.write(Window(date(2024, 1, 2), date(2024, 1, 8)), frame, series=f"desk:{name}")
    return settings


def test_whole_dataset(settings: Settings) -> None:
    """Without bounds everything is read, with the index that the files have."""
    frame = load("vix", settings=settings)
    pd.testing.assert_frame_equal(frame, _VIX, check_index_type=False)
    assert frame.index.name == "date"
    assert frame.index.dtype == "datetime64[us]"


@pytest.mark.parametrize(
    "bound",
    ["2024-01-03", date(2024, 1, 3), datetime.fromisoformat("2024-01-03T17:30"), pd.Timestamp("2024-01-03 17:30")],
)
def test_bounds_are_dates_in_any_form_and_included(settings: Settings, bound: str | date) -> None:
    """A start and an end may be text, date or timestamp; the whole day belongs to the window."""
    assert [*load("vix", start=bound, settings=settings)["open"]] == [14.0, 15.0]
    assert [*load("vix", end=bound, settings=settings)["open"]] == [13.0, 14.0]
    assert [*load("vix", bound, bound, settings=settings)["open"]] == [14.0]


def test_columns_are_chosen_and_ordered(settings: Settings) -> None:
    """Columns come in the order in which they are asked for."""
    assert [*load("vix", columns=["close", "open"], settings=settings).columns] == ["close", "open"]
    with pytest.raises(KeyError, match="open, close"):
        load("vix", columns=["last"], settings=settings)


def test_covered_day_without_row_is_empty(settings: Settings) -> None:
    """A closed day that was asked for and answered gives no row and no error."""
    frame = load("vix", "2024-01-06", "2024-01-07", settings=settings)
    assert frame.empty
    assert [*frame.columns] == ["open", "close"]


@pytest.mark.parametrize(
    ("name", "start", "end", "command"),
    [
        ("vix", "2023-01-01", "2023-06-30", "macrocredit backfill vix --start 2023-01-01 --end 2023-06-30"),
        ("vix", "2024-02-01", None, "macrocredit backfill vix --start 2024-02-01"),
        ("vix", None, "2023-06-30", "macrocredit backfill vix --start 1990-01-01 --end 2023-06-30"),
        ("move", "2024-01-02", None, "macrocredit backfill move --start 2024-01-02"),
    ],
)
def test_nothing_there_is_an_error_with_the_exact_command(
    settings: Settings, name: str, start: str | None, end: str | None, command: str
) -> None:
    """Where no date of the window was ingested, the error is the command that changes it."""
    with pytest.raises(NotCoveredError) as caught:
        load(name, start, end, settings=settings)
    assert str(caught.value).endswith(f"Run: {command}")


def test_partly_covered_window_gives_what_is_there(settings: Settings) -> None:
    """A window that reaches beyond what is covered is no error."""
    assert len(load("vix", "2020-01-01", "2030-01-01", settings=settings)) == 3


@pytest.mark.parametrize("name", ["vixx", "../raw/vix", "raw/vix", "", ".."])
def test_unknown_name_is_refused(settings: Settings, name: str) -> None:
    """A name that neither the root nor the catalog has is refused; no path is followed."""
    with pytest.raises(UnknownDatasetError):
        load(name, settings=settings)


def test_reversed_window_is_refused(settings: Settings) -> None:
    """An end before the start is a mistake, not an empty frame."""
    with pytest.raises(WindowError, match="reversed"):
        load("vix", "2024-01-05", "2024-01-02", settings=settings)


def test_file_that_the_catalog_does_not_list_can_be_read(settings: Settings) -> None:
    """A dataset that has left the catalog is still there."""
    path = settings.dataset_path("market", "old_desk")
    DatasetStore(path, pa.schema([pa.field("close", pa.float64())])).write(
        Window(date(2024, 1, 2), date(2024, 1, 8)), _VIX[["close"]], series="desk:old"
    )
    assert len(load("old_desk", settings=settings)) == 3


def test_panel_is_an_outer_join_without_filling(settings: Settings) -> None:
    """A panel has every date that any dataset has, and NaN where one has none; the main column is the default."""
    panel = load_panel(["us_hy_oas", "vix", "vix.open"], settings=settings)
    expected = pd.DataFrame(
        {
            "us_hy_oas": [np.nan, 330.0, 340.0, np.nan],
            "vix": [13.5, np.nan, np.nan, 15.5],
            "vix.open": [13.0, 14.0, np.nan, 15.0],
        },
        index=pd.DatetimeIndex(
            ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"], name="date", dtype="datetime64[us]"
        ),
    )
    pd.testing.assert_frame_equal(panel, expected)


def test_panel_of_nothing_is_empty(settings: Settings) -> None:
    """No names give no columns."""
    assert load_panel([], settings=settings).shape == (0, 0)


def test_call_without_settings_reads_the_root_in_the_environment(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notebook reads the root that its environment names, at the time of the call."""
    monkeypatch.setenv("MACROCREDIT_ROOT", str(settings.root))
    assert len(macrocredit_assets.load("vix")) == 3
    assert [*macrocredit_assets.load_panel(["vix"]).columns] == ["vix"]


def test_package_exports_lazily() -> None:
    """Importing the package imports no pandas, and reading from it never imports dagster."""
    script = (
        "import sys, macrocredit_assets as m; assert 'pandas' not in sys.modules;"
        "assert {'load', 'load_panel'} <= set(dir(m)); m.load; assert 'pandas' in sys.modules;"
        "assert 'dagster' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_unknown_export_is_an_attribute_error() -> None:
    """A name that the package does not export is refused as any module refuses it."""
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        macrocredit_assets.lode  # noqa: B018 - the access is what is tested
