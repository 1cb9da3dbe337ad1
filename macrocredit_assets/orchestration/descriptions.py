"""What the UI says in words: Markdown, its first line plain, for the lineage shows that line of an asset alone.

What belongs here: sentences about assets and jobs. Numbers and tables of an asset are in ``definition_metadata.py``.
"""

from __future__ import annotations

import inspect
from calendar import month_name
from collections.abc import Iterator, Sequence

from macrocredit_assets.catalog import Catalog, DatasetSpec, Entry, SignalSpec
from macrocredit_assets.catalog.models import BloombergWay, FileWay, FredWay, RollDays, Way
from macrocredit_assets.orchestration.attribution import attribution_of
from macrocredit_assets.orchestration.tags import ACCEPT, ALLOW_WITHDRAWALS, SWITCH_SERIES
from macrocredit_assets.signals import SignalFunction
from macrocredit_assets.sources.profiles import Route, way_label

__all__ = ["INGEST", "describe_dataset", "describe_signal", "describe_source", "formula_of"]

#: Of the job that materializes datasets.
INGEST = f"""\
Fetch every dataset for a window of days, compute the signals that read them, and check both.

One run, and one request per dataset, however long the window. Here, choose the partitions to launch it for; in a shell,
`macrocredit backfill --start 2024-01-01`. What is stored and has not changed costs no write.

A run takes these tags:

- `{ACCEPT}`: the rules of severity error that are waived, separated by commas
- `{ALLOW_WITHDRAWALS}`: with `true`, stored rows that the source no longer has are withdrawn; else they are kept
- `{SWITCH_SERIES}`: why a dataset goes over to another series; without it, rows of another series are refused
"""


def describe_dataset(spec: DatasetSpec, series: str, route: Route | None, pool: str | None) -> str:
    """Describe a market dataset: what it is, in which unit, where it comes from, and when it is due.

    Parameters
    ----------
    spec
        The dataset.
    series
        What its numbers are.
    route
        The way that the profile takes; None where it has none.
    pool
        How many ask its source at a time is decided there.
    """
    facts = [f"**Series:** `{series}`, published by {attribution_of(series).name}"]
    if route is None:
        facts.append("**Way:** none that this profile can serve; `macrocredit doctor` says why")
    else:
        facts.append(f"**Way:** {', then '.join(f'`{way_label(way)}`' for way in route.ways)}")
        facts += [f"**Formula:** `{formula}`" for formula in dict.fromkeys(_conversions(route.ways))]
    facts.append(f"**Calendar:** `{spec.calendar}`; the row of a session is due {_due(spec.publication_lag)}")
    if spec.rolls:
        facts.append(f"**Rolls:** {_rolls(spec.rolls)}")
    if pool:
        facts.append(f"**Pool:** `{pool}`; it decides how many steps ask this source at a time, over all runs")
    return _text(spec, facts)


def describe_signal(spec: SignalSpec, function: SignalFunction | None, catalog: Catalog) -> str:
    """Describe a signal: what it is, in which unit, by which formula, and from what.

    Parameters
    ----------
    spec
        The signal.
    function
        What computes it; its docstring has the formula. None where there is none of that name.
    catalog
        Where its inputs are described.
    """
    facts = [
        f"**{argument}:** `{read.dataset}.{read.column}`, {catalog.entry(read.dataset).columns[read.column].unit}"
        for argument, read in spec.inputs.items()
    ]
    facts += [f"**{name}:** {value}" for name, value in spec.parameters.items()]
    if spec.lookback:
        facts.append(f"**Rows before a date:** {spec.lookback}, on which all inputs have a value")
    facts.append(f"**Calendar:** `{spec.calendar}`")
    return _text(spec, facts, f"**Formula** (`{spec.function}`): {formula_of(function)}")


def describe_source(series: str, feeds: Sequence[DatasetSpec]) -> str:
    """Describe a series as its publisher has it: whose it is, which datasets are made of it, and on what terms."""
    publisher = attribution_of(series)
    lines = [
        f"{series.partition(':')[2]}, as published by {publisher.name}.",
        "",
        *(f"- **Feeds:** `{spec.name}`, {spec.title}" for spec in feeds),
        f"- **Terms:** {publisher.terms}",
    ]
    return "\n".join(lines)


def formula_of(function: SignalFunction | None) -> str:
    """Return what the docstring of a signal says between its first sentence and its sections; else that sentence."""
    # of an object that can be called, getdoc returns the words about its class
    text = inspect.getdoc(function) if inspect.isroutine(function) else None
    if not text:
        return "not described; the function has no docstring."
    paragraphs = text.split("\n\n")
    end = next((at for at, paragraph in enumerate(paragraphs) if "\n---" in paragraph), len(paragraphs))
    return "\n\n".join(paragraphs[1:end] or paragraphs[:1])


def _text(entry: Entry, facts: Sequence[str], formula: str | None = None) -> str:
    first = f"{entry.title}, in {entry.columns[entry.main].unit}."
    blocks = [first, entry.description, *([formula] if formula else []), "\n".join(f"- {fact}" for fact in facts)]
    return "\n\n".join(blocks)


def _conversions(ways: Sequence[Way]) -> Iterator[str]:
    """Yield how the publisher's numbers become ours, where they change."""
    for way in ways:
        if isinstance(way, FredWay) and way.factor != 1:
            yield f"{way.column} = {way.factor:g} * {way.series_id}"
        elif isinstance(way, BloombergWay) and way.factor != 1:
            yield from (f"{column} = {way.factor:g} * {field}" for column, field in way.fields.items())
        elif isinstance(way, FileWay):
            read = ((column, given) for column, given in way.columns.items() if given.factor != 1)
            yield from (f"{column} = {given.factor:g} * {given.column}" for column, given in read)


def _due(lag: int) -> str:
    return f"{lag} session{'s' if lag > 1 else ''} later" if lag else "at its end"


def _rolls(rolls: RollDays) -> str:
    return ", ".join(f"{rolls.day} {month_name[month]}" for month in sorted(rolls.months))
