"""What revisions did to rows, as people read it, and how an instant is written.

What belongs here: presentation that ``revisions`` and ``trace`` share.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from macrocredit_assets.cli import numbers, render

if TYPE_CHECKING:
    from macrocredit_assets.trace import RowChange

__all__ = ["known_at", "print_changes"]

_ROWS = (
    render.Column("date", style="cyan"),
    render.Column("action"),
    render.Column("column"),
    render.Column("old", right=True),
    render.Column("new", right=True),
    render.Column("rev.", right=True),
    render.Column("known at", optional=True),
)


def print_changes(changes: Sequence[RowChange]) -> None:
    """Print what became of each value: before, after, and since when that is known."""
    lines = [(change, *cell) for change in changes for cell in change.cells()]
    written: dict[int, tuple[str, str]] = {}
    for name in {line[1] for line in lines}:
        mine = [at for at, line in enumerate(lines) if line[1] == name]
        field = next(
            change.revision.schema.field(name) for change in reversed(changes) if name in change.revision.schema.names
        )
        texts = numbers.written([value for at in mine for value in lines[at][2:]], field)
        written |= dict(zip(mine, zip(texts[::2], texts[1::2], strict=True), strict=True))
    rows = [
        [
            change.date.isoformat(),
            change.action,
            name,
            *written[at],
            str(change.revision.number),
            known_at(change.revision.known_at),
        ]
        for at, (change, name, _, _) in enumerate(lines)
    ]
    render.print_table(_ROWS, rows)


def known_at(moment: datetime) -> str:
    """Write an instant so that ``--as-of`` with it takes the revision in: rounded up to the millisecond."""
    up = moment.astimezone(UTC) + timedelta(microseconds=-moment.microsecond % 1000)
    return up.strftime("%Y-%m-%dT%H:%M:%S.") + f"{up.microsecond // 1000:03d}Z"
