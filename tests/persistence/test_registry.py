"""The registry says which datasets there are, where, and how far they reach; no change of it is ever lost."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from macrocredit_assets.errors import CorruptFileError
from macrocredit_assets.persistence import DataRegistry, DatasetEntry, save_parquet

LONG_AGO = "2020-01-01T00:00:00+00:00"


def spreads(rows: int = 3) -> pd.DataFrame:
    """Return spreads from 2024-01-01 on."""
    days = pd.date_range("2024-01-01", periods=rows, name="date")
    return pd.DataFrame({"spread": [50.0 + row for row in range(rows)]}, index=days)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Make a data directory with one file."""
    save_parquet(spreads(), tmp_path / "root" / "data" / "raw" / "cdx_ig_5y.parquet")
    return tmp_path / "root" / "data"


@pytest.fixture
def registry(data: Path) -> DataRegistry:
    """Return the empty registry of that directory."""
    return DataRegistry(data / "registry.json", data)


def register(registry: DataRegistry, **other: object) -> DatasetEntry:
    """Register the usual dataset, with other arguments where they are given."""
    arguments: dict[str, Any] = {
        "name": "cdx_ig_5y",
        "file_path": "data/raw/cdx_ig_5y.parquet",
        "instrument": "CDX.NA.IG",
        "tenor": "5Y",
        "metadata": {"source": "Bloomberg", "frequency": "daily"},
    }
    return registry.register_dataset(**{**arguments, **other})


def content(registry: DataRegistry) -> dict[str, Any]:
    """Return what stands in the file."""
    document: dict[str, Any] = json.loads(registry.registry_path.read_bytes())
    return document


def write(registry: DataRegistry, document: Mapping[str, Any]) -> None:
    """Put a document where the file stands."""
    registry.registry_path.write_text(json.dumps(document), encoding="utf-8")


def assert_now(text: str) -> None:
    """Require an aware time within the last minute."""
    moment = datetime.fromisoformat(text)
    assert moment.utcoffset() is not None
    assert abs(datetime.now(moment.tzinfo) - moment).total_seconds() < 60


def test_an_entry_has_exactly_these_fields(registry: DataRegistry) -> None:
    """The file holds name -> entry in the agreed shape and order; statistics are those of the Parquet file."""
    register(registry)
    (entry,) = content(registry).values()
    now = entry["registered_at"]
    assert_now(now)
    assert list(content(registry)) == ["cdx_ig_5y"]
    assert list(entry.items()) == [
        ("instrument", "CDX.NA.IG"),
        ("tenor", "5Y"),
        ("file_path", "data/raw/cdx_ig_5y.parquet"),
        ("start_date", "2024-01-01T00:00:00"),
        ("end_date", "2024-01-03T00:00:00"),
        ("row_count", 3),
        ("registered_at", now),
        ("last_updated", now),
        ("metadata", {"source": "Bloomberg", "frequency": "daily"}),
    ]


def test_what_is_returned_is_what_is_read(registry: DataRegistry) -> None:
    """The entry returned, the entry read and the info read agree; metadata are JSON values."""
    entry = register(registry, metadata={"as_of": date(2024, 1, 2), "bounds": (1, float("inf"))})
    assert registry.get_dataset_entry("cdx_ig_5y") == entry
    assert registry.get_dataset_info("cdx_ig_5y") == entry.to_dict()
    assert registry.entries() == {"cdx_ig_5y": entry}
    assert entry.metadata == {"as_of": "2024-01-02", "bounds": [1, None]}


def test_a_registry_without_a_file_knows_nobody(registry: DataRegistry) -> None:
    """Nothing was registered yet: a look-up says that there is no such dataset, and makes no file."""
    with pytest.raises(KeyError, match="vix"):
        registry.get_dataset_info("vix")
    assert not list(registry.registry_path.parent.glob("registry*"))


