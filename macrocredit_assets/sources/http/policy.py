"""How patient the client is, and how much it takes: numbers only."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import version

__all__ = ["MIB", "HttpPolicy"]

MIB = 1024 * 1024


def _user_agent() -> str:
    # as requests names itself, without its import
    return f"macrocredit-assets/{version('macrocredit-assets')} python-requests/{version('requests')}"


@dataclass(frozen=True)
class HttpPolicy:
    """How patient the client is, and how much it takes.

    Parameters
    ----------
    connect_seconds
        The most that one attempt to connect may take, to each address of a host.
    read_seconds
        For how long a server may be silent in the middle of an answer.
    total_seconds
        The most that one call may take, repetitions and the waits between them included.
    retries
        How often a request is repeated, whatever the reasons.
    backoff_seconds
        The wait before the first repetition; it doubles with each further one.
    jitter_seconds
        At most so much is added at random to each wait but the first, so that clients that were turned away together
        do not come back together.
    body_limit
        The most bytes that a body may have, on the wire and decoded.
    redirects
        How many redirects are followed, all within the host that was asked.
    user_agent
        How this package names itself.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    total_seconds: float = 120.0
    retries: int = 4
    backoff_seconds: float = 0.5
    jitter_seconds: float = 0.25
    body_limit: int = 64 * MIB
    redirects: int = 3
    user_agent: str = field(default_factory=_user_agent)
