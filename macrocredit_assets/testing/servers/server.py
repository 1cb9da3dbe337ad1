"""A publisher's web server on this machine: threads, TLS, the faults that are installed, and what was asked.

What belongs here: everything but formats. It listens on 127.0.0.1, on a port that the system chooses.
"""

from __future__ import annotations

import ssl
from abc import ABC, abstractmethod
from collections.abc import Container
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from sys import exception
from threading import Event, Lock, Thread, current_thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from macrocredit_assets.testing.servers.faults.plan import Fault, FaultPlan
from macrocredit_assets.testing.servers.publisher import Publisher
from macrocredit_assets.testing.servers.replies import Connection, Draft, Reply, Request, send_whole

__all__ = ["PublisherServer"]


class PublisherServer(ABC):
    """What the servers have in common; a context manager that serves from entry to exit.

    A server that is stopped and started again is at the same address: between the two, connections are refused.

    Parameters
    ----------
    publisher
        Whose rows are served, and on which date.
    tls
        A server's context, with its certificate: it speaks https. None is http.
    """

    def __init__(self, publisher: Publisher, *, tls: ssl.SSLContext | None = None) -> None:
        self.publisher = publisher
        self._plan = FaultPlan()
        self._requests: list[Request] = []
        self._lock = Lock()
        self._tls = tls
        self._port = 0
        self._http: _Http | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, and answer in threads; nothing happens where it does already."""
        if self._http is None:
            self._http = _Http(self, self._port, self._tls)
            self._port = self._http.server_port

    def stop(self) -> None:
        """Listen no longer, break off every answer, and wait for the threads; nothing happens where it does not."""
        if self._http is not None:
            self._http.stop()
            self._http = None

    @property
    def url(self) -> str:
        """Where it listens, or did: ``http://127.0.0.1:54321``; raise :class:`RuntimeError` before it ever has."""
        if not self._port:
            raise RuntimeError("The server has no address yet: start it, best with a `with` block.")
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    @abstractmethod
    def settings(self) -> dict[str, str]:
        """Return the environment variables that send the package here."""

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request so far, in the order in which they came."""
        with self._lock:
            return tuple(self._requests)

    def install(
        self,
        fault: Fault,
        *,
        series: str | None = None,
        times: int | None = None,
        days: Container[date] | None = None,
    ) -> None:
        """Answer with a fault; of several that apply to a request, with the one that was installed first.

        Parameters
        ----------
        fault
            What goes wrong.
        series
            For requests of this series alone; None is for all.
        times
            For so many requests; None is for ever.
        days
            On these days of the publisher, a window or a set of dates; None is on all.
        """
        self._plan.add(fault, series, times, days)

    def clear(self, series: str | None = None) -> None:
        """Take back the faults that were installed for a series; without one, all."""
        self._plan.clear(series)

    @abstractmethod
    def _series(self, path: str, query: dict[str, str]) -> str:
        """Return which series is asked for, or an empty text."""

    @abstractmethod
    def _answer(self, request: Request) -> Draft | Reply:
        """Return what the publisher answers when nothing goes wrong."""

    def reply_to(self, target: str, headers: dict[str, str]) -> Reply:
        """Return what is sent back, faults included, and note what was asked."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        today, series = self.publisher.today, self._series(parts.path, query)
        fault = self._plan.take(series, today)
        name = None if fault is None else fault.name
        request = Request(datetime.now(UTC), target, parts.path, query, headers, series, today, name)
        with self._lock:
            self._requests.append(request)
        answer = self._answer(request)
        if isinstance(answer, Draft):
            answer = answer.render(answer.table if fault is None else fault.table(answer.table))
        reply = answer if fault is None else fault.reply(answer, request)
        gzips = "gzip" in headers.get("accept-encoding", "") and "Content-Encoding" not in reply.headers
        return reply.compressed() if gzips and reply.send is send_whole else reply


class _Http(ThreadingHTTPServer):
    """The listening socket; knows its connections, so that none outlives it."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, owner: PublisherServer, port: int, tls: ssl.SSLContext | None) -> None:
        self.owner, self.closing, self._tls = owner, Event(), tls
        self._open: dict[Thread, socket] = {}
        self._lock = Lock()
        super().__init__(("127.0.0.1", port), _Handler)
        self._listening = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._listening.start()

    def get_request(self) -> tuple[socket, Any]:
        accepted, address = super().get_request()
        if self._tls is not None:
            # the handshake happens with the first read, in the connection's own thread
            accepted = self._tls.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
        return accepted, address

    def opened(self, connection: socket) -> None:
        with self._lock:
            if self.closing.is_set():
                raise ConnectionAbortedError("the server closes")
            self._open[current_thread()] = connection

    def closed(self) -> None:
        with self._lock:
            self._open.pop(current_thread(), None)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - socketserver's signature
        # clients that leave, or do not trust the certificate, are what these servers are for
        if not isinstance(exception(), ConnectionError | TimeoutError | ssl.SSLError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """Stop listening, end every connection, and wait for their threads."""
        self.closing.set()
        self.shutdown()
        self._listening.join()
        self.server_close()
        with self._lock:
            left = dict(self._open)
        for connection in left.values():
            try:
                # not the method of a TLS socket, which takes its state from under the thread that reads from it
                socket.shutdown(connection, SHUT_RDWR)
            except OSError:
                continue
        for thread in left:
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Http

    def setup(self) -> None:
        self.server.opened(self.request)
        super().setup()

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.server.closed()

    def do_GET(self) -> None:
        headers = {name.lower(): text for name, text in self.headers.items()}
        reply = self.server.owner.reply_to(self.path, headers)
        self.close_connection = reply.send is not send_whole
        reply.send(Connection(self.connection, self.server.closing), reply)

    def log_message(self, *_: object) -> None:
        """Say nothing: what was asked is in ``requests``."""
