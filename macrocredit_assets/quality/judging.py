"""The judge: which rules are applied when, to what, and what becomes of what they saw.

What belongs here: the two ways in - rows that are about to be written, rows that are stored - and what must be read for
the second. No file is read, and nothing is mended: a finding is stored or stops a write, and never changes a value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta

import pandas as pd

from macrocredit_assets.catalog.models import Entry
from macrocredit_assets.findings import CHECKS, Check, Finding
from macrocredit_assets.quality.acceptance import as_stored, counted, without
from macrocredit_assets.quality.reading import Needs
from macrocredit_assets.quality.rules import Rule, check_accepted, finding, rules_of
from macrocredit_assets.quality.subject import Observation, Subject
from macrocredit_assets.windows import Coverage, Window

__all__ = ["examine", "judge", "needs"]

_NO_TIME = timedelta(0)
_NOTHING: Mapping[str, Coverage] = {}


def judge(
    spec: Entry,
    frame: pd.DataFrame,
    stored: pd.DataFrame | None = None,
    *,
    accept: frozenset[str] = frozenset(),
    accepted: Mapping[str, Coverage] = _NOTHING,
) -> tuple[Finding, ...]:
    """Apply every rule that rows can show before they are written.

    Errors are about all of them. What is a warning, or only to be known, is told once: not again of rows that come
    exactly as they are stored, as nine of the ten days do that a morning asks for.

    Parameters
    ----------
    spec
        The dataset.
    frame
        Index of dates, the spec's columns; duplicates and order as the source gave them.
    stored
        Rows that the dataset already holds in and around the window, sorted and unique; what comes is compared with
        them, and only what comes is judged.
    accept
        Rules to waive: their findings become warnings that say so.
    accepted
        What was accepted of the stored rows, rule -> dates: rows that come as they are stored are not told again.
        Without ``stored``, what was accepted of the rows that come.

    Raises
    ------
    UsageError
        If ``accept`` names a rule that does not exist or cannot be waived.
    """
    check_accepted(accept)
    rules = [rule for check in CHECKS for rule in rules_of(spec, check)]
    return _apply(
        rules, Subject(spec, frame, stored), accept, accepted if stored is None else as_stored(frame, stored, accepted)
    )


def needs(entry: Entry, checks: Collection[Check] = CHECKS) -> Needs:
    """Return what must be read of a dataset for checks of stored rows; no columns where nothing is looked for."""
    every = [
        needed
        for check in checks
        for rule in rules_of(entry, check)
        if rule.look is not None and (needed := rule.needs(entry)) is not None
    ]
    columns = {name for needed in every for name in needed.columns}
    return Needs(
        tuple(name for name in entry.columns if name in columns),
        max((needed.before for needed in every), default=_NO_TIME),
        max((needed.after for needed in every), default=_NO_TIME),
        next((needed.reference for needed in every if needed.reference is not None), None),
        any(needed.dates for needed in every),
    )


def examine(
    entry: Entry,
    window: Window,
    frame: pd.DataFrame,
    *,
    coverage: Coverage,
    today: date,
    reference: pd.Series[float] | None = None,
    dates: pd.DatetimeIndex | None = None,
    checks: Collection[Check] = CHECKS,
    accept: frozenset[str] = frozenset(),
    accepted: Mapping[str, Coverage] = _NOTHING,
) -> Mapping[Check, tuple[Finding, ...]]:
    """Apply the rules of some checks to stored rows; return the findings of each check, in the order of the checks.

    Parameters
    ----------
    entry, window
        The dataset, and the dates that are judged.
    frame
        What :func:`needs` asks for: stored rows of the window and around it, sorted and unique; more columns, or rows
        further away, do no harm.
    coverage
        What is covered of the dataset, in the window at least.
    today
        The date in New York.
    reference
        The values of the column that :func:`needs` names as reference, by date; None where they are not stored.
    dates
        All dates on which the main column has a value, in order; None means that the frame has all rows.
    checks
        Which groups of rules to apply.
    accept
        As of :func:`judge`.
    accepted
        What was accepted of the stored rows, rule -> dates: it is counted, as what is only to be known.
    """
    check_accepted(accept)
    inside = (frame.index >= pd.Timestamp(window.start)) & (frame.index <= pd.Timestamp(window.end))
    subject = Subject(entry, frame[inside], frame[~inside], window, coverage, reference, today, dates)
    return {check: _apply(rules_of(entry, check), subject, accept, accepted) for check in CHECKS if check in checks}


def _apply(
    rules: Iterable[Rule], subject: Subject, accept: frozenset[str], accepted: Mapping[str, Coverage]
) -> tuple[Finding, ...]:
    found: list[Finding] = []
    for rule in rules:
        if rule.look is not None:
            looked_at = subject if rule.severity == "error" else subject.news
            if looked_at is not subject and looked_at.rows.empty:
                continue  # every row comes as it is stored
            found += _seen(rule, rule.look, looked_at, accepted.get(rule.name, Coverage()))
            if found and rule.name == "wrong_type":
                break  # nothing more can be said of values that are no numbers
    return tuple(_waived(one) if one.rule in accept and not one.accepted else one for one in found)


def _seen(
    rule: Rule, look: Callable[[Subject], Iterator[Observation]], subject: Subject, accepted: Coverage
) -> Iterator[Finding]:
    seen = tuple(look(subject))
    # a rule may judge other rows by those that were accepted
    left = look(replace(subject, accepted=accepted)) if accepted else seen
    for one in without(left, accepted):
        yield finding(rule.name, one.message, one.count, one.examples, one.dates)
    yield from counted(rule.name, subject.entry.name, seen, accepted)


def _waived(one: Finding) -> Finding:
    return replace(one, severity="warning", message=f"{one.message} (accepted)")
