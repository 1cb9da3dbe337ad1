"""One file per year: which files a write touches, how they answer as one, and what a dead writer leaves."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from macrocredit_assets.errors import CorruptFileError, StoreError
from macrocredit_assets.persistence.dataset_store import DatasetStore
from macrocredit_assets.persistence.records import Provenance
from macrocredit_assets.windows import Coverage, Window

SCHEMA = pa.schema([pa.field("a", pa.float64(), metadata={b"unit": b"bp"}), pa.field("b", pa.int64())])
ALL = Window.parse("2021-06-01", "2023-06-30")
SERIES = "desk:panel"
NOON = datetime(2024, 2, 5, 12, tzinfo=UTC)


def panel(window: Window, plus: float = 0) -> pd.DataFrame:
    """Build one row per date of a window: its day of the year, and that times a thousand."""
    days = pd.date_range(window.start, window.end, unit="us", name="date")
    number = days.day_of_year.astype("int64")
    return pd.DataFrame({"a": number + float(plus), "b": number * 1000}, index=days)


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    """Write rows that touch three years."""
    store = DatasetStore(tmp_path / "data" / "raw" / "panel.parquet", SCHEMA, chunk="year", clock=lambda: NOON)
    store.write(ALL, panel(ALL), series=SERIES)
    return store


def folder(store: DatasetStore) -> Path:
    """Return where the files stand."""
    return store.path.with_suffix("")


def files(store: DatasetStore) -> dict[str, tuple[bytes, int]]:
    """Return bytes and modification time of every file."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(folder(store).glob("*.parquet"))}


def test_layout(store: DatasetStore) -> None:
    """Each year has a file with its rows and its part of the coverage, and nothing else appears."""
    assert list(files(store)) == ["2021.parquet", "2022.parquet", "2023.parquet"]
    assert not store.path.exists()
    year = pd.read_parquet(folder(store) / "2022.parquet")
    assert (year.index[0], year.index[-1]) == (pd.Timestamp("2022-01-01"), pd.Timestamp("2022-12-31"))
    alone = DatasetStore(folder(store) / "2022.parquet").head()
    assert alone is not None
    assert (alone.dataset, alone.coverage) == ("panel", Coverage((Window.parse("2022-01-01", "2022-12-31"),)))


def test_head_combines(store: DatasetStore) -> None:
    """The head is that of the whole: rows, dates and coverage of all years; a result says where the folder is."""
    head = store.head()
    assert head is not None
    assert (head.dataset, head.series, head.row_count) == ("panel", SERIES, 760)
    assert (head.first, head.last, head.coverage) == (ALL.start, ALL.end, Coverage((ALL,)))
    result = store.write(ALL, panel(ALL), series=SERIES)
    assert (result.path, result.written, result.content_hash) == (folder(store), False, head.content_hash)


def test_hash_can_be_computed_by_anyone(store: DatasetStore) -> None:
    """The hash of the whole follows from those of the years by the recipe in the documentation."""
    lines = ["a:float64\n", "b:int64\n"]
    for year in (2021, 2022, 2023):
        footer = json.loads(pq.read_schema(folder(store) / f"{year}.parquet").metadata[b"macrocredit"])
        lines.append(f"{year} {footer['content_hash']}\n")
    head = store.head()
    assert head is not None
    assert head.content_hash == "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()


def test_write_touches_only_the_years_of_its_window(store: DatasetStore) -> None:
    """A day's write replaces one file; bytes and modification times of the others stay."""
    before = files(store)
    day = Window.parse("2022-05-05", "2022-05-05")
    result = store.write(day, panel(day, plus=0.5), series=SERIES)
    after = files(store)
    assert (result.changed, result.row_count, result.first) == (1, 760, ALL.start)
    assert [name for name in before if before[name] != after[name]] == ["2022.parquet"]
    assert store.read_frame(day)["a"].to_list() == [125.5]


def test_reading_across_years(store: DatasetStore) -> None:
    """A window over a turn of the year gives the rows of both; one beside all years gives none, with every column."""
    turn = Window.parse("2021-12-31", "2022-01-01")
    assert store.read(turn, ["b"])["b"].to_pylist() == [365000, 1000]
    beside = store.read(Window.parse("2030-01-01", "2030-12-31"))
    assert (len(beside), beside.column_names) == (0, ["date", "a", "b"])
    assert len(store.read()) == 760


def test_years_are_only_read_where_they_are_wanted(store: DatasetStore) -> None:
    """Rows of years beside the window are not looked at, by readers nor by writers."""
    path = folder(store) / "2021.parquet"
    broken = bytearray(path.read_bytes())
    broken[10:60] = b"\0" * 50
    path.write_bytes(broken)
    late = Window.parse("2023-01-01", "2023-01-02")
    assert len(store.read(late)) == 2
    assert store.write(late, panel(late, plus=1), series=SERIES).changed == 2
    with pytest.raises(CorruptFileError, match="2021"):
        store.read()


