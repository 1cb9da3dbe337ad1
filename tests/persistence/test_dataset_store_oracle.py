"""The store against an oracle: any writes, crashes included, give what a plain dictionary of rows gives."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from macrocredit_assets.errors import NotCoveredError
from macrocredit_assets.persistence import snapshots
from macrocredit_assets.persistence.dataset_store import DatasetStore
from macrocredit_assets.persistence.records import Provenance, WriteResult
from macrocredit_assets.windows import Coverage, Window

SCHEMA = pa.schema([pa.field("level", pa.float64(), metadata={b"unit": b"bp"}), pa.field("volume", pa.int64())])
SERIES = "test:series"
# a thousand durable writes wait for the disk; what they do to rows can be seen without one
_MEMORY = Path("/dev/shm")  # noqa: S108

# around a turn of the year, so that windows touch one file per year or two
DAYS = [date(2023, 12, 15) + timedelta(days=offset) for offset in range(30)]
CHUNKS = st.sampled_from([None, "year"])

Row = tuple[float | None, int | None]
Counts = tuple[int, int, int, int, int]


@dataclass(frozen=True)
class Write:
    """One call of the store."""

    window: Window
    rows: dict[date, Row]
    answered: frozenset[date] | None
    mode: str
    series: str = SERIES

    @property
    def answers(self) -> set[date]:
        """The dates of the window that are answered."""
        return set(self.window) & (set(self.window) if self.answered is None else self.answered)

    def do(self, store: DatasetStore) -> WriteResult:
        """Ask the store for it."""
        return store.write(
            self.window,
            frame_of(self.rows),
            series=self.series,
            answered=None if self.answered is None else coverage_of(set(self.answered)),
            replace=self.mode == "replace",
            withdraw=self.mode == "withdraw",
            switch=True,
            provenance=Provenance(reason="a test"),
        )


@dataclass
class Oracle:
    """What is stored, as a dictionary and a set, changed date by date."""

    rows: dict[date, Row] = field(default_factory=dict)
    covered: set[date] = field(default_factory=set)
    series: str | None = None

    def write(self, write: Write) -> Counts:
        """Apply a write; return how many rows were inserted, changed, unchanged, vanished, withdrawn."""
        counts = dict.fromkeys(("inserted", "changed", "unchanged", "vanished", "withdrawn"), 0)
        if self.series not in {None, write.series}:
            counts["withdrawn"] = len(self.rows)
            self.rows, self.covered = {}, set()
        self.series = write.series
        for day in write.window:
            leaves = write.mode == "replace" or (write.mode == "withdraw" and day in write.answers)
            for word in self._settle(day, write.rows.get(day), leaves=leaves, replace=write.mode == "replace"):
                # an absent row of which nothing was said is none of all these
                if word != "vanished" or day in write.rows or day in write.answers:
                    counts[word] += 1
        if write.mode == "replace":
            self.covered -= set(write.window)
        self.covered |= write.answers
        return tuple(counts.values())  # type: ignore[return-value]

    def _settle(self, day: date, came: Row | None, *, leaves: bool, replace: bool) -> Iterator[str]:
        there = self.rows.get(day)
        if there is None:
            if came is not None:
                self.rows[day] = came
                yield "inserted"
        elif came is None:
            if leaves:
                del self.rows[day]
            yield "withdrawn" if leaves else "vanished"
        else:
            level = there[0] if came[0] is None and not replace else came[0]
            volume = there[1] if came[1] is None and not replace else came[1]
            self.rows[day] = (level, volume)
            changed = (level, volume) != there
            vanished = (level, volume) != came
            if changed:
                yield "changed"
            if vanished:
                yield "vanished"
            if not changed and not vanished:
                yield "unchanged"


def frame_of(rows: dict[date, Row]) -> pd.DataFrame:
    """Build the frame that holds rows."""
    return pd.DataFrame(
        {
            "level": pd.array([level for level, _ in rows.values()], dtype="float64"),
            "volume": pd.array([volume for _, volume in rows.values()], dtype="Int64"),
        },
        index=pd.DatetimeIndex(list(rows), dtype="datetime64[us]", name="date"),
    )


def coverage_of(days: set[date]) -> Coverage:
    """Build the coverage of a set of dates."""
    return Coverage.of(Window(day, day) for day in days)


@dataclass
class Clock:
    """A clock that stands where it is put."""

    now: datetime = datetime(2024, 6, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now


@pytest.fixture(autouse=True, scope="module")
def _snapshots_soon() -> Iterator[None]:
    """Make a snapshot after every second revision, so that a few writes have some."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshots, "SPACING", 2)
        yield


