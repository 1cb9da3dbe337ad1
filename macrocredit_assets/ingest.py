"""Fetch or derive, judge, conform: from a spec and a window to an :class:`Ingested`.

What belongs here: the way from sources, or from a signal's inputs, to rows ready to be written. No file is written
here, and nothing knows Dagster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import reduce
from time import perf_counter

import numpy as np
import pandas as pd

from macrocredit_assets.catalog import Catalog
from macrocredit_assets.catalog.calendars import is_session
from macrocredit_assets.catalog.models import DatasetSpec, Entry, RollDays, SignalSpec
from macrocredit_assets.errors import CatalogError, RuleViolationError
from macrocredit_assets.findings import Finding
from macrocredit_assets.quality import acceptable_rules, check_accepted, finding, judge
from macrocredit_assets.signals import SignalContext, SignalFunction
from macrocredit_assets.sources.base import Fetched, Source
from macrocredit_assets.sources.profiles import Route, way_label
from macrocredit_assets.sources.units import round_decimals
from macrocredit_assets.windows import Coverage, Window

__all__ = ["Ingested", "SignalInput", "derive", "ingest"]

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Ingested:
    """Rows ready to be written, and everything that is known about how they came.

    Parameters
    ----------
    frame
        Index ``date`` (tz-naive midnight, ``datetime64[us]``, unique, sorted), the spec's columns in its order and
        types; every row inside ``window``.
    series
        What the numbers are (``fred:DGS10``).
    window
        The window that was asked for.
    answered
        The dates for which the source gave its answer, closed days included. A source whose last observation lies
        before the window's end has not answered what follows.
    ways
        The ways used, in order of preference (``file:fred_DGS10.csv``).
    rows_read, dropped
        Rows the sources read, and why some are not in the frame -> count.
    findings, accepted
        What the rules noticed, and the rules of severity ``error`` that were waived by name.
    seconds
        Time to ``fetch`` and to ``conform`` (judging included).
    """

    frame: pd.DataFrame
    series: str
    window: Window
    answered: Coverage
    ways: tuple[str, ...] = ()
    rows_read: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    accepted: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class SignalInput:
    """What a signal is given of one dataset.

    Parameters
    ----------
    frame
        Index ``date``, sorted and unique; the columns that the signal reads, in its window and a lookback before it.
    coverage
        The dates that the dataset covers.
    """

    frame: pd.DataFrame
    coverage: Coverage


def ingest(
    spec: DatasetSpec,
    window: Window,
    route: Route,
    sources: Mapping[str, Source],
    *,
    accept: frozenset[str] = frozenset(),
    stored: pd.DataFrame | None = None,
) -> Ingested:
    """Fetch a window by every way of a route, merge, judge and conform it.

    Ways of one series extend one another: on a date that several have, the row of the earlier way stands. An equal
    duplicate is dropped and counted; of a conflicting one that was accepted, the last in the source's order is kept.

    Parameters
    ----------
    spec, window, route, sources
        What to fetch, and how; the route comes from :func:`macrocredit_assets.sources.profiles.choose`.
    accept
        Rules of severity ``error`` in spite of which the window is stored.
    stored
        Rows already held in and around the window, against which levels are compared.

    Raises
    ------
    SourceError
        If a way does not give what it was asked for; no other way of the series fills in silently.
    RuleViolationError
        If a finding of severity ``error`` remains.
    UsageError
        If ``accept`` names a rule that cannot be waived.
    """
    check_accepted(accept)
    started = perf_counter()
    answers = [sources[way.source].fetch(spec, way, window) for way in route.ways]
    fetched = perf_counter()
    merged, superseded = _merge([answer.frame for answer in answers])
    findings = judge(spec, merged, stored, accept=accept)
    stop_on_errors(spec, window, findings)
    frame = conform(spec, merged)
    answered, ended = _answered(spec, window, answers)
    dropped = _counts(answers, superseded, len(merged) - len(frame))
    return Ingested(
        frame=frame,
        series=route.series,
        window=window,
        answered=answered,
        ways=tuple(way_label(way) for way in route.ways),
        rows_read=sum(answer.rows_read for answer in answers),
        dropped=dropped,
        findings=findings + ended,
        accepted=_accepted(findings, accept),
        seconds={"fetch": fetched - started, "conform": perf_counter() - fetched},
    )


def derive(
    spec: SignalSpec,
    window: Window,
    inputs: Mapping[str, SignalInput],
    functions: Mapping[str, SignalFunction],
    catalog: Catalog,
    *,
    accept: frozenset[str] = frozenset(),
) -> Ingested:
    """Compute a signal over a window.

    Inputs are joined on shared dates and nothing is filled. A row exists only where all inputs have a value and the
    lookback is full; the other dates of the window are counted as ``input_missing`` (some inputs have a value, not
    all) or ``warm_up`` (all have, but the lookback is not full or the function gives nothing).

    Parameters
    ----------
    spec, window
        What to compute, and for which dates.
    inputs
        Name of a dataset -> its rows in the window and ``spec.lookback`` shared rows before it. What all inputs cover
        of the window is what the signal answers.
    functions
        Name -> signal function, from :func:`macrocredit_assets.signals.signal_functions`.
    catalog
        Where the roll days of the inputs stand.
    accept
        Rules of severity ``error`` in spite of which the window is stored.

    Raises
    ------
    CatalogError
        If no function has the name that the entry gives.
    RuleViolationError
        If a finding of severity ``error`` remains.
    """
    started = perf_counter()
    if spec.function not in functions:
        known = ", ".join(sorted(functions))
        raise CatalogError(f"{spec.name}: there is no signal function {spec.function!r}; known are {known}.")
    columns = {name: inputs[read.dataset].frame[read.column].dropna() for name, read in spec.inputs.items()}
    joined = pd.concat(columns, axis=1, join="inner").sort_index()
    values = functions[spec.function](joined, SignalContext(spec.parameters, _rolls(spec, catalog)))
    # what a function makes of too few rows would depend on the window asked
    full = values.reindex(joined.index).iloc[spec.lookback :].dropna()
    frame = pd.DataFrame({spec.main: round_decimals(full.to_numpy(), spec.columns[spec.main].decimals)}, full.index)
    frame = frame[_inside(frame.index, window)]
    findings = judge(spec, frame, accept=accept)
    stop_on_errors(spec, window, findings)
    shared = _inside(joined.index, window).sum()
    dates = pd.DatetimeIndex(sorted(set().union(*(column.index for column in columns.values()))))
    absent = {"input_missing": int(_inside(dates, window).sum() - shared), "warm_up": int(shared - len(frame))}
    return Ingested(
        frame=conform(spec, frame),
        series=f"signal:{spec.name}",
        window=window,
        answered=reduce(Coverage.intersect, (given.coverage for given in inputs.values())).clip(window),
        rows_read=sum(len(given.frame) for given in inputs.values()),
        dropped={reason: count for reason, count in absent.items() if count},
        findings=findings,
        accepted=_accepted(findings, accept),
        seconds={"fetch": 0.0, "conform": perf_counter() - started},
    )


def _rolls(spec: SignalSpec, catalog: Catalog) -> dict[str, RollDays]:
    datasets = {name: catalog.datasets.get(read.dataset) for name, read in spec.inputs.items()}
    return {name: dataset.rolls for name, dataset in datasets.items() if dataset and dataset.rolls}


def _inside(index: pd.Index, window: Window) -> np.ndarray:
    return np.asarray((index >= pd.Timestamp(window.start)) & (index <= pd.Timestamp(window.end)))


def conform(spec: Entry, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a judged frame in the shape that is stored: sorted, unique (the last row of a date), columns typed."""
    unique = frame[~frame.index.duplicated(keep="last")].sort_index()
    index = pd.DatetimeIndex(unique.index, name="date").as_unit("us")
    data = {}
    for name, column in spec.columns.items():
        # numpy integers have no missing value; pandas' nullable ones do, and arrow takes both
        nullable = column.dtype == "int64" and unique[name].isna().any()
        data[name] = unique[name].astype("Int64" if nullable else column.dtype).array
    return pd.DataFrame(data, index=index)


