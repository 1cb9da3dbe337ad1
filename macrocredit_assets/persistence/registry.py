"""The registry: one JSON file that says which datasets there are, where, and how far they reach.

Every call reads the file, without a lock, and sees it whole; every change is one read-modify-write under the lock. So
any number of processes may share it, and nothing is cached. What must not live here: where the facts in ``metadata``
come from (``orchestration``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

from macrocredit_assets.errors import CorruptFileError, UnknownDatasetError
from macrocredit_assets.persistence.json_io import to_plain
from macrocredit_assets.persistence.paths import StrPath, absolute
from macrocredit_assets.persistence.registry_entry import DatasetEntry, iso_moment
from macrocredit_assets.persistence.registry_file import Document, RegistryFile

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
        CorruptFileError
            If the registry does not parse, or the file is not Parquet. Nothing is written.
        """
        return self._put(name, file_path, instrument, tenor, metadata, lambda: self._statistics(self.locate(file_path)))

    def record_dataset(
        self,
        *,
        name: str,
        file_path: StrPath,
        instrument: str,
        tenor: str | None,
        start: date | None,
        end: date | None,
        row_count: int,
        metadata: Mapping[str, object],
    ) -> DatasetEntry:
        """Enter what a writer knows of the file it has just written; like :meth:`register_dataset`, without reading it.

        ``metadata`` are merged into those that stand there, key by key.
        """
        statistics = {"start_date": iso_moment(start), "end_date": iso_moment(end), "row_count": row_count}
        return self._put(name, file_path, instrument, tenor, metadata, lambda: statistics)

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

        def change(document: Document) -> None:
            entry = _entry_of(document, name)
            path = self.locate(entry["file_path"])
            if not path.is_file():
                raise FileNotFoundError(f"The file of dataset '{name}' does not exist: {path}")
            document[name] = {**entry, **self._statistics(path), "last_updated": _now()}
            updated.append(DatasetEntry.from_dict(document[name]))

        self._file.change(change)
        return updated[0]

    def remove_dataset(self, name: str, delete_file: bool = False) -> None:
        """Strike a dataset out, and delete its file if that is asked for; a file that is gone already is no error.

        Raises
        ------
        KeyError
            If no such dataset is registered.
        """

        def change(document: Document) -> None:
            entry = _entry_of(document, name)
            if delete_file:  # first: where that fails, the entry stays and the call can be repeated
                self.locate(entry["file_path"]).unlink(missing_ok=True)
            del document[name]

        self._file.change(change)

    def replace_all(self, entries: Mapping[str, DatasetEntry]) -> Path | None:
        """Write the whole registry anew, whatever the file holds; for a rebuild from the data files.

        Nothing of the old entries is carried over: who wants that reads :meth:`entries` first.

        Returns
        -------
        Path or None
            Where the old file was set aside, if it did not parse.
        """
        return self._file.replace({name: entry.to_dict() for name, entry in entries.items()})

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
        return _entry_of(self._file.read(), name)

    def get_dataset_entry(self, name: str) -> DatasetEntry:
        """Return an entry.

        Raises
        ------
        KeyError
            If no such dataset is registered.
        """
        return DatasetEntry.from_dict(self.get_dataset_info(name))

    def entries(self) -> dict[str, DatasetEntry]:
        """Return all entries by name, sorted, from one reading of the file."""
        return {name: DatasetEntry.from_dict(entry) for name, entry in sorted(self._file.read().items())}

    def locate(self, file_path: StrPath) -> Path:
        """Return where a file lies: below the data directory's parent, below the data directory, or as given.

        Parameters
        ----------
        file_path
            As an entry has it, or as a caller gives it.

        Returns
        -------
        Path
            The first that exists; where none does, the one below the data directory's parent.
        """
        given = Path(file_path).expanduser()
        places = (self.data_directory.parent / given, self.data_directory / given, given)
        return absolute(next((place for place in places if place.exists()), places[0]))

    def _put(
        self,
        name: str,
        file_path: StrPath,
        instrument: str,
        tenor: str | None,
        metadata: Mapping[str, object] | None,
        statistics: Callable[[], Mapping[str, Any]],
    ) -> DatasetEntry:
        if not name:
            raise ValueError("A dataset needs a name.")
        plain = cast("dict[str, Any]", to_plain(dict(metadata or {})))
        written: list[DatasetEntry] = []

        def change(document: Document) -> None:
            now = _now()
            entry = DatasetEntry(
                instrument=instrument,
                tenor=tenor,
                file_path=self._stored_path(file_path),
                **statistics(),  # read under the lock: of two that register, the later one has seen the later file
                registered_at=now,
                last_updated=now,
                metadata=plain,
            )
            before = DatasetEntry.from_dict(document[name]) if name in document else None
            written.append(entry.succeeding(before))
            document[name] = written[0].to_dict()

        self._file.change(change)
        return written[0]

    def _stored_path(self, file_path: StrPath) -> str:
        path, root = self.locate(file_path), self.data_directory.parent
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


def _entry_of(document: Document, name: str) -> dict[str, Any]:
    try:
        return document[name]
    except KeyError:
        raise UnknownDatasetError(f"Dataset '{name}' not found in registry") from None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
