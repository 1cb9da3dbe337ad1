"""Which days are answered: where ways end and begin, long holes, histories that were cut off or came back."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from macrocredit_assets.catalog.models import Column, DatasetSpec, FileColumn, FileWay
from macrocredit_assets.findings import Finding
from macrocredit_assets.ingest.answering import answering
from macrocredit_assets.ingest.beside import Beside
from macrocredit_assets.ingest.holes import ARCHIVE_GAPS, SOURCE_GAPS, Answer, GapRule
from macrocredit_assets.windows import Coverage, Window

TODAY = date(2026, 11, 23)
SPEC = DatasetSpec(
    name="toy",
    title="Toy",
    instrument="TOY",
    group="toys",
    owner="team:toys",
    description="A toy.",
    columns={"spread": Column(unit="bp", decimals=2)},
    main="spread",
    calendar="weekdays",
    publication_lag=1,
    ways=(FileWay(series="toy:x", path="x.csv", columns={"spread": FileColumn(column="spread")}),),
)


def day(text: str | None) -> date | None:
    """Read an ISO date."""
    return date.fromisoformat(text) if text else None


def way(label: str, first: str, last: str, before: str | None = None, after: str | None = None) -> Answer:
    """Return what a way has."""
    return Answer(label, day(first), day(last), day(before), day(after))


def weekdays(*stretches: str) -> pd.DatetimeIndex:
    """Return the weekdays of stretches written ``first..last``."""
    return pd.DatetimeIndex([each for stretch in stretches for each in pd.bdate_range(*stretch.split(".."))])


def covered(*stretches: str) -> Coverage:
    """Return the dates of stretches written ``first..last``."""
    return Coverage.of(Window.parse(*stretch.split("..")) for stretch in stretches)


def stored(first: str | None, *stretches: str, rows: pd.DatetimeIndex | None = None) -> Beside:
    """Return what is stored: its first row, what is covered, and the rows around the window."""
    index = pd.DatetimeIndex([], dtype="datetime64[us]") if rows is None else rows
    return Beside(pd.DataFrame({"spread": 50.0}, index), day(first), covered(*stretches))


def ask(
    window: str,
    answers: list[Answer],
    rows: pd.DatetimeIndex,
    held: Beside | None = None,
    today: date = TODAY,
    gaps: GapRule = SOURCE_GAPS,
) -> tuple[str, list[Finding]]:
    """Return what of a window is answered, and the findings."""
    asked = Window.parse(*window.split(".."))
    inside = rows[(rows >= pd.Timestamp(asked.start)) & (rows <= pd.Timestamp(asked.end))]
    answered, found = answering(SPEC, asked, answers, inside, today, stored=held, gaps=gaps)
    return str(answered), list(found)


# between the ways

ARCHIVE, LIVE = way("file:old.csv", "1996-12-31", "2020-10-05"), way("fred:X", "2022-01-03", "2026-11-20")
BOTH = weekdays("1996-12-31..2020-10-05", "2022-01-03..2026-11-20")


def test_days_between_two_ways_stay_open() -> None:
    """An archive that ends before the publisher begins: nobody has the days between, and the finding names both."""
    answered, (found,) = ask("2020-01-01..2024-12-31", [LIVE, ARCHIVE], BOTH)
    assert answered == "2020-01-01..2020-10-05, 2022-01-03..2024-12-31"
    # by hand: 19 + 21 + 23 sessions of 2020 from 6 October on, and 261 of 2021
    assert (found.rule, found.severity, found.count) == ("between_ways", "warning", 324)
    assert found.message == (
        "toy: file:old.csv ends on 2020-10-05 and fred:X begins on 2022-01-03, with no way in between; "
        "2020-10-06..2022-01-02 stays open"
    )


@pytest.mark.parametrize("window", ["2021-03-01..2021-03-31", "2021-06-07..2021-06-07"])
def test_window_between_two_ways_stays_open(window: str) -> None:
    """A part of the stretch alone is no more answered than the whole of it."""
    answered, (found,) = ask(window, [LIVE, ARCHIVE], BOTH)
    assert (answered, found.rule) == ("nothing", "between_ways")


def test_what_was_covered_between_two_ways_is_not_said_to_be_open() -> None:
    """Coverage is never taken away: only what it lacks stays open."""
    held = stored("1996-12-31", "1996-12-31..2021-06-30")
    _, (found,) = ask("2020-01-01..2024-12-31", [LIVE, ARCHIVE], BOTH, held)
    assert found.message.endswith("; 2021-07-01..2022-01-02 stays open")
    _, (found,) = ask("2020-01-01..2021-06-30", [LIVE, ARCHIVE], BOTH, held)
    assert found.message.endswith("; 2020-10-06..2021-06-30 was covered before, and stays so")


def test_ways_that_meet_over_a_weekend_leave_nothing() -> None:
    """One ends on a Friday and the other begins on Monday: between them is no session."""
    ways = [way("a", "2024-01-02", "2024-01-12"), way("b", "2024-01-15", "2024-01-31")]
    assert ask("2024-01-01..2024-01-31", ways, weekdays("2024-01-02..2024-01-31"))[0] == "2024-01-01..2024-01-31"


def test_one_session_between_two_ways_is_open() -> None:
    """Nobody was asked for it who would know."""
    ways = [way("a", "2024-01-01", "2024-01-12"), way("b", "2024-01-16", "2024-01-31")]
    rows = weekdays("2024-01-01..2024-01-12", "2024-01-16..2024-01-31")
    answered, (found,) = ask("2024-01-01..2024-01-31", ways, rows)
    assert (answered, found.count) == ("2024-01-01..2024-01-12, 2024-01-16..2024-01-31", 1)


# cut off


def test_days_that_can_no_longer_be_asked_for_are_not_answered() -> None:
    """A source that was cut to two years after half a year was stored: what was never stored is open, not covered."""
    held = stored("2024-01-02", "2024-01-01..2024-06-30", rows=weekdays("2024-01-02..2024-06-28"))
    answered, (found,) = ask(
        "2024-01-01..2026-11-20", [way("fred:X", "2025-11-24", "2026-11-20")], weekdays("2025-11-24..2026-11-20"), held
    )
    assert answered == "2025-11-24..2026-11-20"
    assert (found.rule, found.severity, found.count) == ("truncated", "warning", 129)
    assert found.message == (
        "toy: the source begins on 2025-11-24; 129 stored rows before it are kept; 2024-07-01..2025-11-23 stays open"
    )


def test_rows_far_away_tell_that_a_history_was_cut_off() -> None:
    """The window holds no row, nor its neighbourhood: the dataset's first row is enough."""
    held = stored("1999-01-04", "1999-01-01..2000-12-31")
    answered, (found,) = ask("2024-01-01..2024-03-31", [way("x", "2025-11-24", "2026-11-20")], weekdays(), held)
    # by hand: 23 + 21 + 21 weekdays
    assert (answered, found.rule, found.count) == ("nothing", "truncated", 65)
    assert "rows are stored from 1999-01-04 on; 2024-01-01..2024-03-31 stays open" in found.message


