"""``macrocredit backfill``: what it refuses, what it says, and what it leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from macrocredit_assets.cli import cli
from macrocredit_assets.cli.context import Context
from macrocredit_assets.settings import Settings

Run = Callable[..., Result]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--start", "2024-02-01", "--end", "2024-01-01"], "--start 2024-01-01 --end 2024-02-01"),
        (["--start", "2999-01-01"], "yesterday in New York"),
        (["--start", "2999-01-01", "--end", "2999-02-01"], "yesterday in New York"),
        (["--start", "1989-12-31", "--end", "1995-01-01"], "--start 1990-01-01"),
        (["--end", "2024-01-01"], "Missing option '--start'"),
        (["vix", "vixx", "--start", "2024-01-01"], "Did you mean vix?"),
        (["--start", "2024-01-01", "--accept", "unit_slipp"], "unit_slip"),
    ],
)
def test_wrong_request_is_refused_before_anything_is_written(
    run: Run, tmp_path: Path, arguments: list[str], said: str
) -> None:
    """A request that cannot be met ends with 2 and the remedy, and leaves no file."""
    result = run("backfill", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (tmp_path / "fresh").exists()


def test_other_kind_of_data_is_refused_with_the_command_that_works(run: Run, filled: Path) -> None:
    """A root with sample data refuses real data, and names the same command with a root of its own."""
    result = run(
        "backfill", "vix", "--start", "2024-01-01", root=filled, MACROCREDIT_PROFILE="files", MACROCREDIT_FILES="."
    )
    assert result.exit_code == 2
    assert "MACROCREDIT_ROOT=" in result.stderr
    assert "macrocredit backfill vix --start 2024-01-01" in result.stderr


def test_dataset_that_the_profile_cannot_serve_is_refused_with_the_reason(run: Run) -> None:
    """A named dataset without a usable way ends with 2 and says what is missing."""
    result = run("backfill", "vix", "--start", "2024-01-01", MACROCREDIT_PROFILE="files")
    assert result.exit_code == 2
    assert "MACROCREDIT_FILES" in result.stderr


def test_profile_that_serves_nothing_is_refused(run: Run) -> None:
    """Where not one dataset can be served, all of them is no request that can be met."""
    result = run("backfill", "--start", "2024-01-01", MACROCREDIT_PROFILE="files")
    assert result.exit_code == 2
    assert "can serve no dataset" in result.stderr
    assert "macrocredit doctor" in result.stderr


def test_what_the_profile_cannot_serve_is_left_out_and_said(run: Run, tmp_path: Path) -> None:
    """Without names, datasets that cannot be served are left out, and the signals made from them too."""
    (tmp_path / "vix_daily_cboe.csv").write_text("DATE,OPEN,HIGH,LOW,CLOSE\n2024-01-02,13.21,14.23,13.10,13.20\n")
    window = ["--start", "2024-01-02", "--end", "2024-01-02"]
    result = run("backfill", *window, MACROCREDIT_PROFILE="files", MACROCREDIT_FILES=str(tmp_path))
    assert result.exit_code == 0
    assert "Backfilling 1 dataset, " in result.stdout
    left_out = result.stderr.splitlines()[0].partition("them: ")[2].split(", ")
    assert len(left_out) == 20
    assert {"move", "cdx_vix_gap"} <= set(left_out)
    assert "macrocredit doctor" in result.stderr


def test_written_data_are_reported_line_by_line_where_nobody_watches(backfilled: tuple[Path, Result]) -> None:
    """Outside a terminal every dataset has a plain line when it is done, and a row of the table at the end."""
    root, result = backfilled
    lines = result.stdout.splitlines()
    assert lines[0] == "Backfilling 3 datasets, 2023-01-02..2024-03-28 (452 days)"
    assert sorted(lines[1:4]) == ["cdx_hy_5y: done", "cdx_vix_gap: done", "vix: done"]
    table = {line.split()[0]: line.split()[1:] for line in lines[5:9]}
    assert table["dataset"] == ["new", "changed", "same", "first", "last", "findings"]
    vix = pd.read_parquet(root / "data" / "raw" / "vix.parquet")
    assert table["vix"] == [str(len(vix)), "0", "0", f"{vix.index[0]:%Y-%m-%d}", f"{vix.index[-1]:%Y-%m-%d}"]
    assert "\x1b" not in result.stdout


def test_report_ends_with_the_run_log_and_what_to_do_next(backfilled: tuple[Path, Result]) -> None:
    """The last lines name a run log that exists, and a command that speaks of the same root."""
    root, result = backfilled
    words = {
        line.split()[0]: line.split(maxsplit=1)[1]
        for line in result.stdout.splitlines()
        if ":   " in line or ": /" in line
    }
    log = next(line for line in result.stdout.splitlines() if line.startswith("run log: ")).removeprefix("run log: ")
    assert Path(log).is_file()
    assert words["next:"] == f"MACROCREDIT_ROOT={root} macrocredit show vix --tail 5"


def test_json_is_the_run_log(run: Run, filled: Path) -> None:
    """With --json the output is the run log as it stands on disk, and nothing else."""
    result = run("backfill", "vix", "--start", "2024-03-27", "--end", "2024-04-02", "--json", root=filled)
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    logs = [*(filled / "logs" / "runs").glob("*/*.json")]
    assert document in [json.loads(path.read_text()) for path in logs]
    asset = document["assets"]["vix"]
    # 29 March 2024 was Good Friday: of 28 March stored, 1 and 2 April are new
    assert (asset["inserted"], asset["changed"], asset["unchanged"]) == (2, 0, 2)


def test_end_in_the_future_is_clipped_and_said(filled: Path) -> None:
    """An end that is not over becomes yesterday, and one line says so."""
    settings = Settings(root=filled, dagster_home=filled / ".dagster")
    context = Context(settings=settings, yesterday=date(2024, 4, 2))
    arguments = ["backfill", "vix", "--start", "2024-04-01", "--end", "2024-04-03"]
    result = CliRunner().invoke(cli, arguments, obj=context)
    assert result.exit_code == 0
    assert result.stderr == "2024-04-03 is not over yet: the window ends on 2024-04-02, yesterday in New York.\n"
    assert "1 dataset, 2024-04-01..2024-04-02 (2 days)" in result.stdout
    assert pd.read_parquet(filled / "data" / "raw" / "vix.parquet").index[-1] == pd.Timestamp("2024-04-02")


def test_failed_dataset_is_told_with_the_command_that_repeats_just_it(run: Run, filled: Path) -> None:
    """A run in which something fails ends with 1, says why, and names what is left to do."""
    (filled / "data" / "raw" / "vix.parquet").write_bytes(b"no parquet")
    names = ["vix", "cdx_hy_5y", "cdx_vix_gap"]
    result = run("backfill", *names, "--start", "2024-03-01", "--end", "2024-03-05", root=filled)
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert "vix: failed" in result.stdout
    assert "vix.parquet" in result.stdout
    retry = next(line for line in result.stdout.splitlines() if line.startswith("retry:"))
    assert retry.endswith("macrocredit backfill vix cdx_vix_gap --start 2024-03-01 --end 2024-03-05")
    written = next(line for line in result.stdout.splitlines() if line.startswith("cdx_hy_5y "))
    assert written.split()[1:4] == ["0", "0", "3"]


def test_rule_that_stops_a_write_is_told_with_one_command(run: Run, tmp_path: Path) -> None:
    """The message has the command that waives it; the same once more, without the waiver, is no second one."""
    catalog = tmp_path / "desk.yaml"
    catalog.write_text(
        "datasets:\n"
        "  desk_ig:\n"
        "    title: CDX IG 10Y\n"
        "    instrument: CDX.NA.IG\n"
        "    group: credit_indices\n"
        "    owner: team:desk\n"
        "    description: Of the desk.\n"
        "    calendar: us_bond\n"
        "    main: spread\n"
        "    columns: {spread: {unit: bp, decimals: 3, hard: {low: 0, high: 1}}}\n"
        "    ways: [{source: sample, series: 'sample:x', model: spread, level: 85, stress: 3.5, noise: 0.008}]\n"
    )
    asked = ("backfill", "desk_ig", "--start", "2024-03-01", "--end", "2024-03-05")
    result = run(*asked, MACROCREDIT_CATALOG=str(catalog))
    assert result.exit_code == 1
    assert f"macrocredit {' '.join(asked)} --accept hard_bounds\n" in result.stdout
    assert "retry:" not in result.stdout


def test_yesterday_is_that_of_new_york(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The last closed day is one of the two that differ from now, in UTC, by less than two days."""
    monkeypatch.chdir(tmp_path)
    today = pd.Timestamp.now("UTC").date()
    assert Context.current().yesterday in {today - timedelta(days=1), today - timedelta(days=2)}
