"""Old runs, ticks, run logs and pictures go; data, revisions and the registry never do.

What belongs here: what is old, what may go, and the job that does it. How Dagster forgets a run is in
``forgotten_runs.py``. A run that has not ended is never touched, however old: ``macrocredit runs doctor`` ends it, if
its process is gone.
"""

import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.storage.dagster_run import FINISHED_STATUSES, RunsFilter

from macrocredit_assets.errors import UsageError
from macrocredit_assets.orchestration.forgotten_runs import files_of, forget, require_sql
from macrocredit_assets.persistence.run_log import find, read_runs
from macrocredit_assets.settings import Settings

__all__ = ["KEEP_DAYS", "PRUNE_JOB", "Pruned", "build_prune_job", "days_ago", "prune"]

#: A quarter: as long as a hole in the data is found by the mornings.
KEEP_DAYS = 90

#: The job's name.
PRUNE_JOB = "prune"


@dataclass(frozen=True)
class Pruned:
    """What went, or would go.

    Parameters
    ----------
    before
        Runs that started before this moment.
    applied
        Whether anything was deleted.
    runs
        Dagster's runs, by id, oldest first.
    run_logs
        Run logs.
    ticks
        Evaluations of schedules and sensors.
    size
        Bytes of the files that went. What went out of a database that stays is not counted: its pages are used again.
    unfinished
        Runs that are as old and never said how they ended; they were left.
    """

    before: datetime
    applied: bool
    runs: tuple[str, ...]
    run_logs: tuple[Path, ...]
    ticks: int
    size: int
    unfinished: tuple[str, ...]


def prune(settings: Settings, instance: dg.DagsterInstance, before: datetime, *, apply: bool = False) -> Pruned:
    """Delete what tells of runs that started before a moment and have ended.

    The latest materialization of every partition stays, so that what is green stays green.

    Parameters
    ----------
    settings
        Where the run logs are.
    instance
        The Dagster instance.
    before
        Aware; what started then or later stays.
    apply
        Whether anything is deleted; if not, only what would be is returned.

    Raises
    ------
    UsageError
        If the instance keeps its events in a way of its own; nothing was deleted.
    """
    storage, before = require_sql(instance), before.astimezone(UTC)
    runs = _ended_runs(instance, before)
    logs, unfinished = _run_logs(settings.logs_directory, before, frozenset(runs))
    gone = [*runs, *(path.stem for path in logs)]
    parts, charts = _parts(settings.logs_directory, gone), _charts(settings.charts_directory, gone)
    shards = [path for run_id in runs for path in files_of(storage, run_id)]
    printed = [Path(instance.storage_directory()) / run_id for run_id in runs]
    size = _size([*logs, *parts, *charts, *shards, *printed])
    ticks = _prune_ticks(instance, before, apply=apply)
    if apply:
        forget(instance, runs)
        for path in logs:
            path.unlink(missing_ok=True)
            with suppress(OSError):  # other runs of that day
                path.parent.rmdir()
        for directory in [*parts, *charts]:
            shutil.rmtree(directory, ignore_errors=True)
        for date in {directory.parent for directory in charts}:
            with suppress(OSError):
                date.rmdir()
    return Pruned(before, apply, tuple(runs), tuple(logs), ticks, size, tuple(unfinished))


def build_prune_job(settings: Settings) -> dg.JobDefinition:
    """Return the job that prunes; without configuration it only says what it would delete."""

    @dg.op(
        name="forget",
        config_schema={
            "keep_days": dg.Field(int, KEEP_DAYS, description="Runs that started in the last so many days stay."),
            "apply": dg.Field(bool, False, description="Delete; else only say what would be deleted."),
        },
        out=dg.Out(dg.Nothing),
        description="Forget old runs, ticks and run logs; data, revisions and the registry stay.",
    )
    def prune_op(context: dg.OpExecutionContext) -> None:
        options = context.op_config
        done = prune(settings, context.instance, days_ago(options["keep_days"]), apply=options["apply"])
        context.log.info(
            "%d runs, %d run logs and %d ticks from before %s %s: %.1f MB of files.",
            *(len(done.runs), len(done.run_logs), done.ticks, f"{done.before:%Y-%m-%d %H:%M} UTC"),
            *("are gone" if done.applied else "would go", done.size / 1e6),
        )

    @dg.job(name=PRUNE_JOB, description="Forget old runs, ticks and run logs. With `apply: true`; else it only tells.")
    def prune_job() -> None:
        prune_op()

    return prune_job


def days_ago(keep_days: int) -> datetime:
    """Return the moment so many days ago.

    Raises
    ------
    UsageError
        If it is less than a day: runs of today may be at work, and their logs are read by schedules and people.
    """
    if keep_days < 1:
        raise UsageError(f"Keep at least one day, not {keep_days}: macrocredit prune --keep-days {KEEP_DAYS}")
    return datetime.now(UTC) - timedelta(days=keep_days)


def _ended_runs(instance: dg.DagsterInstance, before: datetime) -> list[str]:
    wanted = RunsFilter(statuses=FINISHED_STATUSES, created_before=before)
    return [record.dagster_run.run_id for record in instance.get_run_records(wanted, ascending=True)]


def _run_logs(logs: Path, before: datetime, ended: frozenset[str]) -> tuple[list[Path], list[str]]:
    """Return the logs that may go, and the runs that are as old but have not ended.

    What Dagster knows to have ended has, whatever its log says: its process was killed.
    """
    old = [run for run in read_runs(logs).runs if run.header.started < before]
    gone = [run.header.run_id for run in old if run.status != "started" or run.header.run_id in ended]
    unfinished = [run.header.run_id for run in old if run.status == "started" and run.header.run_id not in ended]
    return [path for run_id in gone if (path := find(logs, run_id))], unfinished


def _parts(logs: Path, run_ids: Iterable[str]) -> list[Path]:
    """Return what children of killed runs have reported after their end."""
    return [path for run_id in dict.fromkeys(run_ids) if (path := logs / ".parts" / run_id).is_dir()]


def _charts(charts: Path, run_ids: Iterable[str]) -> list[Path]:
    """Return the pictures that runs have drawn."""
    gone = frozenset(run_ids)
    return [path for path in charts.glob("*/*") if path.name in gone]


def _prune_ticks(instance: dg.DagsterInstance, before: datetime, *, apply: bool) -> int:
    """Delete the ticks of all schedules and sensors; the instance's own retention may have been there first."""
    count = 0
    for state in instance.all_instigator_state():
        ids = state.instigator_origin_id, state.selector_id
        # the latest one stays: a schedule whose daemon was away goes on from there
        latest = [tick.timestamp for tick in instance.get_ticks(*ids, limit=1)]
        until = min([before.timestamp(), *latest])
        count += len(instance.get_ticks(*ids, before=until))
        if apply:
            instance.purge_ticks(*ids, until)
    return count


def _size(paths: Iterable[Path]) -> int:
    return sum(file.stat().st_size for path in paths for file in [path, *path.rglob("*")] if file.is_file())
