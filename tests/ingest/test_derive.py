"""Deriving signals: joining inputs, looking back, judging, and what is passed on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from macrocredit_assets.catalog import Catalog, load_catalog
from macrocredit_assets.catalog.models import Bounds, Column, DatasetSpec, Input, RollDays, SignalSpec
from macrocredit_assets.errors import CatalogError, RuleViolationError
from macrocredit_assets.ingest import Ingested, SignalInput, derive, ingest
from macrocredit_assets.persistence.records import SeenInput
from macrocredit_assets.settings import Settings
from macrocredit_assets.signals import SIGNALS, SignalContext
from macrocredit_assets.sources import build_sources, choose
from macrocredit_assets.windows import Coverage, Window

JANUARY = Window.parse("2024-01-01", "2024-01-31")


def values(ingested: Ingested) -> dict[str, float]:
    """Return the first column by ISO date."""
    return {f"{day:%Y-%m-%d}": value for day, value in ingested.frame.iloc[:, 0].items()}


def signal(function: str = "difference", lookback: int = 0, **inputs: str) -> SignalSpec:
    """Return a signal over column ``x`` of some datasets."""
    return SignalSpec(
        name="toy_signal",
        title="Toy",
        instrument="TOY",
        group="signals",
        owner="team:toys",
        description="A toy.",
        columns={"value": Column(unit="bp", decimals=2, hard=Bounds(low=-100, high=100))},
        main="value",
        calendar="weekdays",
        function=function,
        inputs={name: Input(dataset=given, column="x") for name, given in inputs.items()},
        lookback=lookback,
    )


def given(rows: dict[str, float | None], start: str = "2024-01-01", end: str = "2024-01-31") -> SignalInput:
    """Return one dataset as the IO manager loads it."""
    index = pd.DatetimeIndex(list(rows), name="date")
    return SignalInput(pd.DataFrame({"x": list(rows.values())}, index=index), Coverage((Window.parse(start, end),)))


def difference(inputs: pd.DataFrame, _context: SignalContext) -> pd.Series:
    """Return one column minus the other."""
    return inputs["a"] - inputs["b"]


def change(inputs: pd.DataFrame, _context: SignalContext) -> pd.Series:
    """Return the daily change."""
    return inputs["a"].diff()


FUNCTIONS = {"difference": difference, "change": change}
MARKETS = Catalog(datasets=dict.fromkeys(("left", "right"), load_catalog().datasets["ust_10y"]), signals={})


def test_inputs_are_joined_on_shared_dates_and_nothing_is_filled() -> None:
    """A date that one input lacks, as a row or as a value, has no signal and is counted as input_missing."""
    left = given({"2024-01-02": 1.005, "2024-01-03": 2.0, "2024-01-04": 3.0, "2024-01-05": None, "2023-12-29": 7.0})
    right = given({"2024-01-02": 0.5, "2024-01-04": 0.25, "2024-01-05": 1.0}, end="2024-01-20")
    spec = signal(a="left", b="right")
    ingested = derive(spec, JANUARY, {"left": left, "right": right}, FUNCTIONS, MARKETS)
    assert values(ingested) == {"2024-01-02": 0.5, "2024-01-04": 2.75}
    assert ingested.dropped == {"input_missing": 2}
    assert (ingested.series, ingested.rows_read) == ("signal:toy_signal", 8)
    assert ingested.answered == Coverage((Window.parse("2024-01-01", "2024-01-20"),))
    assert ingested.frame.index.dtype == "datetime64[us]"


def test_warm_up_is_counted_and_rows_before_the_window_are_only_looked_at() -> None:
    """The first rows of all have no full lookback; with rows before the window there is no warm-up."""
    rows = {"2023-12-28": 1.0, "2023-12-29": 2.0, "2024-01-02": 4.0, "2024-01-03": 7.0}
    spec = signal("change", 1, a="left")
    whole = derive(
        spec, Window.parse("2023-12-01", "2024-01-31"), {"left": given(rows, "2023-12-01")}, FUNCTIONS, MARKETS
    )
    assert values(whole) == {"2023-12-29": 1.0, "2024-01-02": 2.0, "2024-01-03": 3.0}
    assert whole.dropped == {"warm_up": 1}
    january = derive(spec, JANUARY, {"left": given(rows, "2023-12-01")}, FUNCTIONS, MARKETS)
    assert values(january) == {"2024-01-02": 2.0, "2024-01-03": 3.0}
    assert january.dropped == {}


def test_a_row_without_full_lookback_is_absent_whatever_the_function_says() -> None:
    """What a function makes of too few rows would depend on the window that was asked."""
    rows = {"2024-01-02": 4.0, "2024-01-03": 7.0, "2024-01-04": 7.5}
    ingested = derive(signal("change", 2, a="left"), JANUARY, {"left": given(rows)}, FUNCTIONS, MARKETS)
    assert values(ingested) == {"2024-01-04": 0.5}
    assert ingested.dropped == {"warm_up": 2}


def test_a_lookback_goes_across_no_hole() -> None:
    """The row before a hole is not the row before; the day after it has no value, and is not answered either."""
    rows = {"2024-01-02": 1.0, "2024-01-03": 2.0, "2024-01-10": 9.0, "2024-01-11": 9.5}
    holed = replace(
        given(rows),
        coverage=Coverage((Window.parse("2024-01-01", "2024-01-03"), Window.parse("2024-01-09", "2024-01-31"))),
    )
    ingested = derive(signal("change", 1, a="left"), JANUARY, {"left": holed}, FUNCTIONS, MARKETS)
    assert values(ingested) == {"2024-01-03": 1.0, "2024-01-11": 0.5}
    assert ingested.dropped == {"warm_up": 2}
    assert str(ingested.answered) == "2024-01-01..2024-01-03, 2024-01-11..2024-01-31"


@pytest.mark.parametrize("name", sorted(SIGNALS))
def test_no_input_rows_make_no_signal_rows(name: str) -> None:
    """Inputs that cover a window without a row in it give an empty, answered window."""
    catalog = load_catalog()
    spec = next(spec for spec in catalog.signals.values() if spec.function == name)
    empty = {
        read.dataset: SignalInput(
            pd.DataFrame({read.column: pd.Series(dtype="float64")}, index=pd.DatetimeIndex([], name="date")),
            Coverage((JANUARY,)),
        )
        for read in spec.inputs.values()
    }
    ingested = derive(spec, JANUARY, empty, SIGNALS, catalog)
    assert (len(ingested.frame), ingested.answered, ingested.dropped) == (0, Coverage((JANUARY,)), {})


def test_a_signal_is_judged() -> None:
    """An impossible value of a signal stops it, with the command that waives it."""
    spec, inputs = signal("change", 1, a="left"), {"left": given({"2024-01-02": 0.0, "2024-01-03": 101.0})}
    with pytest.raises(RuleViolationError, match=r"backfill toy_signal .* --accept hard_bounds"):
        derive(spec, JANUARY, inputs, FUNCTIONS, MARKETS)
    accepted = derive(spec, JANUARY, inputs, FUNCTIONS, MARKETS, accept=frozenset({"hard_bounds"}))
    assert (values(accepted), accepted.accepted) == ({"2024-01-03": 101.0}, ("hard_bounds",))


def test_an_unknown_function_is_named() -> None:
    """A signal whose function is not installed says which ones are."""
    with pytest.raises(CatalogError, match="toy_signal: there is no signal function 'other'; known are change, diff"):
        derive(signal("other", a="left"), JANUARY, {"left": given({})}, FUNCTIONS, MARKETS)


def test_the_revisions_that_were_read_are_passed_on() -> None:
    """A record of a signal can say which revision of each input it saw; an input without one is left out."""
    seen = SeenInput(3, datetime(2024, 2, 1, 12, tzinfo=UTC))
    left, right = replace(given({"2024-01-02": 1.0}), revision=seen), given({"2024-01-02": 1.0})
    ingested = derive(signal(a="left", b="right"), JANUARY, {"left": left, "right": right}, FUNCTIONS, MARKETS)
    assert ingested.inputs == {"left": seen}


def test_roll_days_reach_the_function_by_argument() -> None:
    """The function is told the roll days of the dataset behind each argument, where it rolls."""
    seen: dict[str, RollDays] = {}

    def remember(inputs: pd.DataFrame, context: SignalContext) -> pd.Series:
        seen.update(context.rolls)
        return inputs["a"]

    shipped = load_catalog().datasets
    catalog = Catalog(datasets={"left": shipped["cdx_ig_5y"], "right": shipped["ust_10y"]}, signals={})
    inputs = {"left": given({"2024-01-02": 1.0}), "right": given({"2024-01-02": 1.0})}
    derive(signal("remember", a="left", b="right"), JANUARY, inputs, {"remember": remember}, catalog)
    assert {name: rolls.dates(date(2024, 1, 1), date(2024, 6, 30)) for name, rolls in seen.items()} == {
        "a": (date(2024, 3, 20),)
    }


def _fetched(folder: Path, spec: DatasetSpec, window: Window) -> Ingested:
    sources = build_sources(Settings(folder, folder, files=folder))
    return ingest(spec, window, choose(spec, "files", sources), sources, today=date(2027, 1, 1))


def test_a_real_signal_is_the_difference_of_its_inputs(real_data: Path) -> None:
    """The IG basis of 2008-11-20 is the OAS in basis points minus the CDX spread of that day."""
    catalog = load_catalog()
    window = Window.parse("2008-11-01", "2008-11-30")
    inputs = {}
    for name in ("us_ig_oas", "cdx_ig_5y"):
        came = _fetched(real_data, catalog.datasets[name], window)
        inputs[name] = SignalInput(came.frame, came.answered)
    ingested = derive(catalog.signals["cash_cds_basis_ig"], window, inputs, SIGNALS, catalog)
    # fred_BAMLC0A0CM.csv has 6.22 on that day, cdx_ig_hy_5y_defB.csv 269.492
    assert values(ingested)["2008-11-20"] == pytest.approx(622 - 269.492, abs=1e-9)
