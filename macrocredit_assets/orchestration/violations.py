"""How Dagster is told that rules stopped a write: the step fails, with the offending rows beside the message."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from macrocredit_assets.errors import RuleViolationError
from macrocredit_assets.orchestration.finding_metadata import finding_metadata
from macrocredit_assets.orchestration.tags import ACCEPT
from macrocredit_assets.quality import acceptable_rules

__all__ = ["violations_shown"]


@contextmanager
def violations_shown() -> Iterator[None]:
    """Have the findings of a rule violation stand in the metadata of the step's failure, and there alone.

    Raises
    ------
    dagster.Failure
        In place of a :class:`~macrocredit_assets.errors.RuleViolationError`, which is its cause and has the message in
        full; the step is not tried again, since the same rows would come.
    """
    try:
        yield
    except RuleViolationError as error:
        raise dg.Failure(_told(error), metadata=finding_metadata(error.findings), allow_retries=False) from error


def _told(error: RuleViolationError) -> str:
    """Return the first line of the message, and what to do, in a shell or here; tables have what is between."""
    first, *rest = str(error).splitlines()
    lines = [first, *rest[-1:]]
    rules = list(dict.fromkeys(one.rule for one in error.findings))
    # an asset of somebody's own has no command: its message names the tag already
    if rules and {*rules}.issubset(acceptable_rules()) and ACCEPT not in lines[-1]:
        lines.append(f"In the UI: materialize the same partitions with the tag {ACCEPT}={','.join(rules)}.")
    return "\n".join(lines)
