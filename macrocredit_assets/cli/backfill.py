"""``macrocredit backfill``: ingest a range of dates, and say what came of it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from macrocredit_assets.cli import render, run_report
from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.parameters import DAY, as_json
from macrocredit_assets.cli.places import require_writable
from macrocredit_assets.cli.serving import choose
from macrocredit_assets.windows import Window, clip_to_past

if TYPE_CHECKING:
    from macrocredit_assets.persistence.run_log import RunDocument

__all__ = ["command"]


@dataclass(frozen=True)
class _Options:
    """What a backfill may do beside adding and restating rows; and the words that ask for it."""

    accept: tuple[str, ...] = ()
    only_missing: bool = False
    allow_withdrawals: bool = False
    switch_reason: str | None = None

    def words(self, names: Sequence[str], window: Window) -> list[str]:
        """Return the command that asks for the same again."""
        words = ["backfill", *names, "--start", str(window.start), "--end", str(window.end)]
        words += [word for rule in self.accept for word in ("--accept", rule)]
        words += ["--only-missing"] if self.only_missing else []
        words += ["--allow-withdrawals"] if self.allow_withdrawals else []
        words += ["--switch-series", "--reason", self.switch_reason] if self.switch_reason else []
        return words


@dataclass(frozen=True)
class _Run:
    """One run that ended."""

    names: tuple[str, ...]
    document: RunDocument
    path: Path
    success: bool


@click.command("backfill")
@click.argument("names", nargs=-1)
@click.option("--start", type=DAY, required=True, help="First date, YYYY-MM-DD.")
@click.option("--end", type=DAY, help="Last date; default: yesterday, New York.")
@click.option("--only-missing", is_flag=True, help="Ask only for sessions that are not covered, and stale signal days.")
@click.option("--refetch", is_flag=True, help="Ask for the whole range again: the default, said aloud.")
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
    window, notice = clip_to_past(start, end, context.yesterday)
    if notice:
        click.echo(notice, err=True)
    if accept:
        from macrocredit_assets.quality import check_accepted

        check_accepted(frozenset(accept))
    options = _Options(tuple(accept), only_missing, allow_withdrawals, reason)
    require_writable(context.settings)
    _require_root_kind(context, options.words(names, window))
    chosen = choose(context, names)
    if only_missing:
        runs = [*_fill(context, chosen, window, options, quiet=as_json)]
        if as_json:
            render.echo_json([run.document.to_dict() for run in runs])
        elif not runs:
            click.echo(f"Nothing is missing: {_datasets(len(chosen))}, {window}")
    else:
        runs = [_run(context, chosen, window, options, quiet=as_json)]
        if as_json:
            render.echo_json(runs[0].document.to_dict())
    if runs and not as_json:
        _advise(context, runs, window, options)
    if not all(run.success for run in runs):
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


def _fill(context: Context, names: Sequence[str], window: Window, options: _Options, *, quiet: bool) -> Iterator[_Run]:
    """Run what is missing, signals after their inputs: what they lack is looked at when those are filled."""
    from macrocredit_assets.catalog import load_catalog
    from macrocredit_assets.holdings import Holdings
    from macrocredit_assets.plan import requests, stages, windows_to_fill

    catalog = load_catalog(context.settings.catalog)
    for stage in stages(catalog, names):
        for request in requests(windows_to_fill(Holdings(context.settings, catalog), stage, window)):
            run = _run(context, request.names, request.window, options, quiet=quiet)
            yield run
            if run.document.status == "canceled":
                return


def _run(context: Context, names: Sequence[str], window: Window, options: _Options, *, quiet: bool) -> _Run:
    """Run one window, and say what came of it."""
    from macrocredit_assets.cli.progress import follow
    from macrocredit_assets.orchestration.launch import run_backfill
    from macrocredit_assets.persistence.run_log import read_run

    with follow(names, window, quiet=quiet) as on_event:
        outcome = run_backfill(
            context.settings,
            names,
            window,
            accept=options.accept,
            allow_withdrawals=options.allow_withdrawals,
            switch_reason=options.switch_reason,
            on_event=on_event,
        )
    run = _Run(tuple(names), read_run(outcome.run_log), outcome.run_log, outcome.success)
    if not quiet:
        run_report.print_datasets(context, run.document, names)
        click.echo(f"\nrun log: {context.shown(run.path)}")
    return run


def _require_root_kind(context: Context, words: Sequence[str]) -> None:
    """Refuse to bring sample data to a root with real data, or the other way round, naming the command that works."""
    from macrocredit_assets.persistence.root_kind import require_root_kind

    settings = context.settings
    require_root_kind(settings.data_directory, settings.kind, command=shlex.join(("macrocredit", *words)))


def _advise(context: Context, runs: Sequence[_Run], window: Window, options: _Options) -> None:
    """Say what to do about what failed, and what to do next."""
    done = [name for run in runs for name in run.names if _is_done(run.document, name)]
    left = [name for run in runs for name in run.names if not _is_done(run.document, name)]
    if left or not all(run.document.status == "success" for run in runs):
        click.echo(f"retry:   {context.command(*options.words([*dict.fromkeys(left)], window))}")
    if done:
        click.echo(f"next:    {context.command('show', 'vix' if 'vix' in done else done[0], '--tail', '5')}")
        click.echo(f"         {context.command('ui')}")


def _is_done(run: RunDocument, name: str) -> bool:
    return run.assets.get(name, {}).get("error", "not reached") is None


def _datasets(count: int) -> str:
    return f"{count} dataset{'' if count == 1 else 's'}"
