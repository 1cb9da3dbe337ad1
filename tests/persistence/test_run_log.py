"""Run logs: what stands in the file, who may end a run, and reading many."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from macrocredit_assets.errors import CorruptFileError
from macrocredit_assets.findings import Finding
from macrocredit_assets.persistence.records import AssetRecord, Change, ErrorInfo, WriteResult
from macrocredit_assets.persistence.run_log import RunHeader, RunLog, find, read_run, read_runs
from macrocredit_assets.windows import Coverage, Window

STARTED = datetime(2024, 10, 25, 12, 0, tzinfo=UTC)
ENDED = STARTED + timedelta(seconds=5.25)
WINDOW = Window.parse("2024-01-01", "2024-10-24")
HEADER = RunHeader(
    run_id="r1",
    job="backfill",
    started=STARTED,
    profile="sample",
    root_kind="sample",
    window=str(WINDOW),
    launched_by="macrocredit backfill --start 2024-01-01",
    host="desk7",
    pid=4711,
    pid_started=1729857599.25,
    versions={"pandas": "3.1.1", "dagster": "1.13.27"},
    tags={"dagster/from_ui": "true"},
)
RECORD = AssetRecord(
    dataset="vix",
    window=WINDOW,
    status="written",
    series="cboe:VIX",
    ways=("cboe:VIX",),
    rows_read=300,
    dropped={"outside_window": 90},
    result=WriteResult(
        path=Path("/srv/credit/data/raw/vix.parquet"),
        written=True,
        inserted=209,
        changed=1,
        unchanged=0,
        vanished=0,
        withdrawn=0,
        changes=(Change(date(2024, 3, 18), "close", 14.3, 14.33),),
        row_count=210,
        first=date(2024, 1, 2),
        last=date(2024, 10, 24),
        coverage=Coverage((WINDOW,)),
        content_hash="sha256:ab",
        revision=7,
        known_at=datetime(2024, 10, 25, 12, 0, 4, 100000, tzinfo=UTC),
        vanished_dates=(date(2024, 3, 19),),
        added_columns=("open",),
    ),
    findings=(Finding("stale_values", "warning", "Five equal closes.", 5, ({"date": "2024-02-01"},)),),
    accepted=("unit_slip",),
    seconds={"fetch": 0.0201234567, "conform": 0.01, "write": 0.008},
    landing=("landing/cboe/VIX/20241025T120003Z-9f86d081884c7d65.csv.gz",),
)
VIX = {
    "status": "written",
    "window": "2024-01-01..2024-10-24",
    "series": "cboe:VIX",
    "ways": ["cboe:VIX"],
    "landing": ["landing/cboe/VIX/20241025T120003Z-9f86d081884c7d65.csv.gz"],
    "rows_read": 300,
    "dropped": {"outside_window": 90},
    "inserted": 209,
    "changed": 1,
    "unchanged": 0,
    "vanished": 0,
    "withdrawn": 0,
    "changes": [{"date": "2024-03-18", "column": "close", "old": 14.3, "new": 14.33}],
    "row_count": 210,
    "first": "2024-01-02",
    "last": "2024-10-24",
    "coverage": [["2024-01-01", "2024-10-24"]],
    "path": "/srv/credit/data/raw/vix.parquet",
    "content_hash": "sha256:ab",
    "revision": 7,
    "known_at": "2024-10-25T12:00:04.100000+00:00",
    "vanished_dates": ["2024-03-19"],
    "added_columns": ["open"],
    "findings": [
        {
            "rule": "stale_values",
            "severity": "warning",
            "message": "Five equal closes.",
            "count": 5,
            "examples": [{"date": "2024-02-01"}],
        }
    ],
    "accepted": ["unit_slip"],
    "seconds": {"fetch": 0.020123, "conform": 0.01, "write": 0.008},
    "retries": 0,
    "error": None,
}


@pytest.fixture
def log(tmp_path: Path) -> RunLog:
    """Open the log of a run that has not started."""
    return RunLog(tmp_path / "runs", "r1")


def test_start(log: RunLog) -> None:
    """A started run has a document under its date in UTC that says who runs it where."""
    path = log.start(HEADER)
    assert path == log.path == log.logs_directory / "2024-10-25" / "r1.json"
    document = json.loads(path.read_text())
    assert list(document.items()) == [
        ("run_id", "r1"),
        ("job", "backfill"),
        ("status", "started"),
        ("started", "2024-10-25T12:00:00+00:00"),
        ("ended", None),
        ("duration_seconds", None),
        ("window", "2024-01-01..2024-10-24"),
        ("profile", "sample"),
        ("root_kind", "sample"),
        ("launched_by", "macrocredit backfill --start 2024-01-01"),
        ("host", "desk7"),
        ("pid", 4711),
        ("pid_started", 1729857599.25),
        ("versions", {"dagster": "1.13.27", "pandas": "3.1.1"}),
        ("tags", {"dagster/from_ui": "true"}),
        ("error", None),
        ("assets", {}),
        ("checks", {}),
    ]


def test_folder_is_the_date_in_utc(log: RunLog) -> None:
    """A run that starts in the evening in New York stands under the date that London has."""
    evening = datetime(2024, 10, 25, 22, 30, tzinfo=timezone(timedelta(hours=-4)))
    path = log.start(replace(HEADER, started=evening))
    assert path.parent.name == "2024-10-26"
    assert json.loads(path.read_text())["started"] == "2024-10-26T02:30:00+00:00"


def test_finish_merges_parts(log: RunLog) -> None:
    """The end of a run brings what its datasets reported into one document, and removes the parts."""
    log.start(HEADER)
    log.add(replace(RECORD, dataset="zeta", status="unchanged", result=None))
    log.add(RECORD)
    path = log.finish("success", {}, ENDED)
    document = json.loads(path.read_text())
    assert (document["status"], document["ended"]) == ("success", "2024-10-25T12:00:05.250000+00:00")
    assert document["duration_seconds"] == 5.25
    assert list(document["assets"]) == ["vix", "zeta"]
    assert document["assets"]["vix"] == VIX
    assert list(document["assets"]["vix"]) == list(VIX)
    assert list(document["assets"]["zeta"]) == list(VIX)
    assert document["assets"]["zeta"]["inserted"] is None
    assert not list(log.logs_directory.glob(".parts/*"))


def test_later_part_of_a_dataset_wins(log: RunLog) -> None:
    """A step that is tried again replaces what its first try left."""
    log.start(HEADER)
    log.add(AssetRecord("vix", WINDOW, "failed", error=ErrorInfo("TransientSourceError", "503")))
    log.add(RECORD)
    assert json.loads(log.finish("success", {}, ENDED).read_text())["assets"] == {"vix": VIX}


def test_errors(log: RunLog) -> None:
    """A failed dataset is listed with its error: without a part, with one, and with one that names its own error."""
    log.start(HEADER)
    log.add(RECORD)
    log.add(AssetRecord("move", WINDOW, "failed", error=ErrorInfo("UnreadableSourceError", "line 3")))
    said = ErrorInfo("StepFailure", "it failed")
    resource = ErrorInfo("ResourceError", "no disk")
    path = log.finish("failure", {"vix": said, "move": said, "spy": said}, ENDED, error=resource)
    document = json.loads(path.read_text())
    assets = document["assets"]
    assert assets["vix"] == {**VIX, "status": "failed", "error": {"type": "StepFailure", "message": "it failed"}}
    assert assets["move"]["error"] == {"type": "UnreadableSourceError", "message": "line 3"}
    assert assets["spy"]["status"] == "failed"
    assert assets["spy"]["error"] == {"type": "StepFailure", "message": "it failed"}
    assert list(assets["spy"]) == list(VIX)
    assert document["error"] == {"type": "ResourceError", "message": "no disk"}
    assert read_run(path).error == resource


def test_retries(log: RunLog) -> None:
    """How often a dataset was tried again stands beside what became of it, whether it left a part or failed."""
    log.start(HEADER)
    log.add(RECORD)
    log.add(replace(RECORD, dataset="zeta"))
    path = log.finish("failure", {"spy": ErrorInfo("E", "no")}, ENDED, retries={"vix": 2, "spy": 3, "unheard": 1})
    assets = json.loads(path.read_text())["assets"]
    assert {name: entry["retries"] for name, entry in assets.items()} == {"spy": 3, "vix": 2, "zeta": 0}
    assert assets["vix"] == {**VIX, "retries": 2}


def test_checks(log: RunLog) -> None:
    """What came of each check stands beside the datasets, and stays when a run goes on; old logs have none."""
    log.start(HEADER)
    path = log.finish("failure", {}, ENDED, checks={"vix": {"values": "failed", "jumps": "passed"}})
    assert json.loads(path.read_text())["checks"] == {"vix": {"values": "failed", "jumps": "passed"}}
    log.start(HEADER)
    run = read_run(log.finish("success", {}, ENDED, checks={"move": {"values": "warning"}}))
    assert run.checks == {"move": {"values": "warning"}, "vix": {"values": "failed", "jumps": "passed"}}
    assert (run.checks_that("failed"), run.checks_that("warning")) == ({"vix": ["values"]}, {"move": ["values"]})
    document = json.loads(path.read_text())
    del document["checks"]
    path.write_text(json.dumps(document))
    assert read_run(path).checks == {}


def test_finish_twice(log: RunLog) -> None:
    """Ending a run twice in the same way leaves the same bytes."""
    log.start(HEADER)
    log.add(RECORD)
    errors = {"move": ErrorInfo("ValueError", "no")}
    path = log.finish("failure", errors, ENDED)
    before = path.read_bytes()
    log.finish("failure", errors, ENDED)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("first", "second", "status", "ended"),
    [
        ("success", "aborted", "success", ENDED),
        ("aborted", "success", "success", ENDED + timedelta(hours=1)),
        ("aborted", "aborted", "aborted", ENDED + timedelta(hours=1)),
        ("failure", "canceled", "canceled", ENDED + timedelta(hours=1)),
    ],
)
def test_who_has_the_last_word(log: RunLog, first: str, second: str, status: str, ended: datetime) -> None:
    """What a run says of its end counts, whatever others said before or after; late parts are merged in any case."""
    log.start(HEADER)
    log.finish(first, {}, ENDED)  # type: ignore[arg-type]
    log.add(RECORD)
    run = read_run(log.finish(second, {}, ENDED + timedelta(hours=1)))  # type: ignore[arg-type]
    assert (run.status, run.ended, list(run.assets)) == (status, ended, ["vix"])


def test_resumed_run(log: RunLog) -> None:
    """A run that goes on keeps its first start, its file and what was reported, and is under way again."""
    log.start(HEADER)
    log.add(RECORD)
    path = log.finish("failure", {"move": ErrorInfo("ValueError", "no")}, ENDED)
    again = RunLog(log.logs_directory, "r1")
    assert again.start(replace(HEADER, started=STARTED + timedelta(days=2), pid=4712)) == path
    run = read_run(path)
    assert (run.status, run.ended, run.duration_seconds) == ("started", None, None)
    assert (run.header.started, run.header.pid) == (STARTED, 4712)
    again.add(replace(RECORD, dataset="move"))
    run = read_run(again.finish("success", {}, ENDED))
    assert {name: entry["status"] for name, entry in run.assets.items()} == {"move": "written", "vix": "written"}
    assert run.assets["move"]["error"] is None


def test_killed_run_keeps_what_was_reported(log: RunLog) -> None:
    """After SIGKILL the document says `started`; the parts are on disk, and whoever marks it aborted merges them."""
    script = f"""
        import os, signal
        from datetime import datetime
        from pathlib import Path
        from macrocredit_assets.persistence.records import AssetRecord
        from macrocredit_assets.persistence.run_log import RunHeader, RunLog
        log = RunLog(Path({str(log.logs_directory)!r}), "r1")
        started = datetime.fromisoformat("2024-10-25T12:00:00+00:00")
        log.start(RunHeader("r1", "backfill", started, "sample", "sample", None, "test", "desk7", os.getpid(), 1.0))
        log.add(AssetRecord("vix", None, "unchanged"))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False, timeout=60)
    assert killed.returncode == -9
    assert read_run(log.path).status == "started"
    run = read_run(log.finish("aborted", {}, ENDED))
    assert run.status == "aborted"
    assert run.assets["vix"]["status"] == "unchanged"


