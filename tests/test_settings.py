"""Settings, read from mappings that stand for an environment."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from macrocredit_assets.errors import SettingsError
from macrocredit_assets.settings import VARIABLES, Settings


def test_nothing_set_is_sample_data_in_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty environment means sample data, everything below the current directory, steps in process."""
    monkeypatch.chdir(tmp_path)
    assert Settings.from_env({}) == Settings(
        root=tmp_path,
        dagster_home=tmp_path / ".dagster",
        profile="sample",
        files=None,
        catalog=None,
        executor="in_process",
        schedules=False,
        notify=None,
    )


def test_empty_variables_count_as_unset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is set to nothing has its default."""
    monkeypatch.chdir(tmp_path)
    assert Settings.from_env(dict.fromkeys(VARIABLES, "")) == Settings.from_env({})


def test_every_variable_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every variable arrives in its field; relative paths become absolute and a tilde is the home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    settings = Settings.from_env(
        {
            "MACROCREDIT_ROOT": "./real",
            "MACROCREDIT_PROFILE": "files",
            "MACROCREDIT_FILES": "../files",
            "MACROCREDIT_CATALOG": "~/desk.yaml",
            "MACROCREDIT_EXECUTOR": "multiprocess",
            "MACROCREDIT_SCHEDULES": "on",
            "MACROCREDIT_NOTIFY": "mail -s 'a run failed' desk@example.com",
            "DAGSTER_HOME": "/srv/dagster",
        }
    )
    assert settings == Settings(
        root=tmp_path / "real",
        dagster_home=Path("/srv/dagster"),
        profile="files",
        files=tmp_path.parent / "files",
        catalog=tmp_path / "home" / "desk.yaml",
        executor="multiprocess",
        schedules=True,
        notify="mail -s 'a run failed' desk@example.com",
    )


def test_every_field_has_its_variable() -> None:
    """There are as many documented variables as settings."""
    assert len(VARIABLES) == len(fields(Settings))


@pytest.mark.parametrize(
    ("variable", "value", "known"),
    [
        ("MACROCREDIT_PROFILE", "Sample", "sample, files, public, terminal"),
        ("MACROCREDIT_EXECUTOR", "celery", "in_process, multiprocess"),
        ("MACROCREDIT_SCHEDULES", "yes", "on, off"),
    ],
)
def test_unknown_choice_names_the_known_ones(variable: str, value: str, known: str) -> None:
    """A value that is not among the choices is refused with its variable and the choices."""
    with pytest.raises(SettingsError, match=known) as caught:
        Settings.from_env({variable: value})
    assert variable in str(caught.value)
    assert value in str(caught.value)


def test_places_below_the_root() -> None:
    """Data, registry and run logs lie where the layout says."""
    settings = Settings(root=Path("/srv/credit"), dagster_home=Path("/srv/credit/.dagster"))
    assert settings.data_directory == Path("/srv/credit/data")
    assert settings.registry_path == Path("/srv/credit/data/registry.json")
    assert settings.logs_directory == Path("/srv/credit/logs/runs")
    assert settings.dataset_path("market", "vix") == Path("/srv/credit/data/raw/vix.parquet")
    assert settings.dataset_path("signal", "cdx_vix_gap") == Path("/srv/credit/data/processed/cdx_vix_gap.parquet")


@pytest.mark.parametrize(
    ("profile", "kind"), [("sample", "sample"), ("files", "real"), ("public", "real"), ("terminal", "real")]
)
def test_only_the_sample_profile_brings_simulated_data(profile: str, kind: str) -> None:
    """Every profile but one brings observed data."""
    assert Settings.from_env({"MACROCREDIT_PROFILE": profile}).kind == kind


def test_notifier_is_not_shown(tmp_path: Path) -> None:
    """A webhook's address is a secret: settings do not show it, and neither does the error about an unusable one."""
    settings = Settings.from_env({"MACROCREDIT_NOTIFY": "https://hooks.example.com/s3cret"})
    assert settings.notify == "https://hooks.example.com/s3cret"
    assert "s3cret" not in repr(settings)
    with pytest.raises(SettingsError, match="No closing quotation") as caught:
        Settings.from_env({"MACROCREDIT_NOTIFY": "curl 's3cret"})
    assert "s3cret" not in str(caught.value)
