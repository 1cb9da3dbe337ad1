"""What the revisions of a dataset did to its rows, with the values before and after.

What belongs here: the history of rows. Where a revision's values came from is in ``origins.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from macrocredit_assets.persistence import DatasetStore, Revision
from macrocredit_assets.windows import Window

__all__ = ["RowChange", "Values", "row_changes"]

#: Column -> value; None where the row has none.
Values: TypeAlias = Mapping[str, float | int | None]


@dataclass(frozen=True)
class RowChange:
    """What one revision did to one row; a side is None where there was no row."""

    revision: Revision
    date: date
    old: Values | None
    new: Values | None

    @property
    def action(self) -> str:
        """``insert``, ``change`` or ``withdraw``; of a row that was there when all began anew, the revision's kind."""
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
        """Return plain values."""
        return {
            "date": self.date.isoformat(),
            "action": self.action,
            "old": self.old,
            "new": self.new,
            "revision": self.revision.number,
            "known_at": self.revision.known_at,
        }


def row_changes(store: DatasetStore, window: Window) -> Iterator[RowChange]:
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
            yield RowChange(revision, day, rows.pop(day, None), new)
            if new is not None:
                rows[day] = new
