"""The ``sample`` source: datasets of a simulated market, the same rows whatever window is asked and on every machine.

What belongs here: from the shared factors of :mod:`macrocredit_assets.sources.simulation` to one dataset's columns, by
the parameters of its ``sample`` way alone. A dataset of your own works like the shipped ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from macrocredit_assets.catalog.calendars import sessions_of
from macrocredit_assets.catalog.models import DatasetSpec, RollDays, SampleWay, Way
from macrocredit_assets.errors import PermanentSourceError
from macrocredit_assets.sources.base import Fetched
from macrocredit_assets.sources.simulation import (
    EPOCH,
    NEUTRAL_RATE,
    FloatArray,
    Market,
    day_number,
    normals,
    revert,
    simulate,
)
from macrocredit_assets.windows import Window

__all__ = ["SEED", "SampleSource"]

#: Another seed is another market: changing it changes every sample root.
SEED = 1990

_Days = npt.NDArray[np.int64]

# quoted prices have cents; spreads and yields are published a little finer
_DECIMALS = {"etf": 2, "index": 2, "volatility": 2, "yield": 3, "oas": 2, "spread": 3}
# a new on-the-run series is younger and of better credit: the spread falls by this much at a roll and earns it back
_ROLL_DISCOUNT = 0.06
_TYPICAL_VOLUME = 2e7


@dataclass(frozen=True)
class SampleSource:
    """A seeded market simulation that answers every window from 1990-01-01 (or the way's ``starts``) on.

    Parameters
    ----------
    seed
        Chooses the market.
    """

    seed: int = SEED

    @property
    def name(self) -> str:
        """The word that ``source:`` in the catalog uses."""
        return "sample"

    def unavailable(self, way: Way) -> str | None:
        """Return None: nothing needs to be set up for a simulation."""
        return None if isinstance(way, SampleWay) else f"way {way.series} is not of source 'sample'"

    def fetch(self, spec: DatasetSpec, way: Way, window: Window) -> Fetched:
        """Return the simulated observations of a window: one row per session of the dataset's calendar.

        Raises
        ------
        PermanentSourceError
            If the way is of another source, or the dataset has a column that the simulation cannot make.
        """
        if not isinstance(way, SampleWay):
            raise PermanentSourceError(f"{spec.name}: way {way.series} is not of source 'sample'.")
        first = max(way.starts or EPOCH, EPOCH)
        market = simulate(self.seed, max(window.end, EPOCH).year)
        frame = _Rows(spec, way, market, self.seed, _sessions(spec, first, window)).frame()
        return Fetched(frame=frame, first=first, last=max(first, window.end), rows_read=len(frame))


def _sessions(spec: DatasetSpec, first: date, window: Window) -> pd.DatetimeIndex:
    """Return the sessions of the simulated part of a window."""
    if window.end < first:
        return pd.DatetimeIndex([], dtype="datetime64[us]", name="date")
    return sessions_of(spec, Window(max(window.start, first), window.end)).rename("date")


class _Rows:
    """The columns of one dataset on some sessions, picked from paths over all calendar days."""

    def __init__(self, spec: DatasetSpec, way: SampleWay, market: Market, seed: int, dates: pd.DatetimeIndex) -> None:
        self._spec, self._way, self._market, self._seed, self._dates = spec, way, market, seed, dates
        self._at = _day_numbers(dates)

    def frame(self) -> pd.DataFrame:
        """Return the rows, rounded and typed as the catalog says."""
        makers: Mapping[str, Callable[[], FloatArray]] = {
            "open": lambda: self._open,
            "high": self._high,
            "low": self._low,
            "volume": self._volume,
            "dividend": self._dividend,
            "split": lambda: np.zeros(len(self._at)),
            self._spec.main: lambda: self._close,
        }
        if unknown := [column for column in self._spec.columns if column not in makers]:
            raise PermanentSourceError(
                f"{self._spec.name}: the sample source cannot make the columns {', '.join(unknown)}. It makes "
                f"{', '.join(sorted(makers))}. Take the sample way out of the catalog entry, or rename the columns."
            )
        data = {}
        for name, column in self._spec.columns.items():
            values = np.round(makers[name](), min(column.decimals, _DECIMALS[self._way.model]))
            data[name] = values.astype(column.dtype)
        return pd.DataFrame(data, index=self._dates)

    def _normals(self, label: str) -> FloatArray:
        # keyed by what the numbers are: two ways of one series are the same numbers
        return normals(self._seed, f"{self._way.series}/{label}", self._market.days)

    @cached_property
    def _path(self) -> FloatArray:
        """The main column on every calendar day, before an ETF's accrued income."""
        way, market = self._way, self._market
        stress = market.volatility if way.model == "volatility" else market.credit
        log_path = math.log(way.stress) * stress + revert(way.noise * self._normals("noise"), half_life=20)
        if way.model == "index" or (way.model == "etf" and way.years == 0):
            log_path = log_path + market.equity
        elif way.model == "etf":
            log_path = log_path - way.years * (market.rate(way.years) - NEUTRAL_RATE) / 100
        path = way.level * np.exp(log_path)
        if way.model == "yield":
            path = path * market.rate(way.years) / NEUTRAL_RATE
        if self._spec.rolls is not None:
            path = path * (1 + _ROLL_DISCOUNT * (_age_of_series(self._spec.rolls, market.days) - 0.5))
        return path

    @cached_property
    def _pace(self) -> FloatArray:
        """The typical daily move of the recent past, relative."""
        moves = np.abs(np.diff(np.log(self._path), prepend=np.log(self._path[0])))
        weight: float = (1 - 0.5 ** (1 / 10)) * 7 / 5
        return weight * revert(moves, half_life=10)[self._at]

    @cached_property
    def _close(self) -> FloatArray:
        return self._path[self._at] * self._accrual

    @cached_property
    def _open(self) -> FloatArray:
        """Between yesterday's close and today's, give or take."""
        halfway = np.sqrt(self._path[self._at] * self._path[np.maximum(self._at - 1, 0)])
        return halfway * np.exp(0.3 * self._pace * self._normals("open")[self._at]) * self._accrual

    def _high(self) -> FloatArray:
        reach = np.exp(0.5 * self._pace * np.abs(self._normals("high")[self._at]))
        return np.maximum(self._open, self._close) * reach

    def _low(self) -> FloatArray:
        reach = np.exp(-0.5 * self._pace * np.abs(self._normals("low")[self._at]))
        return np.minimum(self._open, self._close) * reach

    def _volume(self) -> FloatArray:
        """Return volumes in whole lots; they swell with volatility."""
        swings = revert(0.25 * self._normals("volume"), half_life=2) + 1.2 * self._market.volatility
        lots: FloatArray = np.exp(swings[self._at]) * _TYPICAL_VOLUME / 100
        return 100 * np.maximum(1, np.round(lots))

    @cached_property
    def _accrual(self) -> FloatArray:
        """By how much an ETF's price stands above its value without the income accrued since it went ex."""
        if self._way.model != "etf" or not len(self._at):
            return np.ones(len(self._at))
        since = self._ex_days[np.searchsorted(self._ex_days, self._at, side="right") - 1]
        return 1 + self._income(since) * (self._at - since) / 365

    def _dividend(self) -> FloatArray:
        """Return what goes ex: the income accrued since the last time, so that the price falls by as much."""
        paid = np.zeros(len(self._at))
        if self._way.model != "etf" or not len(self._at):
            return paid
        latest = np.searchsorted(self._ex_days, self._at, side="right") - 1
        goes_ex = (self._ex_days[latest] == self._at) & (latest > 0)
        today, before = self._at[goes_ex], self._ex_days[latest[goes_ex] - 1]
        paid[goes_ex] = self._path[today] * self._income(before) * (today - before) / 365
        return paid

    def _income(self, at: _Days) -> FloatArray:
        """Return the yearly income of an ETF, as a fraction of its price."""
        coupons = self._market.rate(self._way.years)[at] if self._way.years > 0 else np.zeros(len(at))
        return (self._way.income + coupons) / 100

    @cached_property
    def _ex_days(self) -> _Days:
        """The first sessions of the months (bond funds) or quarters (equity funds) that the rows need."""
        months = 1 if self._way.years > 0 else 3
        first, last = self._dates[0].date(), self._dates[-1].date()
        # a whole period and more before the first row, so that every window finds the same last ex-day
        needed = Window(max(EPOCH, first.replace(day=1) - timedelta(days=62 * months)), last)
        days = sessions_of(self._spec, needed)
        period = (days.year * 12 + days.month - 1) // months
        firsts = _day_numbers(days[np.diff(period, prepend=-1) > 0])
        # the range may begin in mid-period: what it begins with is an ex-day only at the epoch
        return firsts if needed.start == EPOCH else firsts[1:]


def _day_numbers(dates: pd.DatetimeIndex) -> _Days:
    return (dates.to_numpy().astype("datetime64[D]") - np.datetime64(EPOCH)).astype(np.int64)


def _age_of_series(rolls: RollDays, days: int) -> FloatArray:
    """Return how old the on-the-run series is on every day, from 0 at a roll to about 1 at the next."""
    dates = rolls.dates(date(EPOCH.year - 1, 1, 1), EPOCH + timedelta(days=days))
    roll_days = np.array([day_number(day) for day in dates])
    day = np.arange(days)
    age: FloatArray = (day - roll_days[np.searchsorted(roll_days, day, side="right") - 1]) * len(rolls.months) / 365.25
    return age
