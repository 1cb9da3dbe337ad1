"""Whom the client believes: the host that was asked, by way of the proxies of the environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from macrocredit_assets.errors import MalformedResponseError, SourceUnavailableError, UntrustedSourceError
from macrocredit_assets.sources.http import Asked
from macrocredit_assets.sources.http.redirects import Server, leads_to

if TYPE_CHECKING:
    from conftest import MakeClient, Wires

BODY = b"observation_date,DGS10\n"


def test_a_redirect_within_the_host_is_followed(wire: Wires, make_client: MakeClient, asked: Asked) -> None:
    """An address that has moved on the same host is asked in its new place, and the answer names that."""
    server = wire.serve(wire.reply(b"gone", "302 Found", "Location: /v2/data?id=DGS10"), wire.reply(BODY))
    answer = make_client().get(server.url, {"id": "DGS10"}, asked)
    assert (answer.body, answer.url) == (BODY, f"http://127.0.0.1:{server.port}/v2/data?id=DGS10")
    assert [head.split(" ")[1] for head in server.heads] == ["/data?id=DGS10", "/v2/data?id=DGS10"]


def test_a_redirect_elsewhere_is_refused(wire: Wires, make_client: MakeClient, asked: Asked) -> None:
    """Another host is not asked, whatever the redirect says; the error names both, and is not repeated."""
    other = wire.serve(wire.reply(BODY))
    server = wire.serve(wire.reply(b"", "301 Moved", f"Location: http://localhost:{other.port}/data"))
    with pytest.raises(
        UntrustedSourceError,
        match=f"FRED sends us from http://127.0.0.1:{server.port} to http://localhost:{other.port} ",
    ):
        make_client().get(server.url, {}, asked)
    assert (len(server.heads), other.heads) == (1, [])


@pytest.mark.parametrize("location", ["http://[half/", "http://127.0.0.1:99999/", "http://127.0.0.1:port/"])
def test_a_redirect_to_nowhere_is_refused(wire: Wires, make_client: MakeClient, asked: Asked, location: str) -> None:
    """A redirect that is no address is quoted."""
    server = wire.serve(wire.reply(b"", "307 Moved", f"Location: {location}"))
    with pytest.raises(UntrustedSourceError, match="to an address that is none") as caught:
        make_client().get(server.url, {}, asked)
    assert f"a redirect to {location}" in str(caught.value)


def test_redirects_end(wire: Wires, make_client: MakeClient, asked: Asked) -> None:
    """A server that redirects to itself is left after three times; its bodies are not read."""
    server = wire.serve(wire.reply(b"", "302 Found", "Location: /data", length=2 * 1024**3))
    with pytest.raises(MalformedResponseError, match="from address to address without an end"):
        make_client().get(server.url, {}, asked)
    assert len(server.heads) == 4


@pytest.mark.parametrize(
    ("url", "location", "stranger"),
    [
        ("https://a.example/x", "/y", None),
        ("https://a.example/x", "//a.example/y", None),
        ("https://a.example/x", "https://A.example:443/y", None),
        ("http://a.example/x", "https://a.example/y", None),
        ("https://a.example/x", "http://a.example/y", "http://a.example"),
        ("https://a.example/x", "https://b.example/y", "https://b.example"),
        ("https://a.example/x", "https://a.example.b.example/y", "https://a.example.b.example"),
        ("https://a.example/x", "https://a.example@b.example/y", "https://b.example"),
        ("https://a.example/x", "https://a.example:8443/y", "https://a.example:8443"),
        ("http://a.example:8080/x", "https://a.example/y", "https://a.example"),
        ("https://a.example/x", "ftp://a.example/y", "ftp://a.example"),
        ("https://a.example/x", "file:///etc/passwd", "file://None"),
    ],
)
def test_where_a_redirect_may_lead(url: str, location: str, stranger: str | None) -> None:
    """Host, port and TLS stay; only from the usual port without TLS to the usual one with it may a redirect lead."""
    assert str(leads_to(url, location)[1]) == str(stranger)
    assert Server.of(url) == Server.of(url.upper().lower())


def test_a_proxy_of_the_environment_is_used(
    wire: Wires, make_client: MakeClient, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request goes through the proxy that the environment names, the whole address in its first line."""
    proxy = wire.serve(wire.reply(BODY))
    monkeypatch.setenv("http_proxy", f"http://desk:hush-hush@127.0.0.1:{proxy.port}")
    assert make_client().get("http://fred.example.com/graph", {"id": "DGS10"}, asked).body == BODY
    assert proxy.heads[0].startswith("GET http://fred.example.com/graph?id=DGS10 HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic " in proxy.heads[0]


def test_a_proxy_that_refuses_is_named_as_such(
    wire: Wires, make_client: MakeClient, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that does not let us through is told apart from the source, its password left out."""
    proxy = wire.serve(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
    monkeypatch.setenv("https_proxy", f"http://desk:hush-hush@127.0.0.1:{proxy.port}")
    words = "FRED could not be asked: the proxy that this environment names refused: 407 Proxy Authentication Required"
    with pytest.raises(SourceUnavailableError, match=words) as caught:
        make_client(retries=0).get("https://fred.example.com/graph", {}, asked)
    assert "hush-hush" not in str(caught.value)
    assert proxy.heads[0].startswith("CONNECT fred.example.com:443 HTTP/1.")


def test_netrc_is_not_read(
    wire: Wires, make_client: MakeClient, asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password that a user keeps for a host of this name is not sent."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login desk password hush-hush\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server = wire.serve(wire.reply(b"", "302 Found", "Location: /again"), wire.reply(BODY))
    assert make_client().get(server.url, {}, asked).body == BODY
    assert not any("Authorization" in head for head in server.heads)
