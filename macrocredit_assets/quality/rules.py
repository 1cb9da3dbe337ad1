"""The one list of rules, and the judge that applies them.

What belongs here: what a finding means, how grave it is and who may waive it. What must not: mending anything, for a
finding is stored or stops a write, and never changes a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import pandas as pd

from macrocredit_assets.catalog.models import Entry
from macrocredit_assets.errors import UsageError
from macrocredit_assets.findings import Finding, Severity
from macrocredit_assets.quality import checks
from macrocredit_assets.quality.checks import Example, Observation
from macrocredit_assets.windows import Window

__all__ = ["RULES", "Rule", "acceptable_rules", "check_accepted", "finding", "judge", "vanished_finding"]

_SHOWN = 5

_Check = Callable[[Entry, pd.DataFrame, pd.DataFrame | None], Iterator[Observation]]


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


def vanished_finding(entry: Entry, window: Window, count: int, dates: Sequence[date]) -> tuple[Finding, ...]:
    """Return the finding of stored rows that did not come again, or nothing where all came.

    Parameters
    ----------
    entry, window
        The dataset that was written, and for which dates.
    count, dates
        How many rows were absent, and the first of them: ``vanished`` and ``vanished_dates`` of the write's result.
    """
    if not count:
        return ()
    rows, were = ("1 stored row", "was") if count == 1 else (f"{count} stored rows", "were")
    # the dates are a part of them where there are many
    start, end = (min(dates), max(dates)) if len(dates) == count else (window.start, window.end)
    command = f"macrocredit backfill {entry.name} --start {start} --end {end}"
    message = (
        f"{rows} did not come again, and {were} kept; if the publisher withdrew them: {command} --allow-withdrawals"
    )
    examples = tuple({"date": day.isoformat()} for day in sorted(dates)[:_SHOWN])
    return (finding("vanished", message, count, examples),)


def _waived(one: Finding) -> Finding:
    return replace(one, severity="warning", message=f"{one.message} (accepted)")


#: Every rule, in the order in which they are applied.
RULES: tuple[Rule, ...] = (
    Rule("wrong_type", "error", "A column does not hold the numbers that its dtype says.", check=checks.wrong_type),
    Rule(
        "conflicting_duplicate",
        "error",
        "A date stands twice with different values; accepted, the last one published is kept.",
        acceptable=True,
        check=checks.conflicting_duplicate,
    ),
    Rule(
        "unit_slip",
        "error",
        "Levels are about 100 times off: percent taken for basis points, or the reverse.",
        acceptable=True,
        check=checks.unit_slip,
    ),
    Rule("hard_bounds", "error", "A value that cannot be true at all.", acceptable=True, check=checks.hard_bounds),
    Rule("outside_window", "error", "Rows outside the window that is being written; the store refuses them."),
    Rule("other_series", "error", "Rows of another series than the stored one; the store refuses them."),
    Rule("plausible_bounds", "warning", "A value outside its usual range.", check=checks.plausible_bounds),
    Rule("ohlc_order", "warning", "Open or close outside low..high, or low above high.", check=checks.ohlc_order),
    Rule("closed_day", "warning", "A row on a day that its calendar has as closed; data win.", check=checks.closed_day),
    Rule("vanished", "warning", "A stored row that the source no longer has; the store keeps it."),
    Rule("stale_source", "warning", "The source has no row from a session on whose publication lag is over."),
    Rule("truncated", "warning", "The source begins later than rows that are stored of it; the store keeps them."),
    Rule("future_dates", "warning", "The source has rows of days that are still to come; they are left out."),
    Rule("archive_gaps", "warning", "An archive has no row on more than 10 sessions in a row; they are not covered."),
    Rule("unfinished_days", "warning", "An archive has rows of days that are not over; they are left out."),
    Rule("source_begins", "info", "The source has nothing before a date; the days before count as covered."),
    Rule("not_yet_published", "info", "A session inside its publication lag has no row yet; it is asked for again."),
)

_BY_NAME: Mapping[str, Rule] = {rule.name: rule for rule in RULES}
