"""The registry against the files: written from records, verified, and restored."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from macrocredit_assets.catalog import Catalog, load_catalog
from macrocredit_assets.findings import Finding
from macrocredit_assets.persistence import AssetRecord, DataRegistry, ErrorInfo
from macrocredit_assets.persistence.atomic import locked
from macrocredit_assets.persistence.root_kind import stamp_root
from macrocredit_assets.settings import Settings
from macrocredit_assets.stores import open_store
from macrocredit_assets.sync import rebuild, sync, verify
from macrocredit_assets.windows import Window

_CATALOG = load_catalog()
_DAYS = ("2024-01-02", "2024-01-03", "2024-01-05")
_WINDOW = Window(date(2024, 1, 1), date(2024, 1, 7))
_NEXT = Window(date(2024, 1, 8), date(2024, 1, 14))


def _record(
    settings: Settings,
    name: str,
    series: str,
    days: tuple[str, ...] = _DAYS,
    level: float = 60.0,
    *,
    window: Window = _WINDOW,
    catalog: Catalog = _CATALOG,
) -> AssetRecord:
    """Write a dataset, and return the record of it, which nobody was told yet."""
    entry = catalog.entry(name)
    frame = pd.DataFrame(
        {
            column: pd.Series(level, index=range(len(days)), dtype=spec.dtype).to_numpy()
            for column, spec in entry.columns.items()
        },
        index=pd.DatetimeIndex(days, name="date"),
    )
    return AssetRecord(
        dataset=name,
        window=window,
        status="written",
        series=series,
        ways=() if entry.kind == "signal" else ("file:desk.csv", "fred:DESK"),
        result=open_store(settings, entry).write(window, frame, series=series),
        findings=(Finding("weekend", "warning", "a row on a weekend"),),
        accepted=("unit_slip",),
    )


def _sync(settings: Settings, record: AssetRecord, run_id: str = "run-1", catalog: Catalog = _CATALOG) -> None:
    entry = catalog.entry(record.dataset)
    sync(settings, entry, record, run_id=run_id, asset_key=record.dataset, code_version="c0de")


def _write(settings: Settings, name: str, series: str, days: tuple[str, ...] = _DAYS, level: float = 60.0) -> None:
    """Write a dataset and its registry entry, as a run does."""
    _sync(settings, _record(settings, name, series, days, level))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Write a root with a market dataset and a signal."""
    settings = Settings(root=tmp_path, dagster_home=tmp_path / ".dagster", profile="files")
    stamp_root(settings.data_directory, "real")
    _write(settings, "cdx_ig_5y", "desk:CDX IG")
    _write(settings, "cash_cds_basis_ig", "signal:cash_cds_basis_ig")
    return settings


def _revisions(settings: Settings, name: str = "cdx_ig_5y") -> Path:
    return settings.data_directory / "revisions" / name


def _entries(settings: Settings) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(settings.registry_path.read_text())
    return document


def _edit(settings: Settings, change: Callable[[dict[str, Any]], object]) -> None:
    entries = _entries(settings)
    change(entries)
    settings.registry_path.write_text(json.dumps(entries))


def _said(settings: Settings) -> list[str]:
    return [f"{problem.subject}: {problem.message}" for problem in verify(settings, _CATALOG)]


def test_entry_has_the_fixed_fields_and_all_else_under_metadata(settings: Settings) -> None:
    """An entry has the shape that other programs rely on, and under metadata what the run knew."""
    entry = _entries(settings)["cdx_ig_5y"]
    metadata = entry.pop("metadata")
    assert entry.pop("registered_at") == entry.pop("last_updated")
    assert entry == {
        "instrument": "CDX.NA.IG",
        "tenor": "5Y",
        "file_path": "data/raw/cdx_ig_5y.parquet",
        "start_date": "2024-01-02T00:00:00",
        "end_date": "2024-01-05T00:00:00",
        "row_count": 3,
    }
    assert metadata.pop("content_hash").startswith("sha256:")
    assert metadata.pop("last_checked")
    last = open_store(settings, _CATALOG.entry("cdx_ig_5y")).last_revision()
    assert last is not None
    assert (metadata.pop("revision"), metadata.pop("known_at")) == (1, last.known_at.isoformat())
    assert metadata == {
        "asset_key": "cdx_ig_5y",
        "run_id": "run-1",
        "code_version": "c0de",
        "series": "desk:CDX IG",
        "source": "file",
        "ways": ["file:desk.csv", "fred:DESK"],
        "frequency": "daily",
        "columns": {"spread": "float64"},
        "units": {"spread": "bp"},
        "coverage": [["2024-01-01", "2024-01-07"]],
        "findings": [
            {"rule": "weekend", "severity": "warning", "message": "a row on a weekend", "count": 1, "examples": []}
        ],
        "accepted": ["unit_slip"],
    }


