"""Holes and stale days of a desk with two datasets and a signal that looks back two rows.

In January 2024 the 1st is a Monday. A row of the signal on day d follows from the shared rows d, d-1 and d-2.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.catalog.definition import definition_of
from macrocredit_assets.persistence.records import Provenance, SeenInput
from macrocredit_assets.staleness import missing, stale
from macrocredit_assets.windows import Coverage, Window

if TYPE_CHECKING:
    from conftest import Desk

JANUARY = Window.parse("2024-01-01", "2024-01-31")


def _missing(desk: Desk, name: str, window: Window = JANUARY) -> str:
    return str(missing(desk.holdings, name, window))


def _stale(desk: Desk, window: Window = JANUARY) -> str:
    return str(stale(desk.holdings, "gap", window))


@pytest.fixture
def computed(desk: Desk) -> Desk:
    """Give a desk whose January is complete, signal included."""
    for name in ("left", "right"):
        desk.put(name, "2024-01-01", "2024-01-31")
    desk.compute("2024-01-01", "2024-01-31")
    return desk


def test_hole_has_its_closed_days(desk: Desk) -> None:
    """What was never answered is missing, from the first open day to the last closed one."""
    desk.put("left", "2024-01-01", "2024-01-10")
    desk.put("left", "2024-01-15", "2024-01-29")
    assert _missing(desk, "left") == "2024-01-11..2024-01-14, 2024-01-30..2024-01-31"


def test_closed_days_alone_are_no_hole(desk: Desk) -> None:
    """A weekend that nobody asked for lacks nothing."""
    desk.put("left", "2024-01-01", "2024-01-12")
    desk.put("left", "2024-01-15", "2024-01-31")
    assert _missing(desk, "left") == "nothing"


def test_session_that_is_covered_without_a_row_is_no_hole(desk: Desk) -> None:
    """An answer without rows is an answer."""
    desk.put("left", "2024-01-01", "2024-01-31", {"2024-01-02": 1.0})
    assert _missing(desk, "left") == "nothing"


def test_dataset_without_a_file_lacks_the_whole_window(desk: Desk) -> None:
    """Nothing stored is everything missing - of a market dataset; a signal without inputs lacks nothing."""
    assert _missing(desk, "left") == str(JANUARY)
    assert _missing(desk, "gap") == "nothing"


def test_signal_lacks_what_all_its_inputs_cover(desk: Desk) -> None:
    """A signal's holes are the days that every input covers, and it does not."""
    desk.put("left", "2024-01-05", "2024-01-31")
    desk.put("right", "2024-01-01", "2024-01-19")
    assert _missing(desk, "gap") == "2024-01-05..2024-01-19"
    desk.compute("2024-01-08", "2024-01-10")
    assert _missing(desk, "gap") == "2024-01-05..2024-01-07, 2024-01-11..2024-01-19"


def test_weekend_on_which_all_inputs_have_rows_is_a_hole_of_a_signal(computed: Desk) -> None:
    """Data win over the calendar: where all inputs have a row, the signal has one to compute."""
    for name in ("left", "right"):
        computed.put(name, "2024-02-01", "2024-02-04", {"2024-02-01": 1.0, "2024-02-02": 1.0, "2024-02-04": 1.0})
    computed.compute("2024-02-01", "2024-02-02")
    assert _missing(computed, "gap", Window.parse("2024-01-01", "2024-02-29")) == "2024-02-03..2024-02-04"


def test_nothing_is_stale_after_it_was_computed(computed: Desk) -> None:
    """What was computed from the newest revisions is not stale; what a source said never is."""
    assert _stale(computed) == "nothing"
    assert str(stale(computed.holdings, "left", JANUARY)) == "nothing"


@pytest.mark.parametrize(
    ("restated", "found"),
    [
        ("2024-01-10", "2024-01-10..2024-01-12"),
        ("2024-01-12", "2024-01-12..2024-01-16"),
        ("2024-01-30", "2024-01-30..2024-01-31"),
        ("2024-01-31", "2024-01-31..2024-01-31"),
    ],
)
def test_restated_row_makes_its_reach_stale(computed: Desk, restated: str, found: str) -> None:
    """The restated day and the two rows after it, across a weekend and up to the last row."""
    computed.put("left", restated, restated, {restated: 7.0})
    assert _stale(computed) == found


def test_withdrawn_row_makes_the_rows_around_it_stale(computed: Desk) -> None:
    """Where a row has left, its own day and the next two shared rows no longer hold."""
    computed.put("left", "2024-01-10", "2024-01-10", {}, withdraw=True)
    assert _stale(computed) == "2024-01-10..2024-01-12"


