"""``macrocredit doctor``: what it finds, and that it changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from macrocredit_assets.cli import doctor

Run = Callable[..., Result]


def test_healthy_workplace(run: Run, tmp_path: Path) -> None:
    """A fresh root is no problem; what is set and installed is listed, and nothing is created."""
    result = run("doctor")
    assert result.exit_code == 0
    fields = dict(line.split(maxsplit=1) for line in result.stdout.splitlines() if len(line.split()) > 1)
    assert fields["root"] == str(tmp_path / "fresh")
    assert fields["profile"] == "sample"
    assert fields["holds"] == "nothing yet"
    assert fields["dagster"].startswith("1.13.")
    assert result.stdout.splitlines()[-1] == "Profile sample serves every dataset."
    assert not (tmp_path / "fresh").exists()


def test_json_tells_the_same(run: Run, filled: Path) -> None:
    """--json has every fact under a name."""
    document = json.loads(run("doctor", "--json", root=filled).stdout)
    assert document["root"] == str(filled)
    assert document["home"] == str(filled / ".dagster")
    assert document["holds"] == "sample"
    assert document["writable"] == {"data": True, "run logs": True, "home": True}
    assert document["problems"] == []
    assert document["versions"]["pandas"].startswith("3.")


def test_datasets_that_cannot_be_served_and_why(run: Run) -> None:
    """Each dataset without a usable way is named with the reason, and each signal with the inputs it lacks."""
    unserved = json.loads(run("doctor", "--json", MACROCREDIT_PROFILE="files").stdout)["unserved"]
    assert len(unserved) == 21
    assert "MACROCREDIT_FILES" in unserved["vix"]
    assert unserved["cdx_vix_gap"] == "made from cdx_hy_5y, vix"


@pytest.mark.parametrize("place", ["data", "logs", ".dagster"])
def test_place_that_cannot_be_written_is_a_problem(run: Run, filled: Path, place: str) -> None:
    """A file where a folder should be ends with 1 and is named."""
    (filled / place).rename(filled / "away")
    (filled / place).write_text("")
    result = run("doctor", root=filled)
    assert result.exit_code == 1
    assert f"Problem: Cannot write {'home' if place == '.dagster' else ''}" in result.stdout
    assert str(filled / place) in result.stdout


def test_other_kind_of_data_is_a_problem(run: Run, filled: Path) -> None:
    """A root that the profile cannot write to ends with 1, with the remedy."""
    result = run("doctor", root=filled, MACROCREDIT_PROFILE="public")
    assert result.exit_code == 1
    assert "holds               sample data" in result.stdout
    assert "MACROCREDIT_ROOT=" in result.stdout


def test_stamp_that_cannot_be_read_is_a_problem(run: Run, filled: Path) -> None:
    """A broken stamp ends with 1; the rest is told nevertheless."""
    (filled / "data" / "root.json").write_text("{")
    document = json.loads(run("doctor", "--json", root=filled).stdout)
    assert document["holds"] is None
    assert any("root.json" in problem for problem in document["problems"])


def test_package_that_is_not_installed_is_listed_as_such(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that is absent, as the web UI may be, is no problem, and is said."""
    monkeypatch.setattr(doctor, "_PACKAGES", ("macrocredit-assets", "no-such-package"))
    assert json.loads(run("doctor", "--json").stdout)["versions"]["no-such-package"] is None
    assert "no-such-package     not installed" in run("doctor").stdout


def test_catalog_that_cannot_be_read_is_a_problem(run: Run, tmp_path: Path) -> None:
    """A broken catalog ends with 1; the rest is told nevertheless."""
    (tmp_path / "desk.yaml").write_text("dataset: {}\n")
    result = run("doctor", MACROCREDIT_CATALOG=str(tmp_path / "desk.yaml"))
    assert result.exit_code == 1
    assert "desk.yaml" in result.stdout
    assert "pyarrow" in result.stdout


def _problems(result: Result) -> list[str]:
    assert result.exit_code == 1, result.output
    return list(json.loads(result.stdout)["problems"])


def test_registry_that_does_not_parse_is_a_problem(run: Run, filled: Path) -> None:
    """A broken registry ends with 1, with the command that restores it."""
    (filled / "data" / "registry.json").write_text('{"vix": ')
    (problem,) = _problems(run("doctor", "--json", root=filled))
    assert "registry.json" in problem
    assert f"MACROCREDIT_ROOT={filled} macrocredit registry rebuild" in problem


def test_file_that_cannot_be_read_is_a_problem(run: Run, filled: Path) -> None:
    """A dataset whose file is cut off is named; the others are no problem."""
    path = filled / "data" / "raw" / "vix.parquet"
    path.write_bytes(path.read_bytes()[:100])
    (problem,) = _problems(run("doctor", "--json", root=filled))
    assert "vix.parquet" in problem


def test_files_without_a_registry_are_a_problem(run: Run, filled: Path) -> None:
    """Where the registry is lost, the command that restores it is named."""
    (filled / "data" / "registry.json").unlink()
    (problem,) = _problems(run("doctor", "--json", root=filled))
    assert "macrocredit registry rebuild" in problem


def test_signal_without_its_function_is_a_problem(run: Run, own_signal: Path) -> None:
    """A signal whose function nobody installed is named with the nearest one that is there."""
    (problem,) = _problems(run("doctor", "--json", MACROCREDIT_CATALOG=str(own_signal)))
    assert problem.startswith("desk_gap: there is no signal function 'cdx_vix_gapp'")
    assert "Did you mean 'cdx_vix_gap'?" in problem


def test_settings_of_dagster_that_do_not_parse_are_a_problem(run: Run, filled: Path) -> None:
    """A broken dagster.yaml is named; it is nobody's to mend but the user's."""
    (filled / ".dagster" / "dagster.yaml").write_text("telemetry: [")
    (problem,) = _problems(run("doctor", "--json", root=filled))
    assert "dagster.yaml" in problem


def test_source_that_cannot_be_loaded_is_a_problem_and_no_end(run: Run, broken_plugin: str) -> None:
    """A plug-in that cannot be imported is named, and all else is told nevertheless."""
    document = run("doctor", "--json")
    (problem,) = _problems(document)
    assert broken_plugin in problem
    assert json.loads(document.stdout)["datasets"] == 16
    assert "every dataset" not in run("doctor").stdout
