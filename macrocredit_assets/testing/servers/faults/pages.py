"""Pages where there should be rows: refusals, logins, redirections, echoes.

What belongs here: replies that take the place of the publisher's own.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from macrocredit_assets.testing.servers.faults.plan import Fault
from macrocredit_assets.testing.servers.replies import Reply, Request, page

__all__ = ["echo", "elsewhere", "login_page", "moved", "not_found", "rate_limited", "unavailable"]


def rate_limited(retry_after: int | None = 1, *, as_date: bool = False) -> Fault:
    """Answer 429.

    Parameters
    ----------
    retry_after
        So many seconds are asked for in ``Retry-After``; None leaves it out.
    as_date
        Ask for them as an HTTP date, which is the other form.
    """

    def reply(*_: object) -> Reply:
        refusal = page(429, "Too Many Requests", "You have asked too often.")
        if retry_after is None:
            return refusal
        at = datetime.now(UTC) + timedelta(seconds=retry_after)
        text = format_datetime(at, usegmt=True) if as_date else str(retry_after)
        return replace(refusal, extra={"Retry-After": text})

    return Fault("rate_limited_until" if as_date else "rate_limited", reply=reply)


def unavailable(status: int = 503) -> Fault:
    """Answer with a page that says that the server cannot answer now: 500, 502, 503 or 504."""
    return _page("unavailable" if status == 503 else f"status_{status}", status, "Error", "Please try again later.")


def not_found() -> Fault:
    """Answer 404 with a page, as FRED does for a series that it does not know."""
    return _page("not_found", 404, "Page Not Found", "The page you requested cannot be found.")


def login_page() -> Fault:
    """Answer 200 with a page that asks who you are, as the proxies of hotels and companies do."""
    form = '<form method="post"><input name="user"><input name="password" type="password"></form>'
    return _page("login_page", 200, "Sign in", form)


def echo(status: int = 200) -> Fault:
    """Answer with a page that repeats the address that was asked for, a key in its query included."""

    def reply(_: Reply, request: Request) -> Reply:
        return page(status, "Request", f"You asked for {request.target}")

    return Fault("echo", reply=reply)


def elsewhere(address: str | None = None) -> Fault:
    """Send the client to another host.

    Parameters
    ----------
    address
        Where to; None is this very server under the name ``localhost``, so that a client that follows is seen in the
        log of requests, by its header ``host``.
    """

    def reply(_: Reply, request: Request) -> Reply:
        port = request.headers.get("host", "").rpartition(":")[2]
        return _redirection(address or f"//localhost:{port}{request.target}")

    return Fault("elsewhere", reply=reply)


def moved() -> Fault:
    """Send the client to the same address again: installed for once, it arrives; for ever, it goes in circles."""
    return Fault("moved", reply=lambda _, request: _redirection(request.target))


def _redirection(address: str) -> Reply:
    return replace(page(302, "Found", "It is somewhere else."), extra={"Location": address})


def _page(name: str, status: int, title: str, text: str) -> Fault:
    return Fault(name, reply=lambda *_: page(status, title, text))
