"""Current file and revisions that are apart: who brings them together, and what is refused."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from macrocredit_assets.errors import CorruptFileError, NotCoveredError
from macrocredit_assets.persistence import projection
from macrocredit_assets.persistence.current import OneFile
from macrocredit_assets.persistence.dataset_store import DatasetStore
from macrocredit_assets.windows import Coverage, Window

SCHEMA = pa.schema([pa.field("spread", pa.float64(), metadata={b"unit": b"bp", b"decimals": b"2"})])
SERIES = "bbg:CDX IG"
JANUARY = Window.parse("2024-01-01", "2024-01-31")


def spreads(*values: float) -> pd.DataFrame:
    """Build rows from 2024-01-02 on."""
    index = pd.date_range("2024-01-02", periods=len(values), unit="us", name="date")
    return pd.DataFrame({"spread": list(values)}, index=index)


def stored(store: DatasetStore) -> list[float]:
    """Return the values that a reader sees."""
    values: list[float] = store.read()["spread"].to_pylist()
    return values


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    """Write two revisions, 57.5 then 58.0 on the same date."""
    store = DatasetStore(tmp_path / "data" / "raw" / "cdx.parquet", SCHEMA)
    store.write(JANUARY, spreads(57.5), series=SERIES)
    shutil.copy(store.path, store.path.with_name("first"))
    store.write(JANUARY, spreads(58.0), series=SERIES)
    shutil.copy(store.path, store.path.with_name("second"))
    return store


def fall_behind(store: DatasetStore) -> None:
    """Put the current file back to the first revision, as if the second writer had died after its commit."""
    shutil.copy(store.path.with_name("first"), store.path)


def folder(store: DatasetStore) -> Path:
    """Return where the revisions stand."""
    return store.path.parents[1] / "revisions" / store.name


@pytest.mark.parametrize("absent", [True, False])
@pytest.mark.parametrize("reader", ["head", "read", "write", "repair"])
def test_whoever_comes_next_rolls_forward(store: DatasetStore, reader: str, absent: bool) -> None:
    """A file that is behind, or gone, is brought to the last revision by the next reader, writer or repair."""
    fall_behind(store)
    if absent:
        store.path.unlink()
    if reader == "write":
        assert not store.write(JANUARY, spreads(58.0), series=SERIES).written
    elif reader == "repair":
        assert store.repair()
    else:
        getattr(store, reader)()
    assert store.path.read_bytes() == store.path.with_name("second").read_bytes()


def test_reading_what_is_in_line_writes_nothing(store: DatasetStore) -> None:
    """A reader takes no lock and writes no file where nothing is to be done."""
    (store.path.parent / ".cdx.parquet.lock").unlink()
    before = sorted(store.path.parent.iterdir())
    assert stored(store) == [58.0]
    assert store.head() is not None
    assert sorted(store.path.parent.iterdir()) == before


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """Make a folder that every user may enter."""
    with TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


def test_reader_that_may_not_write_computes_the_rows(store: DatasetStore, elsewhere: Path) -> None:
    """Without leave to write a reader folds the revisions in memory, and the file stays behind."""
    fall_behind(store)
    shutil.copytree(store.path.parents[1], elsewhere / "data")
    path = elsewhere / "data" / "raw" / "cdx.parquet"
    (path.parent / ".cdx.parquet.lock").unlink()
    for directory in (path.parent, elsewhere / "data"):
        directory.chmod(0o555)
    program = (
        "import os, sys; from pathlib import Path; from macrocredit_assets.persistence import DatasetStore;"
        "store = DatasetStore(Path(sys.argv[1])); DatasetStore(Path(sys.argv[2])).read();"
        "os.getuid() or os.setuid(65534);"  # what is imported may be out of reach then, so something was read before
        "print(store.read()['spread'].to_pylist(), store.head().coverage, store.read(columns=[]).column_names)"
    )
    command = [sys.executable, "-c", program, path, store.path.with_name("cdx.parquet")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    for directory in (path.parent, elsewhere / "data"):
        directory.chmod(0o755)
    assert done.stdout == "[58.0] 2024-01-01..2024-01-31 ['date']\n", done.stderr
    assert path.read_bytes() == store.path.with_name("first").read_bytes()


def test_head_for_a_reader_that_may_not_write(store: DatasetStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The head of the computed rows is that of the file that a writer would leave."""
    expected = store.head()
    fall_behind(store)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(projection, "locked", refuse)
    assert store.head() == expected
    assert store.path.read_bytes() == store.path.with_name("first").read_bytes()


