"""What one entry can know about itself, and what follows from an entry: roll days, names, Arrow schema, table."""

from __future__ import annotations

import pickle
from datetime import date

import pyarrow as pa
import pytest
from dagster._core.definitions.utils import DISALLOWED_NAMES
from pydantic import ValidationError

from macrocredit_assets.catalog import Catalog, arrow_schema, dataset_table, load_catalog, series_key
from macrocredit_assets.catalog.models import CustomWay, RollDays
from macrocredit_assets.catalog.naming import name_problem

CATALOG = load_catalog()


def test_roll_days_of_a_range_include_both_ends() -> None:
    """Roll days come in order, whatever the order of months; a short month rolls on its last day."""
    rolls = RollDays(months=(9, 3), day=20)

    assert rolls.dates(date(2023, 3, 20), date(2024, 3, 20)) == (
        date(2023, 3, 20),
        date(2023, 9, 20),
        date(2024, 3, 20),
    )
    assert rolls.dates(date(2023, 3, 21), date(2023, 9, 19)) == ()
    assert RollDays(months=(2,), day=31).dates(date(2023, 1, 1), date(2024, 12, 31)) == (
        date(2023, 2, 28),
        date(2024, 2, 29),
    )


def test_a_custom_way_is_for_sources_that_are_not_built_in() -> None:
    """A built-in source keeps its own keys."""
    with pytest.raises(ValidationError, match="'file' is a built-in source"):
        CustomWay(source="file", series="fred:DGS10")


def test_a_catalog_travels_between_processes() -> None:
    """Steps in other processes get the catalog pickled."""
    assert pickle.loads(pickle.dumps(CATALOG)) == CATALOG  # noqa: S301 - our own bytes


@pytest.mark.parametrize("name", ["cdx_ig_5y", "A", "_x", "conf_", "source_of_truth", "com10"])
def test_identifiers_are_names(name: str) -> None:
    """Letters, digits and underscores make a name."""
    assert name_problem(name) is None


@pytest.mark.parametrize(
    "name",
    [*sorted(DISALLOWED_NAMES), "", "5y", "a-b", "a.b", "ä", "a b", "a/b", "source", "source__fred", "nul", "COM1"],
)
def test_names_that_break_something_are_refused(name: str) -> None:
    """No identifier, reserved by Dagster or Windows, or like the key of an external asset."""
    assert name_problem(name) is not None


@pytest.mark.parametrize(
    ("series", "key"),
    [
        ("fred:BAMLH0A0HYM2", ("source", "fred", "BAMLH0A0HYM2")),
        ("bbg:CDX IG CDSI GEN 5Y Corp/PX_LAST", ("source", "bbg", "CDX_IG_CDSI_GEN_5Y_Corp_PX_LAST")),
        ("yahoo:^GSPC", ("source", "yahoo", "GSPC")),
        ("desk:a:b", ("source", "desk", "a_b")),
    ],
)
def test_a_series_becomes_the_key_of_an_external_asset(series: str, key: tuple[str, ...]) -> None:
    """What is no word character becomes one underscore, none at the ends."""
    assert series_key(series) == key


def test_an_arrow_schema_carries_unit_decimals_and_description() -> None:
    """The value columns of an ETF in their order, each with what a reader of the file wants to know."""
    schema = arrow_schema(CATALOG.entry("hyg"))

    assert schema.names == ["open", "high", "low", "close", "volume", "dividend", "split"]
    assert [field.type for field in schema] == [pa.float64()] * 4 + [pa.int64()] + [pa.float64()] * 2
    assert schema.field("volume").metadata == {
        b"unit": b"shares",
        b"decimals": b"0",
        b"description": b"traded that day",
    }


def test_a_column_without_description_has_none_in_its_schema() -> None:
    """An empty description is left out of the field metadata."""
    spec = CATALOG.datasets["vix"]
    bare = spec.model_copy(update={"columns": {"close": spec.columns["close"].model_copy(update={"description": ""})}})

    assert arrow_schema(bare).field("close").metadata == {b"unit": b"index points", b"decimals": b"6"}


@pytest.mark.parametrize("name", CATALOG.names())
def test_every_entry_has_an_arrow_schema(name: str) -> None:
    """Schemas have the columns of their entry and never the index."""
    entry = CATALOG.entry(name)
    schema = arrow_schema(entry)

    assert schema.names == [*entry.columns]
    assert all(field.nullable and {b"unit", b"decimals"} <= field.metadata.keys() for field in schema)


def test_the_table_has_one_row_a_dataset() -> None:
    """Rows follow the order of names; cells are those of the entry."""
    lines = dataset_table(CATALOG).splitlines()

    assert len(lines) == 2 + 21
    assert lines[0] == "| name | what it is | instrument | tenor | columns | calendar | from |"
    assert [line.split("`")[1] for line in lines[2:]] == [*CATALOG.names()]
    assert lines[2] == (
        "| `cdx_ig_5y` | CDX North America Investment Grade 5Y | CDX.NA.IG | 5Y | `spread` (bp) | `us_bond` | "
        "bloomberg, file, sample |"
    )
    assert lines[11].endswith(
        "| `open`, `high`, `low`, `close`, `dividend` (USD); `volume` (shares); `split` (ratio) | `us_equity` | "
        "bloomberg, file, sample |"
    )
    assert lines[18].endswith("| `basis` (bp) | `us_bond` | `us_ig_oas`, `cdx_ig_5y` |")


def test_the_table_escapes_what_would_end_a_cell() -> None:
    """A bar in a title stays inside its cell."""
    spec = CATALOG.datasets["vix"].model_copy(update={"title": "a | b"})

    assert dataset_table(Catalog({"vix": spec}, {})).splitlines()[2].startswith("| `vix` | a \\| b | VIX |")
