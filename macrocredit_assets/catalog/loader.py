"""From catalog files to a :class:`Catalog`: the shipped one, and a user's own on top of it.

What belongs here: reading files, laying one over the other, and saying everything that is wrong at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from macrocredit_assets.catalog.catalog import Catalog, Place
from macrocredit_assets.catalog.models import FILLED_IN, CalendarName, CatalogFile, DatasetSpec, SignalSpec, SpecialDays
from macrocredit_assets.catalog.problems import Problem, problems_of
from macrocredit_assets.catalog.rules import problems_between
from macrocredit_assets.catalog.yaml_reader import Document, KeyPath, read_yaml
from macrocredit_assets.errors import CatalogError

__all__ = ["load_catalog"]

_Spec = TypeVar("_Spec", DatasetSpec, SignalSpec)

_SHIPPED = "datasets.yaml"
_SECTIONS = ("datasets", "signals")
_BY_PLACE = "name and kind follow from where the entry stands"
_ELSEWHERE = dict(zip(FILLED_IN, (_BY_PLACE, _BY_PLACE, "such days stand under `calendars`"), strict=True))


def load_catalog(path: Path | None = None) -> Catalog:
    """Load the shipped catalog, and a user's own file on top of it.

    Parameters
    ----------
    path
        A catalog file of the user's own. Its entries are added to the shipped ones; an entry of a known name replaces
        the shipped entry whole, at its place. ``remove: [hyg, move]`` leaves shipped entries out, and ``extends: none``
        leaves all of them out.

    Raises
    ------
    CatalogError
        If the file cannot be read, or anything in it is not as the models say; one line for each mistake, with file,
        line, path and the nearest known word.
    """
    shipped = _shipped()
    if path is None:
        return _joined(shipped, None)
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise CatalogError(
            f"There is no catalog file {path}. Unset MACROCREDIT_CATALOG to use the shipped one."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogError(f"The catalog file {path} cannot be read: {error}.") from error
    return _joined(shipped, _read(text, str(path), path.absolute()))


@dataclass(frozen=True)
class _File:
    """One catalog file, its entries right each by itself."""

    name: str
    path: Path
    document: Document
    content: CatalogFile

    def has(self, path: KeyPath) -> bool:
        """Whether this is the file in which an entry stands."""
        section, name = path[0], path[1] if len(path) > 1 else None
        return section not in _SECTIONS or name in getattr(self.content, str(section))

    def places(self) -> dict[str, Place]:
        """Return where each of its entries is written."""
        lines = self.document.lines
        ways = {
            name: tuple(lines["datasets", name, "ways", number] for number in range(len(spec.ways)))
            for name, spec in self.content.datasets.items()
        }
        named = [("datasets", name) for name in self.content.datasets] + [("signals", n) for n in self.content.signals]
        return {name: Place(self.path, lines[section, name], ways.get(name, ())) for section, name in named}


@lru_cache(maxsize=1)
def _shipped() -> _File:
    """Read the file that is a part of this package, and stays what it is while a process lasts."""
    resource = resources.files(__package__).joinpath(_SHIPPED)
    return _read(resource.read_text("utf-8"), _SHIPPED, Path(str(resource)))


def _read(text: str, file: str, path: Path) -> _File:
    document = read_yaml(text, file)
    if not isinstance(document.data, dict) or not document.data:
        raise CatalogError(f"{file}: a catalog is a mapping with the keys {' and '.join(_SECTIONS)}; this is none.")
    problems: list[Problem] = []
    data = dict(document.data)
    for section in _SECTIONS:
        if isinstance(entries := data.get(section), dict):
            data[section] = {name: _named(entry, name, (section, name), problems) for name, entry in entries.items()}
    try:
        # JSON has lists and texts where models have tuples and dates, so that strict reading refuses only what is wrong
        content = CatalogFile.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        problems.extend(problems_of(error))
    if problems:
        raise _error((file, document, problem) for problem in problems)
    return _File(file, path, document, content)


def _named(entry: object, name: str, path: tuple[str, ...], problems: list[Problem]) -> object:
    if not isinstance(entry, dict):
        return entry
    problems += [((*path, key), f"unknown key; {why}") for key, why in _ELSEWHERE.items() if key in entry]
    return {key: value for key, value in entry.items() if key not in FILLED_IN} | {"name": name}


def _joined(shipped: _File, own: _File | None) -> Catalog:
    datasets, signals = dict(shipped.content.datasets), dict(shipped.content.signals)
    problems = _lay_over(own.content, datasets, signals) if own else []
    problems += problems_between(datasets, signals)
    if problems:
        raise _error(_placed(problem, shipped, own) for problem in problems)
    days = {**shipped.content.calendars, **(own.content.calendars if own else {})}
    places = {**shipped.places(), **(own.places() if own else {})}
    return Catalog(
        _with_days(datasets, days),
        _with_days(signals, days),
        {name: place for name, place in places.items() if name in datasets or name in signals},
    )


def _with_days(entries: Mapping[str, _Spec], days: Mapping[CalendarName, SpecialDays]) -> dict[str, _Spec]:
    return {
        name: entry.model_copy(update={"special_days": days[entry.calendar]}) if entry.calendar in days else entry
        for name, entry in entries.items()
    }


def _lay_over(own: CatalogFile, datasets: dict[str, DatasetSpec], signals: dict[str, SignalSpec]) -> list[Problem]:
    """Change the shipped entries as a user's own file says; return what it says in vain."""
    problems: list[Problem] = []
    if own.extends == "none":
        datasets.clear()
        signals.clear()
    for number, name in enumerate(own.remove):
        removed = datasets.pop(name, None) or signals.pop(name, None)
        if removed is None:
            problems.append((("remove", number), f"there is no shipped {name!r} to remove"))
    datasets |= {name: _alone(spec) for name, spec in datasets.items() if _reference(spec) in own.remove}
    datasets |= own.datasets
    signals |= own.signals
    return problems


def _reference(spec: DatasetSpec) -> str | None:
    return spec.checks.reference.dataset if spec.checks.reference else None


def _alone(spec: DatasetSpec) -> DatasetSpec:
    """Return a shipped entry without its reference, which a user left out."""
    return spec.model_copy(update={"checks": spec.checks.model_copy(update={"reference": None})})


def _placed(problem: Problem, shipped: _File, own: _File | None) -> tuple[str, Document, Problem]:
    path, what = problem
    if own is None or own.has(path):
        file = own or shipped
        return file.name, file.document, problem
    return (
        shipped.name,
        shipped.document,
        (path, f"{what}; {own.name} made it so: replace this entry, or remove it too"),
    )


def _error(found: Iterable[tuple[str, Document, Problem]]) -> CatalogError:
    lines = []
    for file, document, (path, what) in found:
        line = document.line(path)
        lines.append(f"{file}{f':{line}' if line else ''}: {_dotted(path)}: {what}")
    many = f"{len(lines)} mistakes" if len(lines) > 1 else "a mistake"
    return CatalogError("\n  ".join([f"The catalog has {many}; nothing was loaded.", *lines]))


def _dotted(path: KeyPath) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.lstrip(".") or "the file"