def test_source_of_a_signal_is_signal(settings: Settings) -> None:
    """A signal was not fetched by any way."""
    metadata = _entries(settings)["cash_cds_basis_ig"]["metadata"]
    assert (metadata["source"], metadata["ways"]) == ("signal", [])


def test_next_write_keeps_when_it_was_first_registered(settings: Settings) -> None:
    """A second write updates the entry, and keeps its first date and what others added to it."""
    _edit(
        settings, lambda entries: entries["cdx_ig_5y"].update(registered_at="2020-01-01T00:00:00+00:00", desk="credit")
    )
    _write(settings, "cdx_ig_5y", "desk:CDX IG", days=("2024-01-06",))
    entry = _entries(settings)["cdx_ig_5y"]
    assert (entry["registered_at"], entry["desk"], entry["row_count"]) == ("2020-01-01T00:00:00+00:00", "credit", 4)


def test_check_that_found_nothing_new_is_no_update(settings: Settings) -> None:
    """What came once more moves last_checked alone; a new row, or a day more that is covered, is an update."""
    for days, window, updated in ((_DAYS, _WINDOW, False), ((), _NEXT, True), (("2024-01-06",), _WINDOW, True)):
        _edit(settings, lambda entries: entries["cdx_ig_5y"].update(last_updated="2020-01-01T00:00:00+00:00"))
        checked = _entries(settings)["cdx_ig_5y"]["metadata"]["last_checked"]
        _sync(settings, _record(settings, "cdx_ig_5y", "desk:CDX IG", days, window=window))
        entry = _entries(settings)["cdx_ig_5y"]
        assert entry["metadata"]["last_checked"] > checked
        assert (entry["last_updated"] > "2020-01-02") is updated


def test_record_without_result_cannot_be_registered(settings: Settings) -> None:
    """What was not written is not registered."""
    failed = AssetRecord("vix", _WINDOW, "failed", error=ErrorInfo("ValueError", "no"))
    with pytest.raises(ValueError, match="vix has no result"):
        _sync(settings, failed)
    assert "vix" not in _entries(settings)


def test_file_that_was_removed_since_is_not_registered(settings: Settings) -> None:
    """Of a dataset of which nothing is left by then, no entry is made."""
    record = _record(settings, "vix", "desk:VIX")
    settings.dataset_path("market", "vix").unlink()
    shutil.rmtree(_revisions(settings, "vix"))
    with pytest.raises(FileNotFoundError, match=r"vix.parquet was removed after it was written"):
        _sync(settings, record)
    assert "vix" not in _entries(settings)


def test_older_write_that_is_told_later_does_not_hide_the_newer_one(settings: Settings) -> None:
    """Of two runs that write one dataset, the entry is about the stored rows, and the run that brought them."""
    older = _record(settings, "vix", "desk:VIX", level=13.0)
    newer = _record(settings, "vix", "desk:VIX", days=("2024-01-08",), window=_NEXT)
    _sync(settings, newer, "newer")
    _sync(settings, older, "older")
    entry = _entries(settings)["vix"]
    assert (entry["row_count"], entry["end_date"]) == (4, "2024-01-08T00:00:00")
    assert entry["metadata"]["coverage"] == [["2024-01-01", "2024-01-14"]]
    assert entry["metadata"]["run_id"] == "newer"
    assert verify(settings, _CATALOG) == []


def test_coverage_that_grew_since_is_kept(settings: Settings) -> None:
    """A write that found no row leaves the hash as it was; what it covered stays covered."""
    older = _record(settings, "vix", "desk:VIX")
    _sync(settings, _record(settings, "vix", "desk:VIX", days=(), window=_NEXT), "newer")
    _sync(settings, older, "older")
    assert _entries(settings)["vix"]["metadata"]["coverage"] == [["2024-01-01", "2024-01-14"]]
    assert verify(settings, _CATALOG) == []


