"""The Arrow schema that follows from an entry: one mapper from the catalog to what Parquet files hold."""

from __future__ import annotations

import pyarrow as pa

from macrocredit_assets.catalog.models import Entry

__all__ = ["arrow_schema"]

_TYPES = {"float64": pa.float64(), "int64": pa.int64()}


def arrow_schema(entry: Entry) -> pa.Schema:
    """Return the schema of an entry's value columns, without ``date``.

    Every field is nullable and carries ``unit``, ``decimals`` and, where there is one, ``description`` in its metadata.
    """
    return pa.schema(
        pa.field(
            name,
            _TYPES[column.dtype],
            metadata={
                "unit": column.unit,
                "decimals": str(column.decimals),
                **({"description": column.description} if column.description else {}),
            },
        )
        for name, column in entry.columns.items()
    )
