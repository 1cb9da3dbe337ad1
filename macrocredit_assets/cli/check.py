"""``macrocredit check``: what the rules say of what is stored, without Dagster."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import click

from macrocredit_assets.cli import render
from macrocredit_assets.cli.check_report import Checked, print_checked, total
from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.parameters import DAY, as_json
from macrocredit_assets.errors import MacrocreditError, UsageError
from macrocredit_assets.findings import CHECKS, Check
from macrocredit_assets.windows import EARLIEST, Window

if TYPE_CHECKING:
    from macrocredit_assets.holdings import Holdings

__all__ = ["command"]


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
    read; what is late is a warning here, and ends `macrocredit status --check` with 1. The same checks run after every
    write, and in the UI.
    """
    from macrocredit_assets.catalog import load_catalog
    from macrocredit_assets.holdings import Holdings

    catalog = load_catalog(context.settings.catalog)
    chosen = [name for name in catalog.names() if not names or name in names]
    for name in names:
        catalog.entry(name)
    window = _window(context, start, end)
    holdings = Holdings(context.settings, catalog)
    checked = [_check(context, holdings, name, window, only or CHECKS) for name in chosen]
    if as_json:
        render.echo_json([_document(context, one) for one in checked])
    else:
        print_checked(context, checked, named=bool(names))
    counts = total(checked)
    if counts["failed"] or counts["not checked"] or (strict and counts["warning"]):
        raise click.exceptions.Exit(1)


def _window(context: Context, start: date | None, end: date | None) -> Window | None:
    if start and not end and start > context.yesterday:
        raise UsageError(
            f"--start {start} lies after {context.yesterday}, the last day that can be stored: give a date up to it."
        )
    if end and not start and end < EARLIEST:
        raise UsageError(
            f"--end {end} lies before {EARLIEST}, where windows begin without --start: give --start as well."
        )
    return Window(start or EARLIEST, end or context.yesterday) if start or end else None


def _check(context: Context, holdings: Holdings, name: str, window: Window | None, only: Sequence[Check]) -> Checked:
    from macrocredit_assets.checking import check

    try:
        report = check(holdings, name, window, today=context.yesterday + timedelta(days=1), checks=only)
    except UsageError:
        raise
    except MacrocreditError as error:
        # one that cannot be read hides no other
        return Checked(name, None, str(error))
    return Checked(name, report)


def _document(context: Context, checked: Checked) -> dict[str, object]:
    report = checked.report
    return {
        "name": checked.name,
        "window": str(report.window) if report and report.window else None,
        "nothing": (report.nothing if report else "") or None,
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
