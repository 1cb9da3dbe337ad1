"""What Dagster is told of a write: its metadata keys, and how values become plain.

Dagster refuses numpy scalars, Timestamps and dates, and lets NaN through as invalid JSON; so values become plain here.
What an output adds is copied to every partition of a range; so nothing is added there, and each partition is given its
own. What describes the dataset rather than a write stands with its definition (``definition_metadata.py``).
"""

from collections.abc import Mapping
from datetime import date
from math import isfinite

import dagster as dg
import pandas as pd

# no public way reaches many partitions at once: `add_asset_metadata` copies all it holds for every key it is given,
# 5.8 s for 7,671 keys; a test holds the fact that this door is still there
from dagster._core.execution.context.metadata_logging import (
    AssetMetadataHandle,
    OutputMetadataAccumulator,
    OutputMetadataHandle,
)

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
    "set_partition_metadata",
    "write_metadata",
]

#: On an input: which columns to load; how many rows before the window; on the shared dates of which columns.
COLUMNS = "macrocredit/columns"
LOOKBACK_ROWS = "macrocredit/lookback_rows"
LOOKBACK_SHARED = "macrocredit/lookback_shared"

#: Up to so many partitions, each carries the numbers of the write; above, the last one alone does.
DETAILED_PARTITIONS = 31

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
        "content_hash": result.content_hash,
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


def set_partition_metadata(context: dg.OutputContext, metadata: Mapping[str, Mapping[str, Value]]) -> None:
    """Put each partition's own metadata into the step's accumulator, all in one go."""
    step = context.step_context
    held = step._metadata_accumulator.per_output_metadata  # noqa: SLF001 - see the import above
    added: dict[OutputMetadataHandle | AssetMetadataHandle, Mapping[str, Value]] = {
        AssetMetadataHandle(asset_key=context.asset_key, partition_key=key): values for key, values in metadata.items()
    }
    step._metadata_accumulator = OutputMetadataAccumulator(per_output_metadata={**held, **added})  # noqa: SLF001


def _day(entry: Entry, state: str, value: float | None) -> dict[str, Value]:
    metadata: dict[str, Value] = {"dagster/partition_row_count": int(state == "present"), "state": state}
    if value is not None and isfinite(value):
        metadata[entry.main] = float(value)
    return metadata
