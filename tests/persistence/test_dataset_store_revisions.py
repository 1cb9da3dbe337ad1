"""What was known, and when: revisions, reads as of a moment, withdrawals, switches, what a signal saw."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from macrocredit_assets.errors import (
    CorruptFileError,
    NotCoveredError,
    SchemaMismatchError,
    SeriesMismatchError,
    StoreError,
)
from macrocredit_assets.persistence.dataset_store import DatasetStore
from macrocredit_assets.persistence.records import Change, Provenance, Seen, SeenInput
from macrocredit_assets.windows import Coverage, Window

SPREAD = pa.field("spread", pa.float64(), metadata={b"unit": b"bp", b"decimals": b"2"})
SCHEMA = pa.schema([SPREAD])
SERIES = "bbg:CDX IG"
JANUARY = Window.parse("2024-01-01", "2024-01-31")
MONDAY = datetime(2024, 2, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = MONDAY

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Start on a Monday at noon."""
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> DatasetStore:
    """Open a store that has no file yet."""
    return DatasetStore(tmp_path / "data" / "raw" / "cdx.parquet", SCHEMA, clock=clock)


def spreads(**values: float) -> pd.DataFrame:
    """Build January rows from ``d02=57.5`` and the like."""
    index = pd.DatetimeIndex([f"2024-01-{name[1:]}" for name in values], dtype="datetime64[us]", name="date")
    return pd.DataFrame({"spread": list(values.values())}, index=index)


def seen_on(store: DatasetStore, moment: datetime | None = None) -> dict[int, float]:
    """Return day of January -> spread."""
    table = store.read(as_of=moment)
    return {day.day: value for day, value in zip(table["date"].to_pylist(), table["spread"].to_pylist(), strict=True)}


@pytest.fixture
def restated(store: DatasetStore, clock: Clock) -> DatasetStore:
    """Write two rows on Monday; restate one and insert one on Tuesday; withdraw one on Wednesday."""
    told = Provenance(run_id="run-1", ways=("file:cdx.csv",))
    store.write(JANUARY, spreads(d02=57.5, d03=58.0), series=SERIES, provenance=told)
    clock.now += DAY
    store.write(JANUARY, spreads(d03=58.25, d04=59.0), series=SERIES)
    clock.now += DAY
    store.write(JANUARY, spreads(d02=57.5, d04=59.0), series=SERIES, withdraw=True)
    return store


def test_every_change_is_a_revision(restated: DatasetStore) -> None:
    """Each write that changed rows left one numbered head that says what it did, when, and on whose behalf."""
    first, second, third = restated.revisions()
    assert (first.number, first.known_at, first.kind, first.series) == (1, MONDAY, "write", SERIES)
    assert (first.dataset, first.window, first.coverage) == ("cdx", JANUARY, Coverage((JANUARY,)))
    assert (first.run_id, first.ways, first.reason) == ("run-1", ("file:cdx.csv",), None)
    assert (first.inserted, first.changed, first.withdrawn) == (2, 0, 0)
    assert (second.inserted, second.changed, second.withdrawn, second.run_id) == (1, 1, 0, None)
    assert (third.inserted, third.changed, third.withdrawn) == (0, 0, 1)
    assert restated.last_revision() == third
    assert restated.revisions(newest=2) == (second, third)
    assert restated.revision_as_of(MONDAY + DAY) == second
    assert restated.revision_as_of(MONDAY - DAY) is None
    head = restated.head()
    assert head is not None
    assert third.content_hash == head.content_hash
    assert third.schema.equals(SCHEMA, check_metadata=True)


def test_rows_of_revisions(restated: DatasetStore) -> None:
    """Each touched row stands there as it was afterwards, without values where it was withdrawn."""
    table = restated.revision_rows()
    assert table.column_names == ["revision", "known_at", "action", "date", "spread"]
    days = [moment.day for moment in table["date"].to_pylist()]
    assert list(
        zip(table["revision"].to_pylist(), table["action"].to_pylist(), days, table["spread"].to_pylist(), strict=True)
    ) == [
        (1, "insert", 2, 57.5),
        (1, "insert", 3, 58.0),
        (2, "change", 3, 58.25),
        (2, "insert", 4, 59.0),
        (3, "withdraw", 3, None),
    ]
    assert table["known_at"].to_pylist() == [MONDAY] * 2 + [MONDAY + DAY] * 2 + [MONDAY + 2 * DAY]


