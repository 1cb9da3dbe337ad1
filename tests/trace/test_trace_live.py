"""From a publisher's server to the store and back: the trace ends at the line that the server sent."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path

import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.ingest import ingest
from macrocredit_assets.settings import Settings
from macrocredit_assets.sources import build_sources, choose
from macrocredit_assets.testing import CboeServer, FredServer, Publisher
from macrocredit_assets.trace import Origin, trace
from macrocredit_assets.windows import Window
from macrocredit_assets.writing import write

CATALOG = load_catalog()
TODAY = date(2024, 1, 10)
WINDOW = Window.parse("2024-01-02", "2024-01-05")
#: New Year's Day is printed without a value.
YIELDS = {"2024-01-01": "", "2024-01-02": "3.95", "2024-01-03": "3.91", "2024-01-04": "3.99", "2024-01-05": "4.05"}


@pytest.fixture
def publisher() -> Publisher:
    """Publish one week."""
    publisher = Publisher(today=TODAY)
    publisher.publish("DGS10", {date.fromisoformat(day): text for day, text in YIELDS.items()})
    publisher.publish("BAMLH0A0HYM2", {date.fromisoformat(day): "3.39" for day in YIELDS})
    publisher.publish("VIX", {date.fromisoformat(day): ("13.10", "14.20", "12.90", "13.50") for day in YIELDS})
    return publisher


def _stored(root: Path, name: str, **urls: str) -> Origin:
    """Ingest a week as a run does, and trace the 3rd of January."""
    settings = Settings.from_env({"MACROCREDIT_ROOT": str(root), "MACROCREDIT_PROFILE": "public", **urls})
    spec, sources = CATALOG.datasets[name], build_sources(settings, today=lambda: TODAY)
    ingested = ingest(spec, WINDOW, choose(spec, "public", sources), sources, today=TODAY)
    record = write(settings, spec, ingested, run_id="r1")
    assert record.landing
    (origin,) = trace(settings, CATALOG, name, date(2024, 1, 3), today=TODAY).origins
    assert origin.path is not None
    assert origin.path.relative_to(settings.data_directory).as_posix() in record.landing
    return origin


def _bytes(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


@pytest.mark.parametrize("layout", ["new", "old"])
def test_line_of_freds_csv(tmp_path: Path, publisher: Publisher, layout: str) -> None:
    """The line is the one below the header and two others, whichever header it is."""
    with FredServer(publisher, layout="new" if layout == "new" else "old") as fred:
        origin = _stored(tmp_path, "ust_10y", **fred.settings())
    (line,) = origin.lines
    assert (origin.way, line.unit, line.number, line.text) == ("fred:DGS10", "line", 4, "2024-01-03,3.91")


def test_observation_of_freds_api_on_a_later_page(tmp_path: Path, publisher: Publisher) -> None:
    """Of an answer in pages the trace names the page that has the day, and nothing that is kept has the key."""
    with FredServer(publisher, page_rows=2) as fred:
        origin = _stored(tmp_path, "ust_10y", **fred.settings(keyed=True))
        key = fred.key.encode()
    (line,) = origin.lines
    # five rows in pages of two: the 3rd of January is the first of the second page
    assert (origin.way, line.unit, line.number) == ("fred_api:DGS10", "observation", 1)
    assert {**json.loads(line.text), "realtime_start": "", "realtime_end": ""} == {
        "realtime_start": "",
        "realtime_end": "",
        "date": "2024-01-03",
        "value": "3.91",
    }
    assert len([*(tmp_path / "data" / "landing").rglob("*.json.gz")]) == 3
    assert not any(key in _bytes(path) for path in tmp_path.rglob("*") if path.is_file())


def test_line_shows_the_publishers_unit(tmp_path: Path, publisher: Publisher) -> None:
    """FRED prints percent and we keep basis points: the line has what was sent."""
    with FredServer(publisher) as fred:
        origin = _stored(tmp_path, "us_hy_oas", **fred.settings())
    assert [line.text for line in origin.lines] == ["2024-01-03,3.39"]


def test_line_of_cboes_history(tmp_path: Path, publisher: Publisher) -> None:
    """Cboe's dates are written its own way."""
    with CboeServer(publisher) as cboe:
        origin = _stored(tmp_path, "vix", **cboe.settings())
    (line,) = origin.lines
    assert (origin.way, line.number) == ("cboe:VIX", 4)
    assert line.text.split(",")[0] == "01/03/2024"
    assert [float(cell) for cell in line.text.split(",")[1:]] == [13.1, 14.2, 12.9, 13.5]
