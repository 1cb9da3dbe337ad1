"""Reading a body: whole or not at all, within the limit, and decompressed strictly.

urllib3 would decompress too, but takes a gzip stream that breaks off for a whole one.

What belongs here: bytes. What must not: what they mean.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

__all__ = ["Body", "BodyError", "begin_of", "read_body"]

_CHUNK = 65_536
_GZIP = {"gzip", "x-gzip"}


@dataclass(frozen=True)
class Body:
    """A body, and whether it is known to be all of it.

    Parameters
    ----------
    data
        The bytes, decompressed.
    whole
        Whether its length, its chunks or the end of its compression show that nothing is missing. Of a body that ends
        where the connection does, nobody knows whether the server hung up because it was done.
    """

    data: bytes
    whole: bool


class BodyError(Exception):
    """A body that cannot be taken as it is.

    Parameters
    ----------
    happened
        A clause that continues "the source ...".
    begins
        The first bytes that came, for the message.
    """

    def __init__(self, happened: str, begins: bytes = b"") -> None:
        super().__init__(happened)
        self.happened = happened
        self.begins = begins


def read_body(raw: BaseHTTPResponse, limit: int) -> Body:
    """Return a body as far as its framing goes.

    Parameters
    ----------
    raw
        The answer, with nothing read of its body.
    limit
        The most bytes there may be, on the wire and decompressed.

    Raises
    ------
    BodyError
        If it is larger, or its compression cannot be undone.
    urllib3.exceptions.HTTPError
        If it breaks off, or ends elsewhere than its length says.
    """
    declared = raw.headers.get("content-length", "")
    if declared.isdecimal() and len(declared) <= 20 and int(declared) > limit:
        raise BodyError(f"announced {int(declared):,} bytes; {limit:,} are taken at most")
    framed = raw.chunked or raw.length_remaining is not None
    encoding = raw.headers.get("content-encoding", "").strip().lower()
    if encoding in _GZIP:
        data = _gunzipped(_limited(raw, limit), limit)
        return Body(data, whole=framed or bool(data))
    if encoding not in {"", "identity"}:
        raise BodyError(f"sent a body compressed as {encoding!r}, which it was not asked for")
    return Body(b"".join(_limited(raw, limit)), whole=framed)


def begin_of(raw: BaseHTTPResponse, length: int = 2_048) -> bytes:
    """Return what is there of the body of an answer that will not be used, decompressed where that works."""
    try:
        body = raw.read1(length, decode_content=False) or b""
    except HTTPError:
        return b""
    if raw.headers.get("content-encoding", "").strip().lower() in _GZIP:
        try:
            return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(body, length)
        except zlib.error:
            return b""
    return body


def _limited(raw: BaseHTTPResponse, limit: int) -> Iterable[bytes]:
    size, begins = 0, b""
    for chunk in raw.stream(_CHUNK, decode_content=False):
        size += len(chunk)
        begins = begins or chunk
        if size > limit:
            raise BodyError(f"sent more than {limit:,} bytes", begins)
        yield chunk


def _gunzipped(chunks: Iterable[bytes], limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    stream = None
    for chunk in chunks:
        data = chunk
        while data:
            # a stream may hold several members, one after the other
            if stream is None or stream.eof:
                stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
            try:
                part = stream.decompress(data, limit - size + 1)
            except zlib.error as error:
                raise BodyError(f"sent a body that says it is gzip and is not ({error})", chunk) from None
            size += len(part)
            if size > limit:
                raise BodyError(
                    f"sent a body of more than {limit:,} bytes once decompressed", parts[0] if parts else part
                )
            parts.append(part)
            data = stream.unconsumed_tail or stream.unused_data
    if stream is not None and not stream.eof:
        raise BodyError("sent a gzip stream that breaks off", b"".join(parts[:1]))
    return b"".join(parts)
