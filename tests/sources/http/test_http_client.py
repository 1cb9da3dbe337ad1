"""The client's patience: what it repeats, how long it waits, and when it has had enough."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from macrocredit_assets.errors import MalformedResponseError, RateLimitedError, SourceUnavailableError
from macrocredit_assets.sources.http import Asked, HttpClient, HttpPolicy

if TYPE_CHECKING:
    from conftest import MakeClient, Script, Waits, Wires

BODY = b"observation_date,DGS10\n2024-01-02,3.95\n"


def test_an_answer_says_what_came_and_when(wire: Wires, make_client: MakeClient, asked: Asked) -> None:
    """Status, type, bytes and time of an answer are those of the server; the request names this package."""
    server = wire.serve(wire.reply(BODY, "200 OK", "Content-Type: text/csv; charset=utf-8"))
    answer = make_client().get(server.url, {"id": "DGS10", "cosd": "2024-01-01"}, asked)
    assert (answer.status, answer.content_type, answer.body) == (200, "text/csv; charset=utf-8", BODY)
    assert answer.url == f"{server.url}?id=DGS10&cosd=2024-01-01"
    assert answer.fetched_at == datetime(2024, 2, 1, 12, tzinfo=UTC)
    assert 0 < answer.seconds < 60
    (head,) = server.heads
    assert head.startswith("GET /data?id=DGS10&cosd=2024-01-01 HTTP/1.1\r\n")
    assert "User-Agent: macrocredit-assets/" in head


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_refusal_is_an_answer(wire: Wires, make_client: MakeClient, asked: Asked, status: int) -> None:
    """What a status 4xx means is the source's to say: it is returned, and nothing is repeated."""
    server = wire.serve(wire.reply(b"<html>no</html>", f"{status} No"))
    answer = make_client().get(server.url, {}, asked)
    assert (answer.status, answer.body, len(server.heads)) == (status, b"<html>no</html>", 1)


@pytest.mark.parametrize("status", [204, 206, 304])
def test_a_status_that_is_no_answer(wire: Wires, make_client: MakeClient, asked: Asked, status: int) -> None:
    """A part of an answer, or none, is not taken for one."""
    server = wire.serve(wire.reply(b"", f"{status} Odd"))
    with pytest.raises(MalformedResponseError, match=f"FRED answered with status {status}, which is no answer"):
        make_client().get(server.url, {}, asked)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 520])
def test_not_now_is_repeated(wire: Wires, make_client: MakeClient, asked: Asked, waits: Waits, status: int) -> None:
    """A server that cannot answer now is asked again, after waits that double."""
    refusal = wire.reply(b"", f"{status} Not Now")
    server = wire.serve(refusal, refusal, wire.reply(BODY))
    assert make_client().get(server.url, {}, asked).body == BODY
    assert waits.slept == [0.5, 1.0]


def test_waits_are_not_the_same_for_all(wire: Wires, make_client: MakeClient, asked: Asked, waits: Waits) -> None:
    """Up to half a second is added to the wait of a second, so that clients do not come back together."""
    server = wire.serve(wire.reply(b"", "503 Down"), wire.reply(b"", "503 Down"), wire.reply(BODY))
    make_client(jitter_seconds=0.5).get(server.url, {}, asked)
    assert 1.0 < waits.slept[1] < 1.5


def test_retry_after_is_waited_for(wire: Wires, make_client: MakeClient, asked: Asked, waits: Waits) -> None:
    """Retry-After is obeyed as seconds and as a date; what cannot be read counts as absent."""
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    rests = ("7", date, "soon", "9" * 5_000)
    server = wire.serve(
        *(wire.reply(b"", "429 Too Many Requests", f"Retry-After: {when}") for when in rests), wire.reply(BODY)
    )
    assert make_client(retries=4, total_seconds=600).get(server.url, {}, asked).body == BODY
    assert waits.slept[0] == 7.0
    assert 50 < waits.slept[1] <= 100
    # the first repetition's wait is half a second, and it doubles
    assert waits.slept[2:] == [2.0, 4.0]


@pytest.mark.parametrize(
    ("status", "error"), [("429 Too Many Requests", RateLimitedError), ("503 Down", SourceUnavailableError)]
)
def test_a_wait_beyond_the_deadline_is_not_begun(
    wire: Wires, make_client: MakeClient, asked: Asked, waits: Waits, status: str, error: type[Exception]
) -> None:
    """A server that wants an hour of rest is left alone at once, and the message says how long it wants."""
    server = wire.serve(wire.reply(b"come back later", status, "Retry-After: 3600"))
    with pytest.raises(error, match=f"FRED answered {status} and wants to be left alone for 3,600 s") as caught:
        make_client().get(server.url, {"id": "DGS10"}, asked)
    assert (waits.slept, len(server.heads)) == ([], 1)
    assert caught.value.retry_after == 3_600
    assert str(caught.value).splitlines()[1:] == [
        f"  asked: {server.url}?id=DGS10",
        f"  came back: status {status[:3]}: come back later",
        "  what to do: wait, and ask again: macrocredit backfill treasury_10y --start 2024-01-01 --end 2024-01-31",
    ]


