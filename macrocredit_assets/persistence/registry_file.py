"""The file of the registry as a document: read, changed under its lock, set aside where it does not parse.

What is not touched is neither converted nor checked twice, and where the bytes are known to be ours (see
``registry_seal.py``) it is not even parsed. What must not live here: what a change means (``registry.py``), and what
one entry holds (``registry_entry.py``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias, cast

import orjson

from macrocredit_assets.errors import CorruptFileError
from macrocredit_assets.persistence.atomic import update, write_bytes
from macrocredit_assets.persistence.json_io import from_json_bytes, to_json_bytes
from macrocredit_assets.persistence.json_plain import to_plain
from macrocredit_assets.persistence.registry_entry import check_shape
from macrocredit_assets.persistence.registry_seal import Seal, find_entry, with_entry

__all__ = ["Document", "RegistryFile", "Stored"]

#: An entry as the file has it.
Stored: TypeAlias = dict[str, Any]

#: Name of a dataset -> its entry.
Document: TypeAlias = dict[str, Stored]


class RegistryFile:
    """One registry file; it need not exist.

    Parameters
    ----------
    path
        Absolute path of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seal = Seal(path)

    def read(self) -> Document:
        """Return the document, without a lock; empty where there is no file.

        Raises
        ------
        CorruptFileError
            If the file does not parse. It stays as it is, and a copy is set aside.
        """
        content = self._content()
        return {} if content is None else self._parsed(content)

    def read_entry(self, name: str) -> Stored | None:
        """Return one entry of what :meth:`read` returns, or None; the others are parsed only where that is needed."""
        content = self._content()
        if content is None:
            return None
        if not self._seal.fits(content):
            return self._parsed(content).get(name)
        where = find_entry(content, name)
        return None if where is None else cast("Stored", orjson.loads(content[where]))

    def change_entry(self, name: str, change: Callable[[Stored | None], Stored]) -> None:
        """Let a function make an entry out of the one that stands there, while no other process changes the file.

        Raises
        ------
        CorruptFileError
            As :meth:`read` does.
        """

        def rewrite(before: bytes | None) -> bytes:
            where = find_entry(before, name) if before is not None and self._seal.fits(before) else None
            if before is None or where is None:
                document = {} if before is None else self._parsed(before)
                return self._laid_out({**document, name: _plain(name, change(document.get(name)))})
            entry = _plain(name, change(orjson.loads(before[where])))
            after = with_entry(before, where, entry)
            if after is None:
                return self._laid_out({**self._parsed(before), name: entry})
            self._seal.set(after)
            return after

        update(self._path, rewrite)

    def remove_entry(self, name: str, last: Callable[[Stored | None], None]) -> None:
        """Strike an entry out, once a function has seen it and not raised, as :meth:`change_entry` does."""

        def rewrite(before: bytes | None) -> bytes:
            document = {} if before is None else self._parsed(before)
            last(document.get(name))
            del document[name]
            return self._laid_out(document)

        update(self._path, rewrite)

    def replace(self, change: Callable[[Document], Document]) -> Path | None:
        """Let a function make a new document out of the old one, and write it where it differs.

        A file that does not parse is set aside, and counts as empty. Return where it was set aside to.
        """
        aside: list[Path] = []

        def rewrite(before: bytes | None) -> bytes | None:
            try:
                old = None if before is None else _parse(before)
            except ValueError:
                aside.append(self._set_aside(before or b""))
                old = None
            new = change(old or {})
            return None if new == old else self._laid_out({name: _plain(name, entry) for name, entry in new.items()})

        update(self._path, rewrite)
        return aside[0] if aside else None

    def _content(self) -> bytes | None:
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None

    def _laid_out(self, document: Document) -> bytes:
        """Return the bytes of a document whose values are plain, and seal them; the caller holds the lock."""
        # datasets sorted, fields in the order in which people read them
        ordered = dict(sorted(document.items()))
        try:
            content = orjson.dumps(ordered, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        except orjson.JSONEncodeError:
            return to_json_bytes(ordered, sort_keys=False)
        self._seal.set(content)
        return content

    def _parsed(self, content: bytes) -> Document:
        try:
            return _parse(content)
        except ValueError as error:
            try:
                kept = f"a copy is {self._set_aside(content)}"
            except OSError as failure:
                kept = f"no copy could be made ({failure})"
            raise CorruptFileError(
                f"The registry {self._path} does not parse ({error}). It was left as it is, and {kept}. "
                f"Restore it from the data files with: macrocredit registry rebuild"
            ) from error

    def _set_aside(self, content: bytes) -> Path:
        # named by its hash: a thousand failing calls make one copy
        digest = hashlib.sha256(content).hexdigest()[:12]
        copy = self._path.with_name(f"{self._path.name}.corrupt-{digest}")
        if not copy.exists():
            write_bytes(copy, content)
        return copy


def _parse(content: bytes) -> Document:
    document = from_json_bytes(content)
    if not isinstance(document, dict):
        raise ValueError(f"expected an object of datasets, found {type(document).__name__}")  # noqa: TRY004 - as json does
    for name, entry in document.items():
        _check(name, entry)
    return document


def _check(name: str, entry: object) -> None:
    if not isinstance(entry, dict):
        raise ValueError(f"expected dataset '{name}' to be an object, found {type(entry).__name__}")  # noqa: TRY004
    try:
        check_shape(entry)
    except ValueError as error:
        raise ValueError(f"dataset '{name}': {error}") from error


def _plain(name: str, entry: Stored) -> Stored:
    plain = cast("Stored", to_plain(entry))
    _check(name, plain)  # what could not be read must not be written
    return plain
