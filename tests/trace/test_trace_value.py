"""Where a row came from: revision, run, answer or file; and why there is none."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from macrocredit_assets.catalog import Catalog, arrow_schema, load_catalog
from macrocredit_assets.errors import UnknownDatasetError, UsageError
from macrocredit_assets.persistence import DatasetStore, Provenance, RunHeader, RunLog
from macrocredit_assets.persistence.landing import Landing
from macrocredit_assets.settings import Settings
from macrocredit_assets.trace import Line, Trace, trace
from macrocredit_assets.windows import Window

if TYPE_CHECKING:
    from conftest import Desk

CATALOG = load_catalog()
TODAY = date(2024, 2, 1)
DAY = date(2024, 1, 3)
NOON = datetime(2024, 1, 5, 12, tzinfo=UTC)
CSV = b"observation_date,DGS10\n2024-01-01,\n2024-01-02,3.95\n2024-01-03,3.91\n"
API = b'{"count": 1, "observations": [{"date": "2024-01-04", "value": "3.99"}]}'


class Treasury:
    """The 10-year yield below a root, as a run writes it, with answers that were kept."""

    def __init__(self, root: Path) -> None:
        self.settings = Settings(root=root, dagster_home=root / ".dagster", files=root / "files")
        self.landing = Landing(self.settings.landing_directory)
        self.now = NOON
        self.store = DatasetStore(
            self.settings.dataset_path("market", "ust_10y"),
            arrow_schema(CATALOG.entry("ust_10y")),
            clock=lambda: self.now,
        )

    def put(self, rows: dict[str, float], ways: tuple[str, ...] = ("fred:DGS10",), **told: Any) -> None:  # noqa: ANN401
        """Write rows of January."""
        index = pd.DatetimeIndex([*rows], name="date", dtype="datetime64[us]")
        provenance = Provenance(run_id=told.pop("run_id", "r1"), ways=ways, landing=told.pop("landing", ()))
        window = Window.parse("2024-01-01", "2024-01-05")
        frame = pd.DataFrame({"yield": [*rows.values()]}, index, dtype=float)
        self.store.write(window, frame, series="fred:DGS10", provenance=provenance, **told)

    def keep(self, body: bytes, suffix: str = "csv") -> str:
        """Keep an answer of FRED."""
        return self.landing.keep("fred", "DGS10", body, self.now, suffix)

    def trace(self, day: date = DAY, **kept: int) -> Trace:
        """Trace a row."""
        settings = Settings(**{**vars(self.settings), **kept})
        return trace(settings, CATALOG, "ust_10y", day, today=TODAY)


@pytest.fixture
def treasury(tmp_path: Path) -> Treasury:
    """Begin with nothing."""
    return Treasury(tmp_path)


def test_value_leads_to_run_and_line(treasury: Treasury) -> None:
    """A stored value has its revision, the run with its log, and the line of the answer it was read from."""
    answer = treasury.keep(CSV)
    log = RunLog(treasury.settings.logs_directory, "r1")
    header = RunHeader("r1", "daily", NOON, "public", "real", None, "schedule daily_us", "desk7", 1, 1.0)
    path = log.start(header)
    log.finish("success", {}, NOON)
    treasury.put({"2024-01-02": 3.95, "2024-01-03": 3.91}, landing=(answer,))
    found = treasury.trace()
    assert (found.state, found.why, found.series, found.row) == ("present", None, "fred:DGS10", {"yield": 3.91})
    assert found.revision is not None
    assert (found.revision.number, found.revision.landing, found.set_by) == (1, (answer,), {"yield": 1})
    assert found.run is not None
    assert (found.run.log, found.run.status, found.run.launched_by) == (path, "success", "schedule daily_us")
    (origin,) = found.origins
    assert (origin.way, origin.path) == ("fred:DGS10", treasury.settings.data_directory / answer)
    assert origin.lines == (Line("line", 4, "2024-01-03,3.91"),)


def test_restated_value_leads_to_the_answer_that_restated_it(treasury: Treasury) -> None:
    """The last revision of a row counts, for this row alone; its history has both."""
    first = treasury.keep(CSV)
    treasury.put({"2024-01-02": 3.95, "2024-01-03": 3.91}, landing=(first,))
    treasury.now += timedelta(days=1)
    second = treasury.keep(CSV.replace(b"3.91", b"3.92"))
    treasury.put({"2024-01-02": 3.95, "2024-01-03": 3.92}, landing=(second,), run_id="r2")
    found, before = treasury.trace(), treasury.trace(date(2024, 1, 2))
    assert (found.set_by, [origin.lines[0].text for origin in found.origins]) == ({"yield": 2}, ["2024-01-03,3.92"])
    assert [(change.revision.number, change.action) for change in found.history] == [(1, "insert"), (2, "change")]
    assert before.revision is not None
    assert (before.revision.number, len(before.history)) == (1, 1)


def test_ways_are_searched_in_their_order(treasury: Treasury) -> None:
    """Of several ways and pages the line is that of the first with a value; one that says nothing does not end it."""
    answers = (treasury.keep(b'{"observations": [{"date": "2024-01-03", "value": "."}]}', "json"), treasury.keep(API))
    api = treasury.keep(API, "json")
    treasury.settings.files.mkdir()  # type: ignore[union-attr]
    file = treasury.settings.root / "files" / "fred_DGS10.csv"
    file.write_text("DATE,DGS10\n2024-01-03,3.91\n")
    os.utime(file, (NOON.timestamp(), NOON.timestamp()))
    ways = ("fred_api:DGS10", "file:fred_DGS10.csv")
    treasury.put({"2024-01-03": 3.91, "2024-01-04": 3.99}, ways, landing=(answers[0], api))
    api_said, file_said = treasury.trace().origins
    assert [line.empty for line in api_said.lines] == [True]
    assert (file_said.path, file_said.lines, file_said.note) == (file, (Line("line", 2, "2024-01-03,3.91"),), None)
    (later,) = treasury.trace(date(2024, 1, 4)).origins
    assert later.path == treasury.settings.data_directory / api
    assert [line.number for line in later.lines] == [1]


def test_file_that_was_changed_since_is_not_trusted_blindly(treasury: Treasury) -> None:
    """A file of the user's may say something else by now: that is told, and so is a file that is gone."""
    treasury.put({"2024-01-03": 3.91}, ("file:fred_DGS10.csv",))
    (gone,) = treasury.trace().origins
    assert (gone.lines, gone.note) == ((), "The file is not there any more.")
    file = treasury.settings.root / "files" / "fred_DGS10.csv"
    file.parent.mkdir()
    file.write_text("DATE,DGS10\n2024-01-04,3.91\n")
    late = datetime(2024, 1, 9, 7, 30, tzinfo=UTC).timestamp()
    os.utime(file, (late, late))
    (changed,) = treasury.trace().origins
    assert changed.note == (
        "No line of it is about 2024-01-03. "
        "The file was changed since, on 2024-01-09 07:30 UTC: it may have said something else."
    )
    file.write_text("DATE\n")
    (broken,) = treasury.trace().origins
    assert broken.note is not None
    assert broken.note.startswith("The file cannot be read now: ust_10y: ")


