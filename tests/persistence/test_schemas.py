"""Frames that cannot be stored: every mismatch is named, at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from macrocredit_assets.errors import SchemaMismatchError
from macrocredit_assets.persistence.rows import rows_from_frame
from macrocredit_assets.persistence.schemas import frame_mismatches

SCHEMA = pa.schema([pa.field("close", pa.float64()), pa.field("volume", pa.int64())])
DAYS = pd.DatetimeIndex(["2024-01-02", "2024-01-03"])


def frame(index: pd.Index = DAYS, close: object = (1.0, 2.0), volume: object = (1, 2)) -> pd.DataFrame:
    """Build a frame, correct where nothing is said."""
    return pd.DataFrame({"close": pd.Series(close), "volume": pd.Series(volume)}).set_axis(index, axis=0)


@pytest.mark.parametrize(
    ("volume", "close"),
    [
        (pd.array([1, None], dtype="Int64"), pd.array([1.0, None], dtype="Float64")),
        ([1.0, np.nan], [1.0, np.nan]),
        (
            pd.array([1, None], dtype=pd.ArrowDtype(pa.int64())),
            pd.array([1.0, None], dtype=pd.ArrowDtype(pa.float64())),
        ),
    ],
)
def test_types_that_can_be_stored(volume: object, close: object) -> None:
    """Numbers are taken from every pandas type that holds them without loss."""
    assert frame_mismatches(frame(volume=volume, close=close), SCHEMA) == []
    taken = rows_from_frame(frame(volume=volume, close=close), SCHEMA, "hyg")
    assert taken.value(0, 1, pa.int64()) == 1
    assert taken.value(1, 1, pa.int64()) is None
    assert taken.value(0, 0, pa.float64()) == 1.0
    assert taken.value(1, 0, pa.float64()) is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (frame(pd.RangeIndex(2)), ["the index is a RangeIndex, expected is a DatetimeIndex of dates"]),
        (frame(DAYS.tz_localize("UTC")), ["the index has the time zone UTC, expected are dates without one"]),
        (frame(pd.DatetimeIndex(["2024-01-02", pd.NaT])), ["the index has missing dates"]),
        (
            frame(DAYS + pd.Timedelta("17h")),
            ["the index has times of day: 2024-01-02 17:00:00, 2024-01-03 17:00:00"],
        ),
        (frame(DAYS[[0, 0]]), ["dates stand there more than once: 2024-01-02"]),
        (frame(close=[1, 2]), ["column 'close' has the type int64, expected is float64"]),
        (frame(close=["1", "x"]), ["column 'close' has the type str, expected is float64"]),
        (frame(volume=[1.5, 2.0]), ["column 'volume' has values that are no exact integers: 1.5"]),
        (frame(volume=[2.0**53, np.inf]), ["no exact integers: 9007199254740992.0, inf"]),
        (frame().assign(extra=1.0), ["column 'extra' is not a column of the dataset"]),
        (frame().drop(columns="close"), ["column 'close' is absent"]),
        (frame().iloc[:, [0, 1, 0]], ["column 'close' is there more than once"]),
    ],
)
def test_frames_that_cannot(given: pd.DataFrame, words: list[str]) -> None:
    """Each way to be wrong is told in one sentence."""
    mismatches = frame_mismatches(given, SCHEMA)
    assert len(mismatches) == len(words)
    for mismatch, expected in zip(mismatches, words, strict=True):
        assert expected in mismatch


def test_every_mismatch_at_once() -> None:
    """An error lists all mismatches, of the index and of each column, and names the dataset."""
    wrong = frame(DAYS[[0, 0]], close=["a", "b"]).drop(columns="volume").assign(extra=1)
    with pytest.raises(SchemaMismatchError) as caught:
        rows_from_frame(wrong, SCHEMA, "hyg")
    message = str(caught.value)
    assert "'hyg'" in message
    assert message.count("\n  - ") == 4


def test_long_lists_are_cut() -> None:
    """Of many wrong dates the first three are shown, and the number of the others."""
    days = pd.DatetimeIndex([f"2024-01-0{day} 09:30" for day in range(1, 6)])
    (mismatch,) = frame_mismatches(frame(days, [1.0] * 5, [1] * 5), SCHEMA)
    assert mismatch.endswith("2024-01-01 09:30:00, 2024-01-02 09:30:00, 2024-01-03 09:30:00 and 2 more")


def test_types_that_are_not_known() -> None:
    """A schema with a type that the store cannot compare is refused by name."""
    schema = pa.schema([pa.field("close", pa.float64()), pa.field("volume", pa.string())])
    (mismatch,) = frame_mismatches(frame(), schema)
    assert mismatch == "column 'volume' is to be stored as string; known are double, int64"
