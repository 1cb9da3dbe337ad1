"""Opening Parquet: values as the text that reads back as the same value, so that one strict reader serves all files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from macrocredit_assets.errors import UnreadableSourceError
from macrocredit_assets.sources.file_cells import Sheet

__all__ = ["read_parquet"]

#: How pandas names an index without a name.
_UNNAMED = "__index_level_0__"


def read_parquet(path: Path, wanted: Sequence[str], dataset: str) -> Sheet:
    """Read the wanted columns as text; a null is empty, an empty name is a pandas index without a name.

    Raises
    ------
    UnreadableSourceError
        If the file is no Parquet, a wanted column does not exist, or it holds nested values.
    OSError
        If the file cannot be opened.
    """
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            names = file.schema_arrow.names
            physical = {name: _UNNAMED if name == "" and "" not in names else name for name in wanted}
            absent = [name for name, column in physical.items() if column not in names]
            if absent:
                raise UnreadableSourceError(
                    f"{dataset}: {path} has no column {', '.join(map(repr, absent))}; "
                    f"it has {', '.join(map(repr, names))}. Correct the way in the catalog."
                )
            table = file.read(columns=list(physical.values()))
        columns = {name: _texts(table.column(column)) for name, column in physical.items()}
    except pa.ArrowException as error:
        raise UnreadableSourceError(f"{dataset}: {path} cannot be read as Parquet: {error}") from error
    return Sheet(columns, range(1, table.num_rows + 1), "row")


def _texts(column: pa.ChunkedArray) -> list[str]:
    if pa.types.is_floating(column.type):
        # a float32 prints shorter than the float64 it widens to, and would read back as another number
        column = column.cast(pa.float64())
    texts = pc.fill_null(column.cast(pa.string()), "").to_pylist()
    return [text.strip() for text in texts]
