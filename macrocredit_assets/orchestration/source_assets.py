"""The external assets: the series that the profile chose, as their publishers have them.

What belongs here: how a series becomes an asset that is looked at and never run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import dagster as dg

from macrocredit_assets.catalog import Catalog, DatasetSpec, series_key
from macrocredit_assets.orchestration.attribution import attribution_of
from macrocredit_assets.orchestration.definition_metadata import code_reference
from macrocredit_assets.orchestration.descriptions import describe_source
from macrocredit_assets.orchestration.metadata import Value

__all__ = ["build_source_assets", "kind_of"]


def build_source_assets(catalog: Catalog, series: Mapping[str, str]) -> Iterable[dg.AssetSpec]:
    """Return one external asset for every series.

    Parameters
    ----------
    catalog
        What exists.
    series
        Dataset -> the series that it is made of.
    """
    feeds: dict[str, list[DatasetSpec]] = defaultdict(list)
    for name, each in series.items():
        feeds[each].append(catalog.datasets[name])
    return [_source_asset(each, specs, catalog) for each, specs in feeds.items()]


def kind_of(series: str) -> str:
    """Return what the UI shows as the kind of a series: its publisher."""
    return series.partition(":")[0].replace("_", "-")


def _source_asset(series: str, feeds: list[DatasetSpec], catalog: Catalog) -> dg.AssetSpec:
    spec, publisher = feeds[0], attribution_of(series)
    metadata: dict[str, Value] = {"series": series, "publisher": publisher.name}
    if page := publisher.page_of(series.partition(":")[2]):
        metadata["page"] = dg.MetadataValue.url(page)
    way = next(number for number, way in enumerate(spec.ways) if way.series == series)
    if references := code_reference(catalog.places.get(spec.name), f"{spec.name}, way {way + 1}", way):
        metadata["dagster/code_references"] = dg.CodeReferencesMetadataValue(code_references=[*references])
    return dg.AssetSpec(
        dg.AssetKey(series_key(series)),
        description=describe_source(series, feeds),
        group_name="sources",
        owners=list(dict.fromkeys(each.owner for each in feeds)),
        metadata=metadata,
        kinds={kind_of(series)},
    )
