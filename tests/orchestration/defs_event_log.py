"""Assets, sensors and a history of runs for the tests of the event log; what they compute does not matter."""

import datetime as dt
import uuid
from collections.abc import Mapping
from functools import cache

import dagster as dg
from dagster._core.storage.dagster_run import DagsterRunStatus

DAYS = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-02-01", timezone="America/New_York")
FAILING = "test/failing"
LEVEL, SPREAD, WIPED, SUMMARY = (dg.AssetKey(name) for name in ("level", "spread", "wiped", "summary"))
CHECK = dg.AssetCheckKey(LEVEL, "plausible")
KEYS = (LEVEL, SPREAD, WIPED, SUMMARY)
START, END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


class Nowhere(dg.IOManager):
    """Stores nothing, and hands the value over in the metadata."""

    def handle_output(self, context: dg.OutputContext, obj: float) -> None:
        """Take the value as metadata."""
        context.add_output_metadata({"value": obj})

    def load_input(self, context: dg.InputContext) -> float:
        """Give a number."""
        return 0.0


def _asset(name: str, *, daily: bool, after: tuple[dg.AssetKey, ...] = ()) -> dg.AssetsDefinition:
    @dg.asset(
        name=name,
        code_version="1",
        deps=after,
        partitions_def=DAYS if daily else None,
        backfill_policy=dg.BackfillPolicy.single_run() if daily else None,
    )
    def stored(context: dg.AssetExecutionContext) -> float:
        if context.run.tags.get(FAILING) == name:
            raise dg.Failure(f"{name} was told to fail")
        return float(len(context.run.tags))

    return stored


@dg.asset_check(asset=LEVEL)
def plausible(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    """Pass unless the run says otherwise."""
    return dg.AssetCheckResult(passed=context.run.tags.get(FAILING) != "plausible", metadata={"seen": 1})


@dg.asset_sensor(asset_key=LEVEL, job_name="everything", minimum_interval_seconds=1)
def on_level(_context: dg.SensorEvaluationContext, event: dg.EventLogEntry) -> dg.RunRequest:
    """Ask for a run per materialization, named after its partition."""
    return dg.RunRequest(run_key=event.dagster_event.partition)


everything = dg.define_asset_job("everything", selection=["level", "spread"])


@dg.run_status_sensor(run_status=dg.DagsterRunStatus.FAILURE, request_job=everything)
def on_failure(context: dg.RunStatusSensorContext) -> dg.RunRequest:
    """Ask for a run per failure, named after the run that failed."""
    return dg.RunRequest(run_key=context.dagster_run.run_id)


@cache
def definitions() -> dg.Definitions:
    """Everything the history needs."""
    assets = [
        _asset("level", daily=True),
        _asset("spread", daily=True, after=(LEVEL,)),
        _asset("wiped", daily=True),
        _asset("summary", daily=False),
    ]
    return dg.Definitions(
        assets,
        asset_checks=[plausible],
        jobs=[everything],
        sensors=[on_level, on_failure],
        resources={"io_manager": Nowhere()},
    )


def run_id(number: int) -> str:
    """Name a run, alike in every history."""
    return str(uuid.UUID(int=number))


def materialize(instance: dg.DagsterInstance, number: int, *keys: dg.AssetKey, **tags: str) -> bool:
    """Execute a run; `failing` names the step that is to fail, `day` or `first` and `last` the partitions."""
    names = {"failing": FAILING, "day": "dagster/partition", "first": START, "last": END}
    return (
        definitions()
        .resolve_implicit_global_asset_job_def()
        .execute_in_process(
            instance=instance,
            run_id=run_id(number),
            asset_selection=list(keys),
            tags={names[name]: value for name, value in tags.items()},
            partition_key=tags.get("day"),
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            raise_on_error=False,
        )
        .success
    )


def plan(instance: dg.DagsterInstance, number: int, status: DagsterRunStatus, **tags: str) -> dg.DagsterRun:
    """Create a run that never starts in earnest, as one whose process was lost."""
    job = definitions().resolve_implicit_global_asset_job_def().get_subset(asset_selection={LEVEL, SPREAD})
    return instance.create_run_for_job(
        job, run_id=run_id(number), tags=dict(zip((START, END), tags.values(), strict=True)), status=status
    )


def make_history(instance: dg.DagsterInstance) -> Mapping[str, bool]:
    """Run everything that leaves different events, and say what succeeded."""
    done = {
        "single": materialize(instance, 1, LEVEL, SPREAD, day="2024-01-02"),
        "range": materialize(instance, 2, LEVEL, SPREAD, first="2024-01-03", last="2024-01-12"),
        "failed step": materialize(instance, 3, LEVEL, SPREAD, first="2024-01-10", last="2024-01-16", failing="spread"),
        "unpartitioned": materialize(instance, 4, SUMMARY),
        "failed check": materialize(instance, 5, LEVEL, SPREAD, day="2024-01-17", failing="plausible"),
        "again": materialize(instance, 6, SPREAD, first="2024-01-12", last="2024-01-13"),
        "to be wiped": materialize(instance, 7, WIPED, first="2024-01-02", last="2024-01-09"),
    }
    instance.wipe_assets([WIPED])
    done["after the wipe"] = materialize(instance, 8, WIPED, first="2024-01-05", last="2024-01-06")
    done["to be deleted"] = materialize(instance, 9, SUMMARY)
    instance.delete_run(run_id(9))
    instance.report_runless_asset_event(dg.AssetMaterialization(LEVEL, partition="2024-01-20", metadata={"by": "hand"}))
    instance.report_runless_asset_event(dg.AssetObservation(LEVEL, partition="2024-01-02", metadata={"seen": 2}))
    instance.report_run_failed(plan(instance, 10, DagsterRunStatus.STARTED, first="2024-01-18", last="2024-01-21"))
    plan(instance, 11, DagsterRunStatus.STARTED, first="2024-01-22", last="2024-01-23")
    instance.add_dynamic_partitions("desks", ["credit", "rates"])
    instance.delete_dynamic_partition("desks", "rates")
    return done


def days(first: int, last: int) -> set[str]:
    """Name the partitions of days in January 2024."""
    return {dt.date(2024, 1, day).isoformat() for day in range(first, last + 1)}
