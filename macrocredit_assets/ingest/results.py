"""What comes of a window before it is written, and what a signal is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from macrocredit_assets.findings import Finding
from macrocredit_assets.persistence.records import SeenInput
from macrocredit_assets.windows import Coverage, Window

__all__ = ["Ingested", "SignalInput"]


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
        before the window's end has not answered what follows, nor a session without a row that is inside its
        publication lag: what is not answered is asked for again.
    ways
        The ways used, in order of preference (``file:fred_DGS10.csv``).
    rows_read, dropped
        Rows the sources read, and why some are not in the frame -> count.
    findings, accepted
        What the rules noticed, and the rules of severity ``error`` that were waived by name.
    seconds
        Time to ``fetch`` and to ``conform`` (judging included).
    inputs
        Of a signal: dataset -> the revision of it that was read.
    definition
        Of a signal: a hash of the definition that it was computed by.
    landing
        Where the answers lie that the rows were read from: POSIX paths below the data directory.
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
    inputs: Mapping[str, SeenInput] = field(default_factory=dict)
    definition: str | None = None
    landing: tuple[str, ...] = ()


@dataclass(frozen=True)
class SignalInput:
    """What a signal is given of one dataset.

    Parameters
    ----------
    frame
        Index ``date``, sorted and unique; the columns that the signal reads, in its window and a lookback before it.
    coverage
        The dates that the dataset covers.
    revision
        The dataset's last revision at the time of reading; None where it has none.
    """

    frame: pd.DataFrame
    coverage: Coverage
    revision: SeenInput | None = None
