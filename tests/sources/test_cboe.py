"""Cboe's history file, asked from a local server that serves what Cboe published."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from macrocredit_assets.catalog import DatasetSpec, load_catalog
from macrocredit_assets.catalog.models import CboeWay, FredWay
from macrocredit_assets.errors import (
    EmptyResponseError,
    MalformedResponseError,
    NotServedError,
    RejectedRequestError,
    SchemaChangedError,
    SourceError,
    UnknownSeriesError,
)
from macrocredit_assets.ingest import ingest
from macrocredit_assets.persistence.landing import Landing
from macrocredit_assets.settings import Settings
from macrocredit_assets.sources import Fetched, Route, Source, build_sources
from macrocredit_assets.testing import CboeServer, Fault, Publisher, faults
from macrocredit_assets.windows import Coverage, Window

VIX = load_catalog().datasets["vix"]
CBOE = next(way for way in VIX.ways if isinstance(way, CboeWay))
TODAY = date(2026, 5, 11)
SPRING = Window(date(2020, 3, 9), date(2020, 3, 20))


@pytest.fixture(scope="module")
def cboe(real_data: Path) -> Iterator[CboeServer]:
    """Serve the file as Cboe had it on 9 May 2026: since 2020, and as a whole."""
    publisher = Publisher(today=TODAY)
    with (real_data / "vix_daily_cboe_vintage_20260509.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    history = {datetime.strptime(day, "%m/%d/%Y").date(): texts for day, *texts in rows}  # noqa: DTZ007
    publisher.publish("VIX", {day: texts for day, texts in history.items() if day.year >= 2020})
    publisher.publish("VIXALL", history)
    with CboeServer(publisher) as server:
        yield server


@pytest.fixture
def source(cboe: CboeServer, tmp_path: Path) -> Iterator[Source]:
    """Return the source that asks the server, and take back afterwards what a test broke."""
    settings = Settings.from_env({"MACROCREDIT_ROOT": str(tmp_path), **cboe.settings()})
    yield build_sources(settings, today=lambda: TODAY)["cboe"]
    cboe.clear()


def fetch(source: Source, spec: DatasetSpec = VIX, way: CboeWay = CBOE) -> Fetched:
    """Fetch two weeks."""
    return source.fetch(spec, way, SPRING)


def test_a_window_of_the_whole_file(cboe: CboeServer, source: Source, tmp_path: Path) -> None:
    """All four columns, the dates as they are meant, and where the series begins and ends; the file is kept."""
    before = len(cboe.requests)
    fetched = fetch(source)
    assert [*fetched.frame.columns] == ["open", "high", "low", "close"]
    assert fetched.frame.loc["2020-03-16"].tolist() == [57.83, 83.56, 57.83, 82.69]
    assert (len(fetched.frame), fetched.rows_read, fetched.dropped) == (10, 1625, {"outside_window": 1615})
    assert (fetched.first, fetched.last, fetched.label) == (date(2020, 1, 2), date(2026, 5, 8), None)
    assert [request.target for request in cboe.requests[before:]] == [
        "/api/global/us_indices/daily_prices/VIX_History.csv"
    ]
    (kept,) = fetched.landing
    assert kept.startswith("landing/cboe/VIX/")
    body = Landing(tmp_path / "data/landing").read(kept)
    assert body.startswith(b"DATE,OPEN,HIGH,LOW,CLOSE\n01/02/2020,13.460000,")


def test_rows_out_of_order_are_stored_as_published(source: Source) -> None:
    """47 rows of the publisher's own file cannot be true; they are found, and kept."""
    whole = Window(date(1990, 1, 1), date(2026, 5, 10))
    way = CBOE.model_copy(update={"symbol": "VIXALL"})
    ingested = ingest(VIX, whole, Route("cboe:VIX", (way,)), {"cboe": source}, today=TODAY)
    assert len(ingested.frame) == 9181
    assert {one.rule: one.count for one in ingested.findings}["ohlc_order"] == 47
    assert ingested.frame.loc["2004-11-08"].tolist() == [2.58, 14.48, 13.68, 13.8]
    assert (ingested.answered, ingested.ways) == (Coverage((whole,)), ("cboe:VIXALL",))
    assert len(ingested.landing) == 1


