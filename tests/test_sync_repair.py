"""Files, revisions and registry brought together again, whatever has come between them."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.ingest import Ingested
from macrocredit_assets.persistence.root_kind import stamp_root
from macrocredit_assets.settings import Settings
from macrocredit_assets.stores import open_store
from macrocredit_assets.sync import Repaired, rebuild, repair, verify
from macrocredit_assets.windows import Coverage, Window
from macrocredit_assets.writing import tell, write

_CATALOG = load_catalog()
_SPEC = _CATALOG.datasets["cdx_ig_5y"]
_WINDOW = Window(date(2024, 1, 8), date(2024, 1, 12))


def _write(settings: Settings, **days: float) -> None:
    """Write spreads, ``d08=55.1``, as a run does."""
    index = pd.DatetimeIndex([f"2024-01-{day[1:]}" for day in days], name="date")
    frame = pd.DataFrame({"spread": [*days.values()]}, index=index)
    ingested = Ingested(frame, "desk:CDX IG", _WINDOW, Coverage((_WINDOW,)), ("file:desk.csv",))
    tell(settings, _SPEC, write(settings, _SPEC, ingested, run_id="run-1"), run_id="run-1")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Write a root with one dataset of two revisions."""
    settings = Settings(root=tmp_path, dagster_home=tmp_path / ".dagster", profile="files")
    stamp_root(settings.data_directory, "real")
    _write(settings, d08=55.1)
    _write(settings, d08=55.2, d09=55.4)
    return settings


def _spreads(settings: Settings) -> list[float]:
    values: list[float] = open_store(settings, _SPEC).read_frame()["spread"].tolist()
    return values


def _path(settings: Settings) -> Path:
    return settings.dataset_path("market", "cdx_ig_5y")


def _revision(settings: Settings, number: int) -> Path:
    return settings.data_directory / "revisions" / "cdx_ig_5y" / f"{number:08}.parquet"


def _said(settings: Settings) -> list[str]:
    return [f"{problem.subject}: {problem.message}" for problem in verify(settings, _CATALOG)]


def test_nothing_to_repair(settings: Settings) -> None:
    """Where all is well, nothing is done and nothing is written."""
    before = {path: path.read_bytes() for path in settings.root.rglob("*") if path.is_file()}
    repairs = repair(settings, _CATALOG)
    assert (repairs.files, repairs.entries, repairs.problems) == ((), (), ())
    assert {path: path.read_bytes() for path in before} == before


def test_file_behind_its_last_revision_is_rolled_forward(settings: Settings) -> None:
    """A writer that died after its commit left an older file: verify says so, and repair completes it."""
    older = _path(settings).read_bytes()
    registry = settings.registry_path.read_bytes()
    _write(settings, d08=55.2, d09=55.4, d10=56.0)
    _path(settings).write_bytes(older)
    settings.registry_path.write_bytes(registry)

    (said,) = _said(settings)
    assert said.startswith("cdx_ig_5y: Of 'cdx_ig_5y' there are 3 revisions, and")
    assert "macrocredit registry verify --repair" in said
    assert _path(settings).read_bytes() == older

    repairs = repair(settings, _CATALOG)
    assert repairs.files == (Repaired("cdx_ig_5y", "rolled forward", 3),)
    assert [change.name for change in repairs.entries] == ["cdx_ig_5y"]
    assert repairs.problems == ()
    assert _spreads(settings) == [55.2, 55.4, 56.0]
    assert verify(settings, _CATALOG) == []


def test_lost_file_is_had_back_from_its_revisions(settings: Settings) -> None:
    """A file that somebody deleted is projected anew, and the registry still knows it."""
    before = _path(settings).read_bytes()
    _path(settings).unlink()
    assert "does not exist" in _said(settings)[0]
    assert repair(settings, _CATALOG).files == (Repaired("cdx_ig_5y", "rolled forward", 2),)
    assert _path(settings).read_bytes() == before


