"""``macrocredit backfill --only-missing``, and the options that take something away."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from macrocredit_assets.catalog import arrow_schema, load_catalog
from macrocredit_assets.cli import cli
from macrocredit_assets.cli.context import Context
from macrocredit_assets.persistence import DatasetStore
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

NAMES = ("vix", "cdx_hy_5y", "cdx_vix_gap")
#: Of the filled root, which ends on 28 March 2024.
START = ("--start", "2023-01-02")


def _invoke(root: Path, *arguments: str, yesterday: date = date(2024, 4, 10)) -> Result:
    context = Context(settings=Settings(root=root, dagster_home=root / ".dagster"), yesterday=yesterday)
    return CliRunner().invoke(cli, arguments, obj=context, prog_name="macrocredit")


def _fill(root: Path, *arguments: str, **options: date) -> list[tuple[str, list[str]]]:
    """Run it, and return the window and the datasets of each run."""
    result = _invoke(root, "backfill", *arguments, "--only-missing", "--json", **options)
    assert result.exit_code == 0, result.output
    return [(run["window"], sorted(run["assets"])) for run in json.loads(result.stdout)]


def _store(root: Path, name: str) -> DatasetStore:
    entry, settings = load_catalog().entry(name), Settings(root=root, dagster_home=root / ".dagster")
    return DatasetStore(settings.dataset_path(entry.kind, name), arrow_schema(entry))


def _rows(store: DatasetStore, day: str) -> pd.DataFrame:
    """Return one row of whatever columns a dataset has."""
    columns = {field.name: pd.array([70], dtype=str(field.type).replace("double", "float64")) for field in store.schema}
    return pd.DataFrame(columns, index=pd.DatetimeIndex([day], name="date"))


def _state(root: Path) -> dict[str, str]:
    result = _invoke(root, "status", *NAMES, "--json")
    return {document["name"]: document["state"] for document in json.loads(result.stdout)["datasets"]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only-missing", "--refetch"], "--refetch for what is"),
        (["vix", "--only-missing", "--allow-withdrawals"], "--allow-withdrawals for what is"),
        (["vix", "--only-missing", "--switch-series", "--reason", "x"], "--switch-series for what is"),
        (["--allow-withdrawals"], "name the datasets"),
        (["--switch-series", "--reason", "x"], "name the datasets"),
        (["vix", "--switch-series"], "--reason"),
        (["vix", "--switch-series", "--reason", " "], "--reason"),
        (["vix", "--reason", "x"], "--switch-series"),
    ],
)
def test_options_that_contradict_each_other_are_refused(tmp_path: Path, arguments: list[str], said: str) -> None:
    """What takes rows away is asked for by name and with a reason, never beside --only-missing; else nothing starts."""
    result = _invoke(tmp_path / "root", "backfill", *arguments, *START)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert not (tmp_path / "root").exists()


def test_nothing_is_done_where_nothing_is_missing(filled: Path) -> None:
    """A complete window is said to be so: no run, no log, and 0."""
    before = sorted(filled.rglob("*"))
    result = _invoke(filled, "backfill", *NAMES, *START, "--only-missing", yesterday=date(2024, 3, 28))
    assert result.exit_code == 0
    assert result.stdout == "Nothing is missing: 3 datasets, 2023-01-02..2024-03-28\n"
    assert _fill(filled, *NAMES, *START, yesterday=date(2024, 3, 28)) == []
    assert sorted(filled.rglob("*")) == before


def test_holes_are_filled_together_and_signals_after_their_inputs(filled: Path) -> None:
    """Datasets that lack the same share a run; the signal's holes are those that their filling opened."""
    # Good Friday is uncovered as well, and belongs to the hole
    window = "2024-03-29..2024-04-10"
    assert _fill(filled, *NAMES, *START) == [(window, ["cdx_hy_5y", "vix"]), (window, ["cdx_vix_gap"])]
    assert set(_state(filled).values()) == {"complete"}
    vix = pd.read_parquet(filled / "data" / "raw" / "vix.parquet")
    gap = pd.read_parquet(filled / "data" / "processed" / "cdx_vix_gap.parquet")
    assert vix.index[-1] == gap.index[-1] == pd.Timestamp("2024-04-10")
    assert _fill(filled, *NAMES, *START) == []


