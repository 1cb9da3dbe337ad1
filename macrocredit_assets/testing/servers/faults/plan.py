"""What a fault is, and which of those that are installed applies to a request.

What belongs here: nothing that goes wrong by itself; that is in the modules beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import date
from threading import Lock

from macrocredit_assets.testing.servers.replies import Reply, Request, Table

__all__ = ["Fault", "FaultPlan"]


def _same_table(table: Table) -> Table:
    return table


def _same_reply(reply: Reply, _: Request) -> Reply:
    return reply


@dataclass(frozen=True)
class Fault:
    """One way in which an answer is not what it should be.

    Parameters
    ----------
    name
        As it stands in the log of requests.
    table
        What becomes of the rows, before they have a format: the same fault works in CSV and in JSON.
    reply
        What becomes of the reply.
    """

    name: str
    table: Callable[[Table], Table] = _same_table
    reply: Callable[[Reply, Request], Reply] = _same_reply


@dataclass
class _Planned:
    fault: Fault
    series: str | None
    left: int | None
    days: Container[date] | None

    def applies(self, series: str, today: date) -> bool:
        return self.series in (None, series) and self.left != 0 and (self.days is None or today in self.days)


class FaultPlan:
    """Faults that wait for requests, in the order in which they were installed."""

    def __init__(self) -> None:
        self._planned: list[_Planned] = []
        self._lock = Lock()

    def add(self, fault: Fault, series: str | None, times: int | None, days: Container[date] | None) -> None:
        """Have a fault wait."""
        with self._lock:
            self._planned.append(_Planned(fault, series, times, days))

    def clear(self, series: str | None) -> None:
        """Forget those of a series; without one, all."""
        with self._lock:
            self._planned = [] if series is None else [one for one in self._planned if one.series != series]

    def take(self, series: str, today: date) -> Fault | None:
        """Return the first one that applies to a request, and count it; None where nothing goes wrong."""
        with self._lock:
            planned = next((one for one in self._planned if one.applies(series, today)), None)
            if planned is not None and planned.left is not None:
                planned.left -= 1
            return None if planned is None else planned.fault