def test_source_that_begins_with_the_dataset_begins() -> None:
    """Where nothing older is stored, there is nothing before the first row."""
    held = stored("2024-01-08", "2024-01-08..2024-01-31")
    answered, (found,) = ask(
        "2024-01-01..2024-01-31", [way("x", "2024-01-08", "2026-11-20")], weekdays("2024-01-08..2024-01-31"), held
    )
    assert (answered, found.rule, found.count) == ("2024-01-01..2024-01-31", "source_begins", 5)


# holes

HOLED = way("fred:X", "2015-01-01", "2026-11-20")


@pytest.mark.parametrize(
    ("back", "answered", "count"),
    [
        ("2024-02-13", "2024-01-01..2024-12-31", 0),
        ("2024-02-14", "2024-01-01..2024-01-01, 2024-02-14..2024-12-31", 31),
    ],
)
def test_long_hole_inside_an_answer_stays_open(back: str, answered: str, count: int) -> None:
    """Thirty sessions without a row are the source's word; of thirty-one nobody believes it."""
    rows = weekdays("2024-01-01..2024-01-01", f"{back}..2024-12-31")
    said, found = ask("2024-01-01..2024-12-31", [HOLED], rows)
    assert said == answered
    assert [(one.rule, one.severity, one.count) for one in found] == [("source_gaps", "warning", count)] * bool(count)


