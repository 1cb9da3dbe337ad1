"""One registry entry, from the record of the write that just ended."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from macrocredit_assets.catalog import Entry
from macrocredit_assets.persistence.records import AssetRecord
from macrocredit_assets.persistence.registry import DataRegistry
from macrocredit_assets.windows import Coverage

__all__ = ["OF_THE_WRITE", "registry_metadata", "sync"]

#: What is known of the write that brought the present rows, and cannot be read off the file.
OF_THE_WRITE = ("run_id", "code_version", "source", "ways", "findings", "accepted", "last_checked")


def sync(
    registry: DataRegistry,
    entry: Entry,
    record: AssetRecord,
    *,
    run_id: str,
    asset_key: str,
    code_version: str | None,
) -> None:
    """Write the registry entry of one dataset; no other entry is touched.

    Parameters
    ----------
    registry
        The registry.
    entry
        The dataset in the catalog.
    record
        What the write did.
    run_id, asset_key, code_version
        The run, the asset and the version of its code, as Dagster names them.

    Raises
    ------
    ValueError
        If the record has no result: nothing was written that could be registered.
    """
    result, series = record.result, record.series
    if result is None or series is None:
        raise ValueError(f"The record of {record.dataset} has no result: nothing was written that could be registered.")
    registry.record_dataset(
        name=entry.name,
        file_path=result.path,
        instrument=entry.instrument,
        tenor=entry.tenor,
        start=result.first,
        end=result.last,
        row_count=result.row_count,
        metadata={
            **registry_metadata(entry, series, result.coverage, result.content_hash),
            "asset_key": asset_key,
            "run_id": run_id,
            "code_version": code_version,
            # a signal is not fetched: its series says what made it
            "source": (record.ways or (series,))[0].partition(":")[0],
            "ways": list(record.ways),
            "findings": [finding.to_dict() for finding in record.findings],
            "accepted": list(record.accepted),
            "last_checked": datetime.now(UTC).isoformat(),
        },
    )


def registry_metadata(entry: Entry, series: str, coverage: Coverage, content_hash: str) -> dict[str, Any]:
    """Return the part of an entry's ``metadata`` that the catalog and the file tell, whoever wrote the file."""
    return {
        "asset_key": entry.name,
        "series": series,
        "frequency": "daily",
        "columns": {name: column.dtype for name, column in entry.columns.items()},
        "units": {name: column.unit for name, column in entry.columns.items()},
        "coverage": coverage.to_pairs(),
        "content_hash": content_hash,
    }
