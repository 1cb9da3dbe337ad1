"""Telling of a failed run: commands that are really run, and webhooks that are really posted to."""

from __future__ import annotations

import json
import logging
import os
import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from macrocredit_assets.notify import Notice, notice, send
from macrocredit_assets.persistence.records import AssetRecord, ErrorInfo
from macrocredit_assets.persistence.run_log import RunHeader, RunLog

TOLD = Notice("run_1", "failure", Path("/srv/credit/logs/runs/2024-10-25/run_1.json"), "vix: no answer\nrün log")
WORD = "T0P/s3cret"


def _python(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


def _timed(notifier: str, timeout: float = 10.0) -> tuple[str | None, float]:
    started = time.monotonic()
    problem = send(notifier, TOLD, timeout)
    return problem, time.monotonic() - started


def test_command_gets_the_text_and_the_run_log(tmp_path: Path) -> None:
    """The text on its standard input, the rest in its environment, which is otherwise ours."""
    code = (
        "import json, os, sys; e = os.environ; open('told.json', 'w').write(json.dumps("
        "[sys.stdin.buffer.read().decode(), e['MACROCREDIT_RUN_LOG'], e['MACROCREDIT_RUN_STATUS'], 'PATH' in e]))"
    )
    command = shlex.join(["sh", "-c", f"cd {tmp_path} && {_python(code)}"])
    assert send(command, TOLD) is None
    assert json.loads((tmp_path / "told.json").read_text()) == [TOLD.text, str(TOLD.run_log), "failure", True]
    assert "MACROCREDIT_RUN_LOG" not in os.environ


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (_python("import sys; sys.exit(7)"), "ended with 7"),
        ("no-such-command-anywhere --now", "cannot be started: No such file or directory"),
        ("/", "cannot be started: Permission denied"),
        ("nul\0byte", "cannot be started: ValueError"),
        (_python("import sys; sys.stdin.close(); sys.exit(3)"), "ended with 3"),
    ],
)
def test_command_that_fails_is_told_without_naming_it(command: str, said: str) -> None:
    """An exit code, a program that is not there: a sentence, and no exception."""
    problem, _ = _timed(command)
    assert problem is not None
    assert said in problem
    assert shlex.split(command)[0] not in problem


def test_command_that_writes_much_is_no_burden(capfd: pytest.CaptureFixture[str]) -> None:
    """Megabytes on both streams fill no pipe, and reach nobody."""
    code = "import sys; [stream.write('x' * 4_000_000) for stream in (sys.stdout, sys.stderr)]"
    assert send(_python(code), TOLD) is None
    assert capfd.readouterr() == ("", "")


def test_command_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    """It ignores requests to end, and has a child: after the timeout neither is left."""
    pids = tmp_path / "pids"
    code = (
        "import os, signal, subprocess, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"child = subprocess.Popen(['sleep', '60']); open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}'); "
        "time.sleep(60)"
    )
    problem, seconds = _timed(_python(code), 2.0)
    assert problem == "its command did not end within 2 s, and was killed"
    assert 1.9 < seconds < 3.5
    for pid in map(int, pids.read_text().split()):
        _wait(lambda pid=pid: not _runs(pid))


def test_command_that_leaves_a_child_is_not_waited_for() -> None:
    """What goes on in the background is not the run's affair."""
    problem, seconds = _timed("sh -c 'sleep 20 & exit 0'", 10.0)
    assert (problem, seconds < 5) == (None, True)


