"""Every bad answer there is a fault for, from a publisher's server to what is stored, logged and shown."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
import trustme

from macrocredit_assets.errors import (
    EmptyResponseError,
    MacrocreditError,
    MalformedResponseError,
    RateLimitedError,
    RejectedRequestError,
    RuleViolationError,
    SchemaChangedError,
    SourceError,
    SourceUnavailableError,
    UnknownSeriesError,
    UntrustedSourceError,
)
from macrocredit_assets.failures import last_failures
from macrocredit_assets.stores import open_store
from macrocredit_assets.testing import Fault, FredServer, faults
from macrocredit_assets.testing.servers.faults import FAULTS
from macrocredit_assets.windows import Window

if TYPE_CHECKING:
    from conftest import World

pytestmark = pytest.mark.usefixtures("impatient")

FEBRUARY = Window.parse("2024-02-01", "2024-02-29")
WEEK = Window.parse("2024-03-01", "2024-03-07")
DAYS = [date(2024, 3, day) for day in (1, 4, 5, 6, 7)]


@dataclass(frozen=True)
class Bad:
    """What becomes of a fault: an error, and what its first line says."""

    error: type[MacrocreditError]
    says: str
    seconds: float = 30.0


#: None: the answer is good enough, and its rows are stored.
FATES: dict[str, Bad | None] = {
    # asked to wait for longer than the request may take
    "rate_limited": Bad(RateLimitedError, "429 Too Many Requests.* wants to be left alone for 1 s", 0.9),
    "rate_limited_until": Bad(RateLimitedError, "429 Too Many Requests", 0.9),
    "unavailable": Bad(SourceUnavailableError, "503 Service Unavailable, 2 times"),
    "silence": Bad(SourceUnavailableError, "did not finish within 0.3 s", 0.3),
    "slow_headers": Bad(SourceUnavailableError, "did not finish within 0.3 s", 0.3),
    "slow_body": Bad(SourceUnavailableError, "did not finish within 0.3 s", 0.3),
    "reset": Bad(SourceUnavailableError, "broke the connection off, 2 times"),
    "reset_in_body": Bad(SourceUnavailableError, "broke the connection off, 2 times"),
    "short_body": Bad(SourceUnavailableError, "broke off after [0-9,]+ of [0-9,]+ bytes"),
    "long_body": Bad(SourceUnavailableError, "more bytes than its Content-Length promised"),
    "not_found": Bad(UnknownSeriesError, "does not know the series"),
    "login_page": Bad(MalformedResponseError, "a page for people in place of data"),
    "echo": Bad(MalformedResponseError, "a page for people in place of data"),
    "elsewhere": Bad(UntrustedSourceError, "from http://127.0.0.1:[0-9]+ to http://localhost:[0-9]+"),
    "moved": Bad(MalformedResponseError, "from address to address without an end"),
    "header_only": Bad(EmptyResponseError, "a header and no row"),
    "renamed_header": Bad(SchemaChangedError, "sent the columns .*VALUE2 in place of .*(DGS10|value|CLOSE)"),
    "cell_N/A": Bad(MalformedResponseError, "a cell that cannot be read: (line|row) [0-9]+, column '.*': 'N/A'"),
    "lone_comma": Bad(MalformedResponseError, "a cell that cannot be read: line [0-9]+|no JSON"),
    "plain_as_gzip": Bad(MalformedResponseError, "says it is gzip and is not"),
    "broken_gzip": Bad(MalformedResponseError, "says it is gzip and is not"),
    "cut_gzip": Bad(MalformedResponseError, "a gzip stream that breaks off"),
    "cut_unframed": Bad(SourceUnavailableError, "broke off in the middle of its answer, whose length it had not said"),
    "gzip_bomb": Bad(MalformedResponseError, "more than 67,108,864 bytes once decompressed"),
    "huge_body": Bad(MalformedResponseError, "announced 2,147,483,648 bytes; 67,108,864 are taken at most"),
    "endless_body": Bad(MalformedResponseError, "sent more than 67,108,864 bytes"),
    # numbers, and no yield or index level
    "cell_1e5": Bad(RuleViolationError, "nothing was stored, because what came breaks .*hard_bounds"),
    "conflicting": Bad(RuleViolationError, "nothing was stored, because what came breaks .*conflicting_duplicate"),
    "byte_order_mark": None,
    "carriage_returns": None,
    "out_of_order": None,
    "duplicated": None,
    "future": None,
}
#: Through the API: it answers in JSON that it does not know a series, so that a page is something else.
FATES_OF_API = {"not_found": Bad(RejectedRequestError, "refused the request with status 404")}
FAILING = [name for name, fate in FATES.items() if fate]
SURVIVED = [name for name, fate in FATES.items() if not fate]


@dataclass(frozen=True)
class Door:
    """A way to a publisher, and a dataset that comes by it."""

    way: str
    dataset: str
    series: str
    address: str
    keyed: bool = False


CSV = Door("fred:DGS10", "ust_10y", "DGS10", r"/graph/fredgraph\.csv\?id=DGS10")
API = Door(
    "fred_api:DGS10",
    "ust_10y",
    "DGS10",
    r"/fred/series/observations\?series_id=DGS10&api_key=REDACTED&file_type=json",
    keyed=True,
)
CBOE = Door("cboe:VIX", "vix", "VIX", r"/api/global/us_indices/daily_prices/VIX_History\.csv")
# two of them only in long runs: what they do not share has tests beside their formats
DOORS = [
    pytest.param(CSV, id="csv"),
    pytest.param(API, id="api", marks=pytest.mark.slow),
    pytest.param(CBOE, id="cboe", marks=pytest.mark.slow),
]


def _break(world: World, door: Door, fault: Fault, times: int | None = None) -> None:
    server = world.cboe if door is CBOE else world.fred
    server.install(fault, series=door.series, times=times)


def _stored(world: World, name: str, window: Window) -> dict[date, tuple[float, ...]]:
    frame = open_store(world.settings(), world.catalog.entry(name)).read_frame(window)
    return {stamp.date(): tuple(row) for stamp, *row in frame.itertuples()}


def _printed(world: World, series: str, window: Window) -> dict[date, tuple[float, ...]]:
    rows = world.publisher.served(series)
    return {day: tuple(map(float, texts)) for day, texts in rows if day in window and all(texts)}


def test_every_fault_has_its_fate() -> None:
    """A fault that comes to the servers must come to this list."""
    assert FATES.keys() == FAULTS.keys()


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", FAILING)
def test_bad_answer_changes_no_stored_byte(world: World, door: Door, name: str) -> None:
    """It is a typed error that says whom, when, what was asked, what came and what to do; the run log keeps it."""
    fate = FATES_OF_API.get(name, FATES[name]) if door is API else FATES[name]
    assert fate is not None
    _break(world, door, FAULTS[name])
    settings = world.settings(keyed=door.keyed, MACROCREDIT_HTTP_TIMEOUT=str(fate.seconds))
    before = world.kept()
    with pytest.raises(fate.error) as caught:
        world.ingest(door.dataset, WEEK, settings)
    said = str(caught.value)
    assert world.kept() == before
    assert type(caught.value) is fate.error
    assert re.search(fate.says, said), said
    if issubclass(fate.error, SourceError):
        _says_all(said, door)
    else:
        assert f"macrocredit backfill {door.dataset} --start {WEEK.start} --end {WEEK.end}" in said
    assert world.fred.key not in said
    failure = last_failures(settings.logs_directory, [door.dataset])[door.dataset]
    assert (failure.type, failure.message) == (fate.error.__name__, said)


def _says_all(said: str, door: Door) -> None:
    first, asked, came, todo = said.split("\n")
    assert first.startswith(f"{door.dataset}: ")
    assert first.endswith(f" ({door.way}, 2024-03-01..2024-03-07).")
    assert re.match(rf"  asked: http://127\.0\.0\.1:[0-9]+{door.address}", asked)
    assert re.match(r"  came back: \S", came)
    assert re.match(r"  what to do: .*macrocredit [a-z]+ ", todo)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", SURVIVED)
def test_odd_answer_is_read_all_the_same(own_world: World, door: Door, name: str) -> None:
    """Its rows are stored as they were printed, what is left out is counted, and February stays as it is."""
    february = _stored(own_world, door.dataset, FEBRUARY)
    _break(own_world, door, FAULTS[name])
    record = own_world.ingest(door.dataset, WEEK, own_world.settings(keyed=door.keyed))
    expected = _printed(own_world, door.series, WEEK)
    assert list(expected) == DAYS
    assert _stored(own_world, door.dataset, Window(FEBRUARY.start, date(2024, 4, 30))) == february | expected
    odd = {reason: record.dropped[reason] for reason in ("duplicate", "future") if reason in record.dropped}
    assert odd == {"duplicated": {"duplicate": 1}, "future": {"future": 1}}.get(name, {})
    assert [one.rule for one in record.findings] == (["future_dates"] if name == "future" else [])


@pytest.mark.parametrize("name", ["rate_limited", "unavailable", "reset", "reset_in_body", "short_body", "long_body"])
def test_next_try_brings_the_answer(own_world: World, name: str) -> None:
    """A server that fails once, and would rather be asked again, costs nothing but the wait."""
    _break(own_world, CSV, FAULTS[name], times=1)
    record = own_world.ingest("ust_10y", WEEK)
    assert (record.status, record.findings) == ("written", ())
    assert _stored(own_world, "ust_10y", WEEK) == _printed(own_world, "DGS10", WEEK)


def test_certificate_that_does_not_verify(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is believed whom no known authority vouches for: not a byte is asked, none is stored."""
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(variable, raising=False)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    before = world.kept()
    with FredServer(world.publisher, tls=tls) as stranger, pytest.raises(UntrustedSourceError) as caught:
        world.ingest("ust_10y", WEEK, world.settings(**stranger.settings()))
    said = str(caught.value)
    assert "certificate" in said.split("\n")[0]
    assert "REQUESTS_CA_BUNDLE" in said
    assert (stranger.requests, world.kept()) == ((), before)


