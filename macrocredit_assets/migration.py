"""A dataset whose entry in the catalog changed: its stored rows, under the new columns.

What belongs here: what a migration is asked, done and told. How columns are dropped, added and converted is the store's
business.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from macrocredit_assets.catalog import DatasetSpec, SignalSpec, arrow_schema
from macrocredit_assets.errors import NotCoveredError
from macrocredit_assets.local_run import local_run
from macrocredit_assets.persistence import DataRegistry, StoredHead
from macrocredit_assets.persistence.records import AssetRecord, Provenance, WriteResult
from macrocredit_assets.persistence.root_kind import read_root_kind
from macrocredit_assets.persistence.schemas import added_columns, schema_mismatches
from macrocredit_assets.settings import Settings
from macrocredit_assets.stores import open_store, rows_path
from macrocredit_assets.writing import tell

__all__ = ["JOB", "Migration", "migrate"]

#: How a run log calls it.
JOB = "migrate"


@dataclass(frozen=True)
class Migration:
    """What a migration did, or would do.

    Parameters
    ----------
    differences
        How the stored columns differed from the catalog's, a sentence for each; none where there was nothing to do.
    result
        What the store did; None where there was nothing to do.
    run_log
        Path of the run log; None where nothing was written.
    """

    differences: tuple[str, ...] = ()
    result: WriteResult | None = None
    run_log: Path | None = None


def migrate(entry: DatasetSpec | SignalSpec, settings: Settings, *, dry_run: bool = False) -> Migration:
    """Rewrite a dataset under the columns that the catalog gives it now, as one revision.

    Columns that the catalog no longer has are dropped, new ones are empty, units and types are converted where that
    loses nothing. As-of reads give the rows as they were before.

    Parameters
    ----------
    entry, settings
        The dataset, and where it lies.
    dry_run
        Do it to a copy that is thrown away: the answer is that of the real thing.

    Raises
    ------
    NotCoveredError
        If nothing is stored yet.
    StoreError
        If a column cannot be converted without loss; nothing was written.
    """
    store = open_store(settings, entry)
    head = store.head()
    if head is None:
        raise NotCoveredError(
            f"{entry.name} holds nothing yet, so there is nothing to migrate. "
            f"Run: macrocredit backfill {entry.name} --start 2020-01-01"
        )
    differences = _differences(head.schema, arrow_schema(entry))
    if not differences:
        return Migration()
    reason = "; ".join(differences)
    if dry_run:
        return Migration(differences, _on_a_copy(settings, entry, reason))
    kind = read_root_kind(settings.data_directory) or settings.kind
    with local_run(settings, JOB, entry.name, kind=kind) as log:
        result = store.migrate(Provenance(run_id=log.run_id, reason=reason))
        tell(settings, entry, _record(settings, head, result), run_id=log.run_id)
    return Migration(differences, result, log.path)


def _differences(stored: pa.Schema, wanted: pa.Schema) -> tuple[str, ...]:
    added = (f"column {name!r} is expected and not stored: it comes empty" for name in added_columns(stored, wanted))
    return (*schema_mismatches(stored, wanted), *added)


def _record(settings: Settings, head: StoredHead, result: WriteResult) -> AssetRecord:
    registered = DataRegistry(settings.registry_path, settings.data_directory).find_entry(head.dataset)
    return AssetRecord(
        dataset=head.dataset,
        window=None,
        status="written" if result.written else "unchanged",
        series=head.series,
        # the rows came as they came: a migration is no way
        ways=tuple((registered.metadata.get("ways") if registered else None) or ()),
        result=result,
    )


def _on_a_copy(settings: Settings, entry: DatasetSpec | SignalSpec, reason: str) -> WriteResult:
    with TemporaryDirectory() as folder:
        copy = replace(settings, root=Path(folder))
        for there in (rows_path(settings, entry), settings.data_directory / "revisions" / entry.name):
            _copy(there, copy.root / there.relative_to(settings.root))
        return open_store(copy, entry).migrate(Provenance(reason=reason))


def _copy(there: Path, here: Path) -> None:
    here.parent.mkdir(parents=True, exist_ok=True)
    if there.is_dir():
        shutil.copytree(there, here)
    elif there.is_file():
        shutil.copy2(there, here)
