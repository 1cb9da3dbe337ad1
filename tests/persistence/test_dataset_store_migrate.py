"""A schema that changed: what is stored under the old one, rewritten under the new one, or refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from macrocredit_assets.errors import SchemaMismatchError, StoreError
from macrocredit_assets.persistence.dataset_store import DatasetStore
from macrocredit_assets.persistence.records import Provenance
from macrocredit_assets.windows import Coverage, Window

JANUARY = Window.parse("2024-01-01", "2024-01-31")
NOON = datetime(2024, 2, 5, 12, tzinfo=UTC)


def column(name: str, unit: str, kind: pa.DataType | None = None, decimals: int = 2) -> pa.Field:
    """Describe one column."""
    return pa.field(name, kind or pa.float64(), metadata={"unit": unit, "decimals": str(decimals)})


OLD = pa.schema([column("oas", "percent"), column("volume", "count", pa.int64()), column("note", "none")])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Store two rows under the old schema, the second without a value."""
    path = tmp_path / "data" / "raw" / "oas.parquet"
    index = pd.DatetimeIndex(["2024-01-02", "2024-01-03"], dtype="datetime64[us]", name="date")
    frame = pd.DataFrame({"oas": [0.58, float("nan")], "volume": [7, 2**53 - 1], "note": [1.0, 2.0]}, index=index)
    DatasetStore(path, OLD, clock=lambda: NOON).write(JANUARY, frame, series="fred:X")
    return path


def migrated(path: Path, *columns: pa.Field) -> DatasetStore:
    """Migrate to these columns an hour later."""
    store = DatasetStore(path, pa.schema(columns), clock=lambda: NOON + timedelta(hours=1))
    store.migrate(Provenance(run_id="run-2", reason="the catalog changed"))
    return store


def test_every_kind_of_change_at_once(path: Path) -> None:
    """A column is converted, one retyped, one dropped, one added, and the revision says why."""
    store = DatasetStore(
        path,
        pa.schema([column("volume", "count"), column("oas", "bp", decimals=1), column("oad", "years")]),
        clock=lambda: NOON + timedelta(hours=1),
    )
    days = pd.DatetimeIndex([], dtype="datetime64[us]", name="date")
    nothing = pd.DataFrame({name: pd.array([], "float64") for name in store.schema.names}, index=days)
    with pytest.raises(SchemaMismatchError, match="`macrocredit migrate oas`"):
        store.write(JANUARY, nothing, series="fred:X")
    result = store.migrate(Provenance(run_id="run-2", reason="the catalog changed"))
    assert (result.revision, result.known_at) == (2, NOON + timedelta(hours=1))
    assert (result.changed, result.row_count, result.added_columns) == (2, 2, ("oad",))
    assert result.coverage == Coverage((JANUARY,))
    table = store.read()
    assert table.to_pydict() == {
        "date": [pd.Timestamp("2024-01-02"), pd.Timestamp("2024-01-03")],
        "volume": [7.0, float(2**53 - 1)],
        "oas": [58.0, None],
        "oad": [None, None],
    }
    last = store.last_revision()
    assert last is not None
    assert (last.kind, last.run_id, last.reason, last.series) == ("migrate", "run-2", "the catalog changed", "fred:X")


def test_earlier_moments_keep_their_columns(path: Path) -> None:
    """A read as of a moment before the migration gives the columns, types and units of then."""
    migrated(path, column("oas", "bp"))
    then = DatasetStore(path).read(as_of=NOON)
    assert then.column_names == ["date", "oas", "volume", "note"]
    assert then["oas"].to_pylist() == [0.58, None]
    assert then.schema.field("oas").metadata[b"unit"] == b"percent"
    rows = DatasetStore(path).revision_rows()
    assert rows["oas"].to_pylist() == [0.58, None, 58.0, None]
    assert rows["volume"].to_pylist() == [7, 2**53 - 1, None, None]
    assert DatasetStore(path).read(columns=["volume"], as_of=NOON)["volume"].to_pylist() == [7, 2**53 - 1]


def test_there_and_back(path: Path) -> None:
    """Percent to basis points and back gives the same rows, and the same hash as before."""
    before = DatasetStore(path).head()
    migrated(path, column("oas", "bp"), *list(OLD)[1:])
    store = migrated(path, *OLD)
    after = store.head()
    assert before is not None
    assert after is not None
    assert after.content_hash == before.content_hash
    assert [revision.kind for revision in store.revisions()] == ["write", "migrate", "migrate"]


def test_whole_floats_become_integers(path: Path) -> None:
    """A float column without fractions can be retyped; the empty cells stay empty."""
    store = migrated(path, column("note", "none", pa.int64()), column("oas", "percent"))
    assert store.read()["note"].to_pylist() == [1, 2]
    assert store.read()["oas"].to_pylist() == [0.58, None]


def test_nothing_to_migrate(path: Path) -> None:
    """The same columns in another order and with other decimals are no migration: nothing is written."""
    before = path.read_bytes()
    store = DatasetStore(path, pa.schema([column("note", "none", decimals=7), *list(OLD)[:2]]))
    result = store.migrate()
    assert (result.written, result.revision, result.unchanged) == (False, None, 2)
    assert path.read_bytes() == before


