"""The file of the registry as a document: read whole, changed under its lock, set aside where it does not parse.

What must not live here: what a change means (``registry.py``), and what one entry holds (``registry_entry.py``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from macrocredit_assets.errors import CorruptFileError
from macrocredit_assets.persistence.atomic import update, write_bytes
from macrocredit_assets.persistence.json_io import to_json_bytes
from macrocredit_assets.persistence.registry_entry import check_shape

__all__ = ["Document", "RegistryFile"]

#: Name of a dataset -> its entry, as the file has them.
Document: TypeAlias = dict[str, dict[str, Any]]


class RegistryFile:
    """One registry file; it need not exist.

    Parameters
    ----------
    path
        Absolute path of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Document:
        """Return the document, without a lock; empty where there is no file.

        Raises
        ------
        CorruptFileError
            If the file does not parse. It stays as it is, and a copy is set aside.
        """
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        return self._parsed(content)

    def change(self, change: Callable[[Document], None]) -> None:
        """Let a function change the document in place, and write it, while no other process does the same.

        Raises
        ------
        CorruptFileError
            As :meth:`read` does.
        """

        def rewrite(before: bytes | None) -> bytes:
            document = {} if before is None else self._parsed(before)
            change(document)
            return _to_bytes(document)

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
            return None if new == old else _to_bytes(new)

        update(self._path, rewrite)
        return aside[0] if aside else None

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
    document = json.loads(content)
    if not isinstance(document, dict):
        raise ValueError(f"expected an object of datasets, found {type(document).__name__}")  # noqa: TRY004 - as json does
    _check(document)
    return document


def _check(document: Mapping[str, Any]) -> None:
    for name, entry in document.items():
        if not isinstance(entry, dict):
            raise ValueError(f"expected dataset '{name}' to be an object, found {type(entry).__name__}")  # noqa: TRY004
        try:
            check_shape(entry)
        except ValueError as error:
            raise ValueError(f"dataset '{name}': {error}") from error


def _to_bytes(document: Document) -> bytes:
    _check(document)  # what could not be read must not be written
    # datasets sorted, fields in the order in which people read them
    return to_json_bytes(dict(sorted(document.items())), sort_keys=False)
