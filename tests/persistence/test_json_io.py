"""Documents with the types analysts use become valid JSON, or an error that says what does not and where."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import OrderedDict, defaultdict, namedtuple
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pydantic
import pytest

from macrocredit_assets.persistence import EnhancedJSONEncoder, load_json, save_json
from macrocredit_assets.persistence.json_io import to_json_bytes


class Color(Enum):
    """Values that are text, and values that are converted in turn."""

    RED = "red"
    PAIR = (1, date(2024, 1, 2))


class Level(IntEnum):
    """Members that are integers."""

    HIGH = 3


class Way(StrEnum):
    """Members that are text."""

    FILE = "file"


class Text(str):
    """Text of a type of its own."""

    __slots__ = ()


@dataclass(frozen=True)
class Point:
    """A dataclass."""

    day: date
    values: tuple[float, ...]
    hidden: dict[str, Any] = field(default_factory=dict, repr=False)


class Model(pydantic.BaseModel):
    """A pydantic model."""

    day: date
    path: Path
    nested: dict[str, Decimal]


Pair = namedtuple("Pair", ["a", "b"])

NAN = float("nan")

CASES: list[tuple[object, object]] = [
    # JSON's own types, and their subclasses
    (None, None),
    (True, True),
    (10**30, 10**30),
    (-(2**63) - 1, -(2**63) - 1),
    (1.5, 1.5),
    ("é\ud800", "é\ud800"),
    (Text("text"), "text"),
    (Pair(1, 2), [1, 2]),
    (OrderedDict(b=1), {"b": 1}),
    (defaultdict(list, a=[1]), {"a": [1]}),
    (MappingProxyType({"a": 1}), {"a": 1}),
    # what is not a number
    (NAN, None),
    (float("inf"), None),
    (Decimal("NaN"), None),
    (Decimal("-Infinity"), None),
    (np.float32("nan"), None),
    (np.float64("-inf"), None),
    (np.longdouble("inf"), None),
    (pd.NaT, None),
    (pd.NA, None),
    (np.datetime64("NaT", "s"), None),
    (np.timedelta64("NaT", "s"), None),
    (np.ma.masked, None),
    # dates and times
    (datetime(2024, 1, 2, 3, 4, 5, 6), "2024-01-02T03:04:05.000006"),  # noqa: DTZ001
    (datetime(2024, 1, 2, tzinfo=UTC), "2024-01-02T00:00:00+00:00"),
    (date(2024, 1, 2), "2024-01-02"),
    (time(16, 0, tzinfo=timezone(timedelta(hours=-5))), "16:00:00-05:00"),
    (pd.Timestamp("2024-01-02 00:00:00.000000001"), "2024-01-02T00:00:00.000000001"),
    (pd.Timestamp("2024-01-02", tz="America/New_York"), "2024-01-02T00:00:00-05:00"),
    (np.datetime64("2024-01-02"), "2024-01-02"),
    (np.datetime64("2024-01-02T03"), "2024-01-02T03:00:00"),
    (np.datetime64("2024-01-02T03:04"), "2024-01-02T03:04:00"),
    (np.datetime64("2024-01-02T00:00:00.000", "ms"), "2024-01-02T00:00:00"),
    (np.datetime64("2024-01-02T00:00:00.5", "ms"), "2024-01-02T00:00:00.500000"),
    (np.datetime64("2024-01-02T00:00:00.000000001", "ns"), "2024-01-02T00:00:00.000000001"),
    (np.datetime64("2024-01"), "2024-01"),
    (pd.Period("2024-01", freq="M"), "2024-01"),
    # durations
    (timedelta(days=1, hours=2, seconds=3, microseconds=500000), "P1DT2H0M3.5S"),
    (timedelta(seconds=-1), "P-1DT23H59M59S"),
    (timedelta.max, "P999999999DT23H59M59.999999S"),
    (pd.Timedelta(1, "ns"), "P0DT0H0M0.000000001S"),
    (np.timedelta64(90, "m"), "P0DT1H30M0S"),
    (np.timedelta64(1, "W"), "P7DT0H0M0S"),
    (np.timedelta64(1, "as"), "P0DT0H0M0.000000000000000001S"),
    (np.timedelta64(2, "M"), "P2M"),
    (np.timedelta64(3, "Y"), "P3Y"),
    # text, numbers and bytes of other types
    (PurePosixPath("a/b"), "a/b"),
    (Path("/x"), "/x"),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (Decimal("1.10"), "1.10"),
    (1 + 2j, {"real": 1.0, "imag": 2.0}),
    (b"\x00\xff", "AP8="),
    (bytearray(b"\x00\xff"), "AP8="),
    (memoryview(b"\x00\xff"), "AP8="),
    # enumerations
    (Color.RED, "red"),
    (Color.PAIR, [1, "2024-01-02"]),
    (Level.HIGH, 3),
    (Way.FILE, "file"),
    # sets
    ({10, 9, 1}, [1, 9, 10]),
    (frozenset({"b", "a"}), ["a", "b"]),
    ({date(2024, 1, 2), date(2023, 1, 2)}, ["2023-01-02", "2024-01-02"]),
    ({None, "a", 2, 1.5}, [None, 1.5, 2, "a"]),
    ({frozenset({2, 1}), frozenset({0})}, [[0], [1, 2]]),
    # numpy
    (np.bool(True), True),
    (np.int8(-1), -1),
    (np.uint64(2**64 - 1), 2**64 - 1),
    (np.float16(1.5), 1.5),
    (np.longdouble(1.5), 1.5),
    (np.complex64(1), {"real": 1.0, "imag": 0.0}),
    (np.str_("a"), "a"),
    (np.bytes_(b"\x00\xff"), "AP8="),
    (np.void(b"\x00\xff"), "AP8="),
    (np.array((1, 2.5), dtype=[("a", "i4"), ("b", "f8")])[()], {"a": 1, "b": 2.5}),
    (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
    (np.array([1.0, NAN]), [1.0, None]),
    (np.array(1.5), 1.5),
    (np.array([1.5], dtype=np.longdouble), [1.5]),
    (np.array("2024-01-02", dtype="M8[D]"), "2024-01-02"),
    (np.array([["2024-01-02", "NaT"]], dtype="M8[ns]"), [["2024-01-02T00:00:00", None]]),
    (np.array([{"a": NAN}, None], dtype=object), [{"a": None}, None]),
    (np.ma.masked_array([1.5, 2.5], mask=[False, True]), [1.5, None]),
    (np.ma.masked_array(1, mask=False), 1),
    # pandas
    (pd.Series([1.0, NAN], index=["x", "y"]), [1.0, None]),
    (pd.Series([1, None], dtype="Int64"), [1, None]),
    (pd.Series(["a", None]), ["a", None]),
    (pd.Series(["b", "a"], dtype="category"), ["b", "a"]),
    (pd.Index([1, 2]), [1, 2]),
    (pd.DatetimeIndex(["2024-01-02", None]), ["2024-01-02T00:00:00", None]),
    (pd.MultiIndex.from_tuples([("a", 1)]), [["a", 1]]),
    (pd.array([True, None]), [True, None]),
    (
        pd.DataFrame({"day": pd.to_datetime(["2024-01-02", None]), "oas": [NAN, 2.0], 5: [1, 2]}),
        [{"day": "2024-01-02T00:00:00", "oas": None, "5": 1}, {"day": None, "oas": 2.0, "5": 2}],
    ),
    (pd.DataFrame(index=[0, 1]), [{}, {}]),
    (pd.DataFrame({"a": []}), []),
    # objects
    (Point(date(2024, 1, 2), (1.0, NAN)), {"day": "2024-01-02", "values": [1.0, None], "hidden": {}}),
    (
        Model(day=date(2024, 1, 2), path=Path("/x"), nested={"a": Decimal("1.10")}),
        {"day": "2024-01-02", "path": "/x", "nested": {"a": "1.10"}},
    ),
    (ValueError("no", "good"), {"type": "ValueError", "message": "('no', 'good')"}),
    (KeyboardInterrupt(), {"type": "KeyboardInterrupt", "message": ""}),
]


def strict(text: str | bytes) -> object:
    """Parse JSON that keeps to the standard, which knows neither NaN nor repeated keys."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    return json.loads(text, parse_constant=refuse, object_pairs_hook=once)