def _only(keep: Callable[[date], bool]) -> Fault:
    return Fault("fewer", table=lambda table: replace(table, rows=tuple(row for row in table.rows if keep(row[0]))))


@pytest.mark.parametrize(
    ("fault", "window", "rule", "count"),
    [
        (faults.frozen(date(2024, 2, 29)), WEEK, "stale_source", 1),
        (_only(lambda day: day >= date(2024, 2, 15)), FEBRUARY, "truncated", 10),
        (_only(lambda day: day != date(2024, 2, 14)), FEBRUARY, "vanished", 1),
    ],
    ids=["stale_source", "truncated", "vanished"],
)
def test_rows_that_are_missing_are_told_and_kept(
    own_world: World, fault: Fault, window: Window, rule: str, count: int
) -> None:
    """200 OK with less than there was: a finding in the run log, and every stored row stays."""
    everything = Window(FEBRUARY.start, WEEK.end)
    before = _stored(own_world, "ust_10y", everything)
    _break(own_world, CSV, fault)
    record = own_world.ingest("ust_10y", window)
    assert {one.rule: (one.severity, one.count) for one in record.findings if one.rule == rule} == {
        rule: ("warning", count)
    }
    assert _stored(own_world, "ust_10y", everything) == before
    shown = own_world.say("runs", "show", "last", "--json")
    logged = json.loads(shown.output)["assets"]["ust_10y"]["findings"]
    assert rule in [one["rule"] for one in logged]
