"""``macrocredit trace``: where a stored value came from, back to the line that the source sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

import click

from macrocredit_assets.cli import numbers, render
from macrocredit_assets.cli.changes import known_at, print_changes
from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.parameters import DAY, as_json

if TYPE_CHECKING:
    from macrocredit_assets.trace import Origin, Trace

__all__ = ["command"]

_FIELDS = (render.Column("field", style="cyan"), render.Column("value", wrap=True))


@click.command("trace")
@click.argument("name")
@click.argument("day", metavar="DATE", type=DAY)
@click.option("--column", help="Only this column: the revision that set its value may be older than the row's last.")
@as_json
@with_context
def command(context: Context, name: str, day: date, column: str | None, as_json: bool) -> None:
    """Follow the row of a date back to what a source sent.

    Shows the revision that set it, its run, and the answer or the file with the line about that date; of a signal, what
    it was computed from; of a date without a row, why there is none.
    """
    from macrocredit_assets.catalog import load_catalog
    from macrocredit_assets.trace import trace

    found = trace(
        context.settings,
        load_catalog(context.settings.catalog),
        name,
        day,
        column,
        today=context.yesterday + timedelta(days=1),
    )
    if as_json:
        render.echo_json(_document(context, found))
    else:
        _print(context, found)


def _print(context: Context, found: Trace) -> None:
    click.secho(" | ".join(filter(None, (found.name, str(found.date), found.series))), bold=True)
    render.print_table(_FIELDS, [*_values(found), *_revision(found), *_run(found), *_inputs(found)])
    # from here on no tables: where a terminal breaks a line, the path or the command in it is still whole
    if found.why:
        click.echo(f"\n{context.localized(found.why)}")
    for origin in found.origins:
        _print_origin(context, origin)
    if len(found.history) > 1:
        click.echo()
        print_changes(found.history)
    if found.run and found.run.log:
        click.echo(f"\nrun log: {context.shown(found.run.log)}")
        click.echo(f"next:    {context.command('runs', 'show', found.run.run_id[:8])}")
    if found.inputs:
        click.echo("\nWhat it was computed from")
        for given in found.inputs:
            click.echo(f"  {context.command('trace', given.dataset, str(found.date))}")


def _print_origin(context: Context, origin: Origin) -> None:
    from macrocredit_assets.sources.http import printable

    click.echo()
    click.secho(origin.way, fg="cyan")
    if origin.path is not None:
        click.echo(f"  {context.shown(origin.path)}")
    for line in origin.lines:
        click.echo(f"  {line.unit} {line.number}: {printable(line.text)}")
    if origin.note:
        click.echo(f"  {origin.note}")


def _values(found: Trace) -> Iterator[tuple[str, str]]:
    if found.row is None:
        yield "row", f"none ({found.state.replace('_', ' ')})"
        return
    for field in found.schema:
        (text,) = numbers.written([found.row[field.name]], field)
        unit = numbers.header(field).partition("\n")[2]
        by = found.set_by.get(field.name)
        yield field.name, f"{text} {unit}, revision {by}" if text else "no value"


def _revision(found: Trace) -> Iterator[tuple[str, str]]:
    if found.change is None:
        return
    revision = found.change.revision
    yield "revision", f"{revision.number} ({found.change.action}), known at {known_at(revision.known_at)}"
    if revision.reason:
        yield "reason", revision.reason


def _run(found: Trace) -> Iterator[tuple[str, str]]:
    run = found.run
    if run is None:
        return
    yield "run", run.run_id if run.log else f"{run.run_id}, whose log was pruned"
    if run.launched_by is not None:
        yield "launched by", f"{run.launched_by} ({run.status}, {run.started:%Y-%m-%d %H:%M} UTC)"


def _inputs(found: Trace) -> Iterator[tuple[str, str]]:
    for given in found.inputs:
        since = f", known at {known_at(given.known_at)}" if given.known_at else ""
        yield "input", f"{given.dataset}, revision {given.revision}{since}"


def _document(context: Context, found: Trace) -> dict[str, object]:
    revision, run = found.revision, found.run
    return {
        "name": found.name,
        "date": found.date,
        "column": found.column,
        "state": found.state,
        "why": found.why and context.localized(found.why),
        "series": found.series,
        "units": {field.name: numbers.header(field).partition("\n")[2] for field in found.schema},
        "values": found.row,
        "set_by": found.set_by,
        "revision": revision
        and {
            "revision": revision.number,
            "action": found.change and found.change.action,
            "known_at": revision.known_at,
            "reason": revision.reason,
            "ways": list(revision.ways),
            "landing": list(revision.landing),
        },
        "run": run
        and {
            "run_id": run.run_id,
            "log": run.log,
            "started": run.started,
            "status": run.status,
            "launched_by": run.launched_by,
        },
        "origins": [_origin(origin) for origin in found.origins],
        "inputs": [
            {
                "dataset": given.dataset,
                "revision": given.revision,
                "known_at": given.known_at,
                "command": context.command("trace", given.dataset, str(found.date)),
            }
            for given in found.inputs
        ],
        "history": [change.to_dict() for change in found.history],
    }


def _origin(origin: Origin) -> dict[str, object]:
    return {
        "way": origin.way,
        "path": origin.path,
        "lines": [
            {"unit": line.unit, "number": line.number, "text": line.text, "empty": line.empty} for line in origin.lines
        ],
        "note": origin.note,
    }
