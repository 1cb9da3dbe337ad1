"""Assets, one per catalog entry, made by two factories; and the external assets they come from.

What belongs here: how an entry becomes an asset - key, description, partitions, inputs. What must not: how rows are
fetched, judged or written.
"""

import hashlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import dagster as dg

from macrocredit_assets.catalog import Catalog, DatasetSpec, SignalSpec, series_key
from macrocredit_assets.errors import NotServedError
from macrocredit_assets.ingest import Ingested, SignalInput, derive, ingest, stored_beside
from macrocredit_assets.orchestration.metadata import COLUMNS, LOOKBACK_ROWS, LOOKBACK_SHARED, definition_metadata
from macrocredit_assets.orchestration.partitions import DAILY, today, window_of
from macrocredit_assets.orchestration.pools import pool_of
from macrocredit_assets.orchestration.retries import retry_transient
from macrocredit_assets.orchestration.tags import accepted_rules
from macrocredit_assets.settings import Settings
from macrocredit_assets.signals import SignalFunction
from macrocredit_assets.sources import Source
from macrocredit_assets.sources.profiles import Route, choose
from macrocredit_assets.stores import open_store

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
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = []
    external: dict[dg.AssetKey, dg.AssetSpec] = {}
    for spec in catalog.datasets.values():
        try:
            route: Route | None = choose(spec, settings.profile, sources)
        except NotServedError:
            route = None
        source = _source_asset(_series(spec, route), spec)
        external.setdefault(source.key, source)
        assets.append(_market_asset(spec, settings, sources, route))
    assets.extend(external.values())
    assets.extend(_signal_asset(spec, catalog, settings, functions) for spec in catalog.signals.values())
    return assets


def _series(spec: DatasetSpec, route: Route | None) -> str:
    """Return the series that is served, or the entry's first where none is."""
    return route.series if route else spec.ways[0].series


def _source_asset(series: str, spec: DatasetSpec) -> dg.AssetSpec:
    publisher, _, identifier = series.partition(":")
    return dg.AssetSpec(
        dg.AssetKey(series_key(series)),
        description=f"{identifier}, as published by {publisher}: {spec.title}.",
        group_name="sources",
        metadata={"series": series},
        kinds={_kind(publisher)},
    )


def _market_asset(
    spec: DatasetSpec, settings: Settings, sources: Mapping[str, Source], planned: Route | None
) -> dg.AssetsDefinition:
    series = _series(spec, planned)

    def fetch(context: dg.AssetExecutionContext) -> Ingested:
        window = window_of(context.partition_key_range)
        # chosen anew: whether a way is usable is a fact of the moment, not of the code location's start
        route = choose(spec, settings.profile, sources)
        stored = stored_beside(open_store(settings, spec, as_stored=True), window, route.series)
        accept = accepted_rules(context.run.tags)
        with retry_transient(context):
            return ingest(spec, window, route, sources, accept=accept, stored=stored, today=today())

    asset: _Decorator = dg.asset(
        **_definition(spec, settings, series),
        deps=[dg.AssetKey(series_key(series))],
        pool=pool_of(planned) if planned else None,
        kinds={"parquet", _kind(series.partition(":")[0])},
        dagster_type=_INGESTED,
    )
    return asset(fetch)


def _signal_asset(
    spec: SignalSpec, catalog: Catalog, settings: Settings, functions: Mapping[str, SignalFunction]
) -> dg.AssetsDefinition:
    def compute(context: dg.AssetExecutionContext, **inputs: SignalInput) -> Ingested:
        window = window_of(context.partition_key_range)
        return derive(spec, window, inputs, functions, catalog, accept=accepted_rules(context.run.tags))

    asset: _Decorator = dg.asset(
        **_definition(spec, settings, None),
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


def _definition(entry: DatasetSpec | SignalSpec, settings: Settings, series: str | None) -> dict[str, Any]:
    path = settings.dataset_path(entry.kind, entry.name)
    return {
        "name": entry.name,
        "description": entry.description,
        "group_name": entry.group,
        "owners": [entry.owner],
        "tags": {"instrument": _tag(entry.instrument), **({"tenor": _tag(entry.tenor)} if entry.tenor else {})},
        "metadata": definition_metadata(entry, path, series),
        "code_version": hashlib.sha256(entry.model_dump_json().encode()).hexdigest()[:12],
        "partitions_def": DAILY,
        # one run, and one upstream request, per window; anything else is a run per day
        "backfill_policy": dg.BackfillPolicy.single_run(),
    }


def _tag(text: str) -> str:
    """Dagster's tag values are words of letters, digits, ``_``, ``-`` and ``.``."""
    return "".join(character if character.isalnum() or character in "_-." else "_" for character in text)[:63]


def _kind(publisher: str) -> str:
    return publisher.replace("_", "-")
