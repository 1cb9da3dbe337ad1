"""From sources to rows ready to be written: merging, judging, and what counts as answered."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.catalog.models import (
    Bounds,
    Column,
    DatasetSpec,
    FileColumn,
    FileWay,
    SpecialDays,
)
from macrocredit_assets.errors import RuleViolationError, UnreadableSourceError, UsageError
from macrocredit_assets.ingest import Beside, Ingested, ingest
from macrocredit_assets.settings import Settings
from macrocredit_assets.sources import Route, build_sources, choose
from macrocredit_assets.windows import Coverage, Window

#: A day on which everything is published
LATER = date(2027, 1, 1)
JANUARY = Window.parse("2024-01-01", "2024-01-31")
SPREAD = Column(unit="bp", decimals=2, plausible=Bounds(low=20, high=400), hard=Bounds(low=5, high=2000))
VOLUME = Column(dtype="int64", unit="shares", decimals=0)


def dataset(*paths: str, **columns: Column) -> DatasetSpec:
    """Return a dataset that stands in these files, in order of preference."""
    columns = columns or {"spread": SPREAD}
    mapped = {name: FileColumn(column=name) for name in columns}
    return DatasetSpec(
        name="toy",
        title="Toy",
        instrument="TOY",
        group="toys",
        owner="team:toys",
        description="A toy.",
        columns=columns,
        main=next(iter(columns)),
        calendar="weekdays",
        ways=tuple(FileWay(series="toy:SPREAD", path=path, columns=mapped) for path in paths or ("toy.csv",)),
    )


def run(
    folder: Path, spec: DatasetSpec, window: Window = JANUARY, **options: frozenset[str] | Beside | date | str
) -> Ingested:
    """Ingest a window by every way of a dataset."""
    sources = build_sources(Settings(folder, folder, files=folder))
    return ingest(spec, window, choose(spec, "files", sources), sources, **{"today": LATER, **options})  # type: ignore[arg-type]


def write(folder: Path, rows: dict[str, float | str], path: str = "toy.csv") -> None:
    """Write a file of one column."""
    lines = [f"{day},{value}" for day, value in rows.items()]
    (folder / path).write_text("\n".join(["date,spread", *lines]))


def held(rows: dict[str, float], *covered: str, first: str | None = None) -> Beside:
    """Return what is stored: rows, which dates are covered, and the first row of all, if it is further away."""
    frame = pd.DataFrame({"spread": [*rows.values()]}, pd.DatetimeIndex([*rows], name="date"))
    coverage = Coverage.of(Window.parse(*each.split("..")) for each in covered)
    start = first or min(rows, default=None)
    return Beside(frame, date.fromisoformat(start) if start else None, coverage)


def values(ingested: Ingested) -> dict[str, float]:
    """Return the first column by ISO date."""
    return {f"{day:%Y-%m-%d}": value for day, value in ingested.frame.iloc[:, 0].items()}


def test_rows_are_sorted_typed_and_counted(tmp_path: Path) -> None:
    """A file in any order comes out as it is stored, and every row it holds is accounted for."""
    (tmp_path / "toy.csv").write_text(
        "date,spread,volume\n2024-02-01,9,9\n2024-01-04,52,0.0\n2024-01-03,,\n2024-01-02,50.125,4070530000\n"
    )
    spec = dataset(spread=SPREAD, volume=VOLUME)
    ingested = run(tmp_path, spec)
    expected = pd.DataFrame(
        {"spread": [50.125, 52.0], "volume": [4070530000, 0]},
        index=pd.DatetimeIndex(["2024-01-02", "2024-01-04"], name="date").as_unit("us"),
    )
    pd.testing.assert_frame_equal(ingested.frame, expected)
    assert (ingested.series, ingested.ways, ingested.window) == ("toy:SPREAD", ("file:toy.csv",), JANUARY)
    assert (ingested.rows_read, ingested.dropped) == (4, {"outside_window": 1, "missing": 1})
    assert ([one.rule for one in ingested.findings], ingested.accepted) == (["source_begins"], ())
    assert ingested.answered == Coverage((JANUARY,))
    assert set(ingested.seconds) == {"fetch", "conform"}
    assert all(seconds > 0 for seconds in ingested.seconds.values())


def test_dates_before_a_source_begins_are_told(tmp_path: Path) -> None:
    """They count as covered, for the source has nothing there, and a finding says since when it has."""
    write(tmp_path, {"2024-01-10": 50, "2024-01-31": 51})
    ingested = run(tmp_path, dataset())
    (told,) = ingested.findings
    assert (told.rule, told.severity, told.count) == ("source_begins", "info", 7)
    assert "begins on 2024-01-10; 2024-01-01..2024-01-09" in told.message
    assert ingested.answered == Coverage((JANUARY,))


def test_a_window_that_begins_on_closed_days_lacks_nothing(tmp_path: Path) -> None:
    """A source whose first row is that of the first session begins where the window does."""
    write(tmp_path, {"2024-01-08": 50, "2024-01-09": 51})
    assert run(tmp_path, dataset(), Window.parse("2024-01-06", "2024-01-09")).findings == ()


def test_stored_rows_before_a_source_begins_are_not_answered(tmp_path: Path) -> None:
    """A publisher that cut its history off has said nothing of the rows that are stored, not even to withdraw them."""
    write(tmp_path, {"2024-01-10": 50, "2024-01-31": 51})
    ingested = run(tmp_path, dataset(), stored=held({"2024-01-03": 48.0}))
    assert str(ingested.answered) == "2024-01-10..2024-01-31"
    assert said(ingested) == [("truncated", "warning", 1)]
    assert "begins on 2024-01-10; 1 stored row before it is kept" in ingested.findings[0].message
    assert ingested.findings[0].examples == ({"date": "2024-01-03"},)


def test_an_integer_column_with_missing_cells_stays_integer(tmp_path: Path) -> None:
    """A missing volume is null beside whole numbers, not a reason to store floats."""
    (tmp_path / "toy.csv").write_text("date,spread,volume\n2024-01-02,50,7\n2024-01-03,51,\n")
    volume = run(tmp_path, dataset(spread=SPREAD, volume=VOLUME)).frame["volume"]
    assert str(volume.dtype) == "Int64"
    assert volume.tolist() == [7, pd.NA]


def test_an_earlier_way_wins_and_a_later_one_extends(tmp_path: Path) -> None:
    """On shared dates the first way's row stands; the second adds what the first lacks, before, between and after."""
    write(tmp_path, {"2024-01-03": 50, "2024-01-05": 52}, "a.csv")
    write(tmp_path, {f"2024-01-0{day}": 90 + day for day in range(1, 9)}, "b.csv")
    ingested = run(tmp_path, dataset("a.csv", "b.csv"))
    assert list(values(ingested).values()) == [91, 92, 50, 94, 52, 96, 97, 98]
    assert ingested.ways == ("file:a.csv", "file:b.csv")
    assert (ingested.rows_read, ingested.dropped) == (10, {"superseded": 2})
    assert ingested.answered == Coverage((Window.parse("2024-01-01", "2024-01-08"),))


