"""The file of one revision: the rows that one write touched, and when they became known.

What belongs here: the only code that knows this format. A revision is ``<number>.parquet``, written once and never
changed. Its columns are ``date``, ``action`` (``insert``, ``change`` or ``withdraw``), then those of the dataset: each
row as it is after the write, empty where it was withdrawn. The footer's key ``macrocredit`` holds, as JSON::

    {"dataset": "vix", "revision": 7, "known_at": "2024-10-25T12:00:04.1+00:00", "kind": "write",
     "series": "cboe:VIX", "window": ["2024-10-24", "2024-10-24"], "coverage": [["2020-01-01", "2024-10-24"]],
     "content_hash": "sha256:...", "inserted": 1, "changed": 0, "withdrawn": 0,
     "run_id": "3f6c...", "ways": ["cboe:VIX"], "reason": null,
     "landing": ["landing/cboe/VIX/20241025T120003Z-9f86d081884c7d65.csv.gz"]}

Coverage and hash are those of the whole dataset after the write. What must not be here: which revisions there are, and
what comes out of all of them (``revisions.py``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from macrocredit_assets.errors import CorruptFileError
from macrocredit_assets.persistence.diff import ACTIONS, Delta
from macrocredit_assets.persistence.encoding import write_table
from macrocredit_assets.persistence.kept_footers import KeptFooters
from macrocredit_assets.persistence.rows import rows_from_table, rows_to_table
from macrocredit_assets.persistence.schemas import DATE
from macrocredit_assets.persistence.staging import Staging
from macrocredit_assets.windows import Coverage, Window

__all__ = [
    "ACTION",
    "Kind",
    "Revision",
    "create_revision",
    "delta_of",
    "read_revision",
    "read_revision_table",
    "revision_path",
]

#: ``write`` touches some rows. The others begin anew, with all rows: ``adopt`` takes in a file that was written before
#: there were revisions, ``switch`` another series, ``migrate`` the same rows under another schema.
Kind: TypeAlias = Literal["write", "switch", "migrate", "adopt"]

#: Name of the column that says what became of a row.
ACTION = "action"

_FOOTER_KEY = b"macrocredit"

_ADVICE = "Revisions are written once and never changed: restore the file from a copy."


@dataclass(frozen=True)
class Revision:
    """What a revision says of itself; reading it takes a tenth of a millisecond.

    Parameters
    ----------
    dataset, number
        Name of the dataset, and number of the revision, from 1 on.
    known_at
        When its rows became known, aware, in UTC; never before that of the revision before.
    kind
        What it did.
    series
        What the numbers are from here on.
    window
        What was written; None where a revision is about the whole dataset.
    coverage, content_hash, schema
        Of the whole dataset afterwards; the schema without ``date``.
    inserted, changed, withdrawn
        Numbers of rows.
    run_id, ways, reason
        Who wrote, how the rows came, and why, as far as that was told.
    landing
        Where the answers lie that the rows were read from: POSIX paths below the data directory; none in revisions that
        are older than this field.
    """

    dataset: str
    number: int
    known_at: datetime
    kind: Kind
    series: str
    window: Window | None
    coverage: Coverage
    content_hash: str
    inserted: int
    changed: int
    withdrawn: int
    run_id: str | None
    ways: tuple[str, ...]
    reason: str | None
    schema: pa.Schema = field(compare=False, repr=False)
    landing: tuple[str, ...] = ()

    @property
    def begins_anew(self) -> bool:
        """Whether its rows are all rows, whatever stood there before."""
        return self.kind != "write"


def revision_path(directory: Path, number: int) -> Path:
    """Return where a revision stands."""
    return directory / f"{number:08d}.parquet"


def create_revision(files: Staging, directory: Path, revision: Revision, delta: Delta) -> None:
    """Write a revision; it must not exist."""
    table = rows_to_table(delta.rows, revision.schema)
    actions = pa.DictionaryArray.from_arrays(delta.actions, pa.array(ACTIONS)).dictionary_decode()
    table = table.add_column(1, pa.field(ACTION, pa.string(), nullable=False), actions)
    write_table(
        table.replace_schema_metadata({_FOOTER_KEY: _footer(revision)}),
        files.create(revision_path(directory, revision.number)),
    )


def read_revision(path: Path) -> Revision:
    """Read what a revision says of itself.

    Raises
    ------
    FileNotFoundError
        If there is no such revision.
    CorruptFileError
        If the file is no revision of this number and of this dataset.
    """
    return _FOOTERS.read(path)


def read_revision_table(path: Path) -> tuple[Revision, pa.Table]:
    """Read a whole revision: its head, and its rows with ``date`` and ``action``; errors as :func:`read_revision`."""
    with _FOOTERS.open(path, whole=True) as (revision, file):
        return revision, file.read(use_threads=False).replace_schema_metadata(None)


def delta_of(table: pa.Table, path: Path) -> Delta:
    """Return the rows of one or more revisions as arrays, in their order; ``path`` is where they come from.

    Raises
    ------
    CorruptFileError
        If an action is none.
    """
    actions = pc.index_in(table.column(ACTION), pa.array(ACTIONS))
    if actions.null_count:
        raise corrupt_revision(path, f"it has an {ACTION} that is none of {', '.join(ACTIONS)}")
    return Delta(rows_from_table(table.drop_columns(ACTION)), actions.to_numpy().astype(np.int8))


def corrupt_revision(path: Path, why: str) -> CorruptFileError:
    """Return the error for a revision that cannot be used."""
    return CorruptFileError(f"The revision {path} cannot be used: {why}. It was left as it is. {_ADVICE}")


def _footer(revision: Revision) -> bytes:
    return json.dumps(
        {
            "dataset": revision.dataset,
            "revision": revision.number,
            "known_at": revision.known_at.isoformat(),
            "kind": revision.kind,
            "series": revision.series,
            "window": revision.window and [revision.window.start.isoformat(), revision.window.end.isoformat()],
            "coverage": revision.coverage.to_pairs(),
            "content_hash": revision.content_hash,
            "inserted": revision.inserted,
            "changed": revision.changed,
            "withdrawn": revision.withdrawn,
            "run_id": revision.run_id,
            "ways": list(revision.ways),
            "reason": revision.reason,
            "landing": list(revision.landing),
        }
    ).encode()


def _revision(path: Path, file: pq.ParquetFile) -> Revision:
    schema = file.schema_arrow
    try:
        said = json.loads((schema.metadata or {})[_FOOTER_KEY])
        revision = _from_footer(said, pa.schema(list(schema)[2:]))
    except (KeyError, TypeError, ValueError) as error:
        raise corrupt_revision(path, f"its footer is not that of a revision ({error!r})") from error
    if schema.names[:2] != [DATE, ACTION]:
        raise corrupt_revision(path, f"its first columns are not {DATE!r} and {ACTION!r}")
    if revision_path(path.parent, revision.number).name != path.name or revision.dataset != path.parent.name:
        raise corrupt_revision(path, f"it says that it is revision {revision.number} of {revision.dataset!r}")
    return revision


def _from_footer(said: dict[str, Any], schema: pa.Schema) -> Revision:
    if said["kind"] not in get_args(Kind):
        raise ValueError(f"the kind {said['kind']!r} is none of {', '.join(get_args(Kind))}")
    window = cast("Sequence[str] | None", said["window"])
    return Revision(
        dataset=str(said["dataset"]),
        number=int(said["revision"]),
        known_at=datetime.fromisoformat(said["known_at"]).astimezone(UTC),
        kind=said["kind"],
        series=str(said["series"]),
        window=None if window is None else Window.parse(*window),
        coverage=Coverage.from_pairs(said["coverage"]),
        content_hash=str(said["content_hash"]),
        inserted=int(said["inserted"]),
        changed=int(said["changed"]),
        withdrawn=int(said["withdrawn"]),
        run_id=said["run_id"],
        ways=tuple(said["ways"]),
        reason=said["reason"],
        schema=schema,
        landing=tuple(said.get("landing", ())),
    )


_FOOTERS = KeptFooters(_revision, lambda _: _ADVICE)
