"""What goes over the wire: a request, a table before it has a format, a reply, and the connection it is sent on.

What belongs here: shapes, and how a reply is sent as it should be. How it is sent as it should not be is in
``faults/wire.py``; who answers what, in ``fred.py`` and ``cboe.py``.
"""

from __future__ import annotations

import gzip
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from http import HTTPStatus
from threading import Event
from typing import TypeAlias

__all__ = ["Connection", "Draft", "Reply", "Request", "Row", "Sender", "Table", "head", "page", "send_whole"]

#: A date and the texts of its values, as the publisher prints them; an empty text is no value.
Row: TypeAlias = tuple[date, tuple[str, ...]]


@dataclass(frozen=True)
class Request:
    """What was asked, and what was done about it.

    Parameters
    ----------
    at
        When it came (UTC).
    target
        Path and query as they were sent, secrets included.
    path, query
        The same, taken apart; of a parameter that is given twice, the last.
    headers
        By their names in lower case.
    series
        Which series it is about; empty where it is about none.
    today
        The publisher's date when it came.
    fault
        The name of the fault that it was answered with, or None.
    """

    at: datetime
    target: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    series: str
    today: date
    fault: str | None = None


@dataclass(frozen=True)
class Table:
    """What a publisher is about to send, before it is text of one format or another.

    Parameters
    ----------
    columns
        The names: of the date first, then of each value.
    rows
        In the order in which they are sent.
    today
        The publisher's date.
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    today: date


class Connection:
    """The server's end of a connection, for senders.

    Parameters
    ----------
    sock
        The accepted socket, TLS or not.
    closing
        Set when the server closes: nobody waits any longer.
    """

    def __init__(self, sock: socket.socket, closing: Event) -> None:
        self._socket, self._closing = sock, closing

    def write(self, data: bytes) -> None:
        """Send bytes; raise :class:`ConnectionError` where the client is gone or the server closes."""
        if self._closing.is_set():
            raise ConnectionAbortedError("the server closes")
        self._socket.sendall(data)

    def drip(self, data: bytes, pace: float) -> None:
        """Send bytes one at a time, with so many seconds after each."""
        for number in range(len(data)):
            self.write(data[number : number + 1])
            self._closing.wait(pace)

    def hold(self) -> None:
        """Say nothing more until the client gives up or the server, which ends its connections, closes."""
        while self._socket.recv(1024):
            pass

    def reset(self) -> None:
        """End the connection at once with a reset instead of a farewell."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # detached: the handler's file objects would keep it open, and its own shutdown would say farewell
        socket.close(self._socket.detach())


Sender: TypeAlias = Callable[[Connection, "Reply"], None]


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """Return the first lines of a reply, the empty one included."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {text}" for name, text in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def send_whole(connection: Connection, reply: Reply) -> None:
    """Send a reply as it should be: all of it, in one go, with its length."""
    connection.write(head(reply.status, {**reply.headers, "Content-Length": str(len(reply.body))}) + reply.body)


@dataclass(frozen=True)
class Reply:
    """What is sent back.

    Parameters
    ----------
    body
        The bytes after the headers.
    content_type
        Of the body.
    status
        HTTP's number.
    extra
        Headers beside content type and length.
    send
        How it goes over the wire.
    """

    body: bytes
    content_type: str = "text/html; charset=UTF-8"
    status: int = 200
    extra: Mapping[str, str] = field(default_factory=dict)
    send: Sender = send_whole

    @property
    def headers(self) -> Mapping[str, str]:
        """Every header but the length."""
        return {"Content-Type": self.content_type, **self.extra}

    def compressed(self) -> Reply:
        """Return the same reply, gzipped."""
        packed = gzip.compress(self.body, compresslevel=1, mtime=0)
        return replace(self, body=packed, extra={**self.extra, "Content-Encoding": "gzip"})


@dataclass(frozen=True)
class Draft:
    """A table and the format it is to be sent in: faults may lie in between."""

    table: Table
    render: Callable[[Table], Reply]


def page(status: int, title: str, text: str) -> Reply:
    """Return a web page for people."""
    lines = ("<!DOCTYPE html>", f"<html><head><title>{title}</title></head>", f"<body><p>{text}</p></body></html>", "")
    return Reply("\n".join(lines).encode(), status=status)
