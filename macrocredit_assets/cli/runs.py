"""``macrocredit runs``: the run logs, and what to do about runs that were killed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from macrocredit_assets.cli import render, run_report
from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.parameters import as_json
from macrocredit_assets.errors import UsageError

if TYPE_CHECKING:
    from macrocredit_assets.orchestration.run_doctor import Diagnosis
    from macrocredit_assets.persistence.run_log import RunDocument
    from macrocredit_assets.settings import Settings

__all__ = ["command"]

_LIST = (
    render.Column("run", style="cyan"),
    render.Column("started (UTC)"),
    render.Column("status"),
    render.Column("seconds", right=True),
    render.Column("window"),
    render.Column("done", right=True),
    render.Column("launched by", optional=True),
)


@click.group("runs")
def command() -> None:
    """List runs, show what one did, clean up after killed ones."""


@command.command("list")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many, newest first.")
@as_json
@with_context
def list_runs(context: Context, limit: int, as_json: bool) -> None:
    """List the runs, newest first."""
    from macrocredit_assets.persistence.run_log import read_runs

    found = read_runs(context.settings.logs_directory, limit)
    for skipped in found.skipped:
        click.echo(context.localized(f"Passed over: {skipped.reason}"), err=True)
    if as_json:
        render.echo_json([run.to_dict() for run in found.runs])
    elif found.runs:
        render.print_table(_LIST, map(_row, found.runs))
    else:
        click.echo(f"No run yet below {context.shown(context.settings.logs_directory)}")


@command.command("show")
@click.argument("run_id")
@as_json
@with_context
def show_run(context: Context, run_id: str, as_json: bool) -> None:
    """Show one run: RUN_ID is its id, the beginning of it, or `last`."""
    from macrocredit_assets.persistence.run_log import read_run

    path = _find(context, run_id)
    run = read_run(path)
    if as_json:
        render.echo_json(run.to_dict())
        return
    header, seconds = run.header, run.duration_seconds
    rows = [
        ("run", header.run_id),
        ("status", run.status),
        ("started", f"{header.started:%Y-%m-%d %H:%M:%S} UTC"),
        ("took", "not over" if seconds is None else f"{seconds:,.1f} s"),
        ("window", header.window or "none"),
        ("data", f"{header.root_kind} (profile {header.profile})"),
        ("launched by", header.launched_by),
        ("process", f"{header.pid} on {header.host}"),
        ("versions", ", ".join(f"{name} {version}" for name, version in header.versions.items())),
        ("file", context.shown(path)),
    ]
    render.print_table([render.Column("field", style="cyan"), render.Column("value", wrap=True)], rows)
    run_report.print_datasets(context, run)


@command.command("doctor")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@as_json
@with_context
def doctor(context: Context, dry_run: bool, as_json: bool) -> None:
    """Clean up after runs whose process was killed.

    Their surviving children are ended, their logs marked `aborted`, and Dagster is told that they failed.
    """
    found = _diagnose(context.settings, apply=not dry_run)
    if as_json:
        render.echo_json([diagnosis.to_dict() for diagnosis in found])
        return
    if not found:
        click.echo("Every run has ended and said how.")
    for diagnosis in found:
        click.echo(context.localized(f"{diagnosis.run_id}: {diagnosis.verdict}. {diagnosis.message}"))
        if diagnosis.survivors:
            ended = "would be ended" if dry_run else "ended"
            click.echo(f"  processes that had outlived it, {ended}: {', '.join(map(str, diagnosis.survivors))}")


def _diagnose(settings: Settings, *, apply: bool) -> list[Diagnosis]:
    from macrocredit_assets.persistence.run_log import read_runs

    if all(run.status != "started" for run in read_runs(settings.logs_directory).runs):
        return []  # without an instance, which would be made where there is none
    from macrocredit_assets.orchestration.instance import open_instance
    from macrocredit_assets.orchestration.run_doctor import diagnose

    with open_instance(settings.dagster_home) as instance:
        return diagnose(settings, instance, apply=apply)


def _row(run: RunDocument) -> list[str]:
    done = sum(asset["error"] is None for asset in run.assets.values())
    # a run that has not said how it ended has named only the datasets that it came to
    planned = "?" if run.status in {"started", "aborted"} else len(run.assets)
    seconds = run.duration_seconds
    return [
        run.header.run_id[:8],
        f"{run.header.started:%Y-%m-%d %H:%M}",
        run.status,
        "" if seconds is None else f"{seconds:,.1f}",
        run.header.window or "",
        f"{done}/{planned}",
        run.header.launched_by,
    ]


def _find(context: Context, wanted: str) -> Path:
    """Return the log of the run whose id begins so; `last` is the newest."""
    from macrocredit_assets.persistence.run_log import find, read_runs

    logs = context.settings.logs_directory
    if wanted == "last":
        newest = read_runs(logs, 1).runs
        if not newest:
            first = context.command("backfill", "--start", "2020-01-01")
            raise UsageError(f"There is no run yet below {context.shown(logs)}. Start one: {first}")
        found = [newest[0].header.run_id]
    else:
        found = sorted(path.stem for path in logs.glob("[0-9]*/[!.]*.json") if path.stem.startswith(wanted))
    path = find(logs, found[0]) if len(found) == 1 else None
    if path is None:
        several = f"; it may be one of {', '.join(found)}" if found else ""
        raise UsageError(f"There is no one run {wanted!r}{several}. See: {context.command('runs', 'list')}")
    return path
