"""The catalog as a Markdown table, for the README."""

from __future__ import annotations

from macrocredit_assets.catalog.catalog import Catalog
from macrocredit_assets.catalog.models import DatasetSpec, SignalSpec

__all__ = ["dataset_table"]

_HEADERS = ("name", "what it is", "instrument", "tenor", "columns", "calendar", "from")


def dataset_table(catalog: Catalog) -> str:
    """Return one row per dataset in the order of :meth:`Catalog.names`, without a newline at the end.

    The last column lists the sources of a market dataset in order of preference, and the inputs of a signal.
    """
    rows = [_HEADERS, tuple("---" for _ in _HEADERS), *(_row(catalog.entry(name)) for name in catalog.names())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(entry: DatasetSpec | SignalSpec) -> tuple[str, ...]:
    cells = (entry.title, entry.instrument, entry.tenor or "")
    return (f"`{entry.name}`", *map(_escaped, cells), _columns(entry), f"`{entry.calendar}`", _origin(entry))


def _columns(entry: DatasetSpec | SignalSpec) -> str:
    by_unit: dict[str, list[str]] = {}
    for name, column in entry.columns.items():
        by_unit.setdefault(column.unit, []).append(f"`{name}`")
    return "; ".join(f"{', '.join(names)} ({unit})" for unit, names in by_unit.items())


def _origin(entry: DatasetSpec | SignalSpec) -> str:
    if isinstance(entry, SignalSpec):
        return ", ".join(f"`{given.dataset}`" for given in entry.inputs.values())
    return ", ".join(dict.fromkeys(way.source for way in entry.ways))


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
