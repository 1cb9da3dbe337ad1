"""Three months of mornings with a source that misbehaves, run by the example and judged from outside."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from macrocredit_assets.catalog import Catalog, DatasetSpec, load_catalog
from macrocredit_assets.cli import cli
from macrocredit_assets.cli.context import Context
from macrocredit_assets.persistence import DatasetStore
from macrocredit_assets.persistence.run_log import RunDocument, read_runs
from macrocredit_assets.settings import Settings
from macrocredit_assets.stores import open_store
from macrocredit_assets.testing import MisbehavingSource
from macrocredit_assets.windows import Window

pytestmark = pytest.mark.slow

_EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "three_months.py"

# as the example has them
END = date(2024, 3, 31)
WHOLE = Window.parse("2022-12-01", "2024-03-30")
QUARTER = Window.parse("2024-01-02", "2024-03-30")
DATASETS = ("cdx_ig_5y", "cdx_hy_5y", "us_ig_oas", "vix", "ust_10y")


@dataclass(frozen=True)
class Lived:
    """What the trial left."""

    settings: Settings
    catalog: Catalog
    runs: tuple[RunDocument, ...]
    said: str

    def store(self, name: str) -> DatasetStore:
        """Open a dataset."""
        return open_store(self.settings, self.catalog.entry(name))

    def spec(self, name: str) -> DatasetSpec:
        """Return the entry of a market dataset."""
        return self.catalog.datasets[name]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """Run the example in a process of its own: it plugs in a source."""
    root = tmp_path_factory.mktemp("months")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(_EXAMPLE), str(root)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    settings = Settings(root=root, dagster_home=root / ".dagster", profile="files", catalog=root / "catalog.yaml")
    logs = read_runs(settings.logs_directory)
    assert not logs.skipped
    return Lived(settings, load_catalog(settings.catalog), logs.runs, done.stdout)


def test_coverage_is_complete_and_no_signal_is_stale(lived: Lived) -> None:
    """`status --check` on the last morning ends with 0; nothing is missing, late or stale."""
    context = Context(lived.settings, END - timedelta(days=1))
    result = CliRunner().invoke(cli, ["status", "--check", "--json"], obj=context)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["complete"] is True
    assert {entry["name"]: entry["state"] for entry in document["datasets"]} == dict.fromkeys(
        lived.catalog.names(), "complete"
    )
    wanting = [(entry["missing_sessions"], entry["stale_days"], entry["days_late"]) for entry in document["datasets"]]
    assert wanting == [(0, 0, 0)] * 7
    # Good Friday is the 29th; what has a lag of a session comes on the 1st of April
    assert {entry["name"]: entry["last"] for entry in document["datasets"]} == {
        "cdx_ig_5y": "2024-03-28",
        "cdx_hy_5y": "2024-03-28",
        "us_ig_oas": "2024-03-27",
        "vix": "2024-03-27",
        "ust_10y": "2024-03-27",
        "cash_cds_basis_ig": "2024-03-27",
        "cdx_vix_gap": "2024-03-27",
    }


@pytest.mark.parametrize("name", DATASETS)
def test_every_row_is_what_the_source_says_now(lived: Lived, name: str) -> None:
    """Beside these there are only rows that it once had and withdrew, with the values they had."""
    source, spec = MisbehavingSource(), lived.spec(name)
    stored, served = lived.store(name).read_frame(WHOLE), source.serves(spec, WHOLE, END)
    pd.testing.assert_frame_equal(stored.loc[served.index], served, check_freq=False)
    others = stored.drop(served.index)
    assert all(source.story(spec, day.date()).withdrawn for day in others.index)
    pd.testing.assert_frame_equal(others, source.settled(spec, WHOLE).loc[others.index], check_freq=False)


def test_signal_is_that_of_its_final_inputs(lived: Lived) -> None:
    """OAS less CDX on every date that both have, whatever they were when it was first computed."""
    oas, cdx = (lived.store(name).read_frame(WHOLE) for name in ("us_ig_oas", "cdx_ig_5y"))
    expected = (oas["oas"] - cdx["spread"]).dropna()
    basis = lived.store("cash_cds_basis_ig").read_frame(WHOLE)["basis"]
    pd.testing.assert_series_equal(basis, expected.round(4), check_names=False, check_freq=False)


def test_revisions_tell_every_restatement(lived: Lived) -> None:
    """A row that was stored as first printed was changed once, and as of before it is the first print."""
    restated = 0
    for name in DATASETS:
        source, spec, store = MisbehavingSource(), lived.spec(name), lived.store(name)
        column, final = spec.main, source.settled(spec, QUARTER)
        for day in final.index:
            told = store.revision_rows(Window(day.date(), day.date())).to_pylist()
            story = source.story(spec, day.date())
            actions, values = [row["action"] for row in told], [row[column] for row in told]
            if not told:
                # in no morning's answer: it was printed and withdrawn while the machine was off, or is to come
                assert story.withdrawn or story.printed > END - timedelta(days=1), (name, day)
            elif story.printed < story.settled <= END and values[0] != final.loc[day, column]:
                assert (actions, values[1:]) == (["insert", "change"], [final.loc[day, column]]), (name, day)
                first = source.serves(spec, QUARTER, story.printed).loc[day, column]
                assert store.read_frame(as_of=told[0]["known_at"]).loc[day, column] == values[0] == first
                restated += 1
            else:
                assert actions == ["insert"], (name, day)
    assert restated >= 10
    assert f"{restated} rows corrected" in lived.said


def test_the_months_were_bad(lived: Lived) -> None:
    """Late prints, withdrawn rows, outages and retries did happen: a trial that meets none shows nothing."""
    source = MisbehavingSource()
    late = gone = 0
    for name in DATASETS:
        spec, stored = lived.spec(name), lived.store(name).read_frame(QUARTER)
        stories = {day: source.story(spec, day.date()) for day in stored.index}
        gone += sum(story.withdrawn is not None and story.withdrawn <= END for story in stories.values())
        late += sum((story.printed - day.date()).days == 6 for day, story in stories.items())
    assert late >= 2
    assert gone >= 2
    daily = [run for run in lived.runs if run.header.launched_by == "schedule:daily_us"]
    assert len(daily) == 90 - 17
    assert sum(run.status == "failure" for run in daily) >= 3
    assert sum(asset["retries"] for run in daily for asset in run.assets.values()) >= 10
    errors = {asset["error"]["type"] for run in daily for asset in run.assets.values() if asset["status"] == "failed"}
    assert errors == {"TransientSourceError"}


def test_morning_after_twelve_without_ticks_asks_for_all_of_them(lived: Lived) -> None:
    """Others ask for ten days, and never for more than ninety."""
    windows = {run.header.window for run in lived.runs if run.header.launched_by == "schedule:daily_us"}
    spans = {window.end: window for window in (Window.parse(*str(text).split("..")) for text in windows)}
    after = spans[date(2024, 2, 16)]
    assert after.start <= date(2024, 2, 5)
    assert spans[date(2024, 1, 11)].days == 10
    assert max(window.days for window in spans.values()) <= 90
