"""A key that is nowhere: searched for in every byte that runs leave, and in all that they say."""

from __future__ import annotations

import gzip
import logging
import os
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from macrocredit_assets.orchestration import retries
from macrocredit_assets.orchestration.instance import ensure_home
from macrocredit_assets.orchestration.launch import run_backfill
from macrocredit_assets.testing import Fault, faults
from macrocredit_assets.windows import Window

sys.path.insert(0, str(Path(__file__).parent))
from searching import find

if TYPE_CHECKING:
    from conftest import World

#: Of the key, half of it has one whole: also one that was cut is found.
CANARY = "c4n4ryb1"
KEY = 4 * CANARY

SentKeys = Callable[[], set[str]]

SERVED = ["us_ig_oas", "us_hy_oas", "baa_10y", "ust_2y", "ust_10y", "vix"]
WEEK = Window.parse("2024-03-01", "2024-03-07")

#: Answers that repeat the key, each in another place: a page, a refusal, "not now", a redirect here and elsewhere.
ECHOES: dict[str, Fault] = {
    "BAMLC0A0CM": faults.echo(200),
    "BAMLH0A0HYM2": faults.echo(400),
    "BAA10Y": faults.echo(503),
    "DGS2": faults.moved(),
    "DGS10": faults.elsewhere(),
}

#: Everything that any library says at level DEBUG goes to Dagster's event log, and to stderr.
LOUD = """
python_logs:
  python_log_level: DEBUG
  managed_python_loggers: [root, urllib3, requests, macrocredit_assets]
"""


@pytest.fixture
def keyed_world(own_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Give a world in which FRED has the key of this test, and Dagster keeps every log record."""
    monkeypatch.setattr(own_world.fred, "key", KEY)
    home = own_world.settings().dagster_home
    ensure_home(home)
    with (home / "dagster.yaml").open("a") as file:
        file.write(LOUD)
    return own_world


def _break(world: World) -> None:
    for series, fault in ECHOES.items():
        world.fred.install(fault, series=series)


@pytest.fixture
def sent_keys(keyed_world: World) -> SentKeys:
    """Tell the keys that the server was asked with in this test; other tests ask the same server, with its own key."""
    before = len(keyed_world.fred.requests)

    def sent() -> set[str]:
        asked = keyed_world.fred.requests[before:]
        return {request.query["api_key"] for request in asked if "api_key" in request.query}

    return sent


def test_search_finds_what_is_packed(tmp_path: Path) -> None:
    """Without this, finding nothing would mean nothing."""
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(CANARY.encode()))
    pq.write_table(pa.table({"x": [1.0]}).replace_schema_metadata({"m": CANARY}), tmp_path / "b.parquet")
    pq.write_table(pa.table({"x": [CANARY]}), tmp_path / "c.parquet", compression="zstd")
    with sqlite3.connect(tmp_path / "d.db") as database:
        database.execute("CREATE TABLE snapshots (body BLOB)")
        database.execute("INSERT INTO snapshots VALUES (?)", (zlib.compress(f"{'x' * 9000}{CANARY}".encode()),))
    database.close()
    (tmp_path / "e.txt").write_text("nothing")
    (tmp_path / CANARY).write_text("")
    found = sorted(Path(path).name for path in find(CANARY, tmp_path))
    assert found == sorted(["a.csv.gz", "b.parquet", "c.parquet", "d.db", CANARY])


def test_key_is_nowhere(
    keyed_world: World,
    sent_keys: SentKeys,
    impatient: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Runs in this process, first one that works and then one in which each publisher's answer repeats the key."""
    monkeypatch.setattr(retries, "FIRST_WAIT_SECONDS", 0.01)
    settings = keyed_world.settings(keyed=True)
    with caplog.at_level(logging.DEBUG):
        assert run_backfill(settings, ["ust_2y", "ust_10y"], WEEK).success
        _break(keyed_world)
        assert not run_backfill(settings, SERVED, WEEK).success
    shown = [keyed_world.say("status", *SERVED).output, keyed_world.say("runs", "show", "last", "--json").output]
    assert sent_keys() == {KEY}
    assert "Starting new HTTP connection" in caplog.text
    assert find(CANARY, keyed_world.root) == []
    assert CANARY not in "".join([caplog.text, *capfd.readouterr(), *shown, repr(settings)])


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["in_process", "multiprocess"])
def test_key_is_nowhere_in_processes_of_their_own(keyed_world: World, sent_keys: SentKeys, executor: str) -> None:
    """The commands of a day, as they are typed: a backfill, half of which fails, and what asks or shows."""
    keyed_world.fred.install(ECHOES["DGS10"], series="DGS10")
    environ = keyed_world.environ(keyed=True) | {"MACROCREDIT_EXECUTOR": executor}
    said = _said(environ, 1, ["backfill", "ust_2y", "ust_10y", "--start", str(WEEK.start), "--end", str(WEEK.end)])
    said += _said(environ, 1, ["doctor", "--probe"])
    said += _said(environ, 0, ["status"])
    said += _said(environ, 0, ["runs", "show", "last"])
    said += _said(environ, 0, ["trace", "ust_2y", "2024-03-05"])
    assert sent_keys() == {KEY}
    assert CANARY not in said
    assert find(CANARY, keyed_world.root) == []


@pytest.mark.slow
def test_key_is_nowhere_when_dagster_runs_it(keyed_world: World, sent_keys: SentKeys) -> None:
    """Dagster's own command loads the definitions from the environment, and prints every event and traceback."""
    _break(keyed_world)
    environ = os.environ | keyed_world.environ(keyed=True) | {"MACROCREDIT_HTTP_TIMEOUT": "5"}
    environ["DAGSTER_HOME"] = str(keyed_world.settings().dagster_home)
    command = ["-m", "dagster", "asset", "materialize", "-m", "macrocredit_assets.definitions", "--select", "ust_10y"]
    window = ["--partition-range", f"{WEEK.start}...{WEEK.end}"]
    done = subprocess.run(
        [sys.executable, *command, *window],
        env=environ,
        cwd=keyed_world.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "UntrustedSourceError" in done.stderr
    assert sent_keys() == {KEY}
    assert CANARY not in done.stdout + done.stderr
    assert find(CANARY, keyed_world.root) == []


def _said(environ: dict[str, str], ends_with: int, arguments: list[str]) -> str:
    """Return all that ``macrocredit`` says in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "macrocredit_assets", *arguments],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ends_with, (arguments, done.stdout, done.stderr)
    return done.stdout + done.stderr
