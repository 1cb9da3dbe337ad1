"""Commands as they are written for the user's shell."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from macrocredit_assets.cli.context import Context
from macrocredit_assets.settings import SECRETS, Settings


def _context(**chosen: str) -> Context:
    settings = Settings(root=Path("/srv/credit"), dagster_home=Path("/srv/credit/.dagster"))
    return Context(settings=settings, yesterday=date(2024, 1, 31), chosen=chosen)


def test_plain_command_where_nothing_is_set() -> None:
    """Without settings in the environment a command is just itself."""
    assert _context().command("show", "vix") == "macrocredit show vix"


def test_command_has_the_settings_it_needs_and_no_others() -> None:
    """A command that reads needs the root; one that ingests needs the profile and its files too."""
    context = _context(MACROCREDIT_ROOT="./my data", MACROCREDIT_PROFILE="files", MACROCREDIT_EXECUTOR="in_process")
    assert context.command("show", "vix") == "MACROCREDIT_ROOT='./my data' macrocredit show vix"
    assert context.command("ui") == "MACROCREDIT_ROOT='./my data' MACROCREDIT_PROFILE=files macrocredit ui"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("run `macrocredit registry rebuild`", "run `MACROCREDIT_ROOT='my data' uv run macrocredit registry rebuild`"),
        (
            "Run: macrocredit backfill vix --start 2024-01-01",
            (
                "Run: MACROCREDIT_ROOT='my data' MACROCREDIT_PROFILE=files uv run macrocredit backfill vix "
                "--start 2024-01-01"
            ),
        ),
        (
            "`mv a b && macrocredit ui` or `MACROCREDIT_ROOT=./real macrocredit ui`.",
            (
                "`mv a b && MACROCREDIT_ROOT='my data' MACROCREDIT_PROFILE=files uv run macrocredit ui` or "
                "`MACROCREDIT_ROOT=./real MACROCREDIT_PROFILE=files uv run macrocredit ui`."
            ),
        ),
        ("/opt/macrocredit was installed with macrocredit_assets by macrocredit 0.1", None),
    ],
)
def test_commands_in_messages_speak_of_the_same_data(said: str, shown: str | None) -> None:
    """A command inside a message gets the settings it lacks and keeps those it has, once; other words stay."""
    context = replace(_context(MACROCREDIT_ROOT="my data", MACROCREDIT_PROFILE="files"), program="uv run macrocredit")
    assert context.localized(said) == (shown or said)
    assert context.localized(context.localized(said)) == (shown or said)


def test_current_context_remembers_how_settings_were_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment is read once, and what it said can be repeated; uv's way to start the program too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MACROCREDIT_ROOT", "./real")
    monkeypatch.delenv("UV_RUN_RECURSION_DEPTH", raising=False)
    context = Context.current()
    assert context.settings.root == tmp_path / "real"
    assert context.command("ui") == "MACROCREDIT_ROOT=./real macrocredit ui"
    monkeypatch.setenv("UV_RUN_RECURSION_DEPTH", "1")
    assert Context.current().command("ui") == "MACROCREDIT_ROOT=./real uv run macrocredit ui"


def test_commands_that_ask_publishers_say_where() -> None:
    """A command that asks a publisher carries where he is asked and for how long; one that reads does not."""
    context = _context(MACROCREDIT_CBOE_URL="http://127.0.0.1:8000", MACROCREDIT_HTTP_TIMEOUT="5")
    given = "MACROCREDIT_CBOE_URL=http://127.0.0.1:8000 MACROCREDIT_HTTP_TIMEOUT=5 "
    assert context.command("backfill", "vix") == f"{given}macrocredit backfill vix"
    assert context.localized("macrocredit doctor --probe") == f"{given}macrocredit doctor --probe"
    assert context.command("show", "vix") == "macrocredit show vix"


def test_no_command_carries_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key and a webhook's address stay in the environment; neither advice nor the context's own text has them."""
    for name in SECRETS:
        monkeypatch.setenv(name, "s3crets3cret")
    context = Context.current()
    assert "s3cret" not in repr(context)
    assert context.command("ingest", "vix") == f"{context.program} ingest vix"


def test_paths_are_shown_from_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A path below the current directory is shown without it, another one whole."""
    monkeypatch.chdir(tmp_path)
    assert _context().shown(tmp_path / "data" / "registry.json") == "data/registry.json"
    assert _context().shown(Path("/srv/credit")) == "/srv/credit"