def test_year_without_rows_and_coverage_has_no_file(store: DatasetStore) -> None:
    """What is withdrawn whole leaves no file behind; a dataset without anything says that it was written."""
    year = Window.parse("2021-01-01", "2021-12-31")
    nothing = panel(year).iloc[:0]
    result = store.write(year, nothing, series=SERIES, replace=True, answered=Coverage())
    assert (result.withdrawn, result.first) == (214, date(2022, 1, 1))
    assert list(files(store)) == ["2022.parquet", "2023.parquet"]
    result = store.write(ALL, nothing, series=SERIES, replace=True, answered=Coverage())
    assert (result.row_count, result.coverage) == (0, Coverage())
    head = store.head()
    assert head is not None
    assert (head.row_count, head.first, head.last, head.coverage) == (0, None, None, Coverage())
    store.write(ALL, panel(ALL), series=SERIES)
    assert list(files(store)) == ["2021.parquet", "2022.parquet", "2023.parquet"]


def test_added_column_is_added_to_every_year(store: DatasetStore) -> None:
    """A new column reaches all files at once, so that they stay files of one dataset."""
    wider = DatasetStore(store.path, SCHEMA.append(pa.field("c", pa.float64())), chunk="year")
    assert wider.read(columns=["c"])["c"].null_count == 760
    day = Window.parse("2022-05-05", "2022-05-05")
    assert wider.write(day, panel(day).assign(c=1.0), series=SERIES).added_columns == ("c",)
    assert all(pq.read_schema(path).names == ["date", "a", "b", "c"] for path in folder(store).glob("*.parquet"))
    assert wider.read(columns=["c"])["c"].null_count == 759


