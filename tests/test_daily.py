"""What a morning asks for, on a desk with two datasets and a signal that looks back two rows.

In March 2024 the 1st is a Friday. The mornings are those of Friday 2024-03-29: ten days back is Tuesday the 19th, and
ninety days back is Saturday 2023-12-30.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from macrocredit_assets.catalog import Catalog, load_catalog
from macrocredit_assets.daily import daily_window, names_of

if TYPE_CHECKING:
    from conftest import Desk

TODAY = date(2024, 3, 29)
TEN_DAYS = "2024-03-19..2024-03-28"
ALL = ("left", "right", "gap")


def _asked(desk: Desk, *names: str) -> str:
    return str(daily_window(desk.holdings, names or ALL, TODAY))


@pytest.fixture
def complete(desk: Desk) -> Desk:
    """Give a desk that is complete since June 2023, signal included."""
    for name in ("left", "right"):
        desk.put(name, "2023-06-01", "2024-03-28")
    desk.compute("2023-06-01", "2024-03-28")
    return desk


def test_complete_desk_is_asked_for_ten_days(complete: Desk) -> None:
    """Where nothing is wanting, the last ten days, closed ones included, until yesterday."""
    assert _asked(complete) == TEN_DAYS


def test_empty_root_is_asked_for_ten_days(desk: Desk) -> None:
    """What was never ingested has no hole: nobody wants a morning to fetch everything since 1990."""
    assert _asked(desk) == TEN_DAYS


def test_new_dataset_beside_old_ones_is_asked_for_ten_days(desk: Desk) -> None:
    """A dataset without a file does not make the window longer, and one that began last week does not either."""
    desk.put("left", "2024-03-25", "2024-03-28")
    assert _asked(desk) == TEN_DAYS


@pytest.mark.parametrize(
    ("until", "asked"),
    [
        ("2024-03-18", TEN_DAYS),
        ("2024-03-17", "2024-03-18..2024-03-28"),
        ("2024-03-15", "2024-03-18..2024-03-28"),
        ("2024-03-14", "2024-03-15..2024-03-28"),
        ("2024-01-02", "2024-01-03..2024-03-28"),
        ("2023-12-28", "2024-01-01..2024-03-28"),
        ("2023-08-31", "2024-01-01..2024-03-28"),
    ],
    ids=["ten days", "eleven", "before a weekend", "on a Friday", "86 days", "91 days", "half a year"],
)
def test_mornings_that_were_missed_are_made_up_for(desk: Desk, until: str, asked: str) -> None:
    """The window starts at the first session that is not covered, and at most ninety days back."""
    desk.put("left", "2023-06-01", until)
    assert _asked(desk, "left") == asked


def test_hole_in_the_middle_is_found(desk: Desk) -> None:
    """Sessions that one dataset lacks inside its coverage are asked for."""
    desk.put("left", "2023-06-01", "2024-03-28")
    desk.put("right", "2023-06-01", "2024-02-08")
    desk.put("right", "2024-02-14", "2024-03-28")
    assert _asked(desk, "left") == TEN_DAYS
    assert _asked(desk, "left", "right") == "2024-02-09..2024-03-28"


def test_hole_that_is_out_of_reach_costs_nothing(desk: Desk) -> None:
    """What a window of ninety days cannot fill does not make each morning ask for ninety days."""
    desk.put("left", "2023-06-01", "2023-09-29")
    desk.put("left", "2023-10-16", "2024-03-28")
    assert _asked(desk, "left") == TEN_DAYS


def test_signal_that_was_left_behind_is_computed(desk: Desk) -> None:
    """Days that the inputs got without it - from another schedule, by hand - are asked for."""
    for name in ("left", "right"):
        desk.put(name, "2024-01-01", "2024-03-28")
    desk.compute("2024-01-01", "2024-03-01")
    assert _asked(desk) == "2024-03-04..2024-03-28"


def test_stale_day_of_a_signal_is_computed_again(complete: Desk) -> None:
    """A restatement that came without the signal makes the window start at the first day that it touches."""
    complete.put("left", "2024-02-14", "2024-02-14", {"2024-02-14": 7.0})
    assert _asked(complete) == "2024-02-14..2024-03-28"
    assert _asked(complete, "left", "right") == TEN_DAYS


@pytest.mark.parametrize("spoil", [lambda path: path.write_bytes(b"not a Parquet file"), lambda path: path.mkdir()])
def test_file_that_cannot_be_read_keeps_no_morning_from_coming(desk: Desk, spoil: Callable[[Path], object]) -> None:
    """One broken file is the business of its own step; what the others lack is asked for."""
    desk.put("left", "2023-06-01", "2024-03-28")
    desk.put("right", "2023-06-01", "2024-02-29")
    desk.store("left").path.unlink()
    spoil(desk.store("left").path)
    assert _asked(desk, "left", "gap") == TEN_DAYS
    assert _asked(desk) == "2024-03-01..2024-03-28"


def test_regions_of_the_shipped_catalog() -> None:
    """The iTraxx indices are European, all else is of the US, and nothing is in both or in neither."""
    catalog = load_catalog()
    europe, us = names_of(catalog, "europe"), names_of(catalog, "us")
    assert europe == ("itraxx_main_5y", "itraxx_xover_5y")
    assert set(us) == set(catalog.names()) - set(europe)
    assert len(us) + len(europe) == len(catalog.names())
    assert us.index("cdx_vix_gap") > us.index("vix")


def _catalog(tmp_path: Path) -> Catalog:
    market = (
        "{source: sample, series: 'sample:x', model: spread, level: 50, stress: 2, noise: 0.01, starts: 2000-01-03}"
    )
    head = "title: t, instrument: i, group: g, owner: 'team:t', description: d, main: value"
    column = "columns: {value: {unit: bp, decimals: 4}}"
    datasets = "".join(
        f"  {calendar}_data: {{{head}, {column}, calendar: {calendar}, ways: [{market}]}}\n"
        for calendar in ("london", "target", "weekdays", "us_bond")
    )
    signals = "".join(
        f"  {name}: {{{head}, {column}, calendar: weekdays, function: f, inputs: {{a: {{dataset: {a}, column: value}}, "
        f"b: {{dataset: {b}, column: value}}}}}}\n"
        for name, a, b in (
            ("of_both", "london_data", "us_bond_data"),
            ("of_europe", "london_data", "target_data"),
            ("of_its_signal", "of_europe", "target_data"),
        )
    )
    path = tmp_path / "regions.yaml"
    path.write_text(f"extends: none\ndatasets:\n{datasets}signals:\n{signals}")
    return load_catalog(path)


def test_signal_is_european_where_all_its_inputs_are(tmp_path: Path) -> None:
    """A signal of both regions is computed in the later morning; one of European signals in the earlier."""
    catalog = _catalog(tmp_path)
    assert names_of(catalog, "europe") == ("london_data", "target_data", "of_europe", "of_its_signal")
    assert names_of(catalog, "us") == ("weekdays_data", "us_bond_data", "of_both")
