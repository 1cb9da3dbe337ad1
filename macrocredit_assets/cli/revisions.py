"""``macrocredit revisions``: what became known of a dataset, when, and what it replaced."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import click

from macrocredit_assets.cli import numbers, render
from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.parameters import DAY, as_json

if TYPE_CHECKING:
    from macrocredit_assets.persistence.dataset_store import DatasetStore
    from macrocredit_assets.persistence.revisions import Revision
    from macrocredit_assets.windows import Window

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

_ROWS = (
    render.Column("date", style="cyan"),
    render.Column("action"),
    render.Column("column"),
    render.Column("old", right=True),
    render.Column("new", right=True),
    render.Column("rev.", right=True),
    render.Column("known at", optional=True),
)

#: How many are shown to people who did not say how many.
_LIMIT = 20

T = TypeVar("T")
Values: TypeAlias = Mapping[str, float | int | None]


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

    store = find_store(name, context.settings)
    asked = Asked(name, start, end)
    last = store.last_revision()
    if last is None:
        known_now(store, asked)
        if not as_json:
            click.echo(f"{name} was written before revisions were kept; the next write that changes a row keeps it.")
            return
    limit = limit or (sys.maxsize if as_json else _LIMIT)
    if start or end:
        steps = [*_steps(store, asked.window)]
        _show(steps[-limit:], len(steps), _Step.to_dict if as_json else None, _print_steps)
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


@dataclass(frozen=True)
class _Step:
    """What one revision did to one row; a side is None where there was no row."""

    revision: Revision
    date: date
    old: Values | None
    new: Values | None

    @property
    def action(self) -> str:
        if self.old is None:
            return "insert"
        if self.revision.begins_anew:
            return self.revision.kind
        return "withdraw" if self.new is None else "change"

    def cells(self) -> Iterator[tuple[str, float | int | None, float | int | None]]:
        """Yield column, old and new value, where they differ; after a switch all of them."""
        old, new = self.old or {}, self.new or {}
        for column in dict.fromkeys((*old, *new)):
            before, after = old.get(column), new.get(column)
            if before != after or (self.revision.kind == "switch" and before is not None):
                yield column, before, after

    def to_dict(self) -> dict[str, object]:
        return {
            "date": self.date.isoformat(),
            "action": self.action,
            "old": self.old,
            "new": self.new,
            "revision": self.revision.number,
            "known_at": self.revision.known_at,
        }


def _steps(store: DatasetStore, window: Window) -> Iterator[_Step]:
    """Yield what became of the rows of a window, in the order in which it became known."""
    recorded: dict[int, dict[date, Values | None]] = {}
    for row in store.revision_rows(window).to_pylist():
        number, _, day, action = (row.pop(key) for key in ("revision", "known_at", "date", "action"))
        recorded.setdefault(number, {})[day.date()] = None if action == "withdraw" else row
    rows: dict[date, Values] = {}
    for revision in store.revisions():
        touched = recorded.get(revision.number, {})
        if revision.begins_anew:
            touched = dict.fromkeys(rows) | touched
        for day in sorted(touched):
            # what was recorded has every column there ever was; a row has those of its revision
            values = touched[day]
            new = None if values is None else {name: values[name] for name in revision.schema.names}
            yield _Step(revision, day, rows.pop(day, None), new)
            if new is not None:
                rows[day] = new


def _print_revisions(revisions: Sequence[Revision]) -> None:
    columns = _REVISIONS if any(revision.reason for revision in revisions) else _REVISIONS[:-1]
    render.print_table(columns, [_line(revision)[: len(columns)] for revision in revisions])


def _line(revision: Revision) -> list[str]:
    return [
        str(revision.number),
        _known_at(revision.known_at),
        (revision.run_id or "")[:8],
        ", ".join(revision.ways),
        revision.kind,
        *(f"{count:,}" for count in (revision.inserted, revision.changed, revision.withdrawn)),
        revision.reason or "",
    ]


def _print_steps(steps: Sequence[_Step]) -> None:
    lines = [(step, *cell) for step in steps for cell in step.cells()]
    written: dict[int, tuple[str, str]] = {}
    for name in {line[1] for line in lines}:
        mine = [at for at, line in enumerate(lines) if line[1] == name]
        field = next(step.revision.schema.field(name) for step in reversed(steps) if name in step.revision.schema.names)
        texts = numbers.written([value for at in mine for value in lines[at][2:]], field)
        written |= dict(zip(mine, zip(texts[::2], texts[1::2], strict=True), strict=True))
    rows = [
        [
            step.date.isoformat(),
            step.action,
            name,
            *written[at],
            str(step.revision.number),
            _known_at(step.revision.known_at),
        ]
        for at, (step, name, _, _) in enumerate(lines)
    ]
    render.print_table(_ROWS, rows)


def _known_at(moment: datetime) -> str:
    """Write an instant so that ``--as-of`` with it takes the revision in: rounded up to the millisecond."""
    up = moment.astimezone(UTC) + timedelta(microseconds=-moment.microsecond % 1000)
    return up.strftime("%Y-%m-%dT%H:%M:%S.") + f"{up.microsecond // 1000:03d}Z"


def _document(revision: Revision) -> dict[str, object]:
    return {
        "revision": revision.number,
        "known_at": revision.known_at,
        "run_id": revision.run_id,
        "ways": list(revision.ways),
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
