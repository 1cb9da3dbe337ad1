"""The one client through which every source asks its server.

What belongs here: repetitions, redirects, and which error a request that came to nothing becomes. What must not: the
format of any source; what a 404 means is the source's to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError, InvalidHeader, MaxRetryError
from urllib3.util import Retry

from macrocredit_assets.errors import (
    MalformedResponseError,
    RateLimitedError,
    SourceUnavailableError,
    TransientSourceError,
    UntrustedSourceError,
)
from macrocredit_assets.sources.http.body import BodyError, begin_of, read_body
from macrocredit_assets.sources.http.connection import open_session
from macrocredit_assets.sources.http.messages import Answer, Asked, NoAnswer, failure, shown
from macrocredit_assets.sources.http.pace import PROCESS, Clock, Deadline, Paces
from macrocredit_assets.sources.http.policy import HttpPolicy
from macrocredit_assets.sources.http.reasons import distrust, why
from macrocredit_assets.sources.http.redact import Secret

__all__ = ["HttpClient"]

_TOO_MANY = 429
_REPEATED = frozenset({408, _TOO_MANY, *range(500, 600)})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: 206 is a part of an answer, 204 none, and nobody asked for either.
_ANSWERS = frozenset({200, 203, *range(400, 500)}) - _REPEATED


@dataclass
class _Call:
    """One call of :meth:`HttpClient.get` on its way."""

    asked: Asked
    url: str
    secret: Secret
    deadline: Deadline
    budget: Retry
    tries: int = 0


@dataclass(frozen=True)
class _Setback:
    """A try that came to nothing and may be repeated."""

    happened: str
    came_back: str
    kind: type[TransientSourceError] = SourceUnavailableError
    wanted: float | None = field(default=None)


class HttpClient:
    """Asks servers, with patience that ends.

    Every way in which a request can fail for now - 429, 408 and 5xx, no connection, a reset, an answer that breaks
    off - draws on one budget of repetitions and on one deadline, which also ends an answer that trickles. Redirects
    stay within the host that was asked. Proxies and certificates are those of the environment (``HTTPS_PROXY``,
    ``REQUESTS_CA_BUNDLE``); ``~/.netrc`` is not read. It holds no connection between calls and may be used from
    several threads.

    Parameters
    ----------
    policy
        How patient it is.
    rates
        Requests a second by host name; a host that is not named is asked as often as need be. The pace is shared by
        all clients of the process.
    clock, paces
        For tests: what it knows of time, and with whom it shares the pace.
    """

    def __init__(
        self,
        policy: HttpPolicy | None = None,
        *,
        rates: Mapping[str, float] | None = None,
        clock: Clock | None = None,
        paces: Paces = PROCESS,
    ) -> None:
        self._policy = policy or HttpPolicy()
        self._rates = dict(rates or {})
        self._clock = clock or Clock()
        self._paces = paces

    def get(self, url: str, params: Mapping[str, str], asked: Asked, *, secret: str | None = None) -> Answer:
        """Return what a server answers to a GET request.

        Parameters
        ----------
        url
            The address without its query.
        params
            The query.
        asked
            For whom; messages name it.
        secret
            The value among ``params`` that nobody may see. It is replaced in the answer as well.

        Returns
        -------
        Answer
            Of status 200 or 203, or of a status 4xx other than 408 and 429: what that means, the source knows.

        Raises
        ------
        RateLimitedError
            If the server wants to be left alone for longer than the call may take, or says so again and again.
        SourceUnavailableError
            If no whole answer came within the repetitions and the time there are.
        MalformedResponseError
            If the body is too large or its compression cannot be undone, or the status is none of those above.
        UntrustedSourceError
            If the certificate does not verify, or a redirect leads to another host or away from TLS.
        """
        hidden = Secret(secret)
        address = hidden.address(url, dict(params))
        # a turn that others take before us is not time that the source has spent
        self._clock.sleep(self._turn(address))
        call = _Call(asked, address, hidden, Deadline(self._clock, self._policy.total_seconds), self._budget())
        while True:
            outcome = self._try(call)
            if isinstance(outcome, Answer):
                return outcome
            self._wait(call, outcome)

    def _budget(self) -> Retry:
        policy = self._policy
        return Retry(
            total=policy.retries,
            backoff_factor=policy.backoff_seconds,
            backoff_jitter=policy.jitter_seconds,
            # a server that wants more than the deadline is quoted, not obeyed
            retry_after_max=10**9,
        )

    def _turn(self, url: str) -> float:
        host = urlsplit(url).hostname or ""
        rate = self._rates.get(host)
        return self._paces.reserve(host, rate, self._clock.monotonic()) if rate else 0.0

    def _try(self, call: _Call) -> Answer | _Setback:
        """Send the request once, redirects followed."""
        call.tries += 1
        with open_session(call.deadline, call.secret, self._policy) as session:
            try:
                return self._follow(call, session)
            except (OSError, HTTPError) as problem:
                distrusted, setback = distrust(problem), self._setback(call, problem)
        if distrusted:
            # raised here, where no exception of another package hangs on it
            raise self._untrusted(call, distrusted)
        return setback

    def _follow(self, call: _Call, session: requests.Session) -> Answer | _Setback:
        url = call.url
        for hop in range(self._policy.redirects + 1):
            if hop:
                self._clock.sleep(call.deadline.limit(self._turn(url)))
            with self._sent(call, session, url) as response:
                if response.status_code not in _REDIRECTS or "location" not in response.headers:
                    return self._answer(call, url, response)
                url = self._redirected(call, url, response)
        raise failure(
            MalformedResponseError,
            call.asked,
            f"{call.asked.source} sends us from address to address without an end",
            NoAnswer(call.url, f"a redirect to {url}"),
            f"look at the address above; once it answers: {call.asked.command}",
        )

    def _sent(self, call: _Call, session: requests.Session, url: str) -> requests.Response:
        limit = call.deadline.limit
        timeout = (limit(self._policy.connect_seconds), limit(self._policy.read_seconds))
        return session.get(url, stream=True, timeout=timeout, allow_redirects=False)

    def _answer(self, call: _Call, url: str, response: requests.Response) -> Answer | _Setback:
        status, kind = response.status_code, call.secret.hidden(response.headers.get("content-type", ""))
        if status in _REPEATED:
            return _Setback(
                happened=f"answered {status} {call.secret.hidden(response.reason or '')}".rstrip(),
                came_back=shown(status, kind, "", call.secret.hidden_bytes(begin_of(response.raw))),
                kind=RateLimitedError if status == _TOO_MANY else SourceUnavailableError,
                wanted=self._wanted(call, response),
            )
        if status not in _ANSWERS:
            raise self._malformed(call, url, response, BodyError("sent a status that is no answer"))
        try:
            body = read_body(response.raw, self._policy.body_limit)
        except BodyError as problem:
            raise self._malformed(call, url, response, problem) from None
        body = call.secret.hidden_bytes(body)
        return Answer(url, status, kind, body, self._clock.utc(), call.deadline.spent)

    def _malformed(
        self, call: _Call, url: str, response: requests.Response, problem: BodyError
    ) -> MalformedResponseError:
        kind = call.secret.hidden(response.headers.get("content-type", ""))
        return failure(
            MalformedResponseError,
            call.asked,
            f"{call.asked.source} {problem.happened}",
            NoAnswer(url, shown(response.status_code, kind, "", call.secret.hidden_bytes(problem.begins))),
            f"look at the address above; once it answers as it should: {call.asked.command}",
        )

    def _wanted(self, call: _Call, response: requests.Response) -> float | None:
        try:
            return call.budget.get_retry_after(response.raw)
        except (InvalidHeader, ValueError, OverflowError):
            return None

    def _redirected(self, call: _Call, url: str, response: requests.Response) -> str:
        target = call.secret.hidden(urljoin(url, response.headers["location"]))
        here, there = urlsplit(url), urlsplit(target)
        if not _same_server(here, there):
            raise failure(
                UntrustedSourceError,
                call.asked,
                f"{call.asked.source} sends us from {_server(here)} to {_server(there)}",
                NoAnswer(url, f"status {response.status_code}, a redirect to {target}"),
                "if the publisher has moved, set its new address (the README lists the settings); otherwise somebody "
                f"stands in between. Then: {call.asked.command}",
            )
        return target

    def _wait(self, call: _Call, setback: _Setback) -> None:
        """Wait until the next try; raise where there is to be none."""
        try:
            call.budget = call.budget.increment("GET")
        except MaxRetryError:
            exhausted = True
        else:
            exhausted = False
        # urllib3's first repetition comes at once: not to a server that has just said no
        pause = setback.wanted or max(call.budget.get_backoff_time(), self._policy.backoff_seconds)
        if not exhausted and pause < call.deadline.left:
            pause = max(pause, self._turn(call.url))
        if exhausted or pause >= call.deadline.left:
            self._give_up(call, setback)
        self._clock.sleep(pause)

    def _give_up(self, call: _Call, setback: _Setback) -> NoReturn:
        tries = f", {call.tries} times in {call.deadline.spent:.0f} s" if call.tries > 1 else ""
        wanted = f" and wants {setback.wanted:,.0f} s of rest" if setback.wanted else ""
        raise failure(
            setback.kind,
            call.asked,
            f"{call.asked.source} {setback.happened}{tries}{wanted}",
            NoAnswer(call.url, setback.came_back),
            f"wait, and ask again: {call.asked.command}",
        )

    def _setback(self, call: _Call, problem: Exception) -> _Setback:
        if call.deadline.left > 0:
            return _Setback(why(problem), "nothing that could be used")
        return _Setback(
            f"did not finish within {self._policy.total_seconds:g} s",
            "not enough in that time; MACROCREDIT_HTTP_TIMEOUT sets it",
        )

    def _untrusted(self, call: _Call, distrusted: str) -> UntrustedSourceError:
        return failure(
            UntrustedSourceError,
            call.asked,
            f"{call.asked.source} {distrusted}",
            NoAnswer(call.url, "nothing: no request was sent"),
            "if a proxy of your company signs in its place, name a file with that certificate beside the usual ones in "
            f"REQUESTS_CA_BUNDLE; otherwise somebody stands in between. Then: {call.asked.command}",
        )


def _server(url: SplitResult) -> str:
    return f"{url.scheme}://{url.netloc}"


def _same_server(here: SplitResult, there: SplitResult) -> bool:
    """Return whether a redirect stays with the host that was asked, or only adds TLS to it."""
    if here.hostname != there.hostname:
        return False
    ports = (here.port or _PORTS.get(here.scheme), there.port or _PORTS.get(there.scheme))
    upgraded = (here.scheme, there.scheme) == ("http", "https") and ports == (80, 443)
    return upgraded or (here.scheme == there.scheme and ports[0] == ports[1])


_PORTS = {"http": 80, "https": 443}