def test_rows_of_a_run_that_never_told_are_registered_without_it(settings: Settings) -> None:
    """Where the newer run died before it told, the entry is about its rows, and says nothing of how they came."""
    older = _record(settings, "vix", "desk:VIX")
    _record(settings, "vix", "desk:VIX", days=("2024-01-08",), window=_NEXT)
    _sync(settings, older, "older")
    entry = _entries(settings)["vix"]
    assert entry["row_count"] == 4
    assert {entry["metadata"][key] for key in ("run_id", "source", "ways", "findings")} == {None}
    assert verify(settings, _CATALOG) == []


def test_dataset_of_one_file_per_year_is_registered_by_its_folder(settings: Settings, tmp_path: Path) -> None:
    """Its entry names the folder; verify and rebuild agree."""
    catalog_file = tmp_path / "desk.yaml"
    document = _CATALOG.entry("vix").model_dump(mode="json", exclude={"name", "kind"}, exclude_none=True)
    catalog_file.write_text(json.dumps({"datasets": {"vix": {**document, "chunk": "year"}}}))
    catalog = load_catalog(catalog_file)
    _sync(settings, _record(settings, "vix", "desk:VIX", catalog=catalog), catalog=catalog)
    assert _entries(settings)["vix"]["file_path"] == "data/raw/vix"
    assert verify(settings, catalog) == []
    assert rebuild(settings, catalog).changes == ()


def test_what_a_run_leaves_is_in_order(settings: Settings) -> None:
    """After a write nothing differs, and a rebuild changes nothing."""
    assert verify(settings, _CATALOG) == []
    before = settings.registry_path.read_bytes()
    assert rebuild(settings, _CATALOG).changes == ()
    assert settings.registry_path.read_bytes() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("row_count", 4),
        ("start_date", "2024-01-01T00:00:00"),
        ("end_date", None),
        ("file_path", "data/raw/cdx.parquet"),
    ],
)
def test_field_that_differs_from_the_file_is_found_and_restored(settings: Settings, field: str, value: object) -> None:
    """Each fixed field is held against the file; a rebuild takes the file's word."""
    before = _entries(settings)["cdx_ig_5y"]
    _edit(settings, lambda entries: entries["cdx_ig_5y"].update({field: value}))
    (said,) = _said(settings)
    assert said.startswith(f"cdx_ig_5y: {field} is {value} in the registry and")
    assert "macrocredit registry rebuild" in said
    (change,) = rebuild(settings, _CATALOG).changes
    assert (change.name, change.what) == ("cdx_ig_5y", f"changed: {field}")
    assert _entries(settings)["cdx_ig_5y"] == {
        **before,
        "last_updated": _entries(settings)["cdx_ig_5y"]["last_updated"],
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [("content_hash", "sha256:0"), ("coverage", [["2024-01-01", "2024-01-08"]]), ("series", "fred:X")],
)
def test_metadata_that_differ_from_the_file_are_found(settings: Settings, field: str, value: object) -> None:
    """Hash, coverage and series are held against the file too."""
    _edit(settings, lambda entries: entries["cdx_ig_5y"]["metadata"].update({field: value}))
    (said,) = _said(settings)
    assert said.startswith(f"cdx_ig_5y: {field} is")
    rebuild(settings, _CATALOG)
    assert verify(settings, _CATALOG) == []


def test_what_is_known_of_a_write_goes_with_its_rows(settings: Settings) -> None:
    """A rebuild keeps run and findings where the rows are those of that run, and forgets them where they are not."""
    _edit(settings, lambda entries: entries["cdx_ig_5y"]["metadata"].update(content_hash="sha256:0"))
    rebuild(settings, _CATALOG)
    entries = _entries(settings)
    assert entries["cdx_ig_5y"]["metadata"]["run_id"] is None
    assert entries["cash_cds_basis_ig"]["metadata"]["run_id"] == "run-1"


def test_lost_registry_is_restored_from_the_files(settings: Settings) -> None:
    """Without a registry, every file of the catalog is registered anew."""
    settings.registry_path.unlink()
    assert [said.split(":")[0] for said in _said(settings)] == ["cdx_ig_5y", "cash_cds_basis_ig"]
    rebuilt = rebuild(settings, _CATALOG)
    assert [(change.name, change.what) for change in rebuilt.changes] == [
        ("cash_cds_basis_ig", "added"),
        ("cdx_ig_5y", "added"),
    ]
    assert verify(settings, _CATALOG) == []


