"""The shipped catalog, entry by entry, and its bounds held against real files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from dagster._core.definitions.utils import validate_asset_owner, validate_group_name

from macrocredit_assets.catalog import DatasetSpec, SignalSpec, load_catalog
from macrocredit_assets.catalog.models import Column, FileWay
from macrocredit_assets.sources import SampleSource
from macrocredit_assets.windows import Window

CATALOG = load_catalog()
DATASETS = [pytest.param(spec, id=name) for name, spec in CATALOG.datasets.items()]
SIGNALS = [pytest.param(spec, id=name) for name, spec in CATALOG.signals.items()]
ENTRIES = [*DATASETS, *SIGNALS]

#: Real values outside the plausible bounds, each known and kept as published
IMPLAUSIBLE = {("vix", "open"): {"2004-11-08": 2.58}}


def test_sixteen_datasets_and_five_signals_are_shipped() -> None:
    """The names are a contract: files, assets and registries carry them."""
    assert (*CATALOG.datasets,) == (
        *("cdx_ig_5y", "cdx_hy_5y", "itraxx_main_5y", "itraxx_xover_5y", "us_ig_oas", "us_hy_oas", "baa_10y"),
        *("ust_2y", "ust_10y", "hyg", "lqd", "tlt", "spy", "sp500", "vix", "move"),
    )
    assert (*CATALOG.signals,) == (
        *("cash_cds_basis_ig", "cash_cds_basis_hy", "cdx_vix_gap", "spread_momentum_ig", "spread_momentum_hy"),
    )


@pytest.mark.parametrize("spec", ENTRIES)
def test_every_entry_says_what_it_is(spec: DatasetSpec | SignalSpec) -> None:
    """Title, description, owner, group and described columns, in forms that Dagster takes."""
    assert spec == CATALOG.entry(spec.name)
    assert len(spec.description) > 30
    assert spec.description.endswith(".")
    assert all(column.description for column in spec.columns.values())
    validate_asset_owner(spec.owner, spec.name)
    validate_group_name(spec.group)


@pytest.mark.parametrize("spec", DATASETS)
def test_every_dataset_has_a_file_and_a_sample(spec: DatasetSpec) -> None:
    """Profiles `files` and `sample` serve everything; ways stand in the order that all entries keep."""
    order = ["bloomberg", "cboe", "fred", "file", "sample"]
    sources = [way.source for way in spec.ways]

    assert {"file", "sample"} <= set(sources)
    assert sources == sorted(sources, key=order.index)
    assert spec.ways[-1].series == f"sample:{spec.name}"
    assert ("bloomberg" in sources) == (spec.name != "baa_10y")


@pytest.mark.parametrize("spec", DATASETS)
def test_every_column_is_bounded(spec: DatasetSpec) -> None:
    """What is impossible is written down for every column, and what is unlikely for all but volumes."""
    for name, column in spec.columns.items():
        assert column.hard is not None, name
        assert (column.plausible is not None) == (name != "volume"), name


@pytest.mark.parametrize(("name", "months", "day"), [("cdx_ig_5y", (3, 9), 20), ("cdx_hy_5y", (3, 9), 27)])
def test_credit_indices_roll_twice_a_year(name: str, months: tuple[int, ...], day: int) -> None:
    """Investment grade rolls on the 20th of March and September, CDX high yield a week later."""
    rolls = CATALOG.datasets[name].rolls

    assert rolls is not None
    assert (rolls.months, rolls.day) == (months, day)
    assert CATALOG.datasets["itraxx_main_5y"].rolls == CATALOG.datasets["cdx_ig_5y"].rolls
    assert [name for name, spec in CATALOG.datasets.items() if spec.rolls] == [*CATALOG.datasets][:4]


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("spread", "bp"),
        ("oas", "bp"),
        ("yield", "percent"),
        ("volume", "shares"),
        ("dividend", "USD"),
        ("split", "ratio"),
    ],
)
def test_one_quantity_has_one_unit(name: str, unit: str) -> None:
    """A column name means the same in every dataset."""
    units = {spec.columns[name].unit for spec in CATALOG.datasets.values() if name in spec.columns}

    assert units == {unit}


def _real_values(folder: Path, way: FileWay, column: str) -> pd.Series:
    """Read one column of a real file in plain pandas, in our unit."""
    frame = pd.read_csv(folder / way.path, na_values=[*way.missing])
    for header, text in way.filters.items():
        frame = frame[frame[header] == text]
    dates = frame.columns[0] if way.date_column == "" else way.date_column
    source = way.columns[column]
    values = frame.set_index(dates)[source.column].astype("float64") * source.factor
    return values.dropna()


def _outside(values: pd.Series, low: float, high: float) -> dict[str, float]:
    return values[(values < low) | (values > high)].to_dict()


def _since_1990(values: pd.Series) -> pd.Series:
    return values[values.index >= "1990-01-01"]


FILE_COLUMNS = [
    pytest.param(name, way, column, id=f"{way.path}-{column}")
    for name, spec in CATALOG.datasets.items()
    for way in spec.ways
    if isinstance(way, FileWay)
    for column in way.columns
]


@pytest.mark.parametrize(("name", "way", "column"), FILE_COLUMNS)
def test_real_values_lie_within_bounds(real_data: Path, name: str, way: FileWay, column: str) -> None:
    """Since 1990 nothing real is impossible, and what is implausible is known by date and value."""
    spec: Column = CATALOG.datasets[name].columns[column]
    values = _since_1990(_real_values(real_data, way, column))
    assert len(values) > 600
    assert spec.hard is not None

    assert _outside(values, spec.hard.low, spec.hard.high) == {}
    if spec.plausible is not None:
        known = IMPLAUSIBLE.get((name, column), {})
        assert _outside(values, spec.plausible.low, spec.plausible.high) == known


@pytest.mark.parametrize(
    ("name", "day", "value"),
    [
        ("cdx_ig_5y", "2008-11-20", 269.49),
        ("cdx_hy_5y", "2009-04-02", 1366.10),
        ("us_hy_oas", "2008-12-15", 2182.0),
        ("us_hy_oas", "2023-09-30", 403.0),
        ("us_ig_oas", "2008-12-05", 656.0),
        ("baa_10y", "2008-12-04", 616.0),
        ("ust_10y", "1981-09-30", 15.84),
        ("vix", "2008-11-20", 80.86),
        ("vix", "2020-03-16", 82.69),
        ("spy", "2020-03-23", 222.95),
    ],
)
def test_mappings_lead_to_the_known_numbers(real_data: Path, name: str, day: str, value: float) -> None:
    """The main column of the file way, in our unit, has the published value."""
    spec = CATALOG.datasets[name]
    way = next(way for way in spec.ways if isinstance(way, FileWay))

    assert _real_values(real_data, way, spec.main).loc[day] == pytest.approx(value, abs=0.005)


@pytest.mark.parametrize("name", ["itraxx_main_5y", "itraxx_xover_5y"])
def test_long_files_are_filtered_to_one_row_a_date(real_data: Path, name: str) -> None:
    """Index and tenor together pick one series of the long file."""
    way = next(way for way in CATALOG.datasets[name].ways if isinstance(way, FileWay))

    values = _real_values(real_data, way, "spread")

    assert len(values) == 701
    assert values.index.is_unique


@pytest.mark.parametrize("spec", DATASETS)
def test_simulated_values_are_plausible(spec: DatasetSpec) -> None:
    """The sample of every dataset stays within its plausible bounds from 1990 on, so that nobody is warned of it."""
    frame = SampleSource().fetch(spec, spec.ways[-1], Window.parse("1990-01-01", "2026-12-31")).frame

    assert len(frame) > 4000
    for name, column in spec.columns.items():
        bounds = column.plausible or column.hard
        assert bounds is not None
        assert _outside(frame[name], bounds.low, bounds.high) == {}