def test_a_way_that_fails_is_not_replaced_by_another(tmp_path: Path) -> None:
    """What the second file has is not passed off as the answer of both."""
    write(tmp_path, {"2024-01-03": "12abc"}, "a.csv")
    write(tmp_path, {"2024-01-03": 50}, "b.csv")
    with pytest.raises(UnreadableSourceError, match=r"a\.csv"):
        run(tmp_path, dataset("a.csv", "b.csv"))


def test_equal_duplicates_are_dropped_and_counted(tmp_path: Path) -> None:
    """The same row three times is stored once, and two are counted."""
    (tmp_path / "toy.csv").write_text("date,spread\n" + "2024-01-02,50\n" * 3)
    ingested = run(tmp_path, dataset())
    assert values(ingested) == {"2024-01-02": 50.0}
    assert ingested.dropped == {"duplicate": 2}


def test_a_conflicting_duplicate_stops_unless_accepted(tmp_path: Path) -> None:
    """Accepted, the last one published is kept; the finding and the record say that the rule was waived."""
    (tmp_path / "toy.csv").write_text("date,spread\n2024-01-01,50\n2024-01-31,60\n2024-01-01,51\n")
    with pytest.raises(RuleViolationError, match="conflicting_duplicate"):
        run(tmp_path, dataset())
    ingested = run(tmp_path, dataset(), accept=frozenset({"conflicting_duplicate", "unit_slip"}))
    assert values(ingested) == {"2024-01-01": 51.0, "2024-01-31": 60.0}
    assert ingested.accepted == ("conflicting_duplicate",)
    assert ingested.dropped == {"duplicate": 1}
    assert [(one.rule, one.severity) for one in ingested.findings] == [("conflicting_duplicate", "warning")]