def test_only_what_is_missing_is_asked_for(filled: Path) -> None:
    """Holes on either side are two windows, and what lies between is not fetched again."""
    runs = _fill(filled, "vix", "--start", "2022-12-01")
    assert runs == [("2022-12-01..2023-01-01", ["vix"]), ("2024-03-29..2024-04-10", ["vix"])]


def test_stale_days_are_computed_again(filled: Path) -> None:
    """A restated input makes days of the signal stale; they are computed again, once."""
    vix, gap, until = _store(filled, "vix"), _store(filled, "cdx_vix_gap"), date(2024, 3, 28)
    before = gap.read_frame().iloc[:, 0]
    window = Window.parse("2024-03-20", "2024-03-21")
    vix.write(window, vix.read_frame(window) + 5.0, series="sample:vix")
    assert _fill(filled, *NAMES, *START, yesterday=until) == [("2024-03-20..2024-03-28", ["cdx_vix_gap"])]
    after = gap.read_frame().iloc[:, 0]
    assert after.index[after != before][0] == pd.Timestamp("2024-03-20")
    assert _fill(filled, *NAMES, *START, yesterday=until) == []


def test_failed_run_does_not_stop_the_others(filled: Path) -> None:
    """What cannot be filled ends with 1 and the command that tries it again; all else is filled."""
    (filled / "data" / "raw" / "vix.parquet").unlink()
    shutil.rmtree(filled / "data" / "revisions" / "vix")
    vix = _store(filled, "vix")
    vix.write(Window.parse("2023-01-02", "2024-03-28"), _rows(vix, "2024-03-27"), series="cboe:VIX")
    result = _invoke(filled, "backfill", "vix", "cdx_hy_5y", *START, "--only-missing")
    assert result.exit_code == 1
    retry = next(line for line in result.stdout.splitlines() if line.startswith("retry:"))
    assert retry.endswith("backfill vix --start 2023-01-02 --end 2024-04-10 --only-missing")
    assert _state(filled)["cdx_hy_5y"] == "complete"


def test_refetch_is_the_default_said_aloud(filled: Path) -> None:
    """--refetch asks for the whole window, whatever is covered."""
    result = _invoke(filled, "backfill", "vix", "--start", "2024-03-20", "--end", "2024-03-28", "--refetch", "--json")
    asset = json.loads(result.stdout)["assets"]["vix"]
    assert (asset["inserted"], asset["changed"], asset["unchanged"]) == (0, 0, 7)


def test_series_is_switched_with_a_reason(filled: Path) -> None:
    """A stored series gives way to the one that is served; the reason stands in the revision."""
    hyg = _store(filled, "hyg")
    hyg.write(Window.parse("2024-03-01", "2024-03-28"), _rows(hyg, "2024-03-27"), series="yahoo:HYG")
    arguments = ("backfill", "hyg", "--start", "2024-03-01", "--end", "2024-03-28")
    refused = _invoke(filled, *arguments)
    assert refused.exit_code == 1
    assert "--switch-series" in refused.stdout
    assert _invoke(filled, *arguments, "--switch-series", "--reason", "another vendor").exit_code == 0
    last = hyg.last_revision()
    assert last is not None
    assert (last.kind, last.series, last.reason) == ("switch", "sample:hyg", "another vendor")


def test_withdrawals_are_allowed_by_name(filled: Path) -> None:
    """A stored row that the source does not have is kept, and leaves only where that was asked for."""
    vix, saturday = _store(filled, "vix"), "2024-03-23"
    vix.write(Window.parse(saturday, saturday), _rows(vix, saturday), series="sample:vix")
    arguments = ("backfill", "vix", "--start", "2024-03-20", "--end", "2024-03-28")
    assert _invoke(filled, *arguments).exit_code == 0
    assert pd.Timestamp(saturday) in vix.read_frame().index
    assert _invoke(filled, *arguments, "--allow-withdrawals").exit_code == 0
    assert pd.Timestamp(saturday) not in vix.read_frame().index
