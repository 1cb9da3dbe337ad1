"""A run log as people read it: what was written, what was noticed, what failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from textwrap import indent
from typing import TYPE_CHECKING, Any

import click

from macrocredit_assets import errors
from macrocredit_assets.cli import render

if TYPE_CHECKING:
    from macrocredit_assets.cli.context import Context
    from macrocredit_assets.persistence.run_log import RunDocument

__all__ = ["check_command", "print_datasets", "reason", "says_what_to_do"]

#: Warnings shown one by one; the run log has all of them.
_WARNINGS_SHOWN = 10
#: Of a long message the first lines are shown, and the last one, which says what to do.
_ERROR_LINES = 5
#: Up to so many datasets that failed for one reason are named; their command names them all.
_NAMED = 5

#: Why a dataset has no rows of this run, in the run log's own words; they explain themselves as our errors do.
_OUTCOMES = {"Aborted", "Interrupted", "NotRun", "UpstreamFailed", *errors.__all__}


def _columns(assets: Iterable[Mapping[str, Any]]) -> tuple[render.Column, ...]:
    """Return the columns of the table: rows that left, or did not come again, only where there are any."""
    assets = tuple(assets)
    rare = [name for name in ("withdrawn", "vanished") if any(asset.get(name) for asset in assets)]
    return (
        render.Column("dataset", style="cyan"),
        *(render.Column(name, right=True) for name in ("new", "changed", *rare, "same")),
        render.Column("first"),
        render.Column("last"),
        render.Column("findings", optional=bool(rare)),
    )


def print_datasets(context: Context, run: RunDocument, names: Sequence[str] = ()) -> None:
    """Print what a run did to each of its datasets.

    Parameters
    ----------
    context
        For whose shell the commands in messages are written.
    run
        The run.
    names
        Datasets in the order in which they are shown; those of them that the run never reached are shown as such.
    """
    assets = {name: run.assets.get(name, {}) for name in dict.fromkeys((*names, *run.assets))}
    done = {name: asset for name, asset in assets.items() if asset and asset["error"] is None}
    if done:
        click.echo()
        columns = _columns(done.values())
        render.print_table(columns, [_row(name, asset, columns) for name, asset in done.items()])
        _print_warnings(context, done)
    _print_checks(context, run)
    title = "canceled" if run.status == "canceled" else "failed"
    failed = _grouped({name: _why(asset) for name, asset in assets.items() if name not in done})
    if run.error is not None:
        failed.insert(0, ("the run", _said(run.error.type, run.error.message)))
    for who, why in failed:
        _print_block(context, f"{title}: {who}", why, colour="red")


def reason(run: RunDocument, name: str) -> str:
    """Return the first line of what kept a dataset of a run from being written."""
    return _why(run.assets.get(name, {})).partition("\n")[0]


def says_what_to_do(run: RunDocument, name: str) -> bool:
    """Tell whether rules stopped a dataset, and their message names the command that waives them."""
    error = run.assets.get(name, {}).get("error") or {}
    refused = error.get("type") == errors.RuleViolationError.__name__
    return refused and any(f"macrocredit {word} {name} " in error["message"] for word in ("backfill", "ingest"))


def _row(name: str, asset: Mapping[str, Any], columns: Sequence[render.Column]) -> list[str]:
    warnings = sum(finding["count"] for finding in _warnings(asset))
    cells = {
        "dataset": name,
        "new": f"{asset['inserted']:,}",
        "changed": f"{asset['changed']:,}",
        "withdrawn": f"{asset.get('withdrawn') or 0:,}",
        "vanished": f"{asset.get('vanished') or 0:,}",
        "same": f"{asset['unchanged']:,}",
        "first": asset["first"] or "no rows",
        "last": asset["last"] or "",
        "findings": f"{warnings:,} warning{'' if warnings == 1 else 's'}" if warnings else "",
    }
    return [cells[column.header] for column in columns]


def _warnings(asset: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [finding for finding in asset["findings"] if finding["severity"] == "warning"]


def _print_warnings(context: Context, assets: Mapping[str, Mapping[str, Any]]) -> None:
    found = [(name, finding) for name, asset in assets.items() for finding in _warnings(asset)]
    for name, finding in found[:_WARNINGS_SHOWN]:
        title = f"warning: {name}, {finding['rule']} ({finding['count']:,})"
        _print_block(context, title, finding["message"], colour="yellow")
    if len(found) > _WARNINGS_SHOWN:
        click.echo(f"\n... and {len(found) - _WARNINGS_SHOWN} more, in the run log")


def _print_checks(context: Context, run: RunDocument) -> None:
    """Print which checks were not passed, unless it is told already, and the command that says what they found."""
    failed, doubtful = run.checks_that("failed"), run.checks_that("warning")
    told = {name for name, asset in run.assets.items() if _warnings(asset)}
    for title, found, colour in (
        ("checks failed", failed, "red"),
        ("checks with warnings", {name: checks for name, checks in doubtful.items() if name not in told}, "yellow"),
    ):
        if found:
            lines = [f"{name}: {', '.join(checks)}" for name, checks in found.items()]
            _print_block(context, title, "\n".join([*lines, check_command(run, found)]), colour=colour)


def check_command(run: RunDocument, names: Iterable[str]) -> str:
    """Return the command that shows what checks found in the window of a run."""
    start, _, end = (run.header.window or "").partition("..")
    return " ".join(("macrocredit check", *names, *(("--start", start, "--end", end) if end else ())))


def _print_block(context: Context, title: str, message: str, *, colour: str) -> None:
    # no table: where a terminal breaks a line, the command in it is still whole for the clipboard
    click.echo()
    click.secho(title, fg=colour)
    click.echo(indent(context.localized(message), "  "))


def _grouped(reasons: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return reasons, each once, with the names that share it; of many, how many there are."""
    sharing: dict[str, list[str]] = {}
    for name, why in reasons.items():
        sharing.setdefault(why, []).append(name)
    return [
        (", ".join(names) if len(names) <= _NAMED else f"{len(names)} datasets", why) for why, names in sharing.items()
    ]


def _why(asset: Mapping[str, Any]) -> str:
    error = asset.get("error")
    return _said(error["type"], error["message"]) if error else "not reached"


def _said(kind: str, message: str) -> str:
    """Return the first lines of a message and its last; what other code raised says little without its type."""
    text = message.strip() if kind in _OUTCOMES else f"{kind}: {message.strip()}".rstrip(": ")
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > _ERROR_LINES + 1:
        lines = [*lines[: _ERROR_LINES - 1], "...", lines[-1]]
    return "\n".join(lines)
