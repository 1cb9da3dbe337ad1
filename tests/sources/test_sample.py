"""The sample source: the same rows for every window and machine, and a market that looks like one."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.catalog.calendars import sessions
from macrocredit_assets.catalog.models import DatasetSpec, FredWay, SampleWay
from macrocredit_assets.errors import PermanentSourceError
from macrocredit_assets.sources.base import Fetched
from macrocredit_assets.sources.sample import SampleSource
from macrocredit_assets.windows import Window

#: sha256 of each dataset's rows of 2020 as text. A change of these numbers changes every sample root: say so in the
#: change log. ``python -m pytest tests/sources/test_sample.py -k pinned`` shows the new ones.
PINNED = {
    "baa_10y": "3516ad1ad325ff02",
    "cdx_hy_5y": "ae6f815ce1ad1522",
    "cdx_ig_5y": "145605e0ffb58251",
    "hyg": "9d1392b3f4ff0e20",
    "itraxx_main_5y": "30033c061bbbf687",
    "itraxx_xover_5y": "a78b9c61e67ff3d3",
    "lqd": "e5cc9ed301d07962",
    "move": "a3fcde6366e6a957",
    "sp500": "d5f056aa2c7bca81",
    "spy": "f8542750d252ba15",
    "tlt": "b0e9b613ee6bf744",
    "us_hy_oas": "912434142438b5de",
    "us_ig_oas": "f636513bade420c8",
    "ust_10y": "43ca6603cfd44914",
    "ust_2y": "aa40fa4f5b4241af",
    "vix": "88144981396b0030",
}

DATASETS = load_catalog().datasets
NAMES = sorted(DATASETS)
HISTORY = Window(date(1990, 1, 1), date(2026, 12, 31))


def sample_way(spec: DatasetSpec) -> SampleWay:
    """Return the one sample way of a dataset."""
    (way,) = (way for way in spec.ways if isinstance(way, SampleWay))
    return way


def fetch(name: str, window: Window) -> Fetched:
    """Fetch a shipped dataset."""
    return SampleSource().fetch(DATASETS[name], sample_way(DATASETS[name]), window)


@cache
def history(name: str) -> pd.DataFrame:
    """Return all rows up to 2026."""
    return fetch(name, HISTORY).frame


def main(name: str) -> pd.Series:
    """Return the main column of all rows."""
    return history(name)[DATASETS[name].main]


def own(**changes: object) -> tuple[DatasetSpec, SampleWay]:
    """Return a dataset as a user would write one: a fund in daily prices, paying 12 % a year in monthly parts."""
    way = {
        "series": "sample:own",
        "model": "etf",
        "level": 100,
        "stress": 1,
        "noise": 1e-9,
        "years": 1e-9,
        "income": 12,
    }
    price = {"unit": "USD", "decimals": 4}
    entry = {
        "name": "own",
        "title": "Own",
        "instrument": "OWN",
        "group": "own",
        "owner": "team:own",
        "description": "A fund.",
        "calendar": "daily",
        "main": "nav",
        "columns": {"nav": price, "dividend": price},
        **changes,
    }
    spec = DatasetSpec.model_validate({**entry, "ways": [{"source": "sample", **way}]})
    return spec, sample_way(spec)


@pytest.mark.parametrize("name", NAMES)
def test_rows_of_2020_are_pinned(name: str) -> None:
    """Every machine and every version of numpy makes these rows."""
    rows = fetch(name, Window(date(2020, 1, 1), date(2020, 12, 31))).frame
    text = rows.to_csv(float_format="%.4f", date_format="%Y-%m-%d", lineterminator="\n")
    assert {name: hashlib.sha256(text.encode()).hexdigest()[:16]} == {name: PINNED.get(name)}


@settings(deadline=None)
@given(
    name=st.sampled_from(NAMES),
    start=st.dates(date(1989, 6, 1), date(2026, 12, 31)),
    days=st.integers(0, 800),
)
def test_any_window_is_a_slice_of_the_history(name: str, start: date, days: int) -> None:
    """A row does not depend on the window that it was asked with, to the last bit."""
    end = min(start + timedelta(days=days), HISTORY.end)
    rows = fetch(name, Window(start, end)).frame
    pd.testing.assert_frame_equal(rows, history(name).loc[str(start) : str(end)], check_exact=True)


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_the_sessions_of_the_calendar_in_the_catalog_shape(name: str) -> None:
    """One row per session from ``starts`` on, columns and types as the catalog says, nothing missing."""
    spec, rows = DATASETS[name], history(name)
    first = sample_way(spec).starts or HISTORY.start
    assert rows.index.equals(sessions(spec.calendar, Window(first, HISTORY.end)))
    assert rows.index.name == "date"
    assert rows.index.dtype == "datetime64[us]"
    assert {column: str(dtype) for column, dtype in rows.dtypes.items()} == {
        column: described.dtype for column, described in spec.columns.items()
    }
    assert rows.notna().all(axis=None)


@pytest.mark.parametrize("name", NAMES)
def test_values_lie_within_the_plausible_bounds_and_decimals(name: str) -> None:
    """Nothing simulated is implausible, or finer than the catalog's decimals."""
    rows = history(name)
    for column, described in DATASETS[name].columns.items():
        for bounds in (described.plausible, described.hard):
            if bounds is not None:
                assert rows[column].between(bounds.low, bounds.high).all(), column
        assert np.array_equal(rows[column], np.round(rows[column], described.decimals)), column


