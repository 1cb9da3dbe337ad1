"""When rows are due, and what each day is called; expected days worked out on a paper calendar."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from macrocredit_assets.catalog import DatasetSpec, load_catalog
from macrocredit_assets.catalog.calendars import sessions
from macrocredit_assets.catalog.models import CalendarName, SpecialDays
from macrocredit_assets.catalog.publication import DAY_STATES, awaited, day_states, due, is_due, last_due
from macrocredit_assets.windows import Coverage, Window

CATALOG = load_catalog()
#: Thursday; Good Friday follows, which US bonds, equities and ICE all keep
MAUNDY_THURSDAY = date(2024, 3, 28)
NEW_YEAR = date(2027, 1, 1)


def lagging(lag: int, calendar: CalendarName = "us_bond", **special: dict[date, str]) -> DatasetSpec:
    """Return a dataset whose rows come so many sessions after their own."""
    changes = {"publication_lag": lag, "calendar": calendar, "special_days": SpecialDays(**special)}
    return CATALOG.datasets["ust_10y"].model_copy(update=changes)


def states(found: dict[date, str]) -> dict[str, list[str]]:
    """Return the days of each state."""
    days: dict[str, list[str]] = {}
    for day, state in found.items():
        days.setdefault(state, []).append(day.isoformat())
    return days


@pytest.mark.parametrize(
    ("lag", "calendar", "session", "expected"),
    [
        (0, "us_bond", "2024-03-28", "2024-03-28"),
        (1, "us_bond", "2024-03-28", "2024-04-01"),
        (2, "us_bond", "2024-03-28", "2024-04-02"),
        (1, "us_bond", "2024-03-27", "2024-03-28"),
        (1, "weekdays", "2024-03-28", "2024-03-29"),
        (1, "daily", "2024-03-29", "2024-03-30"),
        # the Saturday is a month end, on which ICE has prices
        (1, "ice_oas", "2023-09-29", "2023-09-30"),
        (2, "ice_oas", "2023-09-29", "2023-10-02"),
    ],
)
def test_a_row_is_due_so_many_sessions_later(lag: int, calendar: CalendarName, session: str, expected: str) -> None:
    """Closed days do not count: what follows Thursday before Easter by one session is Monday."""
    spec, day, by = lagging(lag, calendar), date.fromisoformat(session), date.fromisoformat(expected)

    assert due(spec, day) == by
    assert not is_due(spec, day, by)
    assert is_due(spec, day, by + timedelta(days=1))


def test_days_of_a_users_own_move_what_is_due() -> None:
    """A Monday that the user closed gives publishers until Tuesday."""
    closed = lagging(1, closed={date(2024, 4, 1): "mourning"})

    assert due(closed, MAUNDY_THURSDAY) == date(2024, 4, 2)
    assert last_due(closed, date(2024, 4, 2)) == date(2024, 3, 27)


@pytest.mark.parametrize(
    ("lag", "today", "expected"),
    [
        (0, "2024-03-28", "2024-03-27"),
        (0, "2024-03-29", "2024-03-28"),
        (0, "2024-04-01", "2024-03-28"),
        (1, "2024-04-01", "2024-03-27"),
        (1, "2024-04-02", "2024-03-28"),
        (3, "2024-04-02", "2024-03-26"),
    ],
)
def test_the_last_session_that_is_due(lag: int, today: str, expected: str) -> None:
    """On Monday after Easter the row of Thursday is still inside a lag of one session; on Tuesday it is due."""
    assert last_due(lagging(lag), date.fromisoformat(today)) == date.fromisoformat(expected)


@pytest.mark.parametrize("spec", [pytest.param(spec, id=name) for name, spec in CATALOG.datasets.items()])
def test_everything_up_to_the_last_due_session_is_due(spec: DatasetSpec) -> None:
    """Over a month with Easter, counting forward from a session and back from today agree on every day."""
    for today in Window.parse("2024-03-15", "2024-04-15"):
        last = last_due(spec, today)
        for stamp in sessions(spec.calendar, Window.parse("2024-03-01", "2024-04-20")):
            assert is_due(spec, stamp.date(), today) == (stamp.date() <= last)


@pytest.mark.parametrize("spec", [pytest.param(spec, id=name) for name, spec in CATALOG.datasets.items()])
def test_every_shipped_row_is_due_within_a_week(spec: DatasetSpec) -> None:
    """Whatever holidays come together at a year's end, nothing is waited for longer than seven days."""
    for stamp in sessions(spec.calendar, Window.parse("2019-12-01", "2026-12-31")):
        assert due(spec, stamp.date()) - stamp.date() <= timedelta(days=7)


