"""How the bytes of our own Parquet files are laid out, in one place: files of datasets, revisions and snapshots.

What belongs here: compression, encodings, groups of rows, statistics. What the columns are, and what a footer says, is
up to each kind of file. Reading needs nothing of this: whatever reads Parquet reads them.
"""

from __future__ import annotations

from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from macrocredit_assets.persistence.schemas import DATE

__all__ = ["write_table"]

# Measured by `python -m benchmarks.encodings`, told in docs/performance.md. Beside plain lz4, the bytes in streams and
# dates as differences are smaller by a sixth and written faster by a third; zstd takes twice as long, for it sets up
# anew for every page. Groups of 512 rows take longer for everything; one group would do as well for a daily history.
# Dictionaries of prices that hardly repeat cost a third of the size; the index of pages is read by nobody here.
_ROW_GROUP = 4096
_COMPRESSION = "lz4"
_ENCODINGS = {
    pa.float64(): "BYTE_STREAM_SPLIT",
    pa.int64(): "DELTA_BINARY_PACKED",
    pa.timestamp("us"): "DELTA_BINARY_PACKED",
}


def write_table(table: pa.Table, handle: BinaryIO) -> None:
    """Write a table of dates, numbers and perhaps texts that repeat; its dates tell from when to when a group runs."""
    encodings = {field.name: _ENCODINGS[field.type] for field in table.schema if field.type in _ENCODINGS}
    pq.write_table(
        table,
        handle,
        row_group_size=_ROW_GROUP,
        compression=_COMPRESSION,
        use_dictionary=[name for name in table.schema.names if name not in encodings],
        column_encoding=encodings,
        write_statistics=[DATE],
    )
