"""Reading from a notebook, held against plain pandas."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import macrocredit_assets
from macrocredit_assets.catalog import arrow_schema, load_catalog
from macrocredit_assets.errors import NotCoveredError, UnknownDatasetError, UsageError, WindowError
from macrocredit_assets.known import as_of_instant
from macrocredit_assets.persistence import DatasetStore
from macrocredit_assets.persistence.records import Provenance
from macrocredit_assets.research import load, load_panel
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

_VIX = pd.DataFrame(
    {"open": [13.0, 14.0, 15.0], "close": [13.5, np.nan, 15.5]},
    index=pd.DatetimeIndex(["2024-01-02", "2024-01-03", "2024-01-05"], name="date"),
)
_OAS = pd.DataFrame({"oas": [330.0, 340.0]}, index=pd.DatetimeIndex(["2024-01-03", "2024-01-04"], name="date"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Write two datasets of the catalog, covered from 2 to 8 January 2024."""
    settings = Settings(root=tmp_path, dagster_home=tmp_path / ".dagster")
    for name, frame in (("vix", _VIX), ("us_hy_oas", _OAS)):
        schema = pa.schema([pa.field(column, pa.float64()) for column in frame.columns])
        store = DatasetStore(settings.dataset_path("market", name), schema)
        store.write(Window(date(2024, 1, 2), date(2024, 1, 8)), frame, series=f"desk:{name}")
    return settings


def test_whole_dataset(settings: Settings) -> None:
    """Without bounds everything is read, with the index that the files have."""
    frame = load("vix", settings=settings)
    pd.testing.assert_frame_equal(frame, _VIX, check_index_type=False)
    assert frame.index.name == "date"
    assert frame.index.dtype == "datetime64[us]"


@pytest.mark.parametrize(
    "bound",
    ["2024-01-03", date(2024, 1, 3), datetime.fromisoformat("2024-01-03T17:30"), pd.Timestamp("2024-01-03 17:30")],
)
def test_bounds_are_dates_in_any_form_and_included(settings: Settings, bound: str | date) -> None:
    """A start and an end may be text, date or timestamp; the whole day belongs to the window."""
    assert [*load("vix", start=bound, settings=settings)["open"]] == [14.0, 15.0]
    assert [*load("vix", end=bound, settings=settings)["open"]] == [13.0, 14.0]
    assert [*load("vix", bound, bound, settings=settings)["open"]] == [14.0]


def test_columns_are_chosen_and_ordered(settings: Settings) -> None:
    """Columns come in the order in which they are asked for."""
    assert [*load("vix", columns=["close", "open"], settings=settings).columns] == ["close", "open"]
    with pytest.raises(KeyError, match="open, close"):
        load("vix", columns=["last"], settings=settings)


def test_one_column_may_be_named_without_a_list(settings: Settings) -> None:
    """A text is one column, not its letters."""
    assert load("vix", columns="close", settings=settings).columns.tolist() == ["close"]


def test_date_that_is_none_is_refused_in_a_sentence(settings: Settings) -> None:
    """What pandas gives where a date is missing is no bound of a window, and no moment."""
    with pytest.raises(ValueError, match="NaT is no date; None leaves"):
        load("vix", pd.NaT, settings=settings)
    with pytest.raises(ValueError, match="NaT is no moment; None reads"):
        load("vix", as_of=pd.NaT, settings=settings)


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-10:00", "0001-01-01T00:00+14:00"])
def test_moment_beyond_the_years_of_a_calendar_is_refused(settings: Settings, moment: str) -> None:
    """A moment whose UTC date has no year of four digits is no moment."""
    with pytest.raises(UsageError, match="years 1 to 9999"):
        load("vix", as_of=moment, settings=settings)


def test_days_of_numpy_are_dates(settings: Settings) -> None:
    """A day of numpy's is a date, as bound and as moment; finer moments of it are none, for want of a time zone."""
    first = np.datetime64("2024-01-02")
    assert load("vix", first, settings=settings).equals(load("vix", "2024-01-02", settings=settings))  # type: ignore[arg-type]
    assert as_of_instant(np.datetime64("2024-05-01")) == as_of_instant("2024-05-01")
    with pytest.raises(UsageError, match="is no moment; write a date"):
        as_of_instant(np.datetime64("2024-05-01T18:00"))


