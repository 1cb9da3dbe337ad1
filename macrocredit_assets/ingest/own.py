"""Rows that somebody's own asset returned: judged and brought into shape like those that were fetched."""

from __future__ import annotations

from time import perf_counter

import pandas as pd

from macrocredit_assets.catalog import DatasetSpec, SignalSpec
from macrocredit_assets.ingest.beside import Beside
from macrocredit_assets.ingest.judged import accepted, conform, judge_beside, stop_on_errors
from macrocredit_assets.ingest.results import Ingested
from macrocredit_assets.windows import Coverage, Window

__all__ = ["own_series", "take"]


def own_series(spec: DatasetSpec | SignalSpec) -> str:
    """Return what the numbers are that somebody's own asset returns for a dataset."""
    return f"asset:{spec.name}"


def take(
    spec: DatasetSpec | SignalSpec,
    window: Window,
    frame: pd.DataFrame,
    *,
    stored: Beside | None = None,
    accept: frozenset[str] = frozenset(),
    accept_tag: str,
) -> Ingested:
    """Judge and conform rows that an asset returned; they answer the whole window.

    Parameters
    ----------
    spec, window
        What was materialized.
    frame
        Index of dates, the spec's columns in any order.
    stored
        What is held of the series already, against which levels are compared.
    accept
        Rules of severity ``error`` in spite of which the window is stored.
    accept_tag
        The run tag that says so, for the error.

    Raises
    ------
    RuleViolationError
        If a finding of severity ``error`` remains.
    UsageError
        If ``accept`` names a rule that cannot be waived.
    """
    started = perf_counter()
    if set(frame.columns) == set(spec.columns):
        frame = frame[list(spec.columns)]
    findings = judge_beside(spec, frame, stored, accept)
    stop_on_errors(spec, window, findings, tag=accept_tag)
    shaped = conform(spec, frame)
    duplicates = len(frame) - len(shaped)
    return Ingested(
        frame=shaped,
        series=own_series(spec),
        window=window,
        answered=Coverage((window,)),
        rows_read=len(frame),
        dropped={"duplicate": duplicates} if duplicates else {},
        findings=findings,
        accepted=accepted(findings, accept),
        seconds={"fetch": 0.0, "conform": perf_counter() - started},
    )
