"""Signals: hand-computed values, an independent oracle, and independence of the history before a date."""

from __future__ import annotations

import statistics
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.catalog.models import RollDays
from macrocredit_assets.errors import CatalogError
from macrocredit_assets.signals import (
    SIGNALS,
    SignalContext,
    cash_cds_basis,
    cdx_vix_gap,
    signal_functions,
    spread_momentum,
)

ROLLS = RollDays(months=(3, 9), day=20)


def frame(first: str, **columns: list[float]) -> pd.DataFrame:
    """Return weekdays from a date on, with these columns."""
    length = len(next(iter(columns.values())))
    dates = pd.bdate_range(first, periods=length, name="date", unit="us")
    return pd.DataFrame(columns, index=pd.DatetimeIndex(dates, freq=None), dtype="float64")


def random_walks(rows: int, seed: int) -> pd.DataFrame:
    """Return spreads and volatilities that look alive, over several rolls."""
    steps = np.random.default_rng(seed).normal(0, 0.02, (rows, 2)).cumsum(axis=0)
    return frame("2019-01-02", spread=list(60 * np.exp(steps[:, 0])), vix=list(15 * np.exp(steps[:, 1])))


def gap_by_loops(inputs: pd.DataFrame, count: int) -> dict[pd.Timestamp, float]:
    """Return the gap with the statistics module, one date after the other."""
    result = {}
    for end in range(count, len(inputs) + 1):
        scores = []
        for column in ("spread", "vix"):
            values = inputs[column].iloc[end - count : end].tolist()
            scores.append((values[-1] - statistics.mean(values)) / statistics.stdev(values))
        result[inputs.index[end - 1]] = scores[0] - scores[1]
    return result


def momentum_by_loops(spread: pd.Series, count: int, roll_days: list[date]) -> dict[pd.Timestamp, float]:
    """Return the momentum with the statistics module, one date after the other."""
    dates, values = [day.date() for day in spread.index], spread.tolist()
    result = {}
    for end in range(count, len(values)):
        changes = [
            values[i] - values[i - 1]
            for i in range(end - count + 1, end + 1)
            if not any(dates[i - 1] < roll <= dates[i] for roll in roll_days)
        ]
        result[spread.index[end]] = -sum(changes) / statistics.stdev(changes)
    return result


def test_basis_is_oas_minus_spread_in_basis_points() -> None:
    """Bonds that pay 104 bp against an index at 58.5 bp are 45.5 bp cheap."""
    basis = cash_cds_basis(frame("2024-01-02", oas=[104.0, 90.0], spread=[58.5, 95.0]), SignalContext())
    assert basis.tolist() == [45.5, -5.0]
    assert basis.index.tolist() == [pd.Timestamp("2024-01-02"), pd.Timestamp("2024-01-03")]


def test_nothing_is_filled() -> None:
    """A date on which one input has no value has no basis, and does not count as an observation."""
    nan = float("nan")
    inputs = frame("2024-01-02", oas=[100.0, nan, 110.0], spread=[60.0, 61.0, nan])
    assert cash_cds_basis(inputs, SignalContext()).to_dict() == {pd.Timestamp("2024-01-02"): 40.0}
    momentum = spread_momentum(frame("2024-01-02", spread=[60.0, nan, 57.0, 56.0]), SignalContext({"observations": 2}))
    assert momentum.index.tolist() == [pd.Timestamp("2024-01-05")]
    # changes -3 and -1: sum -4, standard deviation sqrt(2)
    assert momentum.iloc[0] == pytest.approx(4 / 2**0.5, rel=1e-15)


def test_gap_is_the_difference_of_two_z_scores() -> None:
    """Spreads one standard deviation high and volatility two thirds low give a gap worked out by hand."""
    inputs = frame("2024-01-02", spread=[300.0, 310.0, 320.0], vix=[16.0, 13.0, 13.0])
    # spread: mean 310, sd 10, z 1; vix: mean 14, sd sqrt((4 + 1 + 1) / 2) = sqrt(3), z -1 / sqrt(3)
    gap = cdx_vix_gap(inputs, SignalContext({"observations": 3}))
    assert gap.to_dict() == {pd.Timestamp("2024-01-04"): pytest.approx(1 + 1 / 3**0.5, rel=1e-14)}


