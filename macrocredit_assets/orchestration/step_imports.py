"""What a step needs, imported: the fork server's first module, for nobody else to import.

What belongs here: modules that every step would otherwise import for itself; one that is forgotten costs only time.
Nothing may be opened or started: what is here when the server forks is there twice.
"""

import gc
import signal
from importlib import import_module

__all__: list[str] = []

_MODULES = (
    # what runs import at their top
    "dagster._core.executor.multiprocess",
    "macrocredit_assets.orchestration.launch",
    # what they import when they first need it: to open an instance, to resolve a job, to read, and to know sessions
    "dagster._core.debug",
    "dagster._core.instance.factory",
    "dagster._core.secrets.env_file",
    "dagster._core.storage.legacy_storage",
    "dagster._core.storage.local_compute_log_manager",
    "dagster._core.storage.root",
    "dagster._core.storage.runs",
    "dagster._core.storage.schedules",
    "dagster._core.storage.sqlite_storage",
    "dagster._core.definitions.repository_definition.repository_data_builder",
    "greenlet",
    "macrocredit_assets.sources.http.attempt",
    "pandas.tseries.holiday",
    "portalocker",
    "pyarrow.pandas_compat",
    "upath.core",
    "watchdog.observers.polling",
)


def _load() -> None:
    # a terminal's Ctrl-C reaches the server too: killed half-way, it would leave its run waiting for an answer
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    for module in _MODULES:
        import_module(module)
    signal.signal(signal.SIGINT, before)
    # a page that the collector writes to is copied in every child: what is here now, it need not look at again
    gc.collect()
    gc.freeze()


_load()
