"""docs/operating.md: its commands, its units and its figures are tried as they stand there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
import yaml

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.orchestration import retries
from macrocredit_assets.orchestration.instance import open_instance
from macrocredit_assets.orchestration.launch import run_backfill
from macrocredit_assets.orchestration.prune import KEEP_DAYS
from macrocredit_assets.settings import VARIABLES, Settings
from macrocredit_assets.windows import Window

_REPOSITORY = Path(__file__).resolve().parent.parent
_PAGE = (_REPOSITORY / "docs" / "operating.md").read_text(encoding="utf-8")
_BIN = Path(sys.executable).parent

Shell = Callable[..., "subprocess.CompletedProcess[str]"]


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", _PAGE, re.DOTALL | re.MULTILINE)


def _commands(*sections: str) -> list[str]:
    """Return the lines of the shell blocks below some headings, without their comments."""
    texts = [part for part in re.split(r"^## ", _PAGE, flags=re.MULTILINE) if part.split("\n")[0] in sections]
    lines = [
        line
        for text in texts
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
    ]
    return [re.sub(r"\s+#.*", "", line) for line in lines]


def _units() -> dict[str, str]:
    found = {}
    for block in _blocks("ini"):
        path, _, text = block.partition("\n")
        found[Path(path.removeprefix("# ")).name] = text
    return found


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Run a line of shell in a fresh deployment, with the page's environment file."""
    root = tmp_path / "credit"
    root.mkdir()
    (root / "environment").write_text(_units()["environment"].replace("/srv/credit", str(root)))
    (root / "venv").symlink_to(_BIN.parent)
    path = f"{_BIN}{os.pathsep}{os.environ['PATH']}"

    def run(line: str, **environ: str) -> subprocess.CompletedProcess[str]:
        moved = f"set -a; . {root}/environment; set +a; {line.replace('/srv/credit', str(root))}"
        return subprocess.run(
            ["sh", "-c", moved], cwd=root, env={**os.environ, "PATH": path, **environ},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


@pytest.fixture
def recent() -> str:
    """Return a start ten days ago, in place of the page's years."""
    return f"{datetime.now(ZoneInfo('America/New_York')) - timedelta(days=10):%Y-%m-%d}"


def _since(line: str, start: str) -> str:
    return re.sub(r"--start \d{4}-\d\d-\d\d", f"--start {start}", line)


@pytest.mark.slow
def test_commands_run_one_after_the_other(shell: Shell, recent: str, tmp_path: Path) -> None:
    """First day, mornings, failures, pruning, backup and move, in the order of the page, each ends with 0."""
    sections = (
        *("The first day", "What a morning does", "When something fails", "What it costs on disk", "Backups"),
        "Moving a root",
    )
    commands = [line for line in _commands(*sections) if not line.startswith(("systemctl", "export"))]
    assert len(commands) == 24
    for line in commands:
        if line.startswith("mv "):
            shutil.move(tmp_path / "credit", tmp_path / "moved")
            continue
        if "/data/credit" in line:
            moved = line.replace("/data/credit", str(tmp_path / "moved")).split(maxsplit=1)
            result = subprocess.run(
                ["sh", "-c", " ".join(moved)], env={**os.environ, "PATH": f"{_BIN}:{os.environ['PATH']}"},
                capture_output=True, text=True, check=False,
            )  # fmt: skip
        else:
            result = shell(_since(line, recent))
        assert result.returncode == 0, f"{line}: {result.stdout}{result.stderr}"
    # the moved root goes on
    settings = Settings(root=tmp_path / "moved", dagster_home=tmp_path / "moved" / ".dagster")
    yesterday = datetime.now(ZoneInfo("America/New_York")).date() - timedelta(days=1)
    assert run_backfill(settings, ["vix"], Window(yesterday, yesterday)).success


@pytest.mark.slow
def test_crontab_lines_run(shell: Shell, recent: str, tmp_path: Path) -> None:
    """What cron hands to the shell works there, and leaves a morning in the run logs."""
    (crontab,) = _blocks("cron")
    lines = re.findall(r"^[\d*]+ \d+ \* \* [\d*]  (.*)$", crontab, re.MULTILINE)
    assert [line.split("macrocredit ")[1].split()[0] for line in lines] == ["ingest", "status", "prune"]
    assert "%" not in crontab  # cron would end the line there
    assert shell(f"macrocredit backfill --start {recent}").returncode == 0
    for line in lines:
        result = shell(line)
        assert (result.returncode, result.stdout, result.stderr) == (0, "", ""), line
    assert "run log:" in (tmp_path / "credit" / "logs" / "cron.log").read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_units_are_sound(tmp_path: Path) -> None:
    """Systemd reads them without a complaint, and knows the hour."""
    names = ["macrocredit-ingest.service", "macrocredit-ingest.timer", "macrocredit-ui.service"]
    units = _units()
    for name in names:
        text = units[name].replace("/srv/credit/venv/bin", str(_BIN)).replace("User=credit", "User=root")
        (tmp_path / name).write_text(text)
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in names)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
    # a key that it does not know is passed over
    assert [line for line in checked.stderr.splitlines() if "macrocredit" in line] == []
    (hour,) = re.findall(r"^OnCalendar=(.*)$", units[names[1]], re.MULTILINE)
    told = subprocess.run(["systemd-analyze", "calendar", hour], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert "Next elapse" in told.stdout


def test_units_start_what_there_is() -> None:
    """Every ExecStart is a command of ours with options that it has, and every setting is known."""
    units = _units()
    started = [line for text in units.values() for line in re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)]
    assert len(started) == 2
    for line in started:
        program, command, *options = shlex.split(line)
        assert Path(program).name == "macrocredit"
        said = subprocess.run([_BIN / "macrocredit", command, "--help"], capture_output=True, text=True, check=True)
        assert all(option in said.stdout for option in options if option.startswith("--"))
    assert {line.partition("=")[0] for line in units["environment"].splitlines()} <= set(VARIABLES)
    assert set(re.findall(r"MACROCREDIT_(?!RUN_LOG)[A-Z_]+", _PAGE)) <= set(VARIABLES)


