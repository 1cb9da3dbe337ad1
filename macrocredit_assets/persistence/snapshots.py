"""All rows as they were after some revisions, so that a read as of a moment need not fold thousands of them.

What belongs here: the files ``<revisions>/<dataset>/snapshots/<number>.parquet``. They follow from the revisions and
are never the truth: what is made of one is held against the hash that the revision states (``projection.py``), and
where it differs, or cannot be read, it is removed and the revisions are folded without it. All of them may be deleted
at any time.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from macrocredit_assets.errors import CorruptFileError
from macrocredit_assets.persistence.atomic import replacing
from macrocredit_assets.persistence.encoding import write_table
from macrocredit_assets.persistence.kept_footers import KeptFooters
from macrocredit_assets.persistence.revision_file import ACTION, Revision, revision_path
from macrocredit_assets.persistence.rows import Rows, rows_to_table
from macrocredit_assets.persistence.schemas import DATE

__all__ = ["SPACING", "Snapshots"]

#: Only a revision whose number is a multiple of this one has a snapshot: 5,900 rows of five columns take as long to
#: read as some ten revisions of one row, and as much of the disk as some fifty.
SPACING = 32

#: A snapshot is made once it takes at most this many times what the revisions since the last one take: for a panel of
#: 7,671 x 1,000, of 60 MB, every 64 days and not every month.
_SHARE = 4
_BYTES_OF_A_CELL = 8

_FOOTER_KEY = b"macrocredit"
_INSERT = "insert"


class Snapshots:
    """The snapshots beside the revisions of one dataset.

    Parameters
    ----------
    revisions
        The folder of the revisions.
    """

    def __init__(self, revisions: Path) -> None:
        self._revisions = revisions
        self._directory = revisions / "snapshots"

    def newest(self, number: int) -> int:
        """Return the number of the last revision up to this one that has a snapshot; 0 where there is none."""
        candidates = range(number - number % SPACING, 0, -SPACING)
        return next((each for each in candidates if os.path.lexists(self._path(each))), 0)

    def is_due(self, number: int, rows: int, columns: int) -> bool:
        """Tell whether a snapshot after a revision would shorten reads by enough for its size."""
        if number % SPACING:
            return False
        since = range(self.newest(number) + 1, number + 1)
        written = sum(revision_path(self._revisions, each).stat().st_size for each in since)
        return rows * columns * _BYTES_OF_A_CELL <= _SHARE * written

    def write(self, revision: Revision, rows: Rows) -> None:
        """Write all rows after a revision."""
        footer = json.dumps(
            {"dataset": revision.dataset, "snapshot": revision.number, "content": revision.content_hash}
        )
        table = rows_to_table(rows, revision.schema).replace_schema_metadata({_FOOTER_KEY: footer.encode()})
        with replacing(self._path(revision.number)) as handle:
            write_table(table, handle)

    def read(self, revision: Revision) -> pa.Table | None:
        """Return all rows after a revision as if it had inserted them; None where its snapshot cannot be used."""
        try:
            with _FOOTERS.open(self._path(revision.number), whole=True) as ((content, schema), file):
                if content != revision.content_hash or not schema.equals(revision.schema):
                    return None
                table = file.read(use_threads=False).replace_schema_metadata(None)
        except (CorruptFileError, FileNotFoundError):
            return None
        field = pa.field(ACTION, pa.string(), nullable=False)
        return table.add_column(1, field, pa.repeat(pa.scalar(_INSERT), len(table)))

    def remove(self, number: int) -> None:
        """Remove a snapshot that is not what it says, if that may be done."""
        with suppress(OSError):
            self._path(number).unlink()

    def _path(self, number: int) -> Path:
        return revision_path(self._directory, number)


def _read_footer(path: Path, file: pq.ParquetFile) -> tuple[str | None, pa.Schema]:
    schema = file.schema_arrow
    try:
        said = json.loads((schema.metadata or {})[_FOOTER_KEY])
        content = str(said["content"]) if schema.names[:1] == [DATE] else None
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptFileError(f"{path} is no snapshot: {error!r}. {_ADVICE}") from error
    return content, pa.schema(list(schema)[1:])


_ADVICE = "It follows from the revisions, and may be removed."

_FOOTERS = KeptFooters(_read_footer, lambda _: _ADVICE)
