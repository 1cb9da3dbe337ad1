"""What the package needs is what it says it needs."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parent.parent
_PROJECT = tomllib.loads((_REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
_MODULES = {"pyyaml": "yaml"}
#: zoneinfo reads it where the system has no time zones: nothing imports it
_NOT_IMPORTED = {"tzdata"}
#: type checkers bring it: nothing imports it when a program runs
_FOR_TYPES_ALONE = {"_typeshed"}


def _imported() -> Iterator[str]:
    for path in (_REPOSITORY / "macrocredit_assets").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def test_every_imported_package_is_declared() -> None:
    """A package that is there only because another one needs it is gone with the next release of that one."""
    names = (re.match(r"[\w.-]+", requirement)[0] for requirement in _PROJECT["project"]["dependencies"])
    declared = {_MODULES.get(name, name.replace("-", "_")) for name in names}
    imported = set(_imported()) - sys.stdlib_module_names - {"macrocredit_assets"} - _FOR_TYPES_ALONE
    assert imported == declared - _NOT_IMPORTED


def test_pins_are_exact_and_without_an_address() -> None:
    """Every constraint is one exact version, and no index stands in the file."""
    pins = _PROJECT["tool"]["uv"]["constraint-dependencies"] + _PROJECT["tool"]["uv"]["build-constraint-dependencies"]
    assert len(pins) > 50
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+( ; .+)?", pin) for pin in pins)
    assert "index" not in _PROJECT["tool"]["uv"]
    ignored = (_REPOSITORY / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "uv.lock" in ignored
