"""What was noticed about data: the one shape in which rules, sources and the store report.

What belongs here: that shape, and the names of the checks under which it is told. It imports no frames, so that the
command line can name them at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, TypeAlias, get_args

__all__ = ["CHECKS", "SHOWN", "Check", "Finding", "Severity", "by_rule"]

Severity = Literal["error", "warning", "info"]
Check: TypeAlias = Literal["values", "continuity", "jumps", "source"]

#: The groups of rules that are shown, run and waited for as one, in their order.
CHECKS: tuple[Check, ...] = get_args(Check)

#: So many rows are shown of what was seen; all are counted.
SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """One rule's observation about one frame.

    Parameters
    ----------
    rule
        Name of the rule (``unit_slip``, ``hard_bounds``, ``vanished`` ...), as ``--accept`` takes it.
    severity
        ``error`` stops a write; ``warning`` is stored and carried in the record; ``info`` is a plain count.
    message
        One sentence for people.
    count
        How many rows or cells it is about.
    examples
        The first few of them, each a small mapping of plain values (dates as ISO strings).
    dates
        All dates that it is about, in order, while the rows are at hand: not kept with the finding, and empty where it
        was read back or is about no row.
    accepted
        Whether it counts what somebody accepted of the stored rows.
    """

    rule: str
    severity: Severity
    message: str
    count: int = 1
    examples: tuple[Mapping[str, str | float | int | None], ...] = ()
    dates: tuple[date, ...] = field(default=(), repr=False, compare=False)
    accepted: bool = field(default=False, repr=False, compare=False)

    def to_dict(self) -> dict[str, object]:
        """Return plain values, as the run log and the registry keep them."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "message": self.message,
            "count": self.count,
            "examples": [dict(example) for example in self.examples],
        }


def by_rule(findings: Iterable[Finding]) -> str:
    """Return how many rows or cells each rule found, in the order of the findings: ``gap 3, jump 1 accepted``."""
    counts: Counter[str] = Counter()
    for one in findings:
        counts[f"{one.rule} {{:,}} accepted" if one.accepted else f"{one.rule} {{:,}}"] += one.count
    return ", ".join(told.format(count) for told, count in counts.items())
