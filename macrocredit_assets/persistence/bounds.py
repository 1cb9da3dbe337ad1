"""What people write for the first and last moment of a stretch of rows, and the instants they mean by it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd

__all__ = ["Bounds", "Moment", "resolve_bounds"]

Moment = str | date | datetime | np.datetime64

_DAY = timedelta(days=1)
_YEAR_OR_MONTH = re.compile(r"(\d{4})(?:-(\d{2}))?")


@dataclass(frozen=True)
class Bounds:
    """Instants to compare an index with.

    Parameters
    ----------
    first
        The first that belongs, or None.
    last
        The last that belongs, or None.
    before
        Midnight after the last day that belongs, or None; there is ``last`` or ``before``, not both.
    """

    first: pd.Timestamp | None
    last: pd.Timestamp | None
    before: pd.Timestamp | None


def resolve_bounds(start: Moment | None, end: Moment | None, zone: str | None) -> Bounds:
    """Return the instants that two bounds mean for an index in a zone; None is a naive index.

    Raises
    ------
    ValueError
        If a bound is no date, has a zone where the index has none, or lies on the wrong side of the other one.
    TypeError
        If a bound is neither text nor a date.
    """
    first = None if start is None else _localize(_days_or_instant(start)[0], zone, start, earliest=True)
    last = before = None
    if end is not None:
        instant, following = _days_or_instant(end)
        if following is None:
            last = _localize(instant, zone, end, earliest=False)
        else:
            before = _localize(following, zone, end, earliest=True)
    reversed_ = first is not None and ((last is not None and last < first) or (before is not None and before <= first))
    if reversed_:
        raise ValueError(f"Reversed bounds: start_date {start} lies after end_date {end}.")
    return Bounds(first, last, before)


def _days_or_instant(moment: Moment) -> tuple[pd.Timestamp, pd.Timestamp | None]:
    """Return what a bound means: an instant, or the midnights that open its day(s) and the day after."""
    if isinstance(moment, str):
        return _from_text(moment)
    if isinstance(moment, np.datetime64) and np.datetime_data(moment.dtype)[0] in {"Y", "M", "W", "D"}:
        moment = moment.astype("datetime64[D]").item()
    if isinstance(moment, date) and not isinstance(moment, datetime):
        # the last date there is has no day after; it stands for "no end"
        return pd.Timestamp(moment), pd.Timestamp(moment + _DAY) if moment < date.max else None
    if not isinstance(moment, datetime | np.datetime64):
        raise TypeError(f"A date bound is text, a date or a Timestamp, not {moment!r} ({type(moment).__name__}).")
    instant = pd.Timestamp(moment)
    if pd.isna(instant):
        raise ValueError("A date bound must be a date; NaT is none. Leave the bound out to have no bound.")
    return instant, None


def _from_text(text: str) -> tuple[pd.Timestamp, pd.Timestamp | None]:
    text = text.strip()
    if short := _YEAR_OR_MONTH.fullmatch(text):
        period = pd.Period(text, freq="M" if short[2] else "Y")
        return period.start_time, (period + 1).start_time
    try:
        return _days_or_instant(date.fromisoformat(text))
    except ValueError:
        pass
    try:
        datetime.fromisoformat(text)
        return pd.Timestamp(text), None
    except ValueError:
        raise ValueError(f"{text!r} is no ISO 8601 date; write it as YYYY-MM-DD, such as 2024-01-31.") from None


def _localize(instant: pd.Timestamp, zone: str | None, given: Moment, *, earliest: bool) -> pd.Timestamp:
    if instant.tzinfo is None:
        # a local time that does not exist means the moment the clocks went forward; of two that exist, the outer one
        return instant if zone is None else instant.tz_localize(zone, ambiguous=earliest, nonexistent="shift_forward")
    if zone is None:
        raise ValueError(
            f"{given!r} has a time zone and the index has none; leave the zone out, with tz_localize(None) say."
        )
    return instant.tz_convert(zone)
