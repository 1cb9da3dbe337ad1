"""The one client through which every source asks its server.

What belongs here: how often and after which waits a request is repeated. What must not: what a single try comes to
(``attempt.py``), and the format of any source; what a 404 means is the source's to say.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

from macrocredit_assets.sources.http.messages import Answer, Asked, NoAnswer, failure, one_line
from macrocredit_assets.sources.http.pace import PROCESS, Clock, Deadline, Paces
from macrocredit_assets.sources.http.policy import HttpPolicy
from macrocredit_assets.sources.http.redact import Secret

if TYPE_CHECKING:
    from urllib3.util import Retry

    from macrocredit_assets.sources.http.attempt import Call, Setback

__all__ = ["HttpClient"]

_log = logging.getLogger(__name__)


class HttpClient:
    """Asks servers, with patience that ends.

    Every way in which a request can fail for now - 429, 408 and 5xx, no connection, a reset, an answer that breaks
    off - draws on one budget of repetitions and on one deadline, which also ends an answer that trickles. Redirects
    stay within the host that was asked. Proxies and certificates are those of the environment (``HTTPS_PROXY``,
    ``REQUESTS_CA_BUNDLE``); ``~/.netrc`` is not read. It holds no connection between calls and may be used from
    several threads. Only the look-up of a host's name can outlast the deadline: the system does not let it be ended.

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
        # requests and urllib3 take 0.04 s to import: every start builds a client, and few of them ask a server
        from urllib3.util import Retry

        from macrocredit_assets.sources.http.attempt import Call, attempt

        policy, hidden = self._policy, Secret(secret)
        address = hidden.address(url, dict(params))
        # a turn that others take before us is no time that the source has spent
        self._turn(address)
        deadline = Deadline(self._clock, policy.total_seconds)
        call = Call(asked, address, hidden, deadline, policy, self._clock, self._turn)
        budget = Retry(policy.retries, backoff_factor=policy.backoff_seconds, backoff_jitter=policy.jitter_seconds)
        while True:
            outcome = attempt(call)
            if isinstance(outcome, Answer):
                return outcome
            budget = self._waited(call, outcome, budget)

    def _turn(self, url: str) -> None:
        """Wait until the host may be asked again."""
        host = urlsplit(url).hostname or ""
        if rate := self._rates.get(host):
            self._clock.sleep(self._paces.reserve(host, rate, self._clock.monotonic()))

    def _waited(self, call: Call, setback: Setback, budget: Retry) -> Retry:
        """Return what is left of the budget after the wait for the next try; raise where there is to be none."""
        from urllib3.exceptions import MaxRetryError

        left: Retry | None
        try:
            left = budget.increment("GET")
        except MaxRetryError:
            left = None
        tries = len(budget.history) + 1
        if left is None:
            self._give_up(call, setback, tries)
        # urllib3's first repetition comes at once: not to a server that has just said no
        pause = setback.wanted or max(left.get_backoff_time(), self._policy.backoff_seconds)
        if pause >= call.deadline.left:
            self._give_up(call, setback, tries)
        happened = one_line(setback.happened)
        _log.info("%s: %s %s; once more in %.1f s", call.asked.dataset, call.asked.source, happened, pause)
        self._clock.sleep(pause)
        self._turn(call.url)
        return left

    def _give_up(self, call: Call, setback: Setback, tries: int) -> NoReturn:
        often = f", {tries} times in {call.deadline.spent:.0f} s" if tries > 1 else ""
        rest = f" and wants to be left alone for {setback.wanted:,.0f} s" if setback.wanted else ""
        error = failure(
            setback.kind,
            call.asked,
            f"{call.asked.source} {setback.happened}{often}{rest}",
            NoAnswer(call.url, setback.came_back),
            f"wait, and ask again: {call.asked.command}",
        )
        error.retry_after = setback.wanted
        raise error