def test_writer_on_the_way_while_an_earlier_moment_is_read(
    store: DatasetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write between two looks at the current file never shows up in rows that were known before it."""
    last = store.last_revision()
    assert last is not None
    straight = OneFile.table

    def overtaken(current: OneFile, *arguments: Any) -> Any:  # noqa: ANN401 - as it comes
        monkeypatch.undo()
        store.write(JANUARY, spreads(59.0), series=SERIES)
        return straight(current, *arguments)

    monkeypatch.setattr(OneFile, "table", overtaken)
    assert store.read(as_of=last.known_at)["spread"].to_pylist() == [58.0]
    assert stored(store) == [59.0]


def test_other_errors_of_the_system_are_not_swallowed(store: DatasetStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is told, although the rows could be computed."""
    fall_behind(store)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.read()
    monkeypatch.undo()
    assert stored(store) == [58.0]


def alien(store: DatasetStore) -> bytes:
    """Put rows into the current file, properly written, that no revision knows; return its bytes."""
    other = DatasetStore(store.path.parents[2] / "other" / "raw" / "cdx.parquet", SCHEMA)
    other.write(JANUARY, spreads(1.0, 2.0), series=SERIES)
    shutil.copy(other.path, store.path)
    return store.path.read_bytes()


@pytest.mark.parametrize("reader", ["head", "read", "write"])
def test_file_of_no_revision(store: DatasetStore, reader: str) -> None:
    """A file that somebody else has put there is neither believed nor overwritten; the repair is named."""
    before = alien(store)
    with pytest.raises(CorruptFileError, match=r"none of the 2 revisions.*`macrocredit registry verify --repair`"):
        store.write(JANUARY, spreads(58.0), series=SERIES) if reader == "write" else getattr(store, reader)()
    assert store.path.read_bytes() == before


@pytest.mark.parametrize("what", ["alien", "garbage", "altered"])
def test_repair_sets_aside_what_is_of_no_revision(store: DatasetStore, what: str) -> None:
    """A file that is foreign, unreadable or altered is kept beside the one that is projected anew, each time."""
    for number in ("", "2"):
        if what == "alien":
            before = alien(store)
        elif what == "garbage":
            store.path.write_bytes(b"PAR1 and then nothing")
            before = store.path.read_bytes()
        else:
            table = pq.read_table(store.path)
            pq.write_table(table.set_column(1, table.schema.field("spread"), pa.array([1.0])), store.path)
            before = store.path.read_bytes()
        with pytest.raises(CorruptFileError):
            store.verify()
        assert store.repair()
        assert store.path.with_name(f"cdx.parquet.aside{number}").read_bytes() == before
        assert store.path.read_bytes() == store.path.with_name("second").read_bytes()
        assert store.verify() == store.head()
    assert not store.repair()


def test_verify_of_a_file_that_is_behind_changes_nothing(store: DatasetStore) -> None:
    """Looking whether all is well leaves what is not as it is, and says what does."""
    fall_behind(store)
    with pytest.raises(
        CorruptFileError,
        match=r"2 revisions.*cdx\.parquet is behind.*`macrocredit registry verify --repair` rolls it forward",
    ):
        store.verify()
    assert store.path.read_bytes() == store.path.with_name("first").read_bytes()
    store.path.unlink()
    with pytest.raises(CorruptFileError, match="does not exist"):
        store.verify()


def test_missing_revision(store: DatasetStore) -> None:
    """A revision that was taken away is missed by writers and repairs, and by readers once the file differs."""
    store.write(JANUARY, spreads(59.0), series=SERIES)
    (folder(store) / "00000002.parquet").unlink()
    with pytest.raises(CorruptFileError, match=r"Of the 3 revisions in .* 1 are missing.*00000002\.parquet"):
        store.read()
    for ask in (store.repair, store.verify, store.revisions):
        with pytest.raises(CorruptFileError, match="missing"):
            ask()
    (folder(store) / "00000001.parquet").unlink()
    with pytest.raises(CorruptFileError, match="2 are missing"):
        store.write(JANUARY, spreads(60.0), series=SERIES)


def test_last_revision_taken_away(store: DatasetStore) -> None:
    """Without its last revision the file is of none, and is not rolled back."""
    (folder(store) / "00000002.parquet").unlink()
    with pytest.raises(CorruptFileError, match="taken revisions away"):
        store.read()
    assert store.path.read_bytes() == store.path.with_name("second").read_bytes()


def moments(store: DatasetStore) -> list[datetime]:
    """Write a third revision, and return when each became known."""
    store.write(JANUARY, spreads(59.0), series=SERIES)
    return [revision.known_at for revision in store.revisions()]


@pytest.mark.parametrize("lost", [1, 2])
def test_missing_revision_as_of(store: DatasetStore, lost: int) -> None:
    """No moment is answered while a revision is missing before the last, although the current file is sound."""
    asked = moments(store)
    (folder(store) / f"0000000{lost}.parquet").unlink()
    for moment in asked:
        with pytest.raises(CorruptFileError, match=rf"1 are missing, the first of them 0000000{lost}\.parquet"):
            store.read(as_of=moment)
        with pytest.raises(CorruptFileError, match="missing"):
            store.revision_as_of(moment)


def test_last_revision_taken_away_as_of(store: DatasetStore) -> None:
    """What it may have changed is not answered from the one before it; moments before that one are."""
    asked = moments(store)
    (folder(store) / "00000003.parquet").unlink()
    assert store.read(as_of=asked[0])["spread"].to_pylist() == [57.5]
    for moment in asked[1:]:
        with pytest.raises(CorruptFileError, match=r"none of the 2 revisions.*taken revisions away"):
            store.read(as_of=moment)


@pytest.mark.parametrize("state", ["garbage", "altered", "absent", "behind"])
def test_current_file_does_not_matter_as_of(store: DatasetStore, state: str) -> None:
    """Revisions without a gap answer every moment, whatever became of the current file."""
    asked = moments(store)
    if state == "garbage":
        store.path.write_bytes(b"PAR1 and then nothing")
    elif state == "altered":
        content = store.path.read_bytes()
        store.path.write_bytes(b"PAR1" + bytes(len(content) // 3) + content[4 + len(content) // 3 :])
    elif state == "absent":
        store.path.unlink()
    else:
        fall_behind(store)
    before = store.path.read_bytes() if store.path.exists() else None
    assert [store.read(as_of=moment)["spread"].to_pylist() for moment in asked] == [[57.5], [58.0], [59.0]]
    with pytest.raises(NotCoveredError, match=r"known since .* \(revision 1\)"):
        store.read(as_of=asked[0] - timedelta(seconds=1))
    assert (store.path.read_bytes() if store.path.exists() else None) == before


def test_missing_revision_for_a_reader_that_may_not_write(store: DatasetStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are computed for want of leave to write are not those before the gap."""
    moments(store)
    (folder(store) / "00000002.parquet").unlink()

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(projection, "locked", refuse)
    with pytest.raises(CorruptFileError, match="missing"):
        store.read()


def test_checked_read_holds_rows_against_their_hash(store: DatasetStore) -> None:
    """Values changed under the footer of the last revision are read, unless the reader asks for the check."""
    table = pq.read_table(store.path)
    pq.write_table(table.set_column(1, table.schema.field("spread"), pa.array([1.0])), store.path)
    assert stored(store) == [1.0]
    with pytest.raises(CorruptFileError, match=r"cdx\.parquet"):
        store.read(checked=True)


def test_one_revision_by_its_number(store: DatasetStore) -> None:
    """The head of any revision can be had; of one that does not exist there is none."""
    assert store.revision(1) == store.revisions()[0]
    assert store.revision(2) == store.last_revision()
    assert store.revision(0) is None
    assert store.revision(3) is None


def test_damaged_revision(store: DatasetStore) -> None:
    """A revision that cannot be read stops the repair before anything is moved."""
    before = alien(store)
    (folder(store) / "00000001.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(CorruptFileError, match=r"00000001\.parquet"):
        store.repair()
    assert store.path.read_bytes() == before
    assert sorted(path.name for path in store.path.parent.iterdir() if "aside" in path.name) == []


def test_altered_revision(store: DatasetStore) -> None:
    """Revisions whose rows were changed no longer have the hash that they state."""
    fall_behind(store)
    path = folder(store) / "00000002.parquet"
    table = pq.read_table(path)
    pq.write_table(table.set_column(2, table.schema.field("spread"), pa.array([1.0])), path)
    with pytest.raises(CorruptFileError, match="do not have the hash that revision 2 states"):
        store.read()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({b"macrocredit": b"{"}, "its footer is not that of a revision"),
        ({}, "its footer is not that of a revision"),
        ({b"macrocredit": b'{"kind": "merge"}'}, "the kind 'merge' is none of write, switch, migrate, adopt"),
    ],
)
def test_foreign_footer(store: DatasetStore, change: dict[bytes, bytes], said: str) -> None:
    """A file in the place of a revision that is none is named, with what is wrong with it."""
    path = folder(store) / "00000002.parquet"
    pq.write_table(pq.read_table(path).replace_schema_metadata(change), path)
    with pytest.raises(CorruptFileError, match=said):
        store.last_revision()


def test_revision_in_the_place_of_another(store: DatasetStore) -> None:
    """A revision says its number and dataset, and is believed at that place alone."""
    shutil.copy(folder(store) / "00000001.parquet", folder(store) / "00000003.parquet")
    with pytest.raises(CorruptFileError, match="it says that it is revision 1 of 'cdx'"):
        store.last_revision()


def test_revision_with_other_columns(store: DatasetStore) -> None:
    """A revision without its first columns, or with an action that does not exist, cannot be used."""
    path = folder(store) / "00000002.parquet"
    table = pq.read_table(path)
    pq.write_table(table.set_column(1, table.schema.field("action"), pa.array(["upsert"])), path)
    with pytest.raises(CorruptFileError, match="an action that is none of insert, change, withdraw"):
        store.verify()
    renamed = table.rename_columns(["date", "deed", "spread"]).replace_schema_metadata(table.schema.metadata)
    pq.write_table(renamed, path)
    with pytest.raises(CorruptFileError, match="its first columns are not 'date' and 'action'"):
        store.last_revision()


def without_revisions(store: DatasetStore) -> datetime:
    """Take the revisions away, as if the file was older than they are; return when it was written."""
    shutil.rmtree(folder(store))
    written = datetime(2024, 2, 1, 12, tzinfo=UTC)
    os.utime(store.path, (written.timestamp(), written.timestamp()))
    return written


def test_file_older_than_revisions_is_adopted_by_the_next_write(store: DatasetStore) -> None:
    """Its rows become the first revision, known since the file was written, and the write is the second."""
    written = without_revisions(store)
    assert stored(store) == [58.0]
    result = store.write(JANUARY, spreads(58.0, 59.0), series=SERIES)
    assert (result.revision, result.inserted) == (2, 1)
    first, second = store.revisions()
    assert (first.kind, first.known_at, first.inserted, first.coverage) == ("adopt", written, 1, Coverage((JANUARY,)))
    assert (second.kind, second.inserted) == ("write", 1)
    assert store.read(as_of=written)["spread"].to_pylist() == [58.0]


def test_file_older_than_revisions_as_of(store: DatasetStore) -> None:
    """Before it is adopted its rows are known since it was written."""
    written = without_revisions(store)
    assert store.read(as_of=written)["spread"].to_pylist() == [58.0]
    with pytest.raises(NotCoveredError, match="its file, which has no revision yet, was written at 2024-02-01T12"):
        store.read(as_of=written - timedelta(seconds=1))


def test_repair_adopts(store: DatasetStore) -> None:
    """A repair makes the file the first revision, once; where nothing is stored there is nothing to do."""
    without_revisions(store)
    assert store.repair()
    assert [revision.kind for revision in store.revisions()] == ["adopt"]
    assert not store.repair()
    nothing = DatasetStore(store.path.with_name("none.parquet"))
    assert not nothing.repair()
    assert nothing.verify() is None


def test_repair_of_what_cannot_be_had_back(store: DatasetStore) -> None:
    """Without revisions a damaged file is left where it is, with the way to fetch it again."""
    without_revisions(store)
    store.path.write_bytes(b"PAR1 and then nothing")
    with pytest.raises(CorruptFileError, match=r"cdx\.parquet is not a readable Parquet file"):
        store.repair()
    assert store.path.read_bytes() == b"PAR1 and then nothing"


def test_adopted_file_is_not_known_in_the_future(store: DatasetStore) -> None:
    """A file whose modification time lies ahead is known now."""
    without_revisions(store)
    ahead = datetime.now(UTC).timestamp() + 86400
    os.utime(store.path, (ahead, ahead))
    store.repair()
    last = store.last_revision()
    assert last is not None
    assert last.known_at <= datetime.now(UTC)
