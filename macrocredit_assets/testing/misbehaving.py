"""A source that misbehaves as publishers do: late prints, restatements, withdrawn days, outages.

What it serves is the simulated market of the ``sample`` source, which is what every row comes to in the end; what
becomes of each row until then follows from a seed, the dataset and the date alone. It is plugged in as any source of
another package is, by an entry point of the group ``macrocredit_assets.sources``::

    misbehaving = "macrocredit_assets.testing:MisbehavingSource"

and serves entries that have a way of source ``misbehaving`` beside their ``sample`` way. On which date it is asked, it
learns from :func:`asked_on`, so that months pass in a minute.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from macrocredit_assets.catalog.calendars import is_session_of
from macrocredit_assets.catalog.models import DatasetSpec, SampleWay, Way
from macrocredit_assets.errors import PermanentSourceError, TransientSourceError
from macrocredit_assets.sources.base import Fetched
from macrocredit_assets.sources.sample import SampleSource
from macrocredit_assets.windows import Window

__all__ = ["SETTLED_DAYS", "Habits", "MisbehavingSource", "Story", "asked_on"]

#: So many days after its session, a row is what it stays, and a late one is there.
SETTLED_DAYS = 6

_DAY = timedelta(days=1)
_ASKED_ON: ContextVar[date | None] = ContextVar("asked_on", default=None)


@contextmanager
def asked_on(day: date) -> Iterator[None]:
    """Have sources of this kind answer as they did on the morning of a day; else it is today, in New York."""
    token = _ASKED_ON.set(day)
    try:
        yield
    finally:
        _ASKED_ON.reset(token)


@dataclass(frozen=True)
class Habits:
    """How often what goes wrong, as shares between 0 and 1.

    Parameters
    ----------
    late
        Of the rows: printed some days after they should be, when later ones may be there already.
    restated
        Of the rows: printed a few percent off, and corrected some days later.
    withdrawn
        Of the rows: no longer served, some days after they were printed.
    silent
        Of the mornings of a dataset: no request is answered.
    stumbling
        Of the mornings of a dataset: the first request is not answered, the next is.
    """

    late: float = 0.06
    restated: float = 0.08
    withdrawn: float = 0.02
    silent: float = 0.02
    stumbling: float = 0.04


@dataclass(frozen=True)
class Story:
    """What becomes of one row.

    Parameters
    ----------
    printed
        The first morning on which it is served.
    settled
        The first morning on which it has its final values.
    withdrawn
        The first morning on which it is served no longer, or None.
    """

    printed: date
    settled: date
    withdrawn: date | None = None


@dataclass(frozen=True)
class MisbehavingSource:
    """The sample source with bad habits.

    Parameters
    ----------
    habits
        How often what goes wrong.
    seed
        When and where it goes wrong.
    """

    habits: Habits = field(default_factory=Habits)
    seed: int = 7
    _requests: Counter[tuple[str, date]] = field(default_factory=Counter, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The word that ``source:`` in the catalog uses."""
        return "misbehaving"

    def unavailable(self, way: Way) -> str | None:  # noqa: ARG002 - the protocol's signature
        """Return None: it needs nothing."""
        return None

    def fetch(self, spec: DatasetSpec, way: Way, window: Window) -> Fetched:  # noqa: ARG002 - the protocol's signature
        """Return what is served on the morning that it is asked on.

        Raises
        ------
        TransientSourceError
            If the dataset is silent on this morning, or stumbles over its first request.
        PermanentSourceError
            If the entry has no ``sample`` way, which says what to simulate.
        """
        today = _ASKED_ON.get() or datetime.now(ZoneInfo("America/New_York")).date()
        self._answer(spec, window, today)
        frame = self.serves(spec, window, today)
        return Fetched(frame, first=date(1990, 1, 1), last=self._last(spec, today), rows_read=len(frame))

    def serves(self, spec: DatasetSpec, window: Window, today: date) -> pd.DataFrame:
        """Return the rows of a window as they are served on a morning."""
        frame = self.settled(spec, window)
        stories = [self.story(spec, day.date()) for day in frame.index]
        for day, story in zip(frame.index, stories, strict=True):
            if today < story.settled:
                frame.loc[day] = (frame.loc[day] * self._slip(spec, day.date())).round(2)
        return frame[[story.printed <= today < (story.withdrawn or today + _DAY) for story in stories]]

    def settled(self, spec: DatasetSpec, window: Window) -> pd.DataFrame:
        """Return what every row of a window comes to, those that are withdrawn among them."""
        for way in spec.ways:
            if isinstance(way, SampleWay):
                return SampleSource().fetch(spec, way, window).frame
        raise PermanentSourceError(f"{spec.name}: there is no way of source 'sample' that says what to simulate.")

    def story(self, spec: DatasetSpec, session: date) -> Story:
        """Return what becomes of the row of a session."""
        printed = self._in_time(spec, session)
        most = max(1, (session - printed).days + SETTLED_DAYS)
        after = printed + _DAY * (1 + int(self._draw("days", spec, session) * most))
        kind, habits = self._draw("kind", spec, session), self.habits
        if kind < habits.late:
            return Story(after, after)
        if kind < habits.late + habits.restated:
            return Story(printed, after)
        if kind < habits.late + habits.restated + habits.withdrawn:
            return Story(printed, printed, withdrawn=printed + 4 * _DAY)
        return Story(printed, printed)

    def is_silent(self, spec: DatasetSpec, day: date) -> bool:
        """Tell whether no request for a dataset is answered on a morning."""
        return self._draw("morning", spec, day) < self.habits.silent

    def _answer(self, spec: DatasetSpec, window: Window, today: date) -> None:
        self._requests[spec.name, today] += 1
        stumbles = self._draw("morning", spec, today) < self.habits.silent + self.habits.stumbling
        if self.is_silent(spec, today) or (stumbles and self._requests[spec.name, today] == 1):
            raise TransientSourceError(f"{spec.name} {window}: asked on {today}, the source answered 503.")

    @staticmethod
    def _in_time(spec: DatasetSpec, session: date) -> date:
        """Return the morning on which a row is there: after its session, or after the next one where there is a lag."""
        day = session
        while spec.publication_lag and not is_session_of(spec, day := day + _DAY):
            pass
        return day + _DAY

    def _last(self, spec: DatasetSpec, today: date) -> date:
        """Return the last session whose row is served."""
        day = today
        while not (is_session_of(spec, day) and self.story(spec, day).printed <= today):
            day -= _DAY
        return day

    def _slip(self, spec: DatasetSpec, session: date) -> float:
        """Return by what the first print of a row is off: between 1 and 3 percent, up or down."""
        size = 0.01 + 0.02 * self._draw("size", spec, session)
        return 1 + size if self._draw("sign", spec, session) < 0.5 else 1 - size

    def _draw(self, what: str, spec: DatasetSpec, day: date) -> float:
        digest = hashlib.sha256(f"{self.seed}/{what}/{spec.name}/{day}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64
