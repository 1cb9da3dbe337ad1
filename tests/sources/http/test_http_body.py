"""Bodies: whole or not at all, no larger than allowed, and decompressed strictly."""

from __future__ import annotations

import gzip
import socket
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from macrocredit_assets.errors import MalformedResponseError, SourceUnavailableError
from macrocredit_assets.sources.http import Asked

if TYPE_CHECKING:
    from conftest import MakeClient, Script, Wires

BODY = b"observation_date,DGS10\n" + b"2024-01-02,3.95\n" * 100
PACKED = gzip.compress(BODY, mtime=0)
GZIP = "Content-Encoding: gzip"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"


def chunks(*pieces: bytes) -> bytes:
    """Return pieces as HTTP chunks, without the last one, which is empty."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


@pytest.mark.parametrize(
    "answer",
    [
        lambda wire: wire.reply(BODY),
        lambda wire: wire.reply(BODY, "200 OK", "Content-Encoding: identity"),
        lambda wire: b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
        lambda wire: CHUNKED + b"\r\n" + chunks(BODY[:7], BODY[7:]) + b"0\r\n\r\n",
        lambda wire: wire.reply(PACKED, "200 OK", GZIP),
        lambda wire: wire.reply(PACKED, "200 OK", "Content-Encoding: X-GZIP"),
        lambda wire: wire.reply(gzip.compress(BODY[:9]) + gzip.compress(BODY[9:]), "200 OK", GZIP),
        lambda wire: CHUNKED + GZIP.encode() + b"\r\n\r\n" + chunks(PACKED[:1], PACKED[1:]) + b"0\r\n\r\n",
    ],
    ids=["length", "identity", "until the end", "chunks", "gzip", "x-gzip", "two members", "gzip in chunks"],
)
def test_a_body_arrives_as_it_was_meant(
    wire: Wires, make_client: MakeClient, asked: Asked, answer: Callable[[Wires], Script]
) -> None:
    """However a body is framed and compressed, the same bytes arrive."""
    server = wire.serve(answer(wire))
    assert make_client().get(server.url, {}, asked).body == BODY
    assert "Accept-Encoding: gzip\r\n" in server.heads[0]


@pytest.mark.parametrize(
    ("head", "body", "whole"),
    [
        (b"Content-Length: %d\r\n" % len(BODY), BODY, True),
        (b"Transfer-Encoding: chunked\r\n", chunks(BODY) + b"0\r\n\r\n", True),
        (GZIP.encode() + b"\r\n", PACKED, True),
        (GZIP.encode() + b"\r\n", b"", False),
        (b"", BODY, False),
        (b"", b"", False),
    ],
    ids=["length", "chunks", "gzip", "gzip of nothing", "until the end", "nothing until the end"],
)
def test_framing_that_shows_the_end(
    wire: Wires, make_client: MakeClient, asked: Asked, head: bytes, body: bytes, whole: bool
) -> None:
    """A length, a last chunk and the end of a gzip stream show that nothing is missing; a hang-up does not."""
    answer = make_client().get(wire.serve(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + body).url, {}, asked)
    assert (answer.body, answer.whole) == (BODY if body else b"", whole)


@pytest.mark.parametrize("encoding", ["Content-Encoding: identity", GZIP])
def test_an_empty_body_is_one(wire: Wires, make_client: MakeClient, asked: Asked, encoding: str) -> None:
    """A body of no bytes is returned as such; what to think of it, the source knows."""
    server = wire.serve(wire.reply(b"", "200 OK", encoding))
    assert make_client().get(server.url, {}, asked).body == b""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda wire: wire.reply(BODY, length=len(BODY) + 1), "broke off after 1,623 of 1,624 bytes"),
        (lambda wire: wire.reply(PACKED, "200 OK", GZIP, length=len(PACKED) + 1), "broke off after"),
        (lambda wire: wire.reply(BODY, length=len(BODY) - 1), "more bytes than its Content-Length promised"),
        (lambda wire: wire.reply(BODY, length=0), "more bytes than its Content-Length promised"),
        (lambda wire: CHUNKED + b"\r\n" + chunks(BODY), "broke off in the middle"),
        (lambda wire: CHUNKED + b"\r\n10\r\nshort", "broke off after"),
        (lambda wire: CHUNKED + b"\r\nzz\r\n", "sent chunks that cannot be read"),
    ],
    ids=["short", "short gzip", "long", "long after nothing", "no last chunk", "half a chunk", "no chunk"],
)
def test_a_body_of_another_length_than_promised(
    wire: Wires, make_client: MakeClient, asked: Asked, answer: Callable[[Wires], Script], words: str
) -> None:
    """A body that is shorter or longer than the server said is no answer, and is asked for again."""
    server = wire.serve(answer(wire))
    with pytest.raises(SourceUnavailableError, match=words):
        make_client(retries=1).get(server.url, {}, asked)
    assert len(server.heads) == 2


def test_a_server_that_keeps_the_connection_is_not_waited_for(
    wire: Wires, make_client: MakeClient, asked: Asked
) -> None:
    """The promised bytes are an answer, also where the server does not hang up although it was asked to."""
    server = wire.serve(lambda connection: (connection.sendall(wire.reply(BODY)), connection.recv(1)))
    answer = make_client().get(server.url, {}, asked)
    assert answer.body == BODY


@pytest.mark.parametrize(
    ("body", "encoding", "words"),
    [
        (BODY, "gzip", "says it is gzip and is not"),
        (PACKED[:-9], "gzip", "a gzip stream that breaks off"),
        (PACKED[:-8] + bytes(8), "gzip", "says it is gzip and is not"),
        (PACKED + b"and more", "gzip", "says it is gzip and is not"),
        (zlib.compress(BODY), "deflate", "compressed as 'deflate', which it was not asked for"),
        (PACKED, "br", "compressed as 'br', which it was not asked for"),
        (PACKED, "gzip, gzip", "compressed as 'gzip, gzip', which it was not asked for"),
    ],
    ids=["plain", "cut", "wrong checksum", "followed by text", "deflate", "brotli", "twice"],
)
def test_compression_that_lies(
    wire: Wires, make_client: MakeClient, asked: Asked, body: bytes, encoding: str, words: str
) -> None:
    """A body that cannot be decompressed to its last byte is malformed, and not asked for again."""
    server = wire.serve(wire.reply(body, "200 OK", f"Content-Encoding: {encoding}"))
    with pytest.raises(MalformedResponseError, match=words):
        make_client().get(server.url, {}, asked)
    assert len(server.heads) == 1


def flood(connection: socket.socket) -> None:
    """Send for as long as somebody listens."""
    for _ in range(10_000):
        connection.sendall(bytes(65_536))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda wire: wire.reply(b"x", length=2 * 1024**3), r"announced 2,147,483,648 bytes; 100,000 are taken"),
        (lambda wire: lambda c: (c.sendall(b"HTTP/1.1 200 OK\r\n\r\n"), flood(c)), "sent more than 100,000 bytes"),
        (lambda wire: wire.reply(bytes(100_001)), r"announced 100,001 bytes"),
        (lambda wire: wire.reply(gzip.compress(bytes(10_000_000)), "200 OK", GZIP), "100,000 bytes once decompressed"),
    ],
    ids=["announced", "endless", "by one byte", "bomb"],
)
def test_a_body_that_is_too_large(
    wire: Wires, make_client: MakeClient, asked: Asked, answer: Callable[[Wires], Script], words: str
) -> None:
    """A body above the limit is refused before it is read, or where it crosses the limit."""
    with pytest.raises(MalformedResponseError, match=words):
        make_client(body_limit=100_000).get(wire.serve(answer(wire)).url, {}, asked)


def test_a_body_at_the_limit_is_taken(wire: Wires, make_client: MakeClient, asked: Asked) -> None:
    """The limit itself is allowed, plain and decompressed."""
    client, full = make_client(body_limit=100_000), bytes(100_000)
    assert client.get(wire.serve(wire.reply(full)).url, {}, asked).body == full
    assert client.get(wire.serve(wire.reply(gzip.compress(full), "200 OK", GZIP)).url, {}, asked).body == full


def test_what_an_error_quotes_is_readable(wire: Wires, make_client: MakeClient, asked: Asked) -> None:
    """A refusal that is compressed is quoted in plain text; one that cannot be decompressed is not quoted."""
    page = gzip.compress(b"<html>\n  <b>Down</b> for\tmaintenance")
    server = wire.serve(wire.reply(page, "503 Down", GZIP, "Content-Type: text/html"))
    with pytest.raises(SourceUnavailableError, match="came back: status 503, text/html: <html> <b>Down</b> for main"):
        make_client(retries=0).get(server.url, {}, asked)
    server = wire.serve(wire.reply(b"no gzip", "503 Down", GZIP))
    with pytest.raises(SourceUnavailableError, match="came back: status 503\n"):
        make_client(retries=0).get(server.url, {}, asked)
    server = wire.serve(wire.reply(b"", "503 Down", length=5))
    with pytest.raises(SourceUnavailableError, match="came back: status 503\n"):
        make_client(retries=0).get(server.url, {}, asked)


def test_a_body_that_is_not_wanted_is_not_judged(wire: Wires, make_client: MakeClient, asked: Asked) -> None:
    """What stands behind a redirect or a refusal, and how long it claims to be, does not matter."""
    moved = b"HTTP/1.1 302 Found\r\nLocation: /new\r\nContent-Length: 0\r\n\r\nmore than nothing"
    server = wire.serve(moved, wire.reply(b"more", "503 Down", length=2), wire.reply(BODY))
    assert make_client().get(server.url, {}, asked).body == BODY