def test_part_that_cannot_be_read(log: RunLog) -> None:
    """A broken part does not keep a run from being ended: its dataset is listed as failed, with the reason."""
    log.start(HEADER)
    log.add(RECORD).write_text("{")
    log.add(replace(RECORD, dataset="move")).write_text("3")
    run = read_run(log.finish("success", {}, ENDED))
    assert [entry["status"] for entry in run.assets.values()] == ["failed", "failed"]
    assert "vix.json cannot be read" in run.assets["vix"]["error"]["message"]


def test_part_that_arrives_while_a_run_ends(log: RunLog) -> None:
    """What is among the parts and is none of those that were merged stays."""
    log.start(HEADER)
    other = log.add(RECORD).with_name(".move.json.0123456789ab.tmp")
    other.write_text("")
    log.finish("aborted", {}, ENDED)
    assert [path.name for path in other.parent.iterdir()] == [other.name]


def test_run_under_way_is_read_with_what_its_datasets_reported(log: RunLog) -> None:
    """Parts are shown before they are merged; a run that was never started has nothing to show."""
    assert log.read() is None
    log.start(HEADER)
    log.add(RECORD)
    seen = log.read()
    assert seen is not None
    assert (seen.status, seen.assets["vix"]["inserted"]) == ("started", 209)
    log.finish("success", {}, HEADER.started)
    assert log.read() == read_run(log.path)


