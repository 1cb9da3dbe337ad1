"""``macrocredit status``: what it says, the commands it gives, and its exit codes."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from macrocredit_assets.catalog import arrow_schema, load_catalog
from macrocredit_assets.cli import cli
from macrocredit_assets.cli.context import Context
from macrocredit_assets.persistence import DatasetStore, ErrorInfo, RunHeader, RunLog
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

_VIX_IN_PERCENT = """
datasets:
  vix:
    title: VIX in percent
    instrument: VIX
    group: volatility
    owner: team:desk
    description: Made up.
    calendar: us_equity
    main: close
    columns: {open: &level {unit: percent, decimals: 6}, high: *level, low: *level, close: *level}
    ways: [{source: file, series: "sample:vix", path: vix.csv, columns: {close: {column: close}}}]
"""

NAMES = ("vix", "cdx_hy_5y", "cdx_vix_gap")
#: The filled root ends on Thursday, 28 March 2024; the Friday was Good Friday.
COMPLETE, LATER = date(2024, 3, 28), date(2024, 4, 10)


def _invoke(root: Path, yesterday: date, *arguments: str, charset: str = "utf-8", width: int = 120) -> Result:
    context = Context(
        settings=Settings(root=root, dagster_home=root / ".dagster"),
        yesterday=yesterday,
        chosen={"MACROCREDIT_ROOT": str(root)},
    )
    runner = CliRunner(charset=charset, env={"COLUMNS": str(width)})
    return runner.invoke(cli, arguments, obj=context, prog_name="macrocredit")


def _documents(result: Result) -> dict[str, dict[str, Any]]:
    return {document["name"]: document for document in json.loads(result.stdout)["datasets"]}


def _restate_vix(root: Path, day: str) -> None:
    entry, settings = load_catalog().entry("vix"), Settings(root=root, dagster_home=root / ".dagster")
    store = DatasetStore(settings.dataset_path("market", "vix"), arrow_schema(entry))
    window = Window.parse(day, day)
    store.write(window, store.read_frame(window) + 1.0, series="sample:vix")


def test_complete_datasets_pass_the_check(backfilled: tuple[Path, Result]) -> None:
    """Where nothing is late, missing or stale, --check ends with 0 and no command is given."""
    result = _invoke(backfilled[0], COMPLETE, "status", *NAMES, "--check")
    assert result.exit_code == 0
    assert "3 datasets until 2024-03-28: 3 complete" in result.stdout
    assert "macrocredit backfill" not in result.stdout


def test_late_datasets_fail_the_check_and_only_the_check(backfilled: tuple[Path, Result]) -> None:
    """What is late is shown with 0, and with 1 under --check."""
    root, _ = backfilled
    assert _invoke(root, LATER, "status", "vix").exit_code == 0
    result = _invoke(root, LATER, "status", "vix", "--check")
    assert result.exit_code == 1
    vix = next(line for line in result.stdout.splitlines() if line.startswith("vix "))
    # 1 to 9 April; the 10th is not due before the 11th is over. The 1st was due on the 2nd
    assert vix.split()[3:5] == ["7", "9"]
    assert "vix: 7 missing sessions\n  " in result.stdout


def test_datasets_of_the_catalog_without_data_are_wanting(backfilled: tuple[Path, Result]) -> None:
    """Without names the whole catalog is looked at, and what was never ingested has its command."""
    result = _invoke(backfilled[0], COMPLETE, "status", "--check")
    assert result.exit_code == 1
    assert "never ingested" in result.stdout
    assert "backfill cdx_ig_5y itraxx_main_5y" in result.stdout


def test_empty_root_is_told_how_to_begin(tmp_path: Path) -> None:
    """A root without data is shown, left as it is, and the one command fills all of it."""
    result = _invoke(tmp_path / "none", COMPLETE, "status")
    assert result.exit_code == 0
    assert "  MACROCREDIT_ROOT=" in result.stdout
    assert result.stdout.rstrip().endswith("macrocredit backfill --start 2020-01-01")
    assert not (tmp_path / "none").exists()


def test_each_command_fills_its_hole(filled: Path) -> None:
    """The commands of --json, run as they stand, leave nothing; a signal's come up once its inputs are filled."""
    _restate_vix(filled, "2024-03-20")
    found = _documents(_invoke(filled, LATER, "status", *NAMES, "--json"))
    assert (found["vix"]["state"], found["vix"]["missing_sessions"]) == ("late", 7)
    # 20 to 28 March: the lookback reaches the end
    assert (found["cdx_vix_gap"]["state"], found["cdx_vix_gap"]["stale_days"]) == ("late", 7)
    for states in ({"complete", "late"}, {"complete"}):
        for document in found.values():
            for hole in (*document["holes"], *document["stale"]):
                words = shlex.split(hole["command"])
                assert words[:2] == [f"MACROCREDIT_ROOT={filled}", "macrocredit"]
                assert _invoke(filled, LATER, *words[2:]).exit_code == 0
        found = _documents(_invoke(filled, LATER, "status", *NAMES, "--json"))
        assert {document["state"] for document in found.values()} == states


