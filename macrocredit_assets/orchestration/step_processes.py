"""Step processes: forked from a server that has loaded what every step needs, instead of loading it anew for each.

What belongs here: how the multiprocess executor starts its processes. What must not: what they execute (Dagster), or
which run they belong to (``executor.py``). Dagster's default starts an interpreter for every step, which imports
Dagster, pandas and Arrow again: 2.5 s of processor time, 42 times in a daily run.

Forking is safe here because the server never does more than import: it opens no file of ours, no database and no
connection, and has no thread of Python's; the pools of Arrow and of BLAS know forks, and begin anew in the child.
"""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import forkserver
from typing import Any, cast

import dagster as dg

# what an executor is made of has no public name
from dagster._core.execution.context.system import IPlanContext
from dagster._core.execution.plan.active import ActiveExecution
from dagster._core.execution.plan.step import ExecutionStep
from dagster._core.executor import multiprocess

__all__ = ["create_multiprocess_executor", "own_fork_server"]

#: How long it may go unnoticed that a slot of a pool is free.
_IDLE_SECONDS = 0.05

#: Imported by the server before it forks; first the one that must not be interrupted.
_PRELOADED = ("macrocredit_assets.orchestration.step_imports", "dagster._core.executor.multiprocess")

#: A server without children ends at once when it is let go; with some, it ends after them, and nobody waits for it.
_LOOKS, _NAP_SECONDS = 100, 0.01


def create_multiprocess_executor(context: dg.InitExecutorContext) -> dg.Executor:
    """Create Dagster's multiprocess executor, with a fork server unless the run configuration names a start method."""
    create = cast("Callable[[dg.InitExecutorContext], dg.Executor]", dg.multiprocess_executor.executor_creation_fn)
    multiprocess.ActiveExecution = _Execution  # type: ignore[attr-defined] # it takes none
    config = context.executor_config
    # where the system has no fork server, Dagster's own choice stands
    if not config.get("start_method") and "forkserver" in multiprocessing.get_all_start_methods():
        config = {**config, "start_method": {"forkserver": {"preload_modules": list(_PRELOADED)}}}
    return create(context._replace(executor_config=config))


class _Execution(ActiveExecution):
    """Dagster's, but at rest where no step runs, and at once where a slot of a pool is given back.

    Dagster's own takes a whole core for as long as every step that is left waits for a pool, and asks for a slot after
    one second, then less and less often: sixteen steps of a third of a second took forty seconds.
    """

    def get_steps_to_execute(self, limit: int | None = None) -> Sequence[ExecutionStep]:
        steps = super().get_steps_to_execute(limit)
        if not steps and not self.has_in_flight_steps and not self.is_complete:
            time.sleep(_IDLE_SECONDS)
        return steps

    def verify_complete(self, job_context: IPlanContext, step_key: str) -> None:
        super().verify_complete(job_context, step_key)
        if (slots := self._instance_concurrency_context) is not None:
            for waiting in slots.pending_claim_steps():
                slots._pending_timeouts[waiting] = 0.0  # noqa: SLF001


@contextmanager
def own_fork_server() -> Iterator[None]:
    """Let the processes of the block come from a server that starts with the first of them, and ends with the block.

    A process is born with the environment and the modules that the server had when it started. One that somebody else
    in this process started, or an earlier run, would pass on theirs: another run's mark, another catalog's key.
    """
    # a module's one server, whose state has no public name
    server = cast("Any", forkserver)._forkserver  # noqa: SLF001
    others = dict(vars(server))
    vars(server).update(vars(forkserver.ForkServer()))
    try:
        yield
    finally:
        _let_go(server)
        vars(server).update(others)


def _let_go(server: Any) -> None:  # noqa: ANN401 - see own_fork_server
    pid = server._forkserver_pid  # noqa: SLF001
    if pid is None:
        return
    os.close(server._forkserver_alive_fd)  # noqa: SLF001
    with suppress(OSError):
        os.unlink(server._forkserver_address)  # noqa: SLF001, PTH108 - a socket
    for _ in range(_LOOKS):
        with suppress(ChildProcessError):
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                time.sleep(_NAP_SECONDS)
                continue
        return
