"""Settings, read from mappings that stand for an environment."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from macrocredit_assets.errors import SettingsError
from macrocredit_assets.settings import SECRETS, VARIABLES, Settings


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
            "FRED_API_KEY": " 0123456789abcdef0123456789abcdef\n",
            "MACROCREDIT_FRED_URL": "http://127.0.0.1:8000/graph/fredgraph.csv",
            "MACROCREDIT_FRED_API_URL": "https://fred.example.com:8443/fred/",
            "MACROCREDIT_CBOE_URL": "https://[::1]/daily_prices//",
            "MACROCREDIT_HTTP_TIMEOUT": "7.5",
            "MACROCREDIT_LANDING_DAYS": "90",
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
        fred_api_key="0123456789abcdef0123456789abcdef",
        fred_url="http://127.0.0.1:8000/graph/fredgraph.csv",
        fred_api_url="https://fred.example.com:8443/fred",
        cboe_url="https://[::1]/daily_prices",
        http_timeout=7.5,
        landing_days=90,
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
    assert settings.landing_directory == Path("/srv/credit/data/landing")
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


def test_publishers_are_asked_where_they_publish() -> None:
    """Without settings FRED and Cboe are asked themselves, over TLS, for two minutes at most; answers are kept."""
    settings = Settings.from_env({})
    assert settings.fred_url == "https://fred.stlouisfed.org/graph/fredgraph.csv"
    assert settings.fred_api_url == "https://api.stlouisfed.org/fred"
    assert settings.cboe_url == "https://cdn.cboe.com/api/global/us_indices/daily_prices"
    assert (settings.fred_api_key, settings.http_timeout, settings.landing_days) == (None, 120.0, None)


@pytest.mark.parametrize(
    "address",
    [
        "fred.example.com/graph",
        "ftp://fred.example.com",
        "https://",
        "https:///graph",
        "https://desk:s3cret@fred.example.com",
        "https://fred.example.com/?api_key=s3cret",
        "https://fred.example.com/#s3cret",
        "https://fred.example.com/a b",
        "https://fred.example.com:99999",
        "https://fred.example.com:s3cret",
        "https://[fred.example.com",
    ],
)
def test_an_address_is_host_and_path(address: str) -> None:
    """Whatever is more or less than scheme, host and path is refused by the variable's name, and not repeated."""
    for variable in ("MACROCREDIT_FRED_URL", "MACROCREDIT_FRED_API_URL", "MACROCREDIT_CBOE_URL"):
        with pytest.raises(SettingsError, match=f"{variable} is no address; write it as https://host/path") as caught:
            Settings.from_env({variable: address})
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan", "inf", "86401"])
def test_a_timeout_is_a_number_of_seconds(text: str) -> None:
    """What is no number of seconds up to a day is refused."""
    with pytest.raises(SettingsError, match=f"MACROCREDIT_HTTP_TIMEOUT='{text}' is no number of seconds"):
        Settings.from_env({"MACROCREDIT_HTTP_TIMEOUT": text})


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "for ever", "36501", "9" * 5_000])
def test_answers_are_kept_for_days(text: str) -> None:
    """What is no number of days is refused; to keep answers for ever, the variable is left out."""
    with pytest.raises(SettingsError, match="is no number of days from 1 to 36,500; leave it unset"):
        Settings.from_env({"MACROCREDIT_LANDING_DAYS": text})


@pytest.mark.parametrize("key", ["s3cret", "s3cret s3cret s3cret", "s3cret-s3cret&id=1", "s3crét-s3crét-s3crét"])
def test_a_key_is_letters_and_digits(key: str) -> None:
    """A text that cannot be a key is refused without repeating it, and with the way that needs none."""
    with pytest.raises(SettingsError, match=r"FRED_API_KEY is no key: .* unset it to ask FRED's public CSV") as caught:
        Settings.from_env({"FRED_API_KEY": key})
    assert "s3cr" not in str(caught.value)


@pytest.mark.parametrize("variable", ["MACROCREDIT_FRED_URL", "MACROCREDIT_FRED_API_URL", "MACROCREDIT_CBOE_URL"])
@pytest.mark.parametrize("written", ["s3crets3cret", "S3CRETs3cret", "%733crets3cret"])
def test_a_key_does_not_stand_in_an_address(variable: str, written: str) -> None:
    """An address is shown in messages, so that a key in it is refused before anybody is asked, and not repeated."""
    with pytest.raises(SettingsError, match=f"{variable} has FRED_API_KEY in it") as caught:
        Settings.from_env({variable: f"https://mirror.example/{written}/fred", "FRED_API_KEY": "s3crets3cret"})
    assert "3cret" not in str(caught.value).lower()


def test_secrets_are_not_shown() -> None:
    """No secret is in the text of the settings."""
    settings = Settings.from_env({"FRED_API_KEY": "s3crets3cret", "MACROCREDIT_NOTIFY": "s3cret"})
    assert settings.fred_api_key == "s3crets3cret"
    assert "s3cret" not in repr(settings)
    assert set(VARIABLES) > SECRETS
