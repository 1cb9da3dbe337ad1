"""From columns of text to the rows of a window, and what is counted beside them."""

from __future__ import annotations

from datetime import date

import pandas as pd

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.catalog.models import FileColumn
from macrocredit_assets.quality import finding
from macrocredit_assets.sources.file_cells import Complaint, Sheet
from macrocredit_assets.sources.observations import Reading, read_sheet, trim
from macrocredit_assets.windows import Window

SPEC = load_catalog().datasets["us_hy_oas"]
READING = Reading("day", {"oas": FileColumn(column="value", factor=100)}, frozenset({"", "."}))
MARCH = Window(date(2026, 3, 1), date(2026, 3, 31))


def sheet(**rows: str) -> Sheet:
    """Return a sheet of these rows, ``d03`` being the third of March, from line 2 on."""
    days = [f"2026-03-{name[1:]}" if name[1:].isdecimal() else name for name in rows]
    return Sheet({"day": days, "value": [*rows.values()]}, range(2, len(rows) + 2))


def test_every_bad_cell_is_told() -> None:
    """Dates and numbers, each with its line; a missing value is none of them, a missing date is."""
    frame, complaints = read_sheet(sheet(d02="0.58", x="1", d04="N/A", d05="."), READING, SPEC)
    assert sorted(complaints) == [
        Complaint(3, "day", "x", "is no date in the format YYYY-MM-DD"),
        Complaint(4, "value", "N/A", "is no number"),
    ]
    assert frame["oas"].tolist()[:2] == [58.0, 100.0]


def test_a_row_of_nothing_may_be_a_mistake_or_none() -> None:
    """In a file of one's own an empty row is no row; in an answer it is damage."""
    blank = Sheet({"day": ["", ""], "value": ["", "1"]}, [2, 3])
    _, damage = read_sheet(blank, READING, SPEC)
    assert [one.place for one in damage] == [2, 3]
    _, filled = read_sheet(blank, Reading("day", READING.columns, READING.missing, blank_rows=True), SPEC)
    assert filled == [Complaint(3, "day", "", "is no date, but its row has values")]


def test_the_finding_of_days_to_come_is_the_one_on_the_list() -> None:
    """Name and severity are those of the rule, and the first five days are shown in order."""
    frame, _ = read_sheet(sheet(d02="1", d20="", **{f"d{day}": "1" for day in range(19, 12, -1)}), READING, SPEC)
    fetched = trim("hy", frame, MARCH, today=date(2026, 3, 12))
    (told,) = fetched.findings
    assert told.message == "hy: the source has 8 rows after 2026-03-12, today in New York; left out"
    assert told.severity == finding(told.rule, "").severity
    assert (told.count, [one["date"] for one in told.examples]) == (8, [f"2026-03-{day}" for day in range(13, 18)])
    assert (fetched.first, fetched.last, fetched.dropped) == (date(2026, 3, 2), date(2026, 3, 2), {"future": 8})


def test_without_a_day_every_date_is_believed() -> None:
    """A file is a file: what it says of tomorrow is another's business."""
    frame = pd.DataFrame({"oas": [1.0]}, pd.DatetimeIndex(["2099-01-01"], name="date").as_unit("us"))
    fetched = trim("hy", frame, MARCH)
    assert (fetched.last, fetched.dropped, fetched.findings) == (date(2099, 1, 1), {"outside_window": 1}, ())


def test_rows_next_to_the_window_are_known() -> None:
    """The nearest on either side that has a value, whatever the order; none where none came."""
    days = ["2026-04-02", "2026-02-27", "2026-04-01", "2026-02-28", "2026-03-10"]
    frame = pd.DataFrame({"oas": [1.0, 1.0, 1.0, None, 1.0]}, pd.DatetimeIndex(days, name="date").as_unit("us"))
    fetched = trim("hy", frame, MARCH)
    assert (fetched.before, fetched.after) == (date(2026, 2, 27), date(2026, 4, 1))
    alone = trim("hy", frame.iloc[4:], MARCH)
    assert (alone.before, alone.after) == (None, None)
