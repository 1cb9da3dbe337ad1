"""Answers that are cut, held back, without end, or not what their headers say.

What belongs here: changes of how a reply goes over the wire, whatever it says. Bodies of gigabytes are sent in pieces
and never built.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import replace

from macrocredit_assets.testing.servers.faults.plan import Fault
from macrocredit_assets.testing.servers.replies import Connection, Reply, Sender, head

__all__ = [
    "TWO_GIGABYTES",
    "broken_gzip",
    "cut_gzip",
    "cut_unframed",
    "gzip_bomb",
    "huge_body",
    "long_body",
    "plain_as_gzip",
    "reset",
    "reset_in_body",
    "short_body",
    "silence",
    "slow_body",
    "slow_headers",
]

#: The size of a body that nobody wants to hold in memory.
TWO_GIGABYTES = 2 << 30

_PIECE = 1 << 16
_ZEROS = 1 << 20


def silence() -> Fault:
    """Take the request, and say nothing."""
    return _sent("silence", lambda connection, _: connection.hold())


def slow_headers(pace: float = 0.1) -> Fault:
    """Send headers without end, a byte every ``pace`` seconds: no wait for a single byte is ever too long."""

    def send(connection: Connection, _: Reply) -> None:
        connection.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.drip(b"X-Wait: yes\r\n", pace)

    return _sent("slow_headers", send)


def slow_body(pace: float = 0.1) -> Fault:
    """Send the body a byte every ``pace`` seconds, and never the last one."""

    def send(connection: Connection, reply: Reply) -> None:
        connection.write(_head(reply, len(reply.body)))
        connection.drip(reply.body[:-1], pace)
        connection.hold()

    return _sent("slow_body", send)


def reset() -> Fault:
    """Reset the connection before anything is sent."""
    return _sent("reset", lambda connection, _: connection.reset())


def reset_in_body() -> Fault:
    """Reset the connection after half the body."""

    def send(connection: Connection, reply: Reply) -> None:
        connection.write(_head(reply, len(reply.body)) + reply.body[: len(reply.body) // 2])
        connection.reset()

    return _sent("reset_in_body", send)


def short_body() -> Fault:
    """Send half of what ``Content-Length`` says, cut at a line's end where there is one, and close in good order."""

    def send(connection: Connection, reply: Reply) -> None:
        half = reply.body[: len(reply.body) // 2]
        connection.write(_head(reply, len(reply.body)) + (half[: half.rfind(b"\n") + 1] or half))

    return _sent("short_body", send)


def long_body() -> Fault:
    """Send twice what ``Content-Length`` says."""

    def send(connection: Connection, reply: Reply) -> None:
        half = len(reply.body) // 2
        connection.write(_head(reply, reply.body.rfind(b"\n", 0, half) + 1 or half) + reply.body)

    return _sent("long_body", send)


def plain_as_gzip() -> Fault:
    """Say that the body is gzip, which it is not."""
    return Fault("plain_as_gzip", reply=lambda reply, _: _as_gzip(reply, reply.body))


def broken_gzip() -> Fault:
    """Send gzip whose checksum is not that of its content."""

    def body(reply: Reply) -> bytes:
        packed = gzip.compress(reply.body, mtime=0)
        return packed[:-8] + bytes(byte ^ 0xFF for byte in packed[-8:-4]) + packed[-4:]

    return Fault("broken_gzip", reply=lambda reply, _: _as_gzip(reply, body(reply)))


def cut_gzip() -> Fault:
    """Send half of a gzip stream, with the right ``Content-Length`` for the half: nothing but its end is missing."""

    def body(reply: Reply) -> bytes:
        packed = gzip.compress(reply.body, mtime=0)
        return packed[: len(packed) // 2]

    return Fault("cut_gzip", reply=lambda reply, _: _as_gzip(reply, body(reply)))


def cut_unframed() -> Fault:
    """Cut the last line's end and the mark before it from a body whose length nothing tells: ``4.1`` of ``4.10``."""

    def send(connection: Connection, reply: Reply) -> None:
        connection.write(_head(reply, None) + reply.body.rstrip()[:-1])

    return _sent("cut_unframed", send)


def gzip_bomb(size: int = TWO_GIGABYTES) -> Fault:
    """Send a few bytes that unpack to many: zeros, of a size that is rounded up to a mebibyte."""

    def send(connection: Connection, reply: Reply) -> None:
        packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        pieces = [packer.compress(bytes(_ZEROS)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2)]
        more = -(-size // _ZEROS) - 1
        # a full flush makes a piece that stands alone: the second one can be sent any number of times
        length = len(pieces[0]) + more * len(pieces[1])
        connection.write(_head(_as_gzip(reply, b""), length) + pieces[0])
        for _ in range(more):
            connection.write(pieces[1])

    return _sent("gzip_bomb", send)


def huge_body(size: int = TWO_GIGABYTES, *, declared: bool = True) -> Fault:
    """Send the body over and over, up to a size.

    Parameters
    ----------
    size
        In bytes.
    declared
        Whether ``Content-Length`` says so; else the body ends where the connection does.
    """

    def send(connection: Connection, reply: Reply) -> None:
        piece = (reply.body or b"\n") * max(1, _PIECE // max(1, len(reply.body)))
        connection.write(_head(reply, size if declared else None))
        for sent in range(0, size, len(piece)):
            connection.write(piece[: size - sent])

    return _sent("huge_body" if declared else "endless_body", send)


def _sent(name: str, send: Sender) -> Fault:
    return Fault(name, reply=lambda reply, _: replace(reply, send=send))


def _head(reply: Reply, length: int | None) -> bytes:
    counted = {} if length is None else {"Content-Length": str(length)}
    return head(reply.status, {**reply.headers, **counted, "Connection": "close"})


def _as_gzip(reply: Reply, body: bytes) -> Reply:
    return replace(reply, body=body, extra={**reply.extra, "Content-Encoding": "gzip"})
