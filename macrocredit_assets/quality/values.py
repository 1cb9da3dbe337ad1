"""What looks at values: whether they can be true, each by itself or beside the others of its row and its neighbours.

What belongs here: pure functions that yield what they saw, and judge nothing; all but the first expect a frame in which
:func:`wrong_type` found nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from macrocredit_assets.catalog.models import Bounds, DatasetSpec, Unit
from macrocredit_assets.findings import SHOWN
from macrocredit_assets.quality.reading import OHLC
from macrocredit_assets.quality.slips import find_slip
from macrocredit_assets.quality.subject import (
    Observation,
    Subject,
    as_plain,
    as_row,
    dates_of,
    seen_cells,
    seen_rows,
)

__all__ = [
    "conflicting_duplicate",
    "hard_bounds",
    "ohlc_order",
    "plausible_bounds",
    "unit_slip",
    "wrong_type",
]

_CAUSES: Mapping[Unit, str] = dict.fromkeys(("bp", "percent"), "percent taken for basis points, or the reverse?")

# float64 holds every integer up to here, and not the next one
_EXACT = 2.0**53


def wrong_type(subject: Subject) -> Iterator[Observation]:
    """Dates and numbers that are none: an index without dates, unknown columns, text, infinities, half a share."""
    frame, columns = subject.rows, subject.entry.columns
    index = frame.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is not None:
        yield Observation(f"the index is {index.dtype}, not dates without a time zone", len(index))
        return
    stamps = index.to_numpy()
    odd = np.isnat(stamps) | (stamps != stamps.astype("datetime64[D]"))
    if odd.any():
        examples = tuple({"date": str(stamp)} for stamp in index[odd][:SHOWN])
        yield Observation("dates are missing or have a time of day", int(odd.sum()), examples)
    if list(frame.columns) != list(columns):
        have, want = (", ".join(map(str, names)) for names in (frame.columns, columns))
        yield Observation(f"the columns are {have}; expected {want}", 1)
        return
    for name, column in columns.items():
        values = frame[name]
        if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            yield Observation(f"{name} is {values.dtype}, not numbers", len(values))
            continue
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        wrong = np.isinf(numbers)
        if column.dtype == "int64":
            wrong |= ~np.isnan(numbers) & ((np.trunc(numbers) != numbers) | (np.abs(numbers) > _EXACT))
        if wrong.any():
            kind = "whole numbers" if column.dtype == "int64" else "finite numbers"
            yield seen_cells(f"{name} has values that are no {kind}", values[wrong])


def conflicting_duplicate(subject: Subject) -> Iterator[Observation]:
    """Dates that stand twice with different values."""
    if subject.rows.index.is_unique:
        return
    distinct = subject.rows.reset_index(names="date").drop_duplicates()
    rows = distinct[distinct["date"].duplicated(keep=False)]
    if len(rows):
        dates = dates_of(pd.DatetimeIndex(rows["date"]))
        examples = tuple(as_row(row) for row in rows.head(2 * SHOWN).to_dict("records"))
        yield Observation("dates stand twice with different values", len(dates), examples, dates)


def hard_bounds(subject: Subject) -> Iterator[Observation]:
    """Values that cannot be true."""
    return _beyond(subject, {name: column.hard for name, column in subject.entry.columns.items()}, "which cannot be")


def plausible_bounds(subject: Subject) -> Iterator[Observation]:
    """Values outside their usual range."""
    return _beyond(
        subject, {name: column.plausible for name, column in subject.entry.columns.items()}, "its usual range"
    )


def _beyond(subject: Subject, bounds: Mapping[str, Bounds | None], meaning: str) -> Iterator[Observation]:
    for name, limits in bounds.items():
        if limits:
            values = subject.rows[name]
            numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
            outside = (numbers < limits.low) | (numbers > limits.high)
            if outside.any():
                interval = f"{limits.low:g}..{limits.high:g} {subject.entry.columns[name].unit}"
                yield seen_cells(f"{name} lies outside {interval}, {meaning}", values[outside])


def unit_slip(subject: Subject) -> Iterator[Observation]:
    """Rows a hundred times too high or too low: against what is stored of them and beside them, and one another.

    What comes is held against what is stored. Of what is stored all rows are neighbours, and none is a measure but by
    their number, the usual range, and those that somebody accepted: see :func:`find_slip`.
    """
    by_row, accepted = isinstance(subject.entry, DatasetSpec), subject.accepted
    came, stored = (subject.rows, subject.beside) if subject.window is None else (subject.table, None)
    if not by_row:
        stored = None  # no measure for a computed number, which may be near zero one day and not the next
    for name, column in subject.entry.columns.items():
        if column.dtype != "float64":
            continue
        values = came[name]
        held = stored[name] if stored is not None and name in stored else values[:0]
        slip = find_slip(values, held, column.plausible, by_row=by_row, accepted=accepted, among=subject.rows.index)
        if slip is None:
            continue
        cause = _CAUSES.get(column.unit, "a wrong unit, or a misplaced decimal point?")
        first, value = as_plain(slip.rows.index[0]), slip.rows.iloc[0]
        if slip.beside:
            beside = f"beside {slip.beside[1]:g} on {as_plain(slip.beside[0])}"
        else:
            beside = (
                f"its usual range is {column.plausible.low:g}..{column.plausible.high:g}" if column.plausible else ""
            )
        message = f"{name} is about 100 times off: {value:g} {column.unit} on {first}, {beside}"
        yield seen_cells(f"{message}; {cause}", slip.rows)


def ohlc_order(subject: Subject) -> Iterator[Observation]:
    """Open or close outside low..high."""
    prices = subject.rows[[*OHLC]]
    # comparisons with a missing cell are false: what is not there breaks no order
    broken = prices[["open", "close", "low"]].gt(prices["high"], axis=0).any(axis=1)
    broken |= prices[["open", "close", "high"]].lt(prices["low"], axis=0).any(axis=1)
    if broken.any():
        yield seen_rows("open or close lies outside low..high", prices[broken])
