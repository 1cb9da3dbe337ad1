"""Faults: each is on the wire what its name says, for the requests that it was installed for and for no other."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import enumerate as threads
from urllib.parse import urlsplit

import pytest

from macrocredit_assets.testing import CboeServer, Fault, FredServer, Publisher, faults
from macrocredit_assets.testing.servers.faults import FAULTS, TWO_GIGABYTES
from macrocredit_assets.windows import Window

GRAPH = "/graph/fredgraph.csv?id=DGS10"
API = "/fred/series/observations?series_id=DGS10&file_type=json&api_key="
ROWS = {date(2026, 3, 2): "4.06", date(2026, 3, 3): "4.08", date(2026, 3, 4): "4.10", date(2026, 3, 5): ""}
HEADER = "observation_date,DGS10\n"
LINES = ["2026-03-02,4.06\n", "2026-03-03,4.08\n", "2026-03-04,4.10\n", "2026-03-05,\n"]
PLAIN = (HEADER + "".join(LINES)).encode()


@pytest.fixture
def publisher() -> Publisher:
    """Return one with two FRED series and a Cboe history."""
    publisher = Publisher(today=date(2026, 3, 6))
    publisher.publish("DGS10", ROWS)
    publisher.publish("DGS2", ROWS)
    publisher.publish("VIX", {date(2026, 3, 2): ("17.2", "18.1", "17.0", "17.6")})
    return publisher


@pytest.fixture
def fred(publisher: Publisher) -> Iterator[FredServer]:
    """Serve as FRED does."""
    with FredServer(publisher) as server:
        yield server


class _Answer:
    """What an ordinary client gets to see."""

    def __init__(self, url: str, target: str = GRAPH, *, timeout: float = 5) -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=timeout)
        try:
            connection.request("GET", target)
            sent = connection.getresponse()
            self.status, self.headers, self.body = sent.status, sent.headers, sent.read()
        finally:
            connection.close()


def _answer(server: FredServer, fault: Fault, target: str = GRAPH) -> _Answer:
    server.install(fault)
    return _Answer(server.url, target)


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


def _csv(*lines: str) -> bytes:
    return (HEADER + "".join(lines)).encode()


def test_fault_counts_down(fred: FredServer) -> None:
    """Twice 429, once 503, and then the answer: faults wait in the order in which they were installed."""
    fred.install(faults.rate_limited(), times=2)
    fred.install(faults.unavailable(), times=1)
    assert [_Answer(fred.url).status for _ in range(4)] == [429, 429, 503, 200]
    assert [request.fault for request in fred.requests] == ["rate_limited", "rate_limited", "unavailable", None]


def test_fault_is_for_its_series(fred: FredServer) -> None:
    """The others are served, by both doors the same; what is cleared is gone."""
    fred.install(faults.unavailable(), series="DGS10")
    fred.install(faults.not_found(), series="DGS2")
    targets = (GRAPH, API + fred.key, GRAPH.replace("DGS10", "DGS2"))
    assert [_Answer(fred.url, target).status for target in targets] == [503, 503, 404]
    fred.clear("DGS10")
    assert [_Answer(fred.url, target).status for target in targets] == [200, 200, 404]
    fred.clear()
    assert [_Answer(fred.url, target).status for target in targets] == [200, 200, 200]


def test_fault_comes_and_goes_with_the_days(fred: FredServer, publisher: Publisher) -> None:
    """A window of days, or any set of them, of the publisher's clock."""
    fred.install(faults.unavailable(), days=Window(date(2026, 3, 9), date(2026, 3, 10)))
    fred.install(faults.unavailable(502), days={date(2026, 3, 12)})
    statuses = []
    for day in (6, 9, 10, 11, 12, 13):
        publisher.today = date(2026, 3, day)
        statuses.append(_Answer(fred.url).status)
    assert statuses == [200, 503, 503, 200, 502, 200]


def test_rate_limit_says_when_to_come_back(fred: FredServer) -> None:
    """In seconds, as an HTTP date, or not at all."""
    assert _answer(fred, faults.rate_limited(7)).headers["Retry-After"] == "7"
    fred.clear()
    until = parsedate_to_datetime(_answer(fred, faults.rate_limited(3600, as_date=True)).headers["Retry-After"])
    assert timedelta(minutes=59) < until - datetime.now(UTC) <= timedelta(minutes=60)
    fred.clear()
    assert "Retry-After" not in _answer(fred, faults.rate_limited(None)).headers


@pytest.mark.parametrize(
    ("fault", "status", "says"),
    [(faults.not_found(), 404, b"cannot be found"), (faults.login_page(), 200, b'type="password"')],
)
def test_page_for_people(fred: FredServer, fault: Fault, status: int, says: bytes) -> None:
    """HTML where there should be rows."""
    answer = _answer(fred, fault)
    assert (answer.status, answer.headers["Content-Type"]) == (status, "text/html; charset=UTF-8")
    assert says in answer.body


def test_echo_repeats_the_key(fred: FredServer) -> None:
    """The address comes back as it was asked for."""
    assert (API + "canary").encode() in _answer(fred, faults.echo(400), API + "canary").body


def test_redirections(fred: FredServer) -> None:
    """To a host with another name, which answers; to a given one; to the same place again."""
    host = urlsplit(fred.url).netloc
    for fault, address in (
        (faults.elsewhere(), f"//{host.replace('127.0.0.1', 'localhost')}{GRAPH}"),
        (faults.elsewhere("http://example.invalid/"), "http://example.invalid/"),
        (faults.moved(), GRAPH),
    ):
        answer = _answer(fred, fault)
        assert (answer.status, answer.headers["Location"]) == (302, address)
        fred.clear()


