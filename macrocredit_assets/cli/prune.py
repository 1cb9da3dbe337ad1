"""``macrocredit prune``: old runs, ticks and run logs go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from macrocredit_assets.cli import render
from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.parameters import as_json
from macrocredit_assets.cli.places import require_writable

if TYPE_CHECKING:
    from macrocredit_assets.orchestration.prune import Pruned

__all__ = ["command"]

_KEEP_DAYS = 90


@click.command("prune")
@click.option(
    "--keep-days",
    type=click.IntRange(min=1),
    default=_KEEP_DAYS,
    show_default=True,
    help="What started in the last so many days stays.",
)
@click.option("--apply", is_flag=True, help="Delete; without it, only say what would go.")
@as_json
@with_context
def command(context: Context, keep_days: int, apply: bool, as_json: bool) -> None:
    """Delete old runs, ticks and run logs.

    Data, revisions and the registry stay, and so does the latest materialization of every partition: what is green
    stays green. A run that has not ended is left alone.
    """
    from macrocredit_assets.orchestration.instance import open_instance
    from macrocredit_assets.orchestration.prune import days_ago, prune

    if apply:
        require_writable(context.settings)
    with open_instance(context.settings.dagster_home) as instance:
        done = prune(context.settings, instance, days_ago(keep_days), apply=apply)
    if as_json:
        render.echo_json(done)
    else:
        _report(context, keep_days, done)


def _report(context: Context, keep_days: int, done: Pruned) -> None:
    what = ", ".join(
        f"{count:,} {name}{'' if count == 1 else 's'}"
        for name, count in (("run", len(done.runs)), ("run log", len(done.run_logs)), ("tick", done.ticks))
    )
    said = "deleted" if done.applied else "would be deleted"
    click.echo(f"from before {done.before:%Y-%m-%d %H:%M} UTC {said}: {what}; {done.size / 1e6:,.1f} MB of files")
    if done.unfinished:
        many = len(done.unfinished)
        click.echo(
            f"{many} run{'' if many == 1 else 's'} as old never said how {'it' if many == 1 else 'they'} ended, and "
            f"stay{'s' if many == 1 else ''}: {context.command('runs', 'doctor')}"
        )
    if not done.applied and (done.runs or done.run_logs or done.ticks):
        click.echo(f"to delete: {context.command('prune', '--keep-days', str(keep_days), '--apply')}")