def test_info_is_a_copy(registry: DataRegistry) -> None:
    """Changing what was handed out changes nothing that is stored."""
    register(registry)
    registry.get_dataset_info("cdx_ig_5y")["metadata"]["source"] = "changed"
    entry = registry.get_dataset_entry("cdx_ig_5y")
    entry.to_dict()["metadata"]["source"] = "changed"
    assert entry.metadata["source"] == "Bloomberg"
    assert registry.get_dataset_info("cdx_ig_5y")["metadata"]["source"] == "Bloomberg"


def test_a_file_that_does_not_exist_yet_has_null_statistics(registry: DataRegistry) -> None:
    """It may be registered; its statistics come once it is there."""
    entry = register(registry, name="vix", file_path="data/raw/vix.parquet", tenor=None, metadata=None)
    assert (entry.start_date, entry.end_date, entry.row_count, entry.tenor) == (None, None, None, None)
    assert entry.metadata == {}
    with pytest.raises(FileNotFoundError, match=r"file of dataset 'vix' does not exist: .*/root/data/raw/vix.parquet"):
        registry.update_dataset_stats("vix")
    save_parquet(spreads(2), registry.data_directory / "raw" / "vix.parquet")
    assert registry.update_dataset_stats("vix").row_count == 2


def test_statistics_follow_the_file(registry: DataRegistry, data: Path) -> None:
    """update_dataset_stats reads the footer again, and touches nothing else of the entry."""
    before = register(registry).to_dict()
    write(registry, {"cdx_ig_5y": {**before, "last_updated": LONG_AGO, "colour": "red"}})
    save_parquet(spreads(10), data / "raw" / "cdx_ig_5y.parquet")
    after = registry.update_dataset_stats("cdx_ig_5y").to_dict()
    assert_now(after.pop("last_updated"))
    before.pop("last_updated")
    assert after == {**before, "end_date": "2024-01-10T00:00:00", "row_count": 10, "colour": "red"}


def test_dates_without_a_time_of_day_are_written_as_midnight(registry: DataRegistry, data: Path) -> None:
    """An index of bare dates has the same text in the registry as one of midnights."""
    bare = pd.DataFrame({"spread": [50.0]}, index=pd.Index([date(2024, 1, 2)], name="date"))
    save_parquet(bare, data / "raw" / "bare.parquet")
    entry = register(registry, name="bare", file_path="data/raw/bare.parquet")
    assert (entry.start_date, entry.end_date) == ("2024-01-02T00:00:00", "2024-01-02T00:00:00")


def test_registering_again_keeps_what_it_does_not_say(registry: DataRegistry) -> None:
    """registered_at, unknown fields and other metadata survive; what is said anew is written."""
    first = register(registry).to_dict()
    write(registry, {"cdx_ig_5y": {**first, "registered_at": LONG_AGO, "last_updated": LONG_AGO, "colour": "red"}})
    register(registry, tenor="10Y", metadata={"frequency": "weekly", "units": "bp"})
    entry = content(registry)["cdx_ig_5y"]
    assert entry["registered_at"] == LONG_AGO
    assert_now(entry["last_updated"])
    assert (entry["tenor"], entry["colour"]) == ("10Y", "red")
    assert entry["metadata"] == {"source": "Bloomberg", "frequency": "weekly", "units": "bp"}


def test_an_entry_without_a_registration_date_gets_one(registry: DataRegistry) -> None:
    """An entry written by hand, without its dates, is completed."""
    write(registry, {"cdx_ig_5y": {"instrument": "X", "file_path": "x.parquet"}})
    assert registry.get_dataset_entry("cdx_ig_5y") == DatasetEntry(instrument="X", file_path="x.parquet")
    assert_now(str(register(registry).registered_at))


