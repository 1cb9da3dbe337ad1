"""Rules between the entries of a catalog: names, inputs, cycles.

What belongs here: what no single entry can know. Each rule yields ``(path, sentence)`` and raises nothing, so that
everything wrong with a catalog is said at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter

from macrocredit_assets.catalog.check_parameters import Reference
from macrocredit_assets.catalog.models import DatasetSpec, Entry, Input, SignalSpec
from macrocredit_assets.catalog.naming import name_problem, series_key
from macrocredit_assets.catalog.problems import Problem

__all__ = ["problems_between"]


def problems_between(datasets: Mapping[str, DatasetSpec], signals: Mapping[str, SignalSpec]) -> Iterator[Problem]:
    """Yield what is wrong between entries that are each right by themselves."""
    yield from _names(datasets, signals)
    yield from _series(datasets)
    yield from _inputs(datasets, signals)
    yield from _cycles(signals)
    yield from _references(datasets, signals)


def _names(datasets: Mapping[str, DatasetSpec], signals: Mapping[str, SignalSpec]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for section, entries in (("datasets", datasets), ("signals", signals)):
        for name in entries:
            path = (section, name)
            if problem := name_problem(name):
                yield path, f"the name {name!r} {problem}"
            if (other := seen.get(name.lower())) == name:
                yield path, f"{name!r} is a market dataset already; a signal needs a name of its own"
            elif other is not None:
                yield path, f"{name!r} and {other!r} are one file where file systems ignore case"
            seen.setdefault(name.lower(), name)


def _series(datasets: Mapping[str, DatasetSpec]) -> Iterator[Problem]:
    seen: dict[tuple[str, ...], str] = {}
    for name, spec in datasets.items():
        for number, way in enumerate(spec.ways):
            key = tuple(part.lower() for part in series_key(way.series))
            if (other := seen.setdefault(key, way.series)) != way.series:
                yield (
                    ("datasets", name, "ways", number, "series"),
                    f"{way.series!r} and {other!r} are one asset, {'/'.join(series_key(way.series))}, once cleaned",
                )


def _inputs(datasets: Mapping[str, DatasetSpec], signals: Mapping[str, SignalSpec]) -> Iterator[Problem]:
    known: dict[str, Entry] = {**datasets, **signals}
    for name, signal in signals.items():
        for argument, given in signal.inputs.items():
            yield from _missing(("signals", name, "inputs", argument), given, known)


def _references(datasets: Mapping[str, DatasetSpec], signals: Mapping[str, SignalSpec]) -> Iterator[Problem]:
    known: dict[str, Entry] = {**datasets, **signals}
    for name, spec in datasets.items():
        if (reference := spec.checks.reference) is None:
            continue
        path = ("datasets", name, "checks", "reference")
        if reference.dataset == name:
            yield (*path, "dataset"), f"{name} cannot be held against itself"
        yield from _missing(path, reference, known)


def _missing(path: tuple[str, ...], given: Input | Reference, known: Mapping[str, Entry]) -> Iterator[Problem]:
    if (entry := known.get(given.dataset)) is None:
        yield (*path, "dataset"), f"there is no dataset {given.dataset!r}{_nearest(given.dataset, known)}"
    elif given.column not in entry.columns:
        yield (
            (*path, "column"),
            f"{given.dataset} has no column {given.column!r}; it has {', '.join(entry.columns)}",
        )


def _cycles(signals: Mapping[str, SignalSpec]) -> Iterator[Problem]:
    graph = {name: [given.dataset for given in signal.inputs.values()] for name, signal in signals.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        # graphlib lists a cycle from input to reader; people ask what reads what
        cycle = list(reversed(error.args[1]))
        yield ("signals", cycle[0], "inputs"), f"signals that need each other: {' reads '.join(cycle)}"


def _nearest(name: str, known: Mapping[str, Entry]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