@pytest.mark.parametrize("name", [name for name in NAMES if "high" in DATASETS[name].columns])
def test_open_and_close_lie_between_low_and_high(name: str) -> None:
    """Low is the lowest and high the highest of a day, and days have a range."""
    rows = history(name)
    assert (rows["low"] <= rows[["open", "close"]].min(axis=1)).all()
    assert (rows["high"] >= rows[["open", "close"]].max(axis=1)).all()
    assert (rows["high"] > rows["low"]).mean() > 0.95
    gaps = np.log(rows["open"] / rows["close"].shift()).std()
    assert 0 < gaps < np.log(rows["close"]).diff().std(), "an open is nearer to the close before than the next close is"


@pytest.mark.parametrize("name", ["hyg", "lqd", "spy", "tlt"])
def test_funds_trade_whole_lots_and_never_split(name: str) -> None:
    """Volumes are positive hundreds; split is 0 where nothing splits, as Yahoo has it."""
    rows = history(name)
    assert (rows["volume"] > 0).all()
    assert (rows["volume"] % 100 == 0).all()
    assert (rows["split"] == 0.0).all()


@pytest.mark.parametrize(("name", "months", "low", "high"), [("hyg", 1, 2, 9), ("tlt", 1, 1, 7), ("spy", 3, 0.7, 3)])
def test_funds_go_ex_on_the_first_session_of_their_months(name: str, months: int, low: float, high: float) -> None:
    """Bond funds pay monthly, equity funds quarterly, and a plausible percentage of their price a year."""
    rows = history(name).loc["2008":]
    paid = rows["dividend"][rows["dividend"] > 0]
    month = rows.index.year * 12 + rows.index.month - 1
    firsts = rows.index[(month % months == 0) & (np.diff(month, prepend=0) > 0)]
    assert paid.index.equals(firsts)
    yearly = 100 * paid.groupby(paid.index.year).sum() / rows["close"].groupby(rows.index.year).mean()
    assert yearly.between(low, high).all()


def test_the_price_falls_by_what_goes_ex() -> None:
    """A fund worth 100 that pays 12 % and the short rate accrues to its dividend, and falls back to 100."""
    spec, way = own()
    rows = SampleSource().fetch(spec, way, Window(date(2024, 1, 1), date(2024, 3, 31))).frame
    ex_day = rows.loc["2024-02-01"]
    assert ex_day["nav"] == 100.0
    # accrued over 30 days by 31 January, and over all 31 of the month when it is paid
    assert (rows.loc["2024-01-31", "nav"] - 100) / 30 * 31 == pytest.approx(ex_day["dividend"], abs=0.011)
    assert 1.0 < ex_day["dividend"] < 2.0
    assert rows["dividend"].astype(bool).sum() == 3


def test_credit_looks_like_credit() -> None:
    """High yield pays four to eight times investment grade, crises multiply spreads, and the basis stays small."""
    ratio = (main("cdx_hy_5y") / main("cdx_ig_5y")).median()
    assert 4 < ratio < 8
    oas = main("us_hy_oas")
    assert oas.loc["2008-11":"2008-12"].max() > 3.5 * oas.loc["2007-01":"2007-03"].mean()
    assert oas.loc["2020-03"].max() > 2.5 * oas.loc["2019-11"].mean()
    basis = (main("us_ig_oas") - main("cdx_ig_5y")).dropna()
    assert 20 < basis.median() < 80
    # an autocorrelation well below 1 after half a year is what mean-reverting looks like
    assert basis.autocorr(126) < 0.7


def test_changes_are_correlated_as_in_markets() -> None:
    """Spreads widen and equities fall while volatility rises; Treasuries gain; bond funds follow rates and spreads."""
    names = ["cdx_ig_5y", "cdx_hy_5y", "us_hy_oas", "vix", "spy", "ust_10y", "tlt", "hyg"]
    changes = np.log(pd.DataFrame({name: main(name) for name in names}).dropna()).diff().dropna()
    expected = {
        ("cdx_ig_5y", "cdx_hy_5y"): (0.6, 0.95),
        ("cdx_hy_5y", "us_hy_oas"): (0.5, 0.95),
        ("cdx_hy_5y", "vix"): (0.4, 0.8),
        ("spy", "vix"): (-0.85, -0.5),
        ("cdx_hy_5y", "spy"): (-0.85, -0.5),
        ("ust_10y", "spy"): (0.1, 0.6),
        ("tlt", "ust_10y"): (-1.0, -0.8),
        ("hyg", "us_hy_oas"): (-0.95, -0.6),
    }
    found = changes.corr()
    for (one, other), (low, high) in expected.items():
        assert low < found.loc[one, other] < high, (one, other)


