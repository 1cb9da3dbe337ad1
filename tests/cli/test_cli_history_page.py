"""docs/history.md: its commands and its Python run as they stand there."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from macrocredit_assets.quality import acceptable_rules

Run = Callable[..., Result]

_PAGE = (Path(__file__).resolve().parents[2] / "docs" / "history.md").read_text(encoding="utf-8")


def test_commands_and_code_run(run: Run, filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command of the page ends with 0 on a root that has the data it speaks of, and every call returns rows."""
    ten_days_ago = f"{datetime.now(UTC) - timedelta(days=10):%Y-%m-%d}"
    commands = re.findall(r"^macrocredit (.*?)(?: +#.*)?$", _PAGE, re.MULTILINE)
    assert {command.split()[0] for command in commands} == {"revisions", "registry", "backfill", "ingest", "migrate"}
    for command in commands:
        if command.startswith("ingest"):
            continue  # observed rows, in a root of their own: test_cli_ingest.py
        # the whole history takes seconds, and shows no more
        result = run(*shlex.split(command.replace("2004-01-01", ten_days_ago)), root=filled)
        assert result.exit_code == 0, f"{command}: {result.output}"

    (code,) = re.findall(r"```python\n(.*?)```", _PAGE, re.DOTALL)
    # what was stored a second ago was not known in 2024
    code = code.replace("2024-12-10", f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}")
    monkeypatch.setenv("MACROCREDIT_ROOT", str(filled))
    names: dict[str, object] = {}
    calls = 0
    for statement in ast.parse(code).body:
        if isinstance(statement, ast.Expr):
            assert len(eval(ast.unparse(statement), names)) > 0  # noqa: S307 - the page's own code
            calls += 1
        else:
            exec(ast.unparse(statement), names)  # noqa: S102 - the page's own code
    assert calls == 4


def test_rules_of_the_page_are_all_that_can_be_waived() -> None:
    """The page names the rules that refuse, and no others."""
    (sentence,) = re.findall(r"The rules (.*?)\s+refuse, and can be waived", _PAGE, re.DOTALL)
    assert sorted(re.findall(r"`(\w+)`", sentence)) == sorted(acceptable_rules())
