"""``macrocredit revisions``, and reading as of a moment: what became known when, as people and programs read it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from click.testing import Result

from macrocredit_assets.persistence import DatasetStore
from macrocredit_assets.persistence.records import Provenance
from macrocredit_assets.windows import Window

Run = Callable[..., Result]

_SCHEMA = pa.schema(
    [
        pa.field("close", pa.float64(), metadata={"unit": "USD", "decimals": "6"}),
        pa.field("volume", pa.int64(), metadata={"unit": "shares", "decimals": "0"}),
    ]
)
#: The second revision is known 400 microseconds after the first.
_KNOWN = [
    datetime(2024, 1, 5, 22, 0, 0, 123_000, tzinfo=UTC),
    datetime(2024, 1, 5, 22, 0, 0, 123_400, tzinfo=UTC),
    datetime(2024, 1, 8, 22, 0, tzinfo=UTC),
    datetime(2024, 1, 9, 22, 0, tzinfo=UTC),
]


@pytest.fixture
def restated(tmp_path: Path) -> Path:
    """Write a root whose dataset was filled, restated, robbed of a row, and taken from elsewhere."""

    def write(step: int, days: list[int], closes: list[float], window: tuple[str, str], **how: object) -> None:
        index = pd.DatetimeIndex([f"2024-01-{day:02d}" for day in days], name="date")
        frame = pd.DataFrame({"close": closes, "volume": [day * 1000 for day in days]}, index=index)
        store = DatasetStore(tmp_path / "data" / "raw" / "desk.parquet", _SCHEMA, clock=lambda: _KNOWN[step])
        store.write(
            Window.parse(*window), frame.astype({"close": float, "volume": "int64"}), **{"series": "desk:x", **how}
        )

    ran = Provenance(run_id="0123456789abcdef", ways=("file:desk.csv",))
    write(0, [2, 3, 4], [9.5, 9.25, 10.0], ("2024-01-02", "2024-01-04"), provenance=ran)
    write(1, [4, 5], [10.125, 11.0], ("2024-01-04", "2024-01-05"))
    write(2, [], [], ("2024-01-03", "2024-01-03"), withdraw=True)
    other = Provenance(reason="off by a day")
    write(3, [5], [11.0], ("2024-01-05", "2024-01-05"), series="desk:y", switch=True, provenance=other)
    return tmp_path


def test_list_is_a_table_with_the_newest_last(run: Run, restated: Path) -> None:
    """One line a revision: when it was known, by which run and way it came, and how many rows it touched."""
    assert run("revisions", "desk", root=restated).stdout.splitlines() == [
        "rev.  known at                  run       way            kind    inserted  changed  withdrawn  reason",
        "   1  2024-01-05T22:00:00.123Z  01234567  file:desk.csv  write          3        0          0",
        "   2  2024-01-05T22:00:00.124Z                           write          1        1          0",
        "   3  2024-01-08T22:00:00.000Z                           write          0        0          1",
        "   4  2024-01-09T22:00:00.000Z                           switch         1        0          3  off by a day",
    ]


def test_rows_of_dates_have_old_and_new_values(run: Run, restated: Path) -> None:
    """With dates: every value that a revision put, replaced or took there, in the order in which it became known."""
    result = run("revisions", "desk", "--start", "2024-01-03", "--end", "2024-01-04", root=restated)
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["date", "action", "column", "old", "new", "rev.", "known", "at"],
        ["2024-01-03", "insert", "close", "9.250", "1", "2024-01-05T22:00:00.123Z"],
        ["2024-01-03", "insert", "volume", "3,000", "1", "2024-01-05T22:00:00.123Z"],
        ["2024-01-04", "insert", "close", "10.000", "1", "2024-01-05T22:00:00.123Z"],
        ["2024-01-04", "insert", "volume", "4,000", "1", "2024-01-05T22:00:00.123Z"],
        ["2024-01-04", "change", "close", "10.000", "10.125", "2", "2024-01-05T22:00:00.124Z"],
        ["2024-01-03", "withdraw", "close", "9.250", "3", "2024-01-08T22:00:00.000Z"],
        ["2024-01-03", "withdraw", "volume", "3,000", "3", "2024-01-08T22:00:00.000Z"],
        ["2024-01-04", "switch", "close", "10.125", "4", "2024-01-09T22:00:00.000Z"],
        ["2024-01-04", "switch", "volume", "4,000", "4", "2024-01-09T22:00:00.000Z"],
    ]


def test_a_switch_shows_equal_values_too(run: Run, restated: Path) -> None:
    """An equal number of another series is not the same number."""
    result = run("revisions", "desk", "--start", "2024-01-05", root=restated)
    assert [line.split()[:5] for line in result.stdout.splitlines()[-2:]] == [
        ["2024-01-05", "switch", "close", "11.00", "11.00"],
        ["2024-01-05", "switch", "volume", "5,000", "5,000"],
    ]


def test_json_has_revisions_whole(run: Run, restated: Path) -> None:
    """--json gives instants and run ids in full, and what the dataset was after each revision."""
    first, *_, last = json.loads(run("revisions", "desk", "--json", root=restated).stdout)
    assert first["known_at"] == "2024-01-05T22:00:00.123000+00:00"
    assert (first["run_id"], first["ways"], first["series"]) == ("0123456789abcdef", ["file:desk.csv"], "desk:x")
    assert first["coverage"] == [["2024-01-02", "2024-01-04"]]
    assert (last["revision"], last["kind"], last["reason"]) == (4, "switch", "off by a day")
    assert (last["inserted"], last["changed"], last["withdrawn"]) == (1, 0, 3)


def test_json_of_rows_has_both_sides_whole(run: Run, restated: Path) -> None:
    """--json with dates: one record for each revision of a row, null where there was none."""
    records = json.loads(run("revisions", "desk", "--end", "2024-01-03", "--json", root=restated).stdout)
    assert [(record["date"], record["action"], record["revision"]) for record in records] == [
        ("2024-01-02", "insert", 1),
        ("2024-01-03", "insert", 1),
        ("2024-01-03", "withdraw", 3),
        ("2024-01-02", "switch", 4),
    ]
    assert records[0]["old"] is None
    assert records[0]["new"] == {"close": 9.5, "volume": 2000}
    assert records[2]["old"] == {"close": 9.25, "volume": 3000}
    assert records[2]["new"] is None


def test_limit_keeps_the_newest_and_says_what_it_left_out(run: Run, restated: Path) -> None:
    """--limit counts from the newest; people are told that there is more, and how to see it."""
    result = run("revisions", "desk", "--limit", "2", root=restated)
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["rev.", "3", "4"]
    assert "--limit 4" in result.stderr
    records = json.loads(run("revisions", "desk", "--limit", "3", "--json", root=restated).stdout)
    assert [record["revision"] for record in records] == [2, 3, 4]
    assert run("revisions", "desk", "--limit", "4", root=restated).stderr == ""


def test_many_revisions_are_cut_for_people_but_not_for_programs(run: Run, tmp_path: Path) -> None:
    """Without --limit people see the newest twenty, and JSON has them all."""
    store = DatasetStore(tmp_path / "data" / "raw" / "desk.parquet", _SCHEMA.remove(1))
    for day in range(1, 26):
        index = pd.DatetimeIndex([f"2024-01-{day:02d}"], name="date")
        window = Window.parse(f"2024-01-{day:02d}", f"2024-01-{day:02d}")
        store.write(window, pd.DataFrame({"close": [float(day)]}, index=index), series="desk:x")
    lines = run("revisions", "desk", root=tmp_path).stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [str(number) for number in range(6, 26)]
    assert len(json.loads(run("revisions", "desk", "--json", root=tmp_path).stdout)) == 25
    assert len(json.loads(run("revisions", "desk", "--start", "2024-01-02", "--json", root=tmp_path).stdout)) == 24


@pytest.mark.parametrize(
    ("revision", "closes"), [(0, [9.5, 9.25, 10.0]), (1, [9.5, 9.25, 10.125, 11.0]), (2, [9.5, 10.125, 11.0])]
)
def test_instant_as_the_table_writes_it_reads_that_revision(
    run: Run, restated: Path, revision: int, closes: list[float]
) -> None:
    """What stands under "known at" can be given to `show --as-of`, and takes that revision in."""
    known_at = run("revisions", "desk", root=restated).stdout.splitlines()[revision + 1].split()[1]
    rows = json.loads(run("show", "desk", "--as-of", known_at, "--json", root=restated).stdout)
    assert [row["close"] for row in rows] == closes


def test_show_as_of_says_which_revision_it_read(run: Run, restated: Path) -> None:
    """The title has the series, the moment and the revision of then, not of now."""
    title = run("show", "desk", "--as-of", "2024-01-08", root=restated).stdout.splitlines()[0]
    assert title == "desk | desk:x | 3 rows | 2024-01-02..2024-01-05 | as of 2024-01-08 (revision 3)"


def test_show_before_anything_was_known_fails_and_says_since_when(run: Run, restated: Path) -> None:
    """Nothing was known: exit code 1, and the instant from which on something was."""
    result = run("show", "desk", "--as-of", "2024-01-04", root=restated)
    assert result.exit_code == 1
    assert "known since 2024-01-05T22:00:00.123000+00:00" in result.stderr


@pytest.mark.parametrize("moment", ["2024-01-05T22:00", "then"])
def test_moments_that_mean_nothing_are_wrong_use(run: Run, restated: Path, moment: str) -> None:
    """A time without its zone, or no time at all, ends with 2."""
    assert run("show", "desk", "--as-of", moment, root=restated).exit_code == 2


def test_dates_without_a_row_give_an_empty_table(run: Run, restated: Path) -> None:
    """Nothing ever happened on those dates: no row, no error."""
    result = run("revisions", "desk", "--start", "2024-02-01", root=restated)
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 1
    assert json.loads(run("revisions", "desk", "--start", "2024-02-01", "--json", root=restated).stdout) == []


def test_file_from_before_there_were_revisions_has_none(run: Run, restated: Path) -> None:
    """A file without revisions is no error: that they begin with the next change is said."""
    shutil.rmtree(restated / "data" / "revisions")
    result = run("revisions", "desk", root=restated)
    assert result.exit_code == 0
    assert "before revisions were kept" in result.stdout
    assert json.loads(run("revisions", "desk", "--json", root=restated).stdout) == []


def test_nothing_stored_and_unknown_names_are_told_apart(run: Run, restated: Path) -> None:
    """What was never written ends with 1 and the command that fetches it; an unknown name ends with 2."""
    result = run("revisions", "vix", root=restated)
    assert result.exit_code == 1
    assert "macrocredit backfill vix" in result.stderr
    assert run("revisions", "vixx", root=restated).exit_code == 2


def test_revisions_of_a_run_name_it(run: Run, filled: Path) -> None:
    """A backfill is one revision of each dataset, by its run and way."""
    [revision] = json.loads(run("revisions", "vix", "--json", root=filled).stdout)
    runs = json.loads(run("runs", "list", "--json", root=filled).stdout)
    assert revision["run_id"] == runs[0]["run_id"]
    assert revision["inserted"] == len(pd.read_parquet(filled / "data" / "raw" / "vix.parquet"))
    assert revision["ways"] == ["sample:vix"]
