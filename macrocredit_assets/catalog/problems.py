"""What pydantic found wrong with a catalog file, as sentences for its author.

What belongs here: translation. A path is written as it stands in the file (``datasets.vix.columns.close.unit``),
without the tags by which pydantic tells the ways apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from textwrap import shorten
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from macrocredit_assets.catalog.models import FILLED_IN, CatalogFile, CustomWay
from macrocredit_assets.catalog.ways import WAYS
from macrocredit_assets.catalog.yaml_reader import KeyPath

__all__ = ["Problem", "problems_of"]

#: Where, and what is wrong there in one sentence
Problem = tuple[KeyPath, str]

_MODELS: Mapping[str, type[BaseModel]] = {**WAYS, "custom": CustomWay}


def problems_of(error: ValidationError) -> list[Problem]:
    """Return every problem of a catalog file, with its path in the file."""
    sentences: dict[KeyPath, list[str]] = {}
    found = error.errors(include_url=False)
    for details in found:
        if _follows_from_others(details, found):
            continue
        path, sentence = _translate(details)
        sentences.setdefault(path, []).append(sentence)
    # a value that fits no member of a union is reported once for each of them
    return [(path, "; or: ".join(dict.fromkeys(said))) for path, said in sentences.items()]


def _follows_from_others(details: ErrorDetails, found: list[ErrorDetails]) -> bool:
    # a tuple whose items are all wrong counts as too short as well
    here = details["loc"]
    return details["type"] == "too_short" and any(
        other["loc"][: len(here)] == here and other is not details for other in found
    )


def _translate(details: ErrorDetails) -> Problem:
    path, model = _locate(details["loc"])
    kind = details["type"]
    if kind == "extra_forbidden":
        return path, f"unknown key{_nearest(str(path[-1]), list(model.model_fields) if model else [])}"
    if kind == "missing":
        return path, "this key is missing"
    if kind == "union_tag_not_found":
        return (*path, "source"), f"say which source this way uses: {', '.join(WAYS)}, or one of another package"
    if kind == "value_error":
        return path, str(details["ctx"]["error"])
    if kind == "literal_error":
        known = details["ctx"]["expected"]
        return path, f"{details['input']!r} is not one of {known}{_nearest(str(details['input']), _words(known))}"
    return path, f"{details['msg']}, not {shorten(repr(details['input']), 80)}{_quote(details)}"


def _quote(details: ErrorDetails) -> str:
    unquoted = details["type"] == "string_type" and isinstance(details["input"], bool | int | float)
    return "; put it in quotes" if unquoted else ""


def _words(expected: str) -> list[str]:
    return [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]


def _nearest(word: str, known: list[str]) -> str:
    wanted = [name for name in known if name not in FILLED_IN]
    near = get_close_matches(word, wanted, n=1, cutoff=0.5)
    if near and near[0] != word:
        return f"; did you mean {near[0]!r}?"
    return f"; known are {', '.join(wanted)}" if wanted and word not in known else ""


def _locate(location: KeyPath) -> tuple[KeyPath, type[BaseModel] | None]:
    """Follow a pydantic location; return it without tags, and the innermost model that it enters."""
    path: list[str | int] = []
    model: type[BaseModel] | None = None
    here: Any = CatalogFile
    for part in location:
        here = _plain(here)
        if get_origin(here) in (Union, UnionType):
            here = _MODELS.get(str(part))
            continue
        if part == "[key]":
            continue
        path.append(part)
        if isinstance(here, type) and issubclass(here, BaseModel):
            model = here
            field = here.model_fields.get(str(part))
            here = field.annotation if field else None
        else:
            # of dict[K, V] the value, of tuple[T, ...] the item
            arguments = get_args(here)
            here = None if not arguments else arguments[0] if get_origin(here) is tuple else arguments[-1]
    return tuple(path), model


def _plain(annotation: Any) -> Any:  # noqa: ANN401 - annotations are of no common type
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        options = [option for option in get_args(annotation) if option is not type(None)]
        return _plain(options[0]) if len(options) == 1 else annotation
    return annotation
