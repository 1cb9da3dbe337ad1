"""Which bytes of a registry are known to be ours, and one entry found in them without parsing the others.

To parse ten thousand entries takes five times as long as to hash them. So whoever writes a large registry leaves the
hash of its bytes beside it: ``.registry.json.sha256``. Bytes that have this hash were checked and laid out by
``registry_file.py``; all others - edited by hand, damaged, or older than their seal - are parsed whole. The seal is
never the truth: it says nothing about the entries, can be deleted, and one that is behind only costs time. What must
not live here: what an entry holds.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import orjson

__all__ = ["Seal", "find_entry", "with_entry"]

#: Bytes from which on a seal is worth a file: below, parsing takes a millisecond.
WORTH_SEALING = 1 << 18

#: The layout that :func:`find_entry` relies on; another one needs another number.
_LAYOUT = b"1 "


class Seal:
    """The seal of one registry file.

    Parameters
    ----------
    registry
        Absolute path of the registry.
    """

    def __init__(self, registry: Path) -> None:
        self._path = registry.with_name(f".{registry.name}.sha256")

    def fits(self, content: bytes) -> bool:
        """Tell whether these bytes were sealed."""
        if len(content) < WORTH_SEALING:
            return False
        try:
            return self._path.read_bytes() == _text(content)
        except OSError:
            return False

    def set(self, content: bytes) -> None:
        """Seal bytes that are about to be written; the caller holds the registry's lock."""
        if len(content) < WORTH_SEALING:
            return
        # neither synced nor put in place at once: what is lost or half written fits no bytes at all. Unlinked first,
        # since another user's file cannot be written, but can be replaced
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
            self._path.write_bytes(_text(content))


def find_entry(content: bytes, name: str) -> slice | None:
    """Return where the object of an entry stands in sealed bytes; None where it is not found.

    Within JSON text no string has a line end, and in our layout only the name of an entry follows a line end and two
    spaces, and only its end is a brace there.
    """
    try:
        key = b"\n  " + orjson.dumps(name) + b": "
    except TypeError:  # a lone surrogate, which was never sealed
        return None
    found = content.find(key)
    if found < 0:
        return None
    start = found + len(key)
    return slice(start, content.index(b"\n  }", start) + len(b"\n  }"))


def with_entry(content: bytes, where: slice, entry: dict[str, object]) -> bytes | None:
    """Return sealed bytes with another object at a place, laid out alike; None where only the whole can say it."""
    try:
        text = orjson.dumps(entry, option=orjson.OPT_INDENT_2)
    except orjson.JSONEncodeError:
        return None
    return b"".join((content[: where.start], text.replace(b"\n", b"\n  "), content[where.stop :]))


def _text(content: bytes) -> bytes:
    return _LAYOUT + hashlib.sha256(content).hexdigest().encode()
