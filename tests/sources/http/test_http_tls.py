"""TLS: certificates that verify, those that do not, and the bundles that decide it."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from macrocredit_assets.errors import SourceUnavailableError, UntrustedSourceError
from macrocredit_assets.sources.http import Asked

if TYPE_CHECKING:
    from conftest import MakeClient, Wires

BODY = b"observation_date,DGS10\n"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Return who signs certificates in these tests; no machine trusts it."""
    return trustme.CA()


def _context(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_a_certificate_that_does_not_verify(
    wire: Wires, make_client: MakeClient, asked: Asked, authority: trustme.CA
) -> None:
    """A server whose certificate nobody vouches for gets no request; the error says why and what to do."""
    server = wire.serve(wire.reply(BODY), tls=_context(authority, "127.0.0.1"))
    with pytest.raises(UntrustedSourceError, match=r"FRED cannot prove who it is: .*issuer certificate") as caught:
        make_client().get(server.url, {}, asked)
    assert "REQUESTS_CA_BUNDLE" in str(caught.value)
    assert caught.value.__context__ is None
    assert server.heads == []


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Return the authority, its certificate being in the bundle that REQUESTS_CA_BUNDLE names."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    return authority


def test_a_bundle_that_is_named_is_believed(
    wire: Wires, make_client: MakeClient, asked: Asked, trusted: trustme.CA
) -> None:
    """With the authority's certificate in REQUESTS_CA_BUNDLE its server is believed, and one of another name is not."""
    server = wire.serve(wire.reply(BODY), tls=_context(trusted, "127.0.0.1"))
    assert make_client().get(server.url, {}, asked).body == BODY
    server = wire.serve(wire.reply(BODY), tls=_context(trusted, "fred.example.com"))
    with pytest.raises(UntrustedSourceError, match="IP address mismatch"):
        make_client().get(server.url, {}, asked)


@pytest.mark.parametrize("content", [None, "no certificates"])
def test_a_bundle_that_is_none(
    wire: Wires,
    make_client: MakeClient,
    asked: Asked,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str | None,
) -> None:
    """A bundle that is missing, or holds no certificate, is blamed by the variable that names it."""
    bundle = tmp_path / "ca.pem"
    if content:
        bundle.write_text(content)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with pytest.raises(
        UntrustedSourceError, match=r"(?s)no certificates where REQUESTS_CA_BUNDLE or .*what to do: correct"
    ):
        make_client().get(wire.serve(wire.reply(BODY)).url.replace("http:", "https:"), {}, asked)


def test_a_slow_body_over_tls_is_ended(wire: Wires, make_client: MakeClient, asked: Asked, trusted: trustme.CA) -> None:
    """The deadline holds under TLS as well, in the body and before the handshake."""
    server = wire.serve(wire.trickle(b"HTTP/1.1 200 OK\r\n\r\n", b"2"), tls=_context(trusted, "127.0.0.1"))
    with pytest.raises(SourceUnavailableError, match=r"did not finish within 0\.2 s"):
        make_client(total_seconds=0.2).get(server.url, {}, asked)
    # a server that speaks no TLS waits for the end of a request's head, which never comes
    mute = wire.serve(wire.reply(BODY))
    with pytest.raises(SourceUnavailableError, match=r"did not finish within 0\.1 s"):
        make_client(total_seconds=0.1).get(mute.url.replace("http:", "https:"), {}, asked)