def test_number_is_no_date_and_no_moment(settings: Settings) -> None:
    """A year alone says neither where a window begins nor what was known when."""
    with pytest.raises(UsageError, match="2020 is no date; write it as YYYY-MM-DD"):
        load("vix", start=2020, settings=settings)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="2020 is no moment; write a date"):
        load("vix", as_of=2020, settings=settings)  # type: ignore[arg-type]


def test_panel_of_a_text_is_refused_in_a_sentence(settings: Settings) -> None:
    """One name is no sequence of names."""
    with pytest.raises(TypeError, match=r"write load_panel\(\['vix'\]\), or load\('vix'\)"):
        load_panel("vix", settings=settings)


@pytest.mark.parametrize("moment", ["20240105", "2024-W01-5", "20240105T120000Z"])
def test_moment_is_written_in_one_way(settings: Settings, moment: str) -> None:
    """Other ways to write a date, which the standard library takes, are refused."""
    with pytest.raises(UsageError, match="is no moment"):
        load("vix", as_of=moment, settings=settings)


def test_covered_day_without_row_is_empty(settings: Settings) -> None:
    """A closed day that was asked for and answered gives no row and no error."""
    frame = load("vix", "2024-01-06", "2024-01-07", settings=settings)
    assert frame.empty
    assert [*frame.columns] == ["open", "close"]


@pytest.mark.parametrize(
    ("name", "start", "end", "command"),
    [
        ("vix", "2023-01-01", "2023-06-30", "macrocredit backfill vix --start 2023-01-01 --end 2023-06-30"),
        ("vix", "2024-02-01", None, "macrocredit backfill vix --start 2024-02-01"),
        ("vix", None, "2023-06-30", "macrocredit backfill vix --start 1990-01-01 --end 2023-06-30"),
        ("move", "2024-01-02", None, "macrocredit backfill move --start 2024-01-02"),
    ],
)
def test_nothing_there_is_an_error_with_the_exact_command(
    settings: Settings, name: str, start: str | None, end: str | None, command: str
) -> None:
    """Where no date of the window was ingested, the error is the command that changes it."""
    with pytest.raises(NotCoveredError) as caught:
        load(name, start, end, settings=settings)
    assert str(caught.value).endswith(f"Run: {command}")


def test_partly_covered_window_gives_what_is_there(settings: Settings) -> None:
    """A window that reaches beyond what is covered is no error."""
    assert len(load("vix", "2020-01-01", "2030-01-01", settings=settings)) == 3


@pytest.mark.parametrize("name", ["vixx", "../raw/vix", "raw/vix", "", ".."])
def test_unknown_name_is_refused(settings: Settings, name: str) -> None:
    """A name that neither the root nor the catalog has is refused; no path is followed."""
    with pytest.raises(UnknownDatasetError):
        load(name, settings=settings)


def test_reversed_window_is_refused(settings: Settings) -> None:
    """An end before the start is a mistake, not an empty frame."""
    with pytest.raises(WindowError, match="reversed"):
        load("vix", "2024-01-05", "2024-01-02", settings=settings)


def test_file_that_the_catalog_does_not_list_can_be_read(settings: Settings) -> None:
    """A dataset that has left the catalog is still there."""
    path = settings.dataset_path("market", "old_desk")
    DatasetStore(path, pa.schema([pa.field("close", pa.float64())])).write(
        Window(date(2024, 1, 2), date(2024, 1, 8)), _VIX[["close"]], series="desk:old"
    )
    assert len(load("old_desk", settings=settings)) == 3


def test_panel_is_an_outer_join_without_filling(settings: Settings) -> None:
    """A panel has every date that any dataset has, and NaN where one has none; the main column is the default."""
    panel = load_panel(["us_hy_oas", "vix", "vix.open"], settings=settings)
    expected = pd.DataFrame(
        {
            "us_hy_oas": [np.nan, 330.0, 340.0, np.nan],
            "vix": [13.5, np.nan, np.nan, 15.5],
            "vix.open": [13.0, 14.0, np.nan, 15.0],
        },
        index=pd.DatetimeIndex(
            ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"], name="date", dtype="datetime64[us]"
        ),
    )
    pd.testing.assert_frame_equal(panel, expected)


def test_panel_of_one_column(settings: Settings) -> None:
    """A column stands for all names, but not for one that says its own."""
    panel = load_panel(["vix", "vix.close"], "open", "2024-01-03", "2024-01-05", settings=settings)
    assert [*panel.columns] == ["vix", "vix.close"]
    assert [*panel["vix"]] == [14.0, 15.0]
    assert [*panel["vix.close"].fillna(-1.0)] == [-1.0, 15.5]
    with pytest.raises(KeyError, match="oas"):
        load_panel(["vix", "us_hy_oas"], "open", settings=settings)