def test_json_has_everything_a_program_needs(backfilled: tuple[Path, Result]) -> None:
    """The document says what is covered, since when and by which run."""
    root, _ = backfilled
    result = _invoke(root, COMPLETE, "status", "vix", "--json")
    document = json.loads(result.stdout)
    assert (document["until"], document["complete"]) == ("2024-03-28", True)
    (vix,) = document["datasets"]
    (log,) = (root / "logs" / "runs").glob("*/*.json")
    assert vix["last_run"]["run_id"] == log.stem
    # 250 sessions in 2023, 61 in 2024
    assert (vix["first"], vix["last"], vix["rows"]) == ("2023-01-03", "2024-03-28", 311)
    assert vix["coverage"] == [["2023-01-02", "2024-03-28"]]
    assert (vix["state"], vix["holes"], vix["days_late"], vix["error"]) == ("complete", [], 0, None)


# the columns before it take 60: 12, and half of what is left of the width, up to 60
@pytest.mark.parametrize(("width", "cells"), [(70, 10), (80, 16), (120, 36), (200, 60)])
def test_bar_is_as_long_as_there_is_room(filled: Path, width: int, cells: int) -> None:
    """Bars of all datasets have one length and one axis; a hole at the end shows in the last cells alone."""
    result = _invoke(filled, LATER, "status", *NAMES, width=width)
    bars = [word for line in result.stdout.splitlines()[2:5] for word in line.split() if set(word) <= set("█▄▒─·")]
    assert [len(bar) for bar in bars] == [cells] * 3
    assert bars[1].strip("█").strip("▄") == "·" * bars[1].count("·")
    assert bars[1].startswith("█" * (cells - 4))
    assert "▄" in bars[1][-4:]


def test_bar_is_plain_where_blocks_cannot_be_printed(backfilled: tuple[Path, Result]) -> None:
    """An output that is not UTF-8 gets characters that it has."""
    result = _invoke(backfilled[0], COMPLETE, "status", *NAMES, charset="ascii")
    assert result.exit_code == 0
    assert "#" * 20 in result.stdout
    assert "█" not in result.stdout


def test_broken_file_is_told_and_fails_the_check(filled: Path) -> None:
    """A file that cannot be read is named, the others are shown, and the check fails."""
    (filled / "data" / "raw" / "vix.parquet").write_bytes(b"no parquet")
    result = _invoke(filled, COMPLETE, "status", "vix", "cdx_hy_5y", "--check")
    assert result.exit_code == 1
    assert "vix.parquet" in result.stdout
    assert "1 complete" in result.stdout


