"""The whole registry, restored from the Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from macrocredit_assets.catalog import Catalog, DatasetSpec, SignalSpec
from macrocredit_assets.errors import CorruptFileError, StoreError
from macrocredit_assets.persistence.registry import DataRegistry, DatasetEntry
from macrocredit_assets.persistence.stored_head import StoredHead
from macrocredit_assets.settings import Settings
from macrocredit_assets.stores import open_store
from macrocredit_assets.sync.entry import entry_of_file, known_of_write
from macrocredit_assets.sync.verify import Problem, unlisted_files

__all__ = ["Change", "Rebuilt", "rebuild"]


@dataclass(frozen=True)
class Change:
    """What a rebuild did to one entry: ``added``, ``removed``, or ``changed: row_count, ...``."""

    name: str
    what: str


@dataclass(frozen=True)
class Rebuilt:
    """A restored registry.

    Parameters
    ----------
    entries
        How many it has.
    changes
        What differs from before.
    problems
        Files that could not be taken in.
    set_aside
        Copy of the old registry, where that did not parse.
    """

    entries: int
    changes: tuple[Change, ...]
    problems: tuple[Problem, ...]
    set_aside: Path | None = None


def rebuild(settings: Settings, catalog: Catalog) -> Rebuilt:
    """Restore the registry from the Parquet files.

    Of the old registry, where it parses, these stay: when a dataset was first registered; fields that this package does
    not know; what is known of the write, where the rows are still the same; and entries of names that the catalog does
    not have. An entry of the catalog without a file goes. A registry that does not parse is kept beside the new one.
    """
    registry = DataRegistry(settings.registry_path, settings.data_directory)
    before: dict[str, DatasetEntry] = {}
    after: dict[str, DatasetEntry] = {}
    problems: list[Problem] = []

    def restore(found: Mapping[str, DatasetEntry]) -> Mapping[str, DatasetEntry]:
        before.update(found)
        restored, unreadable = _restore_all(settings, catalog, found)
        after.update(restored)
        problems.extend(unreadable)
        return restored

    set_aside = registry.replace_all(restore)
    problems += unlisted_files(settings, {*after, *catalog.names()})
    return Rebuilt(len(after), tuple(_changes(before, after)), tuple(problems), set_aside)


def _restore_all(
    settings: Settings, catalog: Catalog, before: Mapping[str, DatasetEntry]
) -> tuple[dict[str, DatasetEntry], list[Problem]]:
    after = {name: old for name, old in before.items() if name not in catalog.names()}
    problems: list[Problem] = []
    for name in catalog.names():
        entry, old = catalog.entry(name), before.get(name)
        try:
            head = open_store(settings, entry, as_stored=True).head()
        except (CorruptFileError, StoreError) as error:
            problems.append(Problem(name, str(error)))
            after |= {} if old is None else {name: old}
            continue
        if head is not None:
            after[name] = _restored(settings, entry, head, old)
    return after, problems


def _restored(
    settings: Settings, entry: DatasetSpec | SignalSpec, head: StoredHead, old: DatasetEntry | None
) -> DatasetEntry:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    restored = replace(
        entry_of_file(settings, entry, head, known_of_write(head, old)),
        registered_at=now,
        last_updated=old.last_updated if old else now,
    ).succeeding(old)
    return restored if restored == old else replace(restored, last_updated=now)


def _changes(before: Mapping[str, DatasetEntry], after: Mapping[str, DatasetEntry]) -> Iterator[Change]:
    for name in sorted({*before, *after}):
        if name not in after:
            yield Change(name, "removed")
        elif name not in before:
            yield Change(name, "added")
        elif fields := sorted(_differing(before[name], after[name]) - {"last_updated"}):
            yield Change(name, f"changed: {', '.join(fields)}")


def _differing(before: DatasetEntry, after: DatasetEntry) -> set[str]:
    """Return the keys whose values differ, those of ``metadata`` by their own names."""
    old, new = ({**entry.metadata, **entry.to_dict(), "metadata": None} for entry in (before, after))
    return {key for key in {*old, *new} if old.get(key) != new.get(key)}
