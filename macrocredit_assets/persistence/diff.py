"""What comes out when rows meet stored rows: pure arrays in, arrays and counts out.

What belongs here: the one place that decides which of two values wins. Vectorised: a window of one day in a file of
twenty years costs a copy of the arrays, nothing per row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from macrocredit_assets.persistence.records import Change
from macrocredit_assets.persistence.rows import Rows, join
from macrocredit_assets.windows import Coverage, Window

__all__ = ["ACTIONS", "CHANGES_KEPT", "Delta", "Merge", "merge"]

#: What a revision says of a row; a :class:`Delta` holds positions in this tuple.
ACTIONS = ("insert", "change", "withdraw")
_INSERT, _CHANGE, _WITHDRAW = range(len(ACTIONS))

#: How many old and new values, and how many dates, a write reports: the newest. The numbers of rows are complete.
CHANGES_KEPT = 20


@dataclass(frozen=True)
class Delta:
    """The rows that a write touched, by date: whole rows as they are afterwards, without values where withdrawn."""

    rows: Rows
    actions: npt.NDArray[np.int8]

    @classmethod
    def of(cls, inserted: Rows, changed: Rows, withdrawn: Rows) -> Delta:
        """Put three disjoint sets of rows in the order of their dates."""
        rows = join([inserted, changed, withdrawn.blank()])
        sizes = [len(inserted), len(changed), len(withdrawn)]
        actions = np.repeat(np.array([_INSERT, _CHANGE, _WITHDRAW], np.int8), sizes)
        order = np.argsort(rows.days, kind="stable")
        return cls(rows.take(order), actions[order])

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many rows were inserted, changed and withdrawn."""
        inserted, changed, withdrawn = np.bincount(self.actions, minlength=len(ACTIONS)).tolist()
        return inserted, changed, withdrawn

    @property
    def withdrawn(self) -> npt.NDArray[np.bool_]:
        """Which rows were withdrawn."""
        return np.equal(self.actions, _WITHDRAW)


@dataclass(frozen=True)
class Merge:
    """The rows after a write, and what became of those inside its window.

    ``inserted``, ``changed``, ``unchanged``, ``vanished`` and ``withdrawn`` count rows. A row of which one value was
    restated and another came empty is both ``changed`` and ``vanished``; one that did not come and of which nothing was
    said is none of them; every other row counts once.
    """

    rows: Rows
    inserted: int
    changed: int
    unchanged: int
    vanished: int
    withdrawn: int
    changes: tuple[Change, ...]
    vanished_dates: tuple[date, ...]
    delta: Delta
    inserted_dates: tuple[date, ...] = ()

    @classmethod
    def of_nothing(cls, stored: Rows) -> Merge:
        """Return what it is when stored rows stay as they are."""
        nothing = stored.take(slice(0, 0))
        return cls(stored, 0, 0, len(stored), 0, 0, (), (), Delta.of(nothing, nothing, nothing))

    @classmethod
    def of_everything(cls, rows: Rows) -> Merge:
        """Return what it is when all stored rows are written anew."""
        nothing = rows.take(slice(0, 0))
        return cls(rows, 0, len(rows), 0, 0, 0, (), (), Delta.of(nothing, rows, nothing))


def merge(
    stored: Rows,
    incoming: Rows,
    window: Window,
    schema: pa.Schema,
    *,
    answered: Coverage | None = None,
    replace: bool = False,
    withdraw: bool = False,
) -> Merge:
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
    answered
        The dates of which something was said; None means the whole window. An absent row of another date is kept, and
        has not vanished.
    replace
        False: stored rows and values that did not come are kept. True: the window's rows become exactly ``incoming``.
    withdraw
        Absent rows of answered dates are withdrawn.
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
    told = _within(absent, Coverage((window,)) if answered is None else answered)
    gone = np.ones(len(absent), np.bool_) if replace else told & withdraw
    fresh, kept = incoming.take(~known), absent.take(~gone)
    missed = absent.take(told & ~gone)
    middle = _sorted([fresh, settled, kept])
    lost_days = np.sort(np.concatenate([missed.days, new.days[vanished]]))[-CHANGES_KEPT:]
    return Merge(
        rows=join([stored.take(slice(0, where.start)), middle, stored.take(slice(where.stop, None))]),
        inserted=len(fresh),
        changed=int(changed.sum()),
        unchanged=int((~changed & ~vanished).sum()),
        vanished=int(vanished.sum()) + len(missed),
        withdrawn=int(gone.sum()),
        changes=_changes(old, new, differs, schema),
        vanished_dates=tuple(lost_days.tolist()),
        delta=Delta.of(fresh, settled.take(changed), absent.take(gone)),
        inserted_dates=tuple(np.sort(fresh.days)[-CHANGES_KEPT:].tolist()),
    )


def _within(rows: Rows, coverage: Coverage) -> npt.NDArray[np.bool_]:
    mask = np.zeros(len(rows), np.bool_)
    for window in coverage.windows:
        mask[rows.locate(window.start, window.end)] = True
    return mask


def _changes(old: Rows, new: Rows, differs: npt.NDArray[np.bool_], schema: pa.Schema) -> tuple[Change, ...]:
    cells = np.argwhere(differs)[-CHANGES_KEPT:]
    return tuple(
        Change(
            date=new.date(row),
            column=schema.field(int(column)).name,
            old=old.value(row, column, schema.field(int(column)).type),
            new=new.value(row, column, schema.field(int(column)).type),
        )
        for row, column in cells
    )


def _sorted(parts: Sequence[Rows]) -> Rows:
    joined = join(parts)
    return joined.take(np.argsort(joined.days, kind="stable"))
