"""A large registry is read and changed in parts; what is read and written is what the whole would have given."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from macrocredit_assets.errors import CorruptFileError
from macrocredit_assets.persistence import DataRegistry, DatasetEntry
from macrocredit_assets.persistence.registry_seal import WORTH_SEALING, Seal

NOW = "2024-10-25T14:30:00+00:00"

#: Names and texts that look like the layout, and all that JSON escapes.
NAMES = ["a", "metadata", 'quo"te', "line\nend", "back\\slash", "ünïcode", '\n  "a": {']


def entry(**metadata: object) -> dict[str, Any]:
    """Return an entry as a file has it."""
    made = DatasetEntry("VIX", "x.parquet", row_count=3, registered_at=NOW, last_updated=NOW, metadata=metadata)
    return made.to_dict()


def layout(document: dict[str, Any]) -> bytes:
    """Return a registry's bytes as the standard library writes them."""
    return (json.dumps(dict(sorted(document.items())), indent=2, ensure_ascii=False) + "\n").encode()


@pytest.fixture
def document() -> dict[str, Any]:
    """Return entries that are worth a seal."""
    made = {name: entry(text=f'{name}\n  "a": {{\n  }}', deep={"a": {"metadata": [{}, []]}}) for name in NAMES}
    return {**made, "padding": entry(text="x" * WORTH_SEALING)}


@pytest.fixture
def registry(tmp_path: Path, document: dict[str, Any]) -> DataRegistry:
    """Return a sealed registry of them."""
    made = DataRegistry(tmp_path / "data" / "registry.json", tmp_path / "data")
    made.replace_all(lambda _: {name: DatasetEntry.from_dict(stored) for name, stored in document.items()})
    assert is_sealed(made)
    return made


def is_sealed(registry: DataRegistry) -> bool:
    """Tell whether the bytes that stand there are sealed."""
    return Seal(registry.registry_path).fits(registry.registry_path.read_bytes())


def touch(registry: DataRegistry, name: str, **metadata: object) -> dict[str, Any]:
    """Change one entry, and return how it should stand in the file."""

    def change(before: DatasetEntry | None) -> DatasetEntry:
        assert before is not None
        return DatasetEntry("VIX", before.file_path, row_count=4, last_updated=NOW, metadata=metadata)

    return registry.update_entry(name, change).to_dict()


@pytest.mark.parametrize("name", NAMES)
def test_a_change_gives_the_bytes_that_the_whole_would_give(
    registry: DataRegistry, document: dict[str, Any], name: str
) -> None:
    """The entry is found under any name, changed, and found again; all other bytes stay."""
    assert registry.registry_path.read_bytes() == layout(document)
    assert registry.get_dataset_info(name) == document[name]
    document[name] = touch(registry, name, seen={"b": 1, "a": [1.5, None, "ü"]}, empty={})
    assert document[name]["metadata"]["deep"] == {"a": {"metadata": [{}, []]}}
    assert registry.registry_path.read_bytes() == layout(document)
    assert is_sealed(registry)
    assert registry.get_dataset_info(name) == document[name]


def test_entries_come_and_go(registry: DataRegistry, document: dict[str, Any]) -> None:
    """A new entry stands in its place by name, a removed one is gone, and both are sealed."""
    registry.update_entry("b", lambda before: DatasetEntry(str(before), "b.parquet"))
    assert is_sealed(registry)
    document["b"] = registry.get_dataset_info("b")
    assert document["b"]["instrument"] == "None"
    registry.remove_dataset("metadata")
    assert is_sealed(registry)
    del document["metadata"]
    assert registry.registry_path.read_bytes() == layout(document)
    for unknown in ("metadata", "text", "deep", "", '"', "\ud800"):
        with pytest.raises(KeyError):
            registry.get_dataset_info(unknown)
        assert registry.find_entry(unknown) is None
    assert registry.find_entry("b") == registry.entries()["b"]