def test_long_hole_shows_in_a_window_inside_it() -> None:
    """By the rows on both sides: a month of a hole of fifteen is as open as all of it."""
    hole = way("fred:X", "2015-01-01", "2026-11-20", "2024-02-29", "2025-06-02")
    answered, (found,) = ask("2024-05-01..2024-05-31", [hole], weekdays())
    assert (answered, found.rule, found.count) == ("nothing", "source_gaps", 23)
    assert found.examples == ({"start": "2024-05-01", "end": "2024-05-31"},)
    assert found.message == (
        "toy: the source has no row on 23 sessions, in 1 stretch of more than 30 in a row; "
        "2024-05-01..2024-05-31 stays open"
    )


def test_short_gap_shows_in_a_window_inside_it_as_well() -> None:
    """Two weeks of a gap between rows that came are answered."""
    gap = way("fred:X", "2015-01-01", "2026-11-20", "2024-05-03", "2024-05-20")
    assert ask("2024-05-06..2024-05-17", [gap], weekdays()) == ("2024-05-06..2024-05-17", [])


def test_another_way_fills_a_hole() -> None:
    """What one lacks for long the other has: nothing is open."""
    rows = weekdays("2015-01-01..2026-11-20")
    assert ask("2024-01-01..2024-12-31", [HOLED, way("b", "2024-01-01", "2024-12-31")], rows)[1] == []


def test_source_that_does_not_know_its_neighbours_is_believed_at_the_edges() -> None:
    """Nothing is said of how long a hole is outside the window: it begins and ends there."""
    rows = weekdays("2024-01-15..2024-01-19")
    assert ask("2024-01-01..2024-01-31", [HOLED], rows) == ("2024-01-01..2024-01-31", [])


def test_archive_is_believed_for_shorter() -> None:
    """Eleven sessions are a hole of a file of one's own, and none of a publisher's."""
    rows = weekdays("2024-01-01..2024-01-01", "2024-01-17..2024-01-31")
    assert ask("2024-01-01..2024-01-31", [HOLED], rows)[1] == []
    answered, (found,) = ask("2024-01-01..2024-01-31", [HOLED], rows, gaps=ARCHIVE_GAPS)
    assert (answered, found.rule, found.count) == ("2024-01-01..2024-01-01, 2024-01-17..2024-01-31", "archive_gaps", 11)


# a history that came back


def test_history_behind_covered_days_is_told() -> None:
    """A file of one row covered all before it; the next one reaches back, and says how to have its rows."""
    held = stored("2026-11-16", "2024-01-01..2026-11-16", rows=weekdays("2026-11-16..2026-11-16"))
    whole = way("cboe:X", "1990-01-02", "2026-11-20", "2026-11-11")
    _, (found,) = ask("2026-11-12..2026-11-20", [whole], weekdays("2026-11-12..2026-11-20"), held)
    # by hand: 262 + 261 weekdays of 2024 and 2025, 225 until 11 November 2026
    assert (found.rule, found.severity, found.count) == ("earlier_history", "warning", 748)
    assert found.message == (
        "toy: the source now goes back to 1990-01-02, while 748 sessions of 2024-01-01..2026-11-11 are covered without "
        "a row, from when it had none; ask for it again: macrocredit backfill toy --start 2024-01-01 --end 2026-11-11"
    )


