"""The mornings: one schedule a region, each in its own time zone, on the job that ingests.

What belongs here: when, and how a tick becomes a run request. Which datasets and days it asks for is in ``daily.py``.
A tick looks at the files, never at ticks or runs before it: one that was missed is made up for by the next.
"""

from collections.abc import Callable
from dataclasses import dataclass

import dagster as dg

from macrocredit_assets.catalog import Catalog
from macrocredit_assets.daily import Region, daily_window, names_of
from macrocredit_assets.holdings import Holdings
from macrocredit_assets.orchestration.partitions import today
from macrocredit_assets.orchestration.tags import RANGE_END, RANGE_START
from macrocredit_assets.serving import lacking
from macrocredit_assets.settings import Settings

__all__ = ["build_schedules"]


@dataclass(frozen=True)
class _Morning:
    """When a region's day before is asked for."""

    region: Region
    place: str
    timezone: str

    @property
    def schedule(self) -> str:
        return f"daily_{self.region}"


# 07:00 in London is 02:00 or 03:00 in New York, whichever of the two has changed its clocks: there, too, the day that
# is asked for is over
_MORNINGS = (_Morning("us", "New York", "America/New_York"), _Morning("europe", "London", "Europe/London"))
_SEVEN = "0 7 * * *"


def build_schedules(settings: Settings, catalog: Catalog, job: str) -> list[dg.ScheduleDefinition]:
    """Return the daily schedules of a deployment.

    Parameters
    ----------
    settings
        Whether they run where nobody has switched them in the UI, and where the data lie.
    catalog
        What exists.
    job
        Name of the job that they launch.
    """
    status = dg.DefaultScheduleStatus.RUNNING if settings.schedules else dg.DefaultScheduleStatus.STOPPED
    return [
        dg.ScheduleDefinition(
            name=morning.schedule,
            job_name=job,
            cron_schedule=_SEVEN,
            execution_timezone=morning.timezone,
            execution_fn=_evaluation(morning, settings, catalog),
            default_status=status,
            description=(
                f"Every day at 07:00 in {morning.place}: the last ten days, or since the first session that is not "
                "covered, at most 90 days back. Days that have not changed cost no write."
            ),
        )
        for morning in _MORNINGS
    ]


def _evaluation(
    morning: _Morning, settings: Settings, catalog: Catalog
) -> Callable[[dg.ScheduleEvaluationContext], dg.RunRequest | dg.SkipReason]:
    def evaluate(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        unserved = lacking(settings, catalog)
        names = [name for name in names_of(catalog, morning.region) if name not in unserved]
        if not names:
            return dg.SkipReason(
                f"Profile {settings.profile} can serve no dataset of this schedule. Why: macrocredit doctor"
            )
        # the date as of the tick, which a daemon may evaluate late
        with dg.partition_loading_context(effective_dt=context.scheduled_execution_time):
            day = today()
        window = daily_window(Holdings(settings, catalog), names, day)
        return dg.RunRequest(
            run_key=f"{morning.schedule}:{day}",
            tags={RANGE_START: window.start.isoformat(), RANGE_END: window.end.isoformat()},
            asset_selection=[dg.AssetKey(name) for name in names],
        )

    return evaluate
