"""FRED through both of its doors, asked from a local server that speaks as it does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.catalog.models import CboeWay, FredWay, Way
from macrocredit_assets.errors import (
    EmptyResponseError,
    MalformedResponseError,
    NotServedError,
    RejectedRequestError,
    SchemaChangedError,
    SourceError,
    UnknownSeriesError,
)
from macrocredit_assets.persistence.landing import Landing
from macrocredit_assets.settings import Settings
from macrocredit_assets.sources import Fetched, build_sources
from macrocredit_assets.testing import Fault, FredServer, Publisher, Request, faults
from macrocredit_assets.testing.servers.replies import Reply
from macrocredit_assets.windows import Window

TODAY = date(2026, 3, 6)
#: Monday to Friday of one week
WEEK = Window(date(2026, 3, 2), TODAY)
YIELDS = {"2026-01-05": "4.00", "2026-02-27": "4.01", "2026-03-02": "4.06", "2026-03-03": "", "2026-03-04": "4.10"}
SPECS = load_catalog().datasets
DOORS = ["csv", "api"]


def days(rows: dict[str, str]) -> dict[date, str]:
    """Return rows by date."""
    return {date.fromisoformat(day): text for day, text in rows.items()}


@pytest.fixture(scope="module")
def fred() -> Iterator[FredServer]:
    """Serve the yields, a spread in percent, a series with a long gap, one that ended, and an ICE series cut short."""
    publisher = Publisher(today=TODAY)
    publisher.publish("DGS10", days(YIELDS))
    publisher.publish("BAA10Y", days({"2026-02-26": "0.58", "2026-03-02": "21.82"}))
    publisher.publish("GAP", days({"2025-06-02": "1", "2026-03-04": "2"}))
    publisher.publish("ENDED", days({"2022-01-20": "0.10", "2022-01-21": "0.09"}))
    publisher.publish("NOTHING", days({"2026-03-02": "", "2026-03-03": ""}))
    publisher.publish("ICE", days({"2020-01-02": "3.00", "2025-12-01": "2.70", "2026-03-04": "2.80"}), serves_years=3)
    with FredServer(publisher) as server:
        yield server


@pytest.fixture(autouse=True)
def _in_order(fred: FredServer) -> Iterator[None]:
    """Take back what a test broke."""
    yield
    fred.clear()


@pytest.fixture(params=DOORS)
def keyed(request: pytest.FixtureRequest) -> bool:
    """Go through one door, and then through the other."""
    return bool(request.param == "api")


Ask = Callable[..., Fetched]


@pytest.fixture
def ask(fred: FredServer, keyed: bool, tmp_path: Path) -> Ask:
    """Return what fetches a series of the server through the door of the test."""

    def fetch(series_id: str = "DGS10", window: Window = WEEK, spec: str = "ust_10y", *, keep: bool = True) -> Fetched:
        settings = Settings.from_env({"MACROCREDIT_ROOT": str(tmp_path), **fred.settings(keyed=keyed)})
        way = next(way for way in SPECS[spec].ways if isinstance(way, FredWay)).model_copy(
            update={"series_id": series_id}
        )
        return build_sources(settings, keep=keep, today=lambda: TODAY)["fred"].fetch(SPECS[spec], way, window)

    return fetch


def asked(fred: FredServer, before: int) -> list[tuple[str | None, str | None]]:
    """Return the dates of every request since a number of them."""
    names = (("cosd", "observation_start"), ("coed", "observation_end"))
    return [
        tuple(next((request.query[name] for name in each if name in request.query), None) for each in names)  # type: ignore[misc]
        for request in fred.requests[before:]
    ]


def values(fetched: Fetched) -> dict[str, float]:
    """Return the one column by ISO date."""
    return {f"{day:%Y-%m-%d}": value for day, value in fetched.frame.iloc[:, 0].items()}


def test_a_window_comes_through_either_door(fred: FredServer, ask: Ask, keyed: bool, tmp_path: Path) -> None:
    """The rows with a value, the label of the door, where the series begins and ends, and the answer itself."""
    before = len(fred.requests)
    fetched = ask()
    expected = pd.DataFrame(
        {"yield": [4.06, 4.10]}, pd.DatetimeIndex(["2026-03-02", "2026-03-04"], name="date").as_unit("us")
    )
    pd.testing.assert_frame_equal(fetched.frame, expected)
    assert fetched.label == ("fred_api:DGS10" if keyed else "fred:DGS10")
    assert (fetched.first, fetched.last) == (date(2026, 2, 27), date(2026, 3, 4))
    assert (fetched.rows_read, fetched.dropped) == (4, {"outside_window": 1, "missing": 1})
    assert asked(fred, before) == [("2026-01-30", "2026-04-06")]
    (kept,) = fetched.landing
    assert kept.startswith("landing/fred/DGS10/")
    body = Landing(tmp_path / "data" / "landing").read(kept)
    assert body.startswith(b'{"realtime_start"' if keyed else b"observation_date,DGS10\n2026-02-27,4.01\n")


def test_percent_becomes_basis_points_exactly(ask: Ask) -> None:
    """0.58 percent is 58 bp, and not 57.99999999999999."""
    assert values(ask("BAA10Y", Window(date(2026, 2, 26), TODAY), "baa_10y")) == {"2026-02-26": 58, "2026-03-02": 2182}


def test_nothing_is_kept_where_nothing_shall_be(ask: Ask, tmp_path: Path) -> None:
    """A probe leaves no file."""
    assert ask(keep=False).landing == ()
    assert list(tmp_path.iterdir()) == []


def test_what_begins_within_the_window_is_asked_for_whole(fred: FredServer, ask: Ask) -> None:
    """Only all of a series shows whether it begins there, or has rows from long before."""
    before = len(fred.requests)
    begins = ask(window=Window(date(2026, 1, 2), TODAY))
    assert (begins.first, len(begins.frame)) == (date(2026, 1, 5), 4)
    gap = ask("GAP", Window(date(2026, 2, 27), TODAY))
    assert (gap.first, values(gap)) == (date(2025, 6, 2), {"2026-03-04": 2.0})
    assert [dates[0] for dates in asked(fred, before)] == ["2025-12-02", None, "2026-01-27", None]


def test_closed_days_before_the_first_row_ask_for_nothing_more(fred: FredServer, ask: Ask) -> None:
    """A window that begins on a Saturday, and a series that begins on the Monday after it, begin together."""
    before = len(fred.requests)
    assert ask(window=Window(date(2026, 1, 3), TODAY)).first == date(2026, 1, 5)
    assert len(fred.requests) == before + 1


def test_a_window_after_the_end_of_a_series(ask: Ask) -> None:
    """No row is inside, and the last one there is says why."""
    fetched = ask("ENDED")
    assert (len(fetched.frame), fetched.first, fetched.last) == (0, date(2022, 1, 20), date(2022, 1, 21))


def test_rows_without_values_are_an_answer(ask: Ask) -> None:
    """A series that holds no value at all is not an empty answer, and says nothing of any date."""
    fetched = ask("NOTHING")
    assert (fetched.rows_read, fetched.first, fetched.last, len(fetched.frame)) == (2, None, None, 0)


def test_a_series_that_is_sent_whole_is_trimmed(ask: Ask, keyed: bool) -> None:
    """Of the ICE series the CSV has three years, and sends them whatever it is asked for."""
    fetched = ask("ICE", spec="us_hy_oas")
    assert values(fetched) == {"2026-03-04": 280.0}
    assert fetched.first == date(2025, 12, 1)
    assert fetched.rows_read == 2


@pytest.mark.parametrize("keyed", ["api"], indirect=True)
def test_pages_are_read_to_the_end(fred: FredServer, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The API sends so many rows a page; all pages are one answer, and each is kept."""
    monkeypatch.setattr(fred, "page_rows", 2)
    before = len(fred.requests)
    fetched = ask()
    assert values(fetched) == {"2026-03-02": 4.06, "2026-03-04": 4.10}
    assert [request.query["offset"] for request in fred.requests[before:]] == ["0", "2"]
    assert len(fetched.landing) == 2


