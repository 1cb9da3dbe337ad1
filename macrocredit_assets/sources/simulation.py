"""The simulated market: the factors that every sample series shares, one value per calendar day from 1990-01-01 on.

What belongs here: arithmetic on factor paths, free of the catalog, of calendars and of clocks. The value of a day
follows from the seed and the days before it, never from the horizon, so any two windows agree on the days they share.

Random numbers are raw bits of the counter-based Philox generator, which numpy keeps stable across versions and
platforms (the distributions of ``numpy.random.Generator`` are not), and become normal by integer arithmetic. What
remains machine-dependent, the last digit of an exponential, is lost when values are rounded.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["EPOCH", "NEUTRAL_RATE", "FloatArray", "Market", "day_number", "normals", "revert", "simulate"]

FloatArray: TypeAlias = npt.NDArray[np.float64]

#: Day 0 of every path; a Monday.
EPOCH = date(1990, 1, 1)

#: The level of rates, in percent, where yields and bond prices stand at the ``level`` of their catalog entry.
NEUTRAL_RATE = 4.0

# When stress began to rise, when it peaked, how high (1 is a full crisis), and the half-life of its decay in days.
_EPISODES = (
    ("1990-07-20", "1990-10-15", 0.50, 150),
    ("1998-07-25", "1998-10-08", 0.42, 150),
    ("2000-09-01", "2001-09-25", 0.55, 150),
    ("2002-05-15", "2002-10-09", 0.40, 90),
    ("2007-06-20", "2008-03-14", 0.48, 150),
    ("2008-09-05", "2008-11-24", 0.95, 200),
    ("2010-04-26", "2010-06-08", 0.20, 60),
    ("2011-07-22", "2011-10-04", 0.55, 150),
    ("2015-07-01", "2016-02-11", 0.38, 70),
    ("2018-10-03", "2018-12-24", 0.22, 40),
    ("2020-02-19", "2020-03-21", 0.92, 55),
    ("2022-01-10", "2022-07-05", 0.33, 110),
    ("2022-08-20", "2022-10-12", 0.15, 60),
    ("2023-03-07", "2023-03-15", 0.15, 20),
    ("2025-04-01", "2025-04-09", 0.30, 14),
)

# The long waves around which rates and equities move: 2-year and 10-year rate in percent, equities as a multiple of
# 1990, before the effect of stress. Shaped like history, so that charts look familiar; the last row is a guess.
_WAVES = (
    ("1990-01-01", 7.90, 8.20, 1.0),
    ("1991-01-15", 7.10, 8.10, 1.1),
    ("1992-01-15", 4.90, 7.00, 1.2),
    ("1993-10-15", 3.80, 5.40, 1.3),
    ("1994-11-15", 7.20, 7.90, 1.35),
    ("1996-01-15", 5.10, 5.70, 1.8),
    ("1997-04-15", 6.40, 6.80, 2.2),
    ("1998-10-05", 4.50, 4.80, 3.3),
    ("2000-03-15", 6.50, 6.30, 4.2),
    ("2001-10-15", 2.90, 4.60, 3.9),
    ("2003-06-15", 1.40, 3.50, 3.1),
    ("2004-06-15", 2.70, 4.70, 3.2),
    ("2006-07-15", 5.10, 5.10, 3.6),
    ("2007-10-15", 4.10, 4.60, 4.6),
    ("2008-12-15", 1.00, 2.60, 3.6),
    ("2010-04-15", 1.00, 3.80, 3.5),
    ("2012-07-15", 0.30, 1.60, 4.1),
    ("2013-12-31", 0.40, 2.95, 5.2),
    ("2016-07-05", 0.70, 1.60, 6.3),
    ("2018-10-15", 2.85, 3.20, 8.3),
    ("2020-02-15", 1.45, 1.60, 9.6),
    ("2020-08-05", 0.16, 0.70, 10.6),
    ("2021-03-15", 0.17, 1.60, 11.3),
    ("2022-01-05", 0.80, 1.70, 13.6),
    ("2022-10-20", 4.40, 4.15, 12.2),
    ("2023-10-18", 5.10, 4.85, 12.8),
    ("2024-09-15", 3.60, 3.75, 16.0),
    ("2025-06-15", 3.90, 4.35, 17.5),
    ("2027-01-01", 3.60, 4.20, 19.0),
    ("2100-01-01", 3.50, 4.00, 1500.0),
)


@dataclass(frozen=True, eq=False)
class Market:
    """Paths of the factors; element ``i`` of each is the close of day ``EPOCH + i``.

    Parameters
    ----------
    credit, volatility
        Stress as credit spreads and as implied volatility feel it: about 0 when calm, about 1 in a full crisis.
    equity
        Logarithm of equities as a multiple of 1990, before the effect of stress.
    short_rate, long_rate
        2-year and 10-year rates, in percent.
    """

    credit: FloatArray
    volatility: FloatArray
    equity: FloatArray
    short_rate: FloatArray
    long_rate: FloatArray

    @property
    def days(self) -> int:
        """Number of simulated days."""
        return len(self.credit)

    def rate(self, years: float) -> FloatArray:
        """Return the rate of a maturity in percent: flat below 2 and above 10 years, log-linear in years between."""
        weight = math.log(min(max(years, 2.0), 10.0) / 2.0) / math.log(5.0)
        return (1.0 - weight) * self.short_rate + weight * self.long_rate


def day_number(day: date) -> int:
    """Return the position of a day in every path."""
    return day.toordinal() - EPOCH.toordinal()


@lru_cache(maxsize=4)
def simulate(seed: int, last_year: int) -> Market:
    """Simulate the market from 1990-01-01 to the end of a year.

    Whole years let the windows of one year share one path; a later year changes no day of an earlier one.
    """
    days = day_number(date(last_year + 1, 1, 1))
    common, rates, equities = (normals(seed, label, days) for label in ("stress", "rates", "equities"))
    own_volatility = normals(seed, "volatility", days)
    tension = _episodes(days, decay=1.0) + _shocks(seed, days)
    # shocks grow with stress: calm markets are quiet, crises are not
    common, equities = common * (1.0 + 1.5 * tension), equities * (1.0 + 2.0 * tension)
    wave = revert(0.005 * normals(seed, "cycle", days), half_life=600)
    credit = tension + wave + revert(0.006 * common, half_life=60)
    fear = _episodes(days, decay=0.6) + _shocks(seed, days)
    volatility = 1.2 * fear + 0.5 * wave + revert(0.023 * common + 0.019 * own_volatility, half_life=14)
    short_wave, long_wave, equity_wave = _waves(days)
    level = revert(0.013 * (rates - 0.3 * common), half_life=130)
    front = revert(0.010 * normals(seed, "front", days), half_life=80)
    return Market(
        credit=credit,
        volatility=volatility,
        equity=equity_wave + revert(0.0045 * equities - 0.004 * common, half_life=200),
        short_rate=short_wave * np.exp(1.2 * level + front),
        long_rate=long_wave * np.exp(level),
    )


def normals(seed: int, label: str, days: int) -> FloatArray:
    """Return one standard normal number per day, and exactly 0 on Saturdays and Sundays.

    Each is the sum of twelve 16-bit integers, centred and scaled (Irwin-Hall): exact on every machine.

    Examples
    --------
    >>> bool((normals(1, "x", 10) == normals(1, "x", 5000)[:10]).all())
    True
    """
    raw = _raw(seed, label, 3 * days)
    sums = raw.view(np.uint16).reshape(days, 12).sum(axis=1, dtype=np.int64)
    draws: FloatArray = (sums - 393_210) / 65_536
    draws[np.arange(days) % 7 >= 5] = 0.0
    return draws


def revert(shocks: FloatArray, half_life: float) -> FloatArray:
    """Accumulate shocks that fade: ``x[t] = 0.5 ** (1 / half_life) * x[t - 1] + shocks[t]``, half-life in days."""
    keep, state, path = 0.5 ** (1.0 / half_life), 0.0, []
    # each step rounds by itself: what numpy does at once has other last digits on other machines
    for shock in shocks.tolist():
        state = keep * state + shock
        path.append(state)
    return np.asarray(path, dtype=np.float64)


def _raw(seed: int, label: str, count: int) -> npt.NDArray[np.uint64]:
    key = int.from_bytes(hashlib.sha256(f"{seed}/{label}".encode()).digest()[:16], "big")
    return np.random.Philox(key=key).random_raw(count)


def _episodes(days: int, decay: float) -> FloatArray:
    """Sum the historical episodes; `decay` shortens their half-lives."""
    day = np.arange(days, dtype=np.float64)
    total = np.zeros(days)
    for onset_text, peak_text, height, half_life in _EPISODES:
        onset, peak = (day_number(date.fromisoformat(text)) for text in (onset_text, peak_text))
        rise = np.clip((day - onset) / (peak - onset), 0.0, 1.0) ** 2
        fall = np.exp(-math.log(2.0) * np.maximum(day - peak, 0.0) / (decay * half_life))
        total += height * rise * fall
    return total


def _shocks(seed: int, days: int) -> FloatArray:
    """Return sell-offs at random dates, about every two years: up within two weeks, halved in a month."""
    uniform = (_raw(seed, "sell-offs", 2 * days).reshape(days, 2) >> np.uint64(11)) * 2.0**-53
    arrivals = np.where(uniform[:, 0] < 1.0 / 700.0, 0.02 + 0.03 * uniform[:, 1], 0.0)
    return revert(revert(arrivals, half_life=5), half_life=30)


def _waves(days: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    day = np.arange(days, dtype=np.float64)
    knots = [day_number(date.fromisoformat(text)) for text, *_ in _WAVES]
    short, long, equity = (np.array([row[column] for row in _WAVES]) for column in (1, 2, 3))
    return np.interp(day, knots, short), np.interp(day, knots, long), np.interp(day, knots, np.log(equity))
