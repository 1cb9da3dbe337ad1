"""Signals: pure functions from joined inputs to one series; positive means long credit risk.

What belongs here: formulas. A signal sees one frame, whose columns are named by the arguments of its catalog entry and
whose rows are the dates that all inputs share, and returns a row only where its lookback is full. Nothing is filled,
and a date's value follows from exactly the rows that its formula names, to the last bit: how much older history the
frame holds makes no difference (pandas' ``rolling`` updates running sums, whose last digits depend on where they began,
and is not used for that reason).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from macrocredit_assets.catalog.models import RollDays
from macrocredit_assets.errors import CatalogError

__all__ = [
    "ENTRY_POINTS",
    "SIGNALS",
    "SignalContext",
    "SignalFunction",
    "cash_cds_basis",
    "cdx_vix_gap",
    "signal_functions",
    "spread_momentum",
]

#: The entry-point group in which another package registers its signals.
ENTRY_POINTS = "macrocredit_assets.signals"

_Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SignalContext:
    """What a signal may know beside its inputs.

    Parameters
    ----------
    parameters
        The ``parameters`` of the signal's catalog entry.
    rolls
        Argument -> roll days of the dataset behind it; datasets that do not roll are absent.
    """

    parameters: Mapping[str, int | float | str] = field(default_factory=dict)
    rolls: Mapping[str, RollDays] = field(default_factory=dict)

    def observations(self, default: int) -> int:
        """Return the number of observations that the catalog asks for, or the default.

        Raises
        ------
        CatalogError
            If it is no whole number of at least 2.
        """
        count = self.parameters.get("observations", default)
        if isinstance(count, bool) or not isinstance(count, int) or count < 2:
            raise CatalogError(
                f"A signal's parameter 'observations' is {count!r}; it counts rows and must be a whole number of at "
                "least 2. Correct it in the catalog and run `macrocredit catalog validate`."
            )
        return count


SignalFunction: TypeAlias = Callable[[pd.DataFrame, SignalContext], pd.Series]


def cash_cds_basis(inputs: pd.DataFrame, context: SignalContext) -> pd.Series:  # noqa: ARG001 - one shape for all
    """Return how much more bonds pay than swaps on the same kind of credit.

    ``basis[t] = oas[t] - spread[t]``, in basis points. Positive: cash bonds are cheap to the index of swaps, which is
    attractive for long credit risk.

    Parameters
    ----------
    inputs
        Columns ``oas`` and ``spread``, both in basis points.
    context
        Not used.

    Examples
    --------
    >>> dates = pd.DatetimeIndex(["2024-01-02", "2024-01-03"], name="date")
    >>> inputs = pd.DataFrame({"oas": [104.0, 106.0], "spread": [58.5, 61.0]}, index=dates)
    >>> cash_cds_basis(inputs, SignalContext()).tolist()
    [45.5, 45.0]
    """
    shared = _complete(inputs, "oas", "spread")
    return shared["oas"] - shared["spread"]


def cdx_vix_gap(inputs: pd.DataFrame, context: SignalContext) -> pd.Series:
    """Return how much more credit pays than equity volatility explains.

    ``gap[t] = z(spread)[t] - z(vix)[t]`` where ``z(x)[t] = (x[t] - mean) / sd``, both over the last ``observations``
    (252) shared rows, today included, and ``sd`` with ddof 1. Positive: credit spreads are high against volatility,
    which is attractive for long credit risk. Absent where either input did not move at all.

    Parameters
    ----------
    inputs
        Columns ``spread`` and ``vix``; the units cancel.
    context
        Parameter ``observations``, 252 by default.

    Examples
    --------
    >>> dates = pd.date_range("2024-01-02", periods=3, name="date")
    >>> inputs = pd.DataFrame({"spread": [300.0, 310.0, 320.0], "vix": [15.0, 13.0, 14.0]}, index=dates)
    >>> cdx_vix_gap(inputs, SignalContext({"observations": 3})).tolist()
    [1.0]
    """
    shared = _complete(inputs, "spread", "vix")
    count = context.observations(252)
    gap = _z_scores(shared["spread"], count) - _z_scores(shared["vix"], count)
    return _known(gap, shared.index[count - 1 :])


def spread_momentum(inputs: pd.DataFrame, context: SignalContext) -> pd.Series:
    """Return the tightening of a spread, in units of its own daily volatility.

    ``momentum[t] = -sum(changes) / sd(changes)`` over the last ``observations`` (20) daily changes, ``sd`` with ddof 1.
    Changes across a roll compare two series and are left out of both, not replaced by older ones: a change from ``d0``
    to ``d1`` is across a roll when a roll day ``r`` satisfies ``d0 < r <= d1``. Positive: spreads have been tightening,
    which speaks for long credit risk. Absent where the remaining changes do not vary.

    Parameters
    ----------
    inputs
        Column ``spread``, in basis points.
    context
        Parameter ``observations``, 20 by default, and the roll days of ``spread``.

    Examples
    --------
    >>> dates = pd.date_range("2024-01-02", periods=3, name="date")
    >>> inputs = pd.DataFrame({"spread": [60.0, 57.0, 56.0]}, index=dates)
    >>> spread_momentum(inputs, SignalContext({"observations": 2})).round(6).tolist()
    [2.828427]
    """
    shared = _complete(inputs, "spread")
    count = context.observations(20)
    levels = shared["spread"].to_numpy(dtype=np.float64)
    across = _across_a_roll(pd.DatetimeIndex(shared.index), context.rolls.get("spread"))
    changes = _windows(np.diff(levels), count)
    kept = _windows((~across).astype(np.float64), count)
    size = kept.sum(axis=1)
    total = (kept * changes).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        deviations = kept * (changes - (total / size)[:, np.newaxis])
        volatility = np.sqrt((deviations**2).sum(axis=1) / (size - 1))
    return _known(_ratio(-total, volatility, _windows(levels, count + 1)), shared.index[count:])


#: The built-in signals by the name that ``function:`` in the catalog uses.
SIGNALS: Mapping[str, SignalFunction] = MappingProxyType(
    {"cash_cds_basis": cash_cds_basis, "cdx_vix_gap": cdx_vix_gap, "spread_momentum": spread_momentum}
)


def signal_functions() -> Mapping[str, SignalFunction]:
    """Return the built-in signals and those that installed packages registered.

    Raises
    ------
    CatalogError
        If two packages, or a package and this one, use the same name; or if what is registered cannot be loaded or is
        no function. Going on without it would make its datasets vanish.
    """
    functions = dict(SIGNALS)
    origins = dict.fromkeys(SIGNALS, "macrocredit_assets")
    for entry in entry_points(group=ENTRY_POINTS):
        origin = f"{entry.dist.name if entry.dist else 'an unknown package'} ({entry.value})"
        if entry.name in functions:
            raise CatalogError(
                f"The signal {entry.name!r} of {origin} has the name of one of {origins[entry.name]}. Rename it in the "
                f"entry points of its package, group {ENTRY_POINTS!r}, or uninstall that package."
            )
        try:
            function = entry.load()
        except Exception as error:
            raise CatalogError(f"The signal {entry.name!r} of {origin} cannot be loaded: {error!r}.") from error
        if not callable(function):
            raise CatalogError(
                f"The signal {entry.name!r} of {origin} is of type {type(function).__name__}, no function."
            )
        functions[entry.name], origins[entry.name] = function, origin
    return MappingProxyType(functions)


def _complete(inputs: pd.DataFrame, *arguments: str) -> pd.DataFrame:
    """Return the rows in which every argument has a value, in order of their dates."""
    if missing := [argument for argument in arguments if argument not in inputs.columns]:
        raise CatalogError(
            f"A signal was not given {', '.join(missing)}: its function takes the inputs {', '.join(arguments)}, the "
            f"catalog entry has {', '.join(inputs.columns)}. Name the entry's inputs like the function's."
        )
    return inputs.loc[:, list(arguments)].dropna().sort_index()


def _windows(values: _Floats, count: int) -> _Floats:
    """Return the last `count` values of every position that has so many, one row each, each summed on its own."""
    if len(values) < count:
        return np.empty((0, count))
    # rows of a copy are contiguous, so that every row is summed in the same order wherever it stands
    return np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(values, count))


def _z_scores(values: pd.Series, count: int) -> _Floats:
    windows = _windows(values.to_numpy(dtype=np.float64), count)
    deviations = windows - windows.mean(axis=1, keepdims=True)
    return _ratio(deviations[:, -1], np.sqrt((deviations**2).sum(axis=1) / (count - 1)), windows)


def _ratio(numerator: _Floats, volatility: _Floats, levels: _Floats) -> _Floats:
    """Divide by a volatility; NaN where there is none, or none beyond the rounding errors of the levels behind it."""
    # 252 times 13.3 has a standard deviation of 1e-14: that is no volatility
    moved = volatility > 1e-12 * np.abs(levels).max(axis=1, initial=0.0)
    ratio = np.full(len(numerator), np.nan)
    ratio[moved] = numerator[moved] / volatility[moved]
    return ratio


def _known(values: _Floats, dates: pd.Index) -> pd.Series:
    """Return the values that are numbers, on their dates."""
    known = ~np.isnan(values)
    return pd.Series(values[known], index=dates[known])


def _across_a_roll(dates: pd.DatetimeIndex, rolls: RollDays | None) -> npt.NDArray[np.bool_]:
    """Return, for every change from one date to the next, whether a roll day lies in between or on the later one."""
    if rolls is None or len(dates) < 2:
        return np.zeros(max(len(dates) - 1, 0), dtype=bool)
    roll_days = pd.DatetimeIndex(rolls.dates(dates[0].date(), dates[-1].date()))
    rolled = np.searchsorted(roll_days.to_numpy(), dates.to_numpy(), side="right")
    across: npt.NDArray[np.bool_] = np.diff(rolled) > 0
    return across
