"""Faults of the wire, byte by byte: answers cut, held back, without end; and servers that stop while they are asked."""

from __future__ import annotations

import gzip
import http.client
import socket
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from threading import enumerate as threads
from urllib.parse import urlsplit

import pytest

from macrocredit_assets.testing import Fault, FredServer, Publisher, faults
from macrocredit_assets.testing.servers.faults import TWO_GIGABYTES

GRAPH = "/graph/fredgraph.csv?id=DGS10"
FIRST = b"observation_date,DGS10\n2026-03-02,4.06\n"
PLAIN = FIRST + b"2026-03-03,4.08\n2026-03-04,4.10\n2026-03-05,\n"


@pytest.fixture
def publisher() -> Publisher:
    """Return one with a series."""
    publisher = Publisher(today=date(2026, 3, 6))
    rows = {date(2026, 3, 2): "4.06", date(2026, 3, 3): "4.08", date(2026, 3, 4): "4.10", date(2026, 3, 5): ""}
    publisher.publish("DGS10", rows)
    return publisher


@pytest.fixture
def fred(publisher: Publisher) -> Iterator[FredServer]:
    """Serve as FRED does."""
    with FredServer(publisher) as server:
        yield server


def _get(url: str) -> tuple[http.client.HTTPMessage, bytes]:
    """Return headers and body, as an ordinary client sees them."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    try:
        connection.request("GET", GRAPH)
        sent = connection.getresponse()
        return sent.headers, sent.read()
    finally:
        connection.close()


def _answer(server: FredServer, fault: Fault) -> tuple[http.client.HTTPMessage, bytes]:
    server.clear()
    server.install(fault)
    return _get(server.url)


def _asking(server: FredServer) -> socket.socket:
    """Return a connection on which a request was sent."""
    client = socket.create_connection((urlsplit(server.url).hostname, urlsplit(server.url).port), timeout=5)
    client.sendall(f"GET {GRAPH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return client


def _read_to(client: socket.socket, end: bytes) -> bytes:
    """Read until some bytes came."""
    received = b""
    while end not in received:
        piece = client.recv(1)
        assert piece, received
        received += piece
    return received


def test_reset_before_the_answer(fred: FredServer) -> None:
    """The client's read ends in a reset."""
    fred.install(faults.reset())
    with _asking(fred) as client, pytest.raises(ConnectionResetError):
        client.recv(1)


def test_reset_in_mid_body(fred: FredServer) -> None:
    """Half the body arrives; then a reset, not an end."""
    half = PLAIN[: len(PLAIN) // 2]
    fred.install(faults.reset_in_body())
    with _asking(fred) as client:
        _read_to(client, half)
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_short_body(fred: FredServer) -> None:
    """The connection ends in good order, at a line's end, with less than was announced."""
    with pytest.raises(http.client.IncompleteRead) as caught:
        _answer(fred, faults.short_body())
    assert caught.value.partial == FIRST
    assert caught.value.expected == len(PLAIN) - len(FIRST)


def test_long_body(fred: FredServer) -> None:
    """A client that believes the header reads a whole number of lines, and too few."""
    assert _answer(fred, faults.long_body())[1] == FIRST


def test_gzip_that_lies(fred: FredServer) -> None:
    """No gzip at all; a checksum of something else; a stream without its end, of the announced length."""
    headers, body = _answer(fred, faults.plain_as_gzip())
    assert (headers["Content-Encoding"], body) == ("gzip", PLAIN)
    with pytest.raises(gzip.BadGzipFile, match="CRC"):
        gzip.decompress(_answer(fred, faults.broken_gzip())[1])
    headers, body = _answer(fred, faults.cut_gzip())
    assert int(headers["Content-Length"]) == len(body)
    with pytest.raises(EOFError):
        gzip.decompress(body)


def test_gzip_bomb_unpacks_to_its_size(fred: FredServer) -> None:
    """A thousandth of it goes over the wire; five mebibytes stand for the two gibibytes that it has by default."""
    body = _answer(fred, faults.gzip_bomb(5 << 20))[1]
    assert len(body) < 10_000
    assert zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(body) == bytes(5 << 20)


def test_huge_body_is_announced(fred: FredServer) -> None:
    """Two gibibytes are in the header before the first byte of the body, which begins as it should."""
    fred.install(faults.huge_body())
    connection = http.client.HTTPConnection(urlsplit(fred.url).netloc, timeout=5)
    connection.request("GET", GRAPH)
    with connection.getresponse() as sent:
        assert sent.headers["Content-Length"] == str(TWO_GIGABYTES)
        assert sent.read(len(PLAIN)) == PLAIN
    connection.close()


def test_endless_body_has_no_length(fred: FredServer) -> None:
    """It ends where the connection does, after as many bytes as were asked for."""
    headers, body = _answer(fred, faults.huge_body(300_001, declared=False))
    assert "Content-Length" not in headers
    assert len(body) == 300_001


def test_silence(fred: FredServer) -> None:
    """The request is taken, and not a byte comes back."""
    fred.install(faults.silence())
    with _asking(fred) as client:
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_slow_headers_never_end(fred: FredServer) -> None:
    """One comes after the other, a byte at a time, and never the empty line after the last."""
    fred.install(faults.slow_headers(0.0001))
    with _asking(fred) as client:
        received = _read_to(client, b"X-Wait: yes\r\n" * 3)
        assert received.startswith(b"HTTP/1.1 200 OK\r\nX-Wait")
        assert b"\r\n\r\n" not in received


def test_slow_body_lacks_its_last_byte(fred: FredServer) -> None:
    """All others come, a byte at a time."""
    fred.install(faults.slow_body(0.0001))
    with _asking(fred) as client:
        assert f"Content-Length: {len(PLAIN)}".encode() in _read_to(client, PLAIN[:-1])
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_server_ends_with_its_block(publisher: Publisher) -> None:
    """Whoever is still waiting for an answer is let go, and no thread is left."""
    before = set(threads())
    with ExitStack() as stack:
        fred = FredServer(publisher)
        with fred:
            fred.install(faults.slow_headers(60))
            client = stack.enter_context(_asking(fred))
            _read_to(client, b"X")
        assert client.recv(1) == b""
    assert set(threads()) <= before


def test_stopped_server_refuses_and_comes_back(publisher: Publisher) -> None:
    """Nobody listens until it is started again, at the same address; what it was asked before is remembered."""
    with FredServer(publisher) as fred:
        address = fred.url
        assert _get(address)[1] == PLAIN
        fred.stop()
        fred.stop()
        with pytest.raises(ConnectionRefusedError):
            _get(address)
        fred.start()
        assert (fred.url, _get(address)[1], len(fred.requests)) == (address, PLAIN, 2)


def test_server_that_never_started_has_no_address(publisher: Publisher) -> None:
    """It says what to do, and holds nothing that would have to be closed."""
    with pytest.raises(RuntimeError, match="start it"):
        _ = FredServer(publisher).url
