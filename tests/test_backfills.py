"""The request of a backfill in words, and the file that remembers how far it came."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from macrocredit_assets.backfills import Asked, Begun, Journal, written
from macrocredit_assets.persistence import load_json, save_json
from macrocredit_assets.persistence.records import AssetRecord, ErrorInfo
from macrocredit_assets.persistence.run_log import RunHeader, RunLog
from macrocredit_assets.plan import Chunk
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

JANUARY = Window.parse("2024-01-01", "2024-01-31")
ASKED = Asked(("vix", "hyg"), date(2024, 1, 1), date(2024, 1, 31))
NOW = datetime.now(UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return a deployment without a file."""
    return Settings(root=tmp_path, dagster_home=tmp_path / ".dagster")


def _begun(started: datetime = NOW, *runs: str) -> Begun:
    return Begun(("vix", "hyg"), JANUARY, started, runs)


def _of_process(journal: Journal, pid: int, started: float, host: str | None = None) -> None:
    document = load_json(journal.path)
    save_json({**document, "pid": pid, "pid_started": started, "host": host or document["host"]}, journal.path)


def test_words_ask_for_the_same_again() -> None:
    """Every option has its place in the command, and none that was not given is there."""
    assert ASKED.words() == ["backfill", "vix", "hyg", "--start", "2024-01-01", "--end", "2024-01-31"]
    everything = Asked(
        ("vix",),
        date(2024, 1, 1),
        accept=("unit_slip", "bounds"),
        only_missing=True,
        refetch=True,
        with_inputs=True,
        chunk=Chunk(6, "m"),
        stop=True,
        allow_withdrawals=True,
        switch_reason="another vendor",
    )
    assert everything.words() == [
        *("backfill", "vix", "--start", "2024-01-01", "--accept", "unit_slip", "--accept", "bounds"),
        *("--only-missing", "--refetch", "--with-inputs", "--allow-withdrawals", "--chunk", "6m", "--on-error", "stop"),
        *("--switch-series", "--reason", "another vendor"),
    ]


def test_backfill_that_was_left_is_found_until_it_is_finished(settings: Settings) -> None:
    """What a process left behind is read back as it was written; a finished one leaves no file."""
    journal = Journal(settings, ASKED)
    assert journal.cut_off() is None
    journal.write(_begun(NOW, "one", "two"), running=False)
    assert Journal(settings, ASKED).cut_off() == _begun(NOW, "one", "two")
    journal.finish()
    assert journal.cut_off() is None
    assert [*journal.path.parent.glob("*.json")] == []


def test_backfill_under_way_belongs_to_its_process(settings: Settings) -> None:
    """As long as its process lives, nobody takes it over; the process is known by pid and start time."""
    journal = Journal(settings, ASKED)
    journal.write(_begun())
    assert journal.is_taken()
    assert journal.cut_off() is None
    _of_process(journal, os.getpid(), psutil.Process().create_time() - 3600)
    assert not journal.is_taken()
    assert journal.cut_off() == _begun()


def test_backfill_of_a_dead_process_or_another_host_is_taken_over(settings: Settings) -> None:
    """A process that is gone, and one of which nothing can be known, do not hold it."""
    journal = Journal(settings, ASKED)
    journal.write(_begun())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        started = psutil.Process(other.pid).create_time()
        _of_process(journal, other.pid, started)
        assert journal.is_taken()
        _of_process(journal, other.pid, started, host="elsewhere")
        assert not journal.is_taken()
    _of_process(journal, other.pid, started)
    assert not journal.is_taken()
    assert journal.cut_off() is not None


def test_old_backfill_is_begun_anew(settings: Settings) -> None:
    """After a week a source may have restated what was complete."""
    journal = Journal(settings, ASKED)
    journal.write(_begun(NOW - timedelta(days=7, minutes=1)), running=False)
    assert journal.cut_off() is None
    journal.write(_begun(NOW - timedelta(days=6)), running=False)
    assert journal.cut_off() is not None


@pytest.mark.parametrize("content", [b"", b"[]", b'{"names": ["vix"]}', b"\xff"])
def test_damaged_plan_file_tells_nothing(settings: Settings, content: bytes) -> None:
    """What cannot be read is as if it were not there, and is written anew."""
    journal = Journal(settings, ASKED)
    journal.path.parent.mkdir(parents=True)
    journal.path.write_bytes(content)
    assert not journal.is_taken()
    assert journal.cut_off() is None
    journal.write(_begun(), running=False)
    assert journal.cut_off() == _begun()


def test_request_is_known_by_what_it_brings(settings: Settings) -> None:
    """The order of names, chunks and what a failure stops make no other request; all else does."""
    path = Journal(settings, ASKED).path
    same = ({"names": ("hyg", "vix")}, {"chunk": Chunk(1, "y")}, {"stop": True})
    other = (
        *({"names": ("vix",)}, {"start": date(2024, 1, 2)}, {"end": None}, {"refetch": True}),
        *({"only_missing": True}, {"allow_withdrawals": True}, {"accept": ("bounds",)}, {"with_inputs": True}),
    )
    assert {Journal(settings, dataclasses.replace(ASKED, **change)).path for change in same} == {path}
    assert path not in {Journal(settings, dataclasses.replace(ASKED, **change)).path for change in other}
    assert Journal(dataclasses.replace(settings, profile="files"), ASKED).path != path


def test_what_a_killed_run_wrote_is_read_from_its_parts(settings: Settings) -> None:
    """Datasets that were reported count, whether the run ended or not; failures and runs without a log do not."""
    log = RunLog(settings.logs_directory, "killed")
    log.start(
        RunHeader(
            "killed", "ingest", NOW, "sample", "sample", str(JANUARY), "test", host="here", pid=1, pid_started=1.0
        )
    )
    log.add(AssetRecord("vix", JANUARY, "unchanged"))
    log.add(AssetRecord("hyg", JANUARY, "failed", error=ErrorInfo("Failure", "no")))
    before = {path: path.stat().st_mtime_ns for path in settings.root.rglob("*")}
    assert written(settings, ["killed", "never begun"]) == {"killed": {"vix": JANUARY}, "never begun": {}}
    assert {path: path.stat().st_mtime_ns for path in settings.root.rglob("*")} == before
    log.finish("aborted", {}, NOW)
    assert written(settings, ["killed"]) == {"killed": {"vix": JANUARY}}
    log.path.write_text("{")
    assert written(settings, ["killed"]) == {}
