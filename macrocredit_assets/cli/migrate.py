"""``macrocredit migrate NAME``: stored rows under the columns that the catalog has now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from macrocredit_assets.cli import render
from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.parameters import as_json
from macrocredit_assets.cli.places import require_writable

if TYPE_CHECKING:
    from macrocredit_assets.migration import Migration
    from macrocredit_assets.persistence import WriteResult

__all__ = ["command"]


@click.command("migrate")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@as_json
@with_context
def command(context: Context, name: str, dry_run: bool, as_json: bool) -> None:
    """Bring a dataset under the columns that its entry has now.

    For an entry whose columns were removed, retyped, or given in another unit. What was stored before stays in the
    revisions: --as-of gives it back.
    """
    from macrocredit_assets.catalog import load_catalog
    from macrocredit_assets.migration import migrate

    if not dry_run:
        require_writable(context.settings)
    done = migrate(load_catalog(context.settings.catalog).entry(name), context.settings, dry_run=dry_run)
    if as_json:
        render.echo_json({"dry_run": dry_run, **_document(done)})
    elif done.result is None:
        click.echo(f"{name} is stored as the catalog has it: nothing to migrate.")
    else:
        _report(context, name, done, done.result)


def _report(context: Context, name: str, done: Migration, result: WriteResult) -> None:
    for difference in done.differences:
        click.echo(f"{name}: {difference}")
    if done.run_log is None:
        click.echo(f"Nothing was written. To rewrite {result.row_count:,} rows: {context.command('migrate', name)}")
        return
    click.echo(f"{result.row_count:,} rows were rewritten, as revision {result.revision}.")
    click.echo(f"\nrun log: {context.shown(done.run_log)}")
    if result.added_columns and result.first and result.last:
        again = ("backfill", name, "--start", str(result.first), "--end", str(result.last), "--refetch")
        click.echo(f"fill {', '.join(result.added_columns)}: {context.command(*again)}")


def _document(done: Migration) -> dict[str, object]:
    result = done.result
    return {
        "differences": list(done.differences),
        "rewritten": result.changed if result else 0,
        "revision": result.revision if result and done.run_log else None,
        "added_columns": list(result.added_columns) if result else [],
        "run_log": done.run_log,
    }
