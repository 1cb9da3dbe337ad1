"""The judge: which rules are applied when, to what, and what becomes of what they saw.

What belongs here: the two ways in - rows that are about to be written, rows that are stored - and what must be read for
the second. No file is read, and nothing is mended: a finding is stored or stops a write, and never changes a value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta

import pandas as pd

from macrocredit_assets.catalog.models import Entry
from macrocredit_assets.findings import Finding
from macrocredit_assets.quality.reading import Needs
from macrocredit_assets.quality.rules import CHECKS, Check, Rule, check_accepted, finding, rules_of
from macrocredit_assets.quality.subject import Subject
from macrocredit_assets.windows import Coverage, Window

__all__ = ["examine", "judge", "needs"]

_NO_TIME = timedelta(0)


def judge(
    spec: Entry,
    frame: pd.DataFrame,
    stored: pd.DataFrame | None = None,
    *,
    accept: frozenset[str] = frozenset(),
) -> tuple[Finding, ...]:
    """Apply every rule that rows can show before they are written.

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

    Raises
    ------
    UsageError
        If ``accept`` names a rule that does not exist or cannot be waived.
    """
    check_accepted(accept)
    rules = [rule for check in CHECKS for rule in rules_of(spec, check)]
    return _apply(rules, Subject(spec, frame, stored), accept)


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
    )


def examine(
    entry: Entry,
    window: Window,
    frame: pd.DataFrame,
    *,
    coverage: Coverage,
    today: date,
    reference: pd.Series[float] | None = None,
    checks: Collection[Check] = CHECKS,
    accept: frozenset[str] = frozenset(),
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
    checks
        Which groups of rules to apply.
    accept
        Rules to waive: their findings become warnings that say so.

    Raises
    ------
    UsageError
        If ``accept`` names a rule that does not exist or cannot be waived.
    """
    check_accepted(accept)
    inside = (frame.index >= pd.Timestamp(window.start)) & (frame.index <= pd.Timestamp(window.end))
    subject = Subject(entry, frame[inside], frame[~inside], window, coverage, reference, today)
    return {check: _apply(rules_of(entry, check), subject, accept) for check in CHECKS if check in checks}


def _apply(rules: Iterable[Rule], subject: Subject, accept: frozenset[str]) -> tuple[Finding, ...]:
    found: list[Finding] = []
    for rule in rules:
        if rule.look is not None:
            found += [
                finding(rule.name, seen.message, seen.count, seen.examples, seen.dates) for seen in rule.look(subject)
            ]
            if found and rule.name == "wrong_type":
                break  # nothing more can be said of values that are no numbers
    return tuple(_waived(one) if one.rule in accept else one for one in found)


def _waived(one: Finding) -> Finding:
    return replace(one, severity="warning", message=f"{one.message} (accepted)")
