"""What Dagster is told about an asset once, with its definition: schema, lineage of columns, place of data and of spec.

What belongs here: structured facts that do not change with a run. Sentences are in ``descriptions.py``; what is told of
a run is in ``metadata.py``.
"""

from __future__ import annotations

import inspect
from pathlib import Path

import dagster as dg

from macrocredit_assets.catalog import Entry, SignalSpec
from macrocredit_assets.catalog.catalog import Place
from macrocredit_assets.catalog.models import Column
from macrocredit_assets.orchestration.metadata import Value
from macrocredit_assets.signals import SignalFunction

__all__ = ["code_reference", "definition_metadata", "function_reference"]


def definition_metadata(
    entry: Entry, path: Path, series: str | None, references: list[dg.LocalFileCodeReference]
) -> dict[str, Value]:
    """Describe a dataset once: schema with units and bounds, location, calendar, series, and where it is defined."""
    metadata: dict[str, Value] = {
        "dagster/column_schema": dg.MetadataValue.table_schema(_table_schema(entry)),
        "dagster/uri": path.as_uri(),
        "path": dg.MetadataValue.path(str(path)),
        "instrument": entry.instrument,
        "unit": entry.columns[entry.main].unit,
        "main_column": entry.main,
        "calendar": entry.calendar,
    }
    if entry.tenor:
        metadata["tenor"] = entry.tenor
    if series:
        metadata["series"] = series
    if isinstance(entry, SignalSpec):
        metadata["dagster/column_lineage"] = dg.MetadataValue.column_lineage(_column_lineage(entry))
        if entry.lookback:
            metadata["lookback_rows"] = entry.lookback
    if references:
        metadata["dagster/code_references"] = dg.CodeReferencesMetadataValue(code_references=[*references])
    return metadata


def code_reference(place: Place | None, label: str, way: int | None = None) -> list[dg.LocalFileCodeReference]:
    """Return the line of a catalog file on which an entry, or one of its ways, begins; nothing where it has none."""
    if place is None:
        return []
    line = place.line if way is None else place.ways[way]
    return [_reference(place.path, line, label)]


def function_reference(function: SignalFunction | None) -> list[dg.LocalFileCodeReference]:
    """Return the line on which a signal's function begins; nothing where it is not written in Python."""
    code = getattr(inspect.unwrap(function), "__code__", None) if function else None
    return [_reference(Path(code.co_filename), code.co_firstlineno, code.co_name)] if code else []


def _reference(path: Path, line: int, what: str) -> dg.LocalFileCodeReference:
    return dg.LocalFileCodeReference(file_path=str(path), line_number=line, label=f"{what} in {path.name}")


def _column_lineage(signal: SignalSpec) -> dg.TableColumnLineage:
    """Return what the columns of a signal are made of: all of them of every input."""
    read = [dg.TableColumnDep(dg.AssetKey(each.dataset), each.column) for each in signal.inputs.values()]
    return dg.TableColumnLineage(dict.fromkeys(signal.columns, read))


def _table_schema(entry: Entry) -> dg.TableSchema:
    index = dg.TableColumn("date", "timestamp[us]", "calendar date, midnight, no time zone", _constraints("sorted"))
    columns = [
        dg.TableColumn(
            name,
            column.dtype,
            _column_description(entry, name, column),
            _constraints(*_bounds(column), nullable=True, unique=False),
            tags={"unit": column.unit},
        )
        for name, column in entry.columns.items()
    ]
    constraints = dg.TableConstraints(other=["one row a session", f"calendar: {entry.calendar}"])
    return dg.TableSchema(columns=[index, *columns], constraints=constraints)


def _column_description(entry: Entry, name: str, column: Column) -> str:
    text = f"{column.description or name} [{column.unit}, {column.decimals} decimals]"
    if isinstance(entry, SignalSpec):
        text += f", from {' and '.join(f'`{read.dataset}.{read.column}`' for read in entry.inputs.values())}"
    return text


def _constraints(*other: str, nullable: bool = False, unique: bool = True) -> dg.TableColumnConstraints:
    return dg.TableColumnConstraints(nullable=nullable, unique=unique, other=list(other))


def _bounds(column: Column) -> list[str]:
    named = (("plausible", column.plausible), ("hard", column.hard))
    return [f"{name}: {bounds.low:g} to {bounds.high:g}" for name, bounds in named if bounds]