def test_an_edit_by_hand_is_seen(registry: DataRegistry) -> None:
    """Bytes of the same length, in another layout, with a name twice: what json says of them is what is read."""
    content = registry.registry_path.read_bytes()
    registry.registry_path.write_bytes(content.replace(b'"row_count": 3', b'"row_count": 7'))
    assert registry.get_dataset_info("a")["row_count"] == 7
    misleading = {"b": entry(), "padding": entry(text="x" * WORTH_SEALING)}
    inner = '{"b": 1,\n  "a": {\n  "instrument": "wrong", "file_path": "wrong"\n  }\n  }'
    text = json.dumps(misleading).replace('"metadata": {}', f'"metadata": {inner}')
    registry.registry_path.write_text(f'{text[:-1]}, "b": {json.dumps(entry(twice=True))}}}', encoding="utf-8")
    assert registry.get_dataset_info("b")["metadata"] == {"twice": True}
    with pytest.raises(KeyError):
        registry.get_dataset_info("a")
    touch(registry, "b", seen=True)
    assert registry.get_dataset_info("b")["metadata"] == {"twice": True, "seen": True}
    assert is_sealed(registry)


def test_damage_to_another_entry_is_found(registry: DataRegistry) -> None:
    """One byte of an entry that nobody asks for: reading and changing any other fails, and nothing is written."""
    content = registry.registry_path.read_bytes()
    broken = content.replace(b'"row_count": 3', b'"row_count": x', 1)
    registry.registry_path.write_bytes(broken)
    for call in (registry.get_dataset_info, registry.find_entry, partial(touch, registry)):
        with pytest.raises(CorruptFileError, match="does not parse"):
            call("padding")
    assert registry.registry_path.read_bytes() == broken


@pytest.mark.parametrize("seal", [None, b"", b"1 0000", b"\xff"])
def test_a_seal_that_is_lost_or_wrong_changes_no_answer(
    registry: DataRegistry, document: dict[str, Any], seal: bytes | None
) -> None:
    """The registry reads and changes as before, and is sealed again."""
    path = registry.registry_path.with_name(".registry.json.sha256")
    path.unlink()
    if seal is not None:
        path.write_bytes(seal)
    assert not is_sealed(registry)
    assert registry.get_dataset_info("a") == document["a"]
    document["a"] = touch(registry, "a", seen=1)
    assert registry.registry_path.read_bytes() == layout(document)
    assert is_sealed(registry)


def test_a_seal_that_cannot_be_written_costs_nothing_but_time(registry: DataRegistry, document: dict[str, Any]) -> None:
    """Where something else has its name, changes are made and read all the same."""
    path = registry.registry_path.with_name(".registry.json.sha256")
    path.unlink()
    path.mkdir()
    document["a"] = touch(registry, "a", seen=1)
    assert registry.registry_path.read_bytes() == layout(document)
    assert registry.get_dataset_info("a") == document["a"]


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, 10**40, "\ud800"])
def test_what_only_json_can_say_survives_changes_of_others(
    registry: DataRegistry, document: dict[str, Any], value: object
) -> None:
    """Integers beyond 64 bits and lone surrogates keep every digit, in the touched entry and in untouched ones."""
    document["a"] = touch(registry, "a", odd=value)
    assert registry.get_dataset_info("a") == document["a"]
    assert not is_sealed(registry)
    document["metadata"] = touch(registry, "metadata", seen=1)
    assert registry.entries() == {name: DatasetEntry.from_dict(stored) for name, stored in document.items()}


def test_what_is_no_number_becomes_null_with_the_next_change(registry: DataRegistry, document: dict[str, Any]) -> None:
    """NaN, which json writes and reads although JSON has none, is never written here."""
    document["a"]["metadata"] = {"odd": float("nan"), "far": float("-inf")}
    registry.registry_path.write_bytes(layout(document))
    document["metadata"] = touch(registry, "metadata", seen=1)
    document["a"]["metadata"] = {"odd": None, "far": None}
    assert registry.registry_path.read_bytes() == layout(document)


def test_a_small_registry_has_no_seal(tmp_path: Path) -> None:
    """Where parsing takes no time, no file is left beside it."""
    registry = DataRegistry(tmp_path / "registry.json", tmp_path)
    registry.register_dataset("vix", "vix.parquet", "VIX")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".registry.json.lock", "registry.json"]