@contextmanager
def _webhook(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[tuple[str, list[Any]]]:
    """Serve on a port of this machine; yield the address and what was posted."""
    posted: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            posted.append((self.path, self.headers["Content-Type"], body))
            answer(self)

        def do_GET(self) -> None:
            posted.append((self.path, "GET"))
            answer(self)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hooks/{WORD}", posted
    finally:
        server.shutdown()
        thread.join()
        server.socket.close()


def _answer(status: int, body: bytes = b"ok", **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.mark.parametrize("status", [200, 202, 204])
def test_webhook_is_posted_json(status: int) -> None:
    """Text, run log, run id and status, to the path that was given."""
    with _webhook(_answer(status, b"" if status == 204 else b"ok")) as (address, posted):
        assert send(address, TOLD) is None
    told = {"text": TOLD.text, "run_log": str(TOLD.run_log), "run_id": "run_1", "status": "failure"}
    assert posted == [(f"/hooks/{WORD}", "application/json", told)]


def test_webhook_that_refuses_is_told_by_its_status() -> None:
    """A refusal is a sentence; a redirection is one, too, as what is posted would get lost on the way."""
    with _webhook(_answer(403)) as (address, _):
        assert send(address, TOLD) == "its address answered 403"
    with _webhook(_answer(302, Location="/elsewhere")) as (address, posted):
        assert send(address, TOLD) == "its address answered 302"
        assert len(posted) == 1


def test_webhook_that_says_much_is_not_listened_to() -> None:
    """The status counts; a body without end is not read."""

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 65_536)
        except OSError:
            handler.close_connection = True

    with _webhook(endless) as (address, _):
        problem, seconds = _timed(address)
    assert (problem, seconds < 5) == (None, True)


def _silent(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(4)
    handler.close_connection = True


def _dripping(handler: BaseHTTPRequestHandler) -> None:
    # a byte now and then keeps a read from timing out
    try:
        for byte in b"HTTP/1.0 200 " + b"O" * 50:
            handler.wfile.write(bytes([byte]))
            time.sleep(0.2)
    except OSError:
        handler.close_connection = True


@pytest.mark.parametrize("answer", [_silent, _dripping])
def test_webhook_that_hangs_is_not_waited_for(answer: Callable[[BaseHTTPRequestHandler], None]) -> None:
    """Whether it says nothing or says it slowly: after the timeout the run goes on."""
    with _webhook(answer) as (address, _):
        problem, seconds = _timed(address, 1.0)
    assert problem is not None
    assert "s3cret" not in problem
    assert 0.9 < seconds < 2.0


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/hooks/", "http:///hooks/", "http://[::bad/", "HTTPS://\udcff/"]
)
def test_webhook_that_cannot_be_reached(address: str) -> None:
    """Nobody there, and no address at all."""
    problem, _ = _timed(f"{address}{WORD}")
    assert problem is not None
    assert problem.startswith("its address cannot be reached: ")
    assert "s3cret" not in problem


def test_address_stands_in_no_log(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """Not even where everything is logged: the libraries below would log the path at level DEBUG."""
    caplog.set_level(logging.DEBUG)
    with _webhook(_answer(200)) as (address, posted):
        send(address, TOLD)
        send(address, TOLD)
        assert len(posted) == 2
    send(f"http://127.0.0.1:9/hooks/{WORD}", TOLD)
    send(f"no-such-command {WORD}", TOLD)
    said = "".join([caplog.text, *capfd.readouterr()])
    assert "s3cret" not in said
    # other requests of this process are logged as ever
    logging.getLogger("urllib3.connectionpool").debug("another request")
    assert "another request" in caplog.text


HEADER = RunHeader(
    run_id="run_1",
    job="ingest",
    started=datetime(2024, 10, 25, 11, tzinfo=UTC),
    profile="public",
    root_kind="real",
    window="2024-10-15..2024-10-24",
    launched_by="schedule:daily_us",
    host="desk7",
    pid=4711,
    pid_started=1729857599.2,
)


def _finished(logs: Path, *records: AssetRecord, error: ErrorInfo | None = None) -> Path:
    log = RunLog(logs, "run_1")
    log.start(HEADER)
    for record in records:
        log.add(record)
    return log.finish("failure", {}, datetime(2024, 10, 25, 12, tzinfo=UTC), error=error)


def _failed(name: str, why: str) -> AssetRecord:
    return AssetRecord(name, None, "failed", error=ErrorInfo("SourceError", why))


def test_notice_says_what_failed_and_why(tmp_path: Path) -> None:
    """Who, which window, what failed with the first line of its reason, what was not run, and where to read on."""
    path = _finished(
        tmp_path,
        AssetRecord("hyg", None, "unchanged"),
        _failed("vix", "The answer is no CSV.\nIt begins with <html>."),
        AssetRecord("cdx_vix_gap", None, "skipped", error=ErrorInfo("UpstreamFailed", "Not run.")),
    )
    told = notice("run_1", "failure", path)
    assert told == Notice(
        "run_1",
        "failure",
        path,
        "macrocredit on desk7: failure of schedule:daily_us, 2024-10-15..2024-10-24.\n"
        "vix: The answer is no CSV.\n"
        "not run: cdx_vix_gap\n"
        f"run log: {path}",
    )


def test_notice_is_short(tmp_path: Path) -> None:
    """Of many failures five are named, and of a long reason two hundred characters; the run log has the rest."""
    path = _finished(
        tmp_path, *(_failed(f"ust_{n:02}y", "x" * 5_000) for n in range(1, 31)), error=ErrorInfo("E", "it broke")
    )
    lines = notice("run_1", "failure", path).text.splitlines()
    assert lines[1] == "it broke"
    assert lines[2] == f"ust_01y: {'x' * 200}..."
    assert lines[7] == "... and 25 more"
    assert len(lines) == 9


def test_notice_names_the_checks_that_failed(tmp_path: Path) -> None:
    """Of a run in which every dataset was written, what failed is the check that held up the rest."""
    path = _finished(tmp_path, AssetRecord("vix", None, "written"))
    checks = {"vix": {"values": "failed", "jumps": "warning", "source": "failed"}, "move": {"values": "passed"}}
    RunLog(tmp_path, "run_1").finish("failure", {}, datetime(2024, 10, 25, 12, tzinfo=UTC), checks=checks)
    assert notice("run_1", "failure", path).text.splitlines()[1:] == [
        "checks failed: vix (values, source)",
        f"run log: {path}",
    ]


def test_notice_of_what_failed_without_a_reason(tmp_path: Path) -> None:
    """A record without an error is named all the same."""
    path = _finished(tmp_path, AssetRecord("vix", None, "failed"))
    assert notice("run_1", "failure", path).text.splitlines()[1] == "vix: failed"


def test_text_that_is_no_unicode_is_sent(tmp_path: Path) -> None:
    """A path may have bytes that are no text; they arrive as question marks."""
    told = Notice("run_1", "failure", TOLD.run_log, "run log: /srv/\udcff")
    assert send(shlex.join(["sh", "-c", f"cat > {tmp_path / 'told'}"]), told) is None
    assert (tmp_path / "told").read_text() == "run log: /srv/?"


def test_notice_of_a_run_whose_log_is_broken(tmp_path: Path) -> None:
    """The failure is told all the same."""
    path = tmp_path / "run_1.json"
    path.write_text("{")
    assert notice("run_1", "failure", path).text.startswith("Run run_1: failure.\n")
    path.unlink()
    assert notice("run_1", "failure", path).text.startswith("Run run_1: failure.\n")


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
