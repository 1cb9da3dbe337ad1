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


@pytest.fixture
def own_signal(tmp_path: Path) -> Path:
    """Write a catalog with a signal whose function is spelled wrong."""
    path = tmp_path / "desk.yaml"
    path.write_text(
        "signals:\n"
        "  desk_gap:\n"
        "    title: Gap of the desk\n"
        "    instrument: CDX\n"
        "    tenor: 5Y\n"
        "    calendar: us_bond\n"
        "    group: signals\n"
        "    owner: team:desk\n"
        "    description: Spread against volatility.\n"
        "    main: gap\n"
        "    columns: {gap: {unit: z-score, decimals: 6, description: a difference}}\n"
        "    function: cdx_vix_gapp\n"
        "    inputs: {spread: {dataset: cdx_hy_5y, column: spread}, vix: {dataset: vix, column: close}}\n"
    )
    return path


@pytest.fixture
def broken_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Install a package whose source cannot be imported; return the package's name."""
    package = tmp_path / "site" / "desk_feed-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: desk-feed\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[macrocredit_assets.sources]\ndesk = no_such_module:Feed\n")
    monkeypatch.syspath_prepend(str(package.parent))
    return "desk-feed"
