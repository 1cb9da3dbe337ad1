"""Where a redirect may lead: nowhere but to the server that was asked, at most with TLS added."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

__all__ = ["REDIRECTS", "Server", "leads_to"]

REDIRECTS = frozenset({301, 302, 303, 307, 308})

_PORTS = {"http": 80, "https": 443}


class Server(NamedTuple):
    """Whom an address names.

    Examples
    --------
    >>> print(Server.of("https://example.com:443/page?id=1"))
    https://example.com
    """

    scheme: str
    host: str | None
    port: int | None

    @classmethod
    def of(cls, url: str) -> Server:
        """Read it from an address; raise ValueError where that is none."""
        parts = urlsplit(url)
        return cls(parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme))

    def __str__(self) -> str:
        port = "" if self.port == _PORTS.get(self.scheme) else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"


def leads_to(url: str, location: str) -> tuple[str, Server | None]:
    """Return the address to which a redirect leads, and the server there if it is one to distrust.

    Parameters
    ----------
    url
        The address that was asked.
    location
        What the answer's header says, relative or not.

    Raises
    ------
    ValueError
        If that is no address.
    """
    target = urljoin(url, location)
    here, there = Server.of(url), Server.of(target)
    upgraded = Server("http", there.host, 80) == here and there[::2] == ("https", 443)
    return target, None if there == here or upgraded else there