def test_an_entry_is_made_out_of_the_one_that_stands_there(registry: DataRegistry) -> None:
    """update_entry hands the entry over under the lock, and keeps of it what the new one does not say."""
    register(registry)
    write(registry, {"cdx_ig_5y": {**content(registry)["cdx_ig_5y"], "registered_at": LONG_AGO, "colour": "red"}})
    old, seen = registry.get_dataset_entry("cdx_ig_5y"), []

    def change(before: DatasetEntry | None) -> DatasetEntry:
        seen.append(before)
        return DatasetEntry(
            "CDX", "data/raw/x.parquet", row_count=6000, metadata={"run_id": Path("3f6c"), "frequency": None}
        )

    entry = registry.update_entry("cdx_ig_5y", change)
    assert seen == [old]
    assert registry.get_dataset_entry("cdx_ig_5y") == entry
    assert_now(str(entry.last_updated))
    assert (entry.registered_at, entry.unknown) == (LONG_AGO, {"colour": "red"})
    assert (entry.instrument, entry.file_path, entry.row_count) == ("CDX", "data/raw/x.parquet", 6000)
    assert entry.metadata == {"source": "Bloomberg", "frequency": None, "run_id": "3f6c"}


def test_an_entry_is_made_where_none_stands(registry: DataRegistry) -> None:
    """Of a name that is not registered yet there is no entry before; the new one gets its dates."""
    entry = registry.update_entry("vix", lambda before: DatasetEntry("VIX", "vix.parquet", tenor=repr(before)))
    assert entry.tenor == "None"
    assert registry.entries() == {"vix": entry}
    assert entry.registered_at == entry.last_updated
    assert_now(str(entry.registered_at))


def test_lists_are_sorted_and_filtered(registry: DataRegistry) -> None:
    """All names, or those of an instrument, a tenor, or both."""
    assert registry.list_datasets() == []
    for name, instrument, tenor in [("c", "HY", "5Y"), ("a", "IG", "5Y"), ("b", "IG", "10Y"), ("d", "VIX", None)]:
        register(registry, name=name, instrument=instrument, tenor=tenor)
    assert registry.list_datasets() == ["a", "b", "c", "d"]
    assert registry.list_datasets(instrument="IG") == ["a", "b"]
    assert registry.list_datasets(tenor="5Y") == ["a", "c"]
    assert registry.list_datasets("IG", "5Y") == ["a"]
    assert registry.list_datasets(instrument="none") == []
    assert list(registry.entries()) == ["a", "b", "c", "d"]


def test_an_unknown_dataset_is_a_key_error(registry: DataRegistry) -> None:
    """Every call that takes a name says the same sentence; the registry stays as it was."""
    register(registry)
    before = registry.registry_path.read_bytes()
    calls = [
        registry.get_dataset_info,
        registry.get_dataset_entry,
        registry.update_dataset_stats,
        registry.remove_dataset,
    ]
    for call in calls:
        with pytest.raises(KeyError, match=r"^Dataset 'x' not found in registry$") as error:
            call("x")
        assert error.value.args == ("Dataset 'x' not found in registry",)
    assert registry.registry_path.read_bytes() == before


@pytest.mark.parametrize(
    ("argument", "kind", "message"),
    [
        ({"name": ""}, ValueError, "A dataset needs a name; it is ''."),
        ({"name": None}, TypeError, "The name of a dataset is text, not None (NoneType)."),
        ({"name": 5}, TypeError, "The name of a dataset is text, not 5 (int)."),
        ({"instrument": None}, TypeError, "The instrument of 'cdx_ig_5y' is text, not None (NoneType)."),
        ({"tenor": 5}, TypeError, "The tenor of 'cdx_ig_5y' is text or None, not 5 (int)."),
        ({"metadata": ["x"]}, TypeError, "The metadata of 'cdx_ig_5y' are a mapping, not ['x'] (list)."),
        ({"metadata": "x"}, TypeError, "The metadata of 'cdx_ig_5y' are a mapping, not 'x' (str)."),
        ({"metadata": {"a": object}}, TypeError, "Object of type type at $.a is not JSON serializable"),
        ({"file_path": None}, TypeError, "NoneType"),
    ],
)
def test_what_no_entry_can_hold_is_refused(
    registry: DataRegistry, argument: dict[str, Any], kind: type[Exception], message: str
) -> None:
    """An argument that could not be read back is an error of the call, and the registry stays as it was."""
    register(registry, name="vix")
    before = registry.registry_path.read_bytes()
    with pytest.raises(kind, match=re.escape(message)):
        register(registry, **argument)
    assert registry.registry_path.read_bytes() == before
    assert registry.list_datasets() == ["vix"]


