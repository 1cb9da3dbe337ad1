"""How a secret stays out of everything but the socket.

The addresses that this package, requests and urllib3 hold, log and put into exceptions carry :data:`PLACEHOLDER`
where the secret belongs; only the connection, when it writes the request line, puts the secret in
(``connection.py``). What comes back is searched for it before anybody sees it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus, urlencode

__all__ = ["PLACEHOLDER", "Secret"]

#: Stands where a secret stood; it survives percent-encoding.
PLACEHOLDER = "REDACTED"

#: Anything shorter turns up in ordinary text, and hiding it would destroy the text.
_SHORTEST = 8


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
        """Return a text with the secret replaced, plain and percent-encoded."""
        for form in self._forms():
            text = text.replace(form, PLACEHOLDER)
        return text

    def hidden_bytes(self, body: bytes) -> bytes:
        """Return a body with the secret replaced, plain and percent-encoded; as it is where it holds none."""
        for form in self._forms():
            body = body.replace(form.encode(), PLACEHOLDER.encode())
        return body

    def hidden_begin(self, body: bytes) -> bytes:
        """Return the beginning of a body with the secret replaced, also where it is cut within the secret."""
        body = self.hidden_bytes(body)
        for form in self._forms():
            cut = next((n for n in range(len(form) - 1, 0, -1) if body.endswith(form[:n].encode())), 0)
            body = body[: len(body) - cut]
        return body

    def address(self, url: str, params: dict[str, str]) -> str:
        """Return the address with its query, the placeholder in the secret's place."""
        query = urlencode({name: self.hidden(value) for name, value in params.items()})
        return f"{url}?{query}" if query else url

    def disclosed(self, target: str) -> str:
        """Return the target of a request line as it goes out on the wire."""
        return target if self.value is None else target.replace(PLACEHOLDER, quote(self.value, safe=""))

    def _forms(self) -> tuple[str, ...]:
        value = self.value
        return () if value is None else tuple(dict.fromkeys((value, quote(value, safe=""), quote_plus(value))))