def test_rows_of_revisions_by_window_and_number(restated: DatasetStore, tmp_path: Path) -> None:
    """A window leaves other dates out, a number the revisions up to it; a dataset without revisions has no row."""
    third = Window.parse("2024-01-03", "2024-01-03")
    assert restated.revision_rows(third)["spread"].to_pylist() == [58.0, 58.25, None]
    assert restated.revision_rows(third, after=2)["action"].to_pylist() == ["withdraw"]
    nothing = DatasetStore(tmp_path / "data" / "raw" / "none.parquet").revision_rows()
    assert (len(nothing), nothing.column_names) == (0, ["revision", "known_at", "action", "date"])


def test_as_of(restated: DatasetStore) -> None:
    """A moment gives exactly the rows and values known then, the instant of a revision included."""
    assert seen_on(restated, MONDAY) == {2: 57.5, 3: 58.0}
    assert seen_on(restated, MONDAY + DAY - timedelta(microseconds=1)) == {2: 57.5, 3: 58.0}
    assert seen_on(restated, MONDAY + DAY) == {2: 57.5, 3: 58.25, 4: 59.0}
    assert seen_on(restated, MONDAY + 9 * DAY) == {2: 57.5, 4: 59.0} == seen_on(restated)


def test_as_of_takes_any_zone_and_refuses_none(restated: DatasetStore) -> None:
    """An instant is the same in every zone; without a zone it is no instant."""
    new_york = timezone(timedelta(hours=-5))
    assert seen_on(restated, MONDAY.astimezone(new_york)) == {2: 57.5, 3: 58.0}
    naive = MONDAY.replace(tzinfo=None)
    with pytest.raises(ValueError, match="no instant without its time zone"):
        restated.read(as_of=naive)
    with pytest.raises(ValueError, match="no instant without its time zone"):
        restated.revision_as_of(naive)


def test_as_of_before_anything_was_known(restated: DatasetStore) -> None:
    """Before the first revision nothing was known, which is an error that says since when something is."""
    with pytest.raises(NotCoveredError, match=r"Nothing of 'cdx' was known.*it is known since 2024-02-05T12"):
        restated.read(as_of=MONDAY - DAY)


def test_as_of_before_the_first_write(store: DatasetStore) -> None:
    """A dataset that was never written was known at no moment."""
    with pytest.raises(NotCoveredError, match="nothing was written yet"):
        store.read(as_of=MONDAY)
    assert store.revisions() == ()
    assert store.last_revision() is None


def test_as_of_with_window_and_columns(restated: DatasetStore) -> None:
    """A window and columns select from what was known, and a column that was not there is named."""
    third = Window.parse("2024-01-03", "2024-01-03")
    frame = restated.read_frame(third, ["spread"], as_of=MONDAY)
    assert frame.index.name == "date"
    assert frame.index.dtype == "datetime64[us]"
    assert frame["spread"].to_dict() == {pd.Timestamp("2024-01-03"): 58.0}
    with pytest.raises(KeyError, match="'cdx' has no column close; it has spread"):
        restated.read(columns=["close"], as_of=MONDAY)


def test_clock_that_goes_backwards(store: DatasetStore, clock: Clock) -> None:
    """A revision is never known before the one that it follows, so no moment sees them in another order."""
    store.write(JANUARY, spreads(d02=57.5), series=SERIES)
    clock.now -= DAY
    result = store.write(JANUARY, spreads(d02=57.75), series=SERIES)
    assert (result.revision, result.known_at) == (2, MONDAY)
    assert seen_on(store, MONDAY) == {2: 57.75}
    with pytest.raises(NotCoveredError):
        store.read(as_of=MONDAY - DAY)


def test_next_revision_sweeps_its_folder(store: DatasetStore, tmp_path: Path) -> None:
    """What a killed writer of another number left goes, and what others keep beside revisions stays."""
    store.write(JANUARY, spreads(d02=57.5), series=SERIES)
    folder = tmp_path / "data" / "revisions" / "cdx"
    (folder / ".00000007.parquet.0123456789ab.tmp").write_bytes(b"half")
    (folder / "notes.json").write_bytes(b"[]")
    store.write(JANUARY, spreads(d02=57.75), series=SERIES)
    assert sorted(path.name for path in folder.iterdir()) == ["00000001.parquet", "00000002.parquet", "notes.json"]


