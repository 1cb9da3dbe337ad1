"""FRED's and Cboe's formats from the local servers, as an ordinary client sees them."""

from __future__ import annotations

import csv
import doctest
import gzip
import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from http.client import HTTPConnection
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from macrocredit_assets.settings import Settings
from macrocredit_assets.testing import CboeServer, FredServer, Publisher
from macrocredit_assets.testing.servers import cboe as cboe_module
from macrocredit_assets.testing.servers import fred as fred_module
from macrocredit_assets.testing.servers import publisher as publisher_module

GRAPH, API = "/graph/fredgraph.csv", "/fred/series/observations"
ROWS = {date(2026, 3, 2): "4.06", date(2026, 3, 3): "", date(2026, 3, 4): "4.10", date(2026, 3, 5): "4.1"}
OLD = {date(2019, 6, day): "5.00" for day in (3, 4)}


@pytest.fixture(scope="module")
def publisher() -> Publisher:
    """Return one with a FRED series, one that FRED truncates, and a Cboe history."""
    publisher = Publisher(today=date(2026, 3, 6))
    publisher.publish("DGS10", ROWS)
    publisher.publish("BAMLH0A0HYM2", OLD | ROWS, serves_years=3)
    publisher.publish("VIX", dict.fromkeys(ROWS, ("17.240000", "18.190000", "17.010000", "17.600000")))
    return publisher


@pytest.fixture(scope="module")
def fred(publisher: Publisher) -> Iterator[FredServer]:
    """Serve as FRED does."""
    with FredServer(publisher) as server:
        yield server


def _get(url: str, headers: Mapping[str, str] | None = None, **query: str | int) -> tuple[int, str, bytes]:
    """Return status, content type and body."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=5)
    try:
        connection.request("GET", f"{parts.path}?{urlencode(query)}" if query else parts.path, headers=headers or {})
        sent = connection.getresponse()
        return sent.status, sent.headers["Content-Type"], sent.read()
    finally:
        connection.close()


def _api(fred: FredServer, **query: str | int) -> tuple[int, Any]:
    given = {"series_id": "DGS10", "api_key": fred.key, "file_type": "json", **query}
    status, content_type, body = _get(fred.url + API, **{name: text for name, text in given.items() if text != ""})
    assert content_type == "application/json; charset=UTF-8"
    return status, json.loads(body)


def test_graph_prints_the_new_header_and_nothing_for_a_missing_value(fred: FredServer) -> None:
    """The whole series where no dates are given, with the texts as they were published."""
    whole = b"observation_date,DGS10\n2026-03-02,4.06\n2026-03-03,\n2026-03-04,4.10\n2026-03-05,4.1\n"
    assert _get(fred.url + GRAPH, id="DGS10") == (200, "application/csv", whole)


def test_graph_keeps_to_the_dates_that_it_is_asked_for(fred: FredServer) -> None:
    """Both ends included; outside of the series there is a header alone."""
    inside = _get(fred.url + GRAPH, id="DGS10", cosd="2026-03-03", coed="2026-03-04")[2]
    assert inside == b"observation_date,DGS10\n2026-03-03,\n2026-03-04,4.10\n"
    outside = _get(fred.url + GRAPH, id="DGS10", cosd="2020-01-01", coed="2020-12-31")[2]
    assert outside == b"observation_date,DGS10\n"


def test_old_layout(publisher: Publisher) -> None:
    """``DATE``, and a dot where there is no value."""
    with FredServer(publisher, layout="old") as fred:
        body = _get(fred.url + GRAPH, id="DGS10", coed="2026-03-03")[2]
    assert body == b"DATE,DGS10\n2026-03-02,4.06\n2026-03-03,.\n"


def test_truncated_series_ignores_the_start(fred: FredServer) -> None:
    """It begins three years ago whatever is asked for; its end is where it should be."""
    early = _get(fred.url + GRAPH, id="BAMLH0A0HYM2", cosd="2019-01-01", coed="2026-03-02")[2]
    late = _get(fred.url + GRAPH, id="BAMLH0A0HYM2", cosd="2026-03-05", coed="2026-03-02")[2]
    assert early == late == b"observation_date,BAMLH0A0HYM2\n2026-03-02,4.06\n"


@pytest.mark.parametrize("series", ["NOSUCH", "DGS10,DGS2", "VIX", ""])
def test_unknown_series_is_a_page(fred: FredServer, series: str) -> None:
    """404 and HTML: for no series, for two in one request, and for one that is not FRED's."""
    status, content_type, body = _get(fred.url + GRAPH, id=series)
    assert (status, content_type) == (404, "text/html; charset=UTF-8")
    assert body.startswith(b"<!DOCTYPE html>")


