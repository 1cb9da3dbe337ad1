"""``macrocredit revisions``: what became known of a dataset, when, and what it replaced."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, TypeVar

import click

from macrocredit_assets.cli import render
from macrocredit_assets.cli.changes import known_at, print_changes
from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.parameters import DAY, as_json

if TYPE_CHECKING:
    from macrocredit_assets.persistence.revisions import Revision

__all__ = ["command"]

_REVISIONS = (
    render.Column("rev.", right=True, style="cyan"),
    render.Column("known at"),
    render.Column("run", optional=True),
    render.Column("way", optional=True),
    render.Column("kind"),
    render.Column("inserted", right=True),
    render.Column("changed", right=True),
    render.Column("withdrawn", right=True),
    render.Column("reason", optional=True),
)

#: How many are shown to people who did not say how many.
_LIMIT = 20

T = TypeVar("T")


@click.command("revisions")
@click.argument("name")
@click.option("--start", type=DAY, help="Rows from this date on, with old and new values.")
@click.option("--end", type=DAY, help="Rows up to this date, with old and new values.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"Only the newest N revisions, or rows.  [default: {_LIMIT}; all with --json]",
)
@as_json
@with_context
def command(
    context: Context, name: str, start: date | None, end: date | None, limit: int | None, as_json: bool
) -> None:
    """List the revisions of a dataset, the newest last.

    With --start or --end: what they did to the rows of these dates.
    """
    from macrocredit_assets.known import Asked, known_now
    from macrocredit_assets.research import find_store
    from macrocredit_assets.trace import RowChange, row_changes

    store = find_store(name, context.settings)
    asked = Asked(name, start, end)
    last = store.last_revision()
    if last is None:
        known_now(store, asked, store.head())
        if not as_json:
            click.echo(f"{name} was written before revisions were kept; the next write that changes a row keeps it.")
            return
    limit = limit or (sys.maxsize if as_json else _LIMIT)
    if start or end:
        steps = [*row_changes(store, asked.window)]
        _show(steps[-limit:], len(steps), RowChange.to_dict if as_json else None, print_changes)
    else:
        newest = store.revisions(limit)
        _show(newest, last.number if last else 0, _document if as_json else None, _print_revisions)


def _show(
    newest: Sequence[T], total: int, document: Callable[[T], object] | None, table: Callable[[Sequence[T]], None]
) -> None:
    if document is not None:
        render.echo_json([document(each) for each in newest])
        return
    table(newest)
    if len(newest) < total:
        click.echo(f"The newest {len(newest):,} of {total:,}; all of them with --limit {total}", err=True)


def _print_revisions(revisions: Sequence[Revision]) -> None:
    columns = _REVISIONS if any(revision.reason for revision in revisions) else _REVISIONS[:-1]
    render.print_table(columns, [_line(revision)[: len(columns)] for revision in revisions])


def _line(revision: Revision) -> list[str]:
    return [
        str(revision.number),
        known_at(revision.known_at),
        (revision.run_id or "")[:8],
        ", ".join(revision.ways),
        revision.kind,
        *(f"{count:,}" for count in (revision.inserted, revision.changed, revision.withdrawn)),
        revision.reason or "",
    ]


def _document(revision: Revision) -> dict[str, object]:
    return {
        "revision": revision.number,
        "known_at": revision.known_at,
        "run_id": revision.run_id,
        "ways": list(revision.ways),
        "landing": list(revision.landing),
        "kind": revision.kind,
        "reason": revision.reason,
        "series": revision.series,
        "window": revision.window and str(revision.window),
        "inserted": revision.inserted,
        "changed": revision.changed,
        "withdrawn": revision.withdrawn,
        "coverage": revision.coverage.to_pairs(),
        "content_hash": revision.content_hash,
    }
