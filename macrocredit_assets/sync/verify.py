"""The registry held against the files, every row of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from macrocredit_assets.catalog import Catalog, DatasetSpec, SignalSpec, arrow_schema
from macrocredit_assets.errors import CorruptFileError, StoreError
from macrocredit_assets.persistence import DatasetStore
from macrocredit_assets.persistence.atomic import TEMPORARY_SUFFIX
from macrocredit_assets.persistence.parquet_io import list_parquet_files
from macrocredit_assets.persistence.registry import DataRegistry, DatasetEntry
from macrocredit_assets.persistence.registry_entry import iso_moment
from macrocredit_assets.persistence.root_kind import read_root_kind
from macrocredit_assets.persistence.schemas import schema_mismatches
from macrocredit_assets.persistence.stored_head import StoredHead
from macrocredit_assets.settings import Settings
from macrocredit_assets.stores import open_store, rows_path
from macrocredit_assets.sync.entry import lost_revisions

__all__ = ["Problem", "unlisted_files", "verify"]

_REBUILD = "run `macrocredit registry rebuild`"

#: Series that were computed: as an entry of somebody's own without a series, they are in sample and in real roots.
_OF_EITHER_KIND = ("signal:", "asset:")


@dataclass(frozen=True)
class Problem:
    """Something in which registry and files differ, or that should not be there."""

    subject: str
    message: str


def verify(settings: Settings, catalog: Catalog) -> list[Problem]:
    """Hold the registry against the files, and these against their revisions, reading every row; return what differs.

    Noticed are entries without a file and files without an entry; counts, dates, coverage and hashes that differ; rows
    that are not those of the file's own hash, or not those of the last revision; revisions that are missing or damaged,
    or fewer than the registry knows of; columns other than the catalog's; litter of killed processes; and sample and
    real data under one root.
    """
    try:
        entries = DataRegistry(settings.registry_path, settings.data_directory).entries()
    except CorruptFileError as error:
        return [Problem("registry", str(error))]
    problems: list[Problem] = []
    for name in catalog.names():
        problems += [Problem(name, text) for text in _dataset(settings, catalog.entry(name), entries.get(name))]
    for name in sorted(entries.keys() - set(catalog.names())):
        problems += [Problem(name, text) for text in _foreign_entry(settings, entries[name])]
    problems += unlisted_files(settings, {*entries, *catalog.names()})
    problems += _litter(settings)
    problems += _kinds(settings, entries)
    return problems


def unlisted_files(settings: Settings, names: Collection[str]) -> Iterator[Problem]:
    """Yield the Parquet files in the places of datasets that no one knows."""
    for directory in _directories(settings):
        for path in list_parquet_files(directory):
            if path.stem not in names:
                yield Problem(
                    _shown(path, settings), "Neither the catalog nor the registry has a dataset of this name."
                )


def _dataset(settings: Settings, entry: DatasetSpec | SignalSpec, registered: DatasetEntry | None) -> Iterator[str]:
    path = rows_path(settings, entry)
    store = open_store(settings, entry, as_stored=True)
    try:
        head = store.verify()
    except (CorruptFileError, StoreError) as error:
        yield str(error)
        yield from _lost_revisions(store, registered)
        return
    if head is None and registered is not None:
        yield f"It is registered, and the file {_shown(path, settings)} does not exist; {_REBUILD}."
    if head is None:
        return
    yield from _lost_revisions(store, registered)
    for mismatch in schema_mismatches(head.schema, arrow_schema(entry)):
        yield f"{_shown(path, settings)}: {mismatch}."
    if registered is None:
        yield f"The file {_shown(path, settings)} is not registered; {_REBUILD}."
    else:
        yield from _differences(settings, path, head, registered)


def _lost_revisions(store: DatasetStore, registered: DatasetEntry | None) -> Iterator[str]:
    try:
        lost = None if registered is None else lost_revisions(store, registered)
    except CorruptFileError:
        return  # the store has told of a revision that cannot be read
    if lost:
        yield (
            f"{lost}: they were taken away or made anew. Restore the folder from a copy; if there is none, {_REBUILD}, "
            "which takes the registry from what is there."
        )


def _differences(settings: Settings, path: Path, head: StoredHead, registered: DatasetEntry) -> Iterator[str]:
    pairs = {
        "file_path": (registered.file_path, _shown(path, settings)),
        "row_count": (registered.row_count, head.row_count),
        "start_date": (registered.start_date, iso_moment(head.first)),
        "end_date": (registered.end_date, iso_moment(head.last)),
        "series": (registered.metadata.get("series"), head.series),
        "coverage": (registered.metadata.get("coverage"), head.coverage.to_pairs()),
        "content_hash": (registered.metadata.get("content_hash"), head.content_hash),
    }
    for field, (said, true) in pairs.items():
        if said != true:
            yield f"{field} is {said} in the registry and {true} in the file; {_REBUILD}."


def _foreign_entry(settings: Settings, registered: DatasetEntry) -> Iterator[str]:
    # a dataset may be registered before it has a file: its statistics are null
    path = settings.root / registered.file_path
    if registered.row_count is not None and not path.exists():
        yield f"It is registered with {registered.row_count} rows, and the file {path} does not exist."


def _litter(settings: Settings) -> Iterator[Problem]:
    for path in sorted(settings.data_directory.rglob(f".*{TEMPORARY_SUFFIX}")):
        yield Problem(
            _shown(path, settings),
            "A killed process left it, or one is writing now. The next write of the same file removes it.",
        )


def _kinds(settings: Settings, entries: Mapping[str, DatasetEntry]) -> Iterator[Problem]:
    try:
        kind = read_root_kind(settings.data_directory)
    except CorruptFileError as error:
        yield Problem("root", str(error))
        return
    series = {name: str(entry.metadata.get("series", "")) for name, entry in entries.items()}
    sample = {name for name, text in series.items() if text.startswith("sample:")}
    real = {name for name, text in series.items() if text and not text.startswith(("sample:", *_OF_EITHER_KIND))}
    if kind is None and sample | real:
        yield Problem("root", "The root has datasets, and no stamp that says whether they are sample or real data.")
    for strangers, whose in ((sample, "real"), (real, "sample")):
        if strangers and kind == whose:
            other = "sample" if whose == "real" else "real"
            yield Problem("root", f"It is stamped {whose}, and holds {other} data: {', '.join(sorted(strangers))}.")


def _directories(settings: Settings) -> tuple[Path, Path]:
    return settings.dataset_path("market", "_").parent, settings.dataset_path("signal", "_").parent


def _shown(path: Path, settings: Settings) -> str:
    return path.relative_to(settings.root).as_posix()
