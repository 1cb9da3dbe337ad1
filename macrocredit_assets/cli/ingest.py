"""``macrocredit ingest NAME --history FILE``: an archive of your own into a dataset."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from macrocredit_assets.cli import render, run_report
from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.parameters import as_json
from macrocredit_assets.cli.places import require_writable

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
@click.argument("name")
@click.option(
    "--history",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="The archive, CSV or Parquet.",
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
    name: str,
    path: Path,
    series: str | None,
    columns: Sequence[tuple[str, str]],
    date_column: str | None,
    date_format: str | None,
    factor: float | None,
    separator: str | None,
    accept: Sequence[str],
    as_json: bool,
) -> None:
    """Store an archive of a dataset's series, whatever its dates.

    For history before 1990, and for files that you keep yourself. Rows are added and restated, and nothing that is
    stored is lost. A file that the catalog knows by its name is read as the catalog says.
    """
    from datetime import timedelta

    from macrocredit_assets.catalog import SignalSpec, load_catalog
    from macrocredit_assets.errors import UsageError
    from macrocredit_assets.history import Layout, ingest_history
    from macrocredit_assets.persistence.run_log import read_run

    spec = load_catalog(context.settings.catalog).entry(name)
    if isinstance(spec, SignalSpec):
        raise UsageError(f"{name} is a signal: it is computed, and takes no archive. Ingest its inputs instead.")
    require_writable(context.settings)
    layout = Layout(series, dict(columns), date_column, date_format, factor, separator)
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
