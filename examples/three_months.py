"""Three months of mornings in a minute: what the daily schedules make of a source that misbehaves.

Rows come late, are printed off and corrected, or are withdrawn again; some mornings nothing is answered, and some have
no tick at all. Each morning is what a schedule asks for at its tick, run as the daemon would run it, with the clock of
that day. At the end coverage is complete, no signal is stale, and every row is what the source says today; the
revisions tell what it said before.

Usage: ``python examples/three_months.py [FOLDER]``
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pandas as pd

from macrocredit_assets.catalog import DatasetSpec, load_catalog
from macrocredit_assets.holdings import Holdings
from macrocredit_assets.orchestration import retries
from macrocredit_assets.orchestration.build import build_definitions
from macrocredit_assets.orchestration.launch import run_backfill
from macrocredit_assets.orchestration.tags import RANGE_END, RANGE_START
from macrocredit_assets.persistence.run_log import read_run
from macrocredit_assets.settings import Settings
from macrocredit_assets.status import statuses
from macrocredit_assets.stores import open_store
from macrocredit_assets.testing import MisbehavingSource, asked_on
from macrocredit_assets.windows import Window

DATASETS = ("cdx_ig_5y", "cdx_hy_5y", "us_ig_oas", "vix", "ust_10y")
SIGNALS = ("cash_cds_basis_ig", "cdx_vix_gap")
HISTORY = Window.parse("2022-12-01", "2023-12-31")
MORNINGS = Window.parse("2024-01-02", "2024-03-31")

#: Mornings without a tick: the machine was off. After the longest time somebody asks again for the days before it,
#: because what was corrected meanwhile is older than what a morning looks at.
MISSED = (
    Window.parse("2024-01-13", "2024-01-14"),
    Window.parse("2024-01-23", "2024-01-23"),
    Window.parse("2024-02-05", "2024-02-16"),
    Window.parse("2024-03-10", "2024-03-11"),
)
ASKED_AGAIN = Window.parse("2024-01-25", "2024-02-16")

_DAY = timedelta(days=1)
_PLUGIN = """[macrocredit_assets.sources]
misbehaving = macrocredit_assets.testing:MisbehavingSource
"""


@dataclass
class Trial:
    """What happened, counted over all runs."""

    settings: Settings
    runs: int = 0
    failed: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def run(self, names: list[str], window: Window, launched_by: str) -> None:
        """Run a window as somebody asks for it."""
        outcome = run_backfill(self.settings, names, window, launched_by=launched_by)
        self.runs += 1
        self.failed += not outcome.success
        for name, asset in read_run(outcome.run_log).assets.items():
            for what in ("retries", "vanished", *(("inserted", "changed") if name in DATASETS else ())):
                self.counts[what] += asset[what] or 0


def deploy(root: Path) -> Settings:
    """Make a root whose catalog has five datasets, each with a way of the source that misbehaves."""
    shipped = load_catalog()
    entries = {}
    for name in DATASETS:
        entry = shipped.datasets[name].model_dump(mode="json", exclude={"name", "kind"})
        sample = [way for way in entry["ways"] if way["source"] == "sample"]
        entries[name] = entry | {"ways": [{"source": "misbehaving", "series": f"misbehaving:{name}"}, *sample]}
    catalog = root / "catalog.yaml"
    others = [name for name in shipped.names() if name not in (*DATASETS, *SIGNALS)]
    catalog.write_text(json.dumps({"remove": others, "datasets": entries}))
    # what pip does for a package that brings a source
    package = root / "plugin" / "misbehaving-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: misbehaving\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(_PLUGIN)
    sys.path.insert(0, str(package.parent))
    return Settings(root=root, dagster_home=root / ".dagster", profile="files", catalog=catalog)


def live_through(settings: Settings) -> Trial:
    """Backfill the history, then let every morning come."""
    trial = Trial(settings)
    retries.FIRST_WAIT_SECONDS = 0.01  # time is simulated, and so is waiting
    schedule = build_definitions(settings).resolve_schedule_def("daily_us")
    with asked_on(MORNINGS.start), dg.partition_loading_context(effective_dt=_seven(MORNINGS.start)):
        trial.run([*DATASETS, *SIGNALS], HISTORY, "macrocredit backfill")
    for morning in MORNINGS:
        if any(morning in missed for missed in MISSED):
            continue
        with asked_on(morning), dg.partition_loading_context(effective_dt=_seven(morning)):
            context = dg.build_schedule_context(scheduled_execution_time=_seven(morning))
            for request in schedule.evaluate_tick(context).run_requests or ():
                names = [key.to_user_string() for key in request.asset_selection or ()]
                window = Window.parse(request.tags[RANGE_START], request.tags[RANGE_END])
                trial.run(names, window, "schedule:daily_us")
            if morning == ASKED_AGAIN.end + _DAY:
                trial.run([*DATASETS, *SIGNALS], ASKED_AGAIN, "macrocredit backfill")
    return trial


def differences(settings: Settings, spec: DatasetSpec) -> list[date]:
    """Return the days whose stored row is not what the source says at the end."""
    source, window = MisbehavingSource(), Window(HISTORY.start, MORNINGS.end - _DAY)
    stored = open_store(settings, spec).read_frame(window)
    served = source.serves(spec, window, MORNINGS.end)
    withdrawn = [day for day in stored.index.difference(served.index) if source.story(spec, day.date()).withdrawn]
    wanted = pd.concat([served, source.settled(spec, window).loc[withdrawn]])
    wrong = stored.index.symmetric_difference(wanted.index)
    shared = stored.index.intersection(wanted.index)
    return [day.date() for day in wrong.union(shared[(stored.loc[shared] != wanted.loc[shared]).any(axis=1)])]


def main() -> None:
    """Run the trial and say what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        settings = deploy(Path(sys.argv[1] if len(sys.argv) > 1 else folder))
        trial = live_through(settings)
        counts = trial.counts
        print(f"{trial.runs} runs for {MORNINGS.days} mornings, {trial.failed} of them failed at some dataset")
        print(
            f"{counts['retries']} retries, {counts['changed']} rows corrected, {counts['vanished']} times one was gone"
        )
        catalog = load_catalog(settings.catalog)
        for status in statuses(Holdings(settings, catalog), catalog.names(), today=MORNINGS.end, unserved=dict):
            print(f"{status.name:<18} {status.state}, {status.rows} rows, until {status.last}")
        for spec in catalog.datasets.values():
            print(f"{spec.name:<18} {len(differences(settings, spec))} rows differ from what the source says now")


def _seven(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 7, tzinfo=ZoneInfo("America/New_York"))


if __name__ == "__main__":
    main()