class Crash(BaseException):
    """What an injected fault raises: nothing catches it by mistake."""


_STEPS = {"open", "os.link", "os.listdir", "os.mkdir", "os.remove", "os.rename"}
_countdown: list[int] = []


def _audit(event: str, _: object) -> None:
    if _countdown and event in _STEPS:
        _countdown[0] -= 1
        if not _countdown[0]:
            _countdown.clear()
            raise Crash


# a hook of the interpreter stays for good: it sleeps where nothing is counted down
sys.addaudithook(_audit)


@contextmanager
def crash_at(step: int | None) -> Iterator[None]:
    """Raise at the given step of the block, a step being whatever touches a file; None is no crash."""
    _countdown[:] = [] if step is None else [step]
    try:
        yield
    finally:
        _countdown.clear()


def stored_rows(store: DatasetStore, as_of: datetime | None = None) -> dict[date, Row]:
    """Read all rows as a dictionary, in their order."""
    table = store.read(as_of=as_of)
    days = [moment.date() for moment in table["date"].to_pylist()]
    return dict(zip(days, zip(table["level"].to_pylist(), table["volume"].to_pylist(), strict=True), strict=True))


@contextmanager
def new_store(chunk: Literal["year"] | None = None, clock: Clock | None = None) -> Iterator[DatasetStore]:
    """Open a store in a folder of its own; all have the same name, so that their bytes can be compared."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        yield DatasetStore(Path(folder) / "raw" / "series.parquet", SCHEMA, chunk=chunk, clock=clock or Clock())


def current_bytes(store: DatasetStore) -> dict[str, bytes]:
    """Return the bytes of the current file, or of the file of each year."""
    files = [store.path] if store.chunk is None else store.path.with_suffix("").glob("*.parquet")
    return {path.name: path.read_bytes() for path in files if path.exists()}


def windows() -> st.SearchStrategy[Window]:
    """Draw windows of one date up to all."""
    ends = st.tuples(st.sampled_from(DAYS), st.sampled_from(DAYS))
    return ends.map(lambda pair: Window(min(pair), max(pair)))


CELLS = st.tuples(st.sampled_from([None, 0.1, 0.3, 0.1 + 0.2, 1e300]), st.sampled_from([None, 0, 7, 2**53, 2**53 + 1]))


@st.composite
def writes(draw: st.DrawFn) -> Write:
    """Draw a window, some of its dates with rows, what is answered, and whether it replaces."""
    window = draw(windows())
    rows = draw(st.dictionaries(st.sampled_from(list(window)), CELLS, max_size=12))
    answered = draw(st.none() | st.frozensets(st.sampled_from(DAYS)))
    mode = draw(st.sampled_from(["add", "add", "replace", "withdraw"]))
    return Write(window, rows, answered, mode, draw(st.sampled_from([SERIES, SERIES, SERIES, "test:other"])))


@settings(deadline=None, max_examples=120)
@given(st.lists(writes(), min_size=1, max_size=6), CHUNKS)
def test_any_sequence_of_writes(sequence: list[Write], chunk: Literal["year"] | None) -> None:
    """Counts, rows and coverage follow the oracle after every write, and the bytes those of one write of the result."""
    oracle = Oracle()
    with new_store(chunk) as store, new_store(chunk) as fresh:
        for write in sequence:
            before = current_bytes(store)
            result = write.do(store)
            counts = result.inserted, result.changed, result.unchanged, result.vanished, result.withdrawn
            assert counts == oracle.write(write)
            assert result.written == (current_bytes(store) != before)
            assert result.coverage == coverage_of(oracle.covered)
            assert list(stored_rows(store).items()) == sorted(oracle.rows.items())
        everything = Write(Window(DAYS[0], DAYS[-1]), oracle.rows, frozenset(oracle.covered), "add", write.series)
        everything.do(fresh)
        assert current_bytes(store) == current_bytes(fresh)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.tuples(writes(), st.none() | st.integers(1, 25), st.sampled_from([-3600, 0, 1, 86400])),
        min_size=1,
        max_size=6,
    ),
    CHUNKS,
)
def test_any_sequence_of_writes_crashes_and_clocks(
    sequence: list[tuple[Write, int | None, int]], chunk: Literal["year"] | None
) -> None:
    """A write that dies is there or not, as its revision is; every past moment can be read back, for ever."""
    oracle, clock = Oracle(), Clock()
    history: list[tuple[datetime, dict[date, Row]]] = []
    with new_store(chunk, clock) as store:
        for write, step, seconds in sequence:
            clock.now += timedelta(seconds=seconds)
            before, after = deepcopy(oracle), deepcopy(oracle)
            after.write(write)
            with suppress(Crash), crash_at(step):
                write.do(store)
            committed = len(list((store.path.parents[1] / "revisions" / "series").glob("*.parquet"))) > len(history)
            head = store.head()
            if committed:
                oracle = after
                # a clock that goes backwards never puts a revision before the one that it follows
                history.append((max(clock.now, history[-1][0] if history else clock.now), after.rows))
            if head is None:
                assert not history
                continue
            if after.rows == before.rows and (not before.covered or (not committed and after.series == before.series)):
                # coverage alone has no revision, and a first write without rows is nothing else: it may have come, and
                # with a file per year for one year alone; what is not covered is asked for again
                oracle.covered = {day for day in DAYS if day in head.coverage}
                for year in (2023, 2024):
                    found, old, new = (
                        {day for day in covered if day.year == year}
                        for covered in (oracle.covered, before.covered, after.covered)
                    )
                    assert found in (old, new)
            assert head.coverage == coverage_of(oracle.covered)
            assert head.series == oracle.series
            assert list(stored_rows(store).items()) == sorted(oracle.rows.items())
            for moment, _ in history:
                known = [rows for then, rows in history if then <= moment][-1]
                assert list(stored_rows(store, moment).items()) == sorted(known.items())
            with pytest.raises(NotCoveredError):
                store.read(as_of=history[0][0] - timedelta(microseconds=1))


@settings(deadline=None, max_examples=80)
@given(
    truth=st.dictionaries(st.sampled_from(DAYS), CELLS),
    asked=st.lists(windows(), min_size=1, max_size=6),
    replace=st.booleans(),
    chunk=CHUNKS,
    data=st.data(),
)
def test_order_of_windows_does_not_matter(
    truth: dict[date, Row], asked: list[Window], replace: bool, chunk: Literal["year"] | None, data: st.DataObject
) -> None:
    """The same data in any order of windows, overlapping or not, give the same bytes."""
    with new_store(chunk) as forward, new_store(chunk) as shuffled:
        for store, order in ((forward, asked), (shuffled, data.draw(st.permutations(asked)))):
            for window in order:
                rows = {day: row for day, row in truth.items() if day in window}
                store.write(window, frame_of(rows), series=SERIES, replace=replace)
        assert current_bytes(forward) == current_bytes(shuffled)


@settings(deadline=None, max_examples=50)
@given(
    truth=st.dictionaries(st.sampled_from(DAYS), CELLS),
    stored=windows(),
    wanted=st.none() | windows(),
    columns=st.permutations(["level", "volume"]),
    chunk=CHUNKS,
)
def test_reading_a_window(
    truth: dict[date, Row],
    stored: Window,
    wanted: Window | None,
    columns: list[str],
    chunk: Literal["year"] | None,
) -> None:
    """Reading a window gives the stored rows in it, whether it lies inside, across or outside of what is stored."""
    rows = {day: row for day, row in sorted(truth.items()) if day in stored}
    with new_store(chunk) as store:
        store.write(stored, frame_of(rows), series=SERIES)
        table = store.read(wanted, columns)
    days = [day for day in rows if wanted is None or day in wanted]
    assert [moment.date() for moment in table["date"].to_pylist()] == days
    assert table.column_names == ["date", *columns]
    assert table["volume"].to_pylist() == [rows[day][1] for day in days]