def test_panel_of_nothing_is_empty(settings: Settings) -> None:
    """No names give no columns."""
    assert load_panel([], settings=settings).shape == (0, 0)


_FIRST, _RESTATED, _WITHDRAWN, _SWITCHED = (datetime(2024, 1, day, 22, 0, tzinfo=UTC) for day in (5, 8, 11, 20))


def _write(
    settings: Settings,
    name: str,
    known_at: datetime,
    rows: dict[str, list[float]],
    answered: tuple[str, str],
    **how: object,
) -> None:
    """Write rows of a dataset as of a moment: date -> one value for each column of its catalog entry."""
    entry = load_catalog().entry(name)
    frame = pd.DataFrame.from_dict(rows, "index", columns=[*entry.columns], dtype="float64")
    frame.index = pd.DatetimeIndex(frame.index, name="date")
    store = DatasetStore(settings.dataset_path("market", name), arrow_schema(entry), clock=lambda: known_at)
    store.write(Window.parse(*answered), frame, **{"series": "desk:old", **how})


@pytest.fixture
def history(tmp_path: Path) -> Settings:
    """Write a dataset that was restated, lost a row, and was then taken from elsewhere."""
    settings = Settings(root=tmp_path, dagster_home=tmp_path / ".dagster")
    rows = {"2024-01-02": [331.0], "2024-01-03": [332.0], "2024-01-04": [333.0]}
    _write(settings, "us_hy_oas", _FIRST, rows, ("2024-01-02", "2024-01-04"))
    rows = {"2024-01-04": [343.0], "2024-01-05": [345.0]}
    _write(settings, "us_hy_oas", _RESTATED, rows, ("2024-01-04", "2024-01-05"))
    _write(settings, "us_hy_oas", _WITHDRAWN, {}, ("2024-01-03", "2024-01-03"), withdraw=True)
    rows = {"2024-01-04": [360.0], "2024-01-05": [361.0]}
    switch = {"series": "desk:new", "switch": True, "provenance": Provenance(reason="the desk's own were off")}
    _write(settings, "us_hy_oas", _SWITCHED, rows, ("2024-01-04", "2024-01-05"), **switch)
    return settings


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        ("2024-01-05T22:00:00+00:00", {2: 331.0, 3: 332.0, 4: 333.0}),
        ("2024-01-05", {2: 331.0, 3: 332.0, 4: 333.0}),
        (date(2024, 1, 7), {2: 331.0, 3: 332.0, 4: 333.0}),
        ("2024-01-08T21:59:59.999999Z", {2: 331.0, 3: 332.0, 4: 333.0}),
        ("2024-01-08T22:00Z", {2: 331.0, 3: 332.0, 4: 343.0, 5: 345.0}),
        (pd.Timestamp("2024-01-08 17:00", tz="America/New_York"), {2: 331.0, 3: 332.0, 4: 343.0, 5: 345.0}),
        (date(2024, 1, 11), {2: 331.0, 4: 343.0, 5: 345.0}),
        (datetime(2024, 1, 20, 21, tzinfo=UTC), {2: 331.0, 4: 343.0, 5: 345.0}),
        ("2024-01-20", {4: 360.0, 5: 361.0}),
        ("2099-01-01", {4: 360.0, 5: 361.0}),
    ],
)
def test_as_of_gives_what_was_known_then(
    history: Settings, as_of: str | date | datetime, expected: dict[int, float]
) -> None:
    """Restated values, withdrawn rows and a closed series come back as of before; the moment itself is included."""
    frame = load("us_hy_oas", as_of=as_of, settings=history)
    assert {day.day: value for day, value in frame["oas"].items()} == expected
    panel = load_panel(["us_hy_oas"], as_of=as_of, settings=history)
    assert [*panel["us_hy_oas"]] == [*expected.values()]
    window = load("us_hy_oas", "2024-01-04", "2024-01-04", ["oas"], as_of, settings=history)
    assert [*window["oas"]] == [expected[4]]


def test_reading_without_as_of_is_reading_as_of_now(history: Settings) -> None:
    """The current file and its revisions say the same."""
    now = load("us_hy_oas", settings=history)
    pd.testing.assert_frame_equal(now, load("us_hy_oas", as_of=datetime.now(UTC), settings=history))


