"""On the path of a test's processes: Dagster's daemon looks for backfills every second, not every half minute.

Python imports a module of this name at its start. No setting of Dagster reaches that pause.
"""

import sys

if "dagster._daemon" in sys.orig_argv:
    from dagster._daemon import controller

    controller.DEFAULT_DAEMON_INTERVAL_SECONDS = 1
