"""Ctrl-C and SIGTERM for a command that starts one run after the other.

What belongs here: noticing that this process was told to stop. How a run under way is stopped is Dagster's business.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

__all__ = ["stoppable"]

_STOP = frozenset({signal.SIGINT, signal.SIGTERM})


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Make SIGTERM raise ``KeyboardInterrupt`` as Ctrl-C does, and yield what tells whether one of them has come.

    While a run executes, Dagster handles both signals: it ends the run at a safe point, and may swallow one that comes
    at the very end of it. The operating system writes them down here as well, whoever handles them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    woken = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    received: set[int] = set()

    def was_told() -> bool:
        with suppress(BlockingIOError):
            received.update(os.read(reader, 4096))
        return not _STOP.isdisjoint(received)

    try:
        yield was_told
    finally:
        signal.set_wakeup_fd(woken)
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
        os.close(reader)
        os.close(writer)
