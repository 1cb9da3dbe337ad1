"""``macrocredit show``: rows as people and as programs read them."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from click.testing import Result

from macrocredit_assets.persistence import DatasetStore
from macrocredit_assets.windows import Window

Run = Callable[..., Result]

_JANUARY = Window(date(2024, 1, 1), date(2024, 1, 5))


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Write a root with one dataset whose numbers are known."""
    schema = pa.schema(
        [
            pa.field("close", pa.float64(), metadata={"unit": "USD", "decimals": "6"}),
            pa.field("volume", pa.int64(), metadata={"unit": "shares", "decimals": "0"}),
        ]
    )
    index = pd.DatetimeIndex(["2024-01-02", "2024-01-03", "2024-01-04"], name="date")
    frame = pd.DataFrame({"close": [9.5, float("nan"), 1234.125], "volume": [12_345_678, 9, 10]}, index=index)
    DatasetStore(tmp_path / "data" / "raw" / "desk.parquet", schema).write(_JANUARY, frame, series="desk:x")
    return tmp_path


def test_numbers_stand_under_name_and_unit(run: Run, written: Path) -> None:
    """Numbers are right-aligned, grouped, and have as many decimals as the column needs; a missing one is blank."""
    assert run("show", "desk", root=written).stdout.splitlines() == [
        "desk | desk:x | 3 rows | 2024-01-02..2024-01-04",
        "date            close      volume",
        "                  USD      shares",
        "2024-01-02      9.500  12,345,678",
        "2024-01-03                      9",
        "2024-01-04  1,234.125          10",
    ]


def test_tail_and_columns_choose(run: Run, written: Path) -> None:
    """--tail takes the last rows of the window, --columns the columns in the order given."""
    result = run("show", "desk", "--columns", "volume, close", "--end", "2024-01-03", "--tail", "1", root=written)
    assert result.stdout.splitlines() == [
        "desk | desk:x | 1 of 2 rows | 2024-01-03..2024-01-03",
        "date        volume  close",
        "            shares    USD",
        "2024-01-03       9",
    ]


def test_narrow_terminal_shows_whole_numbers_and_says_what_it_left_out(written: Path) -> None:
    """Where not every column fits, those that are shown are whole, and the others are named."""
    parent, child = pty.openpty()
    environ = {**os.environ, "MACROCREDIT_ROOT": str(written), "COLUMNS": "30", "TERM": "xterm"}
    command = [sys.executable, "-m", "macrocredit_assets", "show", "desk"]
    result = subprocess.run(command, env=environ, stdout=child, stderr=subprocess.PIPE, text=True, check=True)
    os.close(child)
    shown = os.read(parent, 65536).decode()
    os.close(parent)
    assert "1,234.125" in shown
    assert "…" not in shown
    assert "volume" not in shown
    assert result.stderr == "The terminal is too narrow for volume: choose by --columns.\n"


def test_json_has_every_row_and_null_for_what_is_missing(run: Run, written: Path) -> None:
    """--json prints records with full precision."""
    assert json.loads(run("show", "desk", "--json", root=written).stdout) == [
        {"date": "2024-01-02", "close": 9.5, "volume": 12345678},
        {"date": "2024-01-03", "close": None, "volume": 9},
        {"date": "2024-01-04", "close": 1234.125, "volume": 10},
    ]


def test_long_result_shows_both_ends(run: Run, filled: Path) -> None:
    """Without --tail a long dataset shows its first and last five rows, and says how many there are."""
    frame = pd.read_parquet(filled / "data" / "raw" / "vix.parquet")
    lines = run("show", "vix", root=filled).stdout.splitlines()
    assert f"| {len(frame):,} rows |" in lines[0]
    days = [line.split()[0] for line in lines[3:]]
    stored = [f"{day:%Y-%m-%d}" for day in frame.index]
    assert days == [*stored[:5], "...", *stored[-5:]]


def test_json_of_a_long_result_is_whole(run: Run, filled: Path) -> None:
    """--json leaves nothing out."""
    frame = pd.read_parquet(filled / "data" / "raw" / "vix.parquet")
    rows = json.loads(run("show", "vix", "--json", root=filled).stdout)
    assert [row["close"] for row in rows] == frame["close"].tolist()


def test_covered_window_without_rows_is_an_empty_table(run: Run, written: Path) -> None:
    """A closed day is covered: there is no row, and that is no error."""
    result = run("show", "desk", "--start", "2024-01-05", root=written)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "desk | desk:x | 0 rows"


def test_nothing_there_is_an_error_with_the_command_that_fetches_it(run: Run, written: Path) -> None:
    """A window that was never ingested ends with 1 and the exact backfill."""
    result = run("show", "desk", "--start", "2020-01-01", "--end", "2020-02-01", root=written)
    assert result.exit_code == 1
    assert "macrocredit backfill desk --start 2020-01-01 --end 2020-02-01" in result.stderr
    assert run("show", "vix", root=written).exit_code == 1


@pytest.mark.parametrize(("arguments", "said"), [(["vixx"], "vix"), (["desk", "--columns", "clos"], "close, volume")])
def test_unknown_names_are_wrong_use(run: Run, written: Path, arguments: list[str], said: str) -> None:
    """Unknown datasets and columns end with 2 and name what there is."""
    result = run("show", *arguments, root=written)
    assert result.exit_code == 2
    assert said in result.stderr


def test_adjusted_prices_are_said_to_be(run: Run, tmp_path: Path) -> None:
    """--adjusted takes a dividend of 2 after a close of 100 off the days before, and says so in the title."""
    names = ("close", "dividend", "split")
    schema = pa.schema([pa.field(name, pa.float64(), metadata={"unit": "USD", "decimals": "6"}) for name in names])
    index = pd.DatetimeIndex(["2024-01-02", "2024-01-03", "2024-01-04"], name="date")
    frame = pd.DataFrame({"close": [80.0, 100.0, 98.0], "dividend": [0.0, 0.0, 2.0], "split": 0.0}, index=index)
    DatasetStore(tmp_path / "data" / "raw" / "fund.parquet", schema).write(_JANUARY, frame, series="desk:x")
    shown = run("show", "fund", "--adjusted", "--end", "2024-01-03", "--columns", "close", root=tmp_path)
    assert shown.stdout.splitlines() == [
        "fund | desk:x | 2 rows | 2024-01-02..2024-01-03 | adjusted",
        "date        close",
        "              USD",
        "2024-01-02  78.40",
        "2024-01-03  98.00",
    ]


def test_adjusting_what_pays_nothing_is_wrong_use(run: Run, written: Path) -> None:
    """A dataset without dividends and splits ends with 2 and says what is missing."""
    result = run("show", "desk", "--adjusted", root=written)
    assert result.exit_code == 2
    assert "no column dividend, split" in result.stderr
