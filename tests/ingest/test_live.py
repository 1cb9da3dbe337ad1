"""Live answers on their way to the file: archives beside them, histories cut short, and series that ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from macrocredit_assets.catalog import DatasetSpec, load_catalog
from macrocredit_assets.daily import daily_window
from macrocredit_assets.errors import MalformedResponseError
from macrocredit_assets.holdings import Holdings
from macrocredit_assets.ingest import Ingested, ingest, stored_beside
from macrocredit_assets.persistence.landing import Landing
from macrocredit_assets.settings import Settings
from macrocredit_assets.sources import build_sources, choose
from macrocredit_assets.status import statuses
from macrocredit_assets.stores import open_store
from macrocredit_assets.testing import FredServer, Publisher, faults
from macrocredit_assets.windows import Coverage, Window
from macrocredit_assets.writing import write

TODAY = date(2026, 3, 6)
WEEK = Window(date(2026, 2, 27), date(2026, 3, 5))
PERCENT = {
    "2020-01-02": "3.62",
    "2023-03-01": "4.31",
    "2026-02-27": "2.80",
    "2026-02-28": "2.81",
    "2026-03-02": "2.85",
    "2026-03-03": "2.86",
    "2026-03-04": "2.90",
}


@dataclass
class Bench:
    """A root of profile ``public``, and the publisher that it asks."""

    fred: FredServer
    settings: Settings

    @property
    def publisher(self) -> Publisher:
        """Whom it asks."""
        return self.fred.publisher

    def keyed(self) -> Bench:
        """Return the same with a key."""
        return Bench(self.fred, replace(self.settings, fred_api_key=self.fred.key))

    def ingest(self, spec: DatasetSpec, window: Window, today: date = TODAY) -> Ingested:
        """Fetch, judge and write a window as a run does."""
        sources = build_sources(self.settings, today=lambda: today)
        route = choose(spec, "public", sources)
        beside = stored_beside(open_store(self.settings, spec), window, route.series)
        ingested = ingest(spec, window, route, sources, today=today, stored=beside)
        write(self.settings, spec, ingested, run_id="1")
        return ingested

    def stored(self, spec: DatasetSpec) -> dict[str, float]:
        """Return the main column as it is stored, by ISO date."""
        frame = open_store(self.settings, spec).read_frame()
        return {f"{day:%Y-%m-%d}": value for day, value in frame[spec.main].items()}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Serve one series as FRED serves those of ICE, the TED spread not yet among them."""
    publisher = Publisher(today=TODAY)
    publisher.publish("BAMLH0A0HYM2", {date.fromisoformat(day): text for day, text in PERCENT.items()}, serves_years=3)
    with FredServer(publisher) as fred:
        environ = {"MACROCREDIT_ROOT": str(tmp_path / "root"), "MACROCREDIT_PROFILE": "public", **fred.settings()}
        yield Bench(fred, Settings.from_env(environ))


@pytest.fixture
def hy() -> DatasetSpec:
    """Return the high yield spread: percent at FRED, basis points here."""
    return load_catalog().datasets["us_hy_oas"]


def rules(ingested: Ingested) -> list[str]:
    """Return which rules had something to say."""
    return [one.rule for one in ingested.findings]


def test_both_doors_are_one_series(bench: Bench, hy: DatasetSpec) -> None:
    """What the CSV began the API continues: one series, with the way of each in its own record."""
    first = bench.ingest(hy, Window(date(2026, 2, 26), date(2026, 3, 2)))
    second = bench.keyed().ingest(hy, WEEK)
    assert (first.series, second.series) == ("fred:BAMLH0A0HYM2", "fred:BAMLH0A0HYM2")
    assert (first.ways, second.ways) == (("fred:BAMLH0A0HYM2",), ("fred_api:BAMLH0A0HYM2",))
    assert bench.stored(hy) == {
        "2026-02-27": 280.0,
        "2026-02-28": 281.0,
        "2026-03-02": 285.0,
        "2026-03-03": 286.0,
        "2026-03-04": 290.0,
    }


def test_a_record_leads_to_what_was_sent(bench: Bench, hy: DatasetSpec) -> None:
    """The revision names the answers that its rows were read from."""
    ingested = bench.ingest(hy, WEEK)
    revision = open_store(bench.settings, hy).last_revision()
    assert revision is not None
    assert revision.landing == ingested.landing
    (kept,) = ingested.landing
    assert b"\n2026-03-04,2.90\n" in Landing(bench.settings.landing_directory).read(kept)