def test_reach_is_counted_in_rows_that_all_inputs_have(desk: Desk) -> None:
    """A day on which one input has no row is no row of the lookback."""
    desk.put("left", "2024-01-01", "2024-01-31")
    rows = {str(day.date()): 1.0 for day in pd.bdate_range("2024-01-01", "2024-01-31") if day.day not in (11, 12)}
    desk.put("right", "2024-01-01", "2024-01-31", rows)
    desk.compute("2024-01-01", "2024-01-31")
    desk.put("left", "2024-01-10", "2024-01-10", {"2024-01-10": 7.0})
    assert _stale(desk) == "2024-01-10..2024-01-16"


def test_older_history_makes_the_warm_up_stale(desk: Desk) -> None:
    """Rows inserted before the first ones fill the lookback of days that had none."""
    for name in ("left", "right"):
        desk.put(name, "2024-01-15", "2024-01-31")
    desk.compute("2024-01-15", "2024-01-31")
    for name in ("left", "right"):
        desk.put(name, "2024-01-08", "2024-01-14")
    assert _stale(desk) == "2024-01-15..2024-01-16"
    assert _missing(desk, "gap") == "2024-01-08..2024-01-14"


def test_days_that_were_computed_again_are_not_stale(computed: Desk) -> None:
    """Each day counts what its own computation saw, even where the values came out the same."""
    computed.put("left", "2024-01-10", "2024-01-10", {"2024-01-10": 7.0})
    computed.compute("2024-01-08", "2024-01-11")
    assert _stale(computed) == "2024-01-12..2024-01-12"
    computed.put("right", "2024-01-10", "2024-01-10", {"2024-01-10": 7.0})
    computed.compute("2024-01-10", "2024-01-12")
    assert _stale(computed) == "nothing"


def test_equal_rows_make_nothing_stale(computed: Desk) -> None:
    """A fetch that changes nothing is no revision."""
    computed.put("left", "2024-01-01", "2024-01-31")
    assert _stale(computed) == "nothing"


def _forget_right(desk: Desk) -> None:
    path = desk.settings.data_directory / "revisions" / "gap" / "inputs.json"
    (seen,) = json.loads(path.read_text())
    del seen["inputs"]["right"]
    path.write_text(json.dumps([seen]))


def _forget_definition(desk: Desk) -> None:
    path = desk.settings.data_directory / "revisions" / "gap" / "inputs.json"
    (seen,) = json.loads(path.read_text())
    del seen["definition"]
    path.write_text(json.dumps([seen]))


_ROLLS = "calendar: weekdays\n    rolls: {months: [3, 9], day: 20}"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("lookback: 2", "lookback: 1", str(JANUARY)),
        ("lookback: 2", "lookback: 2\n    parameters: {observations: 3}", str(JANUARY)),
        ("function: desk_gap", "function: desk_other", str(JANUARY)),
        ("right: {dataset: right,", "right: {dataset: left,", str(JANUARY)),
        (
            "{value: {unit: bp, decimals: 4}}\n    function",
            "{value: {unit: bp, decimals: 2}}\n    function",
            str(JANUARY),
        ),
        ("calendar: weekdays", _ROLLS, str(JANUARY)),
        ("title: Gap", "title: The gap", "nothing"),
    ],
    ids=["lookback", "parameters", "function", "inputs", "decimals", "rolls", "title"],
)
def test_another_definition_makes_what_was_computed_stale(computed: Desk, old: str, new: str, expected: str) -> None:
    """What enters the numbers makes every day stale until it is computed again; a title does not."""
    path = computed.settings.catalog
    assert path is not None
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    computed.catalog = load_catalog(path)
    assert _stale(computed) == expected


def test_only_what_was_computed_anew_follows_the_new_definition(computed: Desk) -> None:
    """A definition is recorded with its window: the other days stay stale."""
    signal = computed.catalog.signals["gap"]
    computed.catalog = replace(
        computed.catalog, signals={"gap": signal.model_copy(update={"parameters": {"observations": 3}})}
    )
    computed.compute("2024-01-01", "2024-01-14")
    assert _stale(computed) == "2024-01-15..2024-01-31"


