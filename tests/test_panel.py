"""Columns side by side, held against pandas' own concat to the last bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from macrocredit_assets.errors import NotCoveredError, UnknownDatasetError
from macrocredit_assets.panel import Line, side_by_side
from macrocredit_assets.persistence import DatasetStore
from macrocredit_assets.research import load_panel
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

DAYS = np.arange("2024-01-01", "2024-01-09", dtype="datetime64[D]").astype("datetime64[us]")
FLOATS = st.floats() | st.just(np.nan) | st.just(-0.0)
INTEGERS = st.integers(-(2**63), 2**63 - 1)


@st.composite
def lines(draw: st.DrawFn) -> Line:
    """Draw a line of floats or integers on some of the days, or all, or none."""
    taken = draw(st.just([True] * len(DAYS)) | st.lists(st.booleans(), min_size=len(DAYS), max_size=len(DAYS)))
    days = DAYS[np.array(taken)]
    whole = draw(st.booleans())
    values = draw(st.lists(INTEGERS if whole else FLOATS, min_size=len(days), max_size=len(days)))
    return Line(draw(st.sampled_from("abc")), days, np.array(values, dtype=np.int64 if whole else np.float64))


@given(st.lists(lines(), min_size=1, max_size=5))
@hypothesis_settings(deadline=None, max_examples=100)
def test_columns_stand_as_concat_puts_them(drawn: list[Line]) -> None:
    """The same dates, names (repeated ones too), types and bits, whichever dates each line has."""
    panel = side_by_side(drawn)
    series = [
        pd.Series(line.numbers, pd.DatetimeIndex(line.days, name="date", copy=True), name=line.name) for line in drawn
    ]
    expected = pd.concat(series, axis="columns", sort=True)
    # concat infers a frequency for some unions of dates and not for others; a file's index has none
    pd.testing.assert_frame_equal(panel, expected, check_exact=True, check_freq=False, check_column_type=True)
    assert isinstance(panel.index, pd.DatetimeIndex)
    assert (str(panel.index.dtype), panel.index.freq) == ("datetime64[us]", None)
    for position in range(len(drawn)):
        ours, theirs = panel.iloc[:, position].to_numpy(), expected.iloc[:, position].to_numpy()
        missing = np.isnan(ours) if ours.dtype == np.float64 else np.zeros(len(ours), dtype=bool)
        assert ours[~missing].tobytes() == theirs[~missing].tobytes()


@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_a_panel_is_memory_of_its_own(dtype: str) -> None:
    """It can be changed though its lines cannot, and changes none of them."""
    line = Line("a", DAYS.copy(), np.arange(len(DAYS), dtype=dtype))
    line.numbers.flags.writeable = line.days.flags.writeable = False
    panel = side_by_side([line, line])
    panel.iloc[0, 0] = -1
    assert (line.numbers[0], panel.iloc[0, 1]) == (0, 0)
    assert not np.shares_memory(panel.index.to_numpy(), line.days)
    assert not np.shares_memory(panel.iloc[:, 0].to_numpy(), line.numbers)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Write two datasets of the desk's own, whose catalog file cannot be read."""
    (tmp_path / "catalog.yaml").write_text("datasets: [", encoding="utf-8")
    settings = Settings(root=tmp_path, dagster_home=tmp_path / ".dagster", catalog=tmp_path / "catalog.yaml")
    for name, days, volumes in (("one", [2, 3], [2**60 + 1, 7]), ("two", [3, 4], [1, None])):
        schema = pa.schema([pa.field("volume", pa.int64()), pa.field("close", pa.float64())])
        index = pd.DatetimeIndex([f"2024-01-{day:02}" for day in days], name="date")
        frame = pd.DataFrame({"volume": pd.array(volumes, "Int64"), "close": [1.5, np.nan]}, index=index)
        DatasetStore(settings.dataset_path("market", name), schema).write(
            Window.parse("2024-01-02", "2024-01-05"), frame, series=f"desk:{name}"
        )
    return settings


def test_integers_stay_integers_where_none_is_missing(settings: Settings) -> None:
    """A column of integers that has every date keeps its type, and one that lacks a value or a date is of floats."""
    panel = load_panel(["one"], "volume", settings=settings)
    assert panel["one"].tolist() == [2**60 + 1, 7]
    panel = load_panel(["one", "two", "two.close"], "volume", "2024-01-03", settings=settings)
    assert panel.to_dict("list") == {
        "one": [7.0, pytest.approx(np.nan, nan_ok=True)],
        "two": [1.0, pytest.approx(np.nan, nan_ok=True)],
        "two.close": [1.5, pytest.approx(np.nan, nan_ok=True)],
    }
    assert [*map(str, panel.dtypes)] == ["float64"] * 3


def test_errors_of_a_panel_are_those_of_its_datasets(settings: Settings) -> None:
    """A window never ingested says so before a column that does not exist; dates are no column."""
    with pytest.raises(NotCoveredError, match="one was never ingested"):
        load_panel(["one"], "last", "2020-01-01", "2020-12-31", settings=settings)
    with pytest.raises(KeyError, match="'one' has no column last; it has volume, close"):
        load_panel(["one"], "last", settings=settings)
    with pytest.raises(KeyError, match="date"):
        load_panel(["one"], "date", settings=settings)
    with pytest.raises(UnknownDatasetError):
        load_panel(["three"], settings=Settings(root=settings.root, dagster_home=settings.root))
