"""The file that records a run: written when it starts, and completed when it ends.

What belongs here: which file, who writes it when, and reading many. The document's fields are described in
``run_document.py``. What must not be here: Dagster; ``orchestration`` knows when a run starts and ends.

A run's document is ``<logs>/<date>/<run_id>.json``, the date being that of its start in UTC. Every dataset that is done
leaves a part, ``<logs>/.parts/<run_id>/<dataset>.json``, so that steps in other processes can report; when the run ends
the parts are merged into the document. Whatever dies, what was reported is on disk: a document that still says
``started`` and its parts tell how far a killed run came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from macrocredit_assets.errors import CorruptFileError
from macrocredit_assets.persistence.atomic import locked
from macrocredit_assets.persistence.json_io import load_json, save_json
from macrocredit_assets.persistence.records import AssetRecord, ErrorInfo
from macrocredit_assets.persistence.run_document import AssetEntry, RunDocument, RunHeader, RunStatus, asset_entry

__all__ = ["RunDocument", "RunHeader", "RunList", "RunLog", "RunStatus", "SkippedFile", "find", "read_run", "read_runs"]

_PARTS = ".parts"


@dataclass(frozen=True)
class SkippedFile:
    """A file among the run logs that is none, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class RunList:
    """Run logs, newest first, and the files that were passed over while they were read."""

    runs: tuple[RunDocument, ...]
    skipped: tuple[SkippedFile, ...] = ()


class RunLog:
    """The log of one run.

    Parameters
    ----------
    logs_directory
        The folder of all run logs, ``<root>/logs/runs``.
    run_id
        Identifier of the run; also the stem of its file.
    """

    def __init__(self, logs_directory: Path, run_id: str) -> None:
        self.logs_directory = logs_directory
        self.run_id = run_id

    @property
    def path(self) -> Path:
        """The run's document; where it has none yet, the path it would get if it started now."""
        return find(self.logs_directory, self.run_id) or self._path_on(datetime.now(UTC))

    def start(self, header: RunHeader) -> Path:
        """Write the document with status ``started``.

        A run that has one already goes on (it was resumed): its first start and what its datasets reported are kept.

        Raises
        ------
        CorruptFileError
            If the run has a document that cannot be read; it is left as it is.
        """
        with self._locked():
            path = find(self.logs_directory, self.run_id)
            document = RunDocument(header)
            if path is not None:
                before = read_run(path)
                header = replace(header, started=before.header.started)
                document = RunDocument(header, assets=before.assets, checks=before.checks)
            return _save(path or self._path_on(header.started), document)

    def add(self, record: AssetRecord) -> Path:
        """Leave the part of one dataset, in whichever process it was written; a later one replaces it."""
        return save_json(asset_entry(record), self._parts / f"{record.dataset}.json", sort_keys=False)

    def finish(
        self,
        status: RunStatus,
        errors: Mapping[str, ErrorInfo],
        ended: datetime,
        *,
        error: ErrorInfo | None = None,
        retries: Mapping[str, int] | None = None,
        checks: Mapping[str, Mapping[str, str]] | None = None,
    ) -> Path:
        """Merge the parts into the document, say how the run ended, and remove the parts.

        The same call again changes nothing. ``aborted`` is what others say of a run whose process is gone: it never
        takes the place of an end that the run itself has reported, but it does collect parts that came late.

        Parameters
        ----------
        status
            How it ended.
        errors
            Dataset -> why its step failed. A dataset that left no part is listed as failed; one that left a part keeps
            it, and the error that it named.
        ended
            When, aware.
        error
            What failed outside every dataset.
        retries
            Dataset -> how often it was tried again; none for those that are not named.
        checks
            Dataset -> check -> what came of it.

        Raises
        ------
        FileNotFoundError
            If the run was never started here.
        CorruptFileError
            If its document cannot be read; it is left as it is.
        """
        with self._locked():
            path = find(self.logs_directory, self.run_id)
            if path is None:
                raise FileNotFoundError(f"The run {self.run_id} has no log below {self.logs_directory}.")
            document = read_run(path)
            parts = sorted(self._parts.glob("[!.]*.json"))
            assets = {**document.assets, **{part.stem: _read_part(part) for part in parts}}
            for dataset, reason in errors.items():
                unheard = {**asset_entry(AssetRecord(dataset, None, "failed")), "window": document.header.window}
                entry = assets.get(dataset) or unheard
                named = entry.get("error") or {"type": reason.type, "message": reason.message}
                assets[dataset] = {**entry, "status": "failed", "error": named}
            for dataset in assets.keys() & (retries or {}).keys():
                assets[dataset] = {**assets[dataset], "retries": (retries or {})[dataset]}
            document = replace(document, assets=assets, checks={**document.checks, **(checks or {})})
            if status != "aborted" or document.status in {"started", "aborted"}:
                document = replace(document, status=status, ended=ended.astimezone(UTC), error=error)
            _save(path, document)
            _remove(self._parts, parts)
            return path

    def read(self) -> RunDocument | None:
        """Return the document with what its datasets have reported so far; None where there is none.

        Nothing is locked and nothing is written, also where the run is under way or was killed.

        Raises
        ------
        CorruptFileError
            If the document cannot be read.
        """
        assets: dict[str, AssetEntry] = {}
        for part in sorted(self._parts.glob("[!.]*.json")):
            with suppress(FileNotFoundError):  # merged meanwhile, into the document that is read below
                assets[part.stem] = _read_part(part)
        path = find(self.logs_directory, self.run_id)
        document = read_run(path) if path else None
        return replace(document, assets={**document.assets, **assets}) if document else None

    @property
    def _parts(self) -> Path:
        return self.logs_directory / _PARTS / self.run_id

    def _locked(self) -> AbstractContextManager[None]:
        # one lock for all runs: it is held for milliseconds, and a lock file is never deleted
        return locked(self.logs_directory / "runs")

    def _path_on(self, moment: datetime) -> Path:
        return self.logs_directory / moment.astimezone(UTC).date().isoformat() / f"{self.run_id}.json"


