"""What is said of stored rows that did not come again: the store sees them while it writes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from macrocredit_assets.catalog.models import Entry
from macrocredit_assets.findings import SHOWN, Finding
from macrocredit_assets.quality.rules import finding
from macrocredit_assets.windows import Window

__all__ = ["vanished_finding"]


def vanished_finding(
    entry: Entry, window: Window, count: int, dates: Sequence[date], *, withdraw: bool = False
) -> tuple[Finding, ...]:
    """Return the finding of stored rows that did not come again, or nothing where all came.

    Parameters
    ----------
    entry, window
        The dataset that was written, and for which dates.
    count, dates
        How many rows were absent, and the last of them: ``vanished`` and ``vanished_dates`` of the write's result.
    withdraw
        Whether the write was to withdraw absent rows: those that are left came, and lack a value only.
    """
    if not count:
        return ()
    rows, were, them = ("1 stored row", "was", "it") if count == 1 else (f"{count} stored rows", "were", "them")
    # the dates are a part of them where there are many
    start, end = (min(dates), max(dates)) if len(dates) == count else (window.start, window.end)
    command = f"macrocredit backfill {entry.name} --start {start} --end {end}"
    if withdraw:
        message = f"{rows} came without a value that is stored, which was kept"
    else:
        advice = f"if the publisher withdrew {them}: {command} --allow-withdrawals"
        message = f"{rows} did not come again, and {were} kept; {advice}"
    examples = tuple({"date": day.isoformat()} for day in sorted(dates)[:SHOWN])
    return (finding("vanished", message, count, examples),)