@pytest.mark.parametrize(
    ("fault", "body"),
    [
        (faults.header_only(), _csv()),
        (faults.renamed_header("VALUE"), b"observation_date,VALUE\n" + "".join(LINES).encode()),
        (faults.byte_order_mark(), b"\xef\xbb\xbf" + PLAIN),
        (faults.carriage_returns(), PLAIN.replace(b"\n", b"\r\n")),
        (faults.cell("1e5"), _csv(*LINES[:2], "2026-03-04,1e5\n", LINES[3])),
        (faults.cell("N/A", day=date(2026, 3, 2)), _csv("2026-03-02,N/A\n", *LINES[1:])),
        (faults.lone_comma(), _csv(*LINES[:2], ",\n", *LINES[2:])),
        (faults.out_of_order(), _csv(LINES[1], LINES[3], LINES[0], LINES[2])),
        (faults.duplicated(), _csv(*LINES, LINES[2])),
        (faults.conflicting(), _csv(*LINES, "2026-03-04,5.10\n")),
        (faults.future(30), _csv(*LINES, "2026-04-05,4.10\n")),
        (faults.frozen(date(2026, 3, 3)), _csv(*LINES[:2])),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
def test_rows_that_are_not_as_they_should_be(fred: FredServer, fault: Fault, body: bytes) -> None:
    """Nothing else about the answer changes."""
    answer = _answer(fred, fault)
    assert (answer.status, answer.headers["Content-Type"], answer.body) == (200, "application/csv", body)


def test_faults_of_rows_work_in_json(fred: FredServer) -> None:
    """The same faults, by the other door."""
    target = API + fred.key
    assert json.loads(_answer(fred, faults.header_only(), target).body)["observations"] == []
    fred.clear()
    last = json.loads(_answer(fred, faults.cell("N/A"), target).body)["observations"][2]
    assert (last["date"], last["value"]) == ("2026-03-04", "N/A")
    fred.clear()
    observations = json.loads(_answer(fred, faults.renamed_header("val"), target).body)["observations"]
    assert "val" in observations[0]
    assert "value" not in observations[0]
    fred.clear()
    with pytest.raises(ValueError, match="Extra data"):
        json.loads(_answer(fred, faults.lone_comma(), target).body)


def test_faults_of_rows_work_with_four_columns(publisher: Publisher) -> None:
    """In Cboe's history it is the close that is no number; of a conflicting row, every value is another one."""
    with CboeServer(publisher) as cboe:
        target = f"{urlsplit(cboe.folder).path}/VIX_History.csv"
        cboe.install(faults.cell("N/A"), series="VIX", times=1)
        assert _Answer(cboe.url, target).body.endswith(b"\n03/02/2026,17.2,18.1,17.0,N/A\n")
        cboe.install(faults.conflicting(), series="VIX", times=1)
        assert _Answer(cboe.url, target).body.endswith(b"17.6\n03/02/2026,18.2,19.1,18.0,18.6\n")


def test_fault_of_your_own(fred: FredServer) -> None:
    """A function that changes the reply is enough."""
    fred.install(Fault("teapot", reply=lambda reply, _: replace(reply, status=418)))
    assert (_Answer(fred.url).status, fred.requests[0].fault) == (418, "teapot")


def test_reset_before_the_answer(fred: FredServer) -> None:
    """The client's read ends in a reset."""
    with pytest.raises(ConnectionResetError):
        _answer(fred, faults.reset())


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
    assert caught.value.partial == _csv(LINES[0])
    assert caught.value.expected == len(PLAIN) - len(_csv(LINES[0]))


def test_long_body(fred: FredServer) -> None:
    """A client that believes the header reads a whole number of lines, and too few."""
    assert _answer(fred, faults.long_body()).body == _csv(LINES[0])


def test_gzip_that_lies(fred: FredServer) -> None:
    """No gzip at all; a checksum of something else; a stream without its end, of the announced length."""
    plain = _answer(fred, faults.plain_as_gzip())
    assert (plain.headers["Content-Encoding"], plain.body) == ("gzip", PLAIN)
    fred.clear()
    with pytest.raises(gzip.BadGzipFile, match="CRC"):
        gzip.decompress(_answer(fred, faults.broken_gzip()).body)
    fred.clear()
    cut = _answer(fred, faults.cut_gzip())
    assert int(cut.headers["Content-Length"]) == len(cut.body)
    with pytest.raises(EOFError):
        gzip.decompress(cut.body)


def test_gzip_bomb_unpacks_to_its_size(fred: FredServer) -> None:
    """A thousandth of it goes over the wire; five mebibytes stand for the two gibibytes that it has by default."""
    body = _answer(fred, faults.gzip_bomb(5 << 20)).body
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
    answer = _answer(fred, faults.huge_body(300_001, declared=False))
    assert "Content-Length" not in answer.headers
    assert len(answer.body) == 300_001


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
        assert _Answer(address).status == 200
        fred.stop()
        fred.stop()
        with pytest.raises(ConnectionRefusedError):
            _Answer(address)
        fred.start()
        assert (fred.url, _Answer(address).status, len(fred.requests)) == (address, 200, 2)


def test_server_that_never_started_has_no_address(publisher: Publisher) -> None:
    """It says what to do, and holds nothing that would have to be closed."""
    with pytest.raises(RuntimeError, match="start it"):
        _ = FredServer(publisher).url


def test_every_fault_has_a_name_of_its_own() -> None:
    """The list has one for each public function; ``frozen`` needs a date."""
    functions = {name for name in faults.__all__ if name.islower()} - {"frozen", "cell"}
    assert functions <= set(FAULTS)
    assert set(FAULTS) - functions == {"rate_limited_until", "cell_1e5", "cell_N/A", "endless_body"}
