"""The one list of rules.

What belongs here: what a finding means, how grave it is, who may waive it, and what it reads (``reading.py``). What
must not: looking (``values.py``, ``continuity.py``, ``jumps.py``), and applying (``judging.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from macrocredit_assets.catalog.models import Entry
from macrocredit_assets.errors import UsageError
from macrocredit_assets.findings import Check, Finding, Severity
from macrocredit_assets.quality import continuity, jumps, reading, values
from macrocredit_assets.quality.reading import Needs
from macrocredit_assets.quality.subject import Example, Observation, Subject

__all__ = ["RULES", "Rule", "acceptable_rules", "check_accepted", "finding", "rules_of"]


@dataclass(frozen=True)
class Rule:
    """One rule of the list.

    Parameters
    ----------
    name
        As findings and ``--accept`` have it.
    check
        The group to which it belongs.
    severity
        ``error`` stops a write; ``warning`` is stored as published and carried in the record; ``info`` never fails.
    sentence
        What it means, for people.
    acceptable
        Whether ``--accept`` can waive it.
    look
        What looks for it in rows; None where somebody else must see it (the source, the store).
    needs
        What must be read of a dataset to look for it; None where no check says it of that dataset.
    parameter
        The key of an entry that says more, empty where there is none.
    """

    name: str
    check: Check
    severity: Severity
    sentence: str
    acceptable: bool = False
    look: Callable[[Subject], Iterator[Observation]] | None = None
    needs: Callable[[Entry], Needs | None] = reading.told
    parameter: str = ""


#: Every rule, in the order in which they are applied.
RULES: tuple[Rule, ...] = (
    Rule(
        "wrong_type",
        "values",
        "error",
        "A column does not hold the numbers that its dtype says.",
        look=values.wrong_type,
        needs=reading.columns,
    ),
    Rule(
        "conflicting_duplicate",
        "values",
        "error",
        "A date stands twice with different values; accepted, the last one published is kept.",
        acceptable=True,
        look=values.conflicting_duplicate,
        needs=reading.columns,
    ),
    Rule(
        "unit_slip",
        "values",
        "error",
        "Levels are about 100 times off: a wrong unit, or a misplaced decimal point.",
        acceptable=True,
        look=values.unit_slip,
        needs=reading.levels,
        parameter="columns.<name>.plausible",
    ),
    Rule(
        "hard_bounds",
        "values",
        "error",
        "A value that cannot be true at all.",
        acceptable=True,
        look=values.hard_bounds,
        needs=reading.columns,
        parameter="columns.<name>.hard",
    ),
    Rule(
        "outside_window",
        "values",
        "error",
        "Rows outside the window that is being written; the store refuses them.",
        needs=reading.refused,
    ),
    Rule(
        "other_series",
        "values",
        "error",
        "Rows of another series than the stored one; the store refuses them.",
        needs=reading.refused,
    ),
    Rule(
        "plausible_bounds",
        "values",
        "warning",
        "A value outside its usual range.",
        look=values.plausible_bounds,
        needs=reading.columns,
        parameter="columns.<name>.plausible",
    ),
    Rule(
        "ohlc_order",
        "values",
        "warning",
        "Open or close outside low..high, or low above high.",
        look=values.ohlc_order,
        needs=reading.prices,
    ),
    Rule(
        "stale_print",
        "continuity",
        "warning",
        "The main column has not changed for more sessions than its series ever stood still.",
        look=continuity.stale_print,
        needs=reading.repeats,
        parameter="checks.stale",
    ),
    Rule(
        "repeated_close",
        "continuity",
        "warning",
        "Open, high, low and close all are those of the row before, or the close before where rows have a range.",
        look=continuity.repeated_close,
        needs=reading.ranges,
    ),
    Rule(
        "forward_filled_holiday",
        "continuity",
        "warning",
        "A row on a closed day that repeats the row before.",
        look=continuity.forward_filled_holiday,
        needs=reading.numbers,
        parameter="calendar",
    ),
    Rule(
        "missing_value",
        "continuity",
        "warning",
        "A row without a value of the main column, or of one that the rows before it have.",
        look=continuity.missing_value,
        needs=reading.cells,
    ),
    Rule(
        "gap",
        "continuity",
        "warning",
        "Covered sessions without a value of the main column, more in a row than may be, or all of a window.",
        look=continuity.gap,
        needs=reading.sessions,
        parameter="checks.gap",
    ),
    Rule(
        "archive_gaps",
        "continuity",
        "warning",
        "An archive has no row on more than 10 sessions in a row; they are not covered.",
    ),
    Rule(
        "closed_day",
        "continuity",
        "info",
        "A row on a day that its calendar has as closed; data win.",
        look=continuity.closed_day,
        needs=reading.main_column,
        parameter="calendar",
    ),
    Rule(
        "jump",
        "jumps",
        "warning",
        "The main column moved many times as far as it usually does in a day; rolls are left out.",
        look=jumps.jump,
        needs=reading.changes,
        parameter="checks.jump",
    ),
    Rule(
        "drift",
        "jumps",
        "warning",
        "The main column is not where the dataset that is its reference says.",
        look=jumps.drift,
        needs=reading.reference,
        parameter="checks.reference",
    ),
    Rule("vanished", "source", "warning", "A stored row that the source no longer has; the store keeps it."),
    Rule(
        "stale_source",
        "source",
        "warning",
        "The source has no row from a session on whose publication lag is over.",
        parameter="publication_lag",
    ),
    Rule(
        "truncated",
        "source",
        "warning",
        "The source begins later than rows that are stored of it; they are kept, and days before it are not answered.",
    ),
    Rule(
        "source_gaps",
        "source",
        "warning",
        "The source has no row on more than 30 sessions in a row; they are not answered.",
    ),
    Rule(
        "between_ways",
        "source",
        "warning",
        "One way of the series ends before another begins; what lies between them is not answered.",
    ),
    Rule(
        "earlier_history",
        "source",
        "warning",
        "The source has rows of days that count as covered because it once had nothing there.",
    ),
    Rule(
        "late",
        "source",
        "warning",
        "The row of a session is not there although its publication lag is over; of a signal, that of its inputs.",
        needs=reading.expected,
        parameter="publication_lag",
    ),
    Rule("future_dates", "source", "warning", "The source has rows of days that are still to come; they are left out."),
    Rule("unfinished_days", "source", "warning", "An archive has rows of days that are not over; they are left out."),
    Rule("source_begins", "source", "info", "The source has nothing before a date; the days before count as covered."),
    Rule(
        "not_yet_published",
        "source",
        "info",
        "A session inside its publication lag has no row yet; it is asked for again.",
        parameter="publication_lag",
    ),
)

_BY_NAME: Mapping[str, Rule] = {rule.name: rule for rule in RULES}


def rules_of(entry: Entry, check: Check) -> tuple[Rule, ...]:
    """Return the rules of a check that can say something about what is stored of a dataset."""
    return tuple(rule for rule in RULES if rule.check == check and rule.needs(entry) is not None)


def finding(
    rule: str, message: str, count: int = 1, examples: tuple[Example, ...] = (), dates: tuple[date, ...] = ()
) -> Finding:
    """Build the finding of a rule on the list, with its severity."""
    return Finding(rule, _BY_NAME[rule].severity, message, count, examples, dates)


def acceptable_rules() -> tuple[str, ...]:
    """Return the names that ``--accept`` takes."""
    return tuple(rule.name for rule in RULES if rule.acceptable)


def check_accepted(accept: frozenset[str]) -> None:
    """Raise :class:`UsageError` where a name is no rule that can be waived, listing those that can."""
    refused = sorted(accept.difference(acceptable_rules()))
    if refused:
        known = ", ".join(acceptable_rules())
        raise UsageError(f"{', '.join(map(repr, refused))} cannot be accepted; --accept takes {known}.")
