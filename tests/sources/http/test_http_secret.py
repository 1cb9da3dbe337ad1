"""A secret: on the wire, and nowhere else."""

from __future__ import annotations

import http.client
import logging
import pickle
import socket
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from macrocredit_assets.errors import SourceError
from macrocredit_assets.sources.http import Asked
from macrocredit_assets.sources.http.redact import PLACEHOLDER, Secret

if TYPE_CHECKING:
    from conftest import MakeClient, Script, Wires

CANARY = "canary0123456789abcdef0123456789"
ODD = "c/a+n a%r&y=?#"
QUERY = {"series_id": "DGS10", "api_key": CANARY, "file_type": "json"}


@pytest.mark.parametrize(("secret", "sent"), [(CANARY, CANARY), (ODD, "c%2Fa%2Bn%20a%25r%26y%3D%3F%23")])
def test_the_server_gets_it_and_nobody_sees_it(
    wire: Wires, make_client: MakeClient, asked: Asked, secret: str, sent: str
) -> None:
    """The request line carries the secret, percent-encoded; an answer that repeats it is kept without it."""

    def echo(connection: socket.socket) -> None:
        said = server.heads[-1].split("\r\n")[0] + f' {{"api_key": "{secret}"}}'
        connection.sendall(wire.reply(said.encode(), "200 OK", f"Content-Type: text/{sent}"))

    server = wire.serve(echo)
    answer = make_client().get(server.url, {"api_key": secret, "id": "x y"}, asked, secret=secret)
    assert server.heads[0].startswith(f"GET /data?api_key={sent}&id=x+y HTTP/1.1\r\n")
    assert answer.url == f"{server.url}?api_key={PLACEHOLDER}&id=x+y"
    assert answer.body == b'GET /data?api_key=REDACTED&id=x+y HTTP/1.1 {"api_key": "REDACTED"}'
    assert answer.content_type == "text/REDACTED"


def _cut(head: str) -> bytes:
    """Return the request line up to the middle of the secret."""
    return head[: head.index(CANARY) + 20].encode()


@pytest.mark.parametrize(
    "script",
    [
        lambda wire, line: wire.reply(line, "503 Down"),
        lambda wire, line: wire.reply(line, f"500 {line.decode()}"),
        lambda wire, line: wire.reply(_cut(line.decode()), "503 Down"),
        lambda wire, line: wire.reply(line, "429 No", "Retry-After: 9999"),
        lambda wire, line: wire.reply(line, "302 Found", f"Location: http://elsewhere.example{line.decode()}"),
        lambda wire, line: wire.reply(line, "302 Found", f"Location: http://[{line.decode()}"),
        lambda wire, line: wire.reply(line, "302 Found", f"Location: {line.decode()}"),
        lambda wire, line: wire.reply(line, "200 OK", "Content-Encoding: gzip", f"Content-Type: {line.decode()}"),
        lambda wire, line: wire.reply(line, "200 OK", f"Content-Encoding: {line.decode()}"),
        lambda wire, line: wire.reply(line, "206 Partial"),
        lambda wire, line: wire.reply(line, length=9_999),
        lambda wire, line: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + line + b"\r\n",
        lambda wire, line: b"HTTP/1.1 200 OK\r\nBad header " + line + b"\r\nContent-Length: 1\r\n\r\n",
        lambda wire, line: line + b"\r\n\r\n",
        lambda wire, line: b"",
    ],
)
def test_no_failure_tells_it(
    wire: Wires,
    make_client: MakeClient,
    asked: Asked,
    script: Callable[[Wires, bytes], Script],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever a server makes of a request with a secret, neither errors nor logs nor debug output contain it."""
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)

    def echo(connection: socket.socket) -> None:
        target = server.heads[-1].split(" ")[1]
        connection.sendall(script(wire, target.encode()))

    server = wire.serve(echo)
    with caplog.at_level(logging.DEBUG), pytest.raises(SourceError) as caught:
        make_client(retries=1).get(server.url, QUERY, asked, secret=CANARY)
    assert CANARY in server.heads[0]
    error = caught.value
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(pickle.dumps(error))
    logged = "".join(f"{record.getMessage()} {record.args} {record.exc_text}" for record in caplog.records)
    heard = capsys.readouterr()
    for text in (told, logged, heard.out, heard.err):
        # not even the half that a cut answer repeats
        assert CANARY[:20] not in text
    assert PLACEHOLDER in told
    assert error.__context__ is None
    assert "urllib3.connectionpool" in {record.name for record in caplog.records}


def test_an_object_does_not_show_it() -> None:
    """The holder of a secret has nothing to say about it, and a request without one is left as it is."""
    assert CANARY not in repr(Secret(CANARY))
    assert Secret(None).hidden(f"key {CANARY}") == f"key {CANARY}"
    assert Secret(None).disclosed(PLACEHOLDER) == PLACEHOLDER
    assert Secret(CANARY).hidden_begin(b"key " + CANARY[:9].encode()) == b"key "


@pytest.mark.parametrize(
    "written",
    [
        CANARY.upper(),
        CANARY.replace("c", "%63"),
        CANARY.replace("a", "%41"),
        CANARY.replace("c", "%2563"),
        "".join(f"&#{ord(mark)};" for mark in CANARY),
        "".join(f"&#x{ord(mark):X};" for mark in CANARY),
        CANARY.replace("9", "&amp;#0057;"),
        CANARY.replace("n", "\\u006e"),
    ],
)
def test_it_is_found_however_it_is_written(written: str) -> None:
    """Case, percent-encoding, entities and JSON's escapes do not let it through, not even cut anywhere."""
    secret = Secret(CANARY)
    assert secret.hidden(f"key={written}&id=x%20y") == "key=REDACTED&id=x%20y"
    for end in range(8, len(written)):
        # the last character may be there without the mark that ends it
        assert secret.hidden_begin(f"key={written[:end]}".encode()) in (b"key=", b"key=REDACTED")


def test_odd_characters_are_found_as_html_writes_them() -> None:
    """A secret that is no FRED key may hold what HTML has names for."""
    assert Secret("ab&<secret>").hidden("x ab&amp;&lt;secret&gt; y ab%26%3csecret%3E") == "x REDACTED y REDACTED"


def test_a_short_secret_is_none() -> None:
    """What could be any word cannot be hidden without hiding other things: it is refused, and not repeated."""
    with pytest.raises(ValueError, match="fewer than 8 characters") as caught:
        Secret("hunter2")
    assert "hunter2" not in str(caught.value)