def test_run_that_never_started(log: RunLog) -> None:
    """A run without a document cannot be ended, and its path is the one that it would get now."""
    assert find(log.logs_directory, "r1") is None
    before = datetime.now(UTC).date()
    assert log.path.parent.name in {before.isoformat(), datetime.now(UTC).date().isoformat()}
    with pytest.raises(FileNotFoundError, match="r1 has no log"):
        log.finish("success", {}, ENDED)


def test_document_that_cannot_be_read(log: RunLog) -> None:
    """A broken document is not overwritten, neither by a start nor by an end."""
    path = log.start(HEADER)
    path.write_text("{")
    with pytest.raises(CorruptFileError, match=r"r1\.json cannot be read as a run log.*mv "):
        log.start(HEADER)
    with pytest.raises(CorruptFileError):
        log.finish("success", {}, ENDED)
    assert path.read_text() == "{"


def _start(logs: Path, run_id: str, started: datetime) -> None:
    RunLog(logs, run_id).start(replace(HEADER, run_id=run_id, started=started))


def test_read_runs(tmp_path: Path) -> None:
    """Runs come newest start first, over folders and within them, as many as are asked for."""
    assert read_runs(tmp_path / "runs").runs == ()
    for run_id, hours in [("b", 1), ("a", 3), ("c", 25), ("d", -20), ("e", 2)]:
        _start(tmp_path, run_id, STARTED + timedelta(hours=hours))
    everything = read_runs(tmp_path)
    assert [run.header.run_id for run in everything.runs] == ["c", "a", "e", "b", "d"]
    assert everything.skipped == ()
    assert [run.header.run_id for run in read_runs(tmp_path, 2).runs] == ["c", "a"]
    assert read_runs(tmp_path, 1).runs[0] == read_run(tmp_path / "2024-10-26" / "c.json")


