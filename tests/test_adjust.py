"""Adjusting by hand-worked examples, and against the adjusted prices that Yahoo publishes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from macrocredit_assets.adjust import back_adjust, require_adjustable
from macrocredit_assets.errors import RuleViolationError, UsageError

# Yahoo's factors are not exact: between two ex-dates Adj Close / Close should be constant, and wanders by up to 2.5e-6
# in these files, so no formula comes nearer than half of that. Ours is at most 1.6e-6 away, and two days add up.
_LEVELS = 2e-6
_RETURNS = 2 * _LEVELS

_YAHOO = {
    "Open": "open",
    "High": "high",
    "Low": "low",
    "Close": "close",
    "Volume": "volume",
    "Dividends": "dividend",
    "Stock Splits": "split",
}


def _frame(**columns: list[float]) -> pd.DataFrame:
    rows = len(next(iter(columns.values())))
    index = pd.date_range("2024-01-01", periods=rows, name="date")
    return pd.DataFrame({"dividend": [0.0] * rows, "split": [0.0] * rows, **columns}, index=index)


def test_dividend_lowers_every_price_before_its_ex_date() -> None:
    """A dividend of 2 after a close of 100 takes 2 % off what came before, and nothing off its own day."""
    frame = _frame(open=[90.0, 99.0, 97.0], close=[80.0, 100.0, 98.0], dividend=[0.0, 0.0, 2.0])
    adjusted = back_adjust(frame)
    assert [*adjusted["close"]] == pytest.approx([78.4, 98.0, 98.0])
    assert [*adjusted["open"]] == pytest.approx([88.2, 97.02, 97.0])


def test_split_divides_prices_and_multiplies_volume() -> None:
    """A split of three new shares for one old divides the prices before it by three; traded shares are three times."""
    frame = _frame(
        high=[330.0, 333.0, 112.0],
        low=[300.0, 303.0, 107.0],
        close=[321.0, 330.0, 111.0],
        volume=[10, 11, 40],
        split=[0.0, 0.0, 3.0],
    )
    adjusted = back_adjust(frame)
    assert [*adjusted["high"]] == pytest.approx([110.0, 111.0, 112.0])
    assert [*adjusted["low"]] == pytest.approx([100.0, 101.0, 107.0])
    assert [*adjusted["close"]] == pytest.approx([107.0, 110.0, 111.0])
    assert [*adjusted["volume"]] == [30, 33, 40]
    assert adjusted["volume"].dtype == "int64"


def test_reverse_split_rounds_volume_to_whole_shares() -> None:
    """One new share for four old ones: prices times four, and 10 shares are the 2.5 that round to 2 new ones."""
    adjusted = back_adjust(_frame(close=[10.0, 40.0], volume=[10, 7], split=[0.0, 0.25]))
    assert [*adjusted["close"]] == [40.0, 40.0]
    assert [*adjusted["volume"]] == [2, 7]


def test_published_example_of_a_split_and_a_dividend() -> None:
    """The days that Yahoo's help explains: two for one on 18 February 2003, and 0.08 on the 19th."""
    frame = _frame(close=[46.99, 48.30, 24.96, 24.53], dividend=[0.0, 0.0, 0.0, 0.08], split=[0.0, 0.0, 2.0, 0.0])
    assert [*back_adjust(frame)["close"].round(2)] == [23.42, 24.07, 24.88, 24.53]


def test_dividend_on_the_day_of_a_split_is_paid_on_new_shares() -> None:
    """100 before two for one and 1 per new share is 49 per new share: the old close of 50 without the dividend."""
    frame = _frame(close=[100.0, 49.0], dividend=[0.0, 1.0], split=[0.0, 2.0])
    assert [*back_adjust(frame)["close"]] == pytest.approx([49.0, 49.0])


def test_factors_multiply_going_back() -> None:
    """Two dividends of a tenth each leave 81 % of a price before both."""
    frame = _frame(close=[10.0, 10.0, 10.0, 10.0], dividend=[0.0, 1.0, 1.0, 0.0])
    assert [*back_adjust(frame)["close"]] == pytest.approx([8.1, 9.0, 10.0, 10.0])


def test_what_was_paid_and_other_columns_stay() -> None:
    """Dividends, splits and columns that are no prices come back as they were, in the same order; the input stays."""
    frame = _frame(close=[100.0, 98.0], dividend=[0.0, 2.0], yield_to_worst=[7.5, 7.6])
    before = frame.copy()
    adjusted = back_adjust(frame)
    pd.testing.assert_frame_equal(adjusted.drop(columns="close"), frame.drop(columns="close"))
    assert [*adjusted.columns] == [*frame.columns]
    pd.testing.assert_frame_equal(frame, before)