def test_days_after_a_hole_wait_for_it(computed: Desk) -> None:
    """Two rows after a hole have no lookback and are not covered; they are missing once the hole is filled."""
    for name in ("left", "right"):
        computed.put(name, "2024-02-12", "2024-02-29")
    made = computed.compute("2024-02-12", "2024-02-29")
    assert (str(made.answered), made.dropped) == ("2024-02-14..2024-02-29", {"warm_up": 2})
    february = Window.parse("2024-02-01", "2024-02-29")
    assert (_missing(computed, "gap", february), _stale(computed, february)) == ("nothing", "nothing")
    for name in ("left", "right"):
        computed.put(name, "2024-02-01", "2024-02-11")
    assert _missing(computed, "gap", february) == "2024-02-01..2024-02-13"
    # the rows after those looked back on themselves only
    assert _stale(computed, february) == "nothing"


def test_days_after_a_hole_come_even_where_it_is_filled_without_a_row(computed: Desk) -> None:
    """A source that answers without rows makes no revision; the days after it have their lookback all the same."""
    for name in ("left", "right"):
        computed.put(name, "2024-02-02", "2024-02-29")
    computed.compute("2024-02-02", "2024-02-29")
    february = Window.parse("2024-02-01", "2024-02-29")
    assert _missing(computed, "gap", february) == "nothing"
    for name in ("left", "right"):
        computed.put(name, "2024-02-01", "2024-02-01", {})
    assert _missing(computed, "gap", february) == "2024-02-01..2024-02-05"
    computed.compute("2024-02-01", "2024-02-05")
    assert str(computed.holdings["gap"].coverage) == "2024-01-01..2024-02-29"


def test_weekend_that_nobody_asked_for_is_no_hole_of_a_lookback(computed: Desk) -> None:
    """Days on which a calendar has no session may stay uncovered."""
    for name in ("left", "right"):
        computed.put(name, "2024-02-01", "2024-02-02")
        computed.put(name, "2024-02-05", "2024-02-09")
    assert computed.compute("2024-02-05", "2024-02-09").dropped == {}


def test_what_was_computed_across_a_hole_is_stale(computed: Desk) -> None:
    """Rows of a store that were written before holes were looked at are computed again, and leave."""
    for name in ("left", "right"):
        computed.put(name, "2024-02-12", "2024-02-29")
    week = Window.parse("2024-02-12", "2024-02-16")
    inputs = {
        name: SeenInput(last.number, last.known_at)
        for name in ("left", "right")
        if (last := computed.store(name).last_revision())
    }
    seen = Provenance(inputs=inputs, definition=definition_of(computed.catalog.signals["gap"], computed.catalog))
    frame = pd.DataFrame({"value": 0.0}, pd.bdate_range("2024-02-12", "2024-02-16", name="date"))
    computed.store("gap").write(week, frame, series="signal:gap", replace=True, provenance=seen)
    assert _stale(computed, week) == "2024-02-12..2024-02-13"
    computed.compute("2024-02-12", "2024-02-13")
    assert _stale(computed, week) == "nothing"


@pytest.mark.parametrize(
    "lose",
    [
        lambda desk: desk.put("left", "2024-01-15", "2024-01-15", {"2024-01-15": 2.0}, switch=True),
        lambda desk: (desk.settings.data_directory / "revisions" / "gap" / "inputs.json").unlink(),
        lambda desk: shutil.rmtree(desk.settings.data_directory / "revisions" / "left"),
        _forget_right,
        _forget_definition,
    ],
    ids=["series switched", "record lost", "revisions lost", "input not recorded", "definition not recorded"],
)
def test_where_nothing_is_known_everything_is_stale(computed: Desk, lose: Callable[[Desk], object]) -> None:
    """Another series, lost records and lost revisions leave no day of which it is known what it saw."""
    lose(computed)
    assert _stale(computed) == str(JANUARY)


def test_closed_days_alone_are_not_stale(computed: Desk) -> None:
    """A weekend of which nothing is known has no value that could be wrong."""
    (computed.settings.data_directory / "revisions" / "gap" / "inputs.json").unlink()
    computed.compute("2024-01-01", "2024-01-12")
    computed.compute("2024-01-15", "2024-01-31")
    assert _stale(computed) == "nothing"


def test_row_on_a_closed_day_may_be_stale(computed: Desk) -> None:
    """Where the signal has a row, it may be wrong, whatever the calendar says."""
    for name in ("left", "right"):
        computed.put(name, "2024-02-01", "2024-02-03", {"2024-02-03": 1.0})
    computed.compute("2024-02-01", "2024-02-03")
    computed.put("left", "2024-02-03", "2024-02-03", {}, withdraw=True)
    assert _stale(computed, Window.parse("2024-01-01", "2024-02-29")) == "2024-02-03..2024-02-03"


