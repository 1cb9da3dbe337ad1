"""One registry entry: of the file as it is now, with what is known of the write that brought its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from macrocredit_assets.catalog import DatasetSpec, SignalSpec
from macrocredit_assets.persistence import DatasetStore
from macrocredit_assets.persistence.records import AssetRecord
from macrocredit_assets.persistence.registry import DataRegistry, DatasetEntry
from macrocredit_assets.persistence.registry_entry import iso_moment
from macrocredit_assets.persistence.stored_head import StoredHead
from macrocredit_assets.settings import Settings
from macrocredit_assets.stores import open_store, rows_path

__all__ = ["entry_of_file", "known_of_write", "lost_revisions", "sync"]

#: What is known of the write that brought the present rows, and cannot be read off the file.
_OF_THE_WRITE = ("run_id", "code_version", "source", "ways", "findings", "accepted", "last_checked")

#: What is known of the last revision.
_OF_THE_REVISION = ("revision", "known_at")


def sync(
    settings: Settings,
    entry: DatasetSpec | SignalSpec,
    record: AssetRecord,
    *,
    run_id: str,
    asset_key: str,
    code_version: str | None,
) -> None:
    """Write the registry entry of one dataset; no other entry is touched.

    The entry is about the file as it is now. Where another run has written it since, what the entry knows of that run
    stays, and nothing of this one is noted: two runs may tell of their writes in another order than they wrote. Where
    the file is as the entry has it, ``last_updated`` stays; ``last_checked`` does not.

    Parameters
    ----------
    settings
        Where.
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
    FileNotFoundError
        If the dataset was removed since.
    """
    result, series = record.result, record.series
    if result is None or series is None:
        raise ValueError(f"The record of {record.dataset} has no result: nothing was written that could be registered.")
    told = {
        "run_id": run_id,
        "code_version": code_version,
        # a signal is not fetched: its series says what made it
        "source": (record.ways or (series,))[0].partition(":")[0],
        "ways": list(record.ways),
        "findings": [finding.to_dict() for finding in record.findings],
        "accepted": list(record.accepted),
        "last_checked": datetime.now(UTC).isoformat(),
    }

    def change(before: DatasetEntry | None) -> DatasetEntry:
        store = open_store(settings, entry, as_stored=True)
        head = store.head()
        if head is None:
            raise FileNotFoundError(f"{result.path} was removed after it was written; it is not registered.")
        of_the_write = told if head.content_hash == result.content_hash else known_of_write(head, before)
        known = {**of_the_write, "asset_key": asset_key}
        if before is not None and lost_revisions(store, before):
            # what is lost is not forgotten with the next write: only a rebuild takes the registry from what is there
            known |= {key: before.metadata[key] for key in _OF_THE_REVISION}
        made = entry_of_file(settings, entry, head, known)
        return made if before is None or _differ(before, made) else replace(made, last_updated=before.last_updated)

    DataRegistry(settings.registry_path, settings.data_directory).update_entry(entry.name, change)


def entry_of_file(
    settings: Settings, entry: DatasetSpec | SignalSpec, head: StoredHead, known: Mapping[str, Any]
) -> DatasetEntry:
    """Return the entry that catalog, file and revisions tell, with what else is known; without its own dates."""
    last = open_store(settings, entry, as_stored=True).last_revision()
    return DatasetEntry(
        instrument=entry.instrument,
        tenor=entry.tenor,
        file_path=rows_path(settings, entry).relative_to(settings.root).as_posix(),
        start_date=iso_moment(head.first),
        end_date=iso_moment(head.last),
        row_count=head.row_count,
        metadata={
            "asset_key": entry.name,
            "series": head.series,
            "frequency": "daily",
            "columns": {name: column.dtype for name, column in entry.columns.items()},
            "units": {name: column.unit for name, column in entry.columns.items()},
            "coverage": head.coverage.to_pairs(),
            "content_hash": head.content_hash,
            "revision": None if last is None else last.number,
            "known_at": None if last is None else last.known_at.isoformat(),
            **known,
        },
    )


def known_of_write(head: StoredHead, before: DatasetEntry | None) -> dict[str, Any]:
    """Return what an entry knows of the write that brought the rows of a file; nothing if its rows are others."""
    if before is None or before.metadata.get("content_hash") != head.content_hash:
        return dict.fromkeys(_OF_THE_WRITE)
    asset_key = before.metadata.get("asset_key", head.dataset)
    return {"asset_key": asset_key, **{key: before.metadata.get(key) for key in _OF_THE_WRITE}}


def lost_revisions(store: DatasetStore, registered: DatasetEntry) -> str | None:
    """Return what tells that revisions of which an entry knows are gone; None where they are there.

    Raises
    ------
    CorruptFileError
        If one is missing before the last, or cannot be read, which needs no registry to be noticed.
    """
    number, known_at = (registered.metadata.get(key) for key in _OF_THE_REVISION)
    if number is None:
        return None
    found, folder = store.revision(number), f"data/revisions/{store.name}"
    if found is None:
        last = store.revisions(1)
        return f"The registry knows of {number} revisions, and {last[0].number if last else 0} are in {folder}"
    if found.known_at.isoformat() != known_at:
        return (
            f"Revision {number} in {folder} is another one than the registry knows: it is known since "
            f"{found.known_at.isoformat()} instead of {known_at}"
        )
    return None


def _differ(before: DatasetEntry, after: DatasetEntry) -> bool:
    return any(before.metadata.get(key) != after.metadata[key] for key in ("series", "coverage", "content_hash"))
