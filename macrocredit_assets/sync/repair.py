"""Files brought in line with their revisions, and the registry with the files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from macrocredit_assets.catalog import Catalog
from macrocredit_assets.errors import MacrocreditError
from macrocredit_assets.persistence.dataset_store import DatasetStore
from macrocredit_assets.settings import Settings
from macrocredit_assets.stores import open_store
from macrocredit_assets.sync.rebuild import Change, rebuild
from macrocredit_assets.sync.verify import Problem, verify

__all__ = ["Repaired", "Repairs", "repair"]


@dataclass(frozen=True)
class Repaired:
    """One dataset whose file and revisions were brought together.

    Parameters
    ----------
    name
        The dataset.
    what
        ``adopted``: the file had no revision, and is the first one now; ``rolled forward``: the file was behind its
        last revision; ``projected anew``: it was that of no revision, or could not be read.
    revision
        The revision that the file shows now.
    set_aside
        Where the file is kept that stood in the place of the right one, for a person to look at.
    """

    name: str
    what: Literal["adopted", "rolled forward", "projected anew"]
    revision: int
    set_aside: Path | None = None


@dataclass(frozen=True)
class Repairs:
    """What a repair did, and what it left.

    Parameters
    ----------
    files
        Datasets whose files were repaired.
    entries
        Registry entries that changed.
    problems
        What still differs, and wants a person.
    """

    files: tuple[Repaired, ...]
    entries: tuple[Change, ...]
    problems: tuple[Problem, ...]


def repair(settings: Settings, catalog: Catalog) -> Repairs:
    """Bring every file in line with its last revision, then the registry with the files.

    A file that is behind was left so by a writer that died after its commit. One that is that of no revision was
    changed by something else, and is set aside. One without revisions was written before there were any.
    """
    files: list[Repaired] = []
    unmended: list[Problem] = []
    for name in catalog.names():
        try:
            done = _repaired(open_store(settings, catalog.entry(name), as_stored=True))
        except (MacrocreditError, OSError) as error:
            # the others are repaired all the same
            unmended.append(Problem(name, str(error)))
            continue
        files += [done] if done else []
    entries = rebuild(settings, catalog).changes
    left = [problem for problem in verify(settings, catalog) if problem not in unmended]
    return Repairs(tuple(files), entries, (*unmended, *left))


def _repaired(store: DatasetStore) -> Repaired | None:
    before = _set_aside(store.path)
    had_revisions = store.last_revision() is not None
    if not store.repair():
        return None
    last = store.last_revision()
    number = last.number if last else 0
    if not had_revisions:
        return Repaired(store.name, "adopted", number)
    aside = [each for each in _set_aside(store.path) if each not in before]
    return Repaired(store.name, "projected anew" if aside else "rolled forward", number, *aside)


def _set_aside(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.stem}.*aside*"))
