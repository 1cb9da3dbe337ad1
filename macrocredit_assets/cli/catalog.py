"""``macrocredit catalog``: the catalog file's schema, and whether a file follows it."""

from __future__ import annotations

from pathlib import Path

import click

from macrocredit_assets.cli import render
from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.parameters import as_json
from macrocredit_assets.errors import CatalogError

__all__ = ["command"]


@click.group("catalog")
def command() -> None:
    """Print the catalog's schema, or check a catalog file."""


@command.command("schema")
def schema() -> None:
    """Print the JSON Schema of a catalog file, for editors."""
    from macrocredit_assets.catalog import catalog_json_schema

    render.echo_json(catalog_json_schema())


@command.command("validate")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False, exists=True), required=False)
@as_json
@with_context
def validate(context: Context, path: Path | None, as_json: bool) -> None:
    """Check a catalog file; without PATH, the one that the settings name.

    What is wrong is said with file, place and nearest known key, and the exit code is 2.
    """
    from macrocredit_assets.catalog import load_catalog
    from macrocredit_assets.serving import without_function

    path = path or context.settings.catalog
    catalog = load_catalog(path)
    if problems := without_function(catalog):
        raise CatalogError("\n".join(problems))
    if as_json:
        render.echo_json({"catalog": path, "datasets": [*catalog.datasets], "signals": [*catalog.signals]})
        return
    name = context.shown(path) if path else "the shipped catalog"
    click.echo(f"{name} is valid: {len(catalog.datasets)} datasets, {len(catalog.signals)} signals")