@pytest.mark.parametrize(
    ("way", "note"),
    [
        ("file:other.csv", "The catalog has no such way any more: how the file is read is not known."),
        ("history:old.csv", "old.csv was stored by `ingest --history`: the command of the run says where it lay."),
        ("sample:ust_10y", "Simulated: nobody was asked."),
        ("desk:x", "No answer was kept: the source keeps none, or did not yet."),
    ],
)
def test_way_without_an_answer_says_why(treasury: Treasury, way: str, note: str) -> None:
    """Where nothing was kept, the reason is told."""
    treasury.put({"2024-01-03": 3.91}, (way,))
    assert [(origin.path, origin.note) for origin in treasury.trace().origins] == [(None, note)]


def test_file_in_a_folder_that_is_not_set(treasury: Treasury) -> None:
    """Without MACROCREDIT_FILES nobody knows where the file lies."""
    treasury.put({"2024-01-03": 3.91}, ("file:fred_DGS10.csv",))
    treasury.settings = Settings(root=treasury.settings.root, dagster_home=treasury.settings.dagster_home)
    (origin,) = treasury.trace().origins
    assert origin.note == "MACROCREDIT_FILES is not set: where the file lies is not known."


def test_answer_that_went_with_time_is_told(treasury: Treasury) -> None:
    """A trimmed answer leaves revision and run; that it is gone, and why, is told. A damaged one is told as such."""
    answer = treasury.keep(CSV)
    path = treasury.settings.data_directory / answer
    treasury.put({"2024-01-03": 3.91}, landing=(answer,))
    path.write_bytes(b"damaged")
    (damaged,) = treasury.trace().origins
    assert damaged.note is not None
    assert "cannot be read" in damaged.note
    path.unlink()
    (origin,) = treasury.trace(landing_days=30).origins
    # a file that is gone is no heading
    assert origin.path is None
    assert origin.note == f"{path.name} is kept no more: answers stay for 30 days (MACROCREDIT_LANDING_DAYS)."
    (removed,) = treasury.trace().origins
    assert removed.note is not None
    assert "somebody has removed it" in removed.note


