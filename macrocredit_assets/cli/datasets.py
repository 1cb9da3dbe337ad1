"""``macrocredit datasets``: what the catalog has, and how much of it is stored."""

from __future__ import annotations

import click

from macrocredit_assets.cli import render, stored
from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.parameters import as_json

__all__ = ["command"]

_COLUMNS = (
    render.Column("name", style="cyan"),
    render.Column("tenor"),
    render.Column("unit"),
    render.Column("rows", right=True),
    render.Column("first"),
    render.Column("last"),
    render.Column("calendar", optional=True),
    render.Column("title", optional=True),
)


@click.command("datasets")
@as_json
@with_context
def command(context: Context, as_json: bool) -> None:
    """List the datasets, and what is stored of each."""
    from macrocredit_assets.catalog import load_catalog

    catalog = load_catalog(context.settings.catalog)
    listed = stored.entries(context)
    documents = []
    for name in catalog.names():
        entry = catalog.entry(name)
        have = listed.get(name, {})
        documents.append(
            {
                "name": name,
                "kind": entry.kind,
                "title": entry.title,
                "instrument": entry.instrument,
                "tenor": entry.tenor,
                "unit": entry.columns[entry.main].unit,
                "calendar": entry.calendar,
                "rows": have.get("row_count"),
                "first": _day(have.get("start_date")),
                "last": _day(have.get("end_date")),
            }
        )
    if as_json:
        render.echo_json(documents)
        return
    rows = [[_cell(document[column.header]) for column in _COLUMNS] for document in documents]
    market = sum(document["kind"] == "market" for document in documents)
    render.print_table(_COLUMNS, rows, sections=(market - 1,))
    if advice := stored.unlisted_advice(context, catalog, listed):
        click.echo(advice, err=True)
    elif not listed:
        click.echo(f"\nNothing is stored yet: {context.command('backfill', '--start', '2020-01-01')}")


def _day(value: object) -> str | None:
    return value[:10] if isinstance(value, str) else None


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else str(value)
