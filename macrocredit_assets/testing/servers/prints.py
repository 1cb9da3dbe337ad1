"""The simulated market as publishers would print it: their series, units, decimals, and rows for closed days.

What belongs here: from catalog entries to texts by date. Which of them are served on a date, the publisher knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pandas as pd

from macrocredit_assets.catalog import Catalog
from macrocredit_assets.catalog.models import CboeWay, DatasetSpec, FredWay, SampleWay
from macrocredit_assets.sources.sample import SampleSource
from macrocredit_assets.windows import Window

__all__ = ["Printed", "prints"]

# since April 2026, FRED serves some three years of what ICE Data Indices owns
_ICE_BOFA, _ICE_YEARS = "BAML", 3


@dataclass(frozen=True)
class Printed:
    """One series of a publisher.

    Parameters
    ----------
    series
        As its publisher calls it.
    rows
        Texts by date, in order.
    lag
        The weekday after a date on which its row is served.
    serves_years
        How far the history goes back; None is to its beginning.
    """

    series: str
    rows: Mapping[date, tuple[str, ...]]
    lag: int
    serves_years: int | None


def prints(catalog: Catalog, window: Window) -> Iterator[Printed]:
    """Yield every series of FRED and Cboe that a catalog knows and the simulation can make, each once."""
    done: set[str] = set()
    for spec in catalog.datasets.values():
        sample = next((way for way in spec.ways if isinstance(way, SampleWay)), None)
        for way in spec.ways:
            if sample is None or not isinstance(way, FredWay | CboeWay):
                continue
            printed = _print(spec, way, sample, window)
            if printed.series not in done:
                done.add(printed.series)
                yield printed


def _print(spec: DatasetSpec, way: FredWay | CboeWay, sample: SampleWay, window: Window) -> Printed:
    frame = SampleSource().fetch(spec, sample, window).frame
    if isinstance(way, CboeWay):
        levels = frame[["open", "high", "low", "close"]]
        rows = {stamp.date(): tuple(f"{level:.6f}" for level in row) for stamp, *row in levels.itertuples()}
        return Printed(way.symbol, rows, spec.publication_lag, None)
    years = _ICE_YEARS if way.series_id.startswith(_ICE_BOFA) else None
    return Printed(way.series_id, _percents(frame[way.column], way.factor), spec.publication_lag, years)


def _percents(values: pd.Series[float], factor: float) -> Mapping[date, tuple[str, ...]]:
    """Print values as FRED does: two decimals, and an empty text on every weekday that has none."""
    if values.empty:
        return {}
    days = pd.DatetimeIndex(values.index)
    rows = {stamp.date(): ("",) for stamp in pd.bdate_range(days[0], days[-1])}
    divisor = Decimal(repr(factor))
    for stamp, value in zip(days, values.tolist(), strict=True):
        rows[stamp.date()] = (f"{Decimal(repr(value)) / divisor:.2f}",)
    return {day: rows[day] for day in sorted(rows)}