def test_document_and_back(log: RunLog) -> None:
    """What is read is what was written, in the types of the header."""
    log.start(HEADER)
    log.add(RECORD)
    run = read_run(log.finish("success", {}, ENDED))
    assert run.header == HEADER
    assert (run.status, run.ended, run.duration_seconds, run.error) == ("success", ENDED, 5.25, None)
    assert run.assets == {"vix": VIX}


def test_foreign_files_are_reported(tmp_path: Path) -> None:
    """Files that are no run logs are passed over and named with the reason; other folders are none of ours."""
    _start(tmp_path, "good", STARTED)
    folder = tmp_path / "2024-10-25"
    good = json.loads((folder / "good.json").read_text())
    wrong = {
        "broken": "{",
        "list": "[]",
        "empty": "{}",
        "naive": json.dumps({**good, "started": "2024-10-25T12:00:00"}),
        "status": json.dumps({**good, "status": "exploded"}),
        "assets": json.dumps({**good, "assets": None}),
    }
    for name, text in wrong.items():
        (folder / f"{name}.json").write_text(text)
    (folder / "folder.json").mkdir()
    (folder / "notes.txt").write_text("ours")
    (tmp_path / "2024-10-26").write_text("a file, not a folder")
    (tmp_path / "old").mkdir()
    listed = read_runs(tmp_path)
    assert [run.header.run_id for run in listed.runs] == ["good"]
    assert sorted(skipped.path.stem for skipped in listed.skipped) == sorted([*wrong, "folder"])
    reasons = {skipped.path.stem: skipped.reason for skipped in listed.skipped}
    assert "'exploded'" in reasons["status"]
    assert "no time zone" in reasons["naive"]
    assert "run_id" in reasons["empty"]


def test_run_that_is_pruned_while_it_is_read(tmp_path: Path) -> None:
    """A document that is gone when its turn comes is no fault of anybody's."""
    _start(tmp_path, "good", STARTED)
    (tmp_path / "2024-10-25" / "gone.json").symlink_to(tmp_path / "nowhere.json")
    assert [run.header.run_id for run in read_runs(tmp_path).runs] == ["good"]
    assert read_runs(tmp_path).skipped == ()
