"""A user's own archive of a series: one file, into one dataset, whatever its dates.

What belongs here: how such a file is described, and its way through rules, store, registry and run log. Dagster has no
part in it: its partitions begin in 1990, and an archive has no days that a source was asked for. How cells become
numbers is the business of the ``file`` source, which reads the archive as it reads any other file.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from macrocredit_assets.catalog.models import DatasetSpec, FileWay, Way
from macrocredit_assets.errors import SeriesMismatchError, UnreadableSourceError, UsageError
from macrocredit_assets.findings import Finding
from macrocredit_assets.ingest import Ingested, ingest, stored_beside
from macrocredit_assets.ingest.holes import ARCHIVE_GAPS
from macrocredit_assets.local_run import local_run
from macrocredit_assets.persistence import DatasetStore
from macrocredit_assets.persistence.root_kind import RootKind, require_root_kind, stamp_root
from macrocredit_assets.quality import check_accepted, finding
from macrocredit_assets.settings import Settings
from macrocredit_assets.sources import FileSource
from macrocredit_assets.sources.base import Fetched
from macrocredit_assets.sources.profiles import Route
from macrocredit_assets.stores import open_store
from macrocredit_assets.windows import Window
from macrocredit_assets.writing import tell, write

__all__ = ["JOB", "Layout", "archive_way", "ingest_history"]

#: How a run log calls it.
JOB = "ingest --history"

#: No market was quoted before; spreadsheets and databases write such dates where they have none.
_FIRST_BELIEVED = date(1700, 1, 1)

_DESCRIBE = (
    "What this file looks like is said by --column OURS=THEIRS, --date-column, --date-format, --factor and --separator."
)


@dataclass(frozen=True)
class Layout:
    """What is said of a file: None, or nothing, where nothing was said.

    Parameters
    ----------
    series
        What the numbers are (``fred:DGS10``).
    columns
        Our column -> its header in the file.
    date_column, date_format, separator
        As in :class:`FileWay`.
    factor
        Multiplier from the file's unit to ours, for every column.
    """

    series: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    date_column: str | None = None
    date_format: str | None = None
    factor: float | None = None
    separator: str | None = None


def archive_way(spec: DatasetSpec, path: Path, layout: Layout, stored_series: str | None) -> FileWay:
    """Return the way that reads an archive of a dataset.

    A file of the name that one of the dataset's own ways has is read as that way says; any other has our column names
    and a column ``date``. What the layout says goes before either.

    Parameters
    ----------
    spec, path
        The dataset, and its archive.
    layout
        What the user said of the file.
    stored_series
        What the dataset holds; None where it holds nothing yet.

    Raises
    ------
    UsageError
        If nothing says which series the file has, or a column is none of the dataset's.
    SeriesMismatchError
        If it has another series than the dataset holds.
    """
    own = _own_way(spec, path, layout.series)
    series = layout.series or (own.series if own else None)
    _check_series(spec, path, series, stored_series)
    _check_columns(spec, layout.columns)
    if layout.separator is not None and len(layout.separator) != 1:
        raise UsageError(f"--separator {layout.separator!r} is not one character; a tab is written as $'\\t'.")
    headers = layout.columns or {name: name for name in spec.columns}
    described: dict[str, Any] = {"columns": {ours: {"column": theirs} for ours, theirs in headers.items()}}
    if own:
        described = {**own.model_dump(), **(described if layout.columns else {})}
    if layout.factor is not None:
        described["columns"] = {ours: {**each, "factor": layout.factor} for ours, each in described["columns"].items()}
    said = {name: getattr(layout, name) for name in ("date_column", "date_format", "separator")}
    described |= {name: value for name, value in said.items() if value is not None}
    return FileWay.model_validate({**described, "series": series, "path": path.name})


def ingest_history(
    spec: DatasetSpec,
    path: Path,
    layout: Layout,
    settings: Settings,
    *,
    today: date,
    accept: frozenset[str] = frozenset(),
    again: str | None = None,
) -> Path:
    """Store an archive of a dataset's series, and return the path of the run log.

    Its rows add to the stored ones and restate them, by the same rules as those of any other way. From its first stored
    row to its last, dates are covered afterwards, but for long stretches without a row, as
    :data:`macrocredit_assets.ingest.holes.ARCHIVE_GAPS` has it. Days that are not over yet are left out, and told.

    Parameters
    ----------
    spec
        The dataset.
    path
        The archive: CSV or Parquet.
    layout
        What the user said of it.
    settings
        Where the data lie.
    today
        The date in New York.
    accept
        Rules of severity ``error`` in spite of which the rows are stored.
    again
        The command that does the same once more, for errors to name.

    Raises
    ------
    UsageError, SeriesMismatchError
        As :func:`archive_way`, or if ``accept`` names a rule that cannot be waived.
    RootKindError
        If the root holds sample data and the series is observed, or the other way round.
    SourceError
        If the file cannot be read as described.
    RuleViolationError
        If a finding of severity ``error`` remains.
    StoreError
        As :meth:`DatasetStore.write`.
    """
    check_accepted(accept)
    store = open_store(settings, spec)
    head = store.head()
    way = archive_way(spec, path, layout, head.series if head else None)
    kind: RootKind = "sample" if way.series.startswith("sample:") else "real"
    again = again or f"macrocredit ingest {spec.name} --history {shlex.quote(str(path))}"
    require_root_kind(settings.data_directory, kind, command=again)
    # an archive is a file, whichever ways other commands use here
    with local_run(replace(settings, profile="files"), JOB, spec.name, kind=kind) as log:
        ingested = _read(spec, path, way, store, today, accept, again)
        stamp_root(settings.data_directory, kind, command=again)
        tell(settings, spec, write(settings, spec, ingested, run_id=log.run_id), run_id=log.run_id)
    return log.path


@dataclass(frozen=True)
class _Read:
    """An archive that was read already, as a source: its span must be known before a window can be asked for."""

    answer: Fetched
    name: str = "file"

    def unavailable(self, way: Way) -> str | None:  # noqa: ARG002 - the protocol's signature
        return None

    def fetch(self, spec: DatasetSpec, way: Way, window: Window) -> Fetched:  # noqa: ARG002 - the protocol's signature
        return self.answer


def _read(
    spec: DatasetSpec,
    path: Path,
    way: FileWay,
    store: DatasetStore,
    today: date,
    accept: frozenset[str],
    again: str,
) -> Ingested:
    past = Window(date.min, today - timedelta(days=1))
    try:
        answer = FileSource(path.absolute().parent).fetch(spec, way, past)
    except UnreadableSourceError as error:
        raise UnreadableSourceError(f"{error}\n{_DESCRIBE}") from error
    if answer.frame.empty:
        raise UnreadableSourceError(f"{spec.name}: {path} has no value until {past.end}; nothing was stored.")
    index = pd.DatetimeIndex(answer.frame.index)
    window = Window(index.min().date(), index.max().date())
    if window.start < _FIRST_BELIEVED:
        raise UnreadableSourceError(
            f"{spec.name}: {path} has a row of {window.start}. A date before {_FIRST_BELIEVED.year} is a missing date "
            "in most cases; correct it, or leave its row out. Nothing was stored."
        )
    ingested = ingest(
        spec,
        window,
        Route(way.series, (way,)),
        {way.source: _Read(replace(answer, first=window.start, last=window.end))},
        accept=accept,
        stored=stored_beside(store, window, way.series),
        today=today,
        again=again,
        gaps=ARCHIVE_GAPS,
    )
    return replace(
        ingested,
        ways=(f"history:{path.name}",),
        findings=ingested.findings + _unfinished(spec, answer, past.end),
    )


def _unfinished(spec: DatasetSpec, answer: Fetched, end: date) -> tuple[Finding, ...]:
    # the window had no beginning: what is outside comes after it
    count = answer.dropped.get("outside_window", 0)
    if not count:
        return ()
    rows, were = ("1 row", "was") if count == 1 else (f"{count} rows", "were")
    message = f"{spec.name}: {rows} after {end} {were} left out: those days are not over"
    return (finding("unfinished_days", message, count, ({"last": str(answer.last)},)),)


def _own_way(spec: DatasetSpec, path: Path, series: str | None) -> FileWay | None:
    """Return the dataset's own way to a file of this name; of another series only if none was named."""
    ways = (way for way in spec.ways if isinstance(way, FileWay) and Path(way.path).name == path.name)
    return next((way for way in ways if series in {None, way.series}), None)


