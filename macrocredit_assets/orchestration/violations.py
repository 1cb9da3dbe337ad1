"""How Dagster is told that rules stopped a write: the step fails, with the offending rows beside the message."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from macrocredit_assets.errors import RuleViolationError
from macrocredit_assets.orchestration.finding_metadata import finding_metadata

__all__ = ["violations_shown"]


@contextmanager
def violations_shown() -> Iterator[None]:
    """Have the findings of a rule violation stand in the metadata of the step's failure.

    Raises
    ------
    dagster.Failure
        In place of a :class:`~macrocredit_assets.errors.RuleViolationError`, which is its cause and has its message;
        the step is not tried again, since the same rows would come.
    """
    try:
        yield
    except RuleViolationError as error:
        raise dg.Failure(str(error), metadata=finding_metadata(error.findings), allow_retries=False) from error
