"""The checks of a dataset: what the rules say of rows that are stored, and of the source they came from.

What belongs here: what is read for a check, and who is asked. What must not: rules (``quality``), and how an answer
looks (``cli``, ``orchestration``). Each check reads what its rules need, and ``source`` no more than dates.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd

from macrocredit_assets.catalog import DatasetSpec, SignalSpec
from macrocredit_assets.errors import CorruptFileError
from macrocredit_assets.findings import Finding, Severity
from macrocredit_assets.freshness import freshness
from macrocredit_assets.holdings import Holding, Holdings
from macrocredit_assets.persistence import DataRegistry
from macrocredit_assets.persistence.accepted import accepted_dates
from macrocredit_assets.quality import CHECKS, Check, Rule, check_accepted, examine, finding, needs, rules_of
from macrocredit_assets.stores import open_store
from macrocredit_assets.windows import Window

__all__ = ["CheckResult", "Outcome", "Report", "check", "checks_of"]

Outcome = Literal["passed", "warning", "failed"]


@dataclass(frozen=True)
class CheckResult:
    """What one check says of one dataset.

    Parameters
    ----------
    check
        Which group of rules.
    rules
        The rules of it that can say something about the dataset.
    findings
        What they said.
    """

    check: Check
    rules: tuple[Rule, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def severity(self) -> Severity | None:
        """The gravest of the findings; None without any."""
        said = {one.severity for one in self.findings}
        return next((each for each in ("error", "warning", "info") if each in said), None)

    @property
    def outcome(self) -> Outcome:
        """``failed`` with an error, ``warning`` with a warning; what is only to be known fails nothing."""
        return "failed" if self.severity == "error" else "warning" if self.severity == "warning" else "passed"

    @property
    def passed(self) -> bool:
        """Whether there is neither an error nor a warning."""
        return self.outcome == "passed"


@dataclass(frozen=True)
class Report:
    """What the checks say of one dataset.

    Parameters
    ----------
    dataset
        Its name.
    window
        The dates that were looked at; None where nothing is stored.
    results
        One for each check, in their order.
    nothing
        One sentence where no row of the window is stored: why there was nothing to look at. Empty where there was.
    """

    dataset: str
    window: Window | None
    results: tuple[CheckResult, ...]
    nothing: str = ""


def checks_of(entry: DatasetSpec | SignalSpec) -> tuple[Check, ...]:
    """Return the checks that have a rule for a dataset, in their order."""
    return tuple(check for check in CHECKS if rules_of(entry, check))


def check(
    holdings: Holdings,
    name: str,
    window: Window | None = None,
    *,
    today: date,
    checks: Collection[Check] = CHECKS,
    accept: frozenset[str] = frozenset(),
) -> Report:
    """Check what is stored of a dataset.

    Parameters
    ----------
    holdings, name
        What is stored, and of which dataset.
    window
        The dates to look at; None means everything that is stored. Rows around it are read where a rule needs them.
    today
        The date in New York.
    checks
        Which checks; those that have no rule for the dataset are left out.
    accept
        Rules to waive: their findings become warnings that say so.

    Raises
    ------
    UnknownDatasetError
        If the catalog has no such dataset.
    UsageError
        If ``accept`` names a rule that cannot be waived.
    SchemaMismatchError
        If other columns are stored than the catalog has, and rows had to be read.
    CorruptFileError
        If the stored file or the registry cannot be read.
    """
    check_accepted(accept)
    entry, held = holdings.catalog.entry(name), holdings[name]
    wanted = tuple(each for each in checks_of(entry) if each in checks)
    looked_at = window or _everything(held)
    found: dict[Check, tuple[Finding, ...]] = {}
    if held.head is not None and looked_at is not None:
        found |= _examined(holdings, entry, looked_at, wanted, today, accept)
        for each in wanted:
            found[each] = (*found.get(each, ()), *_told(holdings, entry, each))
        if "source" in wanted:
            found["source"] += _overdue(holdings, entry, window, today, found["source"])
    return Report(
        name,
        looked_at,
        tuple(CheckResult(each, rules_of(entry, each), found.get(each, ())) for each in wanted),
        _nothing(held, looked_at),
    )


def _nothing(held: Holding, window: Window | None) -> str:
    """Return what is to be said where no row of a window is stored."""
    if held.head is None or window is None:
        return "Nothing is stored."
    days = held.days
    if np.searchsorted(days, np.datetime64(window.start)) < np.searchsorted(days, np.datetime64(window.end), "right"):
        return ""
    if held.coverage.clip(window):
        return f"No row is stored of {window}."
    return f"Nothing of {window} is covered."


def _everything(held: Holding) -> Window | None:
    """Return the span of what is covered and what is stored, which may be older."""
    if held.head is None:
        return None
    edges = [day for window in held.coverage.windows for day in (window.start, window.end)]
    edges += [day for day in (held.head.first, held.head.last) if day is not None]
    return Window(min(edges), max(edges)) if edges else None


def _examined(
    holdings: Holdings,
    entry: DatasetSpec | SignalSpec,
    window: Window,
    checks: Collection[Check],
    today: date,
    accept: frozenset[str],
) -> Mapping[Check, tuple[Finding, ...]]:
    """Return what rules say that look at rows, having read no more of them than they need."""
    needed = needs(entry, checks)
    if not needed.columns:
        return {}
    around, store = needed.around(window), open_store(holdings.settings, entry)
    return examine(
        entry,
        window,
        store.read_frame(around, needed.columns),
        coverage=holdings[entry.name].coverage,
        today=today,
        reference=_reference(holdings, needed.reference, around),
        dates=pd.DatetimeIndex(holdings[entry.name].days_with(entry.main)) if needed.dates else None,
        checks=checks,
        accept=accept,
        accepted=accepted_dates(store.accepted()),
    )


def _reference(holdings: Holdings, named: tuple[str, str] | None, window: Window) -> pd.Series[float] | None:
    if named is None:
        return None
    dataset, column = named
    held = holdings[dataset]
    if held.head is None or column not in held.head.schema.names:
        return None
    return open_store(holdings.settings, holdings.catalog.entry(dataset)).read_frame(window, [column])[column]


def _overdue(
    holdings: Holdings,
    entry: DatasetSpec | SignalSpec,
    window: Window | None,
    today: date,
    told: Collection[Finding],
) -> tuple[Finding, ...]:
    """Return whether the source should have been asked since it was."""
    # a source that stays behind says why the row is not there, and asking again is no advice
    return () if any(one.rule == "stale_source" for one in told) else _late(holdings, entry, window, today)


def _told(holdings: Holdings, entry: DatasetSpec | SignalSpec, check: Check) -> tuple[Finding, ...]:
    """Return what the registry knows of the write that brought the present rows: nobody can see it in them."""
    rules = {rule.name for rule in rules_of(entry, check) if rule.look is None}
    if not rules:
        return ()
    settings = holdings.settings
    known = DataRegistry(settings.registry_path, settings.data_directory).find_entry(entry.name)
    told = (known.metadata.get("findings") or []) if known else []
    return tuple(_read(one, entry.name) for one in told if one["rule"] in rules)


def _read(told: Mapping[str, Any], name: str) -> Finding:
    try:
        return Finding(**{**told, "examples": tuple(told["examples"])})
    except (KeyError, TypeError) as error:
        raise CorruptFileError(
            f"The registry has a finding of {name} that cannot be read ({error!r}): macrocredit registry rebuild"
        ) from error


def _late(
    holdings: Holdings, entry: DatasetSpec | SignalSpec, window: Window | None, today: date
) -> tuple[Finding, ...]:
    fresh = freshness(holdings, entry.name, today)
    # of a window in the past nobody expects that it reaches until today
    if fresh.state != "late" or fresh.expected is None or (window is not None and window.end < fresh.expected):
        return ()
    days = f"{fresh.days_late} day{'' if fresh.days_late == 1 else 's'}"
    overdue = f"the row of {fresh.expected} was due on {fresh.due}, {days} ago, and"
    if isinstance(entry, SignalSpec):
        # what is missing may be a row of an input, a hole in its lookback, or the computation alone
        inputs = holdings.catalog.inputs_of(entry.name)
        behind = f"{', '.join(fresh.lacking)} had nothing for it" if fresh.lacking else "it was not computed"
        message = f"{overdue} {behind}; what is missing: macrocredit status {' '.join((*inputs, entry.name))}"
    else:
        again = f"macrocredit backfill {entry.name} --start {fresh.expected}"
        message = f"{overdue} nothing is covered after {fresh.last}; ask for it: {again}"
    return (finding("late", message),)
