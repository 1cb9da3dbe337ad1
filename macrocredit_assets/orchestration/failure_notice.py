"""Who is told of a failed run, and where it is said that this did not work."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import dagster as dg

from macrocredit_assets.notify import notice, send
from macrocredit_assets.settings import Settings

__all__ = ["notifying", "tell_of_failure"]

_NOTIFIER: ContextVar[str | None] = ContextVar("notifier", default=None)


@contextmanager
def notifying(notifier: str | None) -> Iterator[None]:
    """Have the runs of this block told to a notifier that their definitions do not know.

    Settings from which a run is built again stand in Dagster's instance and on the command lines of its processes: no
    place for an address with a secret in it.
    """
    token = _NOTIFIER.set(notifier)
    try:
        yield
    finally:
        _NOTIFIER.reset(token)


def tell_of_failure(run: dg.DagsterRun, instance: dg.DagsterInstance, settings: Settings, run_log: Path) -> None:
    """Tell the notifier, where there is one, of a run whose log is finished."""
    notifier = settings.notify or _NOTIFIER.get()
    if notifier is None:
        return
    problem = send(notifier, notice(run.run_id, "failure", run_log))
    said = f"failed: {problem}" if problem else "was told of the failure"
    instance.report_engine_event(f"MACROCREDIT_NOTIFY {said}.", run)
