"""Assets, one per catalog entry, made by two factories.

What belongs here: how an entry becomes an asset - key, partitions, inputs. What must not: how rows are fetched, judged
or written, and what is said of an asset (``descriptions.py``, ``definition_metadata.py``).
"""

import hashlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import dagster as dg

from macrocredit_assets.catalog import Catalog, DatasetSpec, SignalSpec, series_key
from macrocredit_assets.errors import NotServedError
from macrocredit_assets.ingest import Ingested, SignalInput, derive, ingest, signal_series, stored_beside
from macrocredit_assets.orchestration.definition_metadata import (
    code_reference,
    definition_metadata,
    function_reference,
)
from macrocredit_assets.orchestration.descriptions import describe_dataset, describe_signal
from macrocredit_assets.orchestration.metadata import COLUMNS, LOOKBACK_ROWS, LOOKBACK_SHARED
from macrocredit_assets.orchestration.partitions import DAILY, today, window_of
from macrocredit_assets.orchestration.pools import pool_of
from macrocredit_assets.orchestration.retries import retry_transient
from macrocredit_assets.orchestration.source_assets import build_source_assets, kind_of
from macrocredit_assets.orchestration.tags import accepted_rules
from macrocredit_assets.orchestration.violations import violations_shown
from macrocredit_assets.settings import Settings
from macrocredit_assets.signals import SignalFunction
from macrocredit_assets.sources import Source
from macrocredit_assets.sources.profiles import Route, choose
from macrocredit_assets.stores import open_store, rows_path

__all__ = ["build_assets"]

_Decorator = Callable[[Callable[..., Ingested]], dg.AssetsDefinition]

_INGESTED = dg.PythonObjectDagsterType(Ingested)
_SIGNAL_INPUT = dg.PythonObjectDagsterType(SignalInput)


def build_assets(
    catalog: Catalog,
    settings: Settings,
    sources: Mapping[str, Source],
    functions: Mapping[str, SignalFunction],
) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """Return an asset for every entry of the catalog, and an external one for every series the profile chose.

    A dataset that the profile cannot serve keeps its asset, so that the lineage shows it; its materialization fails
    and says why.
    """
    with warnings.catch_warnings():
        # `backfill_policy` is beta; dagster is pinned for its sake, and its users need not be told at every start
        warnings.simplefilter("ignore", dg.BetaWarning)
        return _build_assets(catalog, settings, sources, functions)


def _build_assets(
    catalog: Catalog,
    settings: Settings,
    sources: Mapping[str, Source],
    functions: Mapping[str, SignalFunction],
) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    routes = {name: _route(spec, settings, sources) for name, spec in catalog.datasets.items()}
    series = {name: _series(spec, routes[name]) for name, spec in catalog.datasets.items()}
    return [
        *(_market_asset(spec, catalog, settings, sources, routes[name]) for name, spec in catalog.datasets.items()),
        *build_source_assets(catalog, series),
        *(_signal_asset(spec, catalog, settings, functions) for spec in catalog.signals.values()),
    ]


def _route(spec: DatasetSpec, settings: Settings, sources: Mapping[str, Source]) -> Route | None:
    """Return the way that the profile takes, or None where it has none."""
    try:
        return choose(spec, settings.profile, sources)
    except NotServedError:
        return None


def _series(spec: DatasetSpec, route: Route | None) -> str:
    """Return the series that is served, or the entry's first where none is."""
    return route.series if route else spec.ways[0].series


def _market_asset(
    spec: DatasetSpec, catalog: Catalog, settings: Settings, sources: Mapping[str, Source], planned: Route | None
) -> dg.AssetsDefinition:
    series, pool = _series(spec, planned), pool_of(planned) if planned else None

    def fetch(context: dg.AssetExecutionContext) -> Ingested:
        window = window_of(context.partition_key_range)
        # chosen anew: whether a way is usable is a fact of the moment, not of the code location's start
        route = choose(spec, settings.profile, sources)
        stored = stored_beside(open_store(settings, spec, as_stored=True), window, route.series)
        accept = accepted_rules(context.run.tags)
        with retry_transient(context), violations_shown():
            return ingest(spec, window, route, sources, accept=accept, stored=stored, today=today())

    asset: _Decorator = dg.asset(
        **_definition(spec, settings, series, code_reference(catalog.places.get(spec.name), spec.name)),
        description=describe_dataset(spec, series, planned, pool),
        deps=[dg.AssetKey(series_key(series))],
        pool=pool,
        kinds={"parquet", kind_of(series)},
        dagster_type=_INGESTED,
    )
    return asset(fetch)


def _signal_asset(
    spec: SignalSpec, catalog: Catalog, settings: Settings, functions: Mapping[str, SignalFunction]
) -> dg.AssetsDefinition:
    def compute(context: dg.AssetExecutionContext, **inputs: SignalInput) -> Ingested:
        window = window_of(context.partition_key_range)
        stored = stored_beside(open_store(settings, spec, as_stored=True), window, signal_series(spec))
        accept = accepted_rules(context.run.tags)
        with violations_shown():
            return derive(spec, window, inputs, functions, catalog, accept=accept, stored=stored)

    function = functions.get(spec.function)
    references = [*code_reference(catalog.places.get(spec.name), spec.name), *function_reference(function)]
    asset: _Decorator = dg.asset(
        **_definition(spec, settings, None, references),
        description=describe_signal(spec, function, catalog),
        ins=dict(_signal_inputs(spec)),
        kinds={"parquet", "pandas"},
        dagster_type=_INGESTED,
    )
    return asset(compute)


def _signal_inputs(spec: SignalSpec) -> Iterator[tuple[str, dg.AssetIn]]:
    """Yield one input per dataset, with the columns of it that the signal reads and the lookback to load."""
    shared = [f"{wanted.dataset}.{wanted.column}" for wanted in spec.inputs.values()]
    for dataset in dict.fromkeys(wanted.dataset for wanted in spec.inputs.values()):
        columns = [wanted.column for wanted in spec.inputs.values() if wanted.dataset == dataset]
        metadata = {COLUMNS: columns, LOOKBACK_ROWS: spec.lookback, LOOKBACK_SHARED: shared}
        yield dataset, dg.AssetIn(key=dataset, metadata=metadata, dagster_type=_SIGNAL_INPUT)


def _definition(
    entry: DatasetSpec | SignalSpec,
    settings: Settings,
    series: str | None,
    references: list[dg.LocalFileCodeReference],
) -> dict[str, Any]:
    return {
        "name": entry.name,
        "group_name": entry.group,
        "owners": [entry.owner],
        "tags": _tags(entry),
        "metadata": definition_metadata(entry, rows_path(settings, entry), series, references),
        "code_version": hashlib.sha256(entry.model_dump_json().encode()).hexdigest()[:12],
        "partitions_def": DAILY,
        # one run, and one upstream request, per window; anything else is a run per day
        "backfill_policy": dg.BackfillPolicy.single_run(),
    }


def _tags(entry: DatasetSpec | SignalSpec) -> dict[str, str]:
    tags = {
        "instrument": entry.instrument,
        "tenor": entry.tenor or "",
        "unit": entry.columns[entry.main].unit,
        "calendar": entry.calendar,
    }
    return {key: _tag(value) for key, value in tags.items() if value}


def _tag(text: str) -> str:
    """Dagster's tag values are words of letters, digits, ``_``, ``-`` and ``.``."""
    return "".join(character if character.isalnum() or character in "_-." else "_" for character in text)[:63]
