"""Run a command, and tell in a file how long it took and how much memory: ``python timed.py FILE COMMAND ...``.

What belongs here: nothing but that, with the standard library alone. A process begins with the peak of the one that
started it, as the system counts it, so commands are not started by the benchmark, which holds data of its own.
"""

import json
import os
import subprocess
import sys
from time import perf_counter

if __name__ == "__main__":
    started = perf_counter()
    process = subprocess.Popen(sys.argv[2:])
    _, status, usage = os.wait4(process.pid, 0)
    seconds = perf_counter() - started
    with open(sys.argv[1], "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib would be memory, too
        json.dump({"seconds": seconds, "peak_mb": usage.ru_maxrss / 1024}, file)
    sys.exit(os.waitstatus_to_exitcode(status))
