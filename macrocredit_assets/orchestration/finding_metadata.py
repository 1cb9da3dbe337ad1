"""Findings as Dagster shows them: which rules looked, how many rows each found, and the first of those rows.

What belongs here: tables and sentences out of findings. What is found is the business of ``quality``; other metadata
are in ``metadata.py``.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import dagster as dg

from macrocredit_assets.findings import Finding
from macrocredit_assets.quality import Rule

__all__ = ["finding_metadata", "rows_table", "rules_table"]

_Cell = str | float | int | None


def finding_metadata(findings: Sequence[Finding]) -> dict[str, dg.MetadataValue]:
    """Return what was noticed, and the first rows of it: nothing where nothing was."""
    metadata: dict[str, dg.MetadataValue] = {}
    if findings:
        lines = (f"- **{one.rule}** ({one.severity}, {_rows(one.count)}): {one.message}" for one in findings)
        metadata["findings"] = dg.MetadataValue.md("\n".join(lines))
    if any(one.examples for one in findings):
        metadata["rows"] = rows_table(findings)
    return metadata


def rules_table(rules: Iterable[Rule], findings: Iterable[Finding]) -> dg.MetadataValue:
    """Return a table of rules: name, severity, how many rows each found, and what it means."""
    found: Counter[str] = Counter()
    for one in findings:
        found[one.rule] += one.count
    lines = [f"| {rule.name} | {rule.severity} | {found[rule.name]:,} | {rule.sentence} |" for rule in rules]
    return dg.MetadataValue.md("\n".join(["| rule | severity | rows | what it means |", "|---|---|--:|---|", *lines]))


def rows_table(findings: Iterable[Finding]) -> dg.MetadataValue:
    """Return the first rows of each finding, with a column for every cell that any of them has."""
    rows: list[Mapping[str, _Cell]] = [{"rule": one.rule, **row} for one in findings for row in one.examples]
    names = dict.fromkeys(name for row in rows for name in row)
    kinds = {name: "float" if all(_is_number(row.get(name)) for row in rows) else "string" for name in names}
    schema = dg.TableSchema([dg.TableColumn(name, kind) for name, kind in kinds.items()])
    # Dagster wants the same cells in every row
    return dg.MetadataValue.table([dg.TableRecord({name: row.get(name) for name in names}) for row in rows], schema)


def _is_number(cell: _Cell) -> bool:
    return cell is None or isinstance(cell, int | float)


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
