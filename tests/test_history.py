"""A user's own archive: how it is described, what of it is stored, and what is recorded."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from macrocredit_assets.catalog import DatasetSpec, load_catalog
from macrocredit_assets.errors import (
    RootKindError,
    RuleViolationError,
    SeriesMismatchError,
    UnreadableSourceError,
    UsageError,
)
from macrocredit_assets.history import Layout, archive_way, ingest_history
from macrocredit_assets.persistence import DatasetStore, read_root_kind
from macrocredit_assets.persistence.run_log import RunDocument, read_run
from macrocredit_assets.settings import Settings
from macrocredit_assets.sync import verify

_CATALOG = load_catalog()
_SPX = "yahoo:^GSPC"
_TODAY = date(2024, 2, 1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return the settings of an empty root."""
    root = tmp_path / "root"
    return Settings(root=root, dagster_home=root / ".dagster", profile="files")


def _spec(name: str = "sp500") -> DatasetSpec:
    return _CATALOG.datasets[name]


def _file(folder: Path, *lines: str, name: str = "archive.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def _ingest(settings: Settings, path: Path, layout: Layout, name: str = "sp500", **options: Any) -> RunDocument:  # noqa: ANN401
    return read_run(ingest_history(_spec(name), path, layout, settings, today=_TODAY, **options))


def _stored(settings: Settings, name: str = "sp500") -> DatasetStore:
    return DatasetStore(settings.dataset_path("market", name))


def _coverage(settings: Settings) -> str:
    head = _stored(settings).head()
    assert head is not None
    return str(head.coverage)


def test_rows_older_than_the_first_partition_are_stored(settings: Settings, tmp_path: Path) -> None:
    """1987 is before every partition; its rows are stored, and its dates from first to last are covered."""
    path = _file(tmp_path, "date,close", "1987-10-16,282.70", "1987-10-19,224.84", "1987-10-20,236.83")
    _ingest(settings, path, Layout(series=_SPX))
    store = _stored(settings)
    assert store.read_frame()["close"].to_dict() == {
        pd.Timestamp("1987-10-16"): 282.70,
        pd.Timestamp("1987-10-19"): 224.84,
        pd.Timestamp("1987-10-20"): 236.83,
    }
    head = store.head()
    assert head is not None
    assert str(head.coverage) == "1987-10-16..1987-10-20"
    assert head.series == _SPX


def test_revision_run_log_and_registry_tell_of_it(settings: Settings, tmp_path: Path) -> None:
    """The file's name, the run and the counts stand in the revision, the run log and the registry alike."""
    path = _file(tmp_path, "date,close", "1987-10-19,224.84")
    run = _ingest(settings, path, Layout(series=_SPX))
    (revision,) = _stored(settings).revisions()
    assert (revision.run_id, revision.ways) == (run.header.run_id, ("history:archive.csv",))
    assert (run.header.job, run.status, run.header.window) == ("ingest --history", "success", None)
    entry = run.assets["sp500"]
    assert (entry["window"], entry["inserted"], entry["revision"]) == ("1987-10-19..1987-10-19", 1, 1)
    metadata = json.loads(settings.registry_path.read_text())["sp500"]["metadata"]
    assert (metadata["run_id"], metadata["source"]) == (run.header.run_id, "history")
    assert verify(settings, _CATALOG) == []


def test_archive_adds_to_and_restates_what_is_stored(settings: Settings, tmp_path: Path) -> None:
    """A second archive of the series inserts, restates and keeps, as any other way does."""
    _ingest(settings, _file(tmp_path, "date,close", "1987-10-16,282.70", "1987-10-20,236.83"), Layout(series=_SPX))
    second = _file(tmp_path, "date,close", "1987-10-15,298.08", "1987-10-16,282.71", name="second.csv")
    entry = _ingest(settings, second, Layout(series=_SPX)).assets["sp500"]
    assert (entry["inserted"], entry["changed"], entry["vanished"]) == (1, 1, 0)
    assert _stored(settings).read_frame()["close"].tolist() == [298.08, 282.71, 236.83]


def test_same_archive_again_changes_nothing(settings: Settings, tmp_path: Path) -> None:
    """Twice the same file is one revision, and the bytes of the dataset stay."""
    path = _file(tmp_path, "date,close", "1987-10-19,224.84")
    _ingest(settings, path, Layout(series=_SPX))
    before = _stored(settings).path.stat().st_mtime_ns
    assert _ingest(settings, path, Layout(series=_SPX)).assets["sp500"]["status"] == "unchanged"
    assert _stored(settings).path.stat().st_mtime_ns == before
    assert len(_stored(settings).revisions()) == 1


def test_file_is_read_as_it_is_described(settings: Settings, tmp_path: Path) -> None:
    """Header, date format, separator and factor are as the user says: 5.63 percent are 563 basis points."""
    path = _file(tmp_path, "Day;High Yield", "04.01.1999;5.63", "05.01.1999;5.57")
    layout = Layout("fred:BAMLH0A0HYM2", {"oas": "High Yield"}, "Day", "%d.%m.%Y", 100, ";")
    _ingest(settings, path, layout, "us_hy_oas")
    frame = _stored(settings, "us_hy_oas").read_frame()
    assert frame["oas"].to_dict() == {pd.Timestamp("1999-01-04"): 563.0, pd.Timestamp("1999-01-05"): 557.0}


def test_file_of_the_catalog_is_read_as_the_catalog_says(tmp_path: Path) -> None:
    """A name that stands in the catalog brings its own description; what the user says goes before it."""
    own = _spec("us_hy_oas")
    way = archive_way(own, tmp_path / "fred_BAMLH0A0HYM2.csv", Layout(), None)
    assert (way.series, way.columns["oas"].factor) == ("fred:BAMLH0A0HYM2", 100)
    said = archive_way(own, tmp_path / "fred_BAMLH0A0HYM2.csv", Layout(factor=1, date_column="when"), None)
    assert (said.columns["oas"].column, said.columns["oas"].factor, said.date_column) == ("BAMLH0A0HYM2", 1, "when")


def test_parquet_archive(settings: Settings, tmp_path: Path) -> None:
    """A Parquet file is an archive too."""
    path = tmp_path / "archive.parquet"
    pd.DataFrame({"date": pd.to_datetime(["1987-10-19"]), "close": [224.84]}).to_parquet(path)
    _ingest(settings, path, Layout(series=_SPX))
    assert _stored(settings).read_frame()["close"].tolist() == [224.84]


def test_days_that_are_not_over_are_left_out(settings: Settings, tmp_path: Path) -> None:
    """A row of today or later is counted and not stored: its day is not over."""
    path = _file(tmp_path, "date,close", "2024-01-31,4845.65", "2024-02-01,4906.19", "2062-01-02,1")
    entry = _ingest(settings, path, Layout(series=_SPX)).assets["sp500"]
    assert (entry["last"], entry["dropped"]) == ("2024-01-31", {"outside_window": 2})
    assert [(one["rule"], one["severity"], one["count"]) for one in entry["findings"]] == [
        ("unfinished_days", "warning", 2)
    ]


def test_rows_that_are_left_out_cover_nothing(settings: Settings, tmp_path: Path) -> None:
    """Coverage ends at the last stored row, however far ahead the file goes."""
    path = _file(tmp_path, "date,close", "2023-12-29,4769.83", "2024-01-02,4742.83", "2062-01-02,1")
    _ingest(settings, path, Layout(series=_SPX))
    assert _coverage(settings) == "2023-12-29..2024-01-02"


def test_long_stretches_without_a_row_are_not_covered(settings: Settings, tmp_path: Path) -> None:
    """Ten sessions without a row are a gap of the source; eleven are a hole, and the number is told."""
    # by hand: 4 to 15 January 1988 are ten sessions, 19 January to 2 February are eleven
    path = _file(tmp_path, "date,close", "1987-12-31,247.08", "1988-01-18,251.88", "1988-02-03,252.21")
    entry = _ingest(settings, path, Layout(series=_SPX)).assets["sp500"]
    assert _coverage(settings) == "1987-12-31..1988-01-18, 1988-02-03..1988-02-03"
    (found,) = entry["findings"]
    assert (found["rule"], found["severity"], found["count"]) == ("archive_gaps", "warning", 11)
    assert found["examples"] == [{"start": "1988-01-19", "end": "1988-02-02"}]


def test_what_was_covered_before_a_sparse_archive_stays_so(settings: Settings, tmp_path: Path) -> None:
    """An archive of month ends takes no coverage away."""
    days = pd.bdate_range("1988-02-01", "1988-02-29").strftime("%Y-%m-%d,260")
    _ingest(settings, _file(tmp_path, "date,close", *days), Layout(series=_SPX))
    month_ends = _file(tmp_path, "date,close", "1988-01-29,257.07", "1988-02-29,267.82", name="ends.csv")
    _ingest(settings, month_ends, Layout(series=_SPX))
    assert _coverage(settings) == "1988-01-29..1988-01-29, 1988-02-01..1988-02-29"


@pytest.mark.parametrize("day", ["0001-01-05", "1600-01-01"])
def test_date_that_stands_for_none_is_refused(settings: Settings, tmp_path: Path, day: str) -> None:
    """What spreadsheets write for a missing date is no row of a market."""
    path = _file(tmp_path, "date,close", f"{day},224.84", "1987-10-19,224.84")
    with pytest.raises(UnreadableSourceError, match=f"has a row of {day}.*Nothing was stored"):
        _ingest(settings, path, Layout(series=_SPX))
    assert _stored(settings).head() is None


def test_series_must_be_said(settings: Settings, tmp_path: Path) -> None:
    """A file of no known name has no series until somebody says which; the error names those it may have."""
    path = _file(tmp_path, "date,close", "1987-10-19,224.84")
    with pytest.raises(UsageError, match="--series"):
        _ingest(settings, path, Layout())
    assert not settings.root.exists()


def test_series_that_no_way_has_is_refused(settings: Settings, tmp_path: Path) -> None:
    """A first archive of a series without any way would lock out every way there is."""
    path = _file(tmp_path, "date,close", "1987-10-19,224.84")
    with pytest.raises(UsageError, match="desk:mine"):
        _ingest(settings, path, Layout(series="desk:mine"))
    assert not settings.root.exists()


def test_other_series_than_the_stored_one_is_refused(settings: Settings, tmp_path: Path) -> None:
    """One dataset holds one series, whichever the file is said to have."""
    path = _file(tmp_path, "date,close", "1987-10-19,224.84")
    _ingest(settings, path, Layout(series=_SPX))
    other = next(way.series for way in _spec().ways if way.series not in {_SPX, "sample:sp500"})
    with pytest.raises(SeriesMismatchError, match=r"holds the series yahoo:\^GSPC"):
        _ingest(settings, path, Layout(series=other))
    assert len(_stored(settings).revisions()) == 1


def test_column_that_the_dataset_does_not_have_is_refused(tmp_path: Path) -> None:
    """An unknown column is named with those that exist; without the main column an archive is none."""
    with pytest.raises(UsageError, match="no column oas; it has close"):
        archive_way(_spec(), tmp_path / "x.csv", Layout(_SPX, {"oas": "OAS"}), None)
    with pytest.raises(UsageError, match="--column close=HEADER"):
        archive_way(_spec("vix"), tmp_path / "x.csv", Layout("cboe:VIX", {"open": "Open"}), None)


def test_real_rows_never_enter_a_root_of_samples(settings: Settings, tmp_path: Path) -> None:
    """The kind of data follows from the series, not from the profile: a real archive stamps its root as real."""
    path = _file(tmp_path, "date,close", "1987-10-19,224.84")
    _ingest(settings, path, Layout(series=_SPX))
    assert read_root_kind(settings.data_directory) == "real"
    with pytest.raises(RootKindError, match="macrocredit ingest vix --history"):
        _ingest(settings, path, Layout(series="sample:vix"), "vix")


def test_rows_that_break_a_rule_are_refused_with_the_command_that_takes_them(
    settings: Settings, tmp_path: Path
) -> None:
    """A date that stands twice stops the write; accepted by name, the last one is stored."""
    path = _file(tmp_path, "date,close", "1987-10-19,224.84", "1987-10-19,225.06")
    with pytest.raises(RuleViolationError, match=r"macrocredit ingest sp500 --history \S+ --accept conflicting_dupl"):
        _ingest(settings, path, Layout(series=_SPX))
    (log,) = settings.logs_directory.glob("*/*.json")
    failed = read_run(log)
    assert (failed.status, failed.assets["sp500"]["error"]["type"]) == ("failure", "RuleViolationError")
    assert not _stored(settings).path.exists()
    entry = _ingest(settings, path, Layout(series=_SPX), accept=frozenset({"conflicting_duplicate"})).assets["sp500"]
    assert entry["accepted"] == ["conflicting_duplicate"]
    assert _stored(settings).read_frame()["close"].tolist() == [225.06]


def test_levels_are_compared_with_the_stored_rows_beside_them(settings: Settings, tmp_path: Path) -> None:
    """An archive in percent beside stored basis points is refused as a slip of the unit."""
    series = "fred:BAMLH0A0HYM2"
    _ingest(settings, _file(tmp_path, "date,oas", "1999-01-06,560"), Layout(series), "us_hy_oas")
    slipped = _file(tmp_path, "date,oas", "1999-01-04,5.63", "1999-01-05,5.57", name="percent.csv")
    with pytest.raises(RuleViolationError, match="unit_slip"):
        _ingest(settings, slipped, Layout(series), "us_hy_oas")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("date,close", "19.10.1987,224.84"), "--date-format"),
        (("day,close", "1987-10-19,224.84"), "no column 'date'"),
        (("date,close", "1987-10-19,n.d."), "is no number"),
        (("date,close", "1987-10-19,"), "has no value"),
        (("date,close", "2062-01-02,1"), "has no value until 2024-01-31"),
    ],
)
def test_file_that_cannot_be_used_is_told(
    settings: Settings, tmp_path: Path, lines: tuple[str, ...], said: str
) -> None:
    """Nothing is guessed: what cannot be read is named, and how to describe it."""
    with pytest.raises(UnreadableSourceError, match=said):
        _ingest(settings, _file(tmp_path, *lines), Layout(series=_SPX))
    assert not _stored(settings).path.exists()
