"""From holes to requests: which windows to ask for, so that everything is filled in few of them.

What belongs here: arithmetic on windows. A window is one upstream request per dataset and, shared by several datasets,
one run; to ask again for some days that are there costs less than either.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count, pairwise
from typing import Literal, cast

from macrocredit_assets.catalog import Catalog, SignalSpec
from macrocredit_assets.catalog.publication import last_due
from macrocredit_assets.errors import CorruptFileError, UsageError
from macrocredit_assets.holdings import Holdings
from macrocredit_assets.staleness import missing, stale
from macrocredit_assets.windows import Coverage, Window

__all__ = [
    "Chunk",
    "Request",
    "few",
    "fill",
    "if_answered",
    "requests",
    "stages",
    "uncovered_inputs",
    "whole",
    "windows_to_fill",
]

_DAY = timedelta(days=1)

#: So many days may be asked for again to save a request or a run.
_SLACK = 31
#: A dataset is asked for at most so many windows, however scattered its holes are.
_MOST = 8


@dataclass(frozen=True)
class Request:
    """One window, and the datasets that need it."""

    window: Window
    names: tuple[str, ...]


@dataclass(frozen=True)
class Chunk:
    """How much of a long window one run asks for: so many days, months or years.

    Examples
    --------
    >>> [str(part) for part in Chunk.parse("1y").split(Window.parse("2020-03-01", "2022-01-31"))]
    ['2020-03-01..2021-02-28', '2021-03-01..2022-01-31']
    """

    count: int
    unit: Literal["d", "m", "y"]

    @classmethod
    def parse(cls, text: str) -> Chunk:
        """Read ``30d``, ``6m`` or ``1y``; raise :class:`UsageError` where it is none of them."""
        found = re.fullmatch(r"([1-9][0-9]{0,3})([dmy])", text)
        if found is None:
            raise UsageError(f"{text!r} is no length of time; write it as 1y, 6m or 30d.")
        return cls(int(found[1]), cast("Literal['d', 'm', 'y']", found[2]))

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    def split(self, window: Window) -> Iterator[Window]:
        """Yield consecutive parts of a window, oldest first; the last one may be shorter."""
        start = window.start
        for number in count(1):
            following = self._after(window.start, number)
            if following is None or following > window.end:
                yield Window(start, window.end)
                return
            yield Window(start, following - _DAY)
            start = following

    def _after(self, start: date, number: int) -> date | None:
        """Return the first day after so many chunks, counted from the start so that a 31st stays one; or no date."""
        try:
            if self.unit == "d":
                return start + timedelta(days=number * self.count)
            months = start.month - 1 + number * self.count * (12 if self.unit == "y" else 1)
            year, month = start.year + months // 12, months % 12 + 1
            return date(year, month, min(start.day, monthrange(year, month)[1]))
        except (OverflowError, ValueError):
            return None


def whole(
    names: Sequence[str], window: Window, chunk: Chunk | None = None, done: Mapping[str, Coverage] | None = None
) -> Iterator[Request]:
    """Yield the requests that ask for all of a window, oldest part first.

    Parameters
    ----------
    names
        The datasets; inputs and the signals made from them share a request.
    window
        All dates.
    chunk
        How much of them a request asks for; None is everything.
    done
        Dataset -> what it need not be asked for again; a part that is done in part is asked for as a whole.
    """
    for part in chunk.split(window) if chunk else (window,):
        lacking = tuple(name for name in names if (done or {}).get(name, Coverage()).holes(part))
        if lacking:
            yield Request(part, lacking)


def fill(
    catalog: Catalog,
    names: Sequence[str],
    window: Window,
    look: Callable[[Sequence[Request]], Holdings],
    chunk: Chunk | None = None,
    again: Mapping[str, Coverage] | None = None,
) -> Iterator[Request]:
    """Yield the requests that fill what is missing or stale, inputs before the signals made from them.

    Parameters
    ----------
    catalog, names, window
        What may be asked for.
    look
        Takes the requests that were yielded, and returns what is stored after them: what a signal lacks is known when
        its inputs are filled.
    chunk
        How much a request asks for at most; None is no limit.
    again
        Dataset -> what it is asked for whether it is missing or not.
    """
    asked: list[Request] = []
    for stage in stages(catalog, names):
        windows = windows_to_fill(look(asked), stage, window)
        for name in stage:
            if again and name in again:
                windows[name] = few(windows.get(name, Coverage()).union(again[name]))
        found = [
            Request(part, request.names)
            for request in requests(windows)
            for part in (chunk.split(request.window) if chunk else (request.window,))
        ]
        asked += found
        yield from found


def if_answered(holdings: Holdings, asked: Sequence[Request]) -> Holdings:
    """Return holdings whose coverage is as if requests had been answered in full; rows are those that are stored."""
    after = Holdings(holdings.settings, holdings.catalog)
    for name in {name for request in asked for name in request.names}:
        windows = Coverage.of(request.window for request in asked if name in request.names)
        after[name].coverage = _coverage(holdings, name).union(windows)
    return after


def uncovered_inputs(holdings: Holdings, names: Sequence[str], window: Window, today: date) -> dict[str, Coverage]:
    """Return what signals read beside the names themselves, and was not ingested for a window; with the holes.

    Rows that nobody has published yet are no hole, nor are closed days. An input that is a signal itself is also here
    where one of its own inputs is.

    Parameters
    ----------
    holdings
        What is stored.
    names, window
        What is to be computed.
    today
        The date in New York.
    """
    found: dict[str, Coverage] = {}
    pending = [*names]
    order = holdings.catalog.names()
    reading: dict[str, None] = {}
    while pending:
        given = [name for name in holdings.catalog.inputs_of(pending.pop()) if name not in names]
        pending += [name for name in given if name not in reading]
        reading |= dict.fromkeys(given)
    for name in sorted(reading, key=order.index):
        holes = _due_holes(holdings, name, window, today)
        if holes or any(given in found for given in holdings.catalog.inputs_of(name)):
            found[name] = holes
    return found


def _due_holes(holdings: Holdings, name: str, window: Window, today: date) -> Coverage:
    entry = holdings.catalog.entry(name)
    end = window.end if isinstance(entry, SignalSpec) else min(window.end, last_due(entry, today))
    try:
        return missing(holdings, name, Window(window.start, end)) if end >= window.start else Coverage()
    except CorruptFileError:
        return Coverage()  # whoever reads it says so


def windows_to_fill(holdings: Holdings, names: Sequence[str], window: Window) -> dict[str, Coverage]:
    """Return, per dataset that lacks anything in a window, the few windows that fill its holes and stale days.

    One whose file, or an input's, cannot be read is asked for all of it: its own step says so, and the others go on.
    """
    found = {name: _lacking(holdings, name, window) for name in names}
    return {name: few(holes) for name, holes in found.items() if holes}


def _lacking(holdings: Holdings, name: str, window: Window) -> Coverage:
    try:
        return missing(holdings, name, window).union(stale(holdings, name, window))
    except CorruptFileError:
        return Coverage((window,))


def _coverage(holdings: Holdings, name: str) -> Coverage:
    try:
        return holdings[name].coverage
    except CorruptFileError:
        return Coverage()


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