def test_broken_registry_is_kept_beside_the_restored_one(settings: Settings) -> None:
    """A registry that does not parse is found, and a rebuild keeps its bytes."""
    settings.registry_path.write_text("{")
    (said,) = _said(settings)
    assert "macrocredit registry rebuild" in said
    rebuilt = rebuild(settings, _CATALOG)
    assert rebuilt.set_aside is not None
    assert rebuilt.set_aside.read_text() == "{"
    assert verify(settings, _CATALOG) == []


def test_entry_without_file_is_found_and_goes(settings: Settings) -> None:
    """A dataset of which nothing is left is found, and a rebuild strikes it out."""
    settings.dataset_path("market", "cdx_ig_5y").unlink()
    shutil.rmtree(_revisions(settings))
    (said,) = _said(settings)
    assert said.startswith("cdx_ig_5y: It is registered, and the file data/raw/cdx_ig_5y.parquet does not exist")
    assert [change.what for change in rebuild(settings, _CATALOG).changes] == ["removed"]
    assert [*_entries(settings)] == ["cash_cds_basis_ig"]


def test_entries_of_others_are_kept_and_checked(settings: Settings, tmp_path: Path) -> None:
    """What somebody registered under a name of his own stays; it may have no file yet, but not lose one."""
    registry = DataRegistry(settings.registry_path, settings.data_directory)
    registry.register_dataset("desk_book", "data/raw/desk_book.parquet", instrument="BOOK")
    assert verify(settings, _CATALOG) == []
    _edit(settings, lambda entries: entries["desk_book"].update(row_count=5))
    assert [said.split(":")[0] for said in _said(settings)] == ["desk_book"]
    assert rebuild(settings, _CATALOG).changes == ()
    assert "desk_book" in _entries(settings)


def test_entry_made_while_a_rebuild_waits_is_kept(settings: Settings) -> None:
    """A rebuild starts from what stands there when it is its turn, so nothing registered meanwhile is lost."""
    _edit(settings, lambda entries: entries["cdx_ig_5y"].update(row_count=9))
    rebuilding = threading.Thread(target=rebuild, args=(settings, _CATALOG))
    with locked(settings.registry_path):
        rebuilding.start()
        rebuilding.join(0.5)
        assert rebuilding.is_alive()
        _edit(settings, lambda entries: entries.update(desk_book={"instrument": "BOOK", "file_path": "book.parquet"}))
    rebuilding.join()
    assert sorted(_entries(settings)) == ["cash_cds_basis_ig", "cdx_ig_5y", "desk_book"]
    assert verify(settings, _CATALOG) == []


def test_file_that_nobody_knows_is_reported(settings: Settings) -> None:
    """A Parquet file without entry and catalog is named by both, and left alone."""
    stranger = settings.data_directory / "raw" / "stranger.parquet"
    pd.DataFrame({"x": [1.0]}).to_parquet(stranger)
    assert [said.split(":")[0] for said in _said(settings)] == ["data/raw/stranger.parquet"]
    assert [problem.subject for problem in rebuild(settings, _CATALOG).problems] == ["data/raw/stranger.parquet"]
    assert stranger.exists()


def test_rows_changed_behind_our_back_are_found(settings: Settings) -> None:
    """The hash is computed from the rows: a file whose rows were edited is found, whatever its footer says."""
    path = settings.dataset_path("market", "cdx_ig_5y")
    table = pq.read_table(path)
    edited = table.set_column(1, table.field(1), [[61.0, 60.0, 60.0]])
    pq.write_table(edited.replace_schema_metadata(table.schema.metadata), path)
    (said,) = _said(settings)
    assert said.startswith("cdx_ig_5y: ")
    assert "hash" in said


def test_file_that_cannot_be_read_is_found_and_its_entry_kept(settings: Settings) -> None:
    """A broken file is reported by both, and a rebuild does not forget what was known of it."""
    settings.dataset_path("market", "cdx_ig_5y").write_bytes(b"broken")
    assert [said.split(":")[0] for said in _said(settings)] == ["cdx_ig_5y"]
    rebuilt = rebuild(settings, _CATALOG)
    assert [problem.subject for problem in rebuilt.problems] == ["cdx_ig_5y"]
    assert "cdx_ig_5y" in _entries(settings)


def test_columns_other_than_the_catalogs_are_found(settings: Settings, tmp_path: Path) -> None:
    """A file in another unit than the catalog's is found."""
    catalog_file = tmp_path / "desk.yaml"
    entry = _CATALOG.entry("cdx_ig_5y")
    document = entry.model_dump(mode="json", exclude={"name", "kind"}, exclude_none=True)
    document["columns"]["spread"]["unit"] = "percent"
    catalog_file.write_text(json.dumps({"datasets": {"cdx_ig_5y": document}}))
    said = [f"{problem.subject}: {problem.message}" for problem in verify(settings, load_catalog(catalog_file))]
    assert any("cdx_ig_5y" in each and "stored in bp" in each for each in said)