def test_an_archive_extends_what_is_served(bench: Bench, hy: DatasetSpec, tmp_path: Path) -> None:
    """On shared days the live row stands; before them the file has the rest, and the source does not begin late."""
    archive = pd.DataFrame({"date": [*PERCENT][:3], "BAMLH0A0HYM2": ["3.62", "4.31", "9.99"]})
    archive.to_csv(tmp_path / "fred_BAMLH0A0HYM2.csv", index=False)
    bench.settings = replace(bench.settings, files=tmp_path)
    ingested = bench.ingest(hy, Window(date(2020, 1, 2), date(2026, 3, 4)))
    assert ingested.ways == ("fred:BAMLH0A0HYM2", "file:fred_BAMLH0A0HYM2.csv")
    assert bench.stored(hy) == {
        "2020-01-02": 362.0,
        "2023-03-01": 431.0,
        "2026-02-27": 280.0,
        "2026-02-28": 281.0,
        "2026-03-02": 285.0,
        "2026-03-03": 286.0,
        "2026-03-04": 290.0,
    }
    assert ingested.dropped["superseded"] == 1
    assert "source_begins" not in rules(ingested)
    assert "truncated" not in rules(ingested)
    assert len(ingested.landing) == 1


def test_a_history_that_was_cut_off_costs_no_row(bench: Bench, hy: DatasetSpec) -> None:
    """FRED sends three years of what it once sent whole: the older rows stay, and the finding says so."""
    bench.publisher.truncate("BAMLH0A0HYM2", None)
    whole = Window(date(2020, 1, 2), date(2026, 3, 4))
    before = bench.ingest(hy, whole)
    stored = bench.stored(hy)
    bench.publisher.truncate("BAMLH0A0HYM2", 3)
    after = bench.ingest(hy, whole)
    assert bench.stored(hy) == stored
    assert len(stored) == len(PERCENT)
    assert "truncated" not in rules(before)
    (told,) = (one for one in after.findings if one.rule == "truncated")
    assert (told.severity, told.count, told.examples) == (
        "warning",
        2,
        ({"date": "2020-01-02"}, {"date": "2023-03-01"}),
    )
    assert "the source begins on 2026-02-27; 2 stored rows before it are kept" in told.message


def test_days_that_are_served_no_more_are_not_covered(bench: Bench, hy: DatasetSpec) -> None:
    """One day was stored, then FRED was cut: the years between, never had, stay open; what is kept has not vanished."""
    bench.publisher.truncate("BAMLH0A0HYM2", None)
    bench.ingest(hy, Window(date(2020, 1, 2), date(2020, 1, 2)))
    bench.publisher.truncate("BAMLH0A0HYM2", 3)
    after = bench.ingest(hy, Window(date(2020, 1, 2), date(2026, 3, 4)))
    head = open_store(bench.settings, hy).head()
    assert head is not None
    assert str(head.coverage) == "2020-01-02..2020-01-02, 2026-02-27..2026-03-04"
    assert rules(after) == ["truncated"]
    assert "1 stored row before it is kept; 2020-01-03..2026-02-26 stays open" in after.findings[0].message


def test_hole_in_an_answer_is_not_covered_month_by_month(bench: Bench, hy: DatasetSpec) -> None:
    """Rows of fifteen months are missing from 200 OK: no month of them is answered, whichever is asked for."""
    days = pd.bdate_range("2023-01-02", "2026-03-04")
    whole = {stamp.date(): "3.00" for stamp in days if not "2024-03" <= f"{stamp:%Y-%m}" <= "2025-05"}
    bench.publisher.publish("BAMLH0A0HYM2", whole)
    month, year = Window(date(2024, 7, 1), date(2024, 7, 31)), Window(date(2023, 9, 1), date(2025, 12, 31))
    inside, around = bench.ingest(hy, month), bench.ingest(hy, year)
    assert (rules(inside), inside.answered) == (["source_gaps"], Coverage())
    assert "source_gaps" in rules(around)
    assert str(around.answered) == "2023-09-01..2024-02-29, 2025-06-02..2025-12-31"
    # rows are asked for until a month after the window, and none came
    edge = bench.ingest(hy, Window(date(2024, 2, 1), date(2024, 3, 29)))
    assert ("stale_source" in rules(edge), str(edge.answered)) == (True, "2024-02-01..2024-02-29")