def stop_on_errors(spec: Entry, window: Window, findings: Sequence[Finding]) -> None:
    """Raise :class:`RuleViolationError` if a finding of severity ``error`` remains, with the command that waives it."""
    errors = [one for one in findings if one.severity == "error"]
    if not errors:
        return
    lines = [f"{spec.name} {window}: nothing was stored, because what came breaks {_rules(errors)}."]
    for error in errors:
        lines.append(f"  {error.rule}: {error.message} ({error.count} {'row' if error.count == 1 else 'rows'})")
        lines += ["    " + ", ".join(f"{key} {value}" for key, value in row.items()) for row in error.examples]
    names = list(dict.fromkeys(error.rule for error in errors))
    if set(names).issubset(acceptable_rules()):
        flags = " ".join(f"--accept {name}" for name in names)
        lines.append(
            f"If these rows are right, store them in spite of it: "
            f"macrocredit backfill {spec.name} --start {window.start} --end {window.end} {flags}"
        )
    else:
        lines.append("This cannot be waived: correct the source, or the entry in the catalog.")
    raise RuleViolationError("\n".join(lines))


def _rules(errors: Sequence[Finding]) -> str:
    names = list(dict.fromkeys(error.rule for error in errors))
    return f"the rule{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _accepted(findings: Sequence[Finding], accept: frozenset[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.rule for one in findings if one.rule in accept))


def _merge(frames: Sequence[pd.DataFrame]) -> tuple[pd.DataFrame, int]:
    """Append to each frame the dates that only later ones have; return them and how many rows were left out."""
    merged, superseded = frames[0], 0
    for frame in frames[1:]:
        known = np.asarray(frame.index.isin(merged.index))
        superseded += int(known.sum())
        if not known.all():
            merged = pd.concat([merged, frame[~known]]) if len(merged) else frame
    return merged, superseded


def _counts(answers: Sequence[Fetched], superseded: int, duplicates: int) -> dict[str, int]:
    totals: dict[str, int] = {}
    for answer in answers:
        for reason, count in answer.dropped.items():
            totals[reason] = totals.get(reason, 0) + count
    for reason, count in (("superseded", superseded), ("duplicate", duplicates)):
        if count:
            totals[reason] = totals.get(reason, 0) + count
    return totals


def _answered(spec: DatasetSpec, window: Window, answers: Sequence[Fetched]) -> tuple[Coverage, tuple[Finding, ...]]:
    """Return the dates of a window that the sources have reached, and a finding where they end before it does."""
    lasts = [answer.last for answer in answers if answer.last is not None]
    if not lasts:
        return Coverage(), (finding("source_ended", f"{spec.name}: the source holds no value at all"),)
    reached = _over_closed_days(spec, max(lasts), window.end)
    if reached >= window.end:
        return Coverage((window,)), ()
    message = (
        f"{spec.name}: the source goes until {max(lasts)}; {max(reached + _DAY, window.start)}..{window.end} stays open"
    )
    answered = Coverage((Window(window.start, reached),)) if reached >= window.start else Coverage()
    return answered, (finding("source_ended", message),)


def _over_closed_days(spec: DatasetSpec, last: date, end: date) -> date:
    """Return the last date before the session that comes after ``last``, or ``end``."""
    while last < end and not is_session(spec.calendar, last + _DAY):
        last += _DAY
    return last