@pytest.mark.parametrize(
    ("window", "as_of", "said"),
    [
        ((None, None), "2024-01-04", "it is known since 2024-01-05T22:00:00+00:00"),
        ((None, None), "2024-01-05T21:59:59.999999Z", "it is known since 2024-01-05T22:00:00+00:00"),
        (("2024-01-05", None), "2024-01-05", "known since 2024-01-08T22:00:00+00:00 (revision 2)"),
        (("2024-01-02", "2024-01-03"), "2024-01-20", "last revision for these dates is 3"),
        (("2023-01-01", "2023-01-31"), "2024-01-20", "macrocredit backfill us_hy_oas --start 2023-01-01"),
    ],
    ids=["day before", "microsecond before", "later rows", "closed series", "never"],
)
def test_nothing_known_then_is_an_error_that_says_since_when(
    history: Settings, window: tuple[str | None, str | None], as_of: str, said: str
) -> None:
    """Before the first revision of a window there is nothing, not even an empty frame."""
    with pytest.raises(NotCoveredError) as caught:
        load("us_hy_oas", *window, as_of=as_of, settings=history)
    assert said in str(caught.value)


def test_closed_days_that_were_covered_without_a_revision_are_empty(history: Settings) -> None:
    """A weekend asked for later leaves no revision: there was no row, as of any moment."""
    _write(history, "us_hy_oas", _SWITCHED, {}, ("2024-01-06", "2024-01-07"), series="desk:new")
    assert load("us_hy_oas", "2024-01-06", "2024-01-07", as_of="2024-01-21", settings=history).empty


def test_file_without_revisions_is_known_since_it_was_written(settings: Settings) -> None:
    """Rows from before revisions were kept are known since their file was written, as far as anybody can tell."""
    shutil.rmtree(settings.data_directory / "revisions")
    assert len(load("vix", as_of="2099-01-01", settings=settings)) == 3
    with pytest.raises(NotCoveredError, match="was written at"):
        load("vix", as_of="2024-01-05", settings=settings)


def test_dataset_that_holds_nothing_says_so_as_of_any_moment(settings: Settings) -> None:
    """Nothing stored is nothing known."""
    with pytest.raises(NotCoveredError, match="macrocredit backfill move"):
        load("move", as_of="2024-01-05", settings=settings)


@pytest.mark.parametrize(
    "moment",
    ["2024-01-05T22:00", "2024-01-05 22:00:00", datetime.fromisoformat("2024-01-05"), pd.Timestamp("2024-01-05")],
)
def test_time_without_its_zone_is_refused(history: Settings, moment: str | datetime) -> None:
    """A time of which nobody knows where it was is not guessed to be UTC."""
    with pytest.raises(UsageError, match="time zone"):
        load("us_hy_oas", as_of=moment, settings=history)


def test_moment_that_is_none_is_refused(history: Settings) -> None:
    """Text that is neither a date nor an instant is a mistake."""
    with pytest.raises(UsageError, match="no moment"):
        load("us_hy_oas", as_of="yesterday", settings=history)


def test_dataset_of_one_file_a_year_reads_as_any_other(tmp_path: Path) -> None:
    """A reader need not know how a dataset is kept, as of now or before."""
    settings = Settings(root=tmp_path, dagster_home=tmp_path / ".dagster")
    schema = pa.schema([pa.field("close", pa.float64())])
    for known_at, close in ((_FIRST, 1.0), (_RESTATED, 2.0)):
        path = settings.dataset_path("market", "wide")
        store = DatasetStore(path, schema, chunk="year", clock=lambda known_at=known_at: known_at)
        index = pd.DatetimeIndex(["2023-12-29", "2024-01-02"], name="date")
        frame = pd.DataFrame({"close": [0.5, close]}, index=index)
        store.write(Window.parse("2023-12-29", "2024-01-02"), frame, series="desk:wide")
    assert [*load("wide", settings=settings)["close"]] == [0.5, 2.0]
    assert [*load("wide", "2024-01-01", settings=settings)["close"]] == [2.0]
    assert [*load("wide", as_of=_FIRST, settings=settings)["close"]] == [0.5, 1.0]


