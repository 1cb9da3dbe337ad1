"""Which dates of a window sources have answered, and what is to be said of the others.

What belongs here: how coverage follows from where answers begin, end, and have long holes. A day that no way speaks of
stays open. What must not: fetching, and what values are like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import pandas as pd

from macrocredit_assets.catalog.calendars import is_session_of, sessions_of
from macrocredit_assets.catalog.models import DatasetSpec
from macrocredit_assets.catalog.publication import awaited, is_due
from macrocredit_assets.findings import SHOWN, Finding
from macrocredit_assets.ingest.beside import Beside
from macrocredit_assets.ingest.holes import SOURCE_GAPS, Answer, GapRule, find_holes
from macrocredit_assets.quality import finding
from macrocredit_assets.windows import EARLIEST, Coverage, Window

__all__ = ["after_the_end", "answering"]

_DAY = timedelta(days=1)
_LISTED = 3

# of what is not answered: which dates, and what is said of them
_Unanswered = tuple[Coverage, tuple[Finding, ...]]


def answering(
    spec: DatasetSpec,
    window: Window,
    answers: Sequence[Answer],
    rows: pd.DatetimeIndex,
    today: date,
    *,
    stored: Beside | None = None,
    gaps: GapRule = SOURCE_GAPS,
) -> tuple[Coverage, tuple[Finding, ...]]:
    """Return the dates of a window that are answered, and what is to be said of it.

    An answer speaks of the dates from its first row to its last, and of the closed days after that; not of stretches in
    which it has no row for longer than can be, nor of sessions inside their publication lag. Days before the first row
    of all are answered, for there is nothing; save where rows are stored from before it: then history was cut off.

    Parameters
    ----------
    spec, window
        What was asked for.
    answers
        Where the answer of each way begins and ends.
    rows
        The dates inside the window that have a row in one of the answers; sorted and unique.
    today
        The date in New York.
    stored
        What is held of the series.
    gaps
        How long a stretch without a row is believed.
    """
    asked = _Asked(spec, window, answers, rows, today, stored)
    if not asked.lasts:
        return Coverage(), (finding("stale_source", f"{spec.name}: the source holds no value at all"),)
    parts = [_before(asked), _within(asked, gaps), _behind(asked), _waiting(asked)]
    unanswered = Coverage.of(each for coverage, _ in parts for each in coverage.windows)
    findings = tuple(one for _, found in parts for one in found)
    return Coverage((window,)).without(unanswered), (*_earlier(asked, gaps), *findings)


def after_the_end(spec: DatasetSpec, window: Window) -> bool:
    """Return whether a series had ended before a window."""
    return spec.ended is not None and window.start > spec.ended


@dataclass(frozen=True)
class _Asked:
    spec: DatasetSpec
    window: Window
    answers: Sequence[Answer]
    rows: pd.DatetimeIndex
    today: date
    stored: Beside | None
    lasts: list[date] = field(init=False)

    def __post_init__(self) -> None:
        lasts = [answer.last for answer in self.answers if answer.last is not None]
        if self.spec.ended is not None and after_the_end(self.spec, self.window):
            lasts.append(self.spec.ended)
        object.__setattr__(self, "lasts", lasts)

    @property
    def first(self) -> date | None:
        return min((answer.first for answer in self.answers if answer.first is not None), default=None)

    @property
    def reached(self) -> date:
        """The last date that was spoken of: closed days are answered with the session before them."""
        last = max(self.lasts)
        while last < self.window.end and not is_session_of(self.spec, last + _DAY):
            last += _DAY
        return last

    @property
    def held(self) -> Coverage:
        return self.stored.coverage if self.stored else Coverage()

    def days_held(self, window: Window) -> tuple[date, ...]:
        return self.stored.days_in(window) if self.stored else ()

    def fate(self, window: Coverage) -> str:
        """Say what becomes of dates that are not answered: what was covered stays so."""
        left = window.without(self.held)
        if not left:
            return f"{_listed(window)} was covered before, and stays so"
        return f"{_listed(left)} stays open"


def _before(asked: _Asked) -> _Unanswered:
    """Say which dates lie before everything that the source holds."""
    spec, window, first = asked.spec, asked.window, asked.first
    if first is None or window.start >= first:
        return Coverage(), ()
    before = Window(window.start, min(first - _DAY, window.end))
    sessions, days = len(sessions_of(spec, before)), asked.days_held(before)
    if not sessions and not days:
        return Coverage(), ()
    begins = f"{spec.name}: the source begins on {first}"
    if asked.stored is None or asked.stored.first is None or asked.stored.first >= first:
        message = f"{begins}; {before} is covered without a row of it"
        return Coverage(), (finding("source_begins", message, sessions),)
    unanswered = Coverage((before,))
    kept = f"{_kept(len(days), 'before')}; " if days else f"rows are stored from {asked.stored.first} on; "
    message = f"{begins}; {kept}{asked.fate(unanswered)}"
    return unanswered, (finding("truncated", message, len(days) or sessions, _dates(days)),)


def _within(asked: _Asked, gaps: GapRule) -> _Unanswered:
    """Say where no way has a row between the first and the last of all, for longer than is believed."""
    spec = asked.spec
    wide, between = find_holes(spec, asked.window, asked.answers, asked.rows, gaps)
    findings = []
    if wide:
        stretches = "1 stretch" if len(wide) == 1 else f"{len(wide)} stretches"
        count = sum(hole.sessions for hole in wide)
        dates = Coverage.of(hole.window for hole in wide)
        message = (
            f"{spec.name}: {gaps.who} has no row on {count} sessions, in {stretches} of more than {gaps.longest} in a "
            f"row; {asked.fate(dates)}"
        )
        examples = tuple({"start": str(hole.window.start), "end": str(hole.window.end)} for hole in wide[:SHOWN])
        findings.append(finding(gaps.rule, message, count, examples))
    for hole in between:
        message = (
            f"{spec.name}: {hole.ends} ends on {hole.last} and {hole.begins} begins on {hole.next}, with no way in "
            f"between; {asked.fate(Coverage((hole.window,)))}"
        )
        findings.append(finding("between_ways", message, hole.sessions))
    return Coverage.of(hole.window for hole in (*wide, *between)), tuple(findings)


def _behind(asked: _Asked) -> _Unanswered:
    """Say which dates the source has not come to, or has fallen back behind."""
    spec, window, reached = asked.spec, asked.window, asked.reached
    if reached >= window.end:
        return Coverage(), ()
    rest = Window(max(reached + _DAY, window.start), window.end)
    unanswered = Coverage((rest,))
    days = asked.days_held(rest)
    if not days and not is_due(spec, reached + _DAY, asked.today):
        return unanswered, ()
    kept = f"{_kept(len(days), 'after')}; " if days else ""
    message = f"{spec.name}: the source goes until {max(asked.lasts)}; {kept}{asked.fate(unanswered)}"
    return unanswered, (finding("stale_source", message),)


def _waiting(asked: _Asked) -> _Unanswered:
    """Say which sessions may still get their row; one that had it, and lost it, is not waited for."""
    spec, window = asked.spec, asked.window
    waiting = awaited(spec, window, {*asked.rows.date, *asked.days_held(window)}, asked.today)
    if not waiting:
        return Coverage(), ()
    message = f"{spec.name}: the source has no row yet; its publication lag is {spec.publication_lag} sessions"
    unanswered = Coverage.of(Window(day, day) for day in waiting)
    return unanswered, (finding("not_yet_published", message, len(waiting), _dates(waiting)),)


def _earlier(asked: _Asked, gaps: GapRule) -> tuple[Finding, ...]:
    """Say where days are covered without a row because the source once began later than it does now."""
    spec, stored, first = asked.spec, asked.stored, asked.first
    if stored is None or first is None or not stored.coverage:
        return ()
    start, end = max(first, EARLIEST), stored.first or stored.coverage.windows[-1].end + _DAY
    if end <= start:
        return ()
    empty = stored.coverage.clip(Window(start, end - _DAY)).without(Coverage((asked.window,)))
    count = sum(len(sessions_of(spec, window)) for window in empty.windows)
    # a gap at the beginning of what is stored is believed, unless the source shows a row in it
    if not count or (first not in empty and count <= gaps.longest):
        return ()
    start, end = empty.windows[0].start, empty.windows[-1].end
    sessions = "1 session" if count == 1 else f"{count} sessions"
    message = (
        f"{spec.name}: the source now goes back to {asked.first}, while {sessions} of {start}..{end} "
        f"{'is' if count == 1 else 'are'} covered without a row, from when it had none; ask for it again: "
        f"macrocredit backfill {spec.name} --start {start} --end {end}"
    )
    return (finding("earlier_history", message, count),)


def _kept(count: int, where: str) -> str:
    return f"1 stored row {where} it is kept" if count == 1 else f"{count} stored rows {where} it are kept"


def _dates(days: Sequence[date]) -> tuple[dict[str, str], ...]:
    return tuple({"date": day.isoformat()} for day in days[:SHOWN])


def _listed(dates: Coverage) -> str:
    more = len(dates.windows) - _LISTED
    return str(Coverage(dates.windows[:_LISTED])) + (f" and {more} more" if more > 0 else "")