def test_the_first_line_stands_alone(wire: Wires, make_client: MakeClient, asked: Asked) -> None:
    """The first line of an error says which dataset failed, why, how often, and for which series and window."""
    server = wire.serve(wire.reply(b"", "503 Service Unavailable"))
    with pytest.raises(SourceUnavailableError) as caught:
        make_client().get(server.url, {}, asked)
    assert re.fullmatch(
        r"treasury_10y: FRED answered 503 Service Unavailable, 3 times in \d+ s "
        r"\(fred:DGS10, 2024-01-01\.\.2024-01-31\)\.",
        str(caught.value).splitlines()[0],
    )
    assert len(server.heads) == 3


def test_one_budget_for_everything(wire: Wires, make_client: MakeClient, asked: Asked) -> None:
    """A refusal, a reset, an end without a word and a short body use up the same repetitions."""
    scripts = (
        wire.reply(b"", "503 Down"),
        wire.reset,
        lambda connection: None,
        wire.reply(BODY, length=100),
    )
    server = wire.serve(*scripts, wire.reply(BODY))
    assert make_client(retries=4).get(server.url, {}, asked).body == BODY
    server = wire.serve(*scripts, wire.reply(BODY))
    with pytest.raises(SourceUnavailableError, match="FRED broke off after 39 of 100 bytes, 4 times"):
        make_client(retries=3).get(server.url, {}, asked)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (lambda wire: wire.reset, "broke the connection off"),
        (lambda wire: lambda connection: None, "closed the connection without an answer"),
        (lambda wire: b"220 mail.example.com ESMTP\r\n", "sent something that is not HTTP"),
        (
            lambda wire: lambda connection: (connection.sendall(wire.reply(b"half", length=9)), wire.reset(connection)),
            "broke",
        ),
        (
            lambda wire: wire.reply(b"", "200 OK", "Content-Length: 7"),
            "sent headers that contradict each other",
        ),
    ],
)
def test_why_no_answer_came(
    wire: Wires, make_client: MakeClient, asked: Asked, script: Callable[[Wires], Script], words: str
) -> None:
    """Each way in which a connection fails is told in plain words."""
    server = wire.serve(script(wire))
    with pytest.raises(SourceUnavailableError, match=words):
        make_client(retries=0).get(server.url, {}, asked)


def test_nobody_listens(make_client: MakeClient, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection and an unknown name are told apart."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(SourceUnavailableError, match="could not be reached: the connection was refused, 3 times"):
        make_client().get(f"http://127.0.0.1:{port}/", {}, asked)

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    # a resolver that is out of reach would take its time
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(SourceUnavailableError, match="its name does not resolve"):
        make_client(retries=0).get("http://no-such-host.invalid/", {}, asked)


@pytest.mark.parametrize(
    ("begin", "drop"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"X-Drop: 1\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"2"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"2"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n2\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["status line", "headers", "body", "body without length", "chunks", "a chunk's size", "continue for ever"],
)
def test_what_trickles_is_ended(wire: Wires, make_client: MakeClient, asked: Asked, begin: bytes, drop: bytes) -> None:
    """A server that sends a byte now and then, and never stops, is left at the deadline."""
    server = wire.serve(wire.trickle(begin, drop))
    with pytest.raises(SourceUnavailableError, match=r"FRED did not finish within 0\.15 s"):
        make_client(total_seconds=0.15, read_seconds=0.1).get(server.url, {}, asked)
    assert len(server.heads) <= 1


def test_silence_is_ended(wire: Wires, make_client: MakeClient, asked: Asked) -> None:
    """A server that accepts and says nothing is given up after the time for one read."""
    over = threading.Event()
    server = wire.serve(lambda connection: over.wait(5))
    with pytest.raises(SourceUnavailableError, match="FRED fell silent"):
        make_client(read_seconds=0.05, retries=0).get(server.url, {}, asked)
    over.set()


def test_the_addresses_of_a_host_share_the_time(
    wire: Wires, make_client: MakeClient, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first address that swallows packets leaves the second one its turn, within the time to connect."""
    server = wire.serve(wire.reply(BODY))
    here = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.2", 0))
        deaf.listen(0)
        for caller in (first, second):
            # a queue that is full makes Linux drop further calls unheard
            caller.setblocking(False)
            caller.connect_ex(deaf.getsockname())
        there = (socket.AF_INET, socket.SOCK_STREAM, 6, "", deaf.getsockname())
        monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: [there, here])
        assert make_client(connect_seconds=0.3, retries=0).get(server.url, {}, asked).body == BODY
        monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: [there, there])
        with pytest.raises(SourceUnavailableError, match="could not be reached in time"):
            make_client(connect_seconds=0.1, retries=0).get(server.url, {}, asked)


def test_the_pace_holds_for_repetitions_too(wire: Wires, make_client: MakeClient, asked: Asked, waits: Waits) -> None:
    """At two requests a second, the third request waits a whole second after the first."""
    server = wire.serve(wire.reply(BODY), wire.reply(b"", "503 Down"), wire.reply(BODY))
    client = make_client(rates={"127.0.0.1": 2.0}, backoff_seconds=0.1)
    started = waits.monotonic()
    client.get(server.url, {}, asked)
    client.get(server.url, {}, asked)
    assert waits.monotonic() - started >= 1.0
    assert len(server.heads) == 3


def test_a_policy_of_nobody_is_the_documented_one() -> None:
    """The defaults are those that the README names."""
    policy = HttpPolicy()
    assert (policy.total_seconds, policy.retries, policy.body_limit) == (120.0, 4, 67_108_864)
    assert policy.user_agent.split("/")[0] == "macrocredit-assets"
    assert "python-requests/" in policy.user_agent
    assert isinstance(HttpClient(), HttpClient)
