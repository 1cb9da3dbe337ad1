"""The JSON Schema for editors: it accepts what ships, and underlines what is wrong."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from importlib import resources
from typing import Any

import pytest

from macrocredit_assets.catalog import catalog_json_schema
from macrocredit_assets.catalog.yaml_reader import read_yaml

SCHEMA = catalog_json_schema()
SHIPPED: Any = read_yaml(
    resources.files("macrocredit_assets.catalog").joinpath("datasets.yaml").read_text("utf-8"), "datasets.yaml"
).data

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
#: Every word of JSON Schema that the schema uses; a new one must be taught to the validator below
_ANNOTATIONS = {"$schema", "$defs", "title", "description", "default", "format"}


def mistakes(value: Any, schema: Mapping[str, Any], path: str = "") -> Iterator[str]:  # noqa: ANN401
    """Validate by the words of JSON Schema that the catalog's schema uses."""
    for word, given in schema.items():
        if word not in _ANNOTATIONS:
            yield from _WORDS[word](value, given, schema, path)


def _ref(value: Any, given: str, _: Any, path: str) -> Iterator[str]:  # noqa: ANN401
    yield from mistakes(value, SCHEMA["$defs"][given.removeprefix("#/$defs/")], path)


def _type(value: Any, given: str, _: Any, path: str) -> Iterator[str]:  # noqa: ANN401
    if not isinstance(value, _TYPES[given]) or (isinstance(value, bool) and given in ("integer", "number")):
        yield f"{path} is no {given}"