def find(logs_directory: Path, run_id: str) -> Path | None:
    """Return the path of a run's document, or None."""
    paths = (folder / f"{run_id}.json" for folder in _folders(logs_directory))
    return next((path for path in paths if path.is_file()), None)


def read_run(path: Path) -> RunDocument:
    """Read one run log.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CorruptFileError
        If it is no run log; it names the file and what is wrong with it.
    """
    try:
        return RunDocument.from_dict(load_json(path))
    except ValueError as error:
        raise CorruptFileError(
            f"{path} cannot be read as a run log ({error}); it was left as it is. "
            f"Set it aside: `mv {path} {path}.aside`"
        ) from error


def read_runs(logs_directory: Path, limit: int | None = None) -> RunList:
    """Read run logs, newest start first.

    Parameters
    ----------
    logs_directory
        The folder of all run logs; an absent one has none.
    limit
        How many to return at most; None returns all. Only the folders that are needed for it are read.
    """
    runs: list[RunDocument] = []
    skipped: list[SkippedFile] = []
    for folder in _folders(logs_directory):
        if limit is not None and len(runs) >= limit:
            break
        found: list[RunDocument] = []
        for path in sorted(folder.glob("[!.]*.json")):
            try:
                found.append(read_run(path))
            except FileNotFoundError:
                continue  # pruned while the folder was read
            except (CorruptFileError, OSError) as error:
                skipped.append(SkippedFile(path, str(error)))
        runs += sorted(found, key=lambda run: run.header.started, reverse=True)
    return RunList(tuple(runs[:limit]), tuple(skipped))


def _folders(logs_directory: Path) -> Iterator[Path]:
    """Yield the folders whose name is a date, newest first."""
    if not logs_directory.is_dir():
        return
    for folder in sorted(logs_directory.iterdir(), reverse=True):
        with suppress(ValueError):
            date.fromisoformat(folder.name)
            yield folder


def _save(path: Path, document: RunDocument) -> Path:
    return save_json(document.to_dict(), path, sort_keys=False)


def _read_part(path: Path) -> AssetEntry:
    try:
        return dict(load_json(path))
    except (TypeError, ValueError) as error:
        # the run's end must be recorded, whatever became of one of its parts
        reason = ErrorInfo(CorruptFileError.__name__, f"The part {path} cannot be read: {error}")
        return asset_entry(AssetRecord(path.stem, None, "failed", error=reason))


def _remove(directory: Path, parts: list[Path]) -> None:
    for part in parts:
        part.unlink(missing_ok=True)
    with suppress(OSError):  # absent, or a child of a killed run is about to report
        directory.rmdir()
