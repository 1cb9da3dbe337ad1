"""Assets that sleep, fail and wait for one another, under the executor: loaded by Dagster as a code location.

Every asset leaves a file named after it below ``<root>/ran``, with the pid of its process.
"""

import os
import time
from functools import partial

import dagster as dg

from macrocredit_assets.orchestration.executor import build_executor
from macrocredit_assets.orchestration.partitions import DAILY
from macrocredit_assets.persistence.records import AssetRecord
from macrocredit_assets.persistence.run_log import RunLog
from macrocredit_assets.settings import Settings

SETTINGS = Settings.from_env(os.environ)


def leave_trace(name: str) -> None:
    """Tell the test that an asset came this far."""
    folder = SETTINGS.root / "ran"
    folder.mkdir(exist_ok=True)
    temporary = folder / f".{name}"
    temporary.write_text(str(os.getpid()))
    temporary.replace(folder / name)


@dg.resource
def unreachable_terminal() -> object:
    """Fail to be had."""
    raise ConnectionError("the terminal is logged off")


class UnreadableIOManager(dg.IOManager):
    """An IO manager that writes nothing and cannot load."""

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Write nothing."""

    def load_input(self, context: dg.InputContext) -> object:
        """Fail."""
        raise LookupError("no date of the window is covered")


# an asset like those of the package: daily, and one run for any range
daily = partial(dg.asset, partitions_def=DAILY, backfill_policy=dg.BackfillPolicy.single_run())


@daily()
def quick(context: dg.AssetExecutionContext) -> None:
    """Succeed, and leave a record as the IO manager of the package does."""
    leave_trace("quick")
    RunLog(SETTINGS.logs_directory, context.run.run_id).add(AssetRecord("quick", None, "unchanged", rows_read=7))


@daily()
def sleeper() -> None:
    """Sleep for a minute."""
    leave_trace("sleeper")
    time.sleep(60)
    leave_trace("sleeper_woke")


@daily(deps=[sleeper])
def after_sleeper() -> None:
    """Run after the one that sleeps."""
    leave_trace("after_sleeper")


@daily()
def broken() -> None:
    """Fail."""
    raise ValueError("the upstream sent nonsense: 12,3")


@daily(deps=[broken])
def after_broken() -> None:
    """Never run."""
    leave_trace("after_broken")


@daily(deps=[after_broken])
def after_after_broken() -> None:
    """Never run either."""
    leave_trace("after_after_broken")


@daily()
def crashing() -> None:
    """Take the process along."""
    os.kill(os.getpid(), 9)


@daily(retry_policy=dg.RetryPolicy(max_retries=1))
def flaky() -> None:
    """Fail at the first attempt."""
    attempted = (SETTINGS.root / "ran" / "flaky").exists()
    leave_trace("flaky")
    if not attempted:
        raise ConnectionError("try again")


@daily(required_resource_keys={"terminal"})
def unreachable() -> None:
    """Never run, because its resource cannot be had."""
    leave_trace("unreachable")


@daily(io_manager_key="unreadable")
def stored() -> int:
    """Return something for the IO manager."""
    return 1


@daily(ins={"stored": dg.AssetIn(input_manager_key="unreadable")})
def reader(stored: int) -> None:
    """Never run, because its input cannot be loaded."""
    leave_trace("reader")


defs = dg.Definitions(
    assets=[
        quick,
        sleeper,
        after_sleeper,
        broken,
        after_broken,
        after_after_broken,
        crashing,
        flaky,
        unreachable,
        stored,
        reader,
    ],
    resources={"terminal": unreachable_terminal, "unreadable": UnreadableIOManager()},
    executor=build_executor(SETTINGS),
)
