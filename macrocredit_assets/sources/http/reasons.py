"""Why a request came to nothing, in words, from the exceptions of requests, urllib3, http.client and ssl.

Their own texts name objects, and addresses with what stands in them; only what is known to be harmless is repeated.
"""

from __future__ import annotations

import http.client
import ssl

import requests
from urllib3 import exceptions as urllib3_errors

from macrocredit_assets.sources.http.connection import SurplusError

__all__ = ["distrust", "why"]

#: The first that is found in the chain of exceptions counts.
_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (urllib3_errors.NameResolutionError, "could not be found: its name does not resolve"),
    (ConnectionRefusedError, "could not be reached: the connection was refused"),
    (urllib3_errors.NewConnectionError, "could not be reached"),
    (urllib3_errors.ConnectTimeoutError, "could not be reached in time"),
    (TimeoutError, "fell silent"),
    (http.client.RemoteDisconnected, "closed the connection without an answer"),
    (ConnectionError, "broke the connection off"),
    (SurplusError, "sent more bytes than its Content-Length promised"),
    (urllib3_errors.InvalidChunkLength, "sent chunks that cannot be read"),
    (urllib3_errors.InvalidHeader, "sent headers that contradict each other"),
    (http.client.HTTPException, "sent something that is not HTTP"),
    (ssl.SSLError, "could not be spoken to over TLS"),
    (urllib3_errors.ProtocolError, "broke off in the middle of its answer"),
)

_NO_BUNDLE = (
    "cannot be verified: there are no certificates where REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE says",
    "correct that variable, or unset it",
)
_IMPOSTOR = (
    "if a proxy of your company signs in its place, name a file with that certificate beside the usual ones in "
    "REQUESTS_CA_BUNDLE; otherwise somebody stands in between"
)
_TUNNEL = "Tunnel connection failed: "


def why(error: BaseException) -> str:
    """Return a clause that continues "the source ...".

    Examples
    --------
    >>> why(ConnectionResetError())
    'broke the connection off'
    """
    chain = _chain(error)
    words = _words(chain)
    if any(isinstance(link, urllib3_errors.ProxyError) for link in chain):
        return f"could not be asked: the proxy that this environment names {words}"
    return words


def distrust(error: BaseException) -> tuple[str, str] | None:
    """Return a clause that continues "the source ..." where it could not be verified, and what to do; else None."""
    # requests' own complaint about a bundle that is not there has no type and no number
    if type(error) is OSError and error.errno is None:
        return _NO_BUNDLE
    for link in _chain(error):
        if isinstance(link, ssl.SSLCertVerificationError):
            why_not = link.verify_message or "its certificate does not verify"
            return f"cannot prove who it is: {why_not}", _IMPOSTOR
        if getattr(link, "reason", None) == "NO_CERTIFICATE_OR_CRL_FOUND":
            return _NO_BUNDLE
    return None


def _words(chain: list[BaseException]) -> str:
    last = chain[-1]
    if isinstance(last, http.client.IncompleteRead) and not isinstance(last, urllib3_errors.InvalidChunkLength):
        return _incomplete(last)
    if str(last).startswith(_TUNNEL):
        return f"refused: {str(last).removeprefix(_TUNNEL)}"
    found = (words for kind, words in _WORDS if any(isinstance(link, kind) for link in chain))
    return next(found, f"could not be asked ({type(last).__name__})")


def _chain(error: BaseException) -> list[BaseException]:
    """Return an error and what it wraps, down to the innermost."""
    chain = [error]
    while (inner := _inner(chain[-1])) is not None and inner not in chain:
        chain.append(inner)
    return chain


def _inner(error: BaseException) -> BaseException | None:
    wrapped = (getattr(error, "reason", None), *error.args)
    if isinstance(error, (requests.RequestException, urllib3_errors.HTTPError)):
        wrapped = (*wrapped, error.__cause__)
    return next((item for item in wrapped if isinstance(item, BaseException)), None)


def _incomplete(error: http.client.IncompleteRead) -> str:
    # urllib3 keeps the number of bytes where http.client keeps the bytes
    partial: object = error.partial
    came = partial if isinstance(partial, int) else len(error.partial)
    if not error.expected:
        return f"broke off after {came:,} bytes"
    return f"broke off after {came:,} of {came + error.expected:,} bytes"
