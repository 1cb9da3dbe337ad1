"""``macrocredit status``: what is covered, what is missing, late or stale, and the command that fills it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from shutil import get_terminal_size
from typing import TYPE_CHECKING

import click

from macrocredit_assets.cli import render
from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.parameters import as_json

if TYPE_CHECKING:
    from macrocredit_assets.plan import Request
    from macrocredit_assets.status import DatasetStatus, Span

__all__ = ["command"]

#: Where nothing is stored yet, a first backfill is advised from here on.
_FIRST_START = "2020-01-01"
#: Commands, and reasons of failures, shown one by one; --json has all of them.
_SHOWN = 8
#: Up to so many datasets are named before their command, which names them all.
_NAMED = 3


@click.command("status")
@click.argument("names", nargs=-1)
@click.option("--check", is_flag=True, help="End with 1 when anything is late, missing or stale.")
@as_json
@with_context
def command(context: Context, names: Sequence[str], check: bool, as_json: bool) -> None:
    """Show what is covered, missing, late and stale.

    Everything is read from the files: coverage and revisions, against each dataset's calendar and publication lag.
    """
    from macrocredit_assets.catalog import load_catalog
    from macrocredit_assets.holdings import Holdings
    from macrocredit_assets.serving import lacking
    from macrocredit_assets.status import statuses

    catalog = load_catalog(context.settings.catalog)
    chosen = [name for name in catalog.names() if name in names] if names else catalog.names()
    for name in names:
        catalog.entry(name)
    found = statuses(
        Holdings(context.settings, catalog),
        chosen,
        today=context.yesterday + timedelta(days=1),
        unserved=lambda: lacking(context.settings, catalog),
    )
    wanting = any(status.wanting for status in found)
    if as_json:
        render.echo_json(
            {
                "until": context.yesterday,
                "complete": not wanting,
                "datasets": [_document(context, status) for status in found],
            }
        )
    else:
        _print(context, found, named=bool(names))
    if check and wanting:
        raise click.exceptions.Exit(1)


def _document(context: Context, status: DatasetStatus) -> dict[str, object]:
    run = status.last_run
    return {
        "name": status.name,
        "kind": status.kind,
        "state": status.state,
        "series": status.series,
        "rows": status.rows,
        "first": status.first,
        "last": status.last,
        "coverage": status.coverage.to_pairs(),
        "missing_sessions": status.missing_sessions,
        "holes": [_span(context, status.name, hole, "sessions") for hole in status.holes],
        "days_late": status.days_late,
        "awaited_sessions": status.awaited,
        "source_gaps": status.gaps,
        "stale_days": status.stale_days,
        "stale": [_span(context, status.name, span, "days") for span in status.stale],
        "last_run": {"run_id": run.run_id, "at": run.at} if run else None,
        "failure": _failure(context, status),
        "error": status.error and context.localized(status.error),
        "command": _command(context, status),
    }


def _failure(context: Context, status: DatasetStatus) -> dict[str, object] | None:
    failure = status.failure
    if failure is None:
        return None
    return {
        "run_id": failure.run_id,
        "at": failure.at,
        "type": failure.type,
        "message": context.localized(failure.message),
    }


def _command(context: Context, status: DatasetStatus) -> str | None:
    """Return the command that comes before those of holes, or None."""
    if status.state == "migrate":
        return context.command("migrate", status.name)
    return _first_backfill(context, [status.name]) if status.state == "never ingested" else None


def _span(context: Context, name: str, span: Span, counted: str) -> dict[str, object]:
    command = _backfill(context, [name], str(span.window.start), str(span.window.end))
    return {"start": span.window.start, "end": span.window.end, counted: span.days, "command": command}


#: What is always shown; the bars come next, and the rest where there is room.
_COLUMNS = (
    render.Column("dataset", style="cyan"),
    render.Column("first"),
    render.Column("last"),
    render.Column("missing\nsessions", right=True),
    render.Column("late\ndays", right=True, style="red"),
    render.Column("stale\ndays", right=True, style="yellow"),
)
_OPTIONAL = (
    render.Column("last run", optional=True),
    render.Column("rows", right=True, optional=True),
    render.Column("gaps", right=True, optional=True),
    render.Column("series", optional=True),
)


def _print(context: Context, found: Sequence[DatasetStatus], *, named: bool) -> None:
    from macrocredit_assets.cli import coverage_bar

    rows = [_row(status) for status in found]
    width = _bar_width(rows)
    axis = coverage_bar.axis(found, context.yesterday)
    bars = [coverage_bar.bar(status, axis, width) for status in found]
    market = sum(status.kind == "market" for status in found)
    render.print_table(
        (*_COLUMNS, render.Column(coverage_bar.header(axis, width), optional=True), *_OPTIONAL),
        [[*row, bar, *_more(status)] for row, bar, status in zip(rows, bars, found, strict=True)],
        sections=(market - 1,),
    )
    click.echo(f"\n{coverage_bar.legend()}")
    click.echo(_summary(found, str(context.yesterday)))
    for status in found:
        if status.error and status.state in ("unreadable", "migrate"):
            click.echo(f"{status.name}: {context.localized(status.error)}")
    _print_failures(context, found)
    _print_commands(context, found, named=named)


def _print_failures(context: Context, found: Sequence[DatasetStatus]) -> None:
    """Print which datasets failed in the newest run that touched them, and the first line of why, each reason once."""
    sharing: dict[tuple[str, datetime, str], list[str]] = {}
    for status in found:
        if failure := status.failure:
            sharing.setdefault((failure.run_id, failure.at, failure.summary), []).append(status.name)
    shown = [*sharing.items()][:_SHOWN]
    for (run_id, at, why), names in shown:
        # no table: where a terminal breaks a line, what it says is still whole
        click.echo()
        click.secho(f"failed: {_names(names)} in run {run_id[:8]}, {at:%Y-%m-%d %H:%M} UTC", fg="red")
        click.echo(f"  {context.localized(why)}")
    if len(sharing) > _SHOWN:
        click.echo(f"\n... and {len(sharing) - _SHOWN} more reasons, in --json")
    for run_id in dict.fromkeys(run_id for (run_id, _, _), _ in shown):
        click.echo(f"\nAll that run {run_id[:8]} said\n  {context.command('runs', 'show', run_id[:8])}")


def _bar_width(rows: Sequence[Sequence[str]]) -> int:
    """Return how long bars are: what is left, or, of more than they need, half; the other columns get the rest."""
    headers = [column.header.split("\n") for column in _COLUMNS]
    taken = sum(
        max(map(len, (*header, *cells))) + 2 for header, cells in zip(headers, zip(*rows, strict=True), strict=True)
    )
    left = get_terminal_size((120, 24)).columns - taken
    return max(8, min(left, 12 + max(0, left - 12) // 2, 60))


def _row(status: DatasetStatus) -> list[str]:
    return [
        status.name,
        str(status.first or ("no rows" if status.coverage else "-")),
        str(status.last or "-"),
        _count(status.missing_sessions) or ("all" if status.state == "never ingested" else ""),
        _count(status.days_late),
        _count(status.stale_days),
    ]


def _more(status: DatasetStatus) -> list[str]:
    return [
        status.last_run.at[:16].replace("T", " ") if status.last_run else "-",
        f"{status.rows:,}",
        _count(status.gaps),
        status.series or "-",
    ]


def _count(number: int) -> str:
    return f"{number:,}" if number else ""


def _summary(found: Sequence[DatasetStatus], until: str) -> str:
    states = Counter(status.state for status in found)
    parts = ", ".join(f"{count} {state}" for state, count in states.most_common())
    return f"{len(found)} dataset{'' if len(found) == 1 else 's'} until {until}: {parts}"


def _print_commands(context: Context, found: Sequence[DatasetStatus], *, named: bool) -> None:
    """Print the command that fills each hole, those of datasets that share one as a single command."""
    from macrocredit_assets.plan import few, requests
    from macrocredit_assets.windows import Coverage

    holes = {
        status.name: few(Coverage.of(span.window for span in (*status.holes, *status.stale)))
        for status in found
        if status.holes or status.stale
    }
    by_name = {status.name: status for status in found}
    lines = [
        (_what(request, by_name), _backfill(context, request.names, str(request.window.start), str(request.window.end)))
        for request in requests(holes)
    ]
    if empty := [status.name for status in found if status.state == "never ingested"]:
        every = len(empty) == len(found) and not named
        lines.append((f"{_names(empty)}: never ingested", _first_backfill(context, [] if every else empty)))
    for what, line in lines[:_SHOWN]:
        click.echo(f"\n{what}\n  {line}")
    if len(lines) > _SHOWN:
        click.echo(f"\n... and {len(lines) - _SHOWN} more, in --json")
    if len(lines) > 1:
        starts = [str(windows.windows[0].start) for windows in holes.values()] or [_FIRST_START]
        names = [status.name for status in found] if named else []
        click.echo(
            f"\nAll of it, signals after their inputs\n  {_backfill(context, names, min(starts))} --only-missing"
        )


def _what(request: Request, found: dict[str, DatasetStatus]) -> str:
    statuses = [found[name] for name in request.names]
    parts = [
        _counted((hole for status in statuses for hole in status.holes), request, "missing session"),
        _counted((span for status in statuses for span in status.stale), request, "stale day"),
    ]
    return f"{_names(request.names)}: {' and '.join(part for part in parts if part)}"


def _counted(spans: Iterable[Span], request: Request, what: str) -> str:
    days = sum(span.days for span in spans if request.window.intersect(span.window))
    return f"{days:,} {what}{'' if days == 1 else 's'}" if days else ""


def _names(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= _NAMED else f"{len(names)} datasets"


def _backfill(context: Context, names: Sequence[str], start: str, end: str | None = None) -> str:
    until = ["--end", end] if end else []
    return context.command("backfill", *names, "--start", start, *until)


def _first_backfill(context: Context, names: Sequence[str]) -> str:
    return _backfill(context, names, _FIRST_START)
