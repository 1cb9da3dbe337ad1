"""The README says what is so: its generated tables, and the commands of its first screen."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parent.parent
_README = (_REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_generated_tables_are_current() -> None:
    """The dataset table follows the catalog, the settings table the settings."""
    command = [sys.executable, str(_REPOSITORY / ".ci/readme"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_first_screen_has_the_two_commands() -> None:
    """One line each, and nothing before them but what the project is."""
    first_screen = "\n".join(_README.splitlines()[:25])
    assert re.findall(r"^python -m pip install uv && (.*)$", first_screen, re.MULTILINE) == [
        "uv run macrocredit backfill --start 2020-01-01",
        "uv run pytest",
    ]


@pytest.mark.parametrize("entry", re.findall(r"```yaml\n(.*?)```", _README, re.DOTALL))
def test_catalog_entries_of_the_readme_load(tmp_path: Path, entry: str) -> None:
    """Each piece of YAML under "Adding a dataset" is a catalog that can be used as it is."""
    (tmp_path / "ours.yaml").write_text(entry)
    command = [sys.executable, "-m", "macrocredit_assets", "catalog", "validate", str(tmp_path / "ours.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