def test_a_violation_says_what_was_found_and_how_to_store_it(tmp_path: Path) -> None:
    """Dataset, window, each finding, its first rows and the one command that waives them all."""
    write(tmp_path, {"2024-01-02": 50, "2024-01-03": 5000, "2024-01-04": 5500})
    with pytest.raises(RuleViolationError) as caught:
        run(tmp_path, dataset())
    assert str(caught.value).splitlines() == [
        "toy 2024-01-01..2024-01-31: nothing was stored, because what came breaks the rules unit_slip, hard_bounds.",
        (
            "  unit_slip: spread is about 100 times off: 5000 bp on 2024-01-03, beside 50 on 2024-01-02; "
            "percent taken for basis points, or the reverse? (2 rows)"
        ),
        "    date 2024-01-03, spread 5000.0",
        "    date 2024-01-04, spread 5500.0",
        "  hard_bounds: spread lies outside 5..2000 bp, which cannot be (2 rows)",
        "    date 2024-01-03, spread 5000.0",
        "    date 2024-01-04, spread 5500.0",
        (
            "If these rows are right, store them in spite of it: "
            "macrocredit backfill toy --start 2024-01-01 --end 2024-01-31 --accept unit_slip --accept hard_bounds"
        ),
    ]
    accepted = run(tmp_path, dataset(), accept=frozenset({"unit_slip", "hard_bounds"}))
    assert len(accepted.frame) == 3
    assert accepted.accepted == ("unit_slip", "hard_bounds")


def test_a_wrong_type_cannot_be_waived(tmp_path: Path) -> None:
    """A fraction of a share offers no --accept, for there is no way to store it."""
    (tmp_path / "toy.csv").write_text("date,spread,volume\n2024-01-02,50,7.5\n")
    with pytest.raises(RuleViolationError) as caught:
        run(tmp_path, dataset(spread=SPREAD, volume=VOLUME))
    assert "--accept" not in str(caught.value)
    assert "cannot be waived" in str(caught.value)


def test_the_command_that_waives_is_the_one_that_was_given(tmp_path: Path) -> None:
    """Who does not backfill is told how to do the same once more, with the rules to accept."""
    write(tmp_path, {"2024-01-02": 5000})
    with pytest.raises(
        RuleViolationError, match=r"ingest toy --history x\.csv --accept unit_slip --accept hard_bounds$"
    ):
        run(tmp_path, dataset(), again="macrocredit ingest toy --history x.csv")


def test_an_unknown_rule_is_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    """A typing mistake in --accept is found although the file does not exist."""
    spec = dataset()
    with pytest.raises(UsageError, match="hard_bound"):
        ingest(
            spec,
            JANUARY,
            Route("toy:SPREAD", spec.ways),
            build_sources(Settings(tmp_path, tmp_path, files=tmp_path)),
            today=LATER,
            accept=frozenset({"hard_bound"}),
        )


