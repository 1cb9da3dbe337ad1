"""What Dagster is told of a write: its metadata keys, and how values become plain.

Dagster refuses numpy scalars, Timestamps and dates, and lets NaN through as invalid JSON; so values become plain here.
What an output adds is copied to every partition of a range; so nothing is added there, and each partition is given its
own. What describes the dataset rather than a write stands with its definition (``definition_metadata.py``).
"""

from datetime import date
from math import isfinite

import dagster as dg
import pandas as pd

from macrocredit_assets.catalog import DatasetSpec, Entry, SignalSpec
from macrocredit_assets.catalog.publication import day_states
from macrocredit_assets.persistence.records import AssetRecord
from macrocredit_assets.windows import Coverage, Window

__all__ = [
    "COLUMNS",
    "DETAILED_PARTITIONS",
    "LOOKBACK_ROWS",
    "LOOKBACK_SHARED",
    "Value",
    "partition_metadata",
    "write_metadata",
]

#: On an input: which columns to load; how many rows before the window; on the shared dates of which columns.
COLUMNS = "macrocredit/columns"
LOOKBACK_ROWS = "macrocredit/lookback_rows"
LOOKBACK_SHARED = "macrocredit/lookback_shared"

#: Up to so many partitions, each carries the numbers of the write; above, the last one alone does.
DETAILED_PARTITIONS = 31

#: What is enough to see that two states differ; all of it, which no table has room for, is in the registry.
_HEX_DIGITS = 12

Value = str | int | float | dg.MetadataValue


def write_metadata(record: AssetRecord) -> dict[str, Value]:
    """Describe one write in numbers.

    Counts stand in one text: as numbers of their own each would be a plot, before that of the series itself.
    """
    result = record.result
    if result is None:
        return {}
    counts = {
        "inserted": result.inserted,
        "changed": result.changed,
        "unchanged": result.unchanged,
        "vanished": result.vanished,
        "withdrawn": result.withdrawn,
    }
    metadata: dict[str, Value] = {
        "dagster/row_count": result.row_count,
        "written": ", ".join(f"{count:,} {what}" for what, count in counts.items() if count) or "no rows",
        "series": record.series or "",
        "content_hash": result.content_hash.removeprefix("sha256:")[:_HEX_DIGITS],
    }
    return metadata if result.revision is None else metadata | {"revision": str(result.revision)}


def partition_metadata(
    entry: DatasetSpec | SignalSpec,
    values: pd.Series,
    window: Window,
    coverage: Coverage,
    *,
    first: date | None,
    today: date,
) -> dict[str, dict[str, Value]]:
    """Describe every day of a window: its state, its row count, and the value of the main column.

    A numeric value makes Dagster's plot over partitions draw the series.

    Parameters
    ----------
    entry, window
        The dataset, and the days to describe.
    values
        The main column's stored values in the window; index of dates.
    coverage, first
        Of the whole dataset: what was answered, and its first row.
    today
        The date in New York.
    """
    observed = dict(zip(pd.DatetimeIndex(values.index).date, values.tolist(), strict=True))
    states = day_states(entry, window, observed, coverage, first=first, today=today)
    return {day.isoformat(): _day(entry, state, observed.get(day)) for day, state in states.items()}


def _day(entry: Entry, state: str, value: float | None) -> dict[str, Value]:
    metadata: dict[str, Value] = {"dagster/partition_row_count": int(state == "present"), "state": state}
    if value is not None and isfinite(value):
        metadata[entry.main] = float(value)
    return metadata
