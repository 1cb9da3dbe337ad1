"""Files and catalogs for runs of our own: the simulated market, printed as the files that the catalog describes.

What belongs here: what needs this package to be made; what every contestant is given stands in ``material.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.catalog.models import DatasetSpec, FileWay, SampleWay
from macrocredit_assets.sources.sample import SampleSource
from macrocredit_assets.windows import Window

__all__ = ["catalog_of", "write_files"]

_WINDOW = Window.parse("1996-01-01", "2025-12-31")


def write_files(folder: Path) -> None:
    """Write every file that the shipped catalog names, with simulated rows from 1996 to 2025."""
    folder.mkdir(parents=True, exist_ok=True)
    parts: dict[str, list[pd.DataFrame]] = {}
    for spec, way in _ways():
        parts.setdefault(way.path, []).append(_printed(spec, way))
    for path, frames in parts.items():
        # blocks of a long file stand one after the other, columns of a wide one side by side
        is_long = "index_name" in frames[0].columns
        frame = pd.concat(frames) if is_long else pd.concat(frames, axis="columns", sort=True)
        frame.to_csv(folder / path, lineterminator="\n")


def catalog_of(datasets: int) -> str:
    """Return a catalog file of so many datasets, each with two ways, and nothing of the shipped one."""
    entry = """  made_up_{number:04d}:
    title: Made up {number}
    instrument: Made up
    group: made_up
    owner: team:macro-credit
    description: A dataset for a measurement.
    calendar: us_bond
    main: close
    columns:
      close: {{unit: bp, decimals: 4, plausible: {{low: 1, high: 1000}}, hard: {{low: 0, high: 10000}}}}
    ways:
      - {{source: file, series: "made:{number}", path: "{number}.csv", columns: {{close: {{column: close}}}}}}
      - {{source: sample, series: "sample:made_up_{number:04d}", model: oas, level: 150, stress: 4, noise: 0.004}}
"""
    return "extends: none\ndatasets:\n" + "".join(entry.format(number=number) for number in range(datasets))


def _ways() -> Iterator[tuple[DatasetSpec, FileWay]]:
    for spec in load_catalog().datasets.values():
        yield from ((spec, way) for way in spec.ways if isinstance(way, FileWay))


def _printed(spec: DatasetSpec, way: FileWay) -> pd.DataFrame:
    sample = next(each for each in spec.ways if isinstance(each, SampleWay))
    frame = SampleSource().fetch(spec, sample, _WINDOW).frame
    printed = pd.DataFrame(
        {column.column: (frame[name] / column.factor).round(6) for name, column in way.columns.items()}
    )
    for name, text in way.filters.items():
        printed[name] = text
    printed.index = printed.index.strftime(way.date_format or "%Y-%m-%d")
    return printed.rename_axis(way.date_column)
