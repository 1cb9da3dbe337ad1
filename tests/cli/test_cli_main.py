"""The command as a whole: help, exit codes, and what is imported for them."""

from __future__ import annotations

import os
import pty
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from macrocredit_assets import __version__, errors
from macrocredit_assets.cli import _Commands, cli
from macrocredit_assets.settings import VARIABLES

_HEAVY = {"dagster", "numpy", "pandas", "pyarrow", "pydantic", "rich", "yaml"}


def _commands(group: click.Group, *above: str) -> list[tuple[str, ...]]:
    paths: list[tuple[str, ...]] = [above] if above else []
    for name, command in group.commands.items():
        paths += _commands(command, *above, name) if isinstance(command, click.Group) else [(*above, name)]
    return paths


def test_help_has_every_command_and_setting_within_80_columns(run: Callable[..., Result]) -> None:
    """The first help names all commands and all settings, and no line is broken by an 80 column terminal."""
    lines = run("--help").output.splitlines()
    listed = {line.split()[0] for line in lines if line.startswith("  ")}
    assert set(cli.commands) | set(VARIABLES) <= listed
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("path", _commands(cli), ids=" ".join)
def test_every_command_has_help_whatever_the_settings_are(run: Callable[..., Result], path: tuple[str, ...]) -> None:
    """Help is given even where a setting is wrong, and says more than the usage."""
    result = run(*path, "--help", MACROCREDIT_PROFILE="nonsense")
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: macrocredit {' '.join(path)}")
    assert "--help" in result.output


def test_help_imports_nothing_heavy() -> None:
    """Help answers at once, because no library that takes long to import is imported."""
    script = (
        "import sys; from macrocredit_assets.cli import cli; cli(['--help'], standalone_mode=False);"
        "print('IMPORTED', *{name.partition('.')[0] for name in sys.modules})"
    )
    output = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    imported = set(output.partition("IMPORTED")[2].split())
    assert "click" in imported
    assert not imported & _HEAVY


@pytest.mark.parametrize(
    "start", [[sys.executable, "-m", "macrocredit_assets"], [str(Path(sys.executable).with_name("macrocredit"))]]
)
def test_both_ways_to_start_it_are_the_same_command(start: list[str]) -> None:
    """The script and the module print the same version."""
    done = subprocess.run([*start, "--version"], check=True, capture_output=True, text=True)
    assert done.stdout == f"macrocredit {__version__}\n"


def test_wrong_use_ends_a_process_with_2_and_a_sentence(tmp_path: Path) -> None:
    """A refused request is one message on standard error, exit code 2, and nothing on disk."""
    command = [sys.executable, "-m", "macrocredit_assets", "backfill", "--start", "2024-02-01", "--end", "2024-01-01"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "reversed" in done.stderr
    assert "Traceback" not in done.stderr
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["backfil"], "No such command 'backfil'"),
        (["show"], "Missing argument 'NAME'"),
        (["show", "vix", "--start", "1/2/2024"], "YYYY-MM-DD"),
        (["backfill", "--start", "20240131"], "YYYY-MM-DD"),
        (["backfill", "--start", "2024-W05-3"], "YYYY-MM-DD"),
        (["show", "vix", "--tail", "0"], "x>=1"),
        (["runs", "list", "--limit", "none"], "not a valid integer"),
    ],
)
def test_what_click_refuses_ends_with_2(run: Callable[..., Result], arguments: list[str], said: str) -> None:
    """Unknown commands, missing arguments and values that do not parse are wrong use."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_setting_that_cannot_be_used_is_wrong_use(run: Callable[..., Result]) -> None:
    """A wrong variable in the environment ends with 2 and names the variable."""
    result = run("datasets", MACROCREDIT_PROFILE="nonsense")
    assert result.exit_code == 2
    assert "MACROCREDIT_PROFILE" in result.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UsageError, 2),
        (errors.WindowError, 2),
        (errors.RootKindError, 2),
        (errors.CatalogError, 2),
        (errors.UnknownDatasetError, 2),
        (errors.NotServedError, 2),
        (errors.NotCoveredError, 1),
        (errors.CorruptFileError, 1),
        (errors.StoreError, 1),
        (errors.TransientSourceError, 1),
        (errors.RuleViolationError, 1),
    ],
)
def test_errors_become_a_message_and_an_exit_code(error: type[errors.MacrocreditError], code: int) -> None:
    """An error of this package is shown as its message: 2 where another request helps, 1 where it was tried."""

    @click.command("fail")
    def fail() -> None:
        raise error("What happened, and what to do.")

    result = CliRunner().invoke(_Commands("macrocredit", commands=[fail]), ["fail"])
    assert result.exit_code == code
    assert result.stderr == "Error: What happened, and what to do.\n"
    assert isinstance(result.exception, SystemExit)


def test_errors_that_nobody_expected_are_not_hidden() -> None:
    """A defect keeps its traceback."""

    @click.command("fail")
    def fail() -> None:
        raise RuntimeError("a defect")

    result = CliRunner().invoke(_Commands("macrocredit", commands=[fail]), ["fail"])
    assert isinstance(result.exception, RuntimeError)


def test_commands_in_errors_are_written_for_the_users_shell(run: Callable[..., Result], tmp_path: Path) -> None:
    """What an error of the library says to type names the root of this invocation."""
    (tmp_path / "fresh" / "data").mkdir(parents=True)
    (tmp_path / "fresh" / "data" / "registry.json").write_text("{")
    result = run("registry", "list")
    assert f" MACROCREDIT_ROOT={tmp_path / 'fresh'} macrocredit registry rebuild" in result.stderr


@pytest.mark.parametrize(("width", "shown"), [(80, False), (160, True)])
def test_terminal_gets_what_fits(tmp_path: Path, width: int, shown: bool) -> None:
    """On a terminal of 80 columns no line is broken or cut; on a wide one the titles are there too."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "macrocredit_assets", "datasets"]
    environ = {**os.environ, "COLUMNS": str(width), "TERM": "xterm"}
    with os.fdopen(ours, "rb") as terminal:
        process = subprocess.Popen(command, stdout=theirs, cwd=tmp_path, env=environ)
        os.close(theirs)
        text = b""
        # the end of a pseudo terminal is an error on Linux
        with suppress(OSError):
            while chunk := os.read(terminal.fileno(), 65536):
                text += chunk
        assert process.wait() == 0
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in text.decode().splitlines()]
    table = lines[: lines.index("", 2)] if "" in lines else lines
    assert "─" in table[1]
    assert max(len(line) for line in table) <= width
    assert not any("…" in line for line in table)
    assert ("title" in table[0]) == shown
    assert b"\x1b[" in text


def test_ui_refuses_a_port_that_is_taken(run: Callable[..., Result]) -> None:
    """An address that cannot be had is wrong use, with the next one to try."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("ui", "--port", str(port))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert f"--port {port + 1}" in result.stderr