def test_columns_that_a_dataset_lacks_are_not_read(source: Source) -> None:
    """Who wants closing levels alone gets them."""
    closes = VIX.model_copy(update={"columns": {"close": VIX.columns["close"]}})
    assert fetch(source, closes).frame.loc["2020-03-16"].to_dict() == {"close": 82.69}


def test_a_dataset_without_its_columns_is_not_served(cboe: CboeServer, source: Source) -> None:
    """Cboe has open, high, low and close; a dataset about anything else asks for nothing."""
    before = len(cboe.requests)
    with pytest.raises(NotServedError, match="not its main column level"):
        fetch(source, VIX.model_copy(update={"columns": {"level": VIX.columns["close"]}, "main": "level"}))
    assert len(cboe.requests) == before


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        (faults.header_only(), EmptyResponseError, "Cboe sent a header and no row"),
        (faults.renamed_header("LAST"), SchemaChangedError, "DATE,OPEN,HIGH,LOW,LAST in place of DATE,OPEN,HIGH,"),
        (faults.login_page(), MalformedResponseError, "Cboe sent a page for people"),
        (faults.not_found(), UnknownSeriesError, "Cboe does not know the series"),
        (faults.unavailable(403), RejectedRequestError, "Cboe refused the request with status 403"),
        (faults.cell("N/A"), MalformedResponseError, "line 1626, column 'CLOSE': 'N/A' is no number"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_what_is_no_answer_is_an_error(
    cboe: CboeServer, source: Source, fault: Fault, error: type[SourceError], says: str
) -> None:
    """Dataset, series and window stand beside what came."""
    cboe.install(fault)
    with pytest.raises(error) as caught:
        fetch(source)
    first = str(caught.value).splitlines()[0]
    assert says in first
    assert first.startswith("vix: ")
    assert first.endswith(" (cboe:VIX, 2020-03-09..2020-03-20).")


@pytest.mark.parametrize("fault", [faults.byte_order_mark(), faults.carriage_returns(), faults.future(days=30)])
def test_what_does_no_harm_changes_no_row(cboe: CboeServer, source: Source, fault: Fault) -> None:
    """A byte order mark, either line end, a row of next month: the same two weeks, and the same end."""
    cboe.install(fault)
    fetched = fetch(source)
    assert (len(fetched.frame), fetched.last) == (10, date(2026, 5, 8))
    assert [one.rule for one in fetched.findings] == ["future_dates"] * (fault.name == "future")


def test_the_day_is_new_yorks(tmp_path: Path) -> None:
    """Without a clock of its own, a source believes rows up to the date in New York."""
    publisher = Publisher()
    publisher.publish("VIX", {date(2020, 3, 16): ("57.83", "83.56", "57.83", "82.69")})
    with CboeServer(publisher) as server:
        source = build_sources(Settings.from_env({"MACROCREDIT_ROOT": str(tmp_path), **server.settings()}))["cboe"]
        server.install(faults.future(days=0), times=1)
        server.install(faults.future(days=1), times=1)
        assert fetch(source).last == publisher.today
        assert fetch(source).dropped == {"future": 1}


def test_another_symbol_is_another_file(cboe: CboeServer, source: Source) -> None:
    """The symbol is a part of the name, and never a path."""
    with pytest.raises(UnknownSeriesError, match=r"/\.\.%2FVIX_History\.csv"):
        fetch(source, way=CBOE.model_copy(update={"symbol": "../VIX"}))
    assert cboe.requests[-1].path.startswith("/api/global/us_indices/daily_prices/")


def test_a_way_of_another_source_is_none(source: Source) -> None:
    """Cboe says so when it is asked, and refuses to guess."""
    fred = FredWay(series="fred:VIXCLS", series_id="VIXCLS", column="close")
    assert source.unavailable(CBOE) is None
    assert source.unavailable(fred) == "its entry is no index of Cboe but fred"
    with pytest.raises(NotServedError, match="no index of Cboe"):
        source.fetch(VIX, fred, SPRING)
