"""How datasets stand on a given day: late by calendar and lag, missing, stale, never ingested.

In January 2024 the 1st is a Monday. ``left`` is published one session later, ``right`` two.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from macrocredit_assets.catalog import arrow_schema
from macrocredit_assets.persistence import DataRegistry, DatasetStore, ErrorInfo, RunHeader, RunLog
from macrocredit_assets.status import DatasetStatus, statuses
from macrocredit_assets.windows import Window

if TYPE_CHECKING:
    from conftest import Desk


def _status(desk: Desk, name: str, today: str) -> DatasetStatus:
    (status,) = statuses(desk.holdings, [name], today=date.fromisoformat(today))
    return status


def _windows(status: DatasetStatus) -> list[tuple[str, int]]:
    return [(str(hole.window), hole.days) for hole in status.holes]


@pytest.mark.parametrize(
    ("name", "today", "missing", "late", "awaited"),
    [
        # Friday the 12th is the last row; the next session is Monday the 15th
        ("left", "2024-01-15", 0, 0, 0),
        ("left", "2024-01-16", 0, 0, 1),
        ("left", "2024-01-17", 1, 1, 1),
        ("left", "2024-01-18", 2, 2, 1),
        ("right", "2024-01-17", 0, 0, 2),
        ("right", "2024-01-18", 1, 1, 2),
        # Thursday the 18th is due on Friday, and late from Saturday on
        ("left", "2024-01-20", 4, 4, 1),
    ],
)
def test_late_is_what_calendar_and_lag_say(
    desk: Desk, name: str, today: str, missing: int, late: int, awaited: int
) -> None:
    """A session without an answer is awaited inside its lag, and late from the day after it."""
    desk.put(name, "2024-01-01", "2024-01-14")
    status = _status(desk, name, today)
    assert (status.missing_sessions, status.days_late, status.awaited) == (missing, late, awaited)
    assert status.state == ("late" if late else "complete")


def test_hole_in_the_middle_is_missing_and_not_late(desk: Desk) -> None:
    """A hole between covered days makes a dataset incomplete; it is late only where its end is."""
    desk.put("left", "2024-01-01", "2024-01-09")
    desk.put("left", "2024-01-13", "2024-01-31")
    status = _status(desk, "left", "2024-02-01")
    assert (status.state, status.days_late, _windows(status)) == ("missing", 0, [("2024-01-10..2024-01-12", 3)])


def test_what_was_never_asked_for_before_is_not_missing(desk: Desk) -> None:
    """A dataset begins where its coverage does."""
    desk.put("left", "2024-01-10", "2024-01-31")
    status = _status(desk, "left", "2024-02-01")
    assert (status.state, status.first, status.last) == ("complete", date(2024, 1, 10), date(2024, 1, 31))


def test_gap_of_the_source_is_counted_and_nothing_to_fill(desk: Desk) -> None:
    """Sessions that the source left out count from the first row to the end of the coverage; holes do not."""
    desk.put("left", "2024-01-01", "2024-01-12", {"2024-01-03": 1.0, "2024-01-05": 1.0})
    desk.put("left", "2024-01-17", "2024-01-31", {"2024-01-29": 1.0})
    status = _status(desk, "left", "2024-02-01")
    # the 4th, the 8th to the 12th, the 17th to the 26th, the 30th and 31st; the 15th and 16th are a hole
    assert (status.rows, status.gaps, status.missing_sessions) == (3, 1 + 5 + 8 + 2, 2)


def test_signal_misses_what_its_inputs_cover(desk: Desk) -> None:
    """A signal is late only when the slower of its inputs was due as well."""
    desk.put("left", "2024-01-01", "2024-01-16")
    desk.put("right", "2024-01-01", "2024-01-16")
    desk.compute("2024-01-01", "2024-01-14")
    early = _status(desk, "gap", "2024-01-17")
    assert (early.state, early.days_late, _windows(early)) == ("missing", 0, [("2024-01-15..2024-01-16", 2)])
    later = _status(desk, "gap", "2024-01-19")
    assert (later.state, later.days_late, later.missing_sessions) == ("late", 2, 2)


def test_signal_of_late_inputs_is_late(desk: Desk) -> None:
    """A signal has nothing to be filled, and is behind all the same: who reads it must see that."""
    for name in ("left", "right"):
        desk.put(name, "2024-01-01", "2024-01-14")
    desk.compute("2024-01-01", "2024-01-14")
    found = statuses(desk.holdings, ["left", "right", "gap"], today=date(2024, 2, 1))
    # due on the 16th, the 17th, and when the slower of both is
    assert [(status.state, status.days_late) for status in found] == [("late", 16), ("late", 15), ("late", 15)]
    assert (found[2].missing_sessions, found[2].wanting) == (0, True)


def test_stale_days_are_counted_in_sessions(desk: Desk) -> None:
    """A stale window across a weekend counts its sessions only."""
    for name in ("left", "right"):
        desk.put(name, "2024-01-01", "2024-01-31")
    desk.compute("2024-01-01", "2024-01-31")
    desk.put("left", "2024-01-12", "2024-01-12", {"2024-01-12": 7.0})
    status = _status(desk, "gap", "2024-02-01")
    assert (status.state, status.stale_days) == ("stale", 3)
    assert [str(span.window) for span in status.stale] == ["2024-01-12..2024-01-16"]


def test_dataset_without_a_file_was_never_ingested_or_cannot_be(desk: Desk) -> None:
    """What has nothing is wanting, unless the profile cannot serve it; the profile is asked only then."""
    desk.put("left", "2024-01-01", "2024-01-31")
    names, today = ["left", "right", "gap"], date(2024, 2, 1)
    found = statuses(desk.holdings, names, today=today, unserved=lambda: {"left": "no file", "right": "no file"})
    assert [(status.state, status.wanting, status.error) for status in found] == [
        ("complete", False, None),
        ("not served", False, "no file"),
        ("never ingested", True, None),
    ]
    assert _status(desk, "right", "2024-02-01").state == "never ingested"


def test_file_that_cannot_be_read_hides_no_other(desk: Desk) -> None:
    """One broken file is told of its dataset; all others are looked at."""
    for name in ("left", "right"):
        desk.put(name, "2024-01-01", "2024-01-31")
    desk.settings.dataset_path("market", "left").write_bytes(b"no parquet")
    left, right = statuses(desk.holdings, ["left", "right"], today=date(2024, 2, 1))
    assert (left.state, left.wanting) == ("unreadable", True)
    assert left.error is not None
    assert "left.parquet" in left.error
    assert right.state == "complete"


def test_error_of_a_store_hides_no_other(desk: Desk) -> None:
    """Whatever the store of one dataset refuses is told of it, and of what reads it; all others are looked at."""
    for name in ("left", "right"):
        desk.put(name, "2024-01-01", "2024-01-31")
    desk.compute("2024-01-01", "2024-01-31")
    path = desk.settings.dataset_path("market", "left")
    frame = pd.DataFrame({"value": [1.0]}, pd.DatetimeIndex(["2024-01-02"], name="date"))
    alien = DatasetStore(path.with_name("alien.parquet"), arrow_schema(desk.catalog.entry("left")))
    alien.write(Window.parse("2024-01-01", "2024-01-31"), frame, series="desk:left")
    shutil.copy(alien.path, path)
    left, right = statuses(desk.holdings, ["left", "right"], today=date(2024, 2, 1))
    assert (left.state, right.state) == ("unreadable", "complete")
    assert left.error


def test_stored_under_other_columns_than_the_catalogs(desk: Desk) -> None:
    """Nothing can be written to it before a migration, whatever is missing; holes are told all the same."""
    desk.put("left", "2024-01-01", "2024-01-12")
    entry = desk.catalog.datasets["left"]
    column = entry.columns["value"].model_copy(update={"unit": "percent"})
    changed = entry.model_copy(update={"columns": {"value": column}})
    desk.catalog = replace(desk.catalog, datasets={**desk.catalog.datasets, "left": changed})
    status = _status(desk, "left", "2024-02-01")
    assert (status.state, status.wanting, status.rows, status.days_late > 0) == ("migrate", True, 10, True)
    assert status.error == (
        "column 'value' is stored in bp, expected is percent. Nothing can be written before: macrocredit migrate left"
    )


def test_last_run_is_the_registrys(desk: Desk) -> None:
    """The run that wrote or checked last is taken from the registry, and from nowhere else."""
    result = desk.put("left", "2024-01-01", "2024-01-31")
    assert _status(desk, "left", "2024-02-01").last_run is None
    registry = DataRegistry(desk.settings.registry_path, desk.settings.data_directory)
    metadata = {"run_id": "abc", "last_checked": "2024-02-01T06:00:00+00:00"}
    registry.register_dataset("left", result.path, "LEFT", metadata=metadata)
    run = _status(desk, "left", "2024-02-01").last_run
    assert run is not None
    assert (run.run_id, run.at) == ("abc", "2024-02-01T06:00:00+00:00")


def test_failure_of_the_last_run_is_told_and_changes_no_state(desk: Desk) -> None:
    """A complete dataset whose last run failed is complete; why that run failed stands beside it."""
    desk.put("left", "2024-01-01", "2024-01-31")
    at = datetime(2024, 2, 1, 12, tzinfo=UTC)
    log = RunLog(desk.settings.logs_directory, "r1")
    log.start(RunHeader("r1", "daily", at, "public", "real", None, "schedule", "desk7", 1, 1.0))
    log.finish("failure", {"left": ErrorInfo("SourceUnavailableError", "left: no answer.\nTry later.")}, at)
    status = _status(desk, "left", "2024-02-01")
    assert (status.state, status.wanting) == ("complete", False)
    assert status.failure is not None
    assert (status.failure.run_id, status.failure.at) == ("r1", at)
    assert (status.failure.type, status.failure.summary) == ("SourceUnavailableError", "left: no answer.")
    assert _status(desk, "right", "2024-02-01").failure is None