def identifier(case: object) -> str:
    """Name a case by its type, and by its value where that looks the same in every process."""
    if isinstance(case, list | dict):
        return ""
    name = type(case).__name__
    return name if isinstance(case, set | frozenset | memoryview) else f"{name}-{case!r}"[:40]


@pytest.mark.parametrize(("value", "expected"), CASES, ids=identifier)
def test_each_type_has_its_form(value: object, expected: object) -> None:
    """Alone, in a list and in an object, by the encoder and by the file writer, with and without indents."""
    document = {"alone": value, "listed": [value, [value]]}
    wanted = {"alone": expected, "listed": [expected, [expected]]}
    assert strict(json.dumps(value, cls=EnhancedJSONEncoder)) == expected
    assert strict(json.dumps(document, cls=EnhancedJSONEncoder, indent=2, sort_keys=True)) == wanted
    for indent in (2, None, 4, "\t"):
        assert strict(to_json_bytes(document, indent=indent)) == wanted
    assert EnhancedJSONEncoder().default(value) == expected


@pytest.mark.parametrize("value", [timedelta(days=-3, microseconds=7), timedelta(hours=25), timedelta(0)])
def test_durations_look_as_in_pandas(value: timedelta) -> None:
    """The standard library's durations are written as pandas writes its own, and pandas reads them."""
    text = json.loads(to_json_bytes(value))
    assert text == pd.Timedelta(value).isoformat()
    assert pd.Timedelta(text) == value


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (date(2024, 1, 2), "2024-01-02"),
        (pd.Timestamp("2024-01-02"), "2024-01-02T00:00:00"),
        (np.datetime64("2024-01-02"), "2024-01-02"),
        (np.int64(7), "7"),
        (np.float64(1.5), "1.5"),
        (np.bool(True), "true"),
        (np.str_("a"), "a"),
        (Path("a/b"), "a/b"),
        (Color.RED, "red"),
        (Level.HIGH, "3"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Decimal("1.10"), "1.10"),
        (timedelta(1), "P1DT0H0M0S"),
        (7, "7"),
        (10**30, str(10**30)),
        (1e22, "1e+22"),
        (True, "true"),
        (None, "null"),
        (NAN, "null"),
        (pd.NaT, "null"),
        (b"\x00\xff", "AP8="),
    ],
)
def test_keys_may_be_what_becomes_a_scalar(key: object, name: str) -> None:
    """Keys are written as json writes its own, and as their values would be."""
    assert strict(json.dumps({key: 1, "other": {key: 2}}, cls=EnhancedJSONEncoder)) == {name: 1, "other": {name: 2}}