def test_an_entry_that_could_not_be_read_is_never_written(registry: DataRegistry) -> None:
    """Entries made by hand are held against the same shape as those that are read."""
    register(registry, name="vix")
    before = registry.registry_path.read_bytes()
    entry = DatasetEntry(instrument=None, file_path="x.parquet")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="dataset 'x': A registry entry needs instrument as text"):
        registry.replace_all(lambda _: {"x": entry})
    with pytest.raises(ValueError, match="dataset 'x': A registry entry needs instrument as text"):
        registry.update_entry("x", lambda _: entry)
    assert registry.registry_path.read_bytes() == before


@pytest.mark.parametrize("delete", [False, True])
def test_removing_strikes_out_the_entry_and_the_file_if_asked(registry: DataRegistry, data: Path, delete: bool) -> None:
    """The file goes only with delete_file=True; one that is gone already is no error."""
    register(registry)
    register(registry, name="vix", file_path="data/raw/vix.parquet")
    registry.remove_dataset("cdx_ig_5y", delete_file=delete)
    registry.remove_dataset("vix", delete_file=True)
    assert registry.list_datasets() == []
    assert (data / "raw" / "cdx_ig_5y.parquet").exists() is not delete


def test_a_file_that_cannot_be_deleted_keeps_its_entry(registry: DataRegistry, data: Path) -> None:
    """Where deleting fails, the call can be repeated."""
    (data / "raw" / "folder").mkdir()
    register(registry)
    write(registry, {"cdx_ig_5y": {**content(registry)["cdx_ig_5y"], "file_path": "data/raw/folder"}})
    with pytest.raises(OSError, match="folder"):
        registry.remove_dataset("cdx_ig_5y", delete_file=True)
    assert registry.list_datasets() == ["cdx_ig_5y"]