def second_page(**changes: object) -> Fault:
    """Send something else on the page that begins after two rows."""

    def reply(sent: Reply, request: Request) -> Reply:
        if request.query["offset"] != "2":
            return sent
        return replace(sent, body=json.dumps({**json.loads(sent.body), **changes}).encode())

    return Fault("second_page", reply=reply)


@pytest.mark.parametrize("keyed", ["api"], indirect=True)
@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (second_page(observations=[]), "says that there are 4 rows, and stopped after 2"),
        (second_page(observations=[], count=2), "changed the series from 4 to 2 rows while it was read"),
        (second_page(offset=0), "the rows from 0 on in place of those from 2 on"),
    ],
    ids=["stops", "shrinks", "repeats"],
)
def test_pages_that_do_not_fit_are_no_answer(
    fred: FredServer, ask: Ask, monkeypatch: pytest.MonkeyPatch, fault: Fault, says: str
) -> None:
    """A part of a series is not passed off as all of it."""
    monkeypatch.setattr(fred, "page_rows", 2)
    fred.install(fault)
    with pytest.raises(MalformedResponseError, match=says):
        ask()


@pytest.mark.parametrize("keyed", ["csv"], indirect=True)
def test_the_old_layout_is_read(fred: FredServer, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """DATE, and a dot where there is no value."""
    monkeypatch.setattr(fred, "layout", "old")
    assert values(ask()) == {"2026-03-02": 4.06, "2026-03-04": 4.10}


@pytest.mark.parametrize(
    "fault", [faults.byte_order_mark(), faults.carriage_returns(), faults.out_of_order()], ids=lambda fault: fault.name
)
def test_what_does_no_harm_changes_nothing(fred: FredServer, ask: Ask, fault: Fault) -> None:
    """A byte order mark, either line end, any order: the same rows."""
    fred.install(fault)
    fetched = ask()
    assert dict(sorted(values(fetched).items())) == {"2026-03-02": 4.06, "2026-03-04": 4.10}
    assert (fetched.first, fetched.last) == (date(2026, 2, 27), date(2026, 3, 4))


def test_duplicates_and_odd_numbers_are_left_to_the_rules(fred: FredServer, ask: Ask) -> None:
    """A date twice stays twice, and 1e5 is a number, however unlikely."""
    fred.install(faults.duplicated(), times=1)
    assert ask().frame["yield"].tolist() == [4.06, 4.10, 4.10]
    fred.install(faults.conflicting(), times=1)
    assert ask().frame["yield"].tolist() == [4.06, 4.10, 5.10]
    fred.install(faults.cell("1e5"), times=1)
    assert values(ask())["2026-03-04"] == 100_000.0


def test_days_to_come_are_left_out_and_told(fred: FredServer, ask: Ask) -> None:
    """A row of tomorrow is no observation, and does not say that the source has come so far."""
    fred.install(faults.future(days=1))
    fetched = ask(window=Window(WEEK.start, date(2026, 3, 9)))
    assert (len(fetched.frame), fetched.last, fetched.dropped["future"]) == (2, date(2026, 3, 4), 1)
    (told,) = fetched.findings
    assert (told.rule, told.severity, told.count) == ("future_dates", "warning", 1)
    assert told.examples == ({"date": "2026-03-07"},)
    assert "1 row after 2026-03-06" in told.message
    fred.clear()
    fred.install(faults.future(days=0))
    assert ask().last == TODAY


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        (faults.header_only(), EmptyResponseError, "FRED sent a header and no row of the series"),
        (faults.login_page(), MalformedResponseError, "a page for people"),
        (faults.cell("N/A"), MalformedResponseError, "'N/A' is no number"),
        (faults.cell("4,10"), MalformedResponseError, ""),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_what_is_no_answer_is_an_error(
    fred: FredServer, ask: Ask, fault: Fault, error: type[SourceError], says: str
) -> None:
    """Nothing is guessed: who asked, for which dates, what came back and what to do stand in the message."""
    fred.install(fault)
    with pytest.raises(error) as caught:
        ask()
    first, *others = str(caught.value).splitlines()
    assert first.startswith("ust_10y: ")
    assert says in first
    assert first.endswith(":DGS10, 2026-03-02..2026-03-06).")
    assert [line.split(":")[0] for line in others] == ["  asked", "  came back", "  what to do"]
    assert "macrocredit backfill ust_10y --start 2026-03-02 --end 2026-03-06" in others[2]
    assert fred.key not in str(caught.value)


def test_another_header_is_shown_beside_the_known_ones(fred: FredServer, ask: Ask, keyed: bool) -> None:
    """Both stand in the message, so that one sees what changed."""
    fred.install(faults.renamed_header("DGS_10"))
    with pytest.raises(SchemaChangedError) as caught:
        ask()
    if keyed:
        assert "realtime_start,realtime_end,date,DGS_10 in place of date,value" in str(caught.value)
    else:
        assert "observation_date,DGS_10 in place of observation_date,DGS10 or DATE,DGS10" in str(caught.value)


@pytest.mark.parametrize("keyed", ["csv"], indirect=True)
@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (faults.cell("N/A"), "a cell that cannot be read: line 5, column 'DGS10': 'N/A' is no number"),
        (faults.lone_comma(), "a cell that cannot be read: line 4, column 'observation_date': '' is no date"),
        (faults.cell("4.1,1"), "line 5: '2026-03-04,4.1,1' has 3 cells where the header has 2"),
    ],
    ids=["text", "comma", "ragged"],
)
def test_a_bad_line_is_named(fred: FredServer, ask: Ask, fault: Fault, says: str, tmp_path: Path) -> None:
    """The line as an editor counts it, in the answer that was kept."""
    fred.install(fault)
    with pytest.raises(MalformedResponseError) as caught:
        ask()
    assert says in str(caught.value)
    (kept,) = (tmp_path / "data/landing/fred/DGS10").glob("*.csv.gz")
    assert f"which is kept in data/landing/fred/DGS10/{kept.name}" in str(caught.value)


