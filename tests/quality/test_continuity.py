"""Rules about dates and repetitions: a hit, a near miss, and the legitimate case that must not be called one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import pandas as pd
import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.catalog.models import Column, DatasetSpec, SpecialDays
from macrocredit_assets.findings import Finding
from macrocredit_assets.quality import examine, judge
from macrocredit_assets.windows import Coverage, Window

Toy = Callable[..., DatasetSpec]

PRICE = Column(unit="USD", decimals=2)
PRICES = {"close": PRICE, "open": PRICE, "high": PRICE, "low": PRICE}
ALWAYS = Coverage((Window(date(1980, 1, 1), date(2030, 1, 1)),))


def rows(values: Mapping[str, float | None]) -> pd.DataFrame:
    """Return spreads on dates, in their order."""
    return pd.DataFrame({"spread": [*values.values()]}, pd.DatetimeIndex([*values], name="date"), dtype=float)


def weekdays(start: str, *values: float) -> pd.DataFrame:
    """Return spreads on consecutive weekdays."""
    return rows(dict(zip(pd.bdate_range(start, periods=len(values)).strftime("%Y-%m-%d"), values, strict=True)))


def found(
    spec: DatasetSpec,
    frame: pd.DataFrame,
    start: str = "1980-01-01",
    end: str = "2029-12-31",
    held: Coverage | None = None,
) -> dict[str, Finding]:
    """Examine the continuity of stored rows, by default covered from first to last; return its findings by rule."""
    window = Window.parse(start, end)
    if held is None:
        held = Coverage((Window(frame.index[0].date(), frame.index[-1].date()),))
    every = examine(spec, window, frame, coverage=held, today=date(2030, 1, 2), checks=["continuity"])
    return {one.rule: one for one in every["continuity"]}


# closed_day


def test_rows_on_closed_days_are_counted_and_shown(toy: Toy) -> None:
    """Saturday and Sunday stand out among weekdays; a day that stands twice is one day, and nothing to worry about."""
    days = ["2020-03-06", "2020-03-07", "2020-03-09", "2020-03-08", "2020-03-08"]
    frame = pd.DataFrame({"spread": [300.0, 301.0, 302.0, 303.0, 303.0]}, pd.DatetimeIndex(days, name="date"))
    (hit,) = judge(toy(), frame)
    assert (hit.rule, hit.severity, hit.count) == ("closed_day", "info", 2)
    assert hit.message == "rows stand on days that are closed in the calendar weekdays; they are stored as published"
    assert hit.examples[0] == {"date": "2020-03-07", "spread": 301.0}


def test_days_of_a_users_own_are_closed_and_open(toy: Toy) -> None:
    """The Saturday that a user opened is no finding, the Friday that he closed is one."""
    own = SpecialDays(open={date(2020, 3, 7): "trading"}, closed={date(2020, 3, 6): "mourning"})
    (hit,) = judge(toy(special_days=own), rows({"2020-03-06": 300, "2020-03-07": 301}))
    assert (hit.rule, hit.count, hit.examples) == ("closed_day", 1, ({"date": "2020-03-06", "spread": 300.0},))


def test_calendars_say_nothing_of_the_years_before_1990(toy: Toy) -> None:
    """Exchanges traded on Saturdays once; an archive of those years is not full of findings."""
    assert judge(toy(), rows({"1950-03-04": 300, "1989-12-31": 300})) == ()


def test_a_signal_has_what_its_inputs_have() -> None:
    """A signal's row on a closed day repeats what was said of its input."""
    frame = rows({"2020-03-07": 10}).rename(columns={"spread": "basis"})
    assert judge(load_catalog().entry("cash_cds_basis_ig"), frame) == ()


# forward_filled_holiday


