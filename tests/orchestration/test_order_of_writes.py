"""Whatever the order in which windows are asked for, the same data stand there in the end."""

import json
import multiprocessing
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from macrocredit_assets.orchestration.launch import run_backfill
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

_DAYS = [day.date() for day in pd.date_range("2024-01-08", "2024-01-14")]
_FIRST_HALF, _SECOND_HALF = Window(_DAYS[0], _DAYS[2]), Window(_DAYS[3], _DAYS[-1])
_NAMES = ["cdx_ig_5y", "us_ig_oas", "cash_cds_basis_ig"]


def _settings(root: Path) -> Settings:
    files = root / "files"
    files.mkdir(parents=True, exist_ok=True)
    (files / "cdx_ig_hy_5y_defB.csv").write_text(
        ",cdx_ig,cdx_hy\n2024-01-05,56.0,360.0\n2024-01-08,56.5,361.0\n2024-01-09,56.9,362.5\n2024-01-10,56.1,359.0\n"
        "2024-01-11,55.8,357.0\n2024-01-12,55.2,355.0\n2024-01-15,55.0,354.0\n2024-01-16,55.9,356.0\n"
    )
    (files / "fred_BAMLC0A0CM.csv").write_text(
        "observation_date,BAMLC0A0CM\n2024-01-05,1.04\n2024-01-08,1.03\n2024-01-09,1.02\n2024-01-10,1.02\n"
        "2024-01-11,1.01\n2024-01-12,1.00\n2024-01-15,\n2024-01-16,0.99\n"
    )
    return Settings(root=root, dagster_home=root / ".dagster", profile="files", files=files)


def _run(settings: Settings, windows: Sequence[Window]) -> None:
    for window in windows:
        assert run_backfill(settings, _NAMES, window).success


def _contents(settings: Settings) -> dict[str, object]:
    """Return rows and bytes of the current files, and the registry without times and run ids."""
    registry = json.loads(settings.registry_path.read_text())
    for entry in registry.values():
        for key in ("registered_at", "last_updated"):
            del entry[key]
        for key in ("run_id", "last_checked", "revision", "known_at", "findings"):
            entry["metadata"].pop(key, None)
    files = {name: settings.dataset_path("market", name).read_bytes() for name in _NAMES[:2]}
    basis = settings.dataset_path("signal", _NAMES[2]).read_bytes()
    return {"registry": registry, **files, _NAMES[2]: basis}


@pytest.fixture(scope="module")
def one_range(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Return what one run over the whole range leaves."""
    settings = _settings(tmp_path_factory.mktemp("range"))
    _run(settings, [Window(_DAYS[0], _DAYS[-1])])
    return _contents(settings)


@pytest.mark.parametrize(
    "windows",
    [
        [_FIRST_HALF, _SECOND_HALF],
        [_SECOND_HALF, _FIRST_HALF],
        [Window(_DAYS[4], _DAYS[4]), _FIRST_HALF, Window(_DAYS[1], _DAYS[5]), _SECOND_HALF],
    ],
    ids=["forward", "reverse", "shuffled and overlapping"],
)
def test_order_of_windows_does_not_matter(windows: list[Window], one_range: dict[str, object], tmp_path: Path) -> None:
    """Rows, bytes of the current files, coverage and registry entries are those of one range."""
    settings = _settings(tmp_path)
    _run(settings, windows)
    assert _contents(settings) == one_range


def _one(root: str, window: Window) -> None:
    _run(_settings(Path(root)), [window])


def test_two_processes_on_different_windows_both_succeed(one_range: dict[str, object], tmp_path: Path) -> None:
    """Two runs at once, each with a half of the range, leave what one run leaves."""
    settings = _settings(tmp_path)
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_one, args=(str(tmp_path), half)) for half in (_FIRST_HALF, _SECOND_HALF)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0]
    assert _contents(settings) == one_range


def test_values_are_those_worked_out_by_hand(one_range: dict[str, object], tmp_path: Path) -> None:
    """OAS of 1.02 percent on 2024-01-09 is 102 bp; less 56.9 bp of CDX the basis is 45.1 bp."""
    settings = _settings(tmp_path)
    _run(settings, [_SECOND_HALF, _FIRST_HALF])
    basis = pd.read_parquet(settings.dataset_path("signal", "cash_cds_basis_ig"))
    assert basis.loc["2024-01-09", "basis"] == pytest.approx(45.1, abs=1e-9)