def test_pages_that_went_with_time_are_told_once(treasury: Treasury) -> None:
    """Of an answer of many pages one sentence says how many are gone; one that is left, and does not help, is named."""
    pages = [treasury.keep(API.replace(b"3.99", b"%d" % number), "json") for number in range(3)]
    treasury.put({"2024-01-03": 3.91}, ("fred_api:DGS10",), landing=tuple(pages))
    for page in pages[:2]:
        (treasury.settings.data_directory / page).unlink()
    stay = "kept no more: answers stay for 30 days (MACROCREDIT_LANDING_DAYS)."
    (some,) = treasury.trace(landing_days=30).origins
    assert some.path == treasury.settings.data_directory / pages[2]
    assert some.note == f"No line of it is about 2024-01-03. 2 of its 3 answers are {stay}"
    (treasury.settings.data_directory / pages[2]).unlink()
    (none,) = treasury.trace(landing_days=30).origins
    assert (none.path, none.note) == (None, f"3 of its 3 answers are {stay}")


def test_day_that_no_answer_mentions(treasury: Treasury) -> None:
    """An answer without the day, as when its line was corrected by hand, is named with that."""
    answer = treasury.keep(API, "json")
    treasury.put({"2024-01-03": 3.91}, landing=(answer,))
    (origin,) = treasury.trace().origins
    assert (origin.lines, origin.note) == ((), "No line of it is about 2024-01-03.")


def test_run_whose_log_is_gone_or_damaged(treasury: Treasury) -> None:
    """A run is named even where its log says nothing any more."""
    treasury.put({"2024-01-03": 3.91})
    run = treasury.trace().run
    assert run is not None
    assert (run.run_id, run.log, run.status) == ("r1", None, None)
    damaged = treasury.settings.logs_directory / "2024-01-05" / "r1.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{")
    run = treasury.trace().run
    assert run is not None
    assert (run.log, run.status) == (damaged, None)


def test_withdrawn_row(treasury: Treasury) -> None:
    """A row that was taken away is traced to the revision that did so."""
    treasury.put({"2024-01-02": 3.95, "2024-01-03": 3.91})
    treasury.put({"2024-01-02": 3.95}, withdraw=True, run_id="r2")
    found = treasury.trace()
    assert (found.row, found.state, found.origins) == (None, "source_gap", ())
    assert found.why == "Revision 2 took the row away (withdraw)."
    assert found.run is not None
    assert found.run.run_id == "r2"


@pytest.mark.parametrize(
    ("day", "state", "words"),
    [
        ("2024-01-01", "closed", "It is a Monday, and no session of the calendar us_bond."),
        ("2024-01-04", "source_gap", "A session of us_bond that was asked for: the source had no value."),
        ("2024-01-02", "source_unavailable", "nothing so early: its rows begin on 2024-01-03."),
        ("2024-01-08", "late", "had to be there by the end of 2024-01-09. Run: macrocredit backfill ust_10y --start"),
        ("2024-01-31", "not_yet_published", "its row must be there by the end of 2024-02-01."),
        ("2024-01-06", "not_covered", "The day was never asked for. Run: macrocredit backfill ust_10y --start"),
    ],
)
def test_day_without_a_row(treasury: Treasury, day: str, state: str, words: str) -> None:
    """A day without a row has its state, and a sentence about it."""
    treasury.put({"2024-01-03": 3.91})
    found = treasury.trace(date.fromisoformat(day))
    assert (found.row, found.state, found.change) == (None, state, None)
    assert found.why is not None
    assert words in found.why


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("1989-12-29", "Runs begin on 1990-01-01: no source is asked for earlier days. Rows before come from a file."),
        ("2024-02-01", "Not due yet: its row must be there by the end of 2024-02-02."),
        ("2024-02-03", "The day is not over yet: today is 2024-02-01 in New York."),
        ("2061-06-18", "The day is not over yet: today is 2024-02-01 in New York."),
    ],
)
def test_day_that_no_run_can_ask_for(treasury: Treasury, day: str, words: str) -> None:
    """Before the first partition, and from today on, no backfill is advised: it would be refused."""
    why = treasury.trace(date.fromisoformat(day)).why
    assert why is not None
    assert words in why
    assert "backfill" not in why


def test_day_after_the_end_of_a_series(treasury: Treasury) -> None:
    """A Monday after the series has ended has no row because of that, asked for or not."""
    entry = CATALOG.entry("ust_10y").model_copy(update={"ended": date(2024, 1, 2)})
    catalog = Catalog({"ust_10y": entry}, {})
    treasury.put({"2024-01-02": 3.95})
    for day in (date(2024, 1, 3), date(2024, 1, 8), date(2030, 1, 7)):
        found = trace(treasury.settings, catalog, "ust_10y", day, today=TODAY)
        assert found.why == "The series ended on 2024-01-02: no later day has a row."