def test_nothing_paid_changes_nothing() -> None:
    """Without dividends and splits - missing ones, or a split of one for one - prices stay bit for bit."""
    frame = _frame(close=[0.1, 0.2, 0.7], dividend=[0.0, np.nan, 0.0], split=[1.0, 0.0, np.nan])
    pd.testing.assert_frame_equal(back_adjust(frame), frame)
    pd.testing.assert_frame_equal(back_adjust(frame.iloc[:0]), frame.iloc[:0])


def test_close_before_the_ex_date_is_the_last_one_known() -> None:
    """A missing close on the eve of an ex-date is passed over."""
    frame = _frame(close=[50.0, np.nan, 49.0], dividend=[0.0, 0.0, 5.0])
    assert [*back_adjust(frame)["close"].fillna(-1.0)] == pytest.approx([45.0, -1.0, 49.0])


def test_prices_before_an_ex_date_without_a_close_are_unknown() -> None:
    """Where no close tells how much a dividend weighs, prices before it are NaN, not guesses; later ones stand."""
    frame = _frame(open=[50.0, 49.0], close=[np.nan, 49.0], dividend=[0.0, 5.0])
    assert [*back_adjust(frame)["open"].isna()] == [True, False]


def test_dividend_on_the_first_day_is_of_no_consequence() -> None:
    """There is no price before the first day that a dividend of that day could change."""
    frame = _frame(close=[50.0, 49.0], dividend=[60.0, 0.0])
    pd.testing.assert_frame_equal(back_adjust(frame), frame)


@pytest.mark.parametrize(
    ("dividend", "split"), [(100.0, 0.0), (50.0, 2.0), (-1.0, 0.0), (0.0, -2.0)], ids=["all", "split", "paid", "ratio"]
)
def test_impossible_dividends_and_splits_are_refused(dividend: float, split: float) -> None:
    """A dividend that is the whole price, or anything negative, would turn prices around; its date is named."""
    with pytest.raises(RuleViolationError, match="2024-01-02"):
        back_adjust(_frame(close=[100.0, 49.0], dividend=[0.0, dividend], split=[0.0, split]))


def test_dataset_without_dividends_and_splits_is_refused() -> None:
    """What is missing, and what there is, is said; what is needed and there passes."""
    with pytest.raises(UsageError, match=r"vix cannot be adjusted: it has no column dividend, split, only open, close"):
        require_adjustable("vix", ["open", "close"])
    require_adjustable("hyg", ["close", "split", "dividend"])


@pytest.mark.parametrize("name", ["hyg", "lqd", "tlt", "spy"])
def test_closes_are_those_that_yahoo_adjusts(real_data: Path, name: str) -> None:
    """Levels, relative to the last day, and daily returns agree with Yahoo's own on every day since the first."""
    theirs = pd.read_csv(real_data / f"{name}_daily_yahoo.csv", index_col="Date", parse_dates=True)
    ours = back_adjust(theirs.rename(columns=_YAHOO))["close"]
    assert (theirs["Dividends"] > 0).sum() > 100
    np.testing.assert_allclose(ours, theirs["Adj Close"], rtol=_LEVELS)
    np.testing.assert_allclose(ours.pct_change()[1:], theirs["Adj Close"].pct_change()[1:], rtol=0, atol=_RETURNS)
    # the unadjusted returns do not pass for adjusted ones
    assert (theirs["Close"].pct_change() - theirs["Adj Close"].pct_change()).abs().max() > 1000 * _RETURNS


def test_all_prices_are_those_of_another_download(real_data: Path) -> None:
    """Open, high, low and close of an adjusted download of another day differ from ours by one constant factor."""
    theirs = pd.read_csv(real_data / "hyg_daily_yahoo_autoadj.csv", index_col="Date", parse_dates=True)
    whole = pd.read_csv(real_data / "hyg_daily_yahoo.csv", index_col="Date", parse_dates=True)
    ours = back_adjust(whole.rename(columns=_YAHOO)).loc[theirs.index]
    ratios = pd.concat([theirs[column] / ours[_YAHOO[column]] for column in ("Open", "High", "Low", "Close")])
    assert ratios.max() / ratios.min() - 1 < _RETURNS
    assert [*ours["volume"]] == [*whole.loc[theirs.index, "Volume"]]
