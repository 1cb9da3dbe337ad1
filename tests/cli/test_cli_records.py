"""``macrocredit datasets``, ``registry``, ``runs`` and ``catalog``: what is on record, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import Result

from macrocredit_assets.catalog import load_catalog

Run = Callable[..., Result]


def _stored(root: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(next(root.glob(f"data/*/{name}.parquet")))


def test_datasets_lists_the_catalog_and_what_is_stored(run: Run, filled: Path) -> None:
    """Every dataset of the catalog is listed; rows and dates stand where there is data, a dash elsewhere."""
    lines = [line.split() for line in run("datasets", root=filled).stdout.splitlines()]
    assert [line[0] for line in lines[1:]] == [*load_catalog().names()]
    rows = {line[0]: line for line in lines}
    vix = _stored(filled, "vix")
    assert str(len(vix)) in rows["vix"]
    assert f"{vix.index[-1]:%Y-%m-%d}" in rows["vix"]
    assert rows["move"].count("-") == 3


def test_datasets_of_an_empty_root_says_how_to_begin(run: Run, tmp_path: Path) -> None:
    """Where nothing is stored the list ends with the command that changes it, and nothing is created."""
    result = run("datasets")
    assert result.stdout.splitlines()[-1].endswith("macrocredit backfill --start 2020-01-01")
    assert not (tmp_path / "fresh").exists()


def test_datasets_as_json(run: Run, filled: Path) -> None:
    """--json has one object per dataset, null where nothing is stored."""
    listed = {each["name"]: each for each in json.loads(run("datasets", "--json", root=filled).stdout)}
    assert listed["vix"]["rows"] == len(_stored(filled, "vix"))
    assert listed["vix"]["unit"] == "index points"
    assert listed["move"]["first"] is None
    assert listed["cdx_vix_gap"]["kind"] == "signal"


def test_registry_list_has_what_is_stored(run: Run, filled: Path) -> None:
    """The list has the entries of the file, and --json the file itself."""
    names = [line.split()[0] for line in run("registry", "list", root=filled).stdout.splitlines()]
    assert names == ["name", "cdx_hy_5y", "cdx_vix_gap", "vix"]
    listed = json.loads(run("registry", "list", "--json", root=filled).stdout)
    assert listed == json.loads((filled / "data" / "registry.json").read_text())


def test_registry_list_of_an_empty_root(run: Run) -> None:
    """No registry is an empty one."""
    assert "is empty" in run("registry", "list").stdout
    assert json.loads(run("registry", "list", "--json").stdout) == {}


def test_registry_show_is_one_entry(run: Run, filled: Path) -> None:
    """An entry is shown field by field, and as JSON just as it stands in the file."""
    lines = run("registry", "show", "vix", root=filled).stdout.splitlines()
    fields = {line.split()[0]: line.split(maxsplit=1)[-1] for line in lines}
    assert fields["file_path"] == "data/raw/vix.parquet"
    assert fields["coverage"] == "2023-01-02..2024-03-28"
    entry = json.loads((filled / "data" / "registry.json").read_text())["vix"]
    assert json.loads(run("registry", "show", "vix", "--json", root=filled).stdout) == entry


def test_registry_show_of_an_unknown_name_is_wrong_use(run: Run, filled: Path) -> None:
    """A name that is not registered ends with 2 and names those that are."""
    result = run("registry", "show", "move", root=filled)
    assert result.exit_code == 2
    assert "cdx_hy_5y, cdx_vix_gap, vix" in result.stderr
    assert "macrocredit backfill move --start" in result.stderr


def test_registry_show_of_a_name_that_no_catalog_has_advises_no_backfill(run: Run, filled: Path) -> None:
    """What cannot be ingested is not told to be."""
    result = run("registry", "show", "foo", root=filled)
    assert result.exit_code == 2
    assert "backfill" not in result.stderr


@pytest.mark.parametrize("command", [["datasets"], ["registry", "list"], ["registry", "show", "vix"]])
def test_files_that_the_registry_does_not_list_are_told_with_the_remedy(
    run: Run, filled: Path, command: list[str]
) -> None:
    """Where the registry is lost and the files are not, the command that restores it is named, and works."""
    (filled / "data" / "registry.json").unlink()
    result = run(*command, root=filled)
    assert "vix" in result.stderr.partition("not in the registry: ")[2]
    assert f"MACROCREDIT_ROOT={filled} macrocredit registry rebuild" in result.stderr
    assert "Nothing is stored yet" not in result.stdout
    run("registry", "rebuild", root=filled)
    assert "not in the registry" not in run(*command, root=filled).stderr


def test_registry_list_of_an_entry_that_does_not_say_when_it_changed(run: Run, filled: Path) -> None:
    """An entry that another program wrote without a moment has a dash."""
    path = filled / "data" / "registry.json"
    entries = json.loads(path.read_text())
    del entries["vix"]["last_updated"]
    path.write_text(json.dumps(entries))
    listed = {line.split()[0]: line.split() for line in run("registry", "list", root=filled).stdout.splitlines()}
    assert listed["vix"][5] == "-"


def test_registry_verify_and_rebuild(run: Run, filled: Path) -> None:
    """A registry that lies is found out with exit code 1, and is true after a rebuild."""
    assert run("registry", "verify", root=filled).stdout == "Registry and files agree: 3 datasets.\n"
    path = filled / "data" / "registry.json"
    entries = json.loads(path.read_text())
    entries["vix"]["row_count"] = 7
    del entries["cdx_hy_5y"]
    path.write_text(json.dumps(entries))

    found = run("registry", "verify", root=filled)
    assert found.exit_code == 1
    assert [line.split(":")[0] for line in found.stdout.splitlines()] == ["cdx_hy_5y", "vix"]
    assert "row_count is 7 in the registry" in found.stdout
    as_json = run("registry", "verify", "--json", root=filled)
    assert as_json.exit_code == 1
    assert [problem["subject"] for problem in json.loads(as_json.stdout)] == ["cdx_hy_5y", "vix"]

    rebuilt = run("registry", "rebuild", root=filled)
    assert rebuilt.exit_code == 0
    assert rebuilt.stdout.splitlines()[:2] == ["cdx_hy_5y: added", "vix: changed: row_count"]
    assert rebuilt.stdout.splitlines()[2].endswith("3 datasets, 1 as they were")
    assert run("registry", "verify", root=filled).exit_code == 0


def test_registry_that_does_not_parse_is_set_aside_by_a_rebuild(run: Run, filled: Path) -> None:
    """A broken registry is an error that names the remedy, and the remedy keeps its bytes."""
    path = filled / "data" / "registry.json"
    path.write_text('{"vix": ')
    listed = run("registry", "list", root=filled)
    assert listed.exit_code == 1
    assert "macrocredit registry rebuild" in listed.stderr
    assert run("registry", "verify", root=filled).exit_code == 1
    said = run("registry", "rebuild", root=filled).stdout
    assert "registry.json.corrupt-" in said
    path.write_text('{"vix": ')
    rebuilt = json.loads(run("registry", "rebuild", "--json", root=filled).stdout)
    assert rebuilt["entries"] == 3
    assert Path(rebuilt["set_aside"]).read_text() == '{"vix": '
    assert run("registry", "verify", root=filled).exit_code == 0


def test_rebuild_reports_files_that_it_cannot_take_in(run: Run, filled: Path) -> None:
    """A file of no dataset is named on standard error; the rest is rebuilt, and the command fails, as JSON too."""
    (filled / "data" / "registry.json").unlink()
    _stored(filled, "vix").to_parquet(filled / "data" / "raw" / "stranger.parquet")
    result = run("registry", "rebuild", root=filled)
    assert result.exit_code == 1
    assert result.stderr.startswith("data/raw/stranger.parquet: ")
    assert sorted(json.loads((filled / "data" / "registry.json").read_text())) == ["cdx_hy_5y", "cdx_vix_gap", "vix"]
    as_json = run("registry", "rebuild", "--json", root=filled)
    assert as_json.exit_code == 1
    assert [problem["subject"] for problem in json.loads(as_json.stdout)["problems"]] == ["data/raw/stranger.parquet"]


def test_runs_list_and_show(run: Run, filled: Path) -> None:
    """The runs are listed; one is shown by the beginning of its id, or as the last one."""
    (log,) = filled.glob("logs/runs/*/*.json")
    row = run("runs", "list", root=filled).stdout.splitlines()[1].split()
    assert row[0] == log.stem[:8]
    assert "success" in row
    assert "3/3" in row
    shown = run("runs", "show", log.stem[:6], root=filled).stdout
    assert log.stem in shown
    assert "2023-01-02..2024-03-28" in shown
    assert shown == run("runs", "show", "last", root=filled).stdout
    document = json.loads(log.read_text())
    assert json.loads(run("runs", "show", "last", "--json", root=filled).stdout) == document
    assert json.loads(run("runs", "list", "--json", root=filled).stdout) == [document]


@pytest.mark.parametrize("wanted", ["zzz", "../../data/registry"])
def test_run_that_is_not_there_is_wrong_use(run: Run, wanted: str) -> None:
    """No such run ends with 2 and the command that lists them."""
    result = run("runs", "show", wanted)
    assert result.exit_code == 2
    assert "macrocredit runs list" in result.stderr


def test_last_run_where_there_is_none(run: Run) -> None:
    """Where nothing ran yet there is no last run, and the command that starts one is named."""
    result = run("runs", "show", "last")
    assert result.exit_code == 2
    assert "There is no run yet" in result.stderr
    assert "macrocredit backfill --start" in result.stderr


@pytest.mark.parametrize("status", ["started", "aborted"])
def test_run_that_was_killed_is_not_listed_as_complete(run: Run, filled: Path, status: str) -> None:
    """How many datasets a run had before it, nobody knows where it did not say how it ended."""
    (log,) = filled.glob("logs/runs/*/*.json")
    log.write_text(json.dumps({**json.loads(log.read_text()), "status": status}))
    assert "3/?" in run("runs", "list", root=filled).stdout.split()


def test_no_runs_is_no_error(run: Run) -> None:
    """A root without runs says so."""
    assert "No run yet" in run("runs", "list").stdout
    assert json.loads(run("runs", "list", "--json").stdout) == []


def test_file_that_is_no_run_log_is_passed_over_and_said(run: Run, filled: Path) -> None:
    """A broken file among the run logs hides no other run."""
    (log,) = filled.glob("logs/runs/*/*.json")
    log.with_name("broken.json").write_text("{")
    result = run("runs", "list", root=filled)
    assert result.exit_code == 0
    assert log.stem[:8] in result.stdout
    assert "broken.json" in result.stderr


def test_runs_doctor_marks_a_run_whose_process_is_gone(run: Run, filled: Path) -> None:
    """A run that says `started` and has no process is called aborted, at first only in words."""
    (log,) = filled.glob("logs/runs/*/*.json")
    document = json.loads(log.read_text())
    # a pid that was taken over by a process which started at another time
    log.write_text(json.dumps({**document, "status": "started", "ended": None, "pid": 1, "pid_started": 1.0}))
    before = log.read_text()
    (said,) = json.loads(run("runs", "doctor", "--dry-run", "--json", root=filled).stdout)
    assert (said["run_id"], said["verdict"]) == (log.stem, "aborted")
    assert log.read_text() == before
    assert f"{log.stem}: aborted" in run("runs", "doctor", root=filled).stdout
    assert json.loads(log.read_text())["status"] == "aborted"
    assert run("runs", "doctor", root=filled).stdout == "Every run has ended and said how.\n"


def test_catalog_schema_is_json_schema(run: Run) -> None:
    """The schema is JSON that says so, and knows the top level of a catalog file."""
    schema = json.loads(run("catalog", "schema").stdout)
    assert "json-schema.org" in schema["$schema"]
    assert {"datasets", "signals"} <= set(schema["properties"])


def test_catalog_validate(run: Run, tmp_path: Path) -> None:
    """The shipped catalog is valid; a file with an unknown key is refused with file, key and the nearest known one."""
    assert run("catalog", "validate").stdout == "the shipped catalog is valid: 16 datasets, 5 signals\n"
    listed = json.loads(run("catalog", "validate", "--json").stdout)
    assert "vix" in listed["datasets"]
    broken = tmp_path / "desk.yaml"
    broken.write_text("dataset: {}\n")
    result = run("catalog", "validate", str(broken))
    assert result.exit_code == 2
    assert "desk.yaml" in result.stderr
    assert "datasets" in result.stderr
    assert run("datasets", MACROCREDIT_CATALOG=str(broken)).exit_code == 2


def test_catalog_validate_knows_the_functions_of_signals(run: Run, own_signal: Path) -> None:
    """A signal whose function nobody installed makes a catalog file invalid."""
    result = run("catalog", "validate", str(own_signal))
    assert result.exit_code == 2
    assert "desk_gap: there is no signal function 'cdx_vix_gapp'. Did you mean 'cdx_vix_gap'?" in result.stderr
