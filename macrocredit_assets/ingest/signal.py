"""Derive a signal's window from its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from time import perf_counter

import numpy as np
import pandas as pd

from macrocredit_assets.catalog import Catalog
from macrocredit_assets.catalog.definition import definition_of
from macrocredit_assets.catalog.lookback import looks_back, stretches
from macrocredit_assets.catalog.models import RollDays, SignalSpec
from macrocredit_assets.errors import CatalogError
from macrocredit_assets.ingest.beside import Beside
from macrocredit_assets.ingest.judged import accepted, conform, judge_beside, stop_on_errors
from macrocredit_assets.ingest.results import Ingested, SignalInput
from macrocredit_assets.signals import SignalContext, SignalFunction
from macrocredit_assets.sources.units import round_decimals
from macrocredit_assets.windows import Coverage, Window

__all__ = ["derive", "signal_series"]


def signal_series(spec: SignalSpec) -> str:
    """Return what the numbers of a signal are."""
    return f"signal:{spec.name}"


def derive(
    spec: SignalSpec,
    window: Window,
    inputs: Mapping[str, SignalInput],
    functions: Mapping[str, SignalFunction],
    catalog: Catalog,
    *,
    accept: frozenset[str] = frozenset(),
    stored: Beside | None = None,
) -> Ingested:
    """Compute a signal over a window.

    Inputs are joined on shared dates and nothing is filled. A row exists only where all inputs have a value and the
    lookback is full, with no hole in their coverage; the other dates of the window are counted as ``input_missing``
    (some inputs have a value, not all) or ``warm_up`` (all have, but the lookback is not full or the function gives
    nothing). Days whose lookback has a hole are not answered either: what they are is known when it is filled.

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
    stored
        What is held of the signal already: what was said or accepted of it is not told again.

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
    covered = stretches((catalog.entry(name), given.coverage) for name, given in inputs.items())
    # what a function makes of too few rows would depend on the window asked, and across a hole on what is stored
    has, waiting = looks_back(joined.index.to_numpy(), covered, spec.lookback)
    full = values.reindex(joined.index)[has].dropna()
    frame = pd.DataFrame({spec.main: round_decimals(full.to_numpy(), spec.columns[spec.main].decimals)}, full.index)
    frame = frame[_inside(frame.index, window)]
    findings = judge_beside(spec, frame, stored, accept)
    stop_on_errors(spec, window, findings)
    shared = _inside(joined.index, window).sum()
    dates = pd.DatetimeIndex(sorted(set().union(*(column.index for column in columns.values()))))
    absent = {"input_missing": int(_inside(dates, window).sum() - shared), "warm_up": int(shared - len(frame))}
    return Ingested(
        frame=conform(spec, frame),
        series=signal_series(spec),
        window=window,
        answered=reduce(Coverage.intersect, (given.coverage for given in inputs.values()), waiting.holes(window)),
        rows_read=sum(len(given.frame) for given in inputs.values()),
        dropped={reason: count for reason, count in absent.items() if count},
        findings=findings,
        accepted=accepted(findings, accept),
        seconds={"fetch": 0.0, "conform": perf_counter() - started},
        inputs={name: given.revision for name, given in inputs.items() if given.revision is not None},
        definition=definition_of(spec, catalog),
    )


def _rolls(spec: SignalSpec, catalog: Catalog) -> dict[str, RollDays]:
    datasets = {name: catalog.datasets.get(read.dataset) for name, read in spec.inputs.items()}
    return {name: dataset.rolls for name, dataset in datasets.items() if dataset and dataset.rolls}


def _inside(index: pd.Index, window: Window) -> np.ndarray:
    return np.asarray((index >= pd.Timestamp(window.start)) & (index <= pd.Timestamp(window.end)))