def test_yields_fell_for_decades_and_rose_from_2022() -> None:
    """The long waves of rates are those that charts are known by."""
    yearly = {name: main(name).groupby(main(name).index.year).mean() for name in ("ust_2y", "ust_10y")}
    assert yearly["ust_10y"][1990] > 7 > 5 > yearly["ust_10y"][2005] > yearly["ust_10y"][2012] > yearly["ust_10y"][2020]
    assert yearly["ust_10y"][2020] < 1.5
    assert yearly["ust_10y"][2023] > 3.5
    assert yearly["ust_2y"][2023] > yearly["ust_10y"][2023], "the curve is inverted in 2023"


def roll_days_of(name: str) -> list[date]:
    """Return the roll days, from the rule written out."""
    day = 27 if name == "cdx_hy_5y" else 20
    first = main(name).index[0].date()
    return [one for year in range(2003, 2027) for month in (3, 9) if (one := date(year, month, day)) > first]


@pytest.mark.parametrize("name", ["cdx_ig_5y", "cdx_hy_5y", "itraxx_main_5y", "itraxx_xover_5y"])
def test_on_the_run_spreads_tighten_at_rolls(name: str) -> None:
    """At a roll a spread falls by some six percent on average; on other days it does not drift."""
    changes = np.log(main(name)).diff().dropna()
    first_after = [changes.index[changes.index.searchsorted(pd.Timestamp(day))] for day in roll_days_of(name)]
    at_rolls = changes.loc[first_after]
    others = changes.drop(first_after)
    assert -0.09 < at_rolls.mean() < -0.03
    assert abs(others.mean()) < 0.002


def test_oas_has_weekend_month_ends() -> None:
    """The Saturday row of 2023-09-30 is there, next to Friday's level."""
    oas = main("us_hy_oas")
    assert oas["2023-09-30"] == pytest.approx(oas["2023-09-29"], rel=0.02)


def test_a_window_before_the_first_date_is_answered_with_no_rows() -> None:
    """Nothing is simulated before ``starts``, and the answer still has every column in its type."""
    fetched = fetch("hyg", Window(date(2001, 1, 1), date(2001, 12, 31)))
    assert fetched.frame.empty
    assert fetched.first == date(2007, 4, 11)
    assert fetched.frame.dtypes.astype(str).to_dict() == {
        name: column.dtype for name, column in DATASETS["hyg"].columns.items()
    }
    assert fetch("vix", Window(date(1980, 1, 1), date(1990, 1, 5))).frame.index[0] == pd.Timestamp("1990-01-02")


def test_the_window_is_answered_to_its_end() -> None:
    """A simulation has its last value wherever the window ends, a closed day included."""
    fetched = fetch("hyg", Window(date(2024, 1, 1), date(2024, 6, 30)))
    assert (fetched.first, fetched.last) == (date(2007, 4, 11), date(2024, 6, 30))
    assert fetched.rows_read == len(fetched.frame) == 124
    assert fetched.dropped == {}


def test_a_dataset_of_ones_own_needs_only_its_parameters() -> None:
    """Twice the level is twice the value; another series is another path around the same market."""
    spec, way = own(columns={"nav": {"unit": "USD", "decimals": 10}})
    window = Window(date(2024, 1, 1), date(2024, 12, 31))
    spread = way.model_copy(update={"model": "spread", "stress": 4.0, "noise": 0.01})
    one = SampleSource().fetch(spec, spread, window).frame["nav"]
    double = SampleSource().fetch(spec, spread.model_copy(update={"level": 200.0}), window).frame["nav"]
    other = SampleSource().fetch(spec, spread.model_copy(update={"series": "sample:other"}), window).frame["nav"]
    assert (double / one).to_numpy() == pytest.approx(2.0, rel=1e-4)
    assert 0.01 < (other / one - 1).abs().max() < 0.5


def test_another_seed_is_another_market() -> None:
    """Rows follow from the seed."""
    spec, window = DATASETS["vix"], Window(date(2024, 1, 1), date(2024, 3, 31))
    frames = [SampleSource(seed).fetch(spec, sample_way(spec), window).frame for seed in (1, 2)]
    assert (frames[0]["close"] != frames[1]["close"]).mean() > 0.9


def test_a_column_that_cannot_be_simulated_is_refused_by_name() -> None:
    """The error says which column it is and which could be had."""
    price = {"unit": "USD", "decimals": 2}
    spec, way = own(columns={"nav": price, "high": price, "open_interest": {"unit": "shares", "decimals": 0}})
    with pytest.raises(PermanentSourceError, match=r"^own: .* cannot make the columns open_interest\. It makes .* nav"):
        SampleSource().fetch(spec, way, HISTORY)


def test_a_way_of_another_source_is_refused() -> None:
    """Only sample ways are simulated, and the source says so before it is asked."""
    way = FredWay(series="fred:VIXCLS", series_id="VIXCLS", column="close")
    source = SampleSource()
    assert source.name == "sample"
    assert source.unavailable(sample_way(DATASETS["vix"])) is None
    assert "fred:VIXCLS" in str(source.unavailable(way))
    with pytest.raises(PermanentSourceError, match=r"^vix: .*fred:VIXCLS"):
        source.fetch(DATASETS["vix"], way, HISTORY)
