"""The command line as tests drive it, and a root that one real backfill has filled."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from macrocredit_assets.cli import cli

Run = Callable[..., Result]

FILLED_START, FILLED_END = "2023-01-02", "2024-03-28"


def _invoke(root: Path, *arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(cli, arguments, env={"MACROCREDIT_ROOT": str(root), **environ}, prog_name="macrocredit")


@pytest.fixture(scope="session")
def backfilled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """Fill a root that nobody changes with two datasets and a signal; also return what the command said."""
    root = tmp_path_factory.mktemp("filled")
    names = ("vix", "cdx_hy_5y", "cdx_vix_gap")
    result = _invoke(root, "backfill", *names, "--start", FILLED_START, "--end", FILLED_END, DAGSTER_HOME="")
    assert result.exit_code == 0, result.output
    return root, result


@pytest.fixture
def filled(backfilled: tuple[Path, Result], tmp_path: Path) -> Path:
    """Copy the filled root, to do with as a test likes."""
    return Path(shutil.copytree(backfilled[0], tmp_path / "root"))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run ``macrocredit`` on a root, by default on one that does not exist yet."""

    def call(*arguments: str, root: Path = tmp_path / "fresh", **environ: str) -> Result:
        return _invoke(root, *arguments, **environ)

    return call
