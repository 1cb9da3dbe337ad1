"""``macrocredit check``: what the rules say of what is stored, without Dagster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from textwrap import indent
from typing import TYPE_CHECKING

import click

from macrocredit_assets.cli import render
from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.parameters import DAY, as_json
from macrocredit_assets.errors import MacrocreditError, UsageError
from macrocredit_assets.windows import EARLIEST, Window

if TYPE_CHECKING:
    from macrocredit_assets.checking import Report
    from macrocredit_assets.findings import Finding
    from macrocredit_assets.holdings import Holdings
    from macrocredit_assets.quality import Check

__all__ = ["CHECKS", "command"]

#: Written out, so that ``--help`` need not import what looks at frames; a test holds them to be those of the rules.
CHECKS: tuple[Check, ...] = ("values", "continuity", "jumps", "source")

#: Findings told one by one; ``--json`` has all of them.
_SHOWN = 20

_COLUMNS = (
    render.Column("dataset", style="cyan"),
    render.Column("checks", wrap=True),
    render.Column("outcome"),
    render.Column("found", wrap=True),
)
_COLOURS = {"error": "red", "warning": "yellow"}


@dataclass(frozen=True)
class _Checked:
    """A dataset, and what the checks say of it, or why they could say nothing."""

    name: str
    report: Report | None
    error: str | None = None

    @property
    def outcomes(self) -> Counter[str]:
        """How many checks came to which end."""
        if self.report is None:
            return Counter({"not checked": 1})
        return Counter(result.outcome for result in self.report.results)


@click.command("check")
@click.argument("names", nargs=-1)
@click.option("--start", type=DAY, help=f"First date, YYYY-MM-DD; with --end alone: {EARLIEST}.")
@click.option("--end", type=DAY, help="Last date, included; with --start alone: yesterday.")
@click.option("--only", type=click.Choice(CHECKS), multiple=True, help="Only this check; may be repeated.")
@click.option("--strict", is_flag=True, help="End with 1 on warnings, too.")
@as_json
@with_context
def command(
    context: Context,
    names: Sequence[str],
    start: date | None,
    end: date | None,
    only: Sequence[Check],
    strict: bool,
    as_json: bool,
) -> None:
    """Check what is stored: values, continuity, jumps, and the source.

    Without dates, everything that is stored is looked at. Ends with 1 if an error is found, or a dataset cannot be
    read. The same checks run after every write, and in the UI.
    """
    from macrocredit_assets.catalog import load_catalog
    from macrocredit_assets.holdings import Holdings

    catalog = load_catalog(context.settings.catalog)
    chosen = [name for name in catalog.names() if not names or name in names]
    for name in names:
        catalog.entry(name)
    window = Window(start or EARLIEST, end or context.yesterday) if start or end else None
    holdings = Holdings(context.settings, catalog)
    checked = [_check(context, holdings, name, window, only or CHECKS) for name in chosen]
    if as_json:
        render.echo_json([_document(context, one) for one in checked])
    else:
        _print(context, checked, named=bool(names))
    total = _total(checked)
    if total["failed"] or total["not checked"] or (strict and total["warning"]):
        raise click.exceptions.Exit(1)


def _check(context: Context, holdings: Holdings, name: str, window: Window | None, only: Sequence[Check]) -> _Checked:
    from macrocredit_assets.checking import check

    try:
        report = check(holdings, name, window, today=context.yesterday + timedelta(days=1), checks=only)
    except UsageError:
        raise
    except MacrocreditError as error:
        # one that cannot be read hides no other
        return _Checked(name, None, str(error))
    return _Checked(name, report)


def _total(checked: Iterable[_Checked]) -> Counter[str]:
    return sum((one.outcomes for one in checked), Counter())


def _document(context: Context, checked: _Checked) -> dict[str, object]:
    report = checked.report
    return {
        "name": checked.name,
        "window": str(report.window) if report and report.window else None,
        "checks": [
            {
                "check": result.check,
                "outcome": result.outcome,
                "rules": [rule.name for rule in result.rules],
                "findings": [
                    {**found.to_dict(), "message": context.localized(found.message)} for found in result.findings
                ],
            }
            for result in (report.results if report else ())
        ],
        "error": checked.error and context.localized(checked.error),
    }


def _print(context: Context, checked: Sequence[_Checked], *, named: bool) -> None:
    stored = [one for one in checked if one.report is None or one.report.window is not None]
    shown = checked if named else stored
    render.print_table(_COLUMNS, [row for one in shown for row in _rows(one)])
    told = [
        (one.name, found)
        for one in checked
        if one.report
        for result in one.report.results
        for found in result.findings
        if found.severity in _COLOURS
    ]
    for name, found in sorted(told, key=lambda pair: pair[1].severity)[:_SHOWN]:
        _print_finding(context, name, found)
    if len(told) > _SHOWN:
        click.echo(f"\n... and {len(told) - _SHOWN} more, in --json")
    for one in checked:
        if one.error:
            click.secho(f"\nnot checked: {one.name}", fg="red")
            click.echo(indent(context.localized(one.error), "  "))
    total = _total(shown)
    parts = ", ".join(f"{total[outcome]} {word}" for outcome, word in _WORDS.items() if total[outcome])
    empty = len(checked) - len(stored)
    click.echo(f"\n{len(shown)} dataset{'' if len(shown) == 1 else 's'}: {parts or 'no check'}" + _without_rows(empty))


_WORDS = {"passed": "passed", "warning": "with warnings", "failed": "failed", "not checked": "not checked"}


def _without_rows(count: int) -> str:
    return f"; nothing is stored of {count}" if count else ""


def _rows(checked: _Checked) -> list[list[str]]:
    """Return a row for each outcome of a dataset: the checks that came to it, and what they found."""
    if checked.report is None:
        return [[checked.name, "all", "not checked", ""]]
    if checked.report.window is None:
        return [[checked.name, "all", "nothing stored", ""]]
    by_outcome: dict[str, list[str]] = {}
    counts: dict[str, Counter[str]] = {}
    for result in checked.report.results:
        by_outcome.setdefault(result.outcome, []).append(result.check)
        found = counts.setdefault(result.outcome, Counter())
        for one in result.findings:
            found[one.rule] += one.count
    return [
        [checked.name, ", ".join(checks), outcome, ", ".join(f"{rule} {n:,}" for rule, n in counts[outcome].items())]
        for outcome, checks in sorted(by_outcome.items())
    ]


def _print_finding(context: Context, name: str, found: Finding) -> None:
    click.secho(f"\n{found.severity}: {name}, {found.rule} ({found.count:,})", fg=_COLOURS[found.severity])
    lines = [context.localized(found.message)]
    lines += ["  " + ", ".join(f"{key} {value}" for key, value in row.items()) for row in found.examples]
    click.echo(indent("\n".join(lines), "  "))