def test_days_between_archive_and_publisher_stay_open(bench: Bench, hy: DatasetSpec, tmp_path: Path) -> None:
    """An archive that ends before FRED begins: what neither has is not covered, and the next backfill asks again."""
    archive = pd.DataFrame({"date": ["2020-01-02", "2020-01-03"], "BAMLH0A0HYM2": ["3.62", "3.63"]})
    archive.to_csv(tmp_path / "fred_BAMLH0A0HYM2.csv", index=False)
    bench.settings = replace(bench.settings, files=tmp_path)
    ingested = bench.ingest(hy, Window(date(2020, 1, 2), date(2026, 3, 4)))
    assert str(ingested.answered) == "2020-01-02..2020-01-03, 2026-02-27..2026-03-04"
    assert rules(ingested) == ["between_ways"]
    assert "file:fred_BAMLH0A0HYM2.csv ends on 2020-01-03 and fred:BAMLH0A0HYM2 begins on 2026-02-27" in (
        ingested.findings[0].message
    )


def test_an_answer_without_what_is_due_is_stale(bench: Bench, hy: DatasetSpec) -> None:
    """200 OK, and nothing new for longer than the lag allows: a warning, and the days stay open."""
    bench.fred.install(faults.frozen(date(2026, 3, 2)))
    ingested = bench.ingest(hy, WEEK, today=date(2026, 3, 12))
    (told,) = (one for one in ingested.findings if one.rule == "stale_source")
    assert told.severity == "warning"
    assert "until 2026-03-02; 2026-03-03..2026-03-05 stays open" in told.message
    assert str(ingested.answered) == "2026-02-27..2026-03-02"


def test_days_to_come_answer_nothing(bench: Bench, hy: DatasetSpec) -> None:
    """A row of next month is left out, and does not make the days until then answered."""
    bench.fred.install(faults.future(days=30))
    ingested = bench.ingest(hy, WEEK)
    assert "future_dates" in rules(ingested)
    assert str(ingested.answered) == "2026-02-27..2026-03-04"


def test_a_source_that_fails_leaves_every_byte(bench: Bench, hy: DatasetSpec) -> None:
    """Nothing of a bad answer reaches what is stored; the answer itself is kept beside it."""
    bench.ingest(hy, Window(date(2026, 2, 26), date(2026, 3, 2)))
    before = _bytes(bench.settings)
    bench.fred.install(faults.cell("N/A"))
    with pytest.raises(MalformedResponseError):
        bench.ingest(hy, WEEK)
    after = _bytes(bench.settings)
    new = after.keys() - before.keys()
    assert {name: after[name] for name in before} == before
    assert [name.split("/")[0] for name in new] == ["landing"]


def _bytes(settings: Settings) -> dict[str, bytes]:
    files = (path for path in settings.data_directory.rglob("*") if path.is_file())
    return {path.relative_to(settings.data_directory).as_posix(): path.read_bytes() for path in files}


TED = """
extends: none
datasets:
  ted_spread:
    title: TED spread
    instrument: TED
    group: rates
    owner: team:desk
    description: Three months' Libor over Treasury bills, in percent.
    calendar: us_bond
    {ended}
    main: spread
    columns: {{spread: {{unit: percent, decimals: 2}}}}
    ways: [{{source: fred, series: "fred:TEDRATE", series_id: TEDRATE, column: spread}}]
"""


@pytest.mark.parametrize("ended", ["ended: 2020-09-29", ""])
def test_a_series_that_ended_is_silent(bench: Bench, real_data: Path, tmp_path: Path, ended: str) -> None:
    """The TED spread, here until September 2020: with its end in the entry nothing is missing, stale, or asked for."""
    rows = [line.split(",") for line in (real_data / "fred_TEDRATE.csv").read_text().splitlines()[1:]]
    published = {date.fromisoformat(day): "" if text == "." else text for day, text in rows if day > "2020-06"}
    bench.publisher.publish("TEDRATE", published)
    path = tmp_path / "ted.yaml"
    path.write_text(TED.format(ended=ended))
    catalog = load_catalog(path)
    spec, settings = catalog.datasets["ted_spread"], replace(bench.settings, catalog=path)

    first = bench.ingest(spec, Window(date(2020, 7, 1), date(2026, 3, 5)))
    morning = bench.ingest(spec, daily_window(Holdings(settings, catalog), ["ted_spread"], TODAY))
    (status,) = statuses(Holdings(settings, catalog), ["ted_spread"], today=TODAY)

    assert bench.stored(spec)["2020-09-29"] == 0.14
    requests = [request for request in bench.fred.requests if request.series == "TEDRATE"]
    if ended:
        assert (rules(first), rules(morning)) == ([], [])
        assert morning.answered == Coverage((morning.window,))
        assert (status.state, status.missing_sessions, status.awaited, status.days_late) == ("complete", 0, 0, 0)
        assert len(requests) == 1
    else:
        assert [rules(one)[0] for one in (first, morning)] == ["stale_source", "stale_source"]
        assert status.state == "late"
        assert status.missing_sessions > 1000