def test_no_revision_where_no_row_changes(store: DatasetStore) -> None:
    """The same rows again, or more coverage alone, are no revision; the first write is one even without rows."""
    assert store.write(JANUARY, spreads(), series=SERIES).revision == 1
    assert store.write(JANUARY, spreads(d02=57.5), series=SERIES).revision == 2
    again = store.write(JANUARY, spreads(d02=57.5), series=SERIES)
    assert (again.revision, again.known_at, again.written) == (None, None, False)
    wider = store.write(Window.parse("2024-02-01", "2024-02-04"), spreads(), series=SERIES)
    assert (wider.revision, wider.written) == (None, True)
    assert len(store.revisions()) == 2


def test_vanished_dates(store: DatasetStore) -> None:
    """The dates that did not come, as rows or as values, are listed in their order."""
    store.write(JANUARY, spreads(d02=57.5, d03=58.0, d04=59.0), series=SERIES)
    result = store.write(JANUARY, spreads(d04=float("nan"), d03=58.0), series=SERIES)
    assert (result.vanished, result.vanished_dates) == (2, (date(2024, 1, 2), date(2024, 1, 4)))


def test_row_of_which_nothing_was_said_has_not_vanished(store: DatasetStore) -> None:
    """Absent rows count where the source answered, and nowhere else; all are kept."""
    store.write(JANUARY, spreads(d02=57.5, d03=58.0, d04=59.0), series=SERIES)
    answered = Coverage((Window.parse("2024-01-01", "2024-01-02"), Window.parse("2024-01-04", "2024-01-31")))
    result = store.write(JANUARY, spreads(d02=57.5), series=SERIES, answered=answered)
    assert (result.vanished, result.vanished_dates, result.unchanged) == (1, (date(2024, 1, 4),), 1)
    assert seen_on(store) == {2: 57.5, 3: 58.0, 4: 59.0}
    assert store.write(JANUARY, spreads(), series=SERIES, answered=Coverage()).vanished == 0


def test_inserted_dates(store: DatasetStore) -> None:
    """The dates that are new are listed in their order, whatever the order in which they came."""
    first = store.write(JANUARY, spreads(d03=58.0), series=SERIES)
    second = store.write(JANUARY, spreads(d04=59.0, d03=58.0, d02=57.5), series=SERIES)
    assert first.inserted_dates == (date(2024, 1, 3),)
    assert (second.inserted, second.inserted_dates) == (2, (date(2024, 1, 2), date(2024, 1, 4)))


def test_withdrawal_takes_answered_dates_only(store: DatasetStore) -> None:
    """Rows that did not come leave where the source answered; elsewhere they are kept, as single values are."""
    store.write(JANUARY, spreads(d02=57.5, d03=58.0, d04=59.0, d05=60.0), series=SERIES)
    answered = Coverage((Window.parse("2024-01-01", "2024-01-04"),))
    came = spreads(d02=57.5, d04=float("nan"))
    result = store.write(JANUARY, came, series=SERIES, answered=answered, withdraw=True)
    assert (result.withdrawn, result.vanished, result.unchanged) == (1, 1, 1)
    assert result.vanished_dates == (date(2024, 1, 4),)
    assert seen_on(store) == {2: 57.5, 4: 59.0, 5: 60.0}
    assert result.coverage == Coverage((JANUARY,))


def test_withdrawn_row_comes_back(restated: DatasetStore) -> None:
    """A date that was withdrawn is inserted anew when it comes again."""
    assert restated.write(JANUARY, spreads(d03=58.25), series=SERIES).inserted == 1
    assert seen_on(restated) == {2: 57.5, 3: 58.25, 4: 59.0}


def test_another_series_needs_a_switch(restated: DatasetStore) -> None:
    """Rows of another series are refused, and the command that closes the stored one is named."""
    command = "macrocredit backfill cdx --start 2024-01-01 --end 2024-01-31 --switch-series --reason TEXT"
    with pytest.raises(SeriesMismatchError, match=f"bbg:CDX IG .*rows of file:defB.*{command}"):
        restated.write(JANUARY, spreads(d02=1.0), series="file:defB")
    with pytest.raises(StoreError, match="a reason is needed"):
        restated.write(JANUARY, spreads(d02=1.0), series="file:defB", switch=True)
    assert len(restated.revisions()) == 3


