"""A series that is published no more: nothing is expected after its end, and nothing loops in search of it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from macrocredit_assets.catalog import catalog_json_schema, load_catalog
from macrocredit_assets.catalog.calendars import is_session_of, sessions_of
from macrocredit_assets.catalog.publication import awaited, day_states, due, is_due, last_due
from macrocredit_assets.errors import CatalogError
from macrocredit_assets.windows import Coverage, Window

END = date(2022, 1, 21)
SPEC = load_catalog().datasets["ust_10y"]
ENDED = SPEC.model_copy(update={"ended": END})
#: Monday to Sunday; the series ends on the Friday
WEEK = Window(date(2022, 1, 17), date(2022, 1, 23))


def test_no_session_follows_the_end() -> None:
    """The last day is a session as ever, after Martin Luther King's on the Monday."""
    assert [f"{day:%d}" for day in sessions_of(ENDED, WEEK)] == ["18", "19", "20", "21"]
    assert len(sessions_of(ENDED, Window(date(2022, 1, 22), date(2026, 1, 1)))) == 0
    assert is_session_of(ENDED, END)
    assert is_session_of(SPEC, date(2022, 1, 24))
    assert not is_session_of(ENDED, date(2022, 1, 24))


def test_the_last_row_is_due_as_any_other() -> None:
    """A publisher's days go on: the row of the last Friday is due by Monday's end, and the search for it ends."""
    assert due(ENDED, END) == date(2022, 1, 24)
    assert not is_due(ENDED, END, date(2022, 1, 24))
    assert is_due(ENDED, END, date(2022, 1, 25))
    assert last_due(ENDED, date(2026, 3, 4)) == date(2026, 3, 2)
    assert awaited(ENDED, Window(date(2026, 3, 1), date(2026, 3, 3)), (), date(2026, 3, 4)) == ()


def test_days_after_the_end_are_closed() -> None:
    """Once covered, they are days like a holiday."""
    window = Window(END, date(2022, 1, 25))
    states = day_states(ENDED, window, {END}, Coverage((window,)), first=date(1986, 1, 2), today=date(2026, 3, 4))
    assert [*states.values()] == ["present", "closed", "closed", "closed", "closed"]


def test_the_end_makes_no_other_code(tmp_path: Path) -> None:
    """It stands in a catalog as a date, in its schema, and not in what the asset's code version is made of."""
    path = tmp_path / "catalog.yaml"
    path.write_text(entry("2022-01-21"))
    spec = load_catalog(path).datasets["ted_spread"]
    assert spec.ended == END
    assert spec.model_dump_json() == spec.model_copy(update={"ended": None}).model_dump_json()
    assert "ended" in json.dumps(catalog_json_schema()["$defs"]["DatasetSpec"]["properties"])


@pytest.mark.parametrize("text", ["january", "2022-02-30", "20220121"])
def test_an_end_that_is_no_date_is_refused(tmp_path: Path, text: str) -> None:
    """The error names the entry and the key."""
    path = tmp_path / "catalog.yaml"
    path.write_text(entry(text))
    with pytest.raises(CatalogError, match=r"datasets\.ted_spread\.ended"):
        load_catalog(path)


def entry(ended: str) -> str:
    """Return a catalog of one's own with the TED spread."""
    return f"""
extends: none
datasets:
  ted_spread:
    title: TED spread
    instrument: TED
    group: rates
    owner: team:desk
    description: Three months' Libor over Treasury bills.
    calendar: us_bond
    ended: {ended}
    main: spread
    columns: {{spread: {{unit: percent, decimals: 2}}}}
    ways: [{{source: fred, series: "fred:TEDRATE", series_id: TEDRATE, column: spread}}]
"""
