"""``macrocredit ingest``: what a morning asks for, once; and with ``--history FILE``, an archive of your own."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from macrocredit_assets.cli import render, run_report
from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.parameters import as_json
from macrocredit_assets.cli.places import require_writable
from macrocredit_assets.cli.serving import choose

if TYPE_CHECKING:
    from macrocredit_assets.history import Layout

__all__ = ["command"]


class _Pair(click.ParamType[tuple[str, str]]):
    name = "ours=theirs"

    def convert(
        self, value: str | tuple[str, str], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        ours, equals, theirs = value.partition("=")
        if not ours or not equals:
            self.fail(f"{value!r} is no pair; write it as OURS=THEIRS, such as close='Adj Close'.", param, ctx)
        return ours, theirs


@click.command("ingest")
@click.argument("names", nargs=-1)
@click.option(
    "--history",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="An archive of one dataset, CSV or Parquet; the options below describe it.",
)
@click.option("--series", metavar="SERIES", help="What its numbers are, such as fred:DGS10.")
@click.option(
    "--column",
    "columns",
    type=_Pair(),
    multiple=True,
    metavar="OURS=THEIRS",
    help="Which header one of our columns has; default: our names. May be repeated.",
)
@click.option("--date-column", metavar="HEADER", help="Header of the dates; default: date.")
@click.option("--date-format", metavar="FORMAT", help="How dates are written, such as %d/%m/%Y; default: ISO 8601.")
@click.option("--factor", type=float, metavar="X", help="Multiplier to our unit, such as 100 from percent to bp.")
@click.option("--separator", metavar="C", help="Between cells; default: a comma.")
@click.option("--accept", multiple=True, metavar="RULE", help="Store in spite of this rule; may be repeated.")
@as_json
@with_context
def command(
    context: Context,
    names: Sequence[str],
    path: Path | None,
    series: str | None,
    columns: Sequence[tuple[str, str]],
    date_column: str | None,
    date_format: str | None,
    factor: float | None,
    separator: str | None,
    accept: Sequence[str],
    as_json: bool,
) -> None:
    """Ingest what a morning asks for; with --history FILE, an archive.

    The same days as the daily schedules, by hand or from cron, for the datasets named or for all: the last ten, or
    since the first session that is missing, but no more than ninety. Older holes are filled by backfill --only-missing.

    With --history FILE, store an archive of a dataset's series, whatever its dates: history before 1990, and files
    that you keep yourself. Rows are added and restated, and nothing that is stored is lost. A file that the catalog
    knows by its name is read as the catalog says.
    """
    from macrocredit_assets.history import Layout

    layout = Layout(series, dict(columns), date_column, date_format, factor, separator)
    if path is None:
        if layout != Layout():
            raise click.UsageError("Columns, dates, factor and separator describe an archive: add --history FILE.")
        _ingest_days(context, names, accept, as_json=as_json)
    elif len(names) != 1:
        raise click.UsageError("--history stores one archive into one dataset: name that dataset.")
    else:
        _ingest_archive(context, names[0], path, layout, accept, as_json=as_json)


def _ingest_days(context: Context, names: Sequence[str], accept: Sequence[str], *, as_json: bool) -> None:
    from macrocredit_assets.catalog import load_catalog
    from macrocredit_assets.cli.progress import follow
    from macrocredit_assets.daily import daily_window
    from macrocredit_assets.holdings import Holdings
    from macrocredit_assets.orchestration.launch import run_backfill
    from macrocredit_assets.persistence.root_kind import require_root_kind
    from macrocredit_assets.persistence.run_log import read_run
    from macrocredit_assets.quality import check_accepted

    settings, waived = context.settings, [word for rule in accept for word in ("--accept", rule)]
    check_accepted(frozenset(accept))
    require_writable(settings)
    again = shlex.join(("macrocredit", "ingest", *names, *waived))
    require_root_kind(settings.data_directory, settings.kind, command=again)
    chosen = choose(context, names)
    holdings = Holdings(settings, load_catalog(settings.catalog))
    window = daily_window(holdings, chosen, context.yesterday + timedelta(days=1))
    with follow(chosen, window, quiet=as_json) as on_event:
        outcome = run_backfill(
            settings, chosen, window, accept=accept, launched_by="macrocredit ingest", on_event=on_event
        )
    run = read_run(outcome.run_log)
    if as_json:
        render.echo_json(run.to_dict())
    else:
        run_report.print_datasets(context, run, chosen)
        click.echo(f"\nrun log: {context.shown(outcome.run_log)}")
        if not outcome.success:
            failed = [name for name in chosen if run.assets.get(name, {}).get("error", "not reached") is not None]
            # where rules stopped a write, the same once more would be stopped again
            left = [name for name in failed if not run_report.says_what_to_do(run, name)]
            if left or not failed:
                click.echo(f"retry:   {context.command('ingest', *(left or names), *waived)}")
    if not outcome.success:
        raise click.exceptions.Exit(1)


def _ingest_archive(
    context: Context, name: str, path: Path, layout: Layout, accept: Sequence[str], *, as_json: bool
) -> None:
    from macrocredit_assets.catalog import SignalSpec, load_catalog
    from macrocredit_assets.errors import UsageError
    from macrocredit_assets.history import ingest_history
    from macrocredit_assets.persistence.run_log import read_run

    spec = load_catalog(context.settings.catalog).entry(name)
    if isinstance(spec, SignalSpec):
        raise UsageError(f"{name} is a signal: it is computed, and takes no archive. Ingest its inputs instead.")
    require_writable(context.settings)
    log = ingest_history(
        spec,
        path,
        layout,
        context.settings,
        today=context.yesterday + timedelta(days=1),
        accept=frozenset(accept),
        again=shlex.join(("macrocredit", *_words(name, path, layout, accept))),
    )
    if as_json:
        render.echo_json(read_run(log).to_dict())
        return
    run_report.print_datasets(context, read_run(log), [name])
    click.echo(f"\nrun log: {context.shown(log)}")
    click.echo(f"next:    {context.command('show', name)}")


def _words(name: str, path: Path, layout: Layout, accept: Sequence[str]) -> list[str]:
    """Return the arguments of this call, to be typed again."""
    said = {
        "--series": layout.series,
        "--date-column": layout.date_column,
        "--date-format": layout.date_format,
        "--factor": layout.factor,
        "--separator": layout.separator,
    }
    words = ["ingest", name, "--history", str(path)]
    words += [word for ours, theirs in layout.columns.items() for word in ("--column", f"{ours}={theirs}")]
    words += [word for option, value in said.items() if value is not None for word in (option, f"{value}")]
    return words + [word for rule in accept for word in ("--accept", rule)]