def _check_columns(spec: DatasetSpec, columns: Mapping[str, str]) -> None:
    if unknown := sorted(columns.keys() - spec.columns.keys()):
        raise UsageError(f"{spec.name} has no column {', '.join(unknown)}; it has {', '.join(spec.columns)}.")
    if columns and spec.main not in columns:
        raise UsageError(
            f"The archive brings {', '.join(columns)}, and not {spec.main}, the main column of {spec.name}: say where "
            f"it stands with --column {spec.main}=HEADER."
        )


def _check_series(spec: DatasetSpec, path: Path, series: str | None, stored: str | None) -> None:
    known = (stored,) if stored else tuple(dict.fromkeys(way.series for way in spec.ways))
    if series is None:
        raise UsageError(
            f"Nothing says which series {path} has: {spec.name} "
            f"{'holds' if stored else 'may hold'} {' or '.join(known)}. If the file is an archive of "
            f"{'it' if len(known) == 1 else 'one of them'}, say so: --series {known[0]!r}"
        )
    if series in known:
        return
    if stored:
        raise SeriesMismatchError(
            f"{spec.name} holds the series {stored}, and {path} was said to have {series}: one dataset holds one "
            "series. Nothing was written. Give the other one an entry of its own in the catalog, or close the stored "
            f"one: macrocredit backfill {spec.name} --start YYYY-MM-DD --switch-series --reason TEXT"
        )
    raise UsageError(
        f"{spec.name} has no way of the series {series}, so nothing could ever go on where {path} ends; its ways have "
        f"{', '.join(known)}. Add a way of that series to its entry in the catalog, or an entry of its own."
    )