def test_a_closed_day_that_repeats_the_row_before_was_filled(toy: Toy) -> None:
    """A Saturday with Friday's value is a hit; one with a value of its own, and a Monday with Friday's, are none."""
    frame = rows({"2020-03-06": 300, "2020-03-07": 300, "2020-03-13": 310, "2020-03-14": 311, "2020-03-16": 311})
    hit = found(toy(), frame)["forward_filled_holiday"]
    assert (hit.severity, hit.count, hit.examples) == ("warning", 1, ({"date": "2020-03-07", "spread": 300.0},))


def test_filled_holidays_in_a_row_all_are_hits(toy: Toy) -> None:
    """The second repeats the first."""
    frame = rows({"2020-03-06": 300, "2020-03-07": 300, "2020-03-08": 300})
    assert found(toy(), frame)["forward_filled_holiday"].count == 2


@pytest.mark.parametrize(
    ("saturday", "hit"),
    [
        pytest.param((11.0, 10.0, 12.0, 9.0), True, id="the whole row again"),
        pytest.param((11.0, 11.0, 11.0, 11.0), True, id="the close in every column"),
        pytest.param((11.0, None, None, None), True, id="the close alone"),
        pytest.param((11.0, 10.0, 12.5, 9.0), False, id="a high of its own"),
        pytest.param((None, 10.0, 12.0, 9.0), False, id="no close"),
        pytest.param((11.5, 10.0, 12.0, 9.0), False, id="a close of its own"),
    ],
)
def test_every_column_must_repeat(toy: Toy, saturday: tuple[float | None, ...], hit: bool) -> None:
    """A row with one number of its own was observed; an index without a range has its close in all columns."""
    frame = pd.DataFrame([(11.0, 10.0, 12.0, 9.0), saturday], columns=[*PRICES], dtype=float)
    frame.index = pd.DatetimeIndex(["2020-03-06", "2020-03-07"])
    assert ("forward_filled_holiday" in found(toy(PRICES), frame)) == hit


def test_a_filled_day_is_seen_beside_the_stored_row(toy: Toy) -> None:
    """Before a write, the row before the window is the stored one."""
    assert "forward_filled_holiday" in {
        one.rule for one in judge(toy(), rows({"2020-03-07": 300}), rows({"2020-03-06": 300}))
    }


# stale_print


@pytest.mark.parametrize(("repeats", "count"), [(2, 0), (3, 0), (4, 1), (5, 2)])
def test_stale_print(toy: Toy, repeats: int, count: int) -> None:
    """With 3 sessions allowed, the fourth repetition is the first hit."""
    frame = weekdays("2020-03-02", 299, *[300] * (repeats + 1), 301)
    hit = found(toy(checks={"stale": 3}), frame).get("stale_print")
    assert (hit.count if hit else 0) == count
    if hit:
        assert hit.examples[0] == {"date": "2020-03-09", "spread": 300.0}
        assert hit.message == "spread has not changed for more than 3 sessions"


def test_quiet_series_are_not_judged_unasked(toy: Toy) -> None:
    """Nobody said how long this one may stand still."""
    assert found(toy(), weekdays("2020-03-02", *[300] * 50)) == {}


def test_closed_days_do_not_make_a_print_stale(toy: Toy) -> None:
    """A weekend that was filled forward is no session on which nothing changed."""
    frame = rows({"2020-03-06": 300, "2020-03-07": 300, "2020-03-08": 300, "2020-03-09": 300, "2020-03-10": 301})
    assert "stale_print" not in found(toy(checks={"stale": 1}), frame)


def test_only_stale_rows_of_the_window_are_told(toy: Toy) -> None:
    """The rows before it are counted along, and not told again."""
    frame = weekdays("2020-03-02", *[300] * 10)
    spec = toy(checks={"stale": 3})
    assert found(spec, frame, "2020-03-13", "2020-03-13")["stale_print"].count == 1
    assert found(spec, frame, "2020-03-02", "2020-03-05") == {}
    (hit,) = judge(spec, frame.iloc[-1:], frame.iloc[:-1])
    assert (hit.rule, hit.count) == ("stale_print", 1)


# repeated_close


