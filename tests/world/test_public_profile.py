"""The rehearsal that is shipped as an example: what it prints, and what its files say."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.holdings import Holdings
from macrocredit_assets.settings import Settings
from macrocredit_assets.status import statuses

pytestmark = pytest.mark.slow

_EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "public_profile.py"


def test_week_is_whole_in_the_end(tmp_path: Path) -> None:
    """Three bad mornings say who failed; the last ones make up for them, and what was corrected is told."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(_EXAMPLE), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    mornings = re.findall(r"^(2024-03-0\d): .*, (\d) done, (\d) failed, rows corrected: (\d)$", done.stdout, re.M)
    assert mornings == [
        ("2024-03-01", "6", "0", "0"),
        ("2024-03-04", "5", "1", "0"),
        ("2024-03-05", "4", "2", "0"),
        ("2024-03-06", "5", "1", "0"),
        ("2024-03-07", "6", "0", "1"),
        ("2024-03-08", "6", "0", "0"),
    ]
    failed = re.findall(r"^  (\w+): (FRED|Cboe) ", done.stdout, re.M)
    assert failed == [("ust_10y", "FRED"), ("ust_10y", "FRED"), ("ust_2y", "FRED"), ("vix", "Cboe")]
    settings = Settings(tmp_path, tmp_path / ".dagster", profile="public")
    names = re.search("profile public serves (.*)", done.stdout)
    assert names is not None
    stood = statuses(Holdings(settings, load_catalog()), names[1].split(", "), today=date(2024, 3, 8))
    assert {status.state for status in stood} == {"complete"}
    assert {status.name: str(status.last) for status in stood}["vix"] == "2024-03-07"
