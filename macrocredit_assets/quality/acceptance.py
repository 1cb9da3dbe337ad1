"""What is left of what a rule saw where somebody has accepted rows of it, as they are stored.

What belongs here: which dates are meant, and how findings lose them. Who accepted what is kept by the store
(``persistence/accepted.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

import pandas as pd

from macrocredit_assets.findings import SHOWN, Finding
from macrocredit_assets.quality.rules import RULES
from macrocredit_assets.quality.subject import Example, Observation, comes_as_stored
from macrocredit_assets.windows import Coverage, Window

__all__ = ["accepted_by_date", "as_stored", "counted", "without"]


def accepted_by_date() -> tuple[str, ...]:
    """Return the names of the rules whose findings on stored rows can be accepted."""
    names = (rule.name for rule in RULES if rule.look is not None and rule.severity != "info")
    # values that are no numbers are judged by no other rule
    return tuple(name for name in names if name != "wrong_type")


def as_stored(
    frame: pd.DataFrame, stored: pd.DataFrame | None, accepted: Mapping[str, Coverage]
) -> Mapping[str, Coverage]:
    """Return what was accepted without the dates of which something else comes than is stored."""
    if stored is None or not accepted or not set(frame.columns) <= set(stored.columns):
        return {}
    came = frame[~frame.index.duplicated(keep="last")]
    try:
        same = comes_as_stored(came, stored)
    except (TypeError, ValueError):
        return {}  # what is no number is no stored row
    other = Coverage.of(Window(day, day) for day in pd.DatetimeIndex(came.index[~same]).date)
    return {rule: dates.without(other) for rule, dates in accepted.items()}


def without(seen: Iterable[Observation], accepted: Coverage) -> Iterator[Observation]:
    """Yield what a rule saw without the accepted dates; of what is about no date, all is left."""
    for one in seen:
        left = tuple(day for day in one.dates if day not in accepted)
        if len(left) == len(one.dates):
            yield one
        elif left:
            message = f"{one.message} ({len(one.dates) - len(left):,} more accepted)"
            yield replace(one, message=message, count=len(left), examples=_examples([one], left), dates=left)


def counted(rule: str, dataset: str, seen: Sequence[Observation], accepted: Coverage) -> Iterator[Finding]:
    """Yield how many of the dates on which a rule saw something were accepted, where any were."""
    dates = tuple(sorted({day for one in seen for day in one.dates if day in accepted}))
    if dates:
        message = f"{len(dates):,} accepted; by whom: macrocredit accept {dataset} --list"
        yield Finding(rule, "info", message, len(dates), _examples(seen, dates), dates, accepted=True)


def _examples(seen: Iterable[Observation], dates: Sequence[date]) -> tuple[Example, ...]:
    """Return the examples that are about some dates; where none is left of the first rows, the dates themselves."""
    shown = tuple(each for one in seen for each in one.examples if _is_about(each, dates))
    return shown[:SHOWN] or tuple({"date": day.isoformat()} for day in dates[:SHOWN])


def _is_about(example: Example, dates: Iterable[date]) -> bool:
    """Tell whether an example has one of some dates: as its date, or in its stretch."""
    first, last = example.get("date", example.get("start")), example.get("date", example.get("end"))
    return any(str(first) <= day.isoformat() <= str(last) for day in dates)