def test_levels_are_compared_with_stored_rows(tmp_path: Path) -> None:
    """The day after 380 bp, 3.9 is a slip, and the finding shows the level beside it."""
    write(tmp_path, {"2024-01-03": 3.9})
    stored = held({"2024-01-02": 380.0})
    with pytest.raises(RuleViolationError, match=r"3\.9 bp on 2024-01-03, beside 380 on 2024-01-02"):
        run(tmp_path, dataset(), stored=stored)


# what is answered


@pytest.mark.parametrize(
    ("last", "answered", "ended"),
    [
        ("2024-01-31", "2024-01-01..2024-01-31", False),
        ("2024-02-09", "2024-01-01..2024-01-31", False),
        ("2024-01-30", "2024-01-01..2024-01-30", True),
        ("2024-01-25", "2024-01-01..2024-01-25", True),
        ("2024-01-26", "2024-01-01..2024-01-28", True),
        ("2024-01-01", "2024-01-01..2024-01-01", True),
        ("2023-12-31", "nothing", True),
        ("2023-12-29", "nothing", True),
    ],
)
def test_the_answer_goes_as_far_as_the_source(tmp_path: Path, last: str, answered: str, ended: bool) -> None:
    """Up to the source's last date and over the closed days after it, but never over a session that it lacks."""
    write(tmp_path, {"2023-12-28": 50, last: 51})
    ingested = run(tmp_path, dataset())
    assert str(ingested.answered) == answered
    assert [one.rule for one in ingested.findings] == ["stale_source"] * ended
    assert all(f"until {last}" in one.message for one in ingested.findings)


def test_a_window_that_ends_on_closed_days_is_answered_whole(tmp_path: Path) -> None:
    """Friday's value answers the weekend, and a weekend alone is answered without a row."""
    write(tmp_path, {"2024-01-05": 50})
    week, weekend = Window.parse("2024-01-01", "2024-01-07"), Window.parse("2024-01-06", "2024-01-07")
    assert run(tmp_path, dataset(), week).answered == Coverage((week,))
    empty = run(tmp_path, dataset(), weekend)
    assert (len(empty.frame), empty.answered, empty.findings) == (0, Coverage((weekend,)), ())
    assert empty.frame.dtypes.to_dict() == {"spread": "float64"}
    assert empty.frame.index.dtype == "datetime64[us]"


def test_dates_before_the_source_begins_are_answered(tmp_path: Path) -> None:
    """There is nothing before a source's first value, and that is an answer."""
    write(tmp_path, {"2024-06-03": 50})
    ingested = run(tmp_path, dataset())
    assert (len(ingested.frame), ingested.answered) == (0, Coverage((JANUARY,)))
    assert [one.rule for one in ingested.findings] == ["source_begins"]


def test_a_source_without_values_answers_nothing(tmp_path: Path) -> None:
    """An empty file is no statement about any date."""
    write(tmp_path, {"2024-01-02": "."})
    ingested = run(tmp_path, dataset())
    assert (ingested.answered, [one.rule for one in ingested.findings]) == (Coverage(), ["stale_source"])


def test_the_sample_answers_every_window(tmp_path: Path) -> None:
    """A simulated dataset answers its window whole, weekend ends included."""
    spec, sources = load_catalog().datasets["cdx_ig_5y"], build_sources(Settings(tmp_path, tmp_path))
    window = Window.parse("2024-01-01", "2024-01-07")
    ingested = ingest(spec, window, choose(spec, "sample", sources), sources, today=date(2024, 1, 8))
    assert (ingested.answered, ingested.series) == (Coverage((window,)), "sample:cdx_ig_5y")
    assert len(ingested.frame) == 4


THURSDAY, FRIDAY, SATURDAY, SUNDAY, MONDAY = (date(2024, 1, day) for day in (25, 26, 27, 28, 29))


def said(ingested: Ingested) -> list[tuple[str, str, int]]:
    """Return rule, severity and count of every finding."""
    return [(one.rule, one.severity, one.count) for one in ingested.findings]


