"""The one protocol behind which every source stands, and what it returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

import pandas as pd

from macrocredit_assets.catalog.models import DatasetSpec, Way
from macrocredit_assets.findings import Finding
from macrocredit_assets.windows import Window

__all__ = ["Fetched", "Source"]


@dataclass(frozen=True)
class Fetched:
    """What a source answered for one window.

    Parameters
    ----------
    frame
        One row per observation inside the window, in the order of the source; index ``date`` (tz-naive midnight,
        ``datetime64[us]``), the dataset's columns in our units. Duplicated dates are left in: to judge them is not a
        source's business. Rows without any value are dropped and counted.
    first, last
        The first and last date with a value that the source holds at all, before trimming; None where it holds none.
    rows_read
        Rows before trimming and dropping.
    dropped
        Why rows are not in the frame: ``outside_window``, ``missing`` ... -> count.
    label
        How it was asked, where that is more than the way's own label: ``fred_api:DGS10``.
    landing
        Where the answers lie as they came: POSIX paths below the data directory; empty where they are not kept.
    findings
        What the source itself noticed about its answer, beyond what the rules see in the frame.
    before, after
        The last date with a value before the window, and the first one after it, where the source knows them: a long
        hole shows in a window inside it by the rows around it alone.
    """

    frame: pd.DataFrame
    first: date | None
    last: date | None
    rows_read: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    label: str | None = None
    landing: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    before: date | None = None
    after: date | None = None


class Source(Protocol):
    """A way by which a series reaches us."""

    @property
    def name(self) -> str:
        """The word that ``source:`` in the catalog uses."""
        ...

    def unavailable(self, way: Way) -> str | None:
        """Return why this way cannot be used here, in one clause, or None; asks no network."""
        ...

    def fetch(self, spec: DatasetSpec, way: Way, window: Window) -> Fetched:
        """Return the observations of a window.

        Raises
        ------
        SourceError
            Transient or permanent, naming dataset, window, what was asked and what came back.
        """
        ...
