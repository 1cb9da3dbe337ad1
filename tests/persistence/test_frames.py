"""Tables as frames: what numpy makes of them is what Arrow's own way gives, to the last bit."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from macrocredit_assets.persistence.frames import frame_of

_FLOATS = st.none() | st.floats()
_WHOLE = st.none() | st.integers(-(2**52), 2**52)


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """Draw dates, and columns of floats and whole numbers with and without gaps, in one piece or more."""
    days = draw(st.lists(st.dates(date(1700, 1, 1), date(2200, 1, 1)), unique=True, max_size=5))
    columns = {"date": pa.array(sorted(days), pa.date32()).cast(pa.timestamp("us"))}
    for number in range(draw(st.integers(0, 3))):
        kind, cells = draw(st.sampled_from([(pa.float64(), _FLOATS), (pa.int64(), _WHOLE), (pa.int64(), st.just(7))]))
        values = draw(st.lists(cells, min_size=len(days), max_size=len(days)))
        columns[f"c{number}"] = pa.array(values, kind)
    table = pa.table(columns)
    cut = draw(st.integers(0, len(days)))
    return pa.concat_tables([table.slice(0, cut), table.slice(cut)])


@given(tables())
def test_frame_is_that_of_arrow(table: pa.Table) -> None:
    """Types, index, columns, values and gaps are those of ``to_pandas``."""
    expected = table.to_pandas().set_index("date")
    pd.testing.assert_frame_equal(frame_of(table), expected, check_exact=True)


def test_frame_owns_its_memory() -> None:
    """Whoever changes the frame changes nothing of the table, nor of another frame."""
    table = pa.table({"date": pa.array([0], pa.timestamp("us")), "x": [1.0], "n": [1]})
    for names in (["date", "x"], ["date", "x", "n"]):
        frame = frame_of(table.select(names))
        frame.loc[:, "x"] = 2.0
        assert table["x"].to_pylist() == [1.0]
        assert frame_of(table)["x"].tolist() == [1.0]


def test_column_that_is_asked_for_twice() -> None:
    """A column that was asked for twice comes twice."""
    table = pa.table([pa.array([0], pa.timestamp("us")), pa.array([1.0]), pa.array([1.0])], names=["date", "x", "x"])
    assert list(frame_of(table).columns) == ["x", "x"]