def test_backfill_of_a_history_that_came_back_says_nothing() -> None:
    """The window has it all."""
    held = stored("2026-11-16", "2024-01-01..2026-11-16")
    whole = way("cboe:X", "1990-01-02", "2026-11-20", "2023-12-29")
    assert ask("2024-01-01..2026-11-20", [whole], weekdays("2024-01-01..2026-11-20"), held)[1] == []


@pytest.mark.parametrize(
    ("first", "told"),
    [
        # the first row the source shows lies in the gap itself
        ("2024-01-02", ["earlier_history"]),
        # a gap of some days where coverage begins is a gap of the source
        ("1990-01-02", []),
    ],
)
def test_short_gap_where_coverage_begins(first: str, told: list[str]) -> None:
    """It is told only where the source has shown a row of it."""
    held = stored("2024-01-04", "2024-01-01..2024-03-29")
    answer = way("x", first, "2026-11-20", "2024-03-29")
    _, found = ask("2024-04-01..2024-04-12", [answer], weekdays("2024-04-01..2024-04-12"), held)
    assert [one.rule for one in found] == told


def test_dataset_that_begins_with_its_coverage_says_nothing() -> None:
    """Who asked for the years from 2024 on is not told that there are older ones."""
    held = stored("2024-01-01", "2024-01-01..2024-03-31")
    answer = way("x", "1990-01-02", "2026-11-20", "2024-03-29")
    assert ask("2024-04-01..2024-04-12", [answer], weekdays("2024-04-01..2024-04-12"), held)[1] == []


# what the source has not come to


def test_what_was_covered_behind_the_end_is_not_said_to_be_open() -> None:
    """A source that fell back: its days were covered, and are; the rows are kept, and counted."""
    held = stored("2026-01-01", "2026-01-01..2026-11-22", rows=weekdays("2026-10-01..2026-11-20"))
    fell = way("x", "2026-01-01", "2026-11-12", "2026-10-30")
    answered, (found,) = ask("2026-11-02..2026-11-22", [fell], weekdays("2026-11-02..2026-11-12"), held)
    assert answered == "2026-11-02..2026-11-12"
    assert found.message == (
        "toy: the source goes until 2026-11-12; 6 stored rows after it are kept; 2026-11-13..2026-11-22 was covered "
        "before, and stays so"
    )


def test_source_that_fell_back_inside_the_lag_is_told() -> None:
    """It had Friday's row, which is stored; that it has it no more is a warning, however early it is."""
    held = stored("2026-11-16", "2026-11-16..2026-11-20", rows=weekdays("2026-11-16..2026-11-20"))
    fell = way("x", "2026-11-16", "2026-11-19")
    _, (found,) = ask("2026-11-16..2026-11-20", [fell], weekdays("2026-11-16..2026-11-19"), held, date(2026, 11, 21))
    assert (found.rule, found.severity) == ("stale_source", "warning")
    assert "goes until 2026-11-19; 1 stored row after it is kept; 2026-11-20..2026-11-20 was" in found.message


def test_stored_row_that_is_gone_inside_its_lag_is_not_waited_for() -> None:
    """It was published already: the day is answered, so that the row counts as vanished."""
    rows = weekdays("2026-11-16..2026-11-18", "2026-11-20..2026-11-20")
    held = stored("2026-11-16", "2026-11-16..2026-11-19", rows=weekdays("2026-11-16..2026-11-19"))
    answer = way("x", "2026-11-16", "2026-11-20")
    friday = date(2026, 11, 20)
    assert ask("2026-11-16..2026-11-20", [answer], rows, held, friday) == ("2026-11-16..2026-11-20", [])
    assert ask("2026-11-16..2026-11-20", [answer], rows, today=friday)[1][0].rule == "not_yet_published"
