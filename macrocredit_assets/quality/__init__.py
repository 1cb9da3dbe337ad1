"""Rules about rows: one catalogued list, the functions that look, and the judge that applies them.

A *rule* is one line of the list; a *check* is a group of rules that is run and shown as one.
"""

from macrocredit_assets.findings import CHECKS, Check
from macrocredit_assets.quality.acceptance import accepted_by_date, as_stored
from macrocredit_assets.quality.judging import examine, judge, needs
from macrocredit_assets.quality.reading import NEIGHBOURHOOD, Needs
from macrocredit_assets.quality.rules import (
    RULES,
    Rule,
    acceptable_rules,
    check_accepted,
    finding,
    rules_of,
)
from macrocredit_assets.quality.vanished import vanished_finding

__all__ = [
    "CHECKS",
    "NEIGHBOURHOOD",
    "RULES",
    "Check",
    "Needs",
    "Rule",
    "acceptable_rules",
    "accepted_by_date",
    "as_stored",
    "check_accepted",
    "examine",
    "finding",
    "judge",
    "needs",
    "rules_of",
    "vanished_finding",
]
