"""Faults: each is on the wire what its name says, for the requests that it was installed for and for no other."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest

from macrocredit_assets.testing import CboeServer, Fault, FredServer, Publisher, faults
from macrocredit_assets.testing.servers.faults import FAULTS
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


def test_every_fault_has_a_name_of_its_own() -> None:
    """The list has one for each public function; ``frozen`` needs a date."""
    functions = {name for name in faults.__all__ if name.islower()} - {"frozen", "cell"}
    assert functions <= set(FAULTS)
    assert set(FAULTS) - functions == {"rate_limited_until", "cell_1e5", "cell_N/A", "endless_body"}
