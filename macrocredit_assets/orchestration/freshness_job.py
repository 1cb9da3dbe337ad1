"""A look at every source's check each morning, so that a dataset turns red where nothing ran that could have told.

What belongs here: the job, and when it runs. Whether a dataset is late is the business of ``freshness.py``.
"""

import dagster as dg

from macrocredit_assets.catalog import Catalog
from macrocredit_assets.checking import checks_of
from macrocredit_assets.settings import Settings

__all__ = ["FRESHNESS_JOB", "build_freshness"]

FRESHNESS_JOB = "freshness"


def build_freshness(settings: Settings, catalog: Catalog) -> list[dg.ScheduleDefinition]:
    """Return the schedule, with its job, that runs the check ``source`` of every dataset and nothing else.

    It comes two hours after the last of the daily schedules, and is on where those are; a catalog without market
    datasets has none.
    """
    names = [name for name in catalog.names() if "source" in checks_of(catalog.entry(name))]
    if not names:
        return []
    job = dg.define_asset_job(
        FRESHNESS_JOB,
        dg.AssetSelection.checks(*(dg.AssetCheckKey(dg.AssetKey(name), "source") for name in names)),
        description=(
            "Look whether each dataset is as fresh as its calendar and publication lag say, and what its source was "
            "found to be when it was last asked. Nothing is fetched, and no row is read."
        ),
    )
    return [
        dg.ScheduleDefinition(
            name=FRESHNESS_JOB,
            job=job,
            cron_schedule="0 9 * * *",
            execution_timezone="America/New_York",
            default_status=dg.DefaultScheduleStatus.RUNNING if settings.schedules else dg.DefaultScheduleStatus.STOPPED,
            description="Every day at 09:00 in New York, when the daily runs should be over: which datasets are late.",
        )
    ]
