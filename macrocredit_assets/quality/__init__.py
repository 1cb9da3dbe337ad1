"""Rules about a frame of observations: one catalogued list, the checks that look, and the judge that applies them."""

from macrocredit_assets.quality.rules import (
    RULES,
    Rule,
    acceptable_rules,
    check_accepted,
    finding,
    judge,
    vanished_finding,
)
from macrocredit_assets.quality.slips import NEIGHBOURHOOD

__all__ = [
    "NEIGHBOURHOOD",
    "RULES",
    "Rule",
    "acceptable_rules",
    "check_accepted",
    "finding",
    "judge",
    "vanished_finding",
]
