"""What comes out when rows meet stored rows: pure arrays in, arrays and counts out.

What belongs here: the one place that decides which of two values wins. Vectorised: a window of one day in a file of
twenty years costs a copy of the arrays, nothing per row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from macrocredit_assets.persistence.records import Change
from macrocredit_assets.persistence.rows import Rows
from macrocredit_assets.windows import Window

__all__ = ["CHANGES_KEPT", "Merge", "merge"]

#: How many old and new values a write reports; the number of changed rows is always complete.
CHANGES_KEPT = 20


@dataclass(frozen=True)
class Merge:
    """The rows after a write, and what became of those inside its window.

    ``inserted``, ``changed``, ``unchanged``, ``vanished`` and ``withdrawn`` count rows. A row of which one value was
    restated and another came empty is both ``changed`` and ``vanished``; every other row counts once.
    """

    rows: Rows
    inserted: int
    changed: int
    unchanged: int
    vanished: int
    withdrawn: int
    changes: tuple[Change, ...]

    @property
    def alters(self) -> bool:
        """Whether any stored row is touched."""
        return bool(self.inserted or self.changed or self.withdrawn)


def merge(stored: Rows, incoming: Rows, window: Window, schema: pa.Schema, *, replace: bool) -> Merge:
    """Merge incoming rows into the stored ones.

    Parameters
    ----------
    stored
        All rows of the dataset.
    incoming
        Rows inside ``window``, of the same columns.
    window
        The window that is being written; rows outside stay as they are.
    schema
        Names and types of the columns.
    replace
        False: stored rows and values that did not come are kept. True: the window's rows become exactly ``incoming``.
    """
    where = stored.locate(window.start, window.end)
    inside = stored.take(where)
    known = np.isin(incoming.days, inside.days, assume_unique=True)
    matched = np.isin(inside.days, incoming.days, assume_unique=True)
    old, new = inside.take(matched), incoming.take(known)
    lost = np.zeros_like(new.valid) if replace else old.valid & ~new.valid
    differs = ((old.bits != new.bits) | (old.valid != new.valid)) & ~lost
    changed, vanished = differs.any(axis=1), lost.any(axis=1)
    settled = Rows(new.days, np.where(lost, old.bits, new.bits), new.valid | lost)
    absent = inside.take(~matched)
    kept = Rows.none(len(schema)) if replace else absent
    middle = _sorted([incoming.take(~known), settled, kept])
    return Merge(
        rows=_joined([stored.take(slice(0, where.start)), middle, stored.take(slice(where.stop, None))]),
        inserted=int((~known).sum()),
        changed=int(changed.sum()),
        unchanged=int((~changed & ~vanished).sum()),
        vanished=int(vanished.sum()) + len(kept),
        withdrawn=len(absent) - len(kept),
        changes=_changes(old, new, differs, schema),
    )


def _changes(old: Rows, new: Rows, differs: npt.NDArray[np.bool_], schema: pa.Schema) -> tuple[Change, ...]:
    cells = np.argwhere(differs)[:CHANGES_KEPT]
    return tuple(
        Change(
            date=new.date(row),
            column=schema.field(int(column)).name,
            old=old.value(row, column, schema.field(int(column)).type),
            new=new.value(row, column, schema.field(int(column)).type),
        )
        for row, column in cells
    )


def _joined(parts: Sequence[Rows]) -> Rows:
    return Rows(
        np.concatenate([part.days for part in parts]),
        np.concatenate([part.bits for part in parts]),
        np.concatenate([part.valid for part in parts]),
    )


def _sorted(parts: Sequence[Rows]) -> Rows:
    joined = _joined(parts)
    return joined.take(np.argsort(joined.days, kind="stable"))