def lagging(lag: int, *paths: str) -> DatasetSpec:
    """Return a dataset whose rows come so many sessions after their own."""
    return dataset(*paths).model_copy(update={"publication_lag": lag})


@pytest.mark.parametrize(
    ("lag", "today", "answered", "findings"),
    [
        # Friday's row lacks; Monday's has come
        (0, FRIDAY, "2024-01-22..2024-01-25, 2024-01-27..2024-01-31", ["not_yet_published"]),
        (0, SATURDAY, "2024-01-22..2024-01-31", []),
        (1, MONDAY, "2024-01-22..2024-01-25, 2024-01-27..2024-01-31", ["not_yet_published"]),
        (1, date(2024, 1, 30), "2024-01-22..2024-01-31", []),
        (2, date(2024, 1, 30), "2024-01-22..2024-01-25, 2024-01-27..2024-01-31", ["not_yet_published"]),
        (2, date(2024, 1, 31), "2024-01-22..2024-01-31", []),
    ],
)
def test_a_gap_is_open_until_its_lag_is_over(
    tmp_path: Path, lag: int, today: date, answered: str, findings: list[str]
) -> None:
    """A session that the source left out, with rows after it, is asked again until its row must be there."""
    days = (22, 23, 24, 25, 29, 30, 31)
    write(tmp_path, {f"2024-01-{day}": 50 + day / 100 for day in days} | {"2024-02-01": 51})
    ingested = run(tmp_path, lagging(lag), Window.parse("2024-01-22", "2024-01-31"), today=today)

    assert str(ingested.answered) == answered
    assert [one.rule for one in ingested.findings] == findings
    assert len(ingested.frame) == 7


def test_a_row_inside_its_lag_is_answered(tmp_path: Path) -> None:
    """What comes early is there; only what lacks is asked again."""
    write(tmp_path, {"2024-01-25": 50, "2024-01-26": 51})
    ingested = run(tmp_path, lagging(3), Window(THURSDAY, FRIDAY), today=FRIDAY)

    assert (str(ingested.answered), said(ingested)) == ("2024-01-25..2024-01-26", [])


@pytest.mark.parametrize(
    ("today", "findings"),
    [
        (MONDAY, [("not_yet_published", "info", 1)]),
        (date(2024, 1, 30), [("stale_source", "warning", 1)]),
    ],
)
def test_a_source_that_ends_inside_the_lag_is_no_warning(
    tmp_path: Path, today: date, findings: list[tuple[str, str, int]]
) -> None:
    """Friday's row is due by Monday's end: until then its absence is a note, from Tuesday on a warning."""
    write(tmp_path, {"2024-01-24": 50, "2024-01-25": 51})
    ingested = run(tmp_path, lagging(1), Window(THURSDAY, SUNDAY), today=today)

    assert (str(ingested.answered), said(ingested)) == ("2024-01-25..2024-01-25", findings)


def test_what_is_awaited_is_named(tmp_path: Path) -> None:
    """The note says how long the lag is, and gives the first days by date."""
    write(tmp_path, {"2024-01-19": 50})
    ingested = run(tmp_path, lagging(9), Window.parse("2024-01-20", "2024-01-29"), today=date(2024, 1, 30))
    (note,) = ingested.findings

    assert note.message == "toy: the source has no row yet; its publication lag is 9 sessions"
    assert (note.count, note.examples[0]) == (6, {"date": "2024-01-22"})
    assert len(note.examples) == 5
    assert str(ingested.answered) == "2024-01-20..2024-01-21"


def test_a_weekend_behind_an_awaited_session_stays_open(tmp_path: Path) -> None:
    """Closed days are answered with the session before them, for the source has not reached them yet."""
    write(tmp_path, {"2024-01-25": 50})
    ingested = run(tmp_path, lagging(1), Window(SATURDAY, SUNDAY), today=MONDAY)

    assert (ingested.answered, said(ingested)) == (Coverage(), [])


