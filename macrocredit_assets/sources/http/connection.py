"""Connections that keep a deadline, write the secret, and notice an answer that is longer than it says.

requests and urllib3 limit each wait for bytes; a server that sends one byte a second is never late by that measure.
Here every read from the socket gets what is left of the whole call.

What belongs here: what happens on one connection. What must not: repetitions, redirects, judging a body.
"""

from __future__ import annotations

import io
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, ClassVar

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HeaderParsingError, NameResolutionError, NewConnectionError
from urllib3.util import Retry
from urllib3.util.response import assert_header_parsing

from macrocredit_assets.sources.http.pace import Clock, Deadline
from macrocredit_assets.sources.http.policy import HttpPolicy
from macrocredit_assets.sources.http.redact import Secret

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["SurplusError", "open_session"]

#: For how long the end of the connection is waited for once the promised bytes are there, in seconds.
_PATIENCE = 1.0


class SurplusError(HTTPException):
    """More bytes came than Content-Length promised; which of the two is wrong cannot be known."""


class _TimedStream(io.RawIOBase):
    """The bytes of a socket; each read waits for no longer than the call may still take."""

    def __init__(self, stream: io.RawIOBase, sock: socket.socket, deadline: Deadline, seconds: float) -> None:
        super().__init__()
        self._stream = stream
        self._socket = sock
        self._deadline = deadline
        self.seconds = seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        self._socket.settimeout(self._deadline.limit(self.seconds))
        return self._stream.readinto(buffer)

    def close(self) -> None:
        try:
            self._stream.close()
        finally:
            super().close()


class _Reader(io.BufferedReader):
    """What http.client reads an answer from; watched, it looks for more at the end of the promised length."""

    def __init__(self, stream: _TimedStream, answer: HTTPResponse) -> None:
        super().__init__(stream)
        self._stream = stream
        self._answer = answer
        self.watched = False

    def close(self) -> None:
        surplus = self.watched and self._answer.length == 0 and self._more()
        super().close()
        if surplus:
            raise SurplusError("more bytes came than Content-Length promised")

    def _more(self) -> bool:
        # a server that does not end the connection, though asked to, is not waited for
        self._stream.seconds = _PATIENCE if self._answer.will_close else _PATIENCE / 100
        try:
            return bool(self.peek(1))
        except OSError:
            return False


@dataclass(frozen=True)
class _Exchange:
    """What a connection has to know of the call that it serves."""

    deadline: Deadline
    secret: Secret
    policy: HttpPolicy


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, method: str | None, exchange: _Exchange) -> None:
        super().__init__(sock, method=method)
        stream = self.fp.detach()
        self.fp = self._reader = _Reader(
            _TimedStream(stream, sock, exchange.deadline, exchange.policy.read_seconds), self
        )

    def begin(self) -> None:
        super().begin()
        try:
            assert_header_parsing(self.msg)
        except HeaderParsingError:
            # urllib3 goes on without the headers behind the one that it cannot read, and logs them: both are refused
            raise HTTPException("headers that cannot be read") from None

    def read(self, amt: int | None = None) -> bytes:
        # http.client closes what it reads from within the call that reaches the end
        self._reader.watched = True
        try:
            return super().read(amt)
        finally:
            self._reader.watched = False


class _Connection(HTTPConnection):
    """What is added to each of urllib3's kinds of connection."""

    exchange: ClassVar[_Exchange]
    #: Whoever raises http.client's, to have requests printed, does not get the secret printed.
    debuglevel = 0

    def response_class(self, sock: socket.socket, method: str | None = None) -> _Response:  # type: ignore[override]
        return _Response(sock, method, self.exchange)

    def putrequest(self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False) -> None:
        super().putrequest(method, self.exchange.secret.disclosed(url), skip_host, skip_accept_encoding)


class _DirectConnection(_Connection):
    def _new_conn(self) -> socket.socket:
        """Connect; the addresses of a host share the time, where urllib3 gives the whole of it to each."""
        try:
            addresses = socket.getaddrinfo(self.host.strip("[]"), self.port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        patience = Deadline(Clock(), self.exchange.deadline.limit(self.exchange.policy.connect_seconds))
        for position, (family, kind, protocol, _, address) in enumerate(addresses):
            sock = socket.socket(family, kind, protocol)
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(patience.limit(patience.left / (len(addresses) - position)))
                sock.connect(address)
                # the TLS handshake has what is left
                sock.settimeout(patience.limit(patience.left))
            except OSError as error:
                sock.close()
                failed: OSError = error
            else:
                return sock
        if isinstance(failed, TimeoutError):
            raise ConnectTimeoutError(self, "no address answered in time") from failed
        raise NewConnectionError(self, "no address could be connected to") from failed


class _Adapter(HTTPAdapter):
    """requests' own way to urllib3, with our connections in the pools."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange
        # repetitions are the client's: one budget for what fails before, at and after the first byte
        super().__init__(max_retries=Retry(0, read=False))

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: bool | str | None,
        proxies: dict[str, str] | None = None,
        cert: tuple[str, str] | str | None = None,
    ) -> HTTPConnectionPool:
        pool = super().get_connection_with_tls_context(request, True if verify is None else verify, proxies, cert)
        theirs = pool.ConnectionCls
        if not issubclass(theirs, _Connection):
            # a connection through SOCKS connects in its own way
            ours = _DirectConnection if theirs in {HTTPConnection, HTTPSConnection} else _Connection
            pool.ConnectionCls = type(ours.__name__, (ours, theirs), {"exchange": self._exchange})
        return pool


class _NoCredentials(AuthBase):
    """Keeps requests from looking for a name and a password in ~/.netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        """Say that there is none: even when told to follow none, requests reads a redirect's whole body."""
        return None


def open_session(deadline: Deadline, secret: Secret, policy: HttpPolicy) -> requests.Session:
    """Return a session for one call; its proxies and certificates are those of the environment."""
    session = _Session()
    session.auth = _NoCredentials()
    session.headers = requests.structures.CaseInsensitiveDict(_headers(policy))
    adapter = _Adapter(_Exchange(deadline, secret, policy))
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _headers(policy: HttpPolicy) -> Mapping[str, str]:
    return {
        "User-Agent": policy.user_agent,
        "Accept": "*/*",
        "Accept-Encoding": "gzip",
        # the end of the connection shows that nothing comes after the promised length
        "Connection": "close",
    }
