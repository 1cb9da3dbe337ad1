"""``macrocredit accept``: findings on stored rows that somebody has looked at, and takes as they are."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import click

from macrocredit_assets.cli import render
from macrocredit_assets.cli.changes import known_at
from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.parameters import DAY, as_json
from macrocredit_assets.cli.places import require_writable
from macrocredit_assets.errors import UsageError
from macrocredit_assets.windows import Coverage, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from macrocredit_assets.catalog import Catalog
    from macrocredit_assets.persistence import Accepted, DatasetStore

__all__ = ["command"]

_COLUMNS = (
    render.Column("rule", style="cyan"),
    render.Column("dates", wrap=True),
    render.Column("at"),
    render.Column("run", optional=True),
    render.Column("reason", optional=True),
)


@click.command("accept")
@click.argument("name")
@click.argument("rule", required=False)
@click.option("--start", type=DAY, help="First date of the rows that are meant.")
@click.option("--end", type=DAY, help="Last date of the rows that are meant.")
@click.option("--reason", help="Why they are taken as they are.")
@click.option("--list", "listed", is_flag=True, help="Show what was accepted, by whom and why.")
@click.option("--withdraw", is_flag=True, help="Take back what was accepted: it is told again.")
@as_json
@with_context
def command(
    context: Context,
    name: str,
    rule: str | None,
    start: date | None,
    end: date | None,
    reason: str | None,
    listed: bool,
    withdraw: bool,
    as_json: bool,
) -> None:
    """Accept what a rule finds in stored rows.

    Only rows in which it finds something now are accepted, and only as they are: a row that is changed later is told
    anew. The checks then count them, and pass. Ends with 1 if nothing is found.
    """
    from macrocredit_assets.catalog import load_catalog
    from macrocredit_assets.stores import open_store

    catalog = load_catalog(context.settings.catalog)
    store = open_store(context.settings, catalog.entry(name), as_stored=True)
    if listed:
        _list(store, rule, as_json=as_json)
        return
    if rule is None or start is None or end is None:
        raise UsageError(f"Say what is meant: macrocredit accept {name} RULE --start YYYY-MM-DD --end YYYY-MM-DD")
    _check_rule(rule)
    window = Window(start, end)
    require_writable(context.settings)
    if withdraw:
        done, said = store.withdraw_accepted(rule, Coverage((window,))), "no longer accepted"
    else:
        if not reason:
            raise UsageError("Say why these rows are taken as they are: --reason TEXT")
        done, said = _found(context, catalog, name, rule, window), "accepted"
        if done:
            store.accept(rule, done, reason=reason)
    if as_json:
        render.echo_json({"name": name, "rule": rule, "dates": done.to_pairs()})
    elif done:
        days = sum(each.days for each in done.windows)
        click.echo(f"{said}: {name}, {rule}, {days:,} date{'' if days == 1 else 's'} in {window}")
    else:
        found = "was accepted" if withdraw else "is found"
        click.echo(f"nothing {found}: {name}, {rule}, {window}")
    if not done:
        raise click.exceptions.Exit(1)


def _check_rule(name: str) -> None:
    from macrocredit_assets.quality import accepted_by_date

    known = accepted_by_date()
    if name not in known:
        raise UsageError(f"{name!r} says nothing of stored rows that can be accepted; {', '.join(known)} do.")


def _found(context: Context, catalog: Catalog, name: str, rule: str, window: Window) -> Coverage:
    """Return the dates in a window on which a rule finds something that nobody has accepted."""
    from macrocredit_assets.checking import check
    from macrocredit_assets.holdings import Holdings
    from macrocredit_assets.quality import RULES

    holdings = Holdings(context.settings, catalog)
    checks = [each.check for each in RULES if each.name == rule]
    report = check(holdings, name, window, today=context.yesterday + timedelta(days=1), checks=checks)
    found = [one for result in report.results for one in result.findings if one.rule == rule and not one.accepted]
    return Coverage.of(Window(day, day) for one in found for day in one.dates)


def _list(store: DatasetStore, rule: str | None, *, as_json: bool) -> None:
    accepted = [each for each in store.accepted() if rule in {None, each.rule}]
    if as_json:
        render.echo_json([_document(each) for each in accepted])
    elif accepted:
        render.print_table(_COLUMNS, _rows(accepted))
    else:
        click.echo(f"nothing is accepted: {store.name}")


def _rows(accepted: Sequence[Accepted]) -> list[list[str]]:
    return [
        [each.rule, _in_words(each.dates), known_at(each.at), (each.run_id or "")[:8], each.reason or ""]
        for each in accepted
    ]


def _in_words(dates: Coverage) -> str:
    shown = [str(each.start) if each.days == 1 else str(each) for each in dates.windows[:3]]
    more = len(dates.windows) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _document(accepted: Accepted) -> dict[str, object]:
    return {
        "rule": accepted.rule,
        "dates": accepted.dates.to_pairs(),
        "run_id": accepted.run_id,
        "at": accepted.at,
        "reason": accepted.reason,
    }