def bars(*closes: float, flat: int = 0) -> pd.DataFrame:
    """Return prices on consecutive weekdays that open at the close before; the first so many have no range."""
    close = pd.Series(closes)
    opened = close.shift().fillna(closes[0])
    high, low = pd.concat([close, opened], axis=1).max(axis=1) + 1, pd.concat([close, opened], axis=1).min(axis=1)
    frame = pd.DataFrame({"close": close, "open": opened, "high": high, "low": low})
    for name in frame:
        frame.loc[: flat - 1, name] = close[:flat]
    return frame.set_index(pd.bdate_range("2020-03-02", periods=len(frame), name="date"))


def test_a_close_that_was_not_renewed(toy: Toy) -> None:
    """After rows with a range, a row that is the close before in all columns is a print that nobody renewed."""
    frame = bars(*range(100, 130), 129, 131)
    assert found(toy(PRICES), frame) == {}
    frame.iloc[30] = 129.0
    hit = found(toy(PRICES), frame)["repeated_close"]
    assert (hit.severity, hit.count) == ("warning", 1)
    assert hit.examples == ({"date": "2020-04-13", "open": 129.0, "high": 129.0, "low": 129.0, "close": 129.0},)


def test_where_rows_have_no_range_a_repeated_close_tells_nothing(toy: Toy) -> None:
    """A series that prints one number a day may print it twice; so may one of which a quarter of the rows does."""
    frame = bars(*range(100, 120), 119, flat=20)
    frame.iloc[20] = 119.0
    assert found(toy(PRICES), frame) == {}
    frame = bars(*range(100, 120), 119, flat=5)
    frame.iloc[20] = 119.0
    assert found(toy(PRICES), frame) == {}
    frame = bars(*range(100, 120), 119, flat=4)
    frame.iloc[20] = 119.0
    assert set(found(toy(PRICES), frame)) == {"repeated_close"}


def test_a_filled_holiday_is_no_print_at_all(toy: Toy) -> None:
    """Monday's repeated close is one; the same on a closed day is a holiday that was filled, and told as that."""
    frame = bars(*range(100, 130), 129)
    frame.iloc[30] = 129.0
    closed = SpecialDays(closed={frame.index[30].date(): "a holiday"})
    assert set(found(toy(PRICES), frame)) == {"repeated_close"}
    assert set(found(toy(PRICES, special_days=closed), frame)) == {"forward_filled_holiday", "closed_day"}


def test_a_flat_row_at_a_new_level_was_printed(toy: Toy) -> None:
    """One number in all columns that is not the close before is news."""
    frame = bars(*range(100, 130), 129)
    frame.iloc[30] = 128.0
    assert found(toy(PRICES), frame) == {}


# gap


def hole(first: str, last: str) -> pd.DataFrame:
    """Return rows on the weekdays of January and February 2020 but those of a range."""
    frame = weekdays("2020-01-01", *range(100, 143))
    return frame[(frame.index < first) | (frame.index > last)]


@pytest.mark.parametrize(
    ("last", "count"), [pytest.param("2020-01-21", 0, id="two"), pytest.param("2020-01-22", 3, id="three")]
)
def test_gap(toy: Toy, last: str, count: int) -> None:
    """Two sessions in a row may lack a row, three are a gap; the weekend in it does not count."""
    hit = found(toy(), hole("2020-01-20", last)).get("gap")
    assert (hit.count if hit else 0) == count
    hit = found(toy(), hole("2020-01-16", "2020-01-20"))["gap"]
    assert hit.examples == ({"start": "2020-01-16", "end": "2020-01-20", "sessions": 3},)
    assert hit.message == "3 covered sessions have no spread, in stretches of more than 2 in a row"


def test_what_was_not_asked_for_is_no_gap(toy: Toy) -> None:
    """Days that are not covered are holes, and the business of a backfill."""
    frame, held = hole("2020-01-13", "2020-01-24"), Coverage((Window.parse("2020-01-01", "2020-01-14"),))
    assert found(toy(), frame, held=held) == {}
    held = Coverage((Window.parse("2020-01-01", "2020-01-15"),))
    assert found(toy(), frame, held=held)["gap"].count == 3


