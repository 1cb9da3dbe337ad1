"""Profiles: which ways a deployment uses, in order of preference, and which of them serve a dataset here.

What belongs here: choosing among ways. What a way does is its source's business; that ways of different series never
mix is decided here, for a route has one series.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from macrocredit_assets.catalog import Catalog
from macrocredit_assets.catalog.models import (
    BloombergWay,
    CboeWay,
    DatasetSpec,
    FileWay,
    FredWay,
    Way,
)
from macrocredit_assets.errors import NotServedError
from macrocredit_assets.settings import Profile
from macrocredit_assets.sources.base import Source

__all__ = ["PROFILES", "Route", "choose", "unserved", "way_label"]

#: Source names in order of preference. Cboe stands before FRED, whose copy of VIX has closing levels alone. Sources
#: that other packages register come first in every profile of real data: who adds one to an entry wants it used.
PROFILES: Mapping[Profile, tuple[str, ...]] = {
    "sample": ("sample",),
    "files": ("file",),
    "public": ("cboe", "fred", "file"),
    "terminal": ("bloomberg", "cboe", "fred", "file"),
}

_BUILT_IN = frozenset(name for names in PROFILES.values() for name in names)


@dataclass(frozen=True)
class Route:
    """How a dataset is served: one series, and its usable ways in order of preference."""

    series: str
    ways: tuple[Way, ...]


def way_label(way: Way) -> str:
    """Name a way as records do: source and what is asked of it, such as ``file:fred_DGS10.csv``."""
    match way:
        case FileWay():
            asked = way.path
        case FredWay():
            asked = way.series_id
        case CboeWay():
            asked = way.symbol
        case BloombergWay():
            asked = way.ticker
        case _:
            asked = way.series.partition(":")[2]
    return f"{way.source}:{asked}"


def choose(spec: DatasetSpec, profile: Profile, sources: Mapping[str, Source]) -> Route:
    """Return all usable ways of the series that the profile prefers; asks no network.

    Raises
    ------
    NotServedError
        If no way can be used, naming every way and its reason.
    """
    preferred = _preferred(spec, profile)
    usable = [way for way in preferred if _reason(way, profile, sources) is None]
    if not usable:
        reasons = "".join(f"\n  {way_label(way)}: {_reason(way, profile, sources)}" for way in spec.ways)
        raise NotServedError(
            f"Profile {profile!r} has no way to {spec.name}:{reasons}\n"
            f"Remove one of these reasons, choose another MACROCREDIT_PROFILE, or run `macrocredit doctor` to see what "
            f"each dataset lacks."
        )
    series = usable[0].series
    return Route(series, tuple(way for way in usable if way.series == series))


def unserved(catalog: Catalog, profile: Profile, sources: Mapping[str, Source]) -> dict[str, str]:
    """Return the datasets that a profile cannot serve, each with the reasons of its ways in one clause."""
    lacking: dict[str, str] = {}
    for spec in catalog.datasets.values():
        preferred = _preferred(spec, profile)
        reasons = [(way_label(way), _reason(way, profile, sources)) for way in preferred]
        if all(reason is not None for _, reason in reasons):
            ways = "; ".join(f"{label}: {reason}" for label, reason in reasons)
            lacking[spec.name] = ways or f"its entry has no way that profile {profile!r} uses"
    return lacking


def _preferred(spec: DatasetSpec, profile: Profile) -> list[Way]:
    order = {name: rank for rank, name in enumerate(PROFILES[profile])}
    return sorted(
        (way for way in spec.ways if _used(way, profile)),
        key=lambda way: order.get(way.source, -1),  # sorted is stable: the entry's order decides among equals
    )


def _used(way: Way, profile: Profile) -> bool:
    return way.source in PROFILES[profile] or (profile != "sample" and way.source not in _BUILT_IN)


def _reason(way: Way, profile: Profile, sources: Mapping[str, Source]) -> str | None:
    if not _used(way, profile):
        return f"profile {profile!r} does not use source {way.source}"
    source = sources.get(way.source)
    if source is None:
        return f"source {way.source} is not installed"
    return source.unavailable(way)