def test_revisions_that_are_all_gone_are_missed(settings: Settings) -> None:
    """The registry knows that there were some, and keeps that when the next write begins at 1 again."""
    _write(settings, "cdx_ig_5y", "desk:CDX IG", level=61.0)
    _write(settings, "cdx_ig_5y", "desk:CDX IG", level=62.0)
    assert _said(settings) == []
    shutil.rmtree(_revisions(settings))
    (said,) = _said(settings)
    assert said.startswith("cdx_ig_5y: The registry knows of 3 revisions, and 0 are in data/revisions/cdx_ig_5y")
    assert "Restore" in said
    knows = "The registry knows of 3 revisions, and 2 are in data/revisions/cdx_ig_5y"
    other = "Revision 3 in data/revisions/cdx_ig_5y is another one than the registry knows"
    for level, expected in ((63.0, knows), (64.0, other), (65.0, other)):
        _write(settings, "cdx_ig_5y", "desk:CDX IG", level=level)
        (said,) = _said(settings)
        assert said.startswith(f"cdx_ig_5y: {expected}")
    rebuild(settings, _CATALOG)
    assert _said(settings) == []


def test_last_revision_that_is_gone_is_missed(settings: Settings) -> None:
    """Both is told: that the file is of none of those that are left, and that there was one more."""
    _write(settings, "cdx_ig_5y", "desk:CDX IG", level=61.0)
    (_revisions(settings) / "00000002.parquet").unlink()
    said = _said(settings)
    assert len(said) == 2
    assert "none of the 1 revisions" in said[0]
    assert "The registry knows of 2 revisions, and 1 are in" in said[1]


def test_entry_from_before_it_knew_of_revisions(settings: Settings) -> None:
    """An entry without a revision misses none."""
    _edit(settings, lambda entries: [entries["cdx_ig_5y"]["metadata"].pop(key) for key in ("revision", "known_at")])
    assert _said(settings) == []


def test_litter_of_killed_processes_is_found(settings: Settings) -> None:
    """A temporary file that nobody finished is named."""
    (settings.data_directory / "raw" / ".vix.parquet.abc123.tmp").write_bytes(b"half")
    assert [said.split(":")[0] for said in _said(settings)] == ["data/raw/.vix.parquet.abc123.tmp"]


def test_sample_data_in_a_real_root_are_found(settings: Settings) -> None:
    """The stamp is held against the series: neither kind may stand under the other's stamp, nor without one."""
    _write(settings, "ust_2y", "sample:ust_2y", level=4.0)
    assert [said for said in _said(settings) if said.startswith("root")] == [
        "root: It is stamped real, and holds sample data: ust_2y."
    ]
    stamp = settings.data_directory / "root.json"
    stamp.write_text('{"kind": "sample"}')
    assert [said for said in _said(settings) if said.startswith("root")] == [
        "root: It is stamped sample, and holds real data: cdx_ig_5y."
    ]
    stamp.write_text("{")
    assert any(said.startswith("root: The stamp") for said in _said(settings))
    stamp.unlink()
    assert any(said.startswith("root: The root has datasets, and no stamp") for said in _said(settings))


def test_own_assets_and_signals_are_of_either_kind(settings: Settings) -> None:
    """What was computed says nothing of whether its root is sample or real, whatever the stamp, or without one."""
    _write(settings, "vix", "asset:vix", level=13.0)
    settings.dataset_path("market", "cdx_ig_5y").unlink()
    shutil.rmtree(_revisions(settings))
    rebuild(settings, _CATALOG)
    stamp = settings.data_directory / "root.json"
    for kind in ("real", "sample"):
        stamp.write_text(json.dumps({"kind": kind}))
        assert verify(settings, _CATALOG) == []
    stamp.unlink()
    assert verify(settings, _CATALOG) == []


def test_empty_root_is_in_order(tmp_path: Path) -> None:
    """Where nothing was ever written there is nothing to find, and a rebuild writes an empty registry."""
    settings = Settings(root=tmp_path, dagster_home=tmp_path / ".dagster")
    assert verify(settings, _CATALOG) == []
    assert rebuild(settings, _CATALOG).entries == 0
    assert _entries(settings) == {}
