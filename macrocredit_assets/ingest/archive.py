"""Which dates an archive answers: a file of one's own has no days that it was asked for, only rows and what is between.

What belongs here: how coverage follows from the rows of an archive. How the archive is read is in ``history.py``.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from macrocredit_assets.catalog.calendars import sessions_of
from macrocredit_assets.catalog.models import DatasetSpec
from macrocredit_assets.findings import Finding
from macrocredit_assets.quality import finding
from macrocredit_assets.windows import Coverage, Window

__all__ = ["LONGEST_GAP", "answered_by"]

#: Up to so many sessions in a row without one of its rows an archive is taken at its word: it has nothing there.
LONGEST_GAP = 10

_DAY = timedelta(days=1)
_SHOWN = 5


def answered_by(spec: DatasetSpec, index: pd.DatetimeIndex) -> tuple[Coverage, tuple[Finding, ...]]:
    """Return the dates that an archive answers, and what is to be said of those between its rows that it does not.

    They go from its first row to its last, without the stretches in which more than :data:`LONGEST_GAP` sessions follow
    one another without a row: an archive of month ends does not say that nothing was quoted in between.

    Parameters
    ----------
    spec
        The dataset, whose calendar counts.
    index
        The dates of the archive's rows, sorted and unique; at least one.
    """
    window = Window(index[0].date(), index[-1].date())
    sessions, rows = sessions_of(spec, window).to_numpy(), index.to_numpy()
    between = np.searchsorted(sessions, rows[1:], "left") - np.searchsorted(sessions, rows[:-1], "right")
    wide = np.flatnonzero(between > LONGEST_GAP).tolist()
    if not wide:
        return Coverage((window,)), ()
    gaps = [Window(index[row].date() + _DAY, index[row + 1].date() - _DAY) for row in wide]
    count = int(between[wide].sum())
    stretches = "1 stretch" if len(gaps) == 1 else f"{len(gaps)} stretches"
    message = (
        f"{spec.name}: the archive has no row on {count} sessions, in {stretches} of more than {LONGEST_GAP} in a "
        "row; they are not covered"
    )
    examples = tuple({"start": gap.start.isoformat(), "end": gap.end.isoformat()} for gap in gaps[:_SHOWN])
    return Coverage.of(gaps).holes(window), (finding("archive_gaps", message, count, examples),)
