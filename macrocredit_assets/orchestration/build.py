"""From settings to fresh Dagster definitions; nothing here reads the environment."""

import dagster as dg

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.orchestration.assets import build_assets
from macrocredit_assets.orchestration.checks import build_checks
from macrocredit_assets.orchestration.descriptions import INGEST
from macrocredit_assets.orchestration.executor import build_executor
from macrocredit_assets.orchestration.freshness_job import build_freshness
from macrocredit_assets.orchestration.io_manager import ParquetIOManager
from macrocredit_assets.orchestration.partitions import today
from macrocredit_assets.orchestration.prune import build_prune_job
from macrocredit_assets.orchestration.schedules import build_schedules
from macrocredit_assets.settings import Settings
from macrocredit_assets.signals import signal_functions
from macrocredit_assets.sources import build_sources

__all__ = ["INGEST_JOB", "build_definitions"]

#: The job that materializes every dataset; the command line runs a selection of it.
INGEST_JOB = "ingest"


def build_definitions(settings: Settings) -> dg.Definitions:
    """Return assets, jobs, schedules, IO manager and executor of a deployment.

    Raises
    ------
    CatalogError
        If the catalog cannot be used; Dagster then shows the message in place of the code location.
    """
    catalog = load_catalog(settings.catalog)
    selection = dg.AssetSelection.assets(*catalog.names())
    return dg.Definitions(
        assets=build_assets(catalog, settings, build_sources(settings, today=today), signal_functions()),
        asset_checks=build_checks(catalog, settings),
        jobs=[
            dg.define_asset_job(INGEST_JOB, selection, description=INGEST),
            build_prune_job(settings),
        ],
        schedules=[*build_schedules(settings, catalog, INGEST_JOB), *build_freshness(settings, catalog)],
        resources={
            "io_manager": ParquetIOManager(
                root=str(settings.root),
                profile=settings.profile,
                catalog=str(settings.catalog) if settings.catalog else None,
            )
        },
        executor=build_executor(settings),
    )
