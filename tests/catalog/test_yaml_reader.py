"""YAML as it is read here: texts stay texts, repeated keys are refused, and every key has a line."""

from __future__ import annotations

import pytest

from macrocredit_assets.catalog.yaml_reader import read_yaml
from macrocredit_assets.errors import CatalogError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("on", "on"),
        ("2024-01-31", "2024-01-31"),
        ("12:30", "12:30"),
        ("007", "007"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("true", True),
        ("false", False),
        ("~", None),
        ("null", None),
        ("-3", -3),
        ("0.25", 0.25),
        ("1e3", 1000.0),
        ("'5'", "5"),
    ],
)
def test_plain_scalars_are_read_by_the_core_schema(text: str, value: object) -> None:
    """Only true, false, null and numbers are not texts: no dates, no Norway."""
    read = read_yaml(f"key: {text}", "x.yaml").data

    assert read == {"key": value}
    assert type(read["key"]) is type(value)


def test_every_key_and_item_knows_its_line() -> None:
    """The line of a path that the text does not have is that of the nearest thing around it."""
    document = read_yaml("a:\n  b: 1\n  c:\n    - x\n    - y\n", "x.yaml")

    assert [document.line(path) for path in [("a",), ("a", "b"), ("a", "c", 1), ("a", "b", "z", 3)]] == [1, 2, 5, 2]
    assert document.line(("nowhere",)) == 1


def test_anchors_and_merges_are_followed() -> None:
    """A merged mapping may be overridden, and used again, without counting as repeated keys."""
    text = "base: &base {x: 1, y: 2}\none: &one {<<: *base, y: 3}\ntwo: *one\nthree: {<<: *one, x: 4}\n"

    assert read_yaml(text, "x.yaml").data == {
        "base": {"x": 1, "y": 2},
        "one": {"x": 1, "y": 3},
        "two": {"x": 1, "y": 3},
        "three": {"x": 4, "y": 3},
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", "x.yaml:3: the key 'a' is repeated; it stands on line 1"),
        ("top:\n  {a: 1, a: 2}\n", "x.yaml:2: top: the key 'a' is repeated"),
        ("top:\n  5: x\n", "x.yaml:2: top: the key 5 is no text; quote it"),
        ("true: x\n", "x.yaml:1: the key True is no text"),
        ("? [a, b]\n: x\n", "x.yaml:1: tag:yaml.org,2002:seq is not wanted here"),
        ("a: !!timestamp 2024-01-31\n", "x.yaml:1: a: tag:yaml.org,2002:timestamp is not wanted here"),
        ("a: !!python/name:os.system x\n", "x.yaml:1: a: tag:yaml.org,2002:python/name:os.system is not wanted here"),
        ("a: &a\n  b: *a\n", "an anchor that contains itself"),
        ("a: [1\nb: 2\n", "x.yaml:2: this is no YAML"),
        ("a: 1\n---\nb: 2\n", "x.yaml:2: this is no YAML: but found another document"),
        ("a: \x00\n", "x.yaml: this is no YAML"),
        ("a: *nothing\n", "x.yaml:1: this is no YAML"),
    ],
)
def test_surprises_are_refused_with_file_and_line(text: str, said: str) -> None:
    """What other readers swallow or turn into something else is an error here."""
    with pytest.raises(CatalogError) as caught:
        read_yaml(text, "x.yaml")

    assert said in str(caught.value)


def test_an_empty_text_holds_nothing() -> None:
    """An empty file is no error of YAML; what it means is for the caller to say."""
    assert read_yaml("", "x.yaml").data is None
