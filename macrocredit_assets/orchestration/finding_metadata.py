"""Findings as Dagster shows them: which rules found something, what each saw, and the first rows of it.

What belongs here: tables out of findings, which the UI shows at once where text in Markdown stands behind a click. What
is found is the business of ``quality``; other metadata are in ``metadata.py``.
"""

from collections.abc import Mapping, Sequence

import dagster as dg

from macrocredit_assets.findings import Finding

__all__ = ["finding_metadata"]

_Cell = str | float | int | None
_Row = Mapping[str, _Cell]


def finding_metadata(findings: Sequence[Finding]) -> dict[str, dg.MetadataValue]:
    """Return what was seen, and the first rows of it: nothing where nothing was.

    Cells that not every row has, since rules look at different columns, stand in one column of text.
    """
    rows: list[_Row] = [{"rule": one.rule, **row} for one in findings for row in one.examples]
    seen: list[_Row] = [
        {"rule": one.rule, "severity": one.severity, "found": one.count, "what was seen": one.message}
        for one in findings
    ]
    return {name: _table(records) for name, records in (("findings", seen), ("rows", _gathered(rows))) if records}


def _gathered(rows: Sequence[_Row]) -> list[_Row]:
    """Return rows without the columns that are empty in one of them; what the others have there is told in words."""
    filled = [{name: cell for name, cell in row.items() if cell is not None} for row in rows]
    shared = {name for row in filled for name in row if all(name in other for other in filled)}
    if all(shared.issuperset(row) for row in filled):
        return [*filled]
    return [
        {
            **{name: cell for name, cell in row.items() if name in shared},
            "values": ", ".join(f"{name} {_told(cell)}" for name, cell in row.items() if name not in shared),
        }
        for row in filled
    ]


def _told(cell: _Cell) -> str:
    return f"{cell:.10g}" if isinstance(cell, float) else str(cell)


def _table(rows: Sequence[_Row]) -> dg.MetadataValue:
    """Return rows, which all have the same cells, as a table."""
    kinds = {name: "float" if all(_is_number(row[name]) for row in rows) else "string" for name in rows[0]}
    schema = dg.TableSchema([dg.TableColumn(name, kind) for name, kind in kinds.items()])
    return dg.MetadataValue.table([dg.TableRecord(row) for row in rows], schema)


def _is_number(cell: _Cell) -> bool:
    return isinstance(cell, int | float)