def test_api_answers_with_strings(fred: FredServer) -> None:
    """A value is a string, a missing one is a dot, and what was asked stands beside them."""
    status, document = _api(fred, observation_start="2026-03-02", observation_end="2026-03-03")
    observations = document.pop("observations")
    assert status == 200
    assert document == {
        "realtime_start": "2026-03-06",
        "realtime_end": "2026-03-06",
        "observation_start": "2026-03-02",
        "observation_end": "2026-03-03",
        "units": "lin",
        "output_type": 1,
        "file_type": "json",
        "order_by": "observation_date",
        "sort_order": "asc",
        "count": 2,
        "offset": 0,
        "limit": 100_000,
    }
    assert [(row["date"], row["value"]) for row in observations] == [("2026-03-02", "4.06"), ("2026-03-03", ".")]
    assert {row["realtime_start"] for row in observations} == {"2026-03-06"}


def test_api_pages(publisher: Publisher) -> None:
    """The count is of all rows; the next page begins at the offset, and is shorter at the end."""
    with FredServer(publisher, page_rows=3) as fred:
        first, second = (_api(fred, limit=100_000, offset=offset)[1] for offset in (0, 3))
        small = _api(fred, limit=1, offset=1)[1]
    assert (first["count"], first["limit"], len(first["observations"])) == (4, 3, 3)
    assert (second["count"], second["offset"], len(second["observations"])) == (4, 3, 1)
    assert [row["date"] for row in small["observations"]] == ["2026-03-03"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"series_id": "NOSUCH"}, "Bad Request.  The series does not exist."),
        ({"api_key": ""}, "Bad Request.  Variable api_key is not set."),
        ({"api_key": "0" * 32}, "Bad Request.  The value for variable api_key is not registered."),
        ({"limit": 100_001}, "Bad Request.  Value of limit is not between 1 and 100000"),
        ({"offset": -1}, "Bad Request.  Value of limit is not between 1 and 100000, or offset is negative."),
        ({"observation_start": "yesterday"}, "Bad Request.  The value of an observation date is not a date"),
    ],
)
def test_api_refuses_in_its_own_words(fred: FredServer, query: dict[str, str | int], message: str) -> None:
    """400, with the code and a message that has two spaces after its first sentence."""
    status, document = _api(fred, **query)
    assert (status, document["error_code"]) == (400, 400)
    assert document["error_message"].startswith(message)


def test_api_speaks_xml_unless_it_is_told(fred: FredServer) -> None:
    """Without ``file_type=json`` a client gets no JSON."""
    assert _get(fred.url + API, series_id="DGS10", api_key=fred.key)[:2] == (400, "text/xml")


def test_api_has_enough_after_so_many_requests(publisher: Publisher) -> None:
    """The next one is 429 with FRED's words; the CSV is not counted."""
    with FredServer(publisher, requests_a_minute=2) as fred:
        statuses = [_api(fred)[0] for _ in range(2)]
        refused = _api(fred)
        graph = _get(fred.url + GRAPH, id="DGS10")[0]
    assert (statuses, graph) == ([200, 200], 200)
    assert refused == (429, {"error_code": 429, "error_message": "Too Many Requests.  Exceeded Rate Limit"})


