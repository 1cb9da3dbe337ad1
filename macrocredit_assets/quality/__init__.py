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

__all__ = ["RULES", "Rule", "acceptable_rules", "check_accepted", "finding", "judge", "vanished_finding"]
