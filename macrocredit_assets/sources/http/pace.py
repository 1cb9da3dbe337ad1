"""Time: the clock, the deadline of one call, and how often a host may be asked.

What belongs here: arithmetic on seconds. What must not: sockets, and sleeping anywhere but through the clock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = ["PROCESS", "Clock", "Deadline", "Paces", "TokenBucket"]


def _utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Clock:
    """What the client knows of time, so that a test need not wait.

    Parameters
    ----------
    monotonic
        Seconds that never run backwards.
    sleep
        Waits so many seconds.
    utc
        The instant by the calendar, in UTC.
    """

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    utc: Callable[[], datetime] = _utc


class Deadline:
    """The end of one call, which nothing prolongs.

    Parameters
    ----------
    clock
        By which it is measured.
    seconds
        How long from now.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._started = clock.monotonic()
        self._seconds = seconds

    @property
    def spent(self) -> float:
        """Seconds since the call began."""
        return self._clock.monotonic() - self._started

    @property
    def left(self) -> float:
        """Seconds that are left; zero or less when it has passed."""
        return self._seconds - self.spent

    def limit(self, seconds: float) -> float:
        """Return a timeout for one operation on a socket: not longer than what is left.

        Raises
        ------
        TimeoutError
            If nothing is left.
        """
        left = self.left
        if left <= 0:
            raise TimeoutError("the deadline of the call has passed")
        return min(seconds, left)


class TokenBucket:
    """Lets requests through at a steady rate; safe to use from several threads.

    Parameters
    ----------
    per_second
        How many requests a second.
    burst
        How many may go at once after a rest.
    """

    def __init__(self, per_second: float, burst: float = 1.0) -> None:
        self._per_second = per_second
        self._burst = burst
        self._tokens = burst
        self._at: float | None = None
        self._lock = threading.Lock()

    def reserve(self, now: float) -> float:
        """Take a token, if need be one of the future, and return for how many seconds to wait before using it."""
        with self._lock:
            passed = 0.0 if self._at is None else max(0.0, now - self._at)
            self._at = now
            self._tokens = min(self._burst, self._tokens + passed * self._per_second) - 1.0
            return max(0.0, -self._tokens / self._per_second)


class Paces:
    """One bucket per host and rate."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, float], TokenBucket] = {}
        self._lock = threading.Lock()

    def reserve(self, host: str, per_second: float, now: float) -> float:
        """Take a token of a host's bucket and return for how many seconds to wait before using it."""
        with self._lock:
            bucket = self._buckets.setdefault((host, per_second), TokenBucket(per_second))
        return bucket.reserve(now)


#: What every client of this process shares: a host does not care which object of ours asks it.
PROCESS = Paces()
