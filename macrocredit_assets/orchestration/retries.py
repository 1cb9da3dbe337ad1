"""When a step is tried again: after a failure that may pass, later each time, and not all of them at one moment.

What belongs here: which failures, how often and when. What must not: how one request is repeated (``sources``), or how
a run whose process died is started again (``dagster.yaml``). A retry is Dagster's own: the step gives its pool slot
back while it waits, other steps go on, and the run log counts it.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from macrocredit_assets.errors import TransientSourceError

__all__ = ["FIRST_WAIT_SECONDS", "MAX_RETRIES", "retry_transient", "wait_seconds"]

#: How often a step is tried again.
MAX_RETRIES = 3

#: The most that the first retry waits; each further one waits up to twice as long: 35 seconds in all.
FIRST_WAIT_SECONDS = 5.0

# not the generator of the process: step processes that were forked would draw the same numbers
_RANDOM = random.SystemRandom()


@contextmanager
def retry_transient(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Have the step tried again if the block fails for a reason that may pass.

    Raises
    ------
    dagster.RetryRequested
        In place of a :class:`~macrocredit_assets.errors.TransientSourceError`; the last attempt fails with that error
        itself, and so does one whose source wants to be left alone for longer than any retry waits. Every other error
        passes at once.
    """
    try:
        yield
    except TransientSourceError as error:
        step = context.get_step_execution_context()
        if step.retry_mode.disabled or context.retry_number >= MAX_RETRIES or _wants_longer(error):
            raise
        raise dg.RetryRequested(MAX_RETRIES, wait_seconds(context.retry_number)) from error


def _wants_longer(error: TransientSourceError) -> bool:
    """Tell whether a source wants to be left alone for longer than any retry waits: the next run asks it again."""
    longest: float = FIRST_WAIT_SECONDS * 2 ** (MAX_RETRIES - 1)
    return error.retry_after is not None and error.retry_after > longest


def wait_seconds(retry_number: int) -> float:
    """Return how long to wait before a retry: anything up to a bound that doubles ("full jitter").

    Parameters
    ----------
    retry_number
        How often the step was tried again before; 0 at the first failure.
    """
    return _RANDOM.uniform(0, FIRST_WAIT_SECONDS * 2**retry_number)