def test_keys_of_mixed_types_are_sorted_as_text() -> None:
    """sort_keys compares what is written, so that no two types fail to compare."""
    document = {2: 1, "10": 2, date(2024, 1, 2): 3, None: 4, np.int64(1): 5}
    text = '{"1": 5, "10": 2, "2": 1, "2024-01-02": 3, "null": 4}'
    assert json.dumps(document, cls=EnhancedJSONEncoder, sort_keys=True) == text
    assert list(json.loads(to_json_bytes(document))) == ["1", "10", "2", "2024-01-02", "null"]
    assert list(json.loads(to_json_bytes(document, sort_keys=False))) == ["2", "10", "2024-01-02", "null", "1"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({1: "a", "1": "b"}, r"""^The object at \$ has two keys that are "1": 1 and '1'$"""),
        ({"a": [{None: 1, NAN: 2}]}, r"""^The object at \$\.a\[0\] has two keys that are "null": None and nan$"""),
        ([pd.DataFrame([[1, 2]], columns=["x", "x"])], r"""^The object at \$\[0\] has two keys that are "x": """),
    ],
)
def test_keys_that_become_the_same_are_refused(document: object, message: str) -> None:
    """One of the two values would be lost without a word."""
    with pytest.raises(ValueError, match=message):
        json.dumps(document, cls=EnhancedJSONEncoder)


class Odd:
    """Nothing that JSON knows."""