def test_file_that_somebody_changed_is_set_aside(settings: Settings) -> None:
    """Rows that no revision has are kept beside the right file, under a name that is told."""
    before = _path(settings).read_bytes()
    table = pq.read_table(_path(settings))
    pq.write_table(table.slice(0, 1), _path(settings))
    changed = _path(settings).read_bytes()

    assert "cdx_ig_5y" in _said(settings)[0]
    (done,) = repair(settings, _CATALOG).files
    assert (done.what, done.revision) == ("projected anew", 2)
    assert done.set_aside is not None
    assert done.set_aside.read_bytes() == changed
    assert _path(settings).read_bytes() == before
    assert verify(settings, _CATALOG) == []


def test_rightly_made_file_of_no_revision_is_set_aside_too(settings: Settings, tmp_path: Path) -> None:
    """A file of the same dataset, taken from another root, is sound in itself and still not ours."""
    other = Settings(root=tmp_path / "other", dagster_home=tmp_path, profile="files")
    _write(other, d08=99.0)
    shutil.copy2(_path(other), _path(settings))
    (done,) = repair(settings, _CATALOG).files
    assert done.what == "projected anew"
    assert _spreads(settings) == [55.2, 55.4]


def test_file_from_before_there_were_revisions_is_adopted(settings: Settings) -> None:
    """A file without revisions becomes the first one, as it is."""
    before = _path(settings).read_bytes()
    shutil.rmtree(settings.data_directory / "revisions")
    entries = json.loads(settings.registry_path.read_text())
    for entry in entries.values():
        del entry["metadata"]["revision"], entry["metadata"]["known_at"]
    settings.registry_path.write_text(json.dumps(entries))
    assert verify(settings, _CATALOG) == []
    assert repair(settings, _CATALOG).files == (Repaired("cdx_ig_5y", "adopted", 1),)
    assert _path(settings).read_bytes() == before
    assert open_store(settings, _SPEC).revisions()[0].kind == "adopt"


def test_what_cannot_be_repaired_is_told_and_the_rest_is_done(settings: Settings) -> None:
    """A missing revision wants a person; the registry is mended nevertheless, and nothing is told twice."""
    _write(settings, d08=55.3, d09=55.4)
    _revision(settings, 2).unlink()
    _path(settings).unlink()
    entries = json.loads(settings.registry_path.read_text())
    settings.registry_path.write_text(json.dumps({**entries, "ust_2y": entries["cdx_ig_5y"]}))
    repairs = repair(settings, _CATALOG)
    assert repairs.files == ()
    assert [(change.name, change.what) for change in repairs.entries] == [("ust_2y", "removed")]
    (problem,) = repairs.problems
    assert problem.subject == "cdx_ig_5y"
    assert "00000002.parquet" in problem.message


def test_revision_that_somebody_changed_is_found(settings: Settings) -> None:
    """Revisions are held against their hash as well: history is not rewritten unseen."""
    path = _revision(settings, 1)
    table = pq.read_table(path)
    # the second revision restates the 8th: the current rows alone would not show it
    pq.write_table(table.set_column(0, table.field(0), [[pd.Timestamp("2024-01-11")]]), path)
    (said,) = _said(settings)
    assert said.startswith("cdx_ig_5y: ")
    assert "revision" in said


def test_rebuild_takes_the_files_as_their_revisions_have_them(settings: Settings) -> None:
    """A lost registry and a file that is behind: the restored entry tells of the completed file."""
    older = _path(settings).read_bytes()
    _write(settings, d08=55.2, d09=55.4, d10=56.0)
    _path(settings).write_bytes(older)
    settings.registry_path.unlink()
    rebuild(settings, _CATALOG)
    assert json.loads(settings.registry_path.read_text())["cdx_ig_5y"]["row_count"] == 3


def test_litter_among_revisions_is_found(settings: Settings) -> None:
    """A half-written revision of a killed process is named."""
    (_revision(settings, 1).parent / ".00000003.parquet.abc123def456.tmp").write_bytes(b"half")
    assert [said.split(":")[0] for said in _said(settings)] == [
        "data/revisions/cdx_ig_5y/.00000003.parquet.abc123def456.tmp"
    ]