@pytest.mark.slow
def test_schedules_are_switched_on_and_the_daemon_runs(shell: Shell, tmp_path: Path) -> None:
    """By one setting or by name; the daemon of the page starts, beats, and ends on SIGTERM."""
    commands = _commands("By Dagster's daemon")
    (daemon,) = [line for line in commands if line.startswith("dagster-daemon")]
    start, listing = (line for line in commands if line.startswith("dagster schedule"))
    for environ, line, running in (
        ({}, "true", []),
        ({"MACROCREDIT_SCHEDULES": "on"}, "true", ["daily_europe", "daily_us", "freshness"]),
        ({}, start, ["daily_us"]),
    ):
        shell("macrocredit prune")  # makes the home
        assert shell(line, **environ).returncode == 0
        said = shell(listing, **environ)
        assert re.findall(r"Schedule: (\w+) \[RUNNING\]", said.stdout) == running, said

    root = tmp_path / "credit"
    environment = dict(line.split("=") for line in (root / "environment").read_text().splitlines())
    process = subprocess.Popen(
        [_BIN / daemon.split()[0], *daemon.split()[1:]], cwd=root, env={**os.environ, **environment},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 90
        with open_instance(root / ".dagster") as instance:
            while "SCHEDULER" not in instance.get_daemon_heartbeats():
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    finally:
        process.kill()


def test_figures_of_faults_are_those_of_the_instance() -> None:
    """Retries, waits, the hour after which a run is failed, and the days that are kept."""
    shipped = yaml.safe_load((_REPOSITORY / "macrocredit_assets" / "orchestration" / "dagster.yaml").read_text())
    monitoring = shipped["run_monitoring"]
    assert monitoring["max_runtime_seconds"] == 3600
    assert "failed after one hour (`max_runtime_seconds`" in _PAGE
    assert monitoring["free_slots_after_run_end_seconds"] == 30
    assert "free half a minute later" in _PAGE
    assert shipped["run_retries"]["max_retries"] == 2
    assert "started again, up to twice" in _PAGE
    waits = [retries.FIRST_WAIT_SECONDS * 2**number for number in range(retries.MAX_RETRIES)]
    assert waits == [5, 10, 20]
    assert f"up to {retries.MAX_RETRIES} times in the run, after up to 5, 10 and 20 seconds" in _PAGE
    assert f"after pruning to {KEEP_DAYS} days" in _PAGE
    assert f"all {len(load_catalog().names())} datasets" in _PAGE


def test_sizes_of_a_year_are_those_of_its_days() -> None:
    """Of every line with a size for a day, within a tenth, or as far as one digit can tell."""
    megabytes = {"kB": 0.001, "MB": 1.0}
    rows = re.findall(r"^\| `data/.*?\|.*|^\| `[.l].*", _PAGE, re.MULTILINE)
    assert len(rows) == 4
    for row in rows:
        day, year = (cell.strip() for cell in row.split("|")[2:4])
        (number, unit), (most, mega) = day.split()[:2], year.split()[:2]
        assert mega == "MB"
        assert float(most.replace(",", "")) == pytest.approx(float(number) * megabytes[unit] * 365, rel=0.1, abs=0.05)


@pytest.mark.slow
def test_sizes_of_a_day_are_as_stated(tmp_path: Path) -> None:
    """Within a third: what one more morning leaves in Dagster's home, in run logs and in revisions."""
    settings = Settings(root=tmp_path, dagster_home=tmp_path / ".dagster")
    places = {".dagster/": ".dagster", "logs/runs/": "logs", "data/revisions/": "data/revisions"}

    def sizes() -> dict[str, int]:
        files = {place: [*(tmp_path / folder).rglob("*")] for place, folder in places.items()}
        return {place: sum(file.stat().st_size for file in found if file.is_file()) for place, found in files.items()}

    def morning(day: datetime) -> None:
        with dg.partition_loading_context(effective_dt=day):
            window = Window((day - timedelta(days=10)).date(), (day - timedelta(days=1)).date())
            assert run_backfill(settings, [], window).success

    # Tuesday to Friday, with pages of the index filled before
    days = [datetime(2024, 3, day, 7, tzinfo=ZoneInfo("America/New_York")) for day in (11, 12, 13, 14, 15)]
    morning(days[0])
    before = sizes()
    for day in days[1:]:
        morning(day)
    grown = {place: (size - before[place]) / 4 for place, size in sizes().items()}
    for place, number, unit in re.findall(r"^\| `([\w./]+)` \| (\d[\d.]*) (kB|MB)", _PAGE, re.MULTILINE):
        stated = float(number) * {"kB": 1e3, "MB": 1e6}[unit]
        assert grown[place] == pytest.approx(stated, rel=0.34), place