@pytest.fixture
def fund(tmp_path: Path) -> Settings:
    """Write a fund that paid 2 after a close of 100 on 4 January, of which was learned on the 8th."""
    settings = Settings(root=tmp_path, dagster_home=tmp_path / ".dagster")
    rows = {
        "2024-01-02": [80.0, 80.0, 80.0, 80.0, 10, 0.0, 0.0],
        "2024-01-03": [100.0, 100.0, 100.0, 100.0, 11, 0.0, 0.0],
        "2024-01-04": [98.0, 98.0, 98.0, 98.0, 12, 0.0, 0.0],
    }
    _write(settings, "hyg", _FIRST, rows, ("2024-01-02", "2024-01-04"))
    rows["2024-01-04"][5] = 2.0
    _write(settings, "hyg", _RESTATED, rows, ("2024-01-02", "2024-01-04"))
    return settings


def test_adjusted_prices_of_a_window_know_what_was_paid_after_it(fund: Settings) -> None:
    """Adjusting comes before trimming: a part of the adjusted history is that part of all of it."""
    whole = load("hyg", adjusted=True, settings=fund)
    assert [*whole["close"]] == pytest.approx([78.4, 98.0, 98.0])
    assert [*whole["volume"]] == [10, 11, 12]
    part = load("hyg", "2024-01-02", "2024-01-03", ["volume", "close"], adjusted=True, settings=fund)
    pd.testing.assert_frame_equal(part, whole.loc[:"2024-01-03", ["volume", "close"]])


def test_adjusted_as_of_knows_only_what_was_paid_as_far_as_was_known(fund: Settings) -> None:
    """Before anybody knew of the dividend, adjusted prices were the traded ones."""
    then = load("hyg", as_of=_FIRST, adjusted=True, settings=fund)
    assert [*then["close"]] == [80.0, 100.0, 98.0]
    later = load("hyg", as_of=_RESTATED, adjusted=True, settings=fund)
    assert [*later["close"]] == pytest.approx([78.4, 98.0, 98.0])


def test_adjusting_is_refused_where_it_cannot_be_done(fund: Settings, settings: Settings) -> None:
    """No dividends, no such column, and no such window are errors of their own."""
    with pytest.raises(UsageError, match="vix cannot be adjusted"):
        load("vix", adjusted=True, settings=settings)
    with pytest.raises(KeyError, match="'hyg' has no column last; it has open"):
        load("hyg", columns=["last"], adjusted=True, settings=fund)
    with pytest.raises(NotCoveredError, match="never ingested"):
        load("hyg", "2020-01-01", "2020-01-31", adjusted=True, settings=fund)


def test_real_fund_is_adjusted_as_yahoo_does(real_data: Path, tmp_path: Path) -> None:
    """A year read out of a stored history has Yahoo's adjusted closes (tolerance: tests/test_adjust.py)."""
    settings = Settings(root=tmp_path, dagster_home=tmp_path / ".dagster")
    entry = load_catalog().entry("hyg")
    theirs = pd.read_csv(real_data / "hyg_daily_yahoo.csv", index_col="Date", parse_dates=True)
    columns = ["Open", "High", "Low", "Close", "Volume", "Dividends", "Stock Splits"]
    frame = theirs[columns].set_axis([*entry.columns], axis="columns")
    store = DatasetStore(settings.dataset_path("market", "hyg"), arrow_schema(entry))
    store.write(Window.parse("2007-01-01", "2026-02-09"), frame, series="yahoo:HYG")
    ours = load("hyg", "2009-01-01", "2009-12-31", ["close"], adjusted=True, settings=settings)["close"]
    expected = theirs.loc["2009", "Adj Close"]
    assert [*ours.index] == [*expected.index]
    np.testing.assert_allclose(ours, expected, rtol=2e-6)


def test_call_without_settings_reads_the_root_in_the_environment(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notebook reads the root that its environment names, at the time of the call."""
    monkeypatch.setenv("MACROCREDIT_ROOT", str(settings.root))
    assert len(macrocredit_assets.load("vix")) == 3
    assert [*macrocredit_assets.load_panel(["vix"]).columns] == ["vix"]


def test_package_exports_lazily() -> None:
    """Importing the package imports no pandas, and reading from it never imports dagster."""
    script = (
        "import sys, macrocredit_assets as m; assert 'pandas' not in sys.modules;"
        "assert {'load', 'load_panel'} <= set(dir(m)); m.load; assert 'pandas' in sys.modules;"
        "assert 'dagster' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_unknown_export_is_an_attribute_error() -> None:
    """A name that the package does not export is refused as any module refuses it."""
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        macrocredit_assets.lode  # noqa: B018 - the access is what is tested
