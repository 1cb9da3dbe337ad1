"""Fetch a window by every way of a route; which of its days were answered is in ``answering.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from time import perf_counter

import numpy as np
import pandas as pd

from macrocredit_assets.catalog.models import DatasetSpec, FileWay, Way
from macrocredit_assets.ingest.answering import after_the_end, answering
from macrocredit_assets.ingest.beside import Beside
from macrocredit_assets.ingest.holes import SOURCE_GAPS, Answer, GapRule
from macrocredit_assets.ingest.judged import accepted, conform, judge_beside, stop_on_errors
from macrocredit_assets.ingest.results import Ingested
from macrocredit_assets.quality import check_accepted
from macrocredit_assets.sources.base import Fetched, Source
from macrocredit_assets.sources.profiles import Route, way_label
from macrocredit_assets.windows import Window

__all__ = ["ingest"]


def ingest(
    spec: DatasetSpec,
    window: Window,
    route: Route,
    sources: Mapping[str, Source],
    *,
    today: date,
    accept: frozenset[str] = frozenset(),
    stored: Beside | None = None,
    again: str | None = None,
    gaps: GapRule = SOURCE_GAPS,
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
        What is held of the series already, against which levels are compared, and where the source begins.
    again
        The command to name where a rule that stops the write can be waived; None is a backfill of the window.
    gaps
        How long a stretch without a row is believed.

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
    findings = judge_beside(spec, merged, stored, accept)
    stop_on_errors(spec, window, findings, again)
    frame = conform(spec, merged)
    labels = [answer.label or way_label(way) for way, answer in zip(route.ways, answers, strict=True)]
    told = [Answer.of(label, answer) for label, answer in zip(labels, answers, strict=True)]
    index = pd.DatetimeIndex(frame.index)
    answered, coverage = answering(spec, window, told, index, today, stored=stored, gaps=gaps)
    dropped = _counts(answers, superseded, len(merged) - len(frame))
    return Ingested(
        frame=frame,
        series=route.series,
        window=window,
        answered=answered,
        ways=tuple(labels),
        rows_read=sum(answer.rows_read for answer in answers),
        dropped=dropped,
        findings=findings + coverage + tuple(one for answer in answers for one in answer.findings),
        accepted=accepted(findings, accept),
        seconds={"fetch": fetched - started, "conform": perf_counter() - fetched},
        landing=tuple(dict.fromkeys(path for answer in answers for path in answer.landing)),
    )


def _ask(source: Source, spec: DatasetSpec, way: Way, window: Window) -> Fetched:
    if isinstance(way, FileWay) or not after_the_end(spec, window):
        return source.fetch(spec, way, window)
    # nobody publishes anything then: what is not asked cannot fail every morning
    index = pd.DatetimeIndex([], dtype="datetime64[us]", name="date")
    nothing = pd.DataFrame({name: pd.Series(index=index, dtype="float64") for name in spec.columns}, index)
    return Fetched(nothing, first=None, last=None, rows_read=0)


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
