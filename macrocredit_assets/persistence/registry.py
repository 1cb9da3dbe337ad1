"""The registry: one JSON file that says which datasets there are, where, and how far they reach.

Every call reads the file, without a lock, and sees it whole; every change is one read-modify-write under the lock. So
any number of processes may share it, and no entry is cached. What must not live here: where the facts in ``metadata``
come from (``orchestration``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from macrocredit_assets.errors import CorruptFileError, UnknownDatasetError
from macrocredit_assets.persistence.json_plain import to_plain
from macrocredit_assets.persistence.paths import StrPath, absolute
from macrocredit_assets.persistence.registry_entry import DatasetEntry, check_arguments, iso_moment
from macrocredit_assets.persistence.registry_file import Document, RegistryFile, Stored

__all__ = ["DataRegistry", "DatasetEntry"]


class DataRegistry:
    """The datasets of one data directory.

    Parameters
    ----------
    registry_path
        The JSON file; it need not exist, and is made by the first change.
    data_directory
        Where the data lie. Paths of datasets are kept relative to its parent, so that the root can move.

    Examples
    --------
    >>> import tempfile
    >>> data = Path(tempfile.mkdtemp()) / "data"
    >>> registry = DataRegistry(data / "registry.json", data)
    >>> entry = registry.register_dataset("vix", "data/raw/vix.parquet", instrument="VIX", metadata={"source": "Cboe"})
    >>> registry.list_datasets(instrument="VIX")
    ['vix']
    """

    def __init__(self, registry_path: StrPath, data_directory: StrPath) -> None:
        self.registry_path = absolute(registry_path)
        self.data_directory = absolute(data_directory)
        self._file = RegistryFile(self.registry_path)

    def __repr__(self) -> str:
        try:
            count: int | str = len(self._file.read())
        except CorruptFileError:
            count = "unreadable"
        return f"DataRegistry(path={str(self.registry_path)!r}, datasets={count})"

    def register_dataset(
        self,
        name: str,
        file_path: StrPath,
        instrument: str,
        tenor: str | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> DatasetEntry:
        """Enter a dataset, with the statistics of its file as they are now.

        Parameters
        ----------
        name
            Name of the dataset. One that is registered already is written anew: ``registered_at``, fields this version
            does not know and metadata that are not given again stay.
        file_path
            The file; a relative path is looked for below the data directory's parent, then below the data directory,
            then as given. It need not exist yet: the statistics are null until :meth:`update_dataset_stats`.
        instrument, tenor
            What the dataset is about.
        metadata
            Anything else; types as ``EnhancedJSONEncoder`` has them.

        Returns
        -------
        DatasetEntry
            The entry as it was written.

        Raises
        ------
        TypeError, ValueError
            If an argument is of another type, the name is empty, or the metadata are none that JSON can say.
        CorruptFileError
            If the registry does not parse, or the file is not Parquet. Nothing is written.
        """
        check_arguments(name, instrument, tenor, metadata)
        path = self._find(file_path)
        stored_path = self._stored_path(path)

        def entry(_: DatasetEntry | None) -> DatasetEntry:
            # the file is read under the lock: of two that register, the later one has seen the later file
            return DatasetEntry(instrument, stored_path, tenor, **self._statistics(path), metadata=metadata or {})

        return self.update_entry(name, entry)

    def update_entry(self, name: str, change: Callable[[DatasetEntry | None], DatasetEntry]) -> DatasetEntry:
        """Let a function make an entry out of the one that stands there, while no other process changes the registry.

        Parameters
        ----------
        name
            Name of the dataset.
        change
            Takes the entry, or None where there is none, and returns the new one. ``registered_at``, unknown fields and
            metadata that it does not set stay; ``last_updated`` is now if it sets none, and metadata are written as
            ``EnhancedJSONEncoder`` has them. It must not change the registry itself.

        Returns
        -------
        DatasetEntry
            The entry as it was written.

        Raises
        ------
        CorruptFileError
            If the registry does not parse. Nothing is written.
        """
        written: list[DatasetEntry] = []

        def put(stored: Stored | None) -> Stored:
            before = None if stored is None else DatasetEntry.of(stored)
            made, now = change(before), _now()
            metadata = cast("dict[str, Any]", to_plain(made.metadata))
            made = replace(made, metadata=metadata, registered_at=now, last_updated=made.last_updated or now)
            written.append(made.succeeding(before))
            return written[0].to_dict()

        self._file.change_entry(name, put)
        return written[0]

    def update_dataset_stats(self, name: str) -> DatasetEntry:
        """Read the statistics of a dataset's file again, and enter them.

        Raises
        ------
        KeyError
            If no such dataset is registered.
        FileNotFoundError
            If its file does not exist.
        """
        updated: list[DatasetEntry] = []

        def change(stored: Stored | None) -> Stored:
            entry = _known(stored, name)
            path = self.locate(entry["file_path"])
            if not path.is_file():
                raise FileNotFoundError(f"The file of dataset '{name}' does not exist: {path}")
            entry = {**entry, **self._statistics(path), "last_updated": _now()}
            updated.append(DatasetEntry.from_dict(entry))
            return entry

        self._file.change_entry(name, change)
        return updated[0]

    def remove_dataset(self, name: str, delete_file: bool = False) -> None:
        """Strike a dataset out, and delete its file if that is asked for; a file that is gone already is no error.

        Raises
        ------
        KeyError
            If no such dataset is registered.
        """

        def last(stored: Stored | None) -> None:
            entry = _known(stored, name)
            if delete_file:  # first: where that fails, the entry stays and the call can be repeated
                self.locate(entry["file_path"]).unlink(missing_ok=True)

        self._file.remove_entry(name, last)

    def replace_all(self, change: Callable[[Mapping[str, DatasetEntry]], Mapping[str, DatasetEntry]]) -> Path | None:
        """Let a function make the whole registry anew out of the old one, while no other process changes it.

        Parameters
        ----------
        change
            Takes the entries by name, sorted; none where the file does not exist or does not parse. What it returns is
            written as it is, where it differs. It must not change the registry itself.

        Returns
        -------
        Path or None
            Where the old file was set aside, if it did not parse.
        """

        def rewrite(document: Document) -> Document:
            return {name: entry.to_dict() for name, entry in change(_entries(document)).items()}

        return self._file.replace(rewrite)

    def list_datasets(self, instrument: str | None = None, tenor: str | None = None) -> list[str]:
        """Return the names of the datasets, sorted; of one instrument or tenor where that is given."""
        return sorted(
            name
            for name, entry in self._file.read().items()
            if instrument in (None, entry.get("instrument")) and tenor in (None, entry.get("tenor"))
        )

    def get_dataset_info(self, name: str) -> dict[str, Any]:
        """Return an entry as it stands in the file; a copy.

        Raises
        ------
        KeyError
            If no such dataset is registered.
        """
        return _known(self._file.read_entry(name), name)

    def get_dataset_entry(self, name: str) -> DatasetEntry:
        """Return an entry.

        Raises
        ------
        KeyError
            If no such dataset is registered.
        """
        return DatasetEntry.of(self.get_dataset_info(name))

    def find_entry(self, name: str) -> DatasetEntry | None:
        """Return an entry; None where no such dataset is registered.

        Raises
        ------
        CorruptFileError
            If the registry does not parse, whatever is wrong with it.
        """
        stored = self._file.read_entry(name)
        return None if stored is None else DatasetEntry.of(stored)

    def entries(self) -> dict[str, DatasetEntry]:
        """Return all entries by name, sorted, from one reading of the file."""
        return _entries(self._file.read())

    def locate(self, stored_path: str) -> Path:
        """Return where the file of an entry lies, whether it exists or not.

        Parameters
        ----------
        stored_path
            As the entry has it. A relative one is below the data directory's parent and nowhere else: of a file that is
            gone, one of the same name in another place is no substitute.
        """
        return absolute(self.data_directory.parent / stored_path)

    def _find(self, given: StrPath) -> Path:
        """Return which file a caller means: the first place that has it, and where none does, the first of all."""
        path = Path(given).expanduser()
        places = (self.data_directory.parent / path, self.data_directory / path, path)
        return absolute(next((place for place in places if place.exists()), places[0]))

    def _stored_path(self, path: Path) -> str:
        root = self.data_directory.parent
        for inner, outer in ((path, root), (path.resolve(), root.resolve())):
            if inner.is_relative_to(outer):
                return inner.relative_to(outer).as_posix()
        return path.as_posix()

    def _statistics(self, path: Path) -> dict[str, Any]:
        # late: names and entries can be read without Arrow, which takes most of the time
        from macrocredit_assets.persistence.footer import Statistics, read_statistics

        try:
            found = read_statistics(path)
        except FileNotFoundError:
            found = Statistics()
        return {
            "start_date": iso_moment(found.start),
            "end_date": iso_moment(found.end),
            "row_count": found.row_count,
        }


def _known(stored: Stored | None, name: str) -> Stored:
    if stored is None:
        raise UnknownDatasetError(f"Dataset '{name}' not found in registry")
    return stored


def _entries(document: Document) -> dict[str, DatasetEntry]:
    return {name: DatasetEntry.of(entry) for name, entry in sorted(document.items())}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
