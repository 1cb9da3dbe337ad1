"""``macrocredit ui``: Dagster's webserver and daemon on this root."""

from __future__ import annotations

import os

import click

from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.places import require_writable

__all__ = ["command"]


@click.command("ui")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port to listen on.")
@with_context
def command(context: Context, host: str, port: int) -> None:
    """Start the web UI, and the daemon that runs what it launches.

    Both end with Ctrl-C. No telemetry is sent.
    """
    from macrocredit_assets.orchestration.ui import run_ui, ui_command

    settings = context.settings
    require_writable(settings)
    argv, variables = ui_command(settings, host, port)
    click.echo(f"UI:      http://{host}:{port} (in some seconds; Ctrl-C ends it)")
    click.echo(f"root:    {settings.root} (profile {settings.profile})")
    click.echo(f"home:    {settings.dagster_home}")
    if code := run_ui(settings, argv, {**os.environ, **variables}):
        click.echo("The services stopped by themselves; what they said stands above.", err=True)
        raise click.exceptions.Exit(code)
