"""The shipped definitions on another day than today's, and a daemon on that day.

The variable ``WORLD_CLOCK`` names a file with the seconds between this machine's clock and the one that Dagster sees:
schedules tick by it, and partitions end with it. As a program, it is the daemon.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster._time

_CLOCK = Path(os.environ["WORLD_CLOCK"])


def _now() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=float(_CLOCK.read_text()))


# what Dagster's own tests replace to freeze time
dagster._time._mockable_get_current_datetime = _now
dagster._time._mockable_get_current_timestamp = lambda: _now().timestamp()

if __name__ == "__main__":
    from dagster._core.run_coordinator import QueuedRunCoordinator
    from dagster._daemon.cli import main
    from dagster._scheduler import scheduler

    # a daemon looks once a minute which ticks are due, and every five seconds which runs are queued
    scheduler._get_next_scheduler_iteration_time = lambda start: start + 0.5
    QueuedRunCoordinator.dequeue_interval_seconds = property(lambda _: 0.5)
    sys.argv = ["dagster-daemon", "run", "-f", __file__]
    main()
else:
    from macrocredit_assets.definitions import defs as defs
    from macrocredit_assets.orchestration import retries

    retries.FIRST_WAIT_SECONDS = 0.01  # time is simulated, and so is waiting
