"""Asking every way that a profile uses for a few days, to see who answers; nothing is stored, and no answer is kept.

What belongs here: the questions, and what came of each. Whether an answer may be stored is the business of the rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from time import perf_counter

from macrocredit_assets.catalog import Catalog, DatasetSpec
from macrocredit_assets.catalog.ways import Way
from macrocredit_assets.errors import NotServedError
from macrocredit_assets.persistence import ErrorInfo
from macrocredit_assets.settings import Settings
from macrocredit_assets.sources import Source, build_sources, choose, way_label
from macrocredit_assets.windows import Window

__all__ = ["DAYS", "SECONDS", "Question", "Reply", "ask", "questions"]

#: A way is asked for so many days, which have sessions of every calendar.
DAYS = 10

#: Somebody waits for the answers: no question takes longer, whatever a run would allow.
SECONDS = 30.0


@dataclass(frozen=True)
class Question:
    """One way of the route of one dataset."""

    spec: DatasetSpec
    way: Way

    @property
    def label(self) -> str:
        """The way, as records name it."""
        return way_label(self.way)


@dataclass(frozen=True)
class Reply:
    """What one way answered.

    Parameters
    ----------
    dataset, way
        Who was asked, by which way; the way as the source calls it, ``fred_api:DGS10``.
    seconds
        How long it took.
    rows
        Rows with a value inside the window; None where it failed.
    first, last
        The first and last date with a value in what was sent, which may begin long before the window; None where there
        is none.
    error
        What kept it from answering.
    """

    dataset: str
    way: str
    seconds: float
    rows: int | None = None
    first: date | None = None
    last: date | None = None
    error: ErrorInfo | None = None


def questions(settings: Settings, catalog: Catalog) -> tuple[Mapping[str, Source], tuple[Question, ...]]:
    """Return the sources as they are asked here, and every way of every dataset that the profile serves.

    Raises
    ------
    PermanentSourceError
        If another package registers a source that cannot be loaded.
    """
    sources = build_sources(replace(settings, http_timeout=min(settings.http_timeout, SECONDS)), keep=False)
    found: list[Question] = []
    for spec in catalog.datasets.values():
        try:
            route = choose(spec, settings.profile, sources)
        except NotServedError:
            continue
        found += [Question(spec, way) for way in route.ways]
    return sources, tuple(found)


def ask(sources: Mapping[str, Source], asked: Sequence[Question], end: date) -> Iterator[Reply]:
    """Yield what each way answers for the days until ``end``, one after the other."""
    window = Window(end - timedelta(days=DAYS - 1), end)
    for question in asked:
        started = perf_counter()
        name, label = question.spec.name, question.label
        try:
            answer = sources[question.way.source].fetch(question.spec, question.way, window)
        except Exception as error:  # noqa: BLE001 - sources of other packages raise what they like, and others wait
            yield Reply(name, label, perf_counter() - started, error=ErrorInfo(type(error).__name__, str(error)))
            continue
        seconds = perf_counter() - started
        yield Reply(name, answer.label or label, seconds, len(answer.frame), answer.first, answer.last)
