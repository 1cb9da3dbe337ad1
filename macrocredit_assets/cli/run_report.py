"""A run log as people read it: what was written, what was noticed, what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from macrocredit_assets.cli import render

if TYPE_CHECKING:
    from macrocredit_assets.persistence.run_log import RunDocument

__all__ = ["print_datasets"]

#: Warnings shown one by one; the run log has all of them.
_WARNINGS_SHOWN = 10
_ERROR_LINES = 4
#: Up to so many datasets that failed for one reason are named; their command names them all.
_NAMED = 5

_COLUMNS = (
    render.Column("dataset", style="cyan"),
    render.Column("new", right=True),
    render.Column("changed", right=True),
    render.Column("same", right=True),
    render.Column("first"),
    render.Column("last"),
    render.Column("findings"),
)


def print_datasets(run: RunDocument, names: Sequence[str] = ()) -> None:
    """Print what a run did to each of its datasets.

    Parameters
    ----------
    run
        The run.
    names
        Datasets in the order in which they are shown; those of them that the run never reached are shown as such.
    """
    assets = {name: run.assets.get(name, {}) for name in dict.fromkeys((*names, *run.assets))}
    done = {name: asset for name, asset in assets.items() if asset and asset["error"] is None}
    if done:
        click.echo()
        render.print_table(_COLUMNS, [_row(name, asset) for name, asset in done.items()])
        _print_warnings(done)
    failed = _grouped({name: _why(asset) for name, asset in assets.items() if name not in done})
    if run.error is not None:
        failed.insert(0, ("the run", _first_lines(run.error.message)))
    if failed:
        click.echo()
        render.print_table(
            (
                render.Column("canceled" if run.status == "canceled" else "failed", style="red"),
                render.Column("why", wrap=True),
            ),
            failed,
        )


def _row(name: str, asset: Mapping[str, Any]) -> list[str]:
    warnings = sum(finding["count"] for finding in _warnings(asset))
    return [
        name,
        f"{asset['inserted']:,}",
        f"{asset['changed']:,}",
        f"{asset['unchanged']:,}",
        asset["first"] or "no rows",
        asset["last"] or "",
        f"{warnings:,} warning{'' if warnings == 1 else 's'}" if warnings else "",
    ]


def _warnings(asset: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [finding for finding in asset["findings"] if finding["severity"] == "warning"]


def _print_warnings(assets: Mapping[str, Mapping[str, Any]]) -> None:
    rows = [
        (name, finding["rule"], f"{finding['count']:,}", finding["message"])
        for name, asset in assets.items()
        for finding in _warnings(asset)
    ]
    if not rows:
        return
    click.echo()
    columns = (
        render.Column("warning", style="cyan"),
        render.Column("rule"),
        render.Column("count", right=True),
        render.Column("what", wrap=True),
    )
    render.print_table(columns, rows[:_WARNINGS_SHOWN])
    if len(rows) > _WARNINGS_SHOWN:
        click.echo(f"... and {len(rows) - _WARNINGS_SHOWN} more, in the run log")


def _grouped(reasons: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return names and reasons, those of many that share one reason as a single row."""
    sharing = Counter(reasons.values())
    named = [(name, why) for name, why in reasons.items() if sharing[why] <= _NAMED]
    return named + [(f"{count} others", why) for why, count in sharing.items() if count > _NAMED]


def _why(asset: Mapping[str, Any]) -> str:
    error = asset.get("error")
    return _first_lines(error["message"]) if error else "not reached"


def _first_lines(message: str) -> str:
    lines = [line for line in message.strip().splitlines() if line.strip()]
    return "\n".join(lines[:_ERROR_LINES] + (["..."] if len(lines) > _ERROR_LINES else []))