def test_a_gap_is_told_by_the_days_of_the_window(toy: Toy) -> None:
    """On its third day it is seen, as one day, with where it began."""
    frame, held = hole("2020-01-20", "2020-02-28"), Coverage((Window.parse("2020-01-01", "2020-01-22"),))
    early = Coverage((Window.parse("2020-01-01", "2020-01-21"),))
    assert found(toy(), frame, "2020-01-17", "2020-01-21", early) == {}
    hit = found(toy(), frame, "2020-01-22", "2020-01-22", held)["gap"]
    assert (hit.count, hit.examples) == (1, ({"start": "2020-01-20", "end": "2020-01-22", "sessions": 3},))
    assert hit.message == "1 covered session has no spread, in stretches of more than 2 in a row"


def test_nothing_is_missing_before_the_first_row(toy: Toy) -> None:
    """Years in which the source had nothing are covered, and no gap."""
    assert found(toy(), weekdays("2020-03-02", 1, 2, 3), "2020-01-01", "2020-03-04", ALWAYS) == {}


def test_holes_before_1990_are_no_gaps(toy: Toy) -> None:
    """Calendars are a guess before: an archive of month ends of those years is not full of findings."""
    frame = rows({"1989-11-30": 1, "1989-12-29": 2, "1990-01-02": 3})
    assert found(toy(), frame, "1989-11-01", "1990-01-02") == {}
    assert found(toy(), rows({"1989-12-29": 2, "1990-01-08": 3}), "1989-11-01", "1990-01-08")["gap"].count == 5


def test_gaps_are_judged_as_the_entry_says(toy: Toy) -> None:
    """None is allowed with 0, all are with null; a write says nothing of what it does not know yet."""
    frame = hole("2020-01-20", "2020-01-20")
    window = ("2020-01-01", "2020-02-20")
    assert found(toy(checks={"gap": 0}), frame, *window)["gap"].count == 1
    assert found(toy(checks={"gap": None}), hole("2020-01-10", "2020-01-31"), *window) == {}
    assert judge(toy(), hole("2020-01-10", "2020-01-31")) == ()


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        pytest.param("2019-01-01", "2020-12-31", 310, id="all of it"),
        pytest.param("2019-06-01", "2019-07-05", 18, id="its beginning"),
        pytest.param("2019-12-02", "2019-12-11", 8, id="ten days in the middle"),
        pytest.param("2020-01-06", "2020-01-06", 1, id="one day in the middle"),
        pytest.param("2020-08-17", "2020-09-04", 2, id="its end"),
    ],
)
def test_a_gap_is_as_long_from_any_window(toy: Toy, start: str, end: str, count: int) -> None:
    """More than a year without a row is told whole wherever one looks; of the rows, only those nearby are at hand."""
    dates = pd.bdate_range("2019-01-01", "2020-12-31")
    dates = dates[(dates < "2019-06-12") | (dates > "2020-08-18")]
    frame = pd.DataFrame({"spread": 300.0}, dates).loc[start:end]
    window, held = Window.parse(start, end), Coverage((Window.parse("2019-01-01", "2020-12-31"),))
    every = examine(toy(), window, frame, coverage=held, today=date(2030, 1, 2), dates=dates, checks=["continuity"])
    (hit,) = every["continuity"]
    assert hit.examples == ({"start": "2019-06-12", "end": "2020-08-18", "sessions": 310},)
    assert (hit.rule, hit.count, len(hit.dates)) == ("gap", count, count)


def test_a_gap_that_has_not_ended_goes_as_far_as_what_is_covered(toy: Toy) -> None:
    """After the last row, sessions count until nothing is known."""
    frame, held = weekdays("2020-01-01", 1, 2, 3), Coverage((Window.parse("2020-01-01", "2020-01-31"),))
    assert found(toy(), frame, "2020-01-13", "2020-01-14", held)["gap"].examples[0]["end"] == "2020-01-31"