def test_unknown_name_is_refused(backfilled: tuple[Path, Result]) -> None:
    """A name that the catalog does not have ends with 2 and the nearest one."""
    result = _invoke(backfilled[0], COMPLETE, "status", "vixx")
    assert result.exit_code == 2
    assert "Did you mean vix?" in result.stderr


def test_status_needs_no_dagster(backfilled: tuple[Path, Result]) -> None:
    """Files are enough: Dagster is not imported."""
    code = "import sys; from macrocredit_assets.cli import cli; cli(['status'], standalone_mode=False); "
    code += "sys.exit('dagster' in sys.modules)"
    environment = {"MACROCREDIT_ROOT": str(backfilled[0]), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_migration_is_told_with_the_users_settings(filled: Path) -> None:
    """What is stored in another unit than the catalog's names the command that mends it, as it is typed here."""
    catalog = filled / "catalog.yaml"
    catalog.write_text(_VIX_IN_PERCENT)
    chosen = {"MACROCREDIT_ROOT": str(filled), "MACROCREDIT_CATALOG": str(catalog)}
    context = Context(
        settings=Settings(root=filled, dagster_home=filled / ".dagster", catalog=catalog),
        yesterday=COMPLETE,
        chosen=chosen,
    )
    runner = CliRunner(env={"COLUMNS": "120"})
    command = " ".join(f"{name}={value}" for name, value in chosen.items()) + " macrocredit migrate vix"
    shown = runner.invoke(cli, ["status", "vix"], obj=context, prog_name="macrocredit")
    assert f"Nothing can be written before: {command}" in shown.stdout
    assert "1 migrate" in shown.stdout
    vix = _documents(runner.invoke(cli, ["status", "vix", "--json"], obj=context, prog_name="macrocredit"))["vix"]
    assert (vix["state"], vix["command"]) == ("migrate", command)
    assert command in vix["error"]


def test_unreadable_file_is_told_with_the_users_settings(filled: Path) -> None:
    """The command that mends a file has the root that this one was given."""
    (filled / "data" / "raw" / "vix.parquet").write_bytes(b"no parquet")
    result = _invoke(filled, COMPLETE, "status", "vix", "--json")
    error = _documents(result)["vix"]["error"]
    assert f"MACROCREDIT_ROOT={filled} macrocredit registry verify --repair" in error
    assert error in _invoke(filled, COMPLETE, "status", "vix").stdout


def test_failure_of_the_last_run_is_told_with_the_users_settings(filled: Path) -> None:
    """Datasets that failed are named with the first line of why, each reason once, and JSON has the whole of it."""
    at = datetime(2999, 3, 29, 11, tzinfo=UTC)  # after the run that filled the root
    log = RunLog(filled / "logs" / "runs", "f00dfeed-1")
    log.start(RunHeader("f00dfeed-1", "daily", at, "public", "real", None, "schedule", "desk7", 1, 1.0))
    why = ErrorInfo("SourceUnavailableError", "cdn.cboe.com: 503.\nTry later: macrocredit ingest vix")
    log.finish("failure", {"vix": why, "cdx_hy_5y": why}, at)
    result = _invoke(filled, COMPLETE, "status", *NAMES, "--check")
    assert result.exit_code == 0
    shown = "\nfailed: cdx_hy_5y, vix in run f00dfeed, 2999-03-29 11:00 UTC\n  cdn.cboe.com: 503.\n"
    assert shown in result.stdout
    assert f"All that run f00dfeed said\n  MACROCREDIT_ROOT={filled} macrocredit runs show f00dfeed" in result.stdout
    documents = _documents(_invoke(filled, COMPLETE, "status", *NAMES, "--json"))
    assert documents["vix"]["failure"] == {
        "run_id": "f00dfeed-1",
        "at": "2999-03-29T11:00:00+00:00",
        "type": "SourceUnavailableError",
        "message": f"cdn.cboe.com: 503.\nTry later: MACROCREDIT_ROOT={filled} macrocredit ingest vix",
    }
    assert documents["cdx_vix_gap"]["failure"] is None
