"""Fetch a window by every way of a route, and say which of its days were answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from time import perf_counter

import numpy as np
import pandas as pd

from macrocredit_assets.catalog.calendars import is_session_of, sessions_of
from macrocredit_assets.catalog.models import DatasetSpec, FileWay, Way
from macrocredit_assets.catalog.publication import awaited, is_due
from macrocredit_assets.findings import Finding
from macrocredit_assets.ingest.judged import accepted, conform, stop_on_errors
from macrocredit_assets.ingest.results import Ingested
from macrocredit_assets.quality import check_accepted, finding, judge
from macrocredit_assets.sources.base import Fetched, Source
from macrocredit_assets.sources.profiles import Route, way_label
from macrocredit_assets.windows import Coverage, Window

__all__ = ["ingest"]

_DAY = timedelta(days=1)
_SHOWN = 5


def ingest(
    spec: DatasetSpec,
    window: Window,
    route: Route,
    sources: Mapping[str, Source],
    *,
    today: date,
    accept: frozenset[str] = frozenset(),
    stored: pd.DataFrame | None = None,
    again: str | None = None,
) -> Ingested:
    """Fetch a window by every way of a route, merge, judge and conform it.

    Ways of one series extend one another: on a date that several have, the row of the earlier way stands. An equal
    duplicate is dropped and counted; of a conflicting one that was accepted, the last in the source's order is kept.

    Parameters
    ----------
    spec, window, route, sources
        What to fetch, and how; the route comes from :func:`macrocredit_assets.sources.profiles.choose`.
    today
        The date in New York: it decides which sessions are inside their publication lag.
    accept
        Rules of severity ``error`` in spite of which the window is stored.
    stored
        Rows already held in and around the window, against which levels are compared.
    again
        The command to name where a rule that stops the write can be waived; None is a backfill of the window.

    Raises
    ------
    SourceError
        If a way does not give what it was asked for; no other way of the series fills in silently.
    RuleViolationError
        If a finding of severity ``error`` remains.
    UsageError
        If ``accept`` names a rule that cannot be waived.
    """
    check_accepted(accept)
    started = perf_counter()
    answers = [_ask(sources[way.source], spec, way, window) for way in route.ways]
    fetched = perf_counter()
    merged, superseded = _merge([answer.frame for answer in answers])
    findings = judge(spec, merged, stored, accept=accept)
    stop_on_errors(spec, window, findings, again)
    frame = conform(spec, merged)
    answered, open_end = _answered(spec, window, answers, frame.index, today)
    answered, begins = _since_beginning(spec, answered, answers, stored)
    dropped = _counts(answers, superseded, len(merged) - len(frame))
    return Ingested(
        frame=frame,
        series=route.series,
        window=window,
        answered=answered,
        ways=tuple(answer.label or way_label(way) for way, answer in zip(route.ways, answers, strict=True)),
        rows_read=sum(answer.rows_read for answer in answers),
        dropped=dropped,
        findings=findings + begins + open_end + tuple(one for answer in answers for one in answer.findings),
        accepted=accepted(findings, accept),
        seconds={"fetch": fetched - started, "conform": perf_counter() - fetched},
        landing=tuple(dict.fromkeys(path for answer in answers for path in answer.landing)),
    )


def _ask(source: Source, spec: DatasetSpec, way: Way, window: Window) -> Fetched:
    if isinstance(way, FileWay) or not _after_the_end(spec, window):
        return source.fetch(spec, way, window)
    # nobody publishes anything then: what is not asked cannot fail every morning
    index = pd.DatetimeIndex([], dtype="datetime64[us]", name="date")
    nothing = pd.DataFrame({name: pd.Series(index=index, dtype="float64") for name in spec.columns}, index)
    return Fetched(nothing, first=None, last=None, rows_read=0)


def _after_the_end(spec: DatasetSpec, window: Window) -> bool:
    return spec.ended is not None and window.start > spec.ended


def _merge(frames: Sequence[pd.DataFrame]) -> tuple[pd.DataFrame, int]:
    """Append to each frame the dates that only later ones have; return them and how many rows were left out."""
    merged, superseded = frames[0], 0
    for frame in frames[1:]:
        known = np.asarray(frame.index.isin(merged.index))
        superseded += int(known.sum())
        if not known.all():
            merged = pd.concat([merged, frame[~known]]) if len(merged) else frame
    return merged, superseded


def _counts(answers: Sequence[Fetched], superseded: int, duplicates: int) -> dict[str, int]:
    totals: dict[str, int] = {}
    for answer in answers:
        for reason, count in answer.dropped.items():
            totals[reason] = totals.get(reason, 0) + count
    for reason, count in (("superseded", superseded), ("duplicate", duplicates)):
        if count:
            totals[reason] = totals.get(reason, 0) + count
    return totals


def _answered(
    spec: DatasetSpec, window: Window, answers: Sequence[Fetched], index: pd.Index, today: date
) -> tuple[Coverage, tuple[Finding, ...]]:
    """Return the dates of a window that the sources answered, and what is to be said of the others."""
    lasts = [answer.last for answer in answers if answer.last is not None]
    if spec.ended is not None and _after_the_end(spec, window):
        lasts.append(spec.ended)
    if not lasts:
        return Coverage(), (finding("stale_source", f"{spec.name}: the source holds no value at all"),)
    reached = _over_closed_days(spec, max(lasts), window.end)
    waiting = awaited(spec, window, set(pd.DatetimeIndex(index).date), today)
    answered = Coverage()
    if reached >= window.start:
        # a day that is waited for is a hole in what the source has reached
        answered = Coverage.of(Window(day, day) for day in waiting).holes(
            Window(window.start, min(reached, window.end))
        )
    findings = []
    if reached < window.end and is_due(spec, reached + _DAY, today):
        rest = f"{max(reached + _DAY, window.start)}..{window.end} stays open"
        findings.append(finding("stale_source", f"{spec.name}: the source goes until {max(lasts)}; {rest}"))
    if waiting:
        message = f"{spec.name}: the source has no row yet; its publication lag is {spec.publication_lag} sessions"
        examples = tuple({"date": day.isoformat()} for day in waiting[:_SHOWN])
        findings.append(finding("not_yet_published", message, len(waiting), examples))
    return answered, tuple(findings)


def _since_beginning(
    spec: DatasetSpec, answered: Coverage, answers: Sequence[Fetched], stored: pd.DataFrame | None
) -> tuple[Coverage, tuple[Finding, ...]]:
    """Say which of the answered dates lie before everything that the source holds.

    They are answered: it has nothing there. Not so where rows are stored, for it once had something, and has cut its
    history off since (``truncated``).
    """
    firsts = [answer.first for answer in answers if answer.first is not None]
    if not firsts or not answered or answered.windows[0].start >= min(firsts):
        return answered, ()
    before = Window(answered.windows[0].start, min(min(firsts), answered.windows[-1].end + _DAY) - _DAY)
    days = set() if stored is None else {day for day in pd.DatetimeIndex(stored.index).date if day in before}
    sessions = len(sessions_of(spec, before))
    if not sessions and not days:
        return answered, ()
    begins = f"{spec.name}: the source begins on {min(firsts)}"
    if not days:
        message = f"{begins}; {before} is covered without a row of it"
        return answered, (finding("source_begins", message, sessions),)
    kept = "1 stored row before it is kept" if len(days) == 1 else f"{len(days)} stored rows before it are kept"
    whole = Window(before.start, answered.windows[-1].end)
    answered = answered.intersect(Coverage.of(Window(day, day) for day in days).holes(whole))
    examples = tuple({"date": day.isoformat()} for day in sorted(days)[:_SHOWN])
    return answered, (finding("truncated", f"{begins}; {kept}, whatever is withdrawn", len(days), examples),)


def _over_closed_days(spec: DatasetSpec, last: date, end: date) -> date:
    """Return the last date before the session that comes after ``last``, or ``end``."""
    while last < end and not is_session_of(spec, last + _DAY):
        last += _DAY
    return last