def test_paths_are_looked_for_in_three_places(
    registry: DataRegistry, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the parent of the data directory, then below it, then as given; stored relative to the parent if inside."""
    monkeypatch.chdir(tmp_path)
    file = data / "raw" / "cdx_ig_5y.parquet"
    for given in (
        "data/raw/cdx_ig_5y.parquet",
        "raw/cdx_ig_5y.parquet",
        "root/data/raw/../raw/cdx_ig_5y.parquet",
        file,
    ):
        entry = register(registry, file_path=given)
        assert (entry.file_path, entry.row_count) == ("data/raw/cdx_ig_5y.parquet", 3)
    outside = save_parquet(spreads(5), tmp_path / "elsewhere" / "x.parquet")
    for given in (outside, "elsewhere/x.parquet"):
        entry = register(registry, file_path=given)
        assert (entry.file_path, entry.row_count) == (str(outside), 5)
    # the first place wins
    save_parquet(spreads(7), tmp_path / "root" / "elsewhere" / "x.parquet")
    entry = register(registry, file_path="elsewhere/x.parquet")
    assert (entry.file_path, entry.row_count) == ("elsewhere/x.parquet", 7)


def test_a_stored_path_is_below_the_root_and_nowhere_else(
    registry: DataRegistry, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the file of an entry is gone, one of that name elsewhere is neither read nor deleted in its place."""
    register(registry)
    (data / "raw" / "cdx_ig_5y.parquet").unlink()
    other = save_parquet(spreads(9), tmp_path / "other" / "data" / "raw" / "cdx_ig_5y.parquet")
    below = save_parquet(spreads(9), data / "data" / "raw" / "cdx_ig_5y.parquet")
    monkeypatch.chdir(tmp_path / "other")
    with pytest.raises(FileNotFoundError, match=r"'cdx_ig_5y' does not exist: .*/root/data/raw/cdx_ig_5y.parquet"):
        registry.update_dataset_stats("cdx_ig_5y")
    assert registry.locate("data/raw/cdx_ig_5y.parquet") == data / "raw" / "cdx_ig_5y.parquet"
    assert registry.get_dataset_entry("cdx_ig_5y").row_count == 3
    registry.remove_dataset("cdx_ig_5y", delete_file=True)
    assert other.exists()
    assert below.exists()


def test_a_root_can_move(registry: DataRegistry, data: Path, tmp_path: Path) -> None:
    """Entries are relative, so another place serves the same registry."""
    register(registry)
    moved = (data.parent).rename(tmp_path / "moved") / "data"
    assert DataRegistry(moved / "registry.json", moved).update_dataset_stats("cdx_ig_5y").row_count == 3


def test_links_do_not_take_a_file_out_of_its_root(data: Path, tmp_path: Path) -> None:
    """A linked root, given either way, and a folder linked from elsewhere: the path is stored relative all the same."""
    link = tmp_path / "link"
    link.symlink_to(data.parent)
    file = data / "raw" / "cdx_ig_5y.parquet"
    registry = DataRegistry(link / "data" / "registry.json", link / "data")
    assert register(registry, file_path=file).file_path == "data/raw/cdx_ig_5y.parquet"
    (tmp_path / "disk").mkdir()
    (data / "mounted").symlink_to(tmp_path / "disk")
    save_parquet(spreads(), data / "mounted" / "x.parquet")
    assert register(registry, file_path="data/mounted/x.parquet").file_path == "data/mounted/x.parquet"


def test_arguments_may_be_text_and_relative(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths as text, relative to where the program was started, stay what they were when it goes elsewhere."""
    monkeypatch.chdir(data.parent)
    registry = DataRegistry("data/registry.json", "data")
    monkeypatch.chdir("/")
    assert register(registry).row_count == 3
    assert (data / "registry.json").is_file()


def test_looking_creates_nothing(tmp_path: Path) -> None:
    """A registry that does not exist is empty, and stays unmade until the first change."""
    registry = DataRegistry(tmp_path / "data" / "registry.json", tmp_path / "data")
    assert (registry.list_datasets(), registry.entries()) == ([], {})
    assert repr(registry) == f"DataRegistry(path='{tmp_path / 'data' / 'registry.json'}', datasets=0)"
    assert list(tmp_path.iterdir()) == []


def test_repr_counts_the_datasets(registry: DataRegistry) -> None:
    """The count is that of the file."""
    register(registry)
    assert repr(registry) == f"DataRegistry(path='{registry.registry_path}', datasets=1)"


def test_a_file_that_is_no_parquet_is_not_registered(registry: DataRegistry, data: Path) -> None:
    """The error names the file, and no entry is written."""
    (data / "raw" / "x.csv").write_text("date,spread\n", encoding="utf-8")
    with pytest.raises(CorruptFileError, match=r"x.csv is not a readable Parquet file"):
        register(registry, file_path="data/raw/x.csv")
    assert registry.list_datasets() == []


def test_replacing_all_writes_exactly_what_is_given(registry: DataRegistry) -> None:
    """A rebuild puts its entries in place of all others, which it is given; unknown fields are written too."""
    old = register(registry)
    entry = DatasetEntry.from_dict({"instrument": "VIX", "file_path": "data/raw/vix.parquet", "colour": "red"})
    seen: list[Mapping[str, DatasetEntry]] = []

    def change(before: Mapping[str, DatasetEntry]) -> Mapping[str, DatasetEntry]:
        seen.append(before)
        return {"vix": entry, "a": entry}

    assert registry.replace_all(change) is None
    assert seen == [{"cdx_ig_5y": old}]
    assert list(content(registry)) == ["a", "vix"]
    assert registry.entries() == {"a": entry, "vix": entry}
    assert registry.get_dataset_info("vix")["colour"] == "red"


def test_replacing_all_by_the_same_writes_nothing(registry: DataRegistry) -> None:
    """Where no entry changes, the file stays as somebody may have laid it out by hand."""
    register(registry)
    write(registry, content(registry))
    before = registry.registry_path.read_bytes()
    assert registry.replace_all(lambda before: before) is None
    assert registry.registry_path.read_bytes() == before


def test_replacing_all_makes_a_registry(registry: DataRegistry) -> None:
    """No file before is no error."""
    assert registry.replace_all(lambda before: before) is None
    assert content(registry) == {}


@pytest.mark.parametrize(
    ("data_", "message"),
    [
        ({"file_path": "x"}, "needs instrument as text; it has file_path"),
        ({}, "needs instrument and file_path as text; it has -"),
        ({"instrument": "x", "file_path": 1}, "needs file_path as text"),
        ({"instrument": "x", "file_path": "y", "metadata": [1]}, r"metadata of a registry entry .* not \[1\]"),
    ],
)
def test_an_entry_that_lacks_what_it_needs_is_refused(data_: dict[str, Any], message: str) -> None:
    """from_dict says what is missing."""
    with pytest.raises(ValueError, match=message):
        DatasetEntry.from_dict(data_)


def test_an_entry_is_frozen_and_takes_copies() -> None:
    """Neither its fields nor the dict it came from reach into it."""
    source = {"instrument": "x", "file_path": "y", "metadata": {"a": [1]}, "colour": ["red"]}
    entry = DatasetEntry.from_dict(source)
    source["metadata"]["a"].append(2)  # type: ignore[index]
    source["colour"].append("blue")  # type: ignore[attr-defined]
    assert (entry.metadata, entry.unknown) == ({"a": [1]}, {"colour": ["red"]})
    with pytest.raises(AttributeError):
        entry.tenor = "5Y"  # type: ignore[misc]


BROKEN = [b"", b'{"a": ', b"[]", b'{"a": 1}', b'{"a": {"tenor": "5Y"}}', b"\xff\xfe\xfa"]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_registry_that_does_not_parse_is_never_overwritten(registry: DataRegistry, broken: bytes) -> None:
    """Every call fails naming both files and the remedy; the bytes stay, and one copy is set aside for all calls."""
    registry.registry_path.write_bytes(broken)
    calls = [
        registry.list_datasets,
        registry.entries,
        lambda: registry.get_dataset_info("cdx_ig_5y"),
        lambda: register(registry),
        lambda: registry.update_dataset_stats("cdx_ig_5y"),
        lambda: registry.remove_dataset("cdx_ig_5y"),
    ]
    messages = set()
    for call in calls:
        with pytest.raises(CorruptFileError) as error:
            call()
        messages.add(str(error.value))
    (copy,) = registry.registry_path.parent.glob("registry.json.corrupt-*")
    (message,) = messages
    assert f"The registry {registry.registry_path} does not parse" in message
    assert f"a copy is {copy}" in message
    assert "macrocredit registry rebuild" in message
    assert copy.read_bytes() == registry.registry_path.read_bytes() == broken
    assert repr(registry) == f"DataRegistry(path='{registry.registry_path}', datasets=unreadable)"


@pytest.mark.parametrize("broken", BROKEN)
def test_replacing_all_heals_a_registry_that_does_not_parse(registry: DataRegistry, broken: bytes) -> None:
    """The old bytes are set aside first, and where is returned."""
    registry.registry_path.write_bytes(broken)
    copy = registry.replace_all(lambda before: before)
    assert copy is not None
    assert copy.read_bytes() == broken
    assert registry.list_datasets() == []


def test_where_no_copy_can_be_made_nothing_is_overwritten(data: Path) -> None:
    """The error says so and names the remedy all the same; even a rebuild leaves the old bytes then."""
    # this name is as long as the file system allows for temporary files, and too long for a copy
    registry = DataRegistry(data / ("r" * 231 + ".json"), data)
    registry.registry_path.write_bytes(b"broken")
    with pytest.raises(CorruptFileError, match=r"no copy could be made \(.*\)\. .* macrocredit registry rebuild"):
        registry.list_datasets()
    with pytest.raises(OSError, match="too long"):
        registry.replace_all(lambda before: before)
    assert registry.registry_path.read_bytes() == b"broken"
