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
    """Return what was seen, and the first rows of it: nothing where nothing was."""
    rows: list[_Row] = [{"rule": one.rule, **row} for one in findings for row in one.examples]
    seen: list[_Row] = [
        {"rule": one.rule, "severity": one.severity, "found": one.count, "what was seen": one.message}
        for one in findings
    ]
    return {name: _table(records) for name, records in (("findings", seen), ("rows", rows)) if records}


def _table(rows: Sequence[_Row]) -> dg.MetadataValue:
    """Return rows as a table with a column for every cell that any of them has."""
    names = dict.fromkeys(name for row in rows for name in row)
    kinds = {name: "float" if all(_is_number(row.get(name)) for row in rows) else "string" for name in names}
    schema = dg.TableSchema([dg.TableColumn(name, kind) for name, kind in kinds.items()])
    # Dagster wants the same cells in every row
    return dg.MetadataValue.table([dg.TableRecord({name: row.get(name) for name in names}) for row in rows], schema)


def _is_number(cell: _Cell) -> bool:
    return cell is None or isinstance(cell, int | float)
