"""Prices as if no dividend had been paid and no share split: pure functions, frames in, frame out.

What belongs here: the adjustment. Which rows it is given, and as of when they were known, ``research.py`` decides.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from macrocredit_assets.errors import RuleViolationError, UsageError

__all__ = ["NEEDED", "PRICES", "VOLUME", "back_adjust", "require_adjustable"]

CLOSE, DIVIDEND, SPLIT, VOLUME = "close", "dividend", "split", "volume"

#: The columns that hold prices per share.
PRICES = ("open", "high", "low", CLOSE)
#: The columns without which nothing can be adjusted.
NEEDED = (CLOSE, DIVIDEND, SPLIT)


def require_adjustable(name: str, columns: Iterable[str]) -> None:
    """Refuse a dataset that does not say what was paid and split.

    Raises
    ------
    UsageError
        If one of :data:`NEEDED` is not among the columns.
    """
    columns = [*columns]
    if missing := [column for column in NEEDED if column not in columns]:
        raise UsageError(
            f"{name} cannot be adjusted: it has no column {', '.join(missing)}, only {', '.join(columns)}. "
            "Prices are adjusted from the dividends and splits that stand beside them; read it without adjusting."
        )


def back_adjust(frame: pd.DataFrame) -> pd.DataFrame:
    """Adjust prices for later dividends and splits, volume for later splits.

    The last row stays as it is. Going back from there, every price before an ex-date ``t`` is multiplied by

    ``(1 - dividend[t] / (close[t-1] / split[t])) / split[t]``

    and every volume before it by ``split[t]``. The dividend is per share of its ex-date; the last close before that
    date is therefore divided by a split of the same day, and without one the factor is the plain
    ``1 - dividend[t] / close[t-1]``.

    This is the multiplicative back-adjustment of the CRSP standards, which Yahoo's ``Adj Close`` follows: Yahoo Help,
    "What is the adjusted close?" (https://help.yahoo.com/kb/SLN28256.html).

    Parameters
    ----------
    frame
        The *whole* history, sorted by date, with at least the columns ``close``, ``dividend`` and ``split``. A dividend
        or split that is 0 or missing is none. Prices are as traded: those that their publisher has already divided by
        later splits, as Yahoo does in its ``Close``, would be divided twice.

    Returns
    -------
    pandas.DataFrame
        The same rows and columns. ``open``, ``high``, ``low`` and ``close`` are adjusted, and so is ``volume``, whose
        whole numbers stay whole; all other columns are as they came. Prices are NaN before an ex-date ahead of which
        no close is known.

    Raises
    ------
    RuleViolationError
        If a dividend is not below the close before it, or a dividend or split is negative.

    Examples
    --------
    >>> days = pd.DatetimeIndex(["2024-01-02", "2024-01-03", "2024-01-04"], name="date")
    >>> frame = pd.DataFrame({"close": [48.30, 24.96, 24.53], "dividend": [0, 0, 0.08], "split": [0, 2, 0]}, days)
    >>> back_adjust(frame)["close"].round(2).tolist()
    [24.07, 24.88, 24.53]
    """
    dividend = frame[DIVIDEND].fillna(0.0).to_numpy(dtype="float64")
    split = frame[SPLIT].replace(0, np.nan).fillna(1.0).to_numpy(dtype="float64")
    # in shares of the ex-date, of which the dividend is paid
    before = frame[CLOSE].ffill().shift().to_numpy(dtype="float64") / split
    _refuse(frame.index, (dividend < 0) | (split < 0) | ((dividend > 0) & (dividend >= before)))
    paid = np.divide(dividend, before, out=np.zeros_like(dividend), where=dividend > 0)
    price_factor, share_factor = _after((1 - paid) / split), _after(split)

    adjusted = frame.copy()
    for column in frame.columns.intersection([*PRICES]):
        adjusted[column] = frame[column] * price_factor
    if VOLUME in frame:
        volume = frame[VOLUME] * share_factor
        adjusted[VOLUME] = volume.round().astype(frame[VOLUME].dtype)
    return adjusted


def _after(factors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return, for each row, the product of the factors of all later rows."""
    return np.append(np.cumprod(factors[:0:-1])[::-1], [1.0] * min(1, len(factors)))


def _refuse(dates: pd.Index, impossible: npt.NDArray[np.bool_]) -> None:
    if impossible.any():
        days = ", ".join(f"{day:%Y-%m-%d}" for day in dates[impossible][:3])
        raise RuleViolationError(
            f"Prices cannot be adjusted: on {days} a dividend is not below the close before it, or a dividend or split "
            "is negative. Correct those rows, or read the dataset without adjusting."
        )
