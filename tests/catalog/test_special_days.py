"""Closed and open days of a user's own: what they do, to which datasets, and what is said of mistakes in them."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from macrocredit_assets.catalog import Catalog, load_catalog
from macrocredit_assets.catalog.calendars import is_session, is_session_of, sessions, sessions_of
from macrocredit_assets.catalog.models import SpecialDays
from macrocredit_assets.errors import CatalogError
from macrocredit_assets.sources import SampleSource
from macrocredit_assets.windows import Window

#: Monday to Sunday; US bonds trade from Monday to Friday
WEEK = Window.parse("2027-01-04", "2027-01-10")
OWN = """
calendars:
  us_bond:
    closed: {2027-01-05: mourning, 2027-02-01: outside the week}
    open: {2027-01-09: a Saturday with trading, 2027-02-06: outside the week}
"""

Load = Callable[[str], Catalog]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load the shipped catalog with a user's own text on top of it."""

    def _load(text: str) -> Catalog:
        path = tmp_path / "own.yaml"
        path.write_text(text, "utf-8")
        return load_catalog(path)

    return _load


def days(found: pd.DatetimeIndex) -> list[int]:
    """Return days of the month."""
    return [*found.day]


def test_own_days_win_over_the_rules(load: Load) -> None:
    """A weekday is closed and a Saturday open, for every dataset and signal that follows the calendar."""
    catalog = load(OWN)

    for name in ("ust_10y", "cdx_ig_5y", "cash_cds_basis_ig"):
        found = sessions_of(catalog.entry(name), WEEK)
        assert days(found) == [4, 6, 7, 8, 9]
        assert (found.name, found.dtype, found.is_unique) == ("date", "datetime64[us]", True)
        assert [day.day for day in WEEK if is_session_of(catalog.entry(name), day)] == [4, 6, 7, 8, 9]


def test_other_calendars_and_other_catalogs_keep_theirs(load: Load) -> None:
    """Days of one calendar in one catalog reach neither another calendar nor the shipped catalog beside it."""
    catalog = load(OWN)

    assert days(sessions_of(catalog.entry("hyg"), WEEK)) == [4, 5, 6, 7, 8]
    assert days(sessions_of(load_catalog().entry("ust_10y"), WEEK)) == [4, 5, 6, 7, 8]
    assert days(sessions("us_bond", WEEK)) == [4, 5, 6, 7, 8]


def test_own_days_win_over_shipped_corrections(load: Load) -> None:
    """A payroll Good Friday that the package has as open can be closed again."""
    entry = load("calendars: {us_bond: {closed: {2012-04-06: not for us}}}").entry("ust_10y")

    assert is_session("us_bond", date(2012, 4, 6))
    assert not is_session_of(entry, date(2012, 4, 6))
    assert len(sessions_of(entry, Window.parse("2012-04-06", "2012-04-06"))) == 0


def test_days_that_repeat_the_rules_change_nothing() -> None:
    """What a release has learnt in the meantime may stay in a user's file."""
    own = SpecialDays(open={date(2027, 1, 4): "open anyway"}, closed={date(2027, 1, 9): "a Saturday"})

    assert days(sessions("us_bond", WEEK, own)) == [4, 5, 6, 7, 8]


def test_own_days_hold_in_a_catalog_that_extends_nothing(load: Load) -> None:
    """A file that stands alone has its days as well, and an entry of the user's own follows them."""
    toy = """
extends: none
datasets:
  toy:
    {title: A toy, instrument: TOY, group: toys, owner: "team:toys", description: A toy., calendar: weekdays,
     main: close, columns: {close: {unit: bp, decimals: 2}},
     ways: [{source: sample, series: "sample:toy", model: spread, level: 9, stress: 2, noise: 0.1}]}
calendars: {weekdays: {closed: {2027-01-05: mourning}}}
"""
    catalog = load(toy)

    assert catalog.names() == ("toy",)
    assert days(sessions_of(catalog.entry("toy"), WEEK)) == [4, 6, 7, 8]


def test_the_sample_market_closes_too(load: Load) -> None:
    """Simulated rows stand on the sessions that the catalog has, and the other rows stay what they were."""
    closed, shipped = load(OWN).datasets["ust_10y"], load_catalog().datasets["ust_10y"]
    rows = SampleSource().fetch(closed, closed.ways[-1], WEEK).frame
    before = SampleSource().fetch(shipped, shipped.ways[-1], WEEK).frame

    assert days(pd.DatetimeIndex(rows.index)) == [4, 6, 7, 8, 9]
    pd.testing.assert_frame_equal(rows.drop(pd.Timestamp("2027-01-09")), before.drop(pd.Timestamp("2027-01-05")))


def test_days_travel_with_an_entry_and_are_no_part_of_its_dump(load: Load) -> None:
    """Other processes get them; the hash by which an entry's code is known does not move with a holiday."""
    entry = load(OWN).datasets["ust_10y"]

    assert pickle.loads(pickle.dumps(entry)) == entry  # noqa: S301 - our own bytes
    assert entry != load_catalog().datasets["ust_10y"]
    assert entry.model_dump_json() == load_catalog().datasets["ust_10y"].model_dump_json()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "calendars: {us_bnd: {}}",
            "own.yaml:1: calendars.us_bnd: 'us_bnd' is not one of 'us_equity', 'us_bond', 'ice_oas', 'london', \
'target', 'weekdays' or 'daily'; did you mean 'us_bond'?",
        ),
        ("calendars: {us_bond: {close: {}}}", "calendars.us_bond.close: unknown key; did you mean 'closed'?"),
        ("calendars: {us_bond: {closed: [2027-01-05]}}", "calendars.us_bond.closed: Input should be"),
        ("calendars: {us_bond: {closed: {2027-02-30: x}}}", "calendars.us_bond.closed.2027-02-30: Input should be"),
        ("calendars: {us_bond: {closed: {05.01.2027: x}}}", "calendars.us_bond.closed.05.01.2027: Input should be"),
        ("calendars: {us_bond: {closed: {2027-01-05: }}}", "calendars.us_bond.closed.2027-01-05: Input should be"),
        ("calendars: {us_bond: {closed: {2027-01-05: ''}}}", "calendars.us_bond.closed.2027-01-05: String should"),
        (
            "calendars: {us_bond: {closed: {2027-01-05: x}, open: {2027-01-05: y}}}",
            "calendars.us_bond: 2027-01-05: open and closed at once; keep one of the two",
        ),
        (
            "datasets: {toy: {special_days: {}}}",
            "datasets.toy.special_days: unknown key; such days stand under `calendars`",
        ),
    ],
)
def test_mistakes_in_own_days(load: Load, text: str, said: str) -> None:
    """An unknown calendar or key, no date, no reason, and a day that is both: each is named with its place."""
    with pytest.raises(CatalogError) as caught:
        load(text)
    assert said in str(caught.value)