@pytest.mark.parametrize(
    ("document", "where"),
    [
        (Odd(), "$"),
        ({"a": [1, 2, 3, {"b": Odd()}]}, "$.a[3].b"),
        ({"a key": {date(2024, 1, 2): (Odd(),)}}, '$["a key"]["2024-01-02"][0]'),
        ({"{where}": {"": Odd()}}, '$["{where}"][""]'),
        ({"p": Point(date(2024, 1, 2), (1.0,), {"x": Odd()})}, "$.p.hidden.x"),
        ([pd.DataFrame({"a": [1, 2], "b": [1, [Odd()]]})], "$[0][1].b[0]"),
        ([np.array([[None, Odd()]])], "$[0][0][1]"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(document: object, where: str) -> None:
    """TypeError says the type and the path to it, by the encoder and by the file writer."""
    message = f"Object of type {__name__}.Odd at {where} is not JSON serializable"
    with pytest.raises(TypeError) as encoder:
        json.dumps(document, cls=EnhancedJSONEncoder)
    with pytest.raises(TypeError) as writer:
        to_json_bytes(document)
    assert str(encoder.value) == str(writer.value) == message


@pytest.mark.parametrize("value", [Odd, len, range(3), iter([1]), ...])
def test_what_only_looks_like_data_is_refused(value: object) -> None:
    """Classes, functions and iterators are mistakes; reading an iterator would even change it."""
    with pytest.raises(TypeError, match=r"Object of type \S+ at \$\[0\] is not JSON serializable"):
        json.dumps([value], cls=EnhancedJSONEncoder)


def test_a_key_that_is_no_scalar_is_refused() -> None:
    """A tuple is a list in JSON, and a list is no key."""
    with pytest.raises(TypeError, match=r"Key \(1, 2\) of type tuple in the object at \$\.a is not JSON serializable"):
        json.dumps({"a": {(1, 2): 3}}, cls=EnhancedJSONEncoder)


def test_keys_that_no_text_stands_for_may_be_skipped() -> None:
    """With skipkeys they are left out with their values, whatever these are, at every depth; other keys stay."""
    columns = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])
    document = {
        (1, 2): object,
        object(): 1,
        date(2024, 1, 2): {frozenset({1}): 2, None: 3},
        "table": pd.DataFrame([[1, 2]], columns=columns),
        "mixed": pd.DataFrame([[1, 2]], columns=pd.Index(["a", (1, 2)], tupleize_cols=False)),
    }
    text = json.dumps(document, cls=EnhancedJSONEncoder, skipkeys=True)
    assert json.loads(text) == {"2024-01-02": {"null": 3}, "table": [{}], "mixed": [{"a": 1}]}


def test_only_keys_are_skipped() -> None:
    """A value that does not fit into JSON is an error with skipkeys too, and so are two keys of one text."""
    with pytest.raises(TypeError, match=r"Object of type object at \$\.a is not JSON serializable"):
        json.dumps({"a": object()}, cls=EnhancedJSONEncoder, skipkeys=True)
    with pytest.raises(ValueError, match="two keys that are"):
        json.dumps({1: 2, "1": 3}, cls=EnhancedJSONEncoder, skipkeys=True)


def test_keys_are_skipped_whoever_refuses_them() -> None:
    """A method of one's own that refuses a key has it skipped as well; what it takes is a key."""

    class Own(EnhancedJSONEncoder):
        def default(self, o: object) -> dict[str, Any] | list[Any] | str | int | float | None:
            return "odd" if isinstance(o, Odd) else super().default(o)

    assert json.dumps({Odd(): 1, object(): 2}, cls=Own, skipkeys=True) == '{"odd": 1}'
    with pytest.raises(TypeError, match="Object of type object"):
        json.dumps({object(): 2}, cls=Own)


def test_circular_references_are_refused() -> None:
    """A container within itself is a ValueError, as with json; the same container twice is none."""
    inner: dict[str, Any] = {}
    inner["list"] = [1, MappingProxyType({"again": inner})]
    with pytest.raises(ValueError, match=r"Circular reference detected: the value at \$\[0\]\.list\[1\]\.again holds"):
        json.dumps([inner], cls=EnhancedJSONEncoder)
    shared = {"a": {1}}
    assert strict(json.dumps([shared, shared], cls=EnhancedJSONEncoder)) == [{"a": [1]}, {"a": [1]}]


def test_default_is_asked_for_unknown_types() -> None:
    """The argument of json.dumps and a subclass's method serve types of one's own; what they return is converted."""

    class Own(EnhancedJSONEncoder):
        def default(self, o: object) -> dict[str, Any] | list[Any] | str | int | float | None:
            return {date(2024, 1, 2): NAN} if isinstance(o, Odd) else super().default(o)

    document = [Odd(), date(2024, 1, 2)]
    expected = [{"2024-01-02": None}, "2024-01-02"]
    assert strict(json.dumps(document, cls=Own)) == expected
    assert strict(json.dumps(document, cls=EnhancedJSONEncoder, default=lambda _: {date(2024, 1, 2): NAN})) == expected
    with pytest.raises(TypeError, match="Object of type ellipsis"):
        json.dumps([...], cls=Own)


def test_a_mapping_of_ones_own_is_an_object() -> None:
    """Whatever keeps to the protocol of a mapping is written as one."""

    class Lazy(Mapping[str, int]):
        def __getitem__(self, key: str) -> int:
            return {"a": 1}[key]

        def __iter__(self) -> Iterator[str]:
            return iter(["a"])

        def __len__(self) -> int:
            return 1

    assert strict(to_json_bytes(Lazy())) == {"a": 1}


def test_deep_documents_are_written(tmp_path: Path) -> None:
    """Documents nested deeper than the fast writer goes are written all the same."""
    document: list[Any] = []
    for _ in range(260):
        document = [document]
    assert load_json(save_json(document, tmp_path / "x.json", indent=None)) == document


def test_a_file_is_readable_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two spaces, sorted keys, letters as they are, a line end; the path comes back absolute, parents are made."""
    monkeypatch.chdir(tmp_path)
    path = save_json({"b": 1, "a": {"é": [1.5]}}, "deep/x.json")
    assert path == tmp_path / "deep" / "x.json"
    assert path.read_text(encoding="utf-8") == '{\n  "a": {\n    "é": [\n      1.5\n    ]\n  },\n  "b": 1\n}\n'


@pytest.mark.parametrize(
    ("indent", "text"),
    [(None, '{"b":1,"a":"é"}\n'), (4, '{\n    "b": 1,\n    "a": "é"\n}\n'), (0, '{\n"b": 1,\n"a": "é"\n}\n')],
)
def test_indents_and_order_are_a_choice(tmp_path: Path, indent: int | None, text: str) -> None:
    """Any indent of json works, and the order of the document can be kept."""
    path = save_json({"b": 1, "a": "é"}, tmp_path / "x.json", indent=indent, sort_keys=False)
    assert path.read_text(encoding="utf-8") == text


def test_a_document_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    """The document is made before a file is touched."""
    path = save_json({"a": 1}, tmp_path / "x.json")
    with pytest.raises(TypeError, match=r"at \$\.a is not JSON"):
        save_json({"a": Odd()}, path)
    assert load_json(path) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """FileNotFoundError gives the absolute path."""
    with pytest.raises(FileNotFoundError, match=f"JSON file not found: {tmp_path / 'x.json'}"):
        load_json(tmp_path / "x.json")


@pytest.mark.parametrize("content", [b"", b'{"a": ', b"\xff\xfe\xfa", b'"\xc3"'])
def test_what_is_not_json_is_named(tmp_path: Path, content: bytes) -> None:
    """JSONDecodeError names the file, for text that does not parse and for bytes that are no text."""
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(json.JSONDecodeError, match=f"{path} is not valid JSON"):
        load_json(path)


def test_neither_pandas_nor_pydantic_is_imported_for_plain_documents() -> None:
    """Writing dates and paths costs no import of a library whose types are not in the document."""
    program = (
        "import json, sys, datetime; from macrocredit_assets.persistence import EnhancedJSONEncoder;"
        "json.dumps([datetime.date.today()], cls=EnhancedJSONEncoder);"
        "print([name for name in ('numpy', 'pandas', 'pyarrow', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.filterwarnings("ignore:The 'generic' unit:DeprecationWarning")  # numpy 2.5 on: it goes away
def test_duration_without_a_unit_is_a_number() -> None:
    """Nobody knows five of what it is."""
    assert json.loads(json.dumps(np.timedelta64(5), cls=EnhancedJSONEncoder)) == 5