def _members(value: Any, given: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:  # noqa: ANN401
    for key, inner in value.items() if isinstance(value, dict) else ():
        patterns = [sub for pattern, sub in schema.get("patternProperties", {}).items() if re.search(pattern, key)]
        known = [*patterns, *([schema["properties"][key]] if key in schema.get("properties", {}) else [])]
        extra = schema.get("additionalProperties", True)
        if not known and extra is False:
            yield f"{path}.{key} is unknown"
        for sub in known or ([extra] if isinstance(extra, dict) else []):
            yield from mistakes(inner, sub, f"{path}.{key}")


def _says(wrong: Callable[[Any, Any], bool], what: str) -> Callable[[Any, Any, Any, str], Iterator[str]]:
    return lambda value, given, _, path: iter([f"{path} {what}"] if wrong(value, given) else [])


def _matching(value: Any, given: list[Any], path: str) -> int:  # noqa: ANN401
    return sum(not [*mistakes(value, option, path)] for option in given)


_WORDS: Mapping[str, Callable[[Any, Any, Any, str], Iterator[str]]] = {
    "$ref": _ref,
    "type": _type,
    "properties": _members,
    "patternProperties": lambda *_: iter(()),
    "additionalProperties": lambda value, given, schema, path: (
        iter(()) if "properties" in schema else _members(value, given, schema, path)
    ),
    "propertyNames": lambda value, given, _, path: (
        found for key in value for found in mistakes(key, given, f"{path}.{key}")
    ),
    "items": lambda value, given, _, path: (
        found for number, item in enumerate(value) for found in mistakes(item, given, f"{path}[{number}]")
    ),
    "required": lambda value, given, _, path: (f"{path}.{key} is missing" for key in given if key not in value),
    "enum": _says(lambda value, given: value not in given, "is not in the list"),
    "const": _says(lambda value, given: value != given, "is another constant"),
    "pattern": _says(lambda value, given: not re.search(given, value), "does not match"),
    "minimum": _says(lambda value, given: value < given, "is too small"),
    "exclusiveMinimum": _says(lambda value, given: value <= given, "is too small"),
    "maximum": _says(lambda value, given: value > given, "is too large"),
    "minItems": _says(lambda value, given: len(value) < given, "is too short"),
    "minLength": _says(lambda value, given: len(str(value)) < given, "is too short"),
    "minProperties": _says(lambda value, given: len(value) < given, "is too short"),
    "not": lambda value, given, _, path: iter([] if [*mistakes(value, given, path)] else [f"{path} is forbidden"]),
    "anyOf": lambda value, given, _, path: iter([] if _matching(value, given, path) else [f"{path} fits nothing"]),
    "oneOf": lambda value, given, _, path: iter(
        [] if (fits := _matching(value, given, path)) == 1 else [f"{path} fits {fits} shapes"]
    ),
}


def test_the_shipped_catalog_fits_its_schema() -> None:
    """No key or value of the shipped file would be underlined."""
    assert [*mistakes(SHIPPED, SCHEMA)] == []
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def _change(path: tuple[str | int, ...], value: object) -> Any:  # noqa: ANN401
    document = copy.deepcopy(SHIPPED)
    here = document
    for part in path[:-1]:
        here = here[part]
    if value is None:
        del here[path[-1]]
    else:
        here[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "mistake"),
    [
        (("dataset",), {}, ".dataset is unknown"),
        (("datasets", "my-set"), {}, ".datasets.my-set does not match"),
        (("datasets", "vix", "calender"), "daily", ".datasets.vix.calender is unknown"),
        (("datasets", "vix", "name"), "vix", ".datasets.vix.name is unknown"),
        (("datasets", "vix", "calendar"), "nyse", ".datasets.vix.calendar is not in the list"),
        (("datasets", "vix", "title"), None, ".datasets.vix.title is missing"),
        (("datasets", "vix", "tenor"), 5, ".datasets.vix.tenor fits nothing"),
        (("datasets", "vix", "columns", "close", "unit"), "points", ".datasets.vix.columns.close.unit is not in the"),
        (("datasets", "vix", "columns", "a-b"), {"unit": "bp", "decimals": 1}, ".datasets.vix.columns.a-b is unknown"),
        (("datasets", "vix", "ways"), [], ".datasets.vix.ways is too short"),
        (("datasets", "vix", "ways", 1, "symbl"), "VIX", ".datasets.vix.ways[1] fits 0 shapes"),
        (("datasets", "vix", "ways", 1, "source"), None, ".datasets.vix.ways[1] fits 0 shapes"),
        (("signals", "cdx_vix_gap", "lookback"), -1, ".signals.cdx_vix_gap.lookback is too small"),
        (("signals", "cdx_vix_gap", "inputs"), {}, ".signals.cdx_vix_gap.inputs is too short"),
        (("datasets", "vix", "special_days"), {}, ".datasets.vix.special_days is unknown"),
        (("datasets", "vix", "chunk"), "month", ".datasets.vix.chunk fits nothing"),
        (("calendars",), {"us_bnd": {}}, ".calendars.us_bnd is not in the list"),
        (("calendars",), {"us_bond": {"shut": {}}}, ".calendars.us_bond.shut is unknown"),
        (("calendars",), {"us_bond": {"closed": {"2027-01-05": ""}}}, ".calendars.us_bond.closed.2027-01-05 is too sh"),
        (("calendars",), {"us_bond": {"closed": {"2027-01-05": 5}}}, ".calendars.us_bond.closed.2027-01-05 is no str"),
    ],
)
def test_mistakes_are_underlined(path: tuple[str | int, ...], value: object, mistake: str) -> None:
    """What the loader refuses in the shape of an entry, an editor shows where it is typed."""
    assert any(found.startswith(mistake) for found in mistakes(_change(path, value), SCHEMA))


def test_days_of_a_users_own_fit() -> None:
    """Open and closed days by calendar, each with its reason."""
    days = {"us_bond": {"closed": {"2027-01-05": "mourning"}}, "london": {"open": {"2027-05-03": "moved"}}}

    assert [*mistakes(_change(("calendars",), days), SCHEMA)] == []


def test_a_source_of_another_package_fits() -> None:
    """A way that is not built in needs a series and may have options."""
    way = {"source": "markit", "series": "markit:CDX", "options": {"family": "IG"}}

    assert [*mistakes(_change(("datasets", "vix", "ways", 0), way), SCHEMA)] == []