def test_cboe_prints_its_own_file(real_data: Path) -> None:
    """Published from its rows, the real history comes out byte for byte."""
    file = real_data / "vix_daily_cboe_vintage_20260509.csv"
    with file.open(newline="") as lines:
        rows = {datetime.strptime(day, "%m/%d/%Y").date(): texts for day, *texts in list(csv.reader(lines))[1:]}  # noqa: DTZ007 - a date has no zone
    publisher = Publisher(today=date(2026, 5, 9))
    publisher.publish("VIX", rows, lag=0)
    with CboeServer(publisher) as cboe:
        assert _get(f"{cboe.folder}/VIX_History.csv") == (200, "text/csv", file.read_bytes())


@pytest.mark.parametrize("path", ["/VVIX_History.csv", "/DGS10_History.csv", "/VIX.csv", "/../VIX_History.csv"])
def test_cboe_does_not_know_other_files(publisher: Publisher, path: str) -> None:
    """404: for an unknown symbol, for a series of FRED, for another name."""
    with CboeServer(publisher) as cboe:
        assert _get(cboe.folder + path)[0] == 404


def test_body_is_gzipped_for_those_who_take_it(fred: FredServer) -> None:
    """As publishers do; unpacked, it is the same."""
    plain = _get(fred.url + GRAPH, id="DGS10")[2]
    packed = _get(fred.url + GRAPH, {"Accept-Encoding": "gzip, deflate"}, id="DGS10")[2]
    assert packed != plain
    assert gzip.decompress(packed) == plain


def test_requests_are_remembered(publisher: Publisher) -> None:
    """What was asked, when, by whom, and on which of the publisher's days."""
    with FredServer(publisher) as fred:
        _get(fred.url + GRAPH, {"User-Agent": "tests"}, id="DGS10", cosd="2026-03-04")
        _get(fred.url + API, series_id="DGS10", api_key="canary")
        graph, api = fred.requests
    assert (graph.path, graph.query, graph.series) == (GRAPH, {"id": "DGS10", "cosd": "2026-03-04"}, "DGS10")
    assert (graph.headers["user-agent"], graph.today, graph.fault) == ("tests", date(2026, 3, 6), None)
    assert api.target == f"{API}?series_id=DGS10&api_key=canary"
    assert graph.at <= api.at


def test_settings_lead_to_the_servers(publisher: Publisher) -> None:
    """The variables are those that the package reads; the key comes only when it is asked for."""
    with FredServer(publisher) as fred, CboeServer(publisher) as cboe:
        open_door = Settings.from_env({**fred.settings(), **cboe.settings()})
        assert _get(open_door.fred_url, id="DGS10")[0] == 200
        assert _get(f"{open_door.cboe_url}/VIX_History.csv")[0] == 200
        assert open_door.fred_api_key is None
        keyed = Settings.from_env(fred.settings(keyed=True))
        asked = {"series_id": "DGS10", "api_key": keyed.fred_api_key or "", "file_type": "json"}
        assert _get(f"{keyed.fred_api_url}/series/observations", **asked)[0] == 200


@pytest.mark.parametrize("module", [fred_module, cboe_module, publisher_module], ids=lambda module: module.__name__)
def test_examples_run(module: ModuleType) -> None:
    """What the docstrings show is what happens."""
    result = doctest.testmod(module)
    assert result.attempted >= 4
    assert result.failed == 0


def test_days_pass_while_it_serves(fred: FredServer, publisher: Publisher) -> None:
    """A row is there on the next morning, on the same server."""
    before = _get(fred.url + GRAPH, id="DGS10")[2]
    publisher.today = date(2026, 3, 5)
    try:
        assert _get(fred.url + GRAPH, id="DGS10")[2] == before.removesuffix(b"2026-03-05,4.1\n")
    finally:
        publisher.today = date(2026, 3, 6)
