"""From rows ready to be written to the file, the registry and the run log: the one way in, for every kind of run.

What belongs here: in which order a write is done and told. What must not: how bytes are written (``persistence``), what
a good row is (``ingest``), and Dagster.
"""

from __future__ import annotations

from time import perf_counter

from macrocredit_assets.catalog import DatasetSpec, SignalSpec
from macrocredit_assets.ingest import Ingested
from macrocredit_assets.persistence import DataRegistry, RunLog
from macrocredit_assets.persistence.records import AssetRecord, Provenance
from macrocredit_assets.quality import vanished_finding
from macrocredit_assets.settings import Settings
from macrocredit_assets.stores import open_store
from macrocredit_assets.sync import sync
from macrocredit_assets.windows import Coverage, Window

__all__ = ["tell", "write"]


def write(
    settings: Settings,
    entry: DatasetSpec | SignalSpec,
    ingested: Ingested,
    *,
    run_id: str,
    withdraw: bool = False,
    switch_reason: str | None = None,
) -> AssetRecord:
    """Write rows to the file of their dataset, and return the record of it, which nobody was told yet.

    Parameters
    ----------
    settings, entry
        Where, and what.
    ingested
        The rows, and how they came.
    run_id
        The run; it goes into the revision.
    withdraw, switch_reason
        As :meth:`~macrocredit_assets.persistence.DatasetStore.write` takes them; a reason allows to switch the series.

    Raises
    ------
    StoreError
        As :meth:`~macrocredit_assets.persistence.DatasetStore.write`; nothing was written.
    CorruptFileError
        If the stored file or the registry cannot be read; nothing was written.
    """
    # a registry that does not parse is told before the write, not after it
    DataRegistry(settings.registry_path, settings.data_directory).find_entry(entry.name)
    started = perf_counter()
    result = open_store(settings, entry).write(
        ingested.window,
        ingested.frame,
        series=ingested.series,
        answered=ingested.answered,
        replace=entry.kind == "signal",
        withdraw=withdraw,
        switch=switch_reason is not None,
        provenance=Provenance(
            run_id,
            ingested.ways,
            ingested.inputs,
            switch_reason,
            ingested.definition,
            ingested.landing,
            _accepted(ingested),
        ),
    )
    return AssetRecord(
        dataset=entry.name,
        window=ingested.window,
        status="written" if result.written else "unchanged",
        series=ingested.series,
        ways=ingested.ways,
        rows_read=ingested.rows_read,
        dropped=ingested.dropped,
        result=result,
        findings=ingested.findings
        + vanished_finding(entry, ingested.window, result.vanished, result.vanished_dates, withdraw=withdraw),
        accepted=ingested.accepted,
        seconds={**ingested.seconds, "write": perf_counter() - started},
        landing=ingested.landing,
    )


def _accepted(ingested: Ingested) -> dict[str, Coverage]:
    """Return the dates of the rows that broke rules which were waived."""
    dates: dict[str, Coverage] = {}
    for one in ingested.findings:
        if one.rule in ingested.accepted and not one.accepted:
            broken = Coverage.of(Window(day, day) for day in one.dates)
            dates[one.rule] = dates.get(one.rule, Coverage()).union(broken)
    return {rule: found for rule, found in dates.items() if found}


def tell(
    settings: Settings,
    entry: DatasetSpec | SignalSpec,
    record: AssetRecord,
    *,
    run_id: str,
    asset_key: str | None = None,
    code_version: str | None = None,
) -> RunLog:
    """Tell the run log and the registry of a write, in this order; return the log.

    What was written is on record before anything that may fail.

    Parameters
    ----------
    settings, entry, record
        What was written where.
    run_id
        The run.
    asset_key, code_version
        As Dagster names them; a run without Dagster has the dataset's name, and no version.
    """
    log = RunLog(settings.logs_directory, run_id)
    log.add(record)
    sync(settings, entry, record, run_id=run_id, asset_key=asset_key or entry.name, code_version=code_version)
    return log