def test_coverage_is_not_lost_when_a_writer_dies(store: DatasetStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one year gets rows and others coverage alone, a writer that dies in between is finished all the same."""
    longer = Window.parse("2021-06-01", "2025-12-31")
    frame = panel(ALL)
    frame.loc["2021-06-01", "a"] = 0.5
    straight, calls = Path.replace, []

    def die(path: Path, target: Path) -> Path:
        calls.append(target.stem)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return straight(path, target)

    monkeypatch.setattr(Path, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        store.write(longer, frame, series=SERIES)
    monkeypatch.undo()
    head = store.head()
    assert head is not None
    assert head.coverage == Coverage((longer,))
    assert store.read()["a"][0].as_py() == 0.5


def kept(store: DatasetStore) -> Path:
    """Copy the files, and return where to."""
    return Path(shutil.copytree(folder(store), folder(store).with_name("kept")))


@pytest.mark.parametrize("years", [(), (2021,), (2022,), (2023,), (2021, 2023), (2021, 2022, 2023)])
def test_writer_that_died_between_years_is_finished(store: DatasetStore, years: tuple[int, ...]) -> None:
    """Whichever years a dead writer had replaced, the next reader brings all of them to the last revision."""
    old = kept(store)
    store.write(ALL, panel(ALL, plus=1), series=SERIES)
    new = {name: content for name, (content, _) in files(store).items()}
    for year in {2021, 2022, 2023} - set(years):
        shutil.copy(old / f"{year}.parquet", folder(store))
    assert store.read()["a"][0].as_py() == 153.0
    assert {name: content for name, (content, _) in files(store).items()} == new


@pytest.mark.parametrize("kind", ["switch", "migrate", "withdraw"])
def test_writer_that_died_within_a_new_beginning_is_finished(store: DatasetStore, kind: str) -> None:
    """Files of two series, of two schemas, or one too many are never read as one dataset."""
    old = kept(store)
    if kind == "switch":
        reason = Provenance(reason="a test")
        store.write(ALL, panel(ALL), series="desk:other", switch=True, provenance=reason)
    elif kind == "migrate":
        DatasetStore(store.path, pa.schema([SCHEMA.field("a")]), chunk="year").migrate()
    else:
        first = Window.parse("2021-01-01", "2021-12-31")
        store.write(first, panel(first).iloc[:0], series=SERIES, replace=True, answered=Coverage())
    reader = DatasetStore(store.path, chunk="year")
    new = {name: content for name, (content, _) in files(store).items()}
    shutil.copy(old / "2021.parquet", folder(store))
    reader.read()
    assert {name: content for name, (content, _) in files(store).items()} == new


def test_file_of_no_revision(store: DatasetStore) -> None:
    """A year that somebody else has put there is refused, and a repair sets all of them aside."""
    other = DatasetStore(store.path.parents[2] / "other" / "raw" / "panel.parquet", SCHEMA, chunk="year")
    other.write(ALL, panel(ALL, plus=9), series=SERIES)
    store.write(ALL, panel(ALL, plus=1), series=SERIES)
    good = files(store)
    shutil.copy(folder(other) / "2022.parquet", folder(store))
    with pytest.raises(CorruptFileError, match="none of the 2 revisions"):
        store.read()
    assert store.repair()
    assert {name: content for name, (content, _) in files(store).items()} == {n: c for n, (c, _) in good.items()}
    assert (folder(store).with_name("panel.aside") / "2022.parquet").exists()
    assert store.verify() == store.head()


def test_first_writer_died(store: DatasetStore) -> None:
    """Of the first revision some years may be there, and one that nobody knows is found out."""
    (folder(store) / "2022.parquet").unlink()
    assert len(store.read()) == 760
    other = DatasetStore(store.path.parents[2] / "other" / "raw" / "panel.parquet", SCHEMA, chunk="year")
    other.write(ALL, panel(ALL, plus=9), series=SERIES)
    shutil.copy(folder(other) / "2022.parquet", folder(store))
    with pytest.raises(CorruptFileError, match="none of the 1 revisions"):
        store.head()


def test_files_without_revisions_are_adopted(store: DatasetStore) -> None:
    """Files older than revisions become the first, known since the last of them was written at the latest."""
    shutil.rmtree(store.path.parents[1] / "revisions")
    assert store.repair()
    last = store.last_revision()
    assert last is not None
    assert (last.kind, last.inserted) == ("adopt", 760)


def test_as_of(store: DatasetStore) -> None:
    """Reads as of a moment are the same as with one file."""
    later = DatasetStore(store.path, SCHEMA, chunk="year", clock=lambda: NOON + timedelta(days=1))
    day = Window.parse("2022-05-05", "2022-05-05")
    later.write(day, panel(day, plus=0.5), series=SERIES)
    assert store.read(day, as_of=NOON)["a"].to_pylist() == [125.0]
    assert store.read(day, as_of=NOON + timedelta(days=1))["a"].to_pylist() == [125.5]


@pytest.mark.parametrize(("chunk", "changed"), [(None, "year"), ("year", None)])
def test_changed_layout_is_refused(
    tmp_path: Path, chunk: Literal["year"] | None, changed: Literal["year"] | None
) -> None:
    """Whoever asks for the other layout than the stored one is told to undo that, and nothing that would lose rows."""
    path = tmp_path / "data" / "raw" / "panel.parquet"
    one, other = DatasetStore(path, SCHEMA, chunk=chunk), DatasetStore(path, SCHEMA, chunk=changed)
    one.write(ALL, panel(ALL), series=SERIES)
    for ask in (
        other.head,
        other.read,
        lambda: other.write(ALL, panel(ALL), series=SERIES),
        other.verify,
        other.repair,
        lambda: other.read(as_of=datetime.now(UTC)),
    ):
        with pytest.raises(StoreError, match=r"`chunk` was changed in the catalog.*Undo the change") as caught:
            ask()
        assert not any(word in str(caught.value) for word in ("mv ", "backfill", "aside", "hash"))
    assert len(one.read()) == 760


def test_changed_layout_is_told_without_revisions_and_without_rows(tmp_path: Path) -> None:
    """Rows alone, or revisions alone, are enough to see that the other layout was stored."""
    path = tmp_path / "data" / "raw" / "panel.parquet"
    one, other = DatasetStore(path, SCHEMA, chunk="year"), DatasetStore(path, SCHEMA)
    one.write(ALL, panel(ALL), series=SERIES)
    revisions = tmp_path / "data" / "revisions" / "panel"
    revisions.rename(tmp_path / "kept")
    with pytest.raises(StoreError, match="`chunk` was changed"):
        other.verify()
    (tmp_path / "kept").rename(revisions)
    folder(one).rename(tmp_path / "moved")
    with pytest.raises(StoreError, match="`chunk` was changed"):
        other.verify()


def test_messages_name_the_folder(store: DatasetStore) -> None:
    """Where one file a year is kept there is no file of the dataset's name, and none is named."""
    (folder(store) / "2023.parquet").unlink()
    with pytest.raises(CorruptFileError, match=r"raw/panel ") as caught:
        store.verify()
    assert "panel.parquet" not in str(caught.value)
    narrower = DatasetStore(store.path, pa.schema([SCHEMA.field("a")]), chunk="year")
    store.repair()
    with pytest.raises(StoreError, match=r"raw/panel has another schema"):
        narrower.read()
    with pytest.raises(FileNotFoundError, match=r"raw/none\.$"):
        DatasetStore(store.path.with_name("none.parquet"), SCHEMA, chunk="year").read()
