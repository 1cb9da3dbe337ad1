"""The walk through a document that makes it one of dict, list, str, int, float, bool and None alone.

What must not live here: how each type looks (``json_values.py``), and what becomes of the document (``json_io.py``).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, cast

from macrocredit_assets.persistence.json_values import Rows, unwrapper

__all__ = ["Json", "to_plain"]

#: What a JSON document is made of.
Json: TypeAlias = dict[str, Any] | list[Any] | str | int | float | None

_AS_THEY_ARE = frozenset({str, int, bool, type(None)})
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def to_plain(data: object, default: Callable[[Any], object] | None = None, *, skip_keys: bool = False) -> Json:
    """Return a document as dict, list, str, int, float, bool and None alone, all floats finite.

    Parameters
    ----------
    data
        The document.
    default
        Asked for values of unknown type; what it returns is converted in turn.
    skip_keys
        Leave out what stands under a key that cannot be one in JSON, instead of raising TypeError.

    Raises
    ------
    TypeError, ValueError
        As :class:`~macrocredit_assets.persistence.json_io.EnhancedJSONEncoder` does.
    """
    try:
        return _Conversion(default, skip_keys).value(data)
    except _MisfitError as misfit:
        raise misfit.kind(str(misfit)) from None


class _MisfitError(Exception):
    """What does not fit into JSON; on its way out it learns where it was."""

    def __init__(self, kind: type[Exception], before: str, after: str) -> None:
        super().__init__(before, after)
        self.kind = kind
        self.before = before
        self.after = after
        self.steps: list[str] = []

    def inside(self, step: str | int) -> None:
        """Add the key or the position under which the path so far lies."""
        if isinstance(step, str) and _IDENTIFIER.fullmatch(step):
            self.steps.append(f".{step}")
        else:
            self.steps.append(f"[{json.dumps(step)}]")

    def __str__(self) -> str:
        return f"{self.before} ${''.join(reversed(self.steps))} {self.after}"


class _Conversion:
    """One walk through one document."""

    def __init__(self, default: Callable[[Any], object] | None, skip_keys: bool) -> None:
        self._default = default
        self._skip_keys = skip_keys
        self._open: set[int] = set()

    def value(self, value: object) -> Json:
        kind = type(value)
        if kind in _AS_THEY_ARE:
            return cast("str | int | None", value)
        if type(value) is float:
            return value if math.isfinite(value) else None
        if id(value) in self._open:
            raise _MisfitError(ValueError, "Circular reference detected: the value at", "holds itself")
        self._open.add(id(value))
        try:
            return self._composed(value)
        finally:
            self._open.discard(id(value))

    def _composed(self, value: object) -> Json:
        if type(value) is dict:
            return self._object(value)
        if type(value) is list:
            return self._array(value)
        if type(value) is frozenset:
            return _in_order(self._array(value))
        if type(value) is Rows:
            return self._records(value)
        kind = type(value)
        unwrap = unwrapper(kind) or self._default
        if unwrap is None:
            raise _MisfitError(TypeError, f"Object of type {_full_name(kind)} at", "is not JSON serializable")
        return self.value(unwrap(value))

    def _array(self, values: Iterable[object]) -> list[Any]:
        converted = []
        for position, value in enumerate(values):
            try:
                converted.append(self.value(value))
            except _MisfitError as misfit:
                misfit.inside(position)
                raise
        return converted

    def _object(self, items: Mapping[object, object]) -> dict[str, Any]:
        names = self._names(items)
        converted = {}
        for name, value in zip(names, items.values(), strict=True):
            if name is None:
                continue
            try:
                converted[name] = self.value(value)
            except _MisfitError as misfit:
                misfit.inside(name)
                raise
        return converted

    def _records(self, rows: Rows) -> list[dict[str, Any]]:
        names = self._names(rows.names)
        converted = {}
        for name, values in zip(names, rows.columns, strict=True):
            if name is None:
                continue
            try:
                converted[name] = self._array(values)
            except _MisfitError as misfit:
                row = misfit.steps.pop()
                misfit.inside(name)
                misfit.steps.append(row)
                raise
        if not converted:
            return [{} for _ in range(rows.length)]
        return [dict(zip(converted, record, strict=True)) for record in zip(*converted.values(), strict=True)]

    def _names(self, keys: Iterable[object]) -> list[str | None]:
        """Return the text of each key, None where it is to be skipped."""
        names: list[str | None] = []
        taken: dict[str, object] = {}
        for key in keys:
            name = key if type(key) is str else self._name_or_none(key)
            names.append(name)
            if name is None:
                continue
            if name in taken:
                both = f"{taken[name]!r} and {key!r}"
                raise _MisfitError(ValueError, "The object at", f"has two keys that are {json.dumps(name)}: {both}")
            taken[name] = key
        return names

    def _name_or_none(self, key: object) -> str | None:
        try:
            return self._name(key)
        except (_MisfitError, TypeError) as error:
            # a default of somebody's own, asked for a key, refuses it with a TypeError
            if self._skip_keys and TypeError in {type(error), getattr(error, "kind", None)}:
                return None
            raise

    def _name(self, key: object) -> str:
        plain = self.value(key)
        if isinstance(plain, str):
            return plain
        if isinstance(plain, dict | list):
            kind = _full_name(type(key))
            raise _MisfitError(TypeError, f"Key {key!r} of type {kind} in the object at", "is not JSON serializable")
        return json.dumps(plain)


def _full_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")


def _in_order(values: list[Any]) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:  # of mixed types, or objects
        return sorted(values, key=lambda value: (type(value).__name__, json.dumps(value, sort_keys=True)))