def test_switch(restated: DatasetStore, clock: Clock) -> None:
    """The old series leaves the current file with rows and coverage, and stays readable as of then."""
    clock.now += DAY
    window = Window.parse("2024-01-02", "2024-01-03")
    reason = Provenance(reason="definition B from here on")
    result = restated.write(window, spreads(d02=39.5), series="file:defB", switch=True, provenance=reason)
    assert (result.inserted, result.withdrawn, result.row_count) == (1, 2, 1)
    assert result.coverage == Coverage((window,))
    last = restated.last_revision()
    assert last is not None
    assert (last.kind, last.series, last.reason) == ("switch", "file:defB", "definition B from here on")
    assert (last.inserted, last.withdrawn) == (1, 2)
    assert seen_on(restated) == {2: 39.5}
    assert seen_on(restated, clock.now - DAY) == {2: 57.5, 4: 59.0}
    assert seen_on(restated, clock.now) == {2: 39.5}
    restated.path.unlink()
    assert seen_on(restated) == {2: 39.5}


def test_switch_to_equal_rows(store: DatasetStore) -> None:
    """Another series with the very same numbers is a switch all the same, and can be rolled forward."""
    store.write(JANUARY, spreads(d02=57.5), series=SERIES)
    before = store.path.read_bytes()
    result = store.write(JANUARY, spreads(d02=57.5), series="x:y", switch=True, provenance=Provenance(reason="why"))
    assert (result.written, result.revision) == (True, 2)
    store.path.write_bytes(before)
    head = store.head()
    assert head is not None
    assert head.series == "x:y"


def test_switch_of_the_stored_series_is_a_write(store: DatasetStore) -> None:
    """Asking for a switch where the series is the stored one, or none is stored, changes nothing of a write."""
    reason = Provenance(reason="why")
    store.write(JANUARY, spreads(d02=57.5), series=SERIES, switch=True, provenance=reason)
    store.write(JANUARY, spreads(d03=58.0), series=SERIES, switch=True, provenance=reason)
    assert [revision.kind for revision in store.revisions()] == ["write", "write"]
    assert seen_on(store) == {2: 57.5, 3: 58.0}


def test_added_column(restated: DatasetStore, clock: Clock) -> None:
    """A column that the catalog gains is empty in stored rows, listed by the write, and unknown before it."""
    clock.now += DAY
    volume = pa.field("volume", pa.int64(), metadata={b"unit": b"contracts"})
    wider = DatasetStore(restated.path, pa.schema([volume, SPREAD]), clock=clock)
    assert wider.read(columns=["volume"])["volume"].to_pylist() == [None, None]
    frame = spreads(d04=59.0, d05=60.0).assign(volume=[7, 8])
    result = wider.write(JANUARY, frame, series=SERIES)
    assert (result.added_columns, result.inserted, result.changed) == (("volume",), 1, 1)
    assert result.changes == (Change(date(2024, 1, 4), "volume", None, 7),)
    assert wider.read(columns=["volume"])["volume"].to_pylist() == [None, 7, 8]
    assert DatasetStore(restated.path).read(as_of=clock.now - DAY).column_names == ["date", "spread"]
    assert wider.read(columns=["volume"], as_of=clock.now - DAY)["volume"].to_pylist() == [None, None]
    assert wider.write(JANUARY, frame, series=SERIES).added_columns == ()


def test_added_column_alone(restated: DatasetStore) -> None:
    """A write that brings nothing but an empty column is a revision: the rows have another shape."""
    wider = DatasetStore(restated.path, SCHEMA.append(pa.field("volume", pa.int64())))
    frame = spreads(d02=57.5).assign(volume=pd.array([None], dtype="Int64"))
    result = wider.write(JANUARY, frame, series=SERIES)
    assert (result.revision, result.added_columns, result.unchanged) == (4, ("volume",), 1)
    stored = DatasetStore(restated.path).read()
    assert stored.column_names == ["date", "spread", "volume"]
    assert wider.revision_rows(after=2)["action"].to_pylist() == ["withdraw"]


def test_reading_as_of_in_other_units_is_refused(restated: DatasetStore) -> None:
    """A store that expects another unit does not get old numbers under it."""
    percent = pa.schema([SPREAD.with_metadata({b"unit": b"percent"})])
    with pytest.raises(SchemaMismatchError, match="column 'spread' is stored in bp, expected is percent"):
        DatasetStore(restated.path, percent).read(as_of=MONDAY)