def test_days_of_a_users_own_decide_what_is_a_session(tmp_path: Path) -> None:
    """A Friday that the user closed is answered by Thursday's row, whatever the shipped calendar says."""
    write(tmp_path, {"2024-01-25": 50})
    closed = dataset().model_copy(update={"special_days": SpecialDays(closed={FRIDAY: "mourning"})})

    assert run(tmp_path, dataset(), Window(THURSDAY, FRIDAY)).answered.days == 1
    ingested = run(tmp_path, closed, Window(THURSDAY, FRIDAY))
    assert (ingested.answered.days, said(ingested)) == (2, [])


@pytest.mark.parametrize(("rows", "told"), [({"2024-01-10": 50}, []), ({"2024-01-25": 50}, ["closed_day"])])
def test_a_window_after_the_end_of_a_series_is_answered(
    tmp_path: Path, rows: dict[str, float | str], told: list[str]
) -> None:
    """Nothing is expected in it, wherever a file ends; a row that is there all the same is stored, and told."""
    write(tmp_path, rows)
    spec = dataset().model_copy(update={"ended": date(2024, 1, 19)})
    ingested = run(tmp_path, spec, Window(THURSDAY, MONDAY))

    assert values(ingested) == {day: value for day, value in rows.items() if day == "2024-01-25"}
    assert str(ingested.answered) == "2024-01-25..2024-01-29"
    assert [one.rule for one in ingested.findings] == told


def test_a_row_on_a_closed_day_is_stored(tmp_path: Path) -> None:
    """Data win over a calendar: a Saturday's row is in the frame, answered, and told."""
    write(tmp_path, {"2024-01-26": 50, "2024-01-27": 51})
    ingested = run(tmp_path, dataset(), Window(FRIDAY, SUNDAY))

    assert values(ingested) == {"2024-01-26": 50.0, "2024-01-27": 51.0}
    assert (str(ingested.answered), said(ingested)) == ("2024-01-26..2024-01-28", [("closed_day", "info", 1)])


def test_a_real_gap_is_open_while_it_is_young(real_data: Path) -> None:
    """ICE left out 2015-01-16, a Friday: two sessions later it is a gap of the source, until then it is asked again."""
    spec, window = load_catalog().datasets["us_hy_oas"], Window.parse("2015-01-12", "2015-01-25")

    # the lag is two sessions: Monday and Tuesday
    tuesday, wednesday = (run(real_data, spec, window, today=date(2015, 1, day)) for day in (20, 21))
    assert str(tuesday.answered.holes(window)) == "2015-01-16..2015-01-16"
    assert wednesday.answered == Coverage((window,))


# the shipped catalog on real files


@pytest.mark.parametrize(
    ("name", "day", "value"),
    [
        ("vix", "2008-11-20", 80.86),
        ("vix", "2020-03-16", 82.69),
        ("us_hy_oas", "2008-12-15", 2182.0),
        ("us_ig_oas", "2008-12-05", 656.0),
        ("cdx_ig_5y", "2008-11-20", 269.49),
        ("sp500", "2020-10-02", 3348.42),
        ("sp500", "2024-12-31", 5881.63),
        ("spy", "2020-03-23", 222.95),
    ],
)
def test_known_values_of_real_files(real_data: Path, name: str, day: str, value: float) -> None:
    """Well-known closes come through the whole path, to a hundredth."""
    spec = load_catalog().datasets[name]
    ingested = run(real_data, spec, Window.parse("2004-01-01", "2024-12-31"))
    assert float(ingested.frame[spec.main].loc[pd.Timestamp(day)]) == pytest.approx(value, abs=0.01)


def test_conversion_is_exact_on_a_real_file(real_data: Path) -> None:
    """Every percent of the HY OAS file is the whole number of basis points that its two decimals say."""
    ingested = run(real_data, load_catalog().datasets["us_hy_oas"], Window.parse("1990-01-01", "2026-12-31"))
    assert all(value == int(value) for value in values(ingested).values())
    assert "2023-09-30" in values(ingested)
