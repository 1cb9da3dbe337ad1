"""Servers with a certificate: whoever trusts it is served, and nobody else."""

from __future__ import annotations

import ssl
from datetime import date
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import trustme

from macrocredit_assets.testing import FredServer, Publisher


def test_certificate_is_shown_and_must_be_trusted() -> None:
    """The same server, asked with its authority and without; the request that was refused is never seen."""
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    publisher = Publisher(today=date(2026, 3, 3))
    publisher.publish("DGS10", {date(2026, 3, 2): "4.06"})
    with FredServer(publisher, tls=tls) as fred:
        assert fred.url.startswith("https://127.0.0.1:")
        with pytest.raises(URLError, match="CERTIFICATE_VERIFY_FAILED"):
            urlopen(f"{fred.graph}?id=DGS10", context=ssl.create_default_context())
        with urlopen(f"{fred.graph}?id=DGS10", context=trusting) as sent:
            assert sent.read() == b"observation_date,DGS10\n2026-03-02,4.06\n"
        assert len(fred.requests) == 1