def test_a_row_without_its_main_value_is_missing(toy: Toy) -> None:
    """Ten rows in which only the close is blank are ten rows without a close, and a gap of ten sessions."""
    frame = bars(*range(100, 140))
    frame.iloc[20:30, 0] = None
    hits = found(toy(PRICES), frame)
    assert {rule: one.count for rule, one in hits.items()} == {"missing_value": 10, "gap": 10}
    assert hits["missing_value"].message == "rows have no close"
    assert hits["missing_value"].dates == hits["gap"].dates == tuple(frame.index[20:30].date)


def test_a_missing_value_is_told_before_the_write(toy: Toy) -> None:
    """It is stored as it came, with a warning."""
    (hit,) = judge(toy(), rows({"2020-03-02": 300, "2020-03-03": None}))
    assert (hit.rule, hit.severity, hit.count) == ("missing_value", "warning", 1)


@pytest.mark.parametrize(("lacking", "hit"), [(0, True), (4, True), (5, False), (20, False)])
def test_a_cell_is_missing_where_the_rows_before_have_it(toy: Toy, lacking: int, hit: bool) -> None:
    """An open that is there on most days is missing on the one without; one that often is not tells nothing."""
    frame = bars(*range(100, 121))
    frame.iloc[:lacking, 1] = None
    frame.iloc[20, 1] = None
    said = {one.message for one in found(toy(PRICES), frame).values()}
    assert said == ({"rows have no open, which nearly all rows before them have"} if hit else set())


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        pytest.param(
            "2019-12-02",
            "2019-12-06",
            "no covered session of 2019-12-02..2019-12-06 has a spread; the first is of 2020-01-01",
            id="before the first",
        ),
        pytest.param(
            "2020-01-20", "2020-01-20", "no covered session of 2020-01-20..2020-01-20 has a spread", id="one session"
        ),
        pytest.param("2020-01-18", "2020-01-19", None, id="a weekend"),
        pytest.param("2019-05-06", "2019-05-10", None, id="not covered"),
        pytest.param("2020-01-20", "2020-01-21", None, id="one of two"),
    ],
)
def test_a_window_without_any_value_is_told(toy: Toy, start: str, end: str, message: str | None) -> None:
    """However short it is: where all that was covered has nothing, nothing was looked at."""
    held = Coverage((Window.parse("2019-06-03", "2020-02-28"),))
    hit = found(toy(), hole("2020-01-20", "2020-01-20"), start, end, held).get("gap")
    assert (hit.message if hit else None) == message


def test_nothing_at_all_is_told(toy: Toy) -> None:
    """What was asked for and has no row anywhere is a gap; unless the entry does not ask for rows."""
    hit = found(toy(), rows({}), "2020-01-01", "2020-03-04", ALWAYS)["gap"]
    assert (hit.count, hit.message) == (46, "no covered session of 2020-01-01..2020-03-04 has a spread")
    assert found(toy(checks={"gap": None}), rows({}), "2020-01-01", "2020-03-04", ALWAYS) == {}


def test_a_row_of_prices_that_comes_again(toy: Toy) -> None:
    """Four numbers that are those of the row before, range included, were not observed; three may be."""
    frame = bars(*range(100, 106))
    frame.iloc[5] = frame.iloc[4]
    hit = found(toy(PRICES), frame)["repeated_close"]
    assert (hit.count, hit.message) == (1, "open, high, low and close all are those of the row before")
    assert hit.dates == (date(2020, 3, 9),)
    frame.iloc[5, 2] += 0.01
    assert found(toy(PRICES), frame) == {}


def test_the_gaps_of_a_signal_are_those_of_its_inputs() -> None:
    """They are told once, where they are."""
    frame = hole("2020-01-21", "2020-01-31").rename(columns={"spread": "basis"})
    signal = load_catalog().signals["cash_cds_basis_ig"]
    every = examine(signal, Window.parse("2020-01-02", "2020-02-14"), frame, coverage=ALWAYS, today=date(2030, 1, 1))
    assert every["continuity"] == ()
