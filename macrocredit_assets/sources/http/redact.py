"""How a secret stays out of everything but the socket.

The addresses that this package, requests and urllib3 hold, log and put into exceptions carry :data:`PLACEHOLDER`
where the secret belongs; only the connection, when it writes the request line, puts the secret in
(``connection.py``). What comes back is searched for it before anybody sees it: in either case, and with any of its
characters written as URLs, HTML and JSON write them, percent-encoding and ``&amp;`` several times over included.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import quote, urlencode

__all__ = ["PLACEHOLDER", "Secret"]

#: Stands where a secret stood; it survives percent-encoding.
PLACEHOLDER = "REDACTED"

#: Anything shorter turns up in ordinary text, and hiding it would destroy the text.
_SHORTEST = 8

#: What the beginning of a character may look like where a body is cut within it.
_HALF = rb"(?:%[0-9a-f]*|&[#a-z0-9;]*|\\(?:u[0-9a-f]*)?)?"


@dataclass(frozen=True)
class Secret:
    """A secret that a request carries, or none.

    Parameters
    ----------
    value
        The secret; None where a request needs none.

    Raises
    ------
    ValueError
        If it is shorter than eight characters: it could not be told from ordinary text.
    """

    value: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.value is not None and len(self.value) < _SHORTEST:
            raise ValueError(f"a secret of fewer than {_SHORTEST} characters cannot be told from ordinary text")

    def hidden(self, text: str) -> str:
        """Return a text with the secret replaced, however it is written."""
        return self.hidden_bytes(text.encode(errors="surrogatepass")).decode(errors="surrogatepass")

    def hidden_bytes(self, body: bytes) -> bytes:
        """Return a body with the secret replaced, however it is written; as it is where it holds none."""
        return body if self.value is None else self._whole.sub(PLACEHOLDER.encode(), body)

    def hidden_begin(self, body: bytes) -> bytes:
        """Return the beginning of a body with the secret replaced, also where it is cut within the secret."""
        return body if self.value is None else self._cut.sub(b"", self.hidden_bytes(body))

    def address(self, url: str, params: dict[str, str]) -> str:
        """Return the address with its query, the placeholder in the secret's place."""
        query = urlencode({name: self.hidden(value) for name, value in params.items()})
        return f"{url}?{query}" if query else url

    def disclosed(self, target: str) -> str:
        """Return the target of a request line as it goes out on the wire."""
        return target if self.value is None else target.replace(PLACEHOLDER, quote(self.value, safe=""))

    @cached_property
    def _whole(self) -> re.Pattern[bytes]:
        return re.compile(b"".join(self._marks), re.IGNORECASE)

    @cached_property
    def _cut(self) -> re.Pattern[bytes]:
        first, *others = self._marks
        pattern = _HALF
        for mark in reversed(others):
            pattern = b"(?:%b%b|%b)" % (mark, pattern, _HALF)
        return re.compile(first + pattern + rb"\Z", re.IGNORECASE)

    @cached_property
    def _marks(self) -> Sequence[bytes]:
        return [_written(mark) for mark in self.value or ""]


def _written(mark: str) -> bytes:
    """Return a pattern of all the ways in which a character is written."""
    forms = [
        re.escape(each.encode()) for each in dict.fromkeys((mark, html.escape(mark), "+" if mark == " " else mark))
    ]
    # the two cases of a letter are two characters once they are encoded
    for each in sorted({mark, mark.lower(), mark.upper()}):
        percent = b"".join(b"%%(?:25)*%02x" % byte for byte in each.encode())
        code = "|".join(f"{ord(letter):d};?|x0*{ord(letter):x};?" for letter in each).encode()
        forms += [percent, rb"&(?:amp;)*#0*(?:%b)" % code, *(rb"\\u%04x" % ord(letter) for letter in each)]
    return b"(?:%b)" % b"|".join(forms)
