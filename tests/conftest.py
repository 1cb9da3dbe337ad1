"""What every test may use; and, before any of them, an environment without the settings of this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parent.parent
_REAL_DATA = os.environ.get("MACROCREDIT_TEST_DATA")

# Here, and not in a fixture: fixtures of a session come before those of a test. A developer's own root or profile must
# not leak into a test, nor whether pytest was started by `uv run`, which the commands in messages follow.
for _name in [*os.environ]:
    if _name.startswith(("MACROCREDIT_", "DAGSTER_")) or _name == "UV_RUN_RECURSION_DEPTH":
        del os.environ[_name]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder with real market files; it lies beside the checkout, not in it."""
    folder = Path(_REAL_DATA or _REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.fail(f"No real data in {folder}; set MACROCREDIT_TEST_DATA to the folder that has them.")
    return folder
