"""From settings to the publishers that are asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.settings import Settings
from macrocredit_assets.sources import build_sources, choose, unserved
from macrocredit_assets.sources.publishers import _rates


def test_public_serves_what_publishers_give_away(tmp_path: Path) -> None:
    """FRED and Cboe need nothing but a network; what only a terminal or a file has says what it lacks."""
    settings = Settings(tmp_path, tmp_path, profile="public")
    catalog, built = load_catalog(), build_sources(settings)
    lacking = unserved(catalog, "public", built)
    assert sorted(set(catalog.datasets) - set(lacking)) == [
        "baa_10y",
        "us_hy_oas",
        "us_ig_oas",
        "ust_10y",
        "ust_2y",
        "vix",
    ]
    assert all("MACROCREDIT_FILES is not set" in reason for reason in lacking.values())
    assert choose(catalog.datasets["vix"], "public", built).series == "cboe:VIX"


def test_an_archive_extends_what_a_publisher_sends(real_data: Path) -> None:
    """FRED's three years of an ICE series come first, the file with all of it after them."""
    settings = Settings(real_data, real_data, profile="public", files=real_data)
    route = choose(load_catalog().datasets["us_hy_oas"], "public", build_sources(settings))
    assert [way.source for way in route.ways] == ["fred", "file"]


@pytest.mark.parametrize(
    ("url", "rates"),
    [
        ("https://fred.stlouisfed.org/graph/fredgraph.csv", {"fred.stlouisfed.org": 2.0}),
        ("https://relay.example:8443/fred", {"relay.example": 2.0}),
        ("http://127.0.0.1:8000/fred", {}),
        ("http://localhost:8000/fred", {}),
    ],
)
def test_fred_is_asked_twice_a_second(url: str, rates: dict[str, float]) -> None:
    """Through a relay as well; a stand-in on this machine has no limit."""
    assert _rates(url) == rates


def test_only_who_asks_a_server_imports_a_client() -> None:
    """Every start builds the publishers; what they are asked with is imported when the first one is."""
    code = (
        "import sys; from macrocredit_assets.settings import Settings; from macrocredit_assets import notify;"
        "from macrocredit_assets.sources import build_sources; build_sources(Settings.from_env({}));"
        "print({'requests', 'urllib3'} & sys.modules.keys())"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