def test_awaited_are_the_sessions_inside_their_lag_that_lack_a_row() -> None:
    """With a lag of two on Tuesday, Thursday and Monday are awaited; one that has come is not, nor is a closed day."""
    spec, week, today = lagging(2), Window.parse("2024-03-25", "2024-04-01"), date(2024, 4, 2)

    assert awaited(spec, week, set(), today) == (MAUNDY_THURSDAY, date(2024, 4, 1))
    assert awaited(spec, week, {MAUNDY_THURSDAY}, today) == (date(2024, 4, 1),)
    assert awaited(spec, week, set(), date(2024, 4, 9)) == ()
    assert awaited(spec, Window.parse("2024-03-29", "2024-03-31"), set(), today) == ()


def test_every_day_has_its_state() -> None:
    """One window with every state of a market dataset: rows, a source that starts late, gaps, Easter, lag, lateness."""
    covered = Coverage.of([Window.parse("2024-03-15", "2024-03-24"), Window.parse("2024-03-29", "2024-03-30")])
    observed = {date(2024, 3, 19), date(2024, 3, 22), date(2024, 3, 23), date(2024, 4, 2)}
    found = day_states(
        lagging(1),
        Window.parse("2024-03-15", "2024-04-04"),
        observed,
        covered,
        first=date(2024, 3, 19),
        today=date(2024, 4, 3),
    )

    assert [*found] == [*Window.parse("2024-03-15", "2024-04-04")]
    assert states(found) == {
        "source_unavailable": ["2024-03-15", "2024-03-18"],
        "closed": ["2024-03-16", "2024-03-17", "2024-03-24", "2024-03-29", "2024-03-30"],
        "present": ["2024-03-19", "2024-03-22", "2024-03-23", "2024-04-02"],
        "source_gap": ["2024-03-20", "2024-03-21"],
        # Monday's row is due on Tuesday and late on Wednesday
        "late": ["2024-03-25", "2024-03-26", "2024-03-27", "2024-03-28", "2024-04-01"],
        "not_covered": ["2024-03-31"],
        "not_yet_published": ["2024-04-03", "2024-04-04"],
    }
    assert {*states(found)} == {*DAY_STATES} - {"absent"}


def test_a_dataset_without_rows_has_a_source_without_any() -> None:
    """Covered sessions are no gaps where nothing was ever there."""
    week = Window.parse("2024-03-25", "2024-03-31")
    found = day_states(lagging(1), week, set(), Coverage((week,)), first=None, today=NEW_YEAR)

    assert [*states(found)] == ["source_unavailable", "closed"]


def test_a_signal_has_no_publication() -> None:
    """A covered session without a row is absent, whatever the reason; nothing of a signal is late."""
    spec = CATALOG.signals["cash_cds_basis_ig"]
    found = day_states(
        spec,
        Window.parse("2024-03-27", "2024-04-02"),
        {date(2024, 3, 27)},
        Coverage((Window.parse("2024-03-27", "2024-03-30"),)),
        first=date(2024, 3, 27),
        today=NEW_YEAR,
    )

    assert states(found) == {
        "present": ["2024-03-27"],
        "absent": ["2024-03-28"],
        "closed": ["2024-03-29", "2024-03-30"],
        "not_covered": ["2024-03-31", "2024-04-01", "2024-04-02"],
    }


@pytest.mark.parametrize(
    ("name", "file", "first", "gaps"),
    [
        ("vix", "vix_daily_cboe.csv", "1990-01-02", ["1991-03-01", "1997-01-31", "1997-11-26", "1999-12-31"]),
        ("us_hy_oas", "fred_BAMLH0A0HYM2.csv", "1996-12-31", ["2013-08-30", "2013-08-31", "2015-01-16"]),
        ("ust_10y", "fred_DGS10.csv", "1990-01-02", []),
    ],
)
def test_states_of_real_files(real_data: Path, name: str, file: str, first: str, gaps: list[str]) -> None:
    """Over thirty years, what a file lacks is closed, before its time, or one of the few gaps that are known."""
    frame = pd.read_csv(real_data / file)
    values = pd.to_numeric(frame.iloc[:, -1], errors="coerce")
    stamps = pd.to_datetime(frame.iloc[:, 0][values.notna()])
    observed = {stamp.date() for stamp in stamps if stamp.year >= 1990}
    window = Window(date(1990, 1, 1), max(observed))
    spec = CATALOG.datasets[name]
    found = states(
        day_states(spec, window, observed, Coverage((window,)), first=date.fromisoformat(first), today=NEW_YEAR)
    )

    assert len(found.pop("present")) == len(observed)
    assert found.pop("source_gap", []) == gaps
    assert all(day < first for day in found.pop("source_unavailable", []))
    assert [*found] == ["closed"]
