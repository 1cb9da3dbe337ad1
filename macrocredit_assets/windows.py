"""Closed windows of calendar dates, and sets of them.

What belongs here: arithmetic on dates, free of clocks, calendars and data. A :class:`Window` is what is asked for, a
:class:`Coverage` is what was answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from macrocredit_assets.errors import WindowError

__all__ = ["EARLIEST", "Coverage", "Window", "clip_to_past"]

#: The first partition of every dataset; older rows are stored without partitions.
EARLIEST = date(1990, 1, 1)

_DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Window:
    """A closed range of calendar dates, both ends included.

    Raises
    ------
    WindowError
        If the end lies before the start.

    Examples
    --------
    >>> Window(date(2024, 1, 1), date(2024, 1, 31)).days
    31
    >>> str(Window.parse("2024-01-01", "2024-01-31"))
    '2024-01-01..2024-01-31'
    """

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise WindowError(
                f"The window is reversed: it starts on {self.start} and ends on {self.end}. "
                f"Did you mean --start {self.end} --end {self.start}?"
            )

    @classmethod
    def parse(cls, start: str, end: str) -> Window:
        """Build a window from two ISO dates; raise :class:`WindowError` where one of them is none."""
        return cls(_parse_date(start), _parse_date(end))

    @property
    def days(self) -> int:
        """Number of calendar dates, closed days included."""
        return (self.end - self.start).days + 1

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.start <= day <= self.end

    def __iter__(self) -> Iterator[date]:
        return (self.start + timedelta(days=offset) for offset in range(self.days))

    def __str__(self) -> str:
        return f"{self.start}..{self.end}"

    def intersect(self, other: Window) -> Window | None:
        """Return the dates both windows have, or None."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Window(start, end) if start <= end else None


@dataclass(frozen=True)
class Coverage:
    """A set of dates as sorted, disjoint windows; windows that touch are merged.

    Build it with :meth:`of`, which takes windows in any order.

    Examples
    --------
    >>> jan, feb = Window.parse("2024-01-01", "2024-01-31"), Window.parse("2024-02-01", "2024-02-29")
    >>> str(Coverage.of([feb, jan]))
    '2024-01-01..2024-02-29'
    >>> str(Coverage.of([jan]).holes(Window.parse("2023-12-30", "2024-02-02")))
    '2023-12-30..2023-12-31, 2024-02-01..2024-02-02'
    """

    windows: tuple[Window, ...] = ()

    @classmethod
    def of(cls, windows: Iterable[Window]) -> Coverage:
        """Merge windows into a coverage."""
        merged: list[Window] = []
        for window in sorted(windows):
            if merged and window.start <= merged[-1].end + _DAY:
                merged[-1] = Window(merged[-1].start, max(merged[-1].end, window.end))
            else:
                merged.append(window)
        return cls(tuple(merged))

    @classmethod
    def from_pairs(cls, pairs: Iterable[Sequence[str]]) -> Coverage:
        """Read what :meth:`to_pairs` wrote."""
        return cls.of(Window.parse(start, end) for start, end in pairs)

    def to_pairs(self) -> list[list[str]]:
        """Return ``[["2024-01-01", "2024-12-31"], ...]``, the form that files hold."""
        return [[window.start.isoformat(), window.end.isoformat()] for window in self.windows]

    @property
    def days(self) -> int:
        """Number of covered calendar dates."""
        return sum(window.days for window in self.windows)

    def __bool__(self) -> bool:
        return bool(self.windows)

    def __contains__(self, day: object) -> bool:
        return any(day in window for window in self.windows)

    def __str__(self) -> str:
        return ", ".join(map(str, self.windows)) or "nothing"

    def union(self, other: Coverage) -> Coverage:
        """Return the dates that either has."""
        return Coverage.of((*self.windows, *other.windows))

    def intersect(self, other: Coverage) -> Coverage:
        """Return the dates that both have."""
        shared = (mine.intersect(theirs) for mine in self.windows for theirs in other.windows)
        return Coverage.of(window for window in shared if window is not None)

    def without(self, other: Coverage) -> Coverage:
        """Return the dates that the other has not."""
        return Coverage.of(left for window in self.windows for left in other.holes(window).windows)

    def clip(self, window: Window) -> Coverage:
        """Return the covered part of a window."""
        return self.intersect(Coverage((window,)))

    def holes(self, window: Window) -> Coverage:
        """Return the dates of a window that are not covered."""
        holes: list[Window] = []
        cursor = window.start
        for covered in self.clip(window).windows:
            if cursor < covered.start:
                holes.append(Window(cursor, covered.start - _DAY))
            cursor = covered.end + _DAY
        if cursor <= window.end:
            holes.append(Window(cursor, window.end))
        return Coverage(tuple(holes))


def clip_to_past(start: date, end: date | None, yesterday: date) -> tuple[Window, str | None]:
    """Turn a requested range into a window of closed days.

    Parameters
    ----------
    start, end
        What was asked for; an end of None means yesterday.
    yesterday
        The last closed day.

    Returns
    -------
    tuple[Window, str or None]
        The window, and one sentence for people where its end is not the one that was asked for.

    Raises
    ------
    WindowError
        If the range is reversed, starts before :data:`EARLIEST`, or has no closed day.

    Examples
    --------
    >>> window, notice = clip_to_past(date(2024, 1, 2), date(2024, 2, 9), yesterday=date(2024, 1, 31))
    >>> str(window)
    '2024-01-02..2024-01-31'
    >>> notice
    '2024-02-09 is not over yet: the window ends on 2024-01-31, yesterday in New York.'
    """
    if end is not None:
        Window(start, end)  # a reversed request is refused as it was written, before anything is clipped
    if start < EARLIEST:
        raise WindowError(f"The window starts on {start}, before the first partition. Use --start {EARLIEST} or later.")
    if start > yesterday:
        raise WindowError(
            f"The window starts on {start}, and no day of it is over yet: the last one is {yesterday}, yesterday in "
            f"New York. Use --start {yesterday} or earlier."
        )
    if end is None or end <= yesterday:
        return Window(start, end or yesterday), None
    notice = f"{end} is not over yet: the window ends on {yesterday}, yesterday in New York."
    return Window(start, yesterday), notice


def _parse_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise WindowError(f"{text!r} is no date; write it as YYYY-MM-DD, such as 2024-01-31.") from error
