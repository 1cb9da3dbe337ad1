"""Rules about a frame of observations: one catalogued list of pure functions, and the judge that applies them.

What belongs here: what can be seen in a frame, beside its spec and the rows already stored. What must not: mending
anything, for a finding is stored or stops a write, and never changes a value. A rule is one entry of :data:`RULES` and,
where a frame alone can show it, one function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from macrocredit_assets.catalog.models import Bounds, Entry
from macrocredit_assets.errors import UsageError
from macrocredit_assets.findings import Finding, Severity

__all__ = ["RULES", "Rule", "acceptable_rules", "check_accepted", "finding", "judge"]

Example = Mapping[str, str | float | int | None]

_SHOWN = 5
# a row is compared with stored rows at most this far away: levels drift by more than that only over years
_NEIGHBOURHOOD = pd.Timedelta(days=10)
# percent against basis points is a factor of 100; 60..160 leaves room for what the market did meanwhile
_SLIP_LOW, _SLIP_HIGH = 60.0, 160.0
# float64 holds every integer up to here, and not the next one
_EXACT = 2.0**53


@dataclass(frozen=True)
class _Observation:
    message: str
    count: int
    examples: tuple[Example, ...] = ()


_Check = Callable[[Entry, pd.DataFrame, pd.DataFrame | None], Iterator[_Observation]]


@dataclass(frozen=True)
class Rule:
    """One rule of the list.

    Parameters
    ----------
    name
        As findings and ``--accept`` have it.
    severity
        ``error`` stops a write; ``warning`` is stored as published and carried in the record.
    sentence
        What it means, for people.
    acceptable
        Whether ``--accept`` can waive it.
    check
        What looks for it in a frame; None where somebody else must see it (the source, the store).
    """

    name: str
    severity: Severity
    sentence: str
    acceptable: bool = False
    check: _Check | None = None


def judge(
    spec: Entry,
    frame: pd.DataFrame,
    stored: pd.DataFrame | None = None,
    *,
    accept: frozenset[str] = frozenset(),
) -> tuple[Finding, ...]:
    """Apply every rule that a frame can show.

    Parameters
    ----------
    spec
        The dataset.
    frame
        Index of dates, the spec's columns; duplicates and order as the source gave them.
    stored
        Rows that the dataset already holds in and around the window, sorted and unique; levels are compared with them.
    accept
        Rules to waive: their findings become warnings that say so.

    Raises
    ------
    UsageError
        If ``accept`` names a rule that does not exist or cannot be waived.
    """
    check_accepted(accept)
    found: list[Finding] = []
    for rule in RULES:
        if rule.check is not None:
            observations = rule.check(spec, frame, stored)
            found += [finding(rule.name, seen.message, seen.count, seen.examples) for seen in observations]
            if found and rule.name == "wrong_type":
                break  # nothing more can be said of values that are no numbers
    return tuple(_waived(one) if one.rule in accept else one for one in found)


def finding(rule: str, message: str, count: int = 1, examples: tuple[Example, ...] = ()) -> Finding:
    """Build the finding of a rule on the list, with its severity."""
    return Finding(rule, _BY_NAME[rule].severity, message, count, examples)


def acceptable_rules() -> tuple[str, ...]:
    """Return the names that ``--accept`` takes."""
    return tuple(rule.name for rule in RULES if rule.acceptable)


def check_accepted(accept: frozenset[str]) -> None:
    """Raise :class:`UsageError` where a name is no rule that can be waived, listing those that can."""
    refused = sorted(accept.difference(acceptable_rules()))
    if refused:
        known = ", ".join(acceptable_rules())
        raise UsageError(f"{', '.join(map(repr, refused))} cannot be accepted; --accept takes {known}.")


def _waived(one: Finding) -> Finding:
    return replace(one, severity="warning", message=f"{one.message} (accepted)")


def _wrong_type(spec: Entry, frame: pd.DataFrame, _stored: pd.DataFrame | None) -> Iterator[_Observation]:
    index = frame.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is not None:
        yield _Observation(f"the index is {index.dtype}, not dates without a time zone", len(index))
        return
    odd = index.isna() | (index != index.normalize())
    if odd.any():
        examples = tuple({"date": str(stamp)} for stamp in index[odd][:_SHOWN])
        yield _Observation("dates are missing or have a time of day", int(odd.sum()), examples)
    if list(frame.columns) != list(spec.columns):
        have, want = (", ".join(map(str, columns)) for columns in (frame.columns, spec.columns))
        yield _Observation(f"the columns are {have}; expected {want}", 1)
        return
    for name, column in spec.columns.items():
        values = frame[name]
        if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            yield _Observation(f"{name} is {values.dtype}, not numbers", len(values))
            continue
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        wrong = np.isinf(numbers)
        if column.dtype == "int64":
            wrong |= ~np.isnan(numbers) & ((np.trunc(numbers) != numbers) | (np.abs(numbers) > _EXACT))
        if wrong.any():
            kind = "whole numbers" if column.dtype == "int64" else "finite numbers"
            yield _Observation(f"{name} has values that are no {kind}", int(wrong.sum()), _cells(values[wrong]))


def _conflicting_duplicate(_spec: Entry, frame: pd.DataFrame, _stored: pd.DataFrame | None) -> Iterator[_Observation]:
    if frame.index.is_unique:
        return
    distinct = frame.reset_index(names="date").drop_duplicates()
    rows = distinct[distinct["date"].duplicated(keep=False)]
    if len(rows):
        dates = rows["date"].nunique()
        examples = tuple(_row(row) for row in rows.head(2 * _SHOWN).to_dict("records"))
        yield _Observation("dates stand twice with different values", int(dates), examples)


def _hard_bounds(spec: Entry, frame: pd.DataFrame, _stored: pd.DataFrame | None) -> Iterator[_Observation]:
    for name, column in spec.columns.items():
        if column.hard:
            outside = _outside(frame[name], column.hard)
            if len(outside):
                limits = f"{column.hard.low:g}..{column.hard.high:g} {column.unit}"
                yield _Observation(f"{name} lies outside {limits}, which cannot be", len(outside), _cells(outside))


def _plausible_bounds(spec: Entry, frame: pd.DataFrame, _stored: pd.DataFrame | None) -> Iterator[_Observation]:
    for name, column in spec.columns.items():
        if column.plausible:
            outside = _outside(frame[name], column.plausible)
            if len(outside):
                limits = f"{column.plausible.low:g}..{column.plausible.high:g} {column.unit}"
                yield _Observation(f"{name} lies outside {limits}, its usual range", len(outside), _cells(outside))


def _unit_slip(spec: Entry, frame: pd.DataFrame, stored: pd.DataFrame | None) -> Iterator[_Observation]:
    """Levels a hundred times too high or too low: against neighbouring stored rows, else against plausible bounds.

    Stored neighbours decide where there are any: a market that leaves its usual range slowly has made no slip.
    """
    for name, column in spec.columns.items():
        values = frame[name].dropna()
        if column.dtype != "float64" or values.empty:
            continue
        near = _neighbours(values, stored[name]) if stored is not None and name in stored else values[:0]
        median = float(values.median())
        if len(near):
            slipped, beside = _slipped_from(values.loc[near.index], near), f"stored rows beside it {near.median():g}"
        else:
            slipped, beside = column.plausible is not None and _slipped_out(median, column.plausible), "its usual range"
            beside += f" {column.plausible.low:g}..{column.plausible.high:g}" if column.plausible else ""
        if slipped:
            message = f"{name} is about 100 times off: its median is {median:g} {column.unit}, {beside}"
            yield _Observation(
                f"{message}; percent taken for basis points, or the reverse?", len(values), _cells(values)
            )


def _ohlc_order(spec: Entry, frame: pd.DataFrame, _stored: pd.DataFrame | None) -> Iterator[_Observation]:
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
        yield _Observation("open or close lies outside low..high", int(broken.sum()), examples)


def _outside(values: pd.Series[float], bounds: Bounds) -> pd.Series[float]:
    return values[(values < bounds.low) | (values > bounds.high)]


def _neighbours(values: pd.Series[float], stored: pd.Series[float]) -> pd.Series[float]:
    """Return, for each date that has one, the nearest stored value."""
    held = stored.dropna()
    dates = pd.DatetimeIndex(values.index.unique())
    if held.empty:
        return values[:0]
    return held.reindex(dates, method="nearest", tolerance=_NEIGHBOURHOOD).dropna()


def _slipped_from(values: pd.Series[float], near: pd.Series[float]) -> bool:
    ratios = (values[~values.index.duplicated()] / near).to_numpy(dtype=np.float64)
    ratios = ratios[np.isfinite(ratios) & (ratios > 0)]
    if not len(ratios):
        return False
    ratio = float(np.median(ratios))
    return _SLIP_LOW <= max(ratio, 1 / ratio) <= _SLIP_HIGH


def _slipped_out(median: float, plausible: Bounds) -> bool:
    inside = [plausible.low <= level <= plausible.high for level in (median, median * 100, median / 100)]
    return not inside[0] and any(inside[1:])


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


#: Every rule, in the order in which they are applied.
RULES: tuple[Rule, ...] = (
    Rule("wrong_type", "error", "A column does not hold the numbers that its dtype says.", check=_wrong_type),
    Rule(
        "conflicting_duplicate",
        "error",
        "A date stands twice with different values; accepted, the last one published is kept.",
        acceptable=True,
        check=_conflicting_duplicate,
    ),
    Rule(
        "unit_slip",
        "error",
        "Levels are about 100 times off: percent taken for basis points, or the reverse.",
        acceptable=True,
        check=_unit_slip,
    ),
    Rule("hard_bounds", "error", "A value that cannot be true at all.", acceptable=True, check=_hard_bounds),
    Rule("outside_window", "error", "Rows outside the window that is being written; the store refuses them."),
    Rule("other_series", "error", "Rows of another series than the stored one; the store refuses them."),
    Rule("plausible_bounds", "warning", "A value outside its usual range.", check=_plausible_bounds),
    Rule("ohlc_order", "warning", "Open or close outside low..high, or low above high.", check=_ohlc_order),
    Rule("source_ended", "warning", "The source has nothing after a date inside the window, or before it."),
)

_BY_NAME: Mapping[str, Rule] = {rule.name: rule for rule in RULES}
