"""How costs grow with datasets and years: ``uv run --group bench python -m benchmarks.growth --chart FILE``.

Each command is run in a process of its own, from a cold start to its exit. What grows no faster than its size has a
slope of at most one between any two sizes, seen on logarithmic scales; a start that costs the same whatever comes
after it only lowers the slope.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from zoneinfo import ZoneInfo

from benchmarks.cold import MACROCREDIT, PYTHON, clean_environment
from benchmarks.files import catalog_of
from benchmarks.report import machine

DATASETS = (1, 10, 100, 1_000)
YEARS = (1, 5, 20)
#: Noise aside: between two sizes, what is linear grows by a slope of one.
STEEPEST = 1.1

_LOAD = "from macrocredit_assets.definitions import defs; defs.resolve_all_job_defs()"
_PANEL = (
    "import macrocredit_assets as m; from macrocredit_assets.catalog import load_catalog; import os, pathlib;"
    "m.load_panel(sorted(load_catalog(pathlib.Path(os.environ['MACROCREDIT_CATALOG'])).datasets))"
)


@dataclass(frozen=True)
class Growth:
    """One thing that is done, at several sizes.

    Parameters
    ----------
    title
        What is done.
    unit
        What the sizes count.
    sizes, seconds
        How much of it, and how long it took.
    """

    title: str
    unit: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]

    @property
    def steepest(self) -> float:
        """The largest slope between two neighbouring sizes, on logarithmic scales; 1 is linear. Of one size it is 0."""
        points = list(zip(self.sizes, self.seconds, strict=True))
        slopes = (
            math.log(after / before) / math.log(larger / smaller)
            for (smaller, before), (larger, after) in pairwise(points)
        )
        return max(slopes, default=0.0)


def main() -> None:
    """Measure, print, draw; exit 1 where anything grows faster than linearly."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--chart", type=Path, help="draw them into this file, .svg or .png")
    parser.add_argument("--out", type=Path, help="write the results as JSON, too")
    parser.add_argument("--most", type=int, default=DATASETS[-1], help="so many datasets at most")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = measure(Path(folder), [count for count in DATASETS if count <= options.most], YEARS)
    print(table(results))
    if options.chart:
        draw(results, options.chart)
    if options.out:
        document = {"machine": machine(), "results": [{**asdict(each), "steepest": each.steepest} for each in results]}
        options.out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if any(each.steepest > STEEPEST for each in results):
        sys.exit(1)


def measure(folder: Path, datasets: Sequence[int], years: Sequence[int]) -> list[Growth]:
    """Run every command at every size."""
    today = datetime.now(ZoneInfo("America/New_York")).date()
    year = ["--start", str(today - timedelta(days=366)), "--end", str(today - timedelta(days=2))]
    seconds: dict[str, list[float]] = {}
    for count in datasets:
        root = _room(folder, count)
        for title, command in (
            ("load the code location", [PYTHON, "-c", _LOAD]),
            ("backfill of a year", [MACROCREDIT, "backfill", *year]),
            ("daily run, checks included", [MACROCREDIT, "ingest"]),
            ("macrocredit status", [MACROCREDIT, "status"]),
            ("load_panel of a year", [PYTHON, "-c", _PANEL]),
        ):
            seconds.setdefault(title, []).append(_timed(command, root))
        shutil.rmtree(root)
    grown = [Growth(title, "datasets", tuple(datasets), tuple(taken)) for title, taken in seconds.items()]
    taken = []
    for count in years:
        root = _room(folder, 10)
        command = [MACROCREDIT, "backfill", "--start", f"{2025 - count}-01-01", "--end", "2024-12-31"]
        taken.append(_timed(command, root))
        shutil.rmtree(root)
    return [*grown, Growth("backfill of 10 datasets", "years", tuple(years), tuple(taken))]


def table(results: Sequence[Growth]) -> str:
    """Return the results as tables of Markdown, one for each unit."""
    lines = []
    for unit in dict.fromkeys(each.unit for each in results):
        chosen = [each for each in results if each.unit == unit]
        sizes = chosen[0].sizes
        lines += [f"| {unit} | {' | '.join(f'{size:,}' for size in sizes)} | steepest slope |"]
        lines += ["| --- |" + " ---: |" * (len(sizes) + 1)]
        for each in chosen:
            cells = [f"{taken:.2f} s" for taken in each.seconds]
            steepest = f"{each.steepest:.2f}" if len(sizes) > 1 else ""
            lines.append(f"| {each.title} | {' | '.join(cells)} | {steepest} |")
        lines.append("")
    return "\n".join(lines)


def draw(results: Sequence[Growth], path: Path) -> None:
    """Draw seconds over sizes on logarithmic scales, with what linear growth would look like."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

    colours = {each.title: f"C{number}" for number, each in enumerate(results)}
    units = list(dict.fromkeys(each.unit for each in results))
    figure, panels = plt.subplots(1, len(units), figsize=(9, 3.6), squeeze=False, sharey=True)
    for unit, panel in zip(units, panels[0], strict=True):
        chosen = [each for each in results if each.unit == unit]
        for each in chosen:
            panel.loglog(
                each.sizes, each.seconds, color=colours[each.title], marker="o", markersize=3, label=each.title
            )
        low, high = panel.get_xlim()
        bottom = panel.get_ylim()[0]
        panel.plot([low, high], [bottom, bottom * high / low], color="0.8", linestyle="--", zorder=0, label="linear")
        panel.set_xlim(low, high)
        panel.set_xlabel(unit)
        panel.xaxis.set_major_locator(FixedLocator(chosen[0].sizes))
        panel.xaxis.set_minor_locator(NullLocator())
        panel.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        panel.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        panel.spines[["top", "right"]].set_visible(False)
        panel.legend(fontsize=7, frameon=False)
    panels[0][0].set_ylabel("seconds")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _room(folder: Path, count: int) -> Path:
    root = folder / f"root_{count}"
    root.mkdir()
    (root / "catalog.yaml").write_text(catalog_of(count), encoding="utf-8")
    return root


def _timed(command: Sequence[str], root: Path) -> float:
    environment = {
        **clean_environment(),
        "MACROCREDIT_ROOT": str(root),
        "MACROCREDIT_CATALOG": str(root / "catalog.yaml"),
    }
    started = perf_counter()
    subprocess.run(command, env=environment, cwd=root, check=True, capture_output=True)
    return perf_counter() - started


if __name__ == "__main__":
    main()
