"""From holes to requests: which windows to ask for, so that everything is filled in few of them.

What belongs here: arithmetic on windows. A window is one upstream request per dataset and, shared by several datasets,
one run; to ask again for some days that are there costs less than either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from macrocredit_assets.catalog import Catalog
from macrocredit_assets.holdings import Holdings
from macrocredit_assets.staleness import missing, stale
from macrocredit_assets.windows import Coverage, Window

__all__ = ["Request", "few", "requests", "stages", "windows_to_fill"]

#: So many days may be asked for again to save a request or a run.
_SLACK = 31
#: A dataset is asked for at most so many windows, however scattered its holes are.
_MOST = 8


@dataclass(frozen=True)
class Request:
    """One window, and the datasets that need it."""

    window: Window
    names: tuple[str, ...]


def windows_to_fill(holdings: Holdings, names: Sequence[str], window: Window) -> dict[str, Coverage]:
    """Return, per dataset that lacks anything in a window, the few windows that fill its holes and stale days."""
    found = {name: missing(holdings, name, window).union(stale(holdings, name, window)) for name in names}
    return {name: few(holes) for name, holes in found.items() if holes}


def few(holes: Coverage) -> Coverage:
    """Return windows that have all days of the holes, and no more windows than it takes.

    Holes are joined where no more than 31 days lie between them, and then the nearest ones until 8 windows are left.

    Examples
    --------
    >>> scattered = [Window.parse(f"2024-0{month}-05", f"2024-0{month}-06") for month in (1, 2, 7)]
    >>> str(few(Coverage.of(scattered)))
    '2024-01-05..2024-02-06, 2024-07-05..2024-07-06'
    """
    windows = holes.windows
    gaps = [(after.start - before.end).days - 1 for before, after in pairwise(windows)]
    wide = [place for place, gap in enumerate(gaps) if gap > _SLACK]
    kept = sorted(sorted(wide, key=lambda place: gaps[place], reverse=True)[: _MOST - 1])
    ends = [*kept, len(gaps)] if windows else []
    starts = [0, *(place + 1 for place in kept)]
    return Coverage(
        tuple(Window(windows[first].start, windows[last].end) for first, last in zip(starts, ends, strict=False))
    )


def requests(windows: Mapping[str, Coverage]) -> tuple[Request, ...]:
    """Return the requests that ask every dataset for its windows.

    Datasets whose windows are much the same - other calendars, sources that end some days apart - share a request.
    """
    wanted = sorted((window, name) for name, each in windows.items() for window in each.windows)
    groups: list[list[tuple[Window, str]]] = []
    for window, name in wanted:
        group = next((group for group in groups if _fits([*(member for member, _ in group), window])), None)
        if group is None:
            groups.append([(window, name)])
        else:
            group.append((window, name))
    order = {name: place for place, name in enumerate(windows)}
    return tuple(
        Request(
            _hull([window for window, _ in group]), tuple(sorted({name for _, name in group}, key=order.__getitem__))
        )
        for group in groups
    )


def stages(catalog: Catalog, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield the names in groups: datasets of a source first, then signals, each after the group that has its inputs."""
    waiting = [name for name in catalog.names() if name in names]
    while waiting:
        ready = tuple(name for name in waiting if not any(given in waiting for given in catalog.inputs_of(name)))
        yield ready
        waiting = [name for name in waiting if name not in ready]


def _fits(windows: Sequence[Window]) -> bool:
    """Tell whether one window for all would have few days more than each of them needs."""
    return _hull(windows).days - min(window.days for window in windows) <= _SLACK


def _hull(windows: Sequence[Window]) -> Window:
    return Window(min(window.start for window in windows), max(window.end for window in windows))