def test_an_unknown_series_is_told(ask: Ask, keyed: bool, tmp_path: Path) -> None:
    """A page with 404, or a sentence of the API: the entry is wrong, and no refusal is kept."""
    with pytest.raises(UnknownSeriesError) as caught:
        ask("DGS11")
    assert "FRED does not know the series" in str(caught.value)
    assert ("The series does not exist" in str(caught.value)) == keyed
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("keyed", ["api"], indirect=True)
def test_a_wrong_key_is_told_without_it(fred: FredServer, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """What FRED says of it, the variable to correct, and never the key itself."""
    known = fred.key
    monkeypatch.setattr(fred, "key", "f" * 32)
    monkeypatch.setattr(fred, "settings", lambda **_: {**FredServer.settings(fred), "FRED_API_KEY": known})
    with pytest.raises(RejectedRequestError) as caught:
        ask()
    assert "status 400: Bad Request. The value for variable api_key is not registered" in str(caught.value)
    assert "correct FRED_API_KEY" in str(caught.value)
    assert known not in str(caught.value)


def test_another_refusal_is_told(fred: FredServer, ask: Ask) -> None:
    """A status that nobody explains is a refusal, with its number."""
    fred.install(faults.unavailable(403))
    with pytest.raises(RejectedRequestError, match="status 403"):
        ask()


def test_a_way_of_another_source_is_none(fred: FredServer, tmp_path: Path) -> None:
    """FRED says so when it is asked, and refuses to guess."""
    settings = Settings.from_env({"MACROCREDIT_ROOT": str(tmp_path), **fred.settings()})
    source, spec = build_sources(settings)["fred"], SPECS["vix"]
    cboe: Way = next(way for way in spec.ways if isinstance(way, CboeWay))
    reason = "its entry is no series of FRED but cboe"
    assert source.unavailable(cboe) == reason
    assert source.unavailable(next(way for way in SPECS["ust_10y"].ways if isinstance(way, FredWay))) is None
    with pytest.raises(NotServedError, match=reason):
        source.fetch(spec, cboe, WEEK)