def test_losses_are_refused_together(path: Path) -> None:
    """Fractions in an integer, integers that no float holds, and unknown factors are named, and nothing is written."""
    index = pd.DatetimeIndex(["2024-01-04"], dtype="datetime64[us]", name="date")
    frame = pd.DataFrame({"oas": [0.5], "volume": [2**53 + 1], "note": [1.5]}, index=index)
    DatasetStore(path, OLD).write(JANUARY, frame, series="fred:X")
    before = path.read_bytes()
    wanted = [column("oas", "USD"), column("volume", "count"), column("note", "none", pa.int64())]
    with pytest.raises(StoreError) as caught:
        migrated(path, *wanted)
    message = str(caught.value)
    assert "column 'oas' is stored in percent, and no factor to USD is known" in message
    assert "column 'volume' has 1 values that double cannot hold, such as 9007199254740993 on 2024-01-04" in message
    assert "column 'note' has 1 values that int64 cannot hold, such as 1.5 on 2024-01-04" in message
    assert path.read_bytes() == before
    assert len(DatasetStore(path).revisions()) == 2


@pytest.mark.parametrize(
    ("wanted", "value", "said"),
    [
        (column("oas", "percent", decimals=1), 4.18, "4.18 bp on 2024-01-03 is 0.0418 percent, and would become 0.0"),
        (column("oas", "percent", pa.int64(), 0), 422.9, "422.9 bp on 2024-01-03 is 4.229 percent, and would become 4"),
        (column("oas", "percent", decimals=2), 0.1, "0.1 bp on 2024-01-03 is 0.001 percent, and would become 0.0"),
    ],
)
def test_digits_that_the_column_would_round_away_are_refused(
    tmp_path: Path, wanted: pa.Field, value: float, said: str
) -> None:
    """A conversion that needs more decimals than the column has names a row and what would be left of it."""
    path = tmp_path / "data" / "raw" / "oas.parquet"
    index = pd.DatetimeIndex(["2024-01-02", "2024-01-03"], dtype="datetime64[us]", name="date")
    frame = pd.DataFrame({"oas": [400.0 if wanted.type == pa.int64() else 10.0, value]}, index=index)
    DatasetStore(path, pa.schema([column("oas", "bp")])).write(JANUARY, frame, series="fred:X")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="nothing was written") as caught:
        migrated(path, wanted)
    assert f"column 'oas' would lose digits of 1 values: {said}" in str(caught.value)
    assert path.read_bytes() == before
    assert len(DatasetStore(path).revisions()) == 1


def test_noise_of_floats_is_no_loss(tmp_path: Path) -> None:
    """0.1 + 0.2 percent are 30 bp, and what is not finite or beyond all decimals stays what it is."""
    path = tmp_path / "data" / "raw" / "oas.parquet"
    index = pd.DatetimeIndex(["2024-01-02", "2024-01-03", "2024-01-04"], dtype="datetime64[us]", name="date")
    frame = pd.DataFrame({"oas": [0.1 + 0.2, float("inf"), 1e300]}, index=index)
    DatasetStore(path, pa.schema([column("oas", "percent")])).write(JANUARY, frame, series="fred:X")
    assert migrated(path, column("oas", "bp")).read()["oas"].to_pylist() == [30.0, float("inf"), 1e302]


def test_nothing_stored(path: Path) -> None:
    """What was never written cannot be migrated, nor without a schema to migrate to."""
    with pytest.raises(FileNotFoundError, match="Nothing was ever written"):
        DatasetStore(path.with_name("none.parquet"), OLD).migrate()
    with pytest.raises(StoreError, match="without a schema"):
        DatasetStore(path).migrate()


def test_migration_of_no_rows_can_be_rolled_forward(tmp_path: Path) -> None:
    """Units change without any row, and a file that is behind is noticed all the same."""
    path = tmp_path / "data" / "raw" / "oas.parquet"
    percent = pa.schema([column("oas", "percent")])
    empty = pd.DataFrame({"oas": pd.array([], "float64")}, index=pd.DatetimeIndex([], dtype="datetime64[us]"))
    DatasetStore(path, percent).write(JANUARY, empty, series="fred:X")
    before = path.read_bytes()
    store = migrated(path, column("oas", "bp"))
    path.write_bytes(before)
    assert store.read().schema.field("oas").metadata[b"unit"] == b"bp"


def test_column_that_a_pending_revision_adds(path: Path) -> None:
    """A reader who asks for a column that only the last revision has finds it, though the file is behind."""
    before = path.read_bytes()
    store = DatasetStore(path, pa.schema([*OLD, column("oad", "years")]))
    index = pd.DatetimeIndex(["2024-01-02"], dtype="datetime64[us]", name="date")
    frame = pd.DataFrame({"oas": [0.58], "volume": [7], "note": [1.0], "oad": [3.5]}, index=index)
    store.write(JANUARY, frame, series="fred:X")
    path.write_bytes(before)
    assert DatasetStore(path).read(columns=["oad"])["oad"].to_pylist() == [3.5, None]
    with pytest.raises(KeyError, match="has no column oaz"):
        DatasetStore(path).read(columns=["oaz"])
