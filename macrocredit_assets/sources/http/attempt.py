"""One try: the request goes out, redirects are followed, and there is an answer, a setback, or an error.

What belongs here: what a single exchange with a server comes to. What must not: repetitions and the waits between
them, and the format of any source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import requests
from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.util import Retry

from macrocredit_assets.errors import (
    MalformedResponseError,
    RateLimitedError,
    SourceUnavailableError,
    TransientSourceError,
    UntrustedSourceError,
)
from macrocredit_assets.sources.http.body import Body, BodyError, begin_of, read_body
from macrocredit_assets.sources.http.connection import open_session
from macrocredit_assets.sources.http.messages import Answer, Asked, NoAnswer, failure, shown, snippet
from macrocredit_assets.sources.http.pace import Clock, Deadline
from macrocredit_assets.sources.http.policy import HttpPolicy
from macrocredit_assets.sources.http.reasons import distrust, why
from macrocredit_assets.sources.http.redact import PLACEHOLDER, Secret
from macrocredit_assets.sources.http.redirects import REDIRECTS, Server, leads_to

__all__ = ["Call", "Setback", "attempt"]

_TOO_MANY = 429
_REPEATED = frozenset({408, _TOO_MANY, *range(500, 600)})
#: 206 is a part of an answer, 204 none, and nobody asked for either.
_ANSWERS = frozenset({200, 203, *range(400, 500)}) - _REPEATED


@dataclass(frozen=True)
class Call:
    """What stays the same over all tries of one call.

    Parameters
    ----------
    asked
        For whom.
    url
        The whole address, a placeholder in the secret's place.
    secret
        What the placeholder stands for.
    deadline
        When the call ends.
    policy, clock
        Those of the client.
    turn
        Waits until the host of an address may be asked again.
    """

    asked: Asked
    url: str
    secret: Secret
    deadline: Deadline
    policy: HttpPolicy
    clock: Clock
    turn: Callable[[str], None]


@dataclass(frozen=True)
class Setback:
    """A try that came to nothing, of a kind that may work out the next time.

    Parameters
    ----------
    kind
        The error that it becomes when there is no next time.
    happened
        A clause that continues "the source ...".
    came_back
        What there was of an answer.
    wanted
        The seconds of rest that the server asked for.
    """

    kind: type[TransientSourceError]
    happened: str
    came_back: str
    wanted: float | None = None


def attempt(call: Call) -> Answer | Setback:
    """Send the request once.

    Raises
    ------
    MalformedResponseError, UntrustedSourceError
        If another try would come to the same.
    """
    with open_session(call.deadline, call.secret, call.policy) as session:
        try:
            return _follow(call, session)
        except (OSError, HTTPError) as problem:
            distrusted, setback = distrust(problem), _broken(call, problem)
    if distrusted:
        happened, todo = distrusted
        # raised here, where no exception of another package hangs on it
        raise failure(
            UntrustedSourceError,
            call.asked,
            f"{call.asked.source} {happened}",
            NoAnswer(call.url, "nothing: no request was sent"),
            f"{todo}. Then: {call.asked.command}",
        )
    return setback


def _follow(call: Call, session: requests.Session) -> Answer | Setback:
    url = call.url
    for hop in range(call.policy.redirects + 1):
        if hop:
            call.turn(url)
        timeout = (call.deadline.limit(call.policy.connect_seconds), call.deadline.limit(call.policy.read_seconds))
        with session.get(url, stream=True, timeout=timeout, allow_redirects=False) as response:
            if response.status_code not in REDIRECTS or "location" not in response.headers:
                return _judged(call, url, response)
            url = _redirected(call, url, response)
    raise failure(
        MalformedResponseError,
        call.asked,
        f"{call.asked.source} sends us from address to address without an end",
        NoAnswer(call.url, f"a redirect to {url}"),
        f"{_look(url)}; once it answers: {call.asked.command}",
    )


def _redirected(call: Call, url: str, response: requests.Response) -> str:
    """Return the address to which a redirect leads."""
    location = call.secret.hidden(response.headers["location"])
    try:
        target, stranger = leads_to(url, location)
    except ValueError:
        target, stranger = "", None
    if target and not stranger:
        return target
    raise failure(
        UntrustedSourceError,
        call.asked,
        f"{call.asked.source} sends us from {Server.of(url)} to {stranger or 'an address that is none'}",
        NoAnswer(url, f"status {response.status_code}, a redirect to {snippet(location.encode())}"),
        "if the publisher has moved, set its new address (the README lists the settings); otherwise somebody "
        f"stands in between. Then: {call.asked.command}",
    )


def _judged(call: Call, url: str, response: requests.Response) -> Answer | Setback:
    status, kind = response.status_code, call.secret.hidden(response.headers.get("content-type", ""))
    if status in _REPEATED:
        return Setback(
            kind=RateLimitedError if status == _TOO_MANY else SourceUnavailableError,
            happened=f"answered {status} {call.secret.hidden(response.reason or '')}".rstrip(),
            came_back=shown(status, kind, "", call.secret.hidden_begin(begin_of(response.raw))),
            wanted=_wanted(response),
        )
    try:
        body = _body(call, response)
    except BodyError as problem:
        error = failure(
            MalformedResponseError,
            call.asked,
            f"{call.asked.source} {call.secret.hidden(problem.happened)}",
            NoAnswer(url, shown(status, kind, "", call.secret.hidden_begin(problem.begins))),
            f"{_look(url)}; once it answers as it should: {call.asked.command}",
        )
    else:
        return Answer(url, status, kind, body.data, call.clock.utc(), call.deadline.spent, body.whole)
    raise error


def _look(url: str) -> str:
    key = f", with your key for {PLACEHOLDER}," if PLACEHOLDER in url else ""
    return f"look at what the address above{key} answers"


def _body(call: Call, response: requests.Response) -> Body:
    if response.status_code not in _ANSWERS:
        raise BodyError(f"answered with status {response.status_code}, which is no answer")
    body = read_body(response.raw, call.policy.body_limit)
    return replace(body, data=call.secret.hidden_bytes(body.data))


def _wanted(response: requests.Response) -> float | None:
    # the longest wait is high enough that a server is quoted rather than obeyed in part
    reader = Retry(retry_after_max=10**9)
    try:
        return reader.get_retry_after(response.raw)
    except (InvalidHeader, ValueError, OverflowError):
        return None


def _broken(call: Call, problem: Exception) -> Setback:
    if call.deadline.left > 0:
        return Setback(SourceUnavailableError, why(problem), "nothing that could be used")
    return Setback(
        SourceUnavailableError,
        f"did not finish within {call.policy.total_seconds:g} s",
        "not enough in that time; MACROCREDIT_HTTP_TIMEOUT sets it",
    )
