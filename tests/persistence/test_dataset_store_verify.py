"""A store held against its own hashes and revisions, without a change to either."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from macrocredit_assets.errors import CorruptFileError
from macrocredit_assets.persistence import DatasetStore
from macrocredit_assets.windows import Window

_SCHEMA = pa.schema([pa.field("close", pa.float64(), metadata={"unit": "index points"})])
_WINDOW = Window(date(2020, 3, 16), date(2020, 3, 18))


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    """Write two revisions of one row."""
    store = DatasetStore(tmp_path / "raw" / "vix.parquet", _SCHEMA)
    for close in (82.6, 82.69):
        _write(store, close)
    return store


def _write(store: DatasetStore, close: float) -> None:
    frame = pd.DataFrame({"close": [close]}, index=pd.DatetimeIndex(["2020-03-16"], name="date"))
    store.write(_WINDOW, frame, series="cboe:VIX")


def test_sound_store_is_its_head(store: DatasetStore) -> None:
    """Where rows, file and revisions agree, the head comes back."""
    assert store.verify() == store.head()


def test_store_without_anything_is_none(tmp_path: Path) -> None:
    """Nothing was written, nothing is wrong, and nothing is created."""
    assert DatasetStore(tmp_path / "raw" / "vix.parquet", _SCHEMA).verify() is None
    assert [*tmp_path.iterdir()] == []


def test_file_without_revisions_is_sound(store: DatasetStore) -> None:
    """A file from before there were revisions has nothing to be held against."""
    for path in (store.path.parent.parent / "revisions" / "vix").glob("*.parquet"):
        path.unlink()
    assert store.verify() is not None


def test_file_that_is_behind_is_told_and_left(store: DatasetStore) -> None:
    """A reader would complete the work of a writer that died; whoever verifies only says so."""
    older = store.path.read_bytes()
    _write(store, 83.0)
    store.path.write_bytes(older)
    with pytest.raises(CorruptFileError, match=r"3 revisions.*is behind.*--repair` rolls it forward"):
        store.verify()
    assert store.path.read_bytes() == older


def test_file_that_is_gone_is_told_and_not_made(store: DatasetStore) -> None:
    """Revisions without a file are told."""
    store.path.unlink()
    with pytest.raises(CorruptFileError, match=r"does not exist.*--repair` writes it anew"):
        store.verify()
    assert not store.path.exists()
