"""YAML without surprises: text in, plain values and the line of each key out.

What belongs here: the YAML language. Read by the core schema of YAML 1.2 and without dates, ``NO`` is a text and so is
``2024-01-31``; a repeated key is an error, where YAML 1.1 readers keep the last one without a word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import yaml

from macrocredit_assets.errors import CatalogError

try:  # libyaml reads the shipped catalog in 4 ms, pure Python in 32
    from yaml import CSafeLoader as _Base
except ImportError:  # a build without libyaml
    from yaml import SafeLoader as _Base  # type: ignore[assignment]

__all__ = ["Document", "KeyPath", "read_yaml"]

#: Where something stands: keys and, in lists, numbers from 0
KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """What a YAML text holds.

    Parameters
    ----------
    data
        Mappings, lists, texts, numbers, booleans and None; every key is a text.
    lines
        Path of a key or item -> its line, from 1.
    """

    data: object
    lines: Mapping[KeyPath, int]

    def line(self, path: KeyPath) -> int | None:
        """Return the line of a path, or of the nearest thing around it that the text has."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


class _Loader(_Base):
    """Safe YAML whose plain scalars are read by the core schema of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own attribute


for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("bool", r"^(?:true|false)$", list("tf")),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", list("-+0123456789")),
    ("float", r"^[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789")),
    ("merge", r"^<<$", ["<"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)

_PLAIN = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "null", "bool", "int", "float"))


def read_yaml(text: str, file: str) -> Document:
    """Read one YAML document.

    Raises
    ------
    CatalogError
        If the text is no YAML, repeats a key, has a key that is no text, or a value of another kind than the plain
        ones; the message names file and line.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        walk = _Walk(loader, file)
        return Document(walk.value(node, ()) if node else None, walk.lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}" if mark else file
        raise CatalogError(f"{where}: this is no YAML: {error.problem or error.context}.") from error
    except yaml.YAMLError as error:
        raise CatalogError(f"{file}: this is no YAML: {error}.") from error


class _Walk:
    """Turns nodes into values, keeping lines."""

    def __init__(self, loader: _Loader, file: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._loader = loader
        self._file = file
        self._open: list[yaml.Node] = []
        self._checked: set[int] = set()

    def value(self, node: yaml.Node, path: KeyPath) -> object:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if any(node is outer for outer in self._open):
            raise self._error(node, path, "an anchor that contains itself")
        self._open.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode):
                return [self.value(item, (*path, number)) for number, item in enumerate(node.value)]
            return self._scalar(node, path)
        finally:
            self._open.pop()

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        self._refuse_repeated_keys(node, path)
        self._loader.flatten_mapping(node)
        mapping: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = self._scalar(key_node, path)
            if not isinstance(key, str):
                raise self._error(key_node, path, f"the key {key!r} is no text; quote it")
            self.lines[(*path, key)] = key_node.start_mark.line + 1
            mapping[key] = self.value(value_node, (*path, key))
        return mapping

    def _refuse_repeated_keys(self, node: yaml.MappingNode, path: KeyPath) -> None:
        if id(node) in self._checked:
            return  # met again through an alias, its merge keys flattened: what it overrides would look repeated
        self._checked.add(id(node))
        seen: dict[str, int] = {}
        for key_node, _ in node.value:
            if isinstance(key_node, yaml.ScalarNode):
                if key_node.value in seen:
                    raise self._error(
                        key_node,
                        path,
                        f"the key {key_node.value!r} is repeated; it stands on line {seen[key_node.value]}",
                    )
                seen[key_node.value] = key_node.start_mark.line + 1

    def _scalar(self, node: yaml.Node, path: KeyPath) -> object:
        if node.tag not in _PLAIN:
            raise self._error(node, path, f"{node.tag} is not wanted here; only texts, numbers, true, false and null")
        return cast("object", self._loader.construct_object(node))

    def _error(self, node: yaml.Node, path: KeyPath, what: str) -> CatalogError:
        where = f" {'.'.join(map(str, path))}:" if path else ""
        return CatalogError(f"{self._file}:{node.start_mark.line + 1}:{where} {what}.")
