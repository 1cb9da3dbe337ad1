"""``macrocredit backfill``: plans that are shown, inputs of signals, and windows in parts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]

WINDOW = ("--start", "2024-01-01", "--end", "2024-03-28")


def _state(root: Path) -> dict[Path, tuple[int, int]]:
    """Return every file and folder, with when it was changed and how large it is."""
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in [root, *root.rglob("*")]}


def _runs(result: Result) -> list[tuple[str, list[str]]]:
    assert result.exit_code == 0, result.output
    return [(run["window"], run["datasets"]) for run in json.loads(result.stdout)["runs"]]


def test_plan_is_shown_and_nothing_is_made(run: Run, tmp_path: Path) -> None:
    """A dry run names runs, windows, days and datasets; neither the root nor a home comes into being."""
    home = tmp_path / "home"
    result = run("backfill", *WINDOW, "--chunk", "2m", "--dry-run", DAGSTER_HOME=str(home))
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "Plan: 2 runs, 21 datasets, 2024-01-01..2024-03-28 (88 days)"
    assert lines[1].startswith("Datasets of each run: cdx_ig_5y, cdx_hy_5y, ")
    assert [line.split() for line in lines[3:6]] == [
        ["run", "window", "days", "datasets"],
        ["1", "2024-01-01..2024-02-29", "60", "all", "21"],
        ["2", "2024-03-01..2024-03-28", "28", "all", "21"],
    ]
    assert lines[-1] == "Nothing was started, and nothing was written."
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("more", [(), ("--only-missing",), ("--json",), ("--refetch", "--chunk", "1m")])
def test_plan_touches_nothing_that_is_there(run: Run, filled: Path, more: tuple[str, ...]) -> None:
    """Not one file of data, logs or home is written, made or removed by a dry run."""
    before = _state(filled)
    arguments = ("vix", "cdx_vix_gap", "cash_cds_basis_hy", "--start", "2022-01-01", "--with-inputs")
    assert run("backfill", *arguments, "--dry-run", *more, root=filled).exit_code == 0
    assert _state(filled) == before


def test_plan_says_what_is_left_out_and_why(run: Run, tmp_path: Path) -> None:
    """What the profile cannot serve, and what is complete, stands below the runs with its reason."""
    (tmp_path / "vix_daily_cboe.csv").write_text("DATE,OPEN,HIGH,LOW,CLOSE\n2024-01-02,13.21,14.23,13.10,13.20\n")
    result = run("backfill", *WINDOW, "--dry-run", MACROCREDIT_PROFILE="files", MACROCREDIT_FILES=str(tmp_path))
    lines = result.stdout.splitlines()
    title = next(number for number, line in enumerate(lines) if line.split() == ["skipped", "why"])
    skipped = dict(line.split(maxsplit=1) for line in lines[title + 1 : -2])
    assert len(skipped) == 20
    assert skipped["move"].startswith("profile files cannot serve it: ")
    assert skipped["cdx_vix_gap"] == "profile files cannot serve it: made from cdx_hy_5y"


def test_plan_of_what_is_missing(run: Run, filled: Path) -> None:
    """Runs for inputs come before those for signals, as if they had been answered; what is complete is skipped."""
    arguments = ("vix", "cdx_hy_5y", "cdx_vix_gap", "--start", "2024-03-01", "--only-missing", "--dry-run", "--json")
    result = run("backfill", *arguments, "--end", "2024-04-10", root=filled)
    window = "2024-03-29..2024-04-10"
    assert _runs(result) == [(window, ["cdx_hy_5y", "vix"]), (window, ["cdx_vix_gap"])]
    done = run("backfill", *arguments, "--end", "2024-03-28", root=filled)
    assert _runs(done) == []
    nothing = "nothing is missing"
    assert json.loads(done.stdout)["skipped"] == {"cdx_hy_5y": nothing, "vix": nothing, "cdx_vix_gap": nothing}


def test_signal_without_its_inputs_is_refused(run: Run, tmp_path: Path) -> None:
    """Before anything starts it is said what is not covered, and which command brings it along."""
    result = run("backfill", "cdx_vix_gap", *WINDOW)
    assert result.exit_code == 2
    assert "cdx_hy_5y: 2024-01-01..2024-03-28" in result.stderr
    assert "vix: 2024-01-01..2024-03-28" in result.stderr
    command = next(line for line in result.stderr.splitlines() if "To ingest it as well: " in line)
    assert command.endswith("macrocredit backfill cdx_vix_gap --start 2024-01-01 --end 2024-03-28 --with-inputs")
    assert not (tmp_path / "fresh").exists()


def test_hole_in_an_input_is_enough_to_refuse(run: Run, filled: Path) -> None:
    """A signal is not computed over days that one of its inputs lacks; over those it covers, it is."""
    result = run("backfill", "cdx_vix_gap", "--start", "2024-03-01", "--end", "2024-04-10", root=filled)
    assert result.exit_code == 2
    assert "vix: 2024-03-29..2024-04-10" in result.stderr
    assert run("backfill", "cdx_vix_gap", "--start", "2024-03-01", "--end", "2024-03-28", root=filled).exit_code == 0


def test_inputs_come_along_where_they_are_not_covered(run: Run, filled: Path) -> None:
    """--with-inputs adds what is not covered, and no more; inputs run first."""
    covered = ("backfill", "cdx_vix_gap", "--start", "2024-03-01", "--end", "2024-03-28", "--with-inputs")
    assert _runs(run(*covered, "--dry-run", "--json", root=filled)) == [("2024-03-01..2024-03-28", ["cdx_vix_gap"])]
    result = run("backfill", "cash_cds_basis_hy", *WINDOW, "--with-inputs", root=filled)
    assert result.exit_code == 0, result.output
    assert "Inputs that are not covered are ingested as well: us_hy_oas" in result.stderr
    done = [line for line in result.stdout.splitlines() if line.endswith(": done")]
    assert sorted(done) == ["cash_cds_basis_hy: done", "us_hy_oas: done"]
    assert done[-1] == "cash_cds_basis_hy: done"


def test_input_that_the_profile_cannot_serve_is_no_help(run: Run, tmp_path: Path) -> None:
    """--with-inputs names the input that cannot be had, and why; nothing starts."""
    (tmp_path / "vix_daily_cboe.csv").write_text("DATE,OPEN,HIGH,LOW,CLOSE\n2024-01-02,13.21,14.23,13.10,13.20\n")
    real = {"MACROCREDIT_PROFILE": "files", "MACROCREDIT_FILES": str(tmp_path)}
    result = run("backfill", "cdx_vix_gap", *WINDOW, "--with-inputs", **real)
    assert result.exit_code == 2
    assert "Profile files cannot serve:\n  cdx_hy_5y: " in result.stderr


def test_parts_of_a_window_are_a_run_each(run: Run, filled: Path) -> None:
    """With --chunk, --json has a list of run logs; what is stored is the same as without."""
    before = (filled / "data" / "raw" / "vix.parquet").read_bytes()
    result = run("backfill", "vix", *WINDOW, "--chunk", "30d", "--json", root=filled)
    assert result.exit_code == 0
    documents = json.loads(result.stdout)
    assert [document["window"] for document in documents] == [
        "2024-01-01..2024-01-30",
        "2024-01-31..2024-02-29",
        "2024-03-01..2024-03-28",
    ]
    # 19 sessions, without New Year and Martin Luther King's day; then 21, without Presidents' day; then 20
    counts = [document["assets"]["vix"]["unchanged"] for document in documents]
    assert counts == [20, 21, 20]
    assert (filled / "data" / "raw" / "vix.parquet").read_bytes() == before
    assert [*(filled / "logs" / "backfills").iterdir()] == []


@pytest.mark.parametrize(
    ("more", "said"),
    [(("--chunk", "1w"), "write it as 1y, 6m or 30d"), (("--on-error", "ignore"), "'continue', 'stop'")],
)
def test_wrong_options_are_refused(run: Run, tmp_path: Path, more: tuple[str, ...], said: str) -> None:
    """An option that is not understood ends with 2, and says what is."""
    result = run("backfill", *WINDOW, *more)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (tmp_path / "fresh").exists()
