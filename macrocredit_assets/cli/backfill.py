"""``macrocredit backfill``: ingest a range of dates, and say what came of it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import click

from macrocredit_assets.cli import render
from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.parameters import DAY, as_json
from macrocredit_assets.cli.places import require_writable
from macrocredit_assets.errors import UsageError
from macrocredit_assets.windows import clip_to_past

if TYPE_CHECKING:
    from macrocredit_assets.backfills import Asked, Begun, Journal
    from macrocredit_assets.cli.backfill_plan import Plan
    from macrocredit_assets.plan import Chunk

__all__ = ["command"]


class _Length(click.ParamType["Chunk"]):
    name = "length"

    def convert(self, value: str | Chunk, param: click.Parameter | None, ctx: click.Context | None) -> Chunk:
        from macrocredit_assets.plan import Chunk

        try:
            return value if isinstance(value, Chunk) else Chunk.parse(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)


@click.command("backfill")
@click.argument("names", nargs=-1)
@click.option("--start", type=DAY, required=True, help="First date, YYYY-MM-DD.")
@click.option("--end", type=DAY, help="Last date; default: yesterday, New York.")
@click.option("--only-missing", is_flag=True, help="Ask only for sessions that are not covered, and stale signal days.")
@click.option("--refetch", is_flag=True, help="Ask for the whole range again: the default, said aloud.")
@click.option("--with-inputs", is_flag=True, help="Also what the signals are made from, where it is not covered.")
@click.option("--dry-run", is_flag=True, help="Print the plan, and touch nothing.")
@click.option("--chunk", type=_Length(), metavar="LENGTH", help="One run for each 1y, 6m or 30d; default: one for all.")
@click.option(
    "--on-error",
    type=click.Choice(["continue", "stop"]),
    default="continue",
    show_default=True,
    help="Whether further runs follow one in which something failed.",
)
@click.option("--accept", multiple=True, metavar="RULE", help="Store in spite of this rule; may be repeated.")
@click.option("--allow-withdrawals", is_flag=True, help="Rows that the source no longer has leave the current file.")
@click.option("--switch-series", is_flag=True, help="Close the stored series; the one that is served takes its place.")
@click.option("--reason", metavar="TEXT", help="Why the series is switched; kept in the revision.")
@as_json
@with_context
def command(
    context: Context,
    names: Sequence[str],
    start: date,
    end: date | None,
    only_missing: bool,
    refetch: bool,
    with_inputs: bool,
    dry_run: bool,
    chunk: Chunk | None,
    on_error: str,
    accept: Sequence[str],
    allow_withdrawals: bool,
    switch_series: bool,
    reason: str | None,
    as_json: bool,
) -> None:
    """Ingest a range of dates into datasets, or into all of them.

    Every dataset is written whole or not at all, and what is stored is never lost: rows are added and restated, and
    what leaves the current file stays in the revisions. A range may be repeated at any time.
    """
    _check_only_missing(only_missing, refetch=refetch, withdrawals=allow_withdrawals, switch=switch_series)
    _check_named(names, withdrawals=allow_withdrawals, switch=switch_series, reason=reason)
    from macrocredit_assets.backfills import Asked
    from macrocredit_assets.cli.backfill_plan import make_plan, print_plan
    from macrocredit_assets.cli.backfill_runs import print_outcome, run_all

    window, notice = clip_to_past(start, end, context.yesterday)
    if notice:
        click.echo(notice, err=True)
    if accept:
        from macrocredit_assets.quality import check_accepted

        check_accepted(frozenset(accept))
    asked = Asked(
        tuple(names),
        start,
        end and window.end,
        accept=tuple(accept),
        only_missing=only_missing,
        refetch=refetch,
        with_inputs=with_inputs,
        chunk=chunk,
        stop=on_error == "stop",
        allow_withdrawals=allow_withdrawals,
        switch_reason=reason,
    )
    if not dry_run:
        require_writable(context.settings)
    _require_root_kind(context, asked)
    journal = _journal(context, asked)
    plan = make_plan(context, asked, window, journal, dry_run=dry_run)
    if dry_run:
        print_plan(context, plan, as_json=as_json)
        return
    if plan.begun:
        _print_resumption(plan.begun, plan)
    if plan.added:
        click.echo(f"Inputs that are not covered are ingested as well: {', '.join(plan.added)}", err=True)
    outcome = run_all(context, plan, journal, quiet=as_json)
    if as_json:
        documents = [run.document.to_dict() for run in outcome.runs]
        # a backfill that is one run prints that; none is left where it was cut off at its very end
        single = documents[0] if documents else None
        render.echo_json(documents if only_missing or chunk else single)
    elif outcome.runs or not outcome.success:
        print_outcome(context, plan, outcome)
    else:
        click.echo(f"Nothing is missing: {_datasets(len(plan.names))}, {plan.window}")
    if not outcome.success:
        raise click.exceptions.Exit(1)


def _check_only_missing(only_missing: bool, *, refetch: bool, withdrawals: bool, switch: bool) -> None:
    asked = {"--refetch": refetch, "--allow-withdrawals": withdrawals, "--switch-series": switch}
    if only_missing and (others := [option for option, given in asked.items() if given]):
        raise click.UsageError(
            f"--only-missing asks for what is not there, {' and '.join(others)} for what is. Give one or the other."
        )


def _check_named(names: Sequence[str], *, withdrawals: bool, switch: bool, reason: str | None) -> None:
    asked = {"--allow-withdrawals": withdrawals, "--switch-series": switch}
    if not names and (options := [option for option, given in asked.items() if given]):
        raise click.UsageError(f"{' and '.join(options)} takes rows away: name the datasets it is meant for.")
    if switch != bool(reason and reason.strip()):
        raise click.UsageError("--switch-series and --reason TEXT belong together: say why the series changes.")


def _require_root_kind(context: Context, asked: Asked) -> None:
    """Refuse to bring sample data to a root with real data, or the other way round, naming the command that works."""
    from macrocredit_assets.persistence.root_kind import require_root_kind

    settings = context.settings
    require_root_kind(settings.data_directory, settings.kind, command=shlex.join(("macrocredit", *asked.words())))


def _journal(context: Context, asked: Asked) -> Journal | None:
    """Return the plan file of a request; none where another process is at work on the same."""
    from macrocredit_assets.backfills import Journal

    journal = Journal(context.settings, asked)
    if not journal.is_taken():
        return journal
    click.echo("The same backfill is under way in another process; this one runs beside it.", err=True)
    return None


def _print_resumption(begun: Begun, plan: Plan) -> None:
    """Say what a backfill that was cut off has completed."""
    click.echo(f"Going on with the backfill of {begun.started:%Y-%m-%d %H:%M} UTC, which was cut off.", err=True)
    together: dict[str, list[str]] = {}
    for name in plan.names:
        if name in plan.done:
            together.setdefault(str(plan.done[name]), []).append(name)
    for windows, names in together.items():
        click.echo(f"Complete, and not asked for again: {', '.join(names)} ({windows})", err=True)
    if not plan.asked.refetch:
        click.echo("To begin anew: the same with --refetch", err=True)


def _datasets(count: int) -> str:
    return f"{count} dataset{'' if count == 1 else 's'}"
