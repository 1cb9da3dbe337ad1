"""What every test may use, and the one thing every test gets: an environment without this machine's settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parent.parent

#: Variables of others that change what is done or said; the last is set by `uv run`, which commands in messages name.
_NAMES = {"DAGSTER_HOME", "DAGSTER_EVENT_BATCH_SIZE", "UV_RUN_RECURSION_DEPTH"}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own root or profile must not leak into a test."""
    for name in [*os.environ]:
        if name.startswith("MACROCREDIT_") or name in _NAMES:
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with real market files; it lies beside the checkout, not in it."""
    folder = Path(_REAL_DATA or _REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.fail(f"No real data in {folder}; set MACROCREDIT_TEST_DATA to the folder that has them.")
    return folder


# read before the environment is cleaned
_REAL_DATA = os.environ.get("MACROCREDIT_TEST_DATA")