def test_seen_inputs(store: DatasetStore) -> None:
    """What a window saw is kept; a later write says it anew for its dates; neighbours that saw the same are one."""
    old, new = SeenInput(3, MONDAY), SeenInput(4, MONDAY + DAY)
    early, late = Window.parse("2024-01-01", "2024-01-15"), Window.parse("2024-01-16", "2024-01-31")
    for window in (late, early):
        store.write(window, spreads(), series="signal:a", replace=True, provenance=Provenance(inputs={"vix": old}))
    assert store.seen() == (Seen(JANUARY, {"vix": old}),)
    middle = Window.parse("2024-01-10", "2024-01-20")
    result = store.write(middle, spreads(), series="signal:a", replace=True, provenance=Provenance(inputs={"vix": new}))
    assert not result.written
    assert store.seen() == (
        Seen(Window.parse("2024-01-01", "2024-01-09"), {"vix": old}),
        Seen(middle, {"vix": new}),
        Seen(Window.parse("2024-01-21", "2024-01-31"), {"vix": old}),
    )
    never = Provenance(inputs={"vix": SeenInput(0, None)}, reason="a new formula")
    store.write(early, spreads(), series="signal:b", switch=True, provenance=never)
    assert store.seen() == (Seen(early, {"vix": SeenInput(0, None)}),)


def test_seen_inputs_that_did_not_change_are_not_written(store: DatasetStore) -> None:
    """The same again leaves the file as it is."""
    told = Provenance(inputs={"vix": SeenInput(3, MONDAY)})
    store.write(JANUARY, spreads(), series="signal:a", provenance=told)
    path = store.path.parents[1] / "revisions" / "cdx" / "inputs.json"
    modified = path.stat().st_mtime_ns
    store.write(JANUARY, spreads(), series="signal:a", provenance=told)
    assert path.stat().st_mtime_ns == modified
    assert json.loads(path.read_text()) == [
        {
            "window": ["2024-01-01", "2024-01-31"],
            "inputs": {"vix": {"revision": 3, "known_at": "2024-02-05T12:00:00+00:00"}},
        }
    ]


@pytest.mark.parametrize("content", ["{", "[1]", '[{"window": ["2024-01-01"]}]', '{"a": 1}'])
def test_seen_inputs_that_cannot_be_read(store: DatasetStore, content: str) -> None:
    """A record that does not parse is an error that names the file and what happens without it."""
    store.write(JANUARY, spreads(), series="signal:a", provenance=Provenance(inputs={"vix": SeenInput(0, None)}))
    path = store.path.parents[1] / "revisions" / "cdx" / "inputs.json"
    path.write_text(content)
    with pytest.raises(CorruptFileError, match=r"inputs\.json cannot be read.*computed again"):
        store.seen()


def test_revisions_can_stand_elsewhere(tmp_path: Path) -> None:
    """The folder of the revisions may be given; nothing then appears at the usual place."""
    store = DatasetStore(tmp_path / "raw" / "cdx.parquet", SCHEMA, revisions=tmp_path / "elsewhere" / "cdx")
    store.write(JANUARY, spreads(d02=57.5), series=SERIES)
    assert os.listdir(tmp_path / "elsewhere" / "cdx") == ["00000001.parquet"]  # noqa: PTH208 - hidden files too
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "raw"]
    known = store.last_revision()
    assert known is not None
    assert abs(datetime.now(UTC) - known.known_at) < timedelta(minutes=1)


def test_landing_stands_with_the_revision(store: DatasetStore) -> None:
    """A revision says where the answers lie that its rows were read from."""
    told = Provenance(run_id="run-1", ways=("fred:DGS10",), landing=("landing/fred/DGS10/a.csv.gz",))
    store.write(JANUARY, spreads(d02=57.5), series=SERIES, provenance=told)
    (revision,) = store.revisions()
    assert revision.landing == ("landing/fred/DGS10/a.csv.gz",)


def test_revision_from_before_answers_were_kept(store: DatasetStore, tmp_path: Path) -> None:
    """A footer without the field is one of a revision without answers, and reads as ever."""
    store.write(JANUARY, spreads(d02=57.5), series=SERIES, provenance=Provenance(landing=("landing/x",)))
    path = tmp_path / "data" / "revisions" / "cdx" / "00000001.parquet"
    table = pq.read_table(path)
    footer = json.loads(table.schema.metadata[b"macrocredit"])
    del footer["landing"]
    pq.write_table(table.replace_schema_metadata({b"macrocredit": json.dumps(footer)}), path)
    (revision,) = store.revisions()
    assert (revision.number, revision.landing) == (1, ())
