"""What looks at changes, and at another dataset that must tell the same.

What belongs here: how far a value may be from the one before, and from its reference. What must not: which dates there
are (``continuity.py``), and values by themselves (``values.py``).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from macrocredit_assets.catalog.calendars import sessions_of
from macrocredit_assets.catalog.models import DatasetSpec, Unit
from macrocredit_assets.quality.subject import Observation, Subject, seen_rows
from macrocredit_assets.windows import Window

__all__ = ["drift", "jump"]

# What is usual is what was usual in either of two stretches before: three months, and the last of them, for a jump in
# a storm is none. With the long one alone, real files have four times as many of them.
_LONG, _FEWEST, _SHORT = 60, 30, 20
# the median absolute deviation of a normal distribution is 0.6745 standard deviations
_TO_SIGMA = 1 / 0.6745
# converted values differ in digits that nobody published
_NO_CHANGE = 1e-9

_GEOMETRIC: frozenset[Unit] = frozenset({"USD", "index points", "bp vol"})

_Floats = npt.NDArray[np.float64]


def jump(subject: Subject) -> Iterator[Observation]:
    """Look for changes from one row to the next that are many times the usual ones of the rows before.

    ``z[t] = |change[t]| / max(s60, s20)``, where ``sN`` is the median of the absolute changes of the ``N`` rows before
    ``t``, over 0.6745, and at least the smallest change among them, for a series that is published in whole basis
    points moves by one or by none. A change over several sessions is divided by the square root of their number.
    Changes across a roll, and those of the session after it, compare two series: they are no jumps, and no measure.
    """
    entry, line = subject.entry, subject.line
    if not isinstance(entry, DatasetSpec) or entry.checks.jump is None or len(line) <= _FEWEST:
        return
    geometric = (entry.checks.jump.changes or _kind(entry)) == "log"
    level = pd.Series(np.log(line.where(line > 0).to_numpy()), line.index) if geometric else line
    apart = pd.Series(_sessions_between(entry, line.index), line.index)
    changes = (level.diff() / apart**0.5).where(~_rolled(entry, line.index))
    times = changes.abs() / _usual(changes)
    found = np.flatnonzero((times > entry.checks.jump.limit) & subject.is_judged(line.index))
    if not len(found):
        return
    name = entry.main
    rows = pd.DataFrame({name: line, "before": line.shift(), "times": times.round(1)}).iloc[found]
    message = f"{name} moved more than {entry.checks.jump.limit:g} times as far as it usually does in a day"
    yield seen_rows(message, rows)


def drift(subject: Subject) -> Iterator[Observation]:
    """Look for values that are not where the reference says."""
    entry, other = subject.entry, subject.reference
    if not isinstance(entry, DatasetSpec) or entry.checks.reference is None or other is None:
        return
    named = entry.checks.reference
    line = subject.line[subject.is_judged(subject.line.index)]
    beside = other.reindex(line.index).astype("float64")
    if named.ratio is not None:
        measured, measure = (line / beside), "ratio"
        away = (measured < named.ratio.low) | (measured > named.ratio.high)
        expected = f"its ratio to {named.dataset} lies outside {named.ratio.low:g}..{named.ratio.high:g}"
    else:
        measured, measure = (line - beside), "difference"
        # a bound that was written in decimals is not missed by the last bit of a difference
        away = measured.abs() > (named.within or 0.0) + _NO_CHANGE
        expected = f"it differs from {named.dataset} by more than {named.within:g} {entry.columns[entry.main].unit}"
    if away.any():
        rows = pd.DataFrame({entry.main: line, named.dataset: beside, measure: measured.round(6)})[away]
        yield seen_rows(f"{entry.main} has drifted: {expected}", rows)


def _kind(entry: DatasetSpec) -> str:
    return "log" if entry.columns[entry.main].unit in _GEOMETRIC else "absolute"


def _usual(changes: pd.Series[float]) -> pd.Series[float]:
    """Return what a change usually is on each date, by the changes before it."""
    before = changes.abs().shift()
    long = before.rolling(_LONG, min_periods=_FEWEST).median()
    short = before.rolling(_SHORT, min_periods=_SHORT // 2).median()
    step = before.where(before > _NO_CHANGE).rolling(_LONG, min_periods=1).min()
    usual = pd.concat([long * _TO_SIGMA, short * _TO_SIGMA, step], axis=1).max(axis=1)
    # of rows that never moved nobody knows what is usual
    return usual.where(long.notna() & (usual > 0))


def _sessions_between(entry: DatasetSpec, index: pd.Index) -> _Floats:
    """Return how many sessions each row is from the one before: at least one, as for a row on a closed day."""
    days = pd.DatetimeIndex(index)
    sessions = sessions_of(entry, Window(days[0].date(), days[-1].date()))
    return np.maximum(np.diff(sessions.searchsorted(days, "right"), prepend=0), 1).astype(np.float64)


def _rolled(entry: DatasetSpec, index: pd.Index) -> npt.NDArray[np.bool_]:
    """Return which rows are the first of a new on-the-run series, or follow it."""
    rolled = np.zeros(len(index), dtype=bool)
    if entry.rolls is not None:
        days = pd.DatetimeIndex(index)
        firsts = days.searchsorted(pd.DatetimeIndex(entry.rolls.dates(days[0].date(), days[-1].date())))
        rolled[firsts] = True
        rolled[np.minimum(firsts + 1, len(rolled) - 1)] = True
    return rolled
