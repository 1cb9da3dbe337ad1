"""What happens to a frame that the rules have seen: it stops there, or gets the shape that is stored."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from macrocredit_assets.catalog.models import Entry
from macrocredit_assets.errors import RuleViolationError
from macrocredit_assets.findings import Finding
from macrocredit_assets.ingest.beside import Beside
from macrocredit_assets.quality import acceptable_rules, judge
from macrocredit_assets.windows import Window

__all__ = ["accepted", "conform", "judge_beside", "stop_on_errors"]


def judge_beside(
    spec: Entry, frame: pd.DataFrame, stored: Beside | None, accept: frozenset[str]
) -> tuple[Finding, ...]:
    """Judge rows beside what is stored of their series, and what was accepted of it."""
    if stored is None:
        return judge(spec, frame, accept=accept)
    return judge(spec, frame, stored.rows, accept=accept, accepted=stored.accepted)


def conform(spec: Entry, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a judged frame in the shape that is stored: sorted, unique (the last row of a date), columns typed."""
    unique = frame[~frame.index.duplicated(keep="last")].sort_index()
    index = pd.DatetimeIndex(unique.index, name="date").as_unit("us")
    data = {}
    for name, column in spec.columns.items():
        # numpy integers have no missing value; pandas' nullable ones do, and arrow takes both
        nullable = column.dtype == "int64" and unique[name].isna().any()
        data[name] = unique[name].astype("Int64" if nullable else column.dtype).array
    return pd.DataFrame(data, index=index)


def stop_on_errors(
    spec: Entry, window: Window, findings: Sequence[Finding], again: str | None = None, *, tag: str | None = None
) -> None:
    """Raise :class:`RuleViolationError` if a finding of severity ``error`` remains, with the command that waives it.

    Parameters
    ----------
    spec, window, findings
        What was judged.
    again
        The command that asks for the same once more; None is a backfill of the window.
    tag
        The run tag that waives rules, where no command materializes the dataset.
    """
    errors = [one for one in findings if one.severity == "error"]
    if not errors:
        return
    lines = [f"{spec.name} {window}: nothing was stored, because what came breaks {_rules(errors)}."]
    for error in errors:
        lines.append(f"  {error.rule}: {error.message} ({error.count} {'row' if error.count == 1 else 'rows'})")
        lines += ["    " + ", ".join(f"{key} {value}" for key, value in row.items()) for row in error.examples]
    names = list(dict.fromkeys(error.rule for error in errors))
    if set(names).issubset(acceptable_rules()):
        lines.append(f"If these rows are right, store them in spite of it: {_waive(spec, window, names, again, tag)}")
    else:
        lines.append("This cannot be waived: correct the source, or the entry in the catalog.")
    raise RuleViolationError("\n".join(lines), tuple(errors))


def _waive(spec: Entry, window: Window, names: Sequence[str], again: str | None, tag: str | None) -> str:
    if tag:
        return f"materialize {spec.name} {window} with the tag {tag}={','.join(names)}"
    flags = " ".join(f"--accept {name}" for name in names)
    return f"{again or f'macrocredit backfill {spec.name} --start {window.start} --end {window.end}'} {flags}"


def _rules(errors: Sequence[Finding]) -> str:
    names = list(dict.fromkeys(error.rule for error in errors))
    return f"the rule{'s' if len(names) > 1 else ''} {', '.join(names)}"


def accepted(findings: Sequence[Finding], accept: frozenset[str]) -> tuple[str, ...]:
    """Return the waived rules that were needed, each once."""
    return tuple(dict.fromkeys(one.rule for one in findings if one.rule in accept and not one.accepted))
