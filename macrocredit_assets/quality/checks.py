"""What looks for one rule each in a frame: pure functions that yield what they saw, and judge nothing.

What belongs here: what can be seen in a frame, beside its spec and the rows already stored. A check expects a frame in
which :func:`wrong_type` found nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from macrocredit_assets.catalog.calendars import sessions_of
from macrocredit_assets.catalog.models import Bounds, DatasetSpec, Entry
from macrocredit_assets.quality.slips import find_slip
from macrocredit_assets.windows import EARLIEST, Window

__all__ = [
    "Example",
    "Observation",
    "closed_day",
    "conflicting_duplicate",
    "hard_bounds",
    "ohlc_order",
    "plausible_bounds",
    "unit_slip",
    "wrong_type",
]

Example = Mapping[str, str | float | int | None]

_SHOWN = 5
# float64 holds every integer up to here, and not the next one
_EXACT = 2.0**53


@dataclass(frozen=True)
class Observation:
    """What a check saw: one sentence, how many rows or dates it is about, and the first of them."""

    message: str
    count: int
    examples: tuple[Example, ...] = ()


def wrong_type(spec: Entry, frame: pd.DataFrame, _stored: pd.DataFrame | None) -> Iterator[Observation]:
    """Dates and numbers that are none: an index without dates, unknown columns, text, infinities, half a share."""
    index = frame.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is not None:
        yield Observation(f"the index is {index.dtype}, not dates without a time zone", len(index))
        return
    odd = index.isna() | (index != index.normalize())
    if odd.any():
        examples = tuple({"date": str(stamp)} for stamp in index[odd][:_SHOWN])
        yield Observation("dates are missing or have a time of day", int(odd.sum()), examples)
    if list(frame.columns) != list(spec.columns):
        have, want = (", ".join(map(str, columns)) for columns in (frame.columns, spec.columns))
        yield Observation(f"the columns are {have}; expected {want}", 1)
        return
    for name, column in spec.columns.items():
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
            yield Observation(f"{name} has values that are no {kind}", int(wrong.sum()), _cells(values[wrong]))


def conflicting_duplicate(_spec: Entry, frame: pd.DataFrame, _stored: pd.DataFrame | None) -> Iterator[Observation]:
    """Dates that stand twice with different values."""
    if frame.index.is_unique:
        return
    distinct = frame.reset_index(names="date").drop_duplicates()
    rows = distinct[distinct["date"].duplicated(keep=False)]
    if len(rows):
        dates = rows["date"].nunique()
        examples = tuple(_row(row) for row in rows.head(2 * _SHOWN).to_dict("records"))
        yield Observation("dates stand twice with different values", int(dates), examples)


def hard_bounds(spec: Entry, frame: pd.DataFrame, _stored: pd.DataFrame | None) -> Iterator[Observation]:
    """Values that cannot be true."""
    return _beyond(spec, frame, {name: column.hard for name, column in spec.columns.items()}, "which cannot be")


def plausible_bounds(spec: Entry, frame: pd.DataFrame, _stored: pd.DataFrame | None) -> Iterator[Observation]:
    """Values outside their usual range."""
    return _beyond(spec, frame, {name: column.plausible for name, column in spec.columns.items()}, "its usual range")


def _beyond(
    spec: Entry, frame: pd.DataFrame, bounds: Mapping[str, Bounds | None], meaning: str
) -> Iterator[Observation]:
    for name, limits in bounds.items():
        if limits:
            outside = _outside(frame[name], limits)
            if len(outside):
                interval = f"{limits.low:g}..{limits.high:g} {spec.columns[name].unit}"
                yield Observation(f"{name} lies outside {interval}, {meaning}", len(outside), _cells(outside))


def unit_slip(spec: Entry, frame: pd.DataFrame, stored: pd.DataFrame | None) -> Iterator[Observation]:
    """Rows a hundred times too high or too low: against what is stored of them and beside them, and one another."""
    for name, column in spec.columns.items():
        if column.dtype != "float64":
            continue
        values = frame[name]
        held = stored[name] if stored is not None and name in stored else values[:0]
        # a computed number may be near zero one day and not the next; what it is computed from was judged
        slip = find_slip(values, held, column.plausible, by_row=isinstance(spec, DatasetSpec))
        if slip is None:
            continue
        first, value = _plain(slip.rows.index[0]), slip.rows.iloc[0]
        if slip.beside:
            beside = f"beside {slip.beside[1]:g} on {_plain(slip.beside[0])}"
        else:
            beside = (
                f"its usual range is {column.plausible.low:g}..{column.plausible.high:g}" if column.plausible else ""
            )
        message = f"{name} is about 100 times off: {value:g} {column.unit} on {first}, {beside}"
        yield Observation(
            f"{message}; percent taken for basis points, or the reverse?", len(slip.rows), _cells(slip.rows)
        )


def ohlc_order(spec: Entry, frame: pd.DataFrame, _stored: pd.DataFrame | None) -> Iterator[Observation]:
    """Open or close outside low..high."""
    names = ["open", "high", "low", "close"]
    if not set(names).issubset(spec.columns):
        return
    prices = frame[names]
    # comparisons with a missing cell are false: what is not there breaks no order
    broken = prices[["open", "close", "low"]].gt(prices["high"], axis=0).any(axis=1)
    broken |= prices[["open", "close", "high"]].lt(prices["low"], axis=0).any(axis=1)
    if broken.any():
        rows = prices[broken].head(_SHOWN).reset_index(names="date").to_dict("records")
        examples = tuple(_row(row) for row in rows)
        yield Observation("open or close lies outside low..high", int(broken.sum()), examples)


def closed_day(spec: Entry, frame: pd.DataFrame, _stored: pd.DataFrame | None) -> Iterator[Observation]:
    """Rows of a market dataset on days that are no session of it; a signal has what its inputs have."""
    days = pd.DatetimeIndex(frame.index).unique().sort_values()
    # calendars are held against published data from then on, and are a guess before
    days = days[days >= pd.Timestamp(EARLIEST)]
    if not isinstance(spec, DatasetSpec) or days.empty:
        return
    closed = days.difference(sessions_of(spec, Window(days[0].date(), days[-1].date())))
    if len(closed):
        message = f"rows stand on days that are closed in the calendar {spec.calendar}; they are stored as published"
        yield Observation(message, len(closed), _cells(frame.loc[frame.index.isin(closed), spec.main]))


def _outside(values: pd.Series[float], bounds: Bounds) -> pd.Series[float]:
    return values[(values < bounds.low) | (values > bounds.high)]


def _cells(values: pd.Series[float]) -> tuple[Example, ...]:
    name = str(values.name)
    return tuple(_row({"date": day, name: value}) for day, value in values.head(_SHOWN).items())


def _row(cells: Mapping[object, object]) -> Example:
    return {str(key): _plain(value) for key, value in cells.items()}


def _plain(value: object) -> str | float | int | None:
    if isinstance(value, date):  # a Timestamp too
        return value.isoformat()[:10]
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return None if np.isnan(value) else float(value)
    return None if value is pd.NA else str(value)
