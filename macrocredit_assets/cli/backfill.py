"""``macrocredit backfill``: ingest a range of dates, and say what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from macrocredit_assets.cli import render, run_report
from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.parameters import DAY, as_json
from macrocredit_assets.errors import SourceUnavailableError
from macrocredit_assets.windows import Window, clip_to_past

if TYPE_CHECKING:
    from macrocredit_assets.persistence.run_log import RunDocument

__all__ = ["command"]


@click.command("backfill")
@click.argument("names", nargs=-1)
@click.option("--start", type=DAY, required=True, help="First date, YYYY-MM-DD.")
@click.option("--end", type=DAY, help="Last date; default: yesterday, New York.")
@click.option("--accept", multiple=True, metavar="RULE", help="Store in spite of this rule; may be repeated.")
@as_json
@with_context
def command(
    context: Context, names: Sequence[str], start: date, end: date | None, accept: Sequence[str], as_json: bool
) -> None:
    """Ingest a range of dates into datasets, or into all of them.

    Every dataset is written whole or not at all, and what is stored is never lost: rows are added and restated. A
    range may be repeated at any time.
    """
    window, notice = clip_to_past(start, end, context.yesterday)
    if notice:
        click.echo(notice, err=True)
    if accept:
        from macrocredit_assets.quality import check_accepted

        check_accepted(frozenset(accept))
    _require_root_kind(context, _words(names, window, accept))
    settings, chosen = context.settings, _choose(context, names)

    from macrocredit_assets.cli.progress import follow
    from macrocredit_assets.orchestration.launch import run_backfill
    from macrocredit_assets.persistence.run_log import read_run

    with follow(chosen, window, quiet=as_json) as on_event:
        outcome = run_backfill(settings, chosen, window, accept=accept, on_event=on_event)
    run = read_run(outcome.run_log)
    if as_json:
        render.echo_json(run.to_dict())
    else:
        _report(context, run, outcome.run_log, chosen, window, accept)
    if not outcome.success:
        raise click.exceptions.Exit(1)


def _require_root_kind(context: Context, words: Sequence[str]) -> None:
    """Refuse to bring sample data to a root with real data, or the other way round, naming the command that works."""
    from macrocredit_assets.persistence.root_kind import require_root_kind

    settings = context.settings
    again = context.command(*words, profile=True, root=False)
    require_root_kind(settings.data_directory, settings.kind, command=again)


def _choose(context: Context, names: Sequence[str]) -> list[str]:
    """Return the datasets to run: those named, or all that the profile can serve."""
    from macrocredit_assets.catalog import load_catalog
    from macrocredit_assets.cli.serving import lacking

    catalog, profile = load_catalog(context.settings.catalog), context.settings.profile
    for name in names:
        catalog.entry(name)
    unserved = lacking(context.settings, catalog)
    if names:
        # a signal may be made from inputs that are stored already, whichever way they once came
        if refused := [name for name in names if name in unserved and name in catalog.datasets]:
            reasons = "\n".join(f"  {name}: {unserved[name]}" for name in refused)
            raise SourceUnavailableError(f"Profile {profile} cannot serve:\n{reasons}")
        return [name for name in catalog.names() if name in names]
    served = [name for name in catalog.names() if name not in unserved]
    if not served:
        raise SourceUnavailableError(
            f"Profile {profile} can serve no dataset of the catalog. Why: {context.command('doctor', profile=True)}"
        )
    if unserved:
        click.echo(f"Left out, because profile {profile} cannot serve them: {', '.join(unserved)}", err=True)
        click.echo(f"Why: {context.command('doctor', profile=True)}", err=True)
    return served


def _report(
    context: Context, run: RunDocument, path: Path, names: Sequence[str], window: Window, accept: Sequence[str]
) -> None:
    run_report.print_datasets(run, names)
    done = [name for name in names if run.assets.get(name, {}).get("error", "not reached") is None]
    left = [name for name in names if name not in done]
    click.echo(f"\nrun log: {context.shown(path)}")
    if left or run.status != "success":
        click.echo(f"retry:   {context.command(*_words(left, window, accept), profile=True)}")
    if done:
        click.echo(f"next:    {context.command('show', 'vix' if 'vix' in done else done[0], '--tail', '5')}")
        click.echo(f"         {context.command('ui', profile=True)}")


def _words(names: Sequence[str], window: Window, accept: Sequence[str]) -> list[str]:
    waived = [word for rule in accept for word in ("--accept", rule)]
    return ["backfill", *names, "--start", str(window.start), "--end", str(window.end), *waived]