@pytest.mark.parametrize(("day", "begins"), [("2024-01-08", "Late: "), ("2024-01-06", "The day was never asked for.")])
def test_day_that_the_profile_cannot_bring(treasury: Treasury, day: str, begins: str) -> None:
    """Where no way can be used, the reasons stand in place of a command that would be refused."""
    treasury.settings = replace(treasury.settings, profile="files")
    why = treasury.trace(date.fromisoformat(day)).why
    assert why is not None
    assert why.startswith(begins)
    assert "No run can bring it here: file:" in why
    assert why.endswith("See: macrocredit doctor")


def test_rows_from_before_revisions(treasury: Treasury) -> None:
    """Rows without revisions, adopted or not yet, were written before where they came from was noted."""
    treasury.put({"2024-01-03": 3.91})
    for path in (treasury.settings.data_directory / "revisions" / "ust_10y").iterdir():
        path.unlink()
    found = treasury.trace()
    assert found.why == "ust_10y was written before revisions were kept: where its rows came from was not noted."
    assert (found.row, found.change) == ({"yield": 3.91}, None)
    treasury.put({"2024-01-03": 3.91, "2024-01-04": 3.99})
    assert treasury.trace().why == found.why
    assert treasury.trace(date(2024, 1, 4)).why is None


def test_nothing_stored_at_all(treasury: Treasury) -> None:
    """A dataset that was never written has no row, and its own columns."""
    found = treasury.trace()
    assert (found.state, found.row, found.series, found.schema.names) == ("late", None, None, ["yield"])


def test_what_there_is_not_is_refused(treasury: Treasury) -> None:
    """An unknown dataset or column is named, with what there is."""
    with pytest.raises(UsageError, match="ust_10y has no column close; it has yield"):
        trace(treasury.settings, CATALOG, "ust_10y", DAY, "close", today=TODAY)
    with pytest.raises(UnknownDatasetError):
        trace(treasury.settings, CATALOG, "nope", DAY, today=TODAY)


def test_column_has_a_revision_of_its_own(tmp_path: Path) -> None:
    """A value that a later revision left alone is traced to the one that brought it."""
    settings = Settings(root=tmp_path, dagster_home=tmp_path / ".dagster")
    store = DatasetStore(settings.dataset_path("market", "vix"), arrow_schema(CATALOG.entry("vix")))
    frame = pd.DataFrame(
        {"open": [13.38], "high": [14.22], "low": [13.33], "close": [14.04]},
        pd.DatetimeIndex(["2024-01-03"], name="date", dtype="datetime64[us]"),
    )
    window = Window(DAY, DAY)
    for number, rows in enumerate((frame.assign(open=float("nan")), frame.assign(open=float("nan"), high=14.5)), 1):
        store.write(window, rows, series="cboe:VIX", provenance=Provenance(run_id=f"r{number}"))
    whole, close, never = (
        trace(settings, CATALOG, "vix", DAY, column, today=TODAY) for column in (None, "close", "open")
    )
    assert whole.set_by == {"high": 2, "low": 1, "close": 1}
    assert (whole.run and whole.run.run_id, close.run and close.run.run_id) == ("r2", "r1")
    assert (close.row, close.set_by, len(close.history)) == ({"close": 14.04}, {"close": 1}, 1)
    assert (never.row, never.change, never.why) == ({"open": None}, None, "No revision ever brought a value.")


def test_signal_leads_to_what_it_saw_of_its_inputs(desk: Desk) -> None:
    """A signal has no answer: what its computation saw of each input is told, and why a day has no value."""
    desk.put("left", "2024-01-01", "2024-01-12")
    desk.put("right", "2024-01-01", "2024-01-12")
    desk.compute("2024-01-01", "2024-01-12")
    found = trace(desk.settings, desk.catalog, "gap", date(2024, 1, 10), today=TODAY)
    assert found.row is not None
    assert [(given.dataset, given.revision) for given in found.inputs] == [("left", 1), ("right", 1)]
    assert found.origins == ()
    warming = trace(desk.settings, desk.catalog, "gap", date(2024, 1, 1), today=TODAY)
    assert (warming.state, warming.row) == ("absent", None)
    assert warming.why is not None
    assert "too few rows before it" in warming.why
    never = trace(desk.settings, desk.catalog, "gap", date(2024, 1, 20), today=TODAY)
    assert (never.state, never.inputs) == ("not_covered", ())
