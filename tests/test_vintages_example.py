"""The trial on real downloads: what it prints is what the files say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

_EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "vintages.py"


@pytest.fixture(scope="module")
def trials(real_data: Path) -> dict[str, str]:
    """Run the example once; return what it printed, by the title of the trial."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(_EXAMPLE), str(real_data)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    blocks = re.split(r"\n(.+)\n=+\n", done.stdout)
    return dict(zip(blocks[1::2], blocks[2::2], strict=True))


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        (
            "Rows are appended",
            [
                "vix_daily_cboe_vintage_20260509.csv: 9,181 new; revision 1",
                "vix_daily_cboe.csv: 54 new, 9,181 the same; revision 2",
                "2026-05-08 17.19 17.19",
                "2026-07-23 - 18.7",
                "rows 9,181 9,235",
            ],
        ),
        (
            "An old date is inserted late",
            [
                "vix_daily_cboe_vintage_20241119.csv: 8,802 new; revision 1",
                "vix_daily_cboe.csv: 433 new, 8,802 the same; revision 2",
                "2006-05-04 - 11.86",
                "rows 8,802 9,235",
            ],
        ),
        (
            "The last row was provisional: investment grade",
            ["2024-12-10 spread: 47.549 became 47.33", "2024-12-10 47.549 47.33", "2024-12-11 - 46.823"],
        ),
        (
            "The last row was provisional: high yield",
            ["2024-12-10 spread: 293.992 became 292.898", "2024-12-10 293.992 292.898"],
        ),
        (
            "The newer download starts later: OAS",
            ["1996-12-31 313 313", "2008-12-15 2182 2182", "2026-02-06 287 287", "rows 7,599 7,599"],
        ),
        (
            "The newer download starts later: CDX",
            ["2008-11-20 269.492 269.492", "2024-12-27 49.211 49.211"],
        ),
    ],
)
def test_trial_prints_what_the_files_say(trials: dict[str, str], title: str, lines: list[str]) -> None:
    """Counts and values are those that can be read off the files by eye."""
    printed = [" ".join(line.split()) for line in trials[title].splitlines()]
    for line in lines:
        assert line in printed, trials[title]


def test_older_state_is_read_back_whole(trials: dict[str, str]) -> None:
    """In every trial, what was known in between is the older file, row for row and value for value."""
    assert len(trials) == 6
    for printed in trials.values():
        assert printed.splitlines()[-1].endswith(": True"), printed


def test_shorter_download_costs_no_row(trials: dict[str, str]) -> None:
    """What the newer download does not have any more is kept, said to be cut off, and makes no revision."""
    for title in ("The newer download starts later: OAS", "The newer download starts later: CDX"):
        assert "no revision" in trials[title]
        assert "warning truncated" in trials[title]


def test_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Without the files there is nothing to try; it says how to name their folder."""
    done = subprocess.run(
        [sys.executable, str(_EXAMPLE), str(tmp_path / "none")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "examples/vintages.py FOLDER" in done.stderr