def test_file_from_before_there_were_revisions_was_seen(desk: Desk) -> None:
    """An input without revisions is no reason to compute again; the first write after it counts by its own rows."""
    for name in ("left", "right"):
        desk.put(name, "2024-01-01", "2024-01-31")
    shutil.rmtree(desk.settings.data_directory / "revisions")
    desk.compute("2024-01-01", "2024-01-31")
    assert _stale(desk) == "nothing"
    desk.put("left", "2024-01-10", "2024-01-10", {"2024-01-10": 7.0})
    assert [revision.kind for revision in desk.store("left").revisions()] == ["adopt", "write"]
    assert _stale(desk) == "2024-01-10..2024-01-12"


def test_stale_days_are_those_of_the_window(computed: Desk) -> None:
    """What lies outside of what was asked for is not told."""
    computed.put("left", "2024-01-10", "2024-01-10", {"2024-01-10": 7.0})
    assert _stale(computed, Window.parse("2024-01-11", "2024-01-20")) == "2024-01-11..2024-01-12"


_DAYS = pd.date_range("2024-01-01", "2024-02-04")
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["left", "right", "gap"]),
        st.integers(0, len(_DAYS) - 1),
        st.integers(1, 12),
        st.lists(st.integers(0, 9), min_size=12, max_size=12),
    ),
    max_size=10,
)


@settings(max_examples=40, deadline=None)
@given(_STEPS)
def test_whatever_was_written_in_any_order_no_wrong_day_goes_unnoticed(
    desk_at: Callable[[Path], Desk],
    steps: list[tuple[str, int, int, list[int]]],
) -> None:
    """Every day whose value differs from plain pandas is stale or missing; filling those leaves none."""
    with TemporaryDirectory() as folder:
        desk = desk_at(Path(folder))
        for name, first, length, values in steps:
            days = _DAYS[first : first + length]
            start, end = f"{days[0]:%Y-%m-%d}", f"{days[-1]:%Y-%m-%d}"
            if name == "gap":
                _compute_if_covered(desk, Window.parse(start, end))
            else:
                # a value of 0 is a day without a row
                rows = {f"{day:%Y-%m-%d}": float(value) for day, value in zip(days, values, strict=False) if value}
                desk.put(name, start, end, rows, withdraw=True)
        window = Window(_DAYS[0].date(), _DAYS[-1].date())
        wanting = missing(desk.holdings, "gap", window).union(stale(desk.holdings, "gap", window))
        wrong = [day for day in _wrong_days(desk) if day.date() not in wanting]
        assert wrong == []
        for part in wanting.windows:
            _compute_if_covered(desk, part)
        assert [*_wrong_days(desk)] == []
        assert not missing(desk.holdings, "gap", window)
        assert not stale(desk.holdings, "gap", window)


def _compute_if_covered(desk: Desk, window: Window) -> None:
    heads = [desk.store(name).head() for name in ("left", "right")]
    if all(head is not None and head.coverage.clip(window) for head in heads):
        desk.compute(str(window.start), str(window.end))


def _wrong_days(desk: Desk) -> pd.DatetimeIndex:
    """Return the days on which the stored signal is not what plain pandas makes of the stored inputs."""
    frames = {name: desk.holdings[name] for name in ("left", "right", "gap")}
    values = {name: held.store.read_frame()["value"] if held.head else _NOTHING for name, held in frames.items()}
    shared = pd.concat([values["left"], values["right"]], axis=1, join="inner", keys=["left", "right"])
    expected = (shared["left"] - shared["right"]).rolling(3).mean().dropna().round(4)
    # where inputs are not covered, today or on a weekday since the oldest row, nothing can be said
    covered = [frames[name].coverage for name in ("left", "right")]
    known = [
        all(day.date() in each for each in covered for day in [last, first, *pd.bdate_range(first, last)])
        for first, last in zip(shared.index, shared.index[2:], strict=False)
    ]
    expected = expected[known]
    both = pd.concat([expected, values["gap"]], axis=1, sort=True, keys=["expected", "stored"])
    return both.index[~((both["expected"] - both["stored"]).abs() < 1e-9)]


def _is_known(day: pd.Timestamp, shared: pd.DatetimeIndex, covered: Sequence[Coverage]) -> bool:
    """Return whether a day and all weekdays since the second row before it were asked for."""
    rows = pd.bdate_range(shared[shared.get_loc(day) - 2], day).union([day])
    return all(each.date() in coverage for each in rows for coverage in covered)


_NOTHING = pd.Series(dtype=float, index=pd.DatetimeIndex([]))