def test_gap_looks_back_252_observations_by_default() -> None:
    """The first of 253 rows with a gap is the 252nd, and all agree with the statistics module."""
    inputs = random_walks(300, seed=1)
    gap = cdx_vix_gap(inputs, SignalContext())
    assert gap.index[0] == inputs.index[251]
    assert gap.to_dict() == pytest.approx(gap_by_loops(inputs, 252), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("rolls", [None, ROLLS], ids=["without rolls", "with rolls"])
def test_momentum_agrees_with_the_statistics_module(rolls: RollDays | None) -> None:
    """Over a year and a half with three rolls, every date has the value that plain loops give."""
    inputs = random_walks(400, seed=2)
    roll_days = [date(2019, 3, 20), date(2019, 9, 20), date(2020, 3, 20)] if rolls else []
    context = SignalContext(rolls={"spread": rolls} if rolls else {})
    momentum = spread_momentum(inputs, context)
    assert momentum.index[0] == inputs.index[20]
    assert momentum.to_dict() == pytest.approx(momentum_by_loops(inputs["spread"], 20, roll_days), rel=1e-9)


@pytest.mark.parametrize(
    ("first", "rolled"),
    [
        ("2024-09-16", {}),  # Monday to Thursday: the roll on Friday is still to come
        ("2024-09-17", {3}),  # the last change is from Thursday 19 to Friday 20, the roll day
        ("2024-09-20", {}),  # the first row is the roll day itself
        ("2025-09-19", {1}),  # the roll day is Saturday 20: the change from Friday to Monday is across
    ],
)
def test_a_change_is_across_a_roll_from_the_day_before_to_the_roll_day(first: str, rolled: set[int]) -> None:
    """The change that ends on or after the roll day, and began before it, is left out of sum and volatility."""
    levels = [60.0, 57.0, 56.0, 51.0]
    changes = [levels[i] - levels[i - 1] for i in range(1, 4) if i not in rolled]
    momentum = spread_momentum(frame(first, spread=levels), SignalContext({"observations": 3}, {"spread": ROLLS}))
    assert momentum.tolist() == [pytest.approx(-sum(changes) / statistics.stdev(changes), rel=1e-14)]


@settings(deadline=None)
@given(rows=st.integers(1, 60), count=st.integers(4, 30), older=st.integers(0, 60), seed=st.integers(0, 99))
def test_values_do_not_depend_on_older_history(rows: int, count: int, older: int, seed: int) -> None:
    """With or without older rows, a date has the same value to the last bit."""
    inputs = random_walks(older + rows + count, seed)
    context = SignalContext({"observations": count}, {"spread": RollDays(months=(2,), day=1)})
    for function in SIGNALS.values():
        given_inputs = inputs.rename(columns={"vix": "oas"}) if function is cash_cds_basis else inputs
        everything = function(given_inputs, context)
        recent = function(given_inputs.iloc[older:], context)
        assert len(recent) >= rows
        pd.testing.assert_series_equal(everything.loc[recent.index], recent, check_exact=True, check_freq=False)


@settings(deadline=None)
@given(seed=st.integers(0, 20))
def test_one_day_equals_the_range(seed: int) -> None:
    """The rows of one date's lookback alone give that date's value of the whole range, to the last bit."""
    inputs = random_walks(600, seed)
    gap, momentum = cdx_vix_gap(inputs, SignalContext()), spread_momentum(inputs, SignalContext())
    for position in (251, 252, 300, 599):
        day = inputs.index[position]
        assert cdx_vix_gap(inputs.iloc[position - 251 : position + 1], SignalContext()).to_dict() == {day: gap[day]}
        lookback = inputs.iloc[position - 20 : position + 1]
        assert spread_momentum(lookback, SignalContext()).to_dict() == {day: momentum[day]}


@pytest.mark.parametrize("rows", [0, 1, 20])
def test_a_short_history_has_no_signal(rows: int) -> None:
    """Where no lookback is full there is no row, and no error."""
    inputs = random_walks(20, seed=3).iloc[:rows]
    assert spread_momentum(inputs, SignalContext(rolls={"spread": ROLLS})).empty
    assert cdx_vix_gap(inputs, SignalContext()).empty


def test_no_volatility_means_no_value() -> None:
    """Stale and evenly moving inputs, whose volatility is zero but for rounding, give no row."""
    context = SignalContext({"observations": 3})
    assert spread_momentum(frame("2024-01-02", spread=[60.0] * 6), context).empty
    assert spread_momentum(frame("2024-01-02", spread=[60.0, 60.1, 60.2, 60.3, 60.4]), context).empty
    assert cdx_vix_gap(frame("2024-01-02", spread=[60.0, 61.0, 63.0], vix=[13.3] * 3), context).empty
    only_one_change = SignalContext({"observations": 2}, {"spread": RollDays(months=(1,), day=3)})
    assert spread_momentum(frame("2024-01-02", spread=[60.0, 50.0, 51.0]), only_one_change).empty


@pytest.mark.parametrize("observations", [1, 0, -5, 2.5, "20", True])
def test_observations_must_count_rows(observations: float | str) -> None:
    """A lookback that is no whole number of at least 2 is refused in a sentence."""
    with pytest.raises(CatalogError, match=r"'observations' is .* whole number of at least 2"):
        spread_momentum(random_walks(30, seed=4), SignalContext({"observations": observations}))


def test_an_input_under_another_name_is_refused() -> None:
    """A catalog entry whose inputs are not called as the function calls them is told both."""
    with pytest.raises(CatalogError, match=r"not given spread.* takes the inputs oas, spread.* has oas, cdx"):
        cash_cds_basis(frame("2024-01-02", oas=[100.0], cdx=[60.0]), SignalContext())


def test_momentum_around_a_roll_of_cdx_ig(real_data: Path) -> None:
    """The fall from 71.4 to 52.4 bp at the roll of 2020-09-21 is no tightening: it is in no later momentum."""
    table = pd.read_csv(real_data / "cdx_ig_hy_em_5y_defA.csv")
    dates = pd.DatetimeIndex(pd.to_datetime(table["Date"], format="%m/%d/%Y"), name="date")
    spread = pd.Series(table["CDX.IG"].to_numpy(), index=dates, name="spread").loc["2020-07-01":"2020-12-31"]
    assert spread["2020-09-18"] == pytest.approx(71.371, abs=1e-3)
    assert spread["2020-09-21"] == pytest.approx(52.383, abs=1e-3)
    momentum = spread_momentum(spread.to_frame(), SignalContext(rolls={"spread": ROLLS}))
    expected = momentum_by_loops(spread, 20, [date(2020, 9, 20)])
    assert momentum.to_dict() == pytest.approx(expected, rel=1e-9)
    naive = spread_momentum(spread.to_frame(), SignalContext())
    across = (momentum.index >= "2020-09-21") & (momentum.index <= "2020-10-16")
    assert across.sum() == 20
    assert (naive[across] > momentum[across]).all()
    assert naive[~across].equals(momentum[~across])


def test_the_catalog_names_built_in_functions_and_their_arguments() -> None:
    """Every shipped signal can be computed from columns named by its inputs."""
    for spec in load_catalog().signals.values():
        rows = spec.lookback + 1
        walks = np.random.default_rng(5).normal(0, 1, (rows, len(spec.inputs))).cumsum(axis=0) + 100
        inputs = frame("2019-01-02", **{name: list(walks[:, i]) for i, name in enumerate(spec.inputs)})
        assert len(SIGNALS[spec.function](inputs, SignalContext(spec.parameters))) == 1, spec.name
        short = SIGNALS[spec.function](inputs.iloc[1:], SignalContext(spec.parameters))
        assert short.empty, f"{spec.name} needs fewer rows than its lookback says"


def install(folder: Path, package: str, entry_points: str) -> None:
    """Lay down an installed distribution with one module and its entry points."""
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[macrocredit_assets.signals]\n{entry_points}\n")
    (folder / f"{package}.py").write_text(
        "def carry(inputs, context):\n    return inputs['spread'] / 100\n\nLIMIT = 5\n"
    )


def test_a_desk_registers_its_own_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function behind an entry point stands beside the built-in ones."""
    install(tmp_path, "desk_signals_a", "carry = desk_signals_a:carry")
    monkeypatch.syspath_prepend(tmp_path)
    functions = signal_functions()
    assert set(functions) == {*SIGNALS, "carry"}
    assert functions["carry"](frame("2024-01-02", spread=[60.0]), SignalContext()).tolist() == [0.6]


@pytest.mark.parametrize(
    ("entry_points", "message"),
    [
        ("spread_momentum = desk_signals_b:carry", "'spread_momentum' of desk_signals_b .* one of macrocredit_assets"),
        ("carry = desk_signals_b:LIMIT", "'carry' of desk_signals_b .* is of type int, no function"),
        ("carry = desk_signals_b:absent", "'carry' of desk_signals_b .* cannot be loaded"),
    ],
    ids=["name taken", "no function", "not there"],
)
def test_what_cannot_be_a_signal_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry_points: str, message: str
) -> None:
    """A clash of names and an entry point that is no function are errors that name the package."""
    install(tmp_path, "desk_signals_b", entry_points)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(CatalogError, match=message):
        signal_functions()
