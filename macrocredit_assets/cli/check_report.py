"""What checks say, as people read it: what was not passed, by which check, and each sentence once.

What belongs here: the table, the sentences and the totals of ``macrocredit check``. What is looked at is in
``checking.py``; options and exit codes are in ``check.py``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from textwrap import indent
from typing import TYPE_CHECKING

import click

from macrocredit_assets.cli import render
from macrocredit_assets.cli.context import Context
from macrocredit_assets.findings import by_rule

if TYPE_CHECKING:
    from macrocredit_assets.checking import CheckResult, Report
    from macrocredit_assets.findings import Finding

__all__ = ["Checked", "print_checked", "total"]

#: Sentences told; ``--json`` has all of them.
_SHOWN = 20
#: Commands told that accept findings.
_COMMANDS = 3
#: Up to so many datasets of which the same is said are named before it.
_NAMED = 5

_COLUMNS = (
    render.Column("dataset", style="cyan"),
    render.Column("check", wrap=True),
    render.Column("outcome"),
    render.Column("found", wrap=True),
)
_COLOURS = {"error": "red", "warning": "yellow"}
_WORDS = {"passed": "passed", "warning": "with warnings", "failed": "failed"}


@dataclass(frozen=True)
class Checked:
    """A dataset, and what the checks say of it, or why they could say nothing."""

    name: str
    report: Report | None
    error: str | None = None

    @property
    def results(self) -> tuple[CheckResult, ...]:
        """What each check said."""
        return self.report.results if self.report else ()


def total(checked: Iterable[Checked]) -> Counter[str]:
    """Count checks by outcome, and datasets that could not be checked."""
    counts: Counter[str] = Counter()
    for one in checked:
        counts.update(result.outcome for result in one.results)
        counts["not checked"] += one.report is None
    return counts


def print_checked(context: Context, checked: Sequence[Checked], *, named: bool) -> None:
    """Print what checks said.

    Parameters
    ----------
    context
        For whose shell the commands in sentences are written.
    checked
        Every dataset that was asked for.
    named
        Whether they were asked for by name: those without a row are then shown, else counted.
    """
    stored = [one for one in checked if one.report is None or one.report.window is not None]
    shown = checked if named else stored
    render.print_table(_COLUMNS, [row for one in shown for row in _rows(one)])
    _print_findings(context, checked)
    for one in checked:
        if one.error:
            click.secho(f"\nnot checked: {one.name}", fg="red")
            click.echo(indent(context.localized(one.error), "  "))
    counts = total(shown)
    parts = [f"{counts[outcome]} {word}" for outcome, word in _WORDS.items() if counts[outcome]]
    lines = [f"{_counted(sum(len(one.results) for one in shown), 'check')} of {_counted(len(shown), 'dataset')}"]
    lines[0] += f": {', '.join(parts)}" if parts else ""
    if counts["not checked"]:
        lines.append(f"{_counted(counts['not checked'], 'dataset')} could not be checked")
    if len(stored) < len(checked):
        lines.append(f"nothing is stored of {len(checked) - len(stored)}")
    _print_commands(context, checked)
    click.echo(f"\n{'; '.join(lines)}")


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _rows(checked: Checked) -> Iterator[list[str]]:
    """Yield a row for each check that is not passed, with what it found, and one for those that are."""
    if checked.report is None:
        yield [checked.name, "all", "not checked", ""]
    elif checked.report.window is None:
        yield [checked.name, "all", "nothing stored", ""]
    elif not checked.results:
        yield [checked.name, "none", "no rule", ""]
    for result in checked.results if checked.report and checked.report.window else ():
        if not result.passed:
            told = [one for one in result.findings if one.severity in _COLOURS]
            yield [checked.name, result.check, result.outcome, by_rule(told)]
    if checked.report and checked.report.window and (passed := [one for one in checked.results if one.passed]):
        found = [finding for result in passed for finding in result.findings]
        yield [
            checked.name,
            ", ".join(result.check for result in passed),
            "passed",
            by_rule(found) or checked.report.nothing,
        ]


def _print_findings(context: Context, checked: Iterable[Checked]) -> None:
    """Print errors, then warnings; what is said of several datasets is said once, and its command names them all."""
    sharing: dict[tuple[str, str, str, str], list[tuple[str, int]]] = {}
    for one in checked:
        for result in one.results:
            for found in result.findings:
                if found.severity in _COLOURS:
                    key = found.severity, result.check, found.rule, _sentence(one.name, found)
                    sharing.setdefault(key, []).append((one.name, found.count))
    told = sorted(sharing.items(), key=lambda item: item[0][0])
    for (severity, check, rule, sentence), found_in in told[:_SHOWN]:
        names = [name for name, _ in found_in]
        who = ", ".join(names) if len(names) <= _NAMED else f"{len(names)} datasets"
        count = sum(count for _, count in found_in)
        click.secho(f"\n{severity}: {who}, {check}, {rule} ({count:,})", fg=_COLOURS[severity])
        click.echo(indent(context.localized(sentence.replace(_NAME, " ".join(names))), "  "))
    if len(told) > _SHOWN:
        click.echo(f"\n... and {len(told) - _SHOWN} more, in --json")


def _print_commands(context: Context, checked: Iterable[Checked]) -> None:
    """Print how to accept what was found, where it is about stored rows."""
    from macrocredit_assets.quality import accepted_by_date

    dates: dict[tuple[str, str], list[date]] = {}
    for one in checked:
        for found in (found for result in one.results for found in result.findings):
            if found.dates and not found.accepted and found.rule in accepted_by_date():
                dates.setdefault((one.name, found.rule), []).extend(found.dates)
    if dates:
        click.echo("\nto accept rows that are right as they are:")
    for (name, rule), days in [*dates.items()][:_COMMANDS]:
        words = ("accept", name, rule, "--start", str(min(days)), "--end", str(max(days)), "--reason", "TEXT")
        click.echo(f"  {context.command(*words)}")
    if len(dates) > _COMMANDS:
        click.echo(f"  ... and so for {len(dates) - _COMMANDS} more")


#: Stands in a sentence for the names of the datasets of which it is said.
_NAME = "\0"


def _sentence(name: str, found: Finding) -> str:
    """Return what was found and the first rows of it, in words that are the same for every dataset."""
    message = re.sub(rf"(macrocredit [a-z]+) {re.escape(name)}(?= |$)", rf"\1 {_NAME}", found.message)
    rows = ("  " + ", ".join(f"{key} {value}" for key, value in row.items()) for row in found.examples)
    return "\n".join((message.removeprefix(f"{name}: "), *rows))
