"""``macrocredit registry``: what the registry says, whether it is true, and how to restore it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from macrocredit_assets.cli import render, stored
from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.parameters import as_json
from macrocredit_assets.errors import UnknownDatasetError

if TYPE_CHECKING:
    from macrocredit_assets.sync import Rebuilt, Repairs

__all__ = ["command"]

_LIST = (
    render.Column("name", style="cyan"),
    render.Column("tenor"),
    render.Column("rows", right=True),
    render.Column("first"),
    render.Column("last"),
    render.Column("last updated"),
    render.Column("instrument", optional=True),
    render.Column("file", optional=True),
)


@click.group("registry")
def command() -> None:
    """List what is stored, check that it is true, repair it."""


@command.command("list")
@as_json
@with_context
def list_entries(context: Context, as_json: bool) -> None:
    """List what the registry has."""
    from macrocredit_assets.catalog import load_catalog

    entries = stored.entries(context)
    if as_json:
        render.echo_json(entries)
    elif entries:
        render.print_table(_LIST, [_row(name, entry) for name, entry in entries.items()])
    else:
        click.echo(f"The registry {context.shown(context.settings.registry_path)} is empty.")
    if advice := stored.unlisted_advice(context, load_catalog(context.settings.catalog), entries):
        click.echo(advice, err=True)


@command.command("show")
@click.argument("name")
@as_json
@with_context
def show_entry(context: Context, name: str, as_json: bool) -> None:
    """Show one entry as it stands in the registry."""
    from macrocredit_assets.catalog import load_catalog

    entries = stored.entries(context)
    if name not in entries:
        catalog = load_catalog(context.settings.catalog)
        advice = stored.unlisted_advice(context, catalog, entries)
        if name in catalog.names():
            advice = advice or f"Ingest it: {context.command('backfill', name, '--start', '2020-01-01')}"
        raise UnknownDatasetError(
            f"The registry has no {name!r}; it has {', '.join(entries) or 'nothing yet'}. {advice or ''}".rstrip()
        )
    if as_json:
        render.echo_json(entries[name])
        return
    rows = [(key, _text(value)) for key, value in entries[name].items() if key != "metadata"]
    rows += [(key, _text(value)) for key, value in entries[name].get("metadata", {}).items()]
    render.print_table([render.Column("field", style="cyan"), render.Column("value", wrap=True)], rows)


@command.command("verify")
@click.option(
    "--repair", is_flag=True, help="Bring files in line with their revisions, and the registry with the files."
)
@as_json
@with_context
def verify(context: Context, repair: bool, as_json: bool) -> None:
    """Hold it against the files, row by row, and the files against their revisions.

    The exit code is 1 where they differ, with --repair where they still do.
    """
    from macrocredit_assets import sync
    from macrocredit_assets.catalog import load_catalog

    catalog = load_catalog(context.settings.catalog)
    repairs = sync.repair(context.settings, catalog) if repair else None
    problems = repairs.problems if repairs else tuple(sync.verify(context.settings, catalog))
    if as_json:
        render.echo_json(repairs or problems)
    else:
        if repairs:
            _report_repairs(context, repairs)
        for problem in problems:
            click.echo(context.localized(f"{problem.subject}: {problem.message}"))
        if not problems:
            click.echo(f"Registry and files agree: {len(stored.entries(context))} datasets.")
    if problems:
        raise click.exceptions.Exit(1)


def _report_repairs(context: Context, repairs: Repairs) -> None:
    for done in repairs.files:
        aside = f"; what stood there is kept as {context.shown(done.set_aside)}" if done.set_aside else ""
        click.echo(f"{done.name}: {done.what}, the file shows revision {done.revision}{aside}")
    for change in repairs.entries:
        click.echo(f"{change.name}: registry entry {change.what}")


@command.command("rebuild")
@as_json
@with_context
def rebuild(context: Context, as_json: bool) -> None:
    """Restore it from the files, and say what changed.

    The exit code is 1 where a file could not be taken in.
    """
    from macrocredit_assets import sync
    from macrocredit_assets.catalog import load_catalog

    outcome = sync.rebuild(context.settings, load_catalog(context.settings.catalog))
    if as_json:
        render.echo_json(outcome)
    else:
        _report_rebuilt(context, outcome)
    if outcome.problems:
        raise click.exceptions.Exit(1)


def _report_rebuilt(context: Context, outcome: Rebuilt) -> None:
    for change in outcome.changes:
        click.echo(f"{change.name}: {change.what}")
    for problem in outcome.problems:
        click.echo(context.localized(f"{problem.subject}: {problem.message}"), err=True)
    if outcome.set_aside:
        click.echo(f"The old registry could not be read; it is kept as {context.shown(outcome.set_aside)}")
    same = outcome.entries - sum(change.what != "removed" for change in outcome.changes)
    click.echo(f"{context.shown(context.settings.registry_path)}: {outcome.entries} datasets, {same} as they were")


def _row(name: str, entry: dict[str, Any]) -> list[str]:
    rows = entry["row_count"]
    return [
        name,
        entry["tenor"] or "-",
        "-" if rows is None else f"{rows:,}",
        (entry["start_date"] or "-")[:10],
        (entry["end_date"] or "-")[:10],
        (entry["last_updated"] or "-")[:16].replace("T", " "),
        entry["instrument"],
        entry["file_path"],
    ]


def _text(value: object) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key}: {_text(each)}" for key, each in value.items())
    if isinstance(value, list) and value:
        if all(isinstance(each, list) for each in value):
            return ", ".join("..".join(map(str, each)) for each in value)
        return "\n".join(map(_text, value))
    return str(value) if value or value == 0 else "-"
