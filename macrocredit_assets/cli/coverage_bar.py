"""Coverage as a bar of characters, on one axis for all datasets; of however long an axis, one missing session shows."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from macrocredit_assets.windows import Window

if TYPE_CHECKING:
    from macrocredit_assets.status import DatasetStatus

__all__ = ["axis", "bar", "header", "legend"]

#: What an axis has at least, so that a young root does not look like a long history.
_SHORTEST = timedelta(days=30)


@dataclass(frozen=True)
class _Glyphs:
    covered: str
    early: str
    stale: str
    part: str
    none: str


_BLOCKS = _Glyphs(covered="█", early="─", stale="▒", part="▄", none="·")
_ASCII = _Glyphs(covered="#", early="-", stale="~", part="+", none=".")


def axis(found: Sequence[DatasetStatus], until: date) -> Window:
    """Return the dates that bars stand for: from the first covered one of all datasets."""
    starts = [status.coverage.windows[0].start for status in found if status.coverage]
    return Window(min([*starts, until - _SHORTEST]), until)


def header(span: Window, width: int) -> str:
    """Return the ends of the axis, as far apart as a bar is long."""
    form = "%Y-%m" if width >= len("2024-01  2024-01") else "%Y"
    first, last = f"{span.start:{form}}", f"{span.end:{form}}"
    return first + last.rjust(width - len(first))


def bar(status: DatasetStatus, span: Window, width: int) -> str:
    """Return one character per part of the axis; the worst in it decides."""
    glyphs = _glyphs()
    if not status.coverage:
        return glyphs.none * width
    covered = _any(status.coverage.windows, span, width)
    marked = _any((hole.window for hole in status.holes), span, width)
    old = _any((days.window for days in status.stale), span, width)
    observed = _any([Window(status.first, max(status.first, span.end))] if status.first else [], span, width)
    cells = np.where(observed, glyphs.covered, glyphs.early)
    cells = np.where(old, glyphs.stale, cells)
    cells = np.where(marked, glyphs.part, cells)
    return "".join(np.where(covered, cells, glyphs.none))


def legend() -> str:
    """Return what the characters mean."""
    glyphs = _glyphs()
    return (
        f"{glyphs.covered} covered  {glyphs.part} in part  {glyphs.none} not covered  "
        f"{glyphs.stale} stale  {glyphs.early} covered, before the first row"
    )


def _any(windows: Iterable[Window], span: Window, width: int) -> npt.NDArray[np.bool_]:
    """Return, for each part of the axis, whether a day of the windows lies in it."""
    marked = np.zeros(width, dtype=bool)
    for window in windows:
        inside = window.intersect(span)
        if inside is not None:
            first = (inside.start - span.start).days * width // span.days
            last = (inside.end - span.start).days * width // span.days
            marked[first : last + 1] = True
    return marked


def _glyphs() -> _Glyphs:
    # a pipe may have another encoding than the terminal
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower()
    return _BLOCKS if encoding.startswith("utf") else _ASCII
