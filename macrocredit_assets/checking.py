"""The checks of a dataset: what the rules say of rows that are stored, and of the source they came from.

What belongs here: what is read for a check, and who is asked. What must not: rules (``quality``), and how an answer
looks (``cli``, ``orchestration``). Each check reads what its rules need: ``source`` no row, ``continuity`` one column.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import pandas as pd

from macrocredit_assets.catalog import DatasetSpec, SignalSpec
from macrocredit_assets.errors import CorruptFileError
from macrocredit_assets.findings import Finding, Severity
from macrocredit_assets.freshness import freshness
from macrocredit_assets.holdings import Holding, Holdings
from macrocredit_assets.persistence import DataRegistry
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
    """

    dataset: str
    window: Window | None
    results: tuple[CheckResult, ...]


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
    holdings
        What is stored.
    name
        The dataset.
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
        if "source" in wanted:
            found["source"] = (*found.get("source", ()), *_of_the_source(holdings, entry, window, today))
    return Report(
        name, looked_at, tuple(CheckResult(each, rules_of(entry, each), found.get(each, ())) for each in wanted)
    )


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
    around = needed.around(window)
    return examine(
        entry,
        window,
        open_store(holdings.settings, entry).read_frame(around, needed.columns),
        coverage=holdings[entry.name].coverage,
        today=today,
        reference=_reference(holdings, needed.reference, around),
        checks=checks,
        accept=accept,
    )


def _reference(holdings: Holdings, named: tuple[str, str] | None, window: Window) -> pd.Series[float] | None:
    if named is None:
        return None
    dataset, column = named
    held = holdings[dataset]
    if held.head is None or column not in held.head.schema.names:
        return None
    return open_store(holdings.settings, holdings.catalog.entry(dataset)).read_frame(window, [column])[column]


def _of_the_source(
    holdings: Holdings, entry: DatasetSpec | SignalSpec, window: Window | None, today: date
) -> tuple[Finding, ...]:
    """Return what the source was found to be when it was last asked, and whether it should have been asked since."""
    names = {rule.name for rule in rules_of(entry, "source")}
    return (
        *_told(holdings, entry.name, names),
        *(_late(holdings, entry.name, window, today) if "late" in names else ()),
    )


def _told(holdings: Holdings, name: str, rules: Collection[str]) -> tuple[Finding, ...]:
    """Return what the registry knows of the write that brought the present rows: nobody can see it in them."""
    settings = holdings.settings
    entry = DataRegistry(settings.registry_path, settings.data_directory).entries().get(name)
    told = (entry.metadata.get("findings") or []) if entry else []
    return tuple(_read(one, name) for one in told if one["rule"] in rules)


def _read(told: Mapping[str, Any], name: str) -> Finding:
    try:
        return Finding(**{**told, "examples": tuple(told["examples"])})
    except (KeyError, TypeError) as error:
        raise CorruptFileError(
            f"The registry has a finding of {name} that cannot be read ({error!r}): macrocredit registry rebuild"
        ) from error


def _late(holdings: Holdings, name: str, window: Window | None, today: date) -> tuple[Finding, ...]:
    fresh = freshness(holdings, name, today)
    # of a window in the past nobody expects that it reaches until today
    if fresh.state != "late" or fresh.expected is None or (window is not None and window.end < fresh.expected):
        return ()
    days = f"{fresh.days_late} day{'' if fresh.days_late == 1 else 's'}"
    message = (
        f"the row of {fresh.expected} was due on {fresh.due}, {days} ago, and nothing is covered after {fresh.last}; "
        f"ask for it: macrocredit backfill {name} --start {fresh.expected}"
    )
    return (finding("late", message),)
