"""Properties of the encoder over arbitrary documents."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date, datetime
from enum import Enum
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from macrocredit_assets.persistence import EnhancedJSONEncoder
from macrocredit_assets.persistence.json_io import from_json_bytes, to_json_bytes


class Side(Enum):
    """Values of two types."""

    BUY = "buy"
    SELL = -1


TEXT = st.text(st.characters())  # lone surrogates included
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**200), 2**200),
    st.floats(),
    TEXT,
    st.dates(),
    st.times(),
    st.datetimes(),
    st.timedeltas(),
    st.decimals().filter(lambda number: not number.is_snan()),  # these have no hash, so no set can hold them
    st.uuids(),
    st.binary(),
    st.complex_numbers(),
    st.sampled_from([*Side, pd.NaT, pd.NA]),
    st.integers(-(2**63), 2**63 - 1).map(np.int64),
    st.floats(width=32).map(np.float32),
    st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)).map(pd.Timestamp),  # noqa: DTZ001
    st.integers(-(2**62), 2**62).map(lambda count: np.datetime64(count, "ns")),
    st.integers(-(2**62), 2**62).map(lambda count: np.timedelta64(count, "us")),
    st.text("abc/.", min_size=1).map(PurePosixPath),
)
KEYS = st.one_of(TEXT, st.dates().map(pd.Timestamp), st.integers(100, 200).map(np.int64), st.just(Side.SELL))
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner),
        st.lists(inner).map(tuple),
        st.dictionaries(KEYS, inner),
        st.frozensets(SCALARS),
        st.lists(inner, max_size=4).map(lambda values: pd.Series(values, dtype=object)),
        st.lists(st.floats()).map(np.array),
        # pandas itself refuses lone surrogates as names of columns
        st.dictionaries(st.text(), st.lists(st.floats(), min_size=2, max_size=2), max_size=3).map(pd.DataFrame),
    ),
    max_leaves=12,
)


def refuse(constant: str) -> None:
    """Fail on what the standard does not know."""
    raise AssertionError(constant)


@given(DOCUMENTS)
@settings(deadline=None, max_examples=150)
def test_both_writers_write_the_same_valid_document(document: object) -> None:
    """The fast writer's file parses to what json writes with the encoder, strictly, whatever the types."""
    slow = json.loads(json.dumps(document, cls=EnhancedJSONEncoder, indent=2, sort_keys=True), parse_constant=refuse)
    for indent in (2, None, 1):
        assert json.loads(to_json_bytes(document, indent=indent), parse_constant=refuse) == slow


@given(DOCUMENTS)
@settings(deadline=None, max_examples=60)
def test_what_was_read_is_written_as_it_was(document: object) -> None:
    """A document that came from JSON is a fixed point: the same bytes again."""
    first = to_json_bytes(document)
    assert to_json_bytes(json.loads(first)) == first


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


@given(JSON_VALUES)
@settings(deadline=None, max_examples=100)
def test_plain_documents_are_written_as_json_writes_them(document: object) -> None:
    """For JSON's own types the encoder's text is that of json, to the letter."""
    for options in ({}, {"indent": 2, "sort_keys": True}, {"separators": (",", ":"), "ensure_ascii": False}):
        assert json.dumps(document, cls=EnhancedJSONEncoder, **options) == json.dumps(document, **options)


@given(st.lists(st.floats()), st.dictionaries(st.dates(), st.floats()))
@settings(deadline=None)
def test_numbers_come_back_bit_for_bit_and_the_rest_as_null(values: list[float], dated: dict[date, float]) -> None:
    """Finite floats survive exactly; NaN and infinity are null, in lists, arrays and objects."""
    expected = [value if math.isfinite(value) else None for value in values]
    assert json.loads(to_json_bytes([values, np.array(values), pd.Series(values, dtype="float64")])) == [expected] * 3
    named = {day.isoformat(): value if math.isfinite(value) else None for day, value in dated.items()}
    assert json.loads(to_json_bytes(dated)) == named


TEXTS = st.recursive(
    st.one_of(
        st.sampled_from([*"0123", "-0", "-0.0", "NaN", "-Infinity", "1e999", "-1e-999", "true", "null", "nul", ""]),
        st.integers(-(2**70), 2**70).map(str),
        st.integers().map(lambda number: f"1.{abs(number)}"),
        st.floats().map(repr),
        TEXT.map(json.dumps),
        TEXT.map(lambda text: json.dumps(text, ensure_ascii=False)),
    ),
    lambda inner: st.one_of(
        st.lists(inner).map(lambda texts: f"[{', '.join(texts)}]"),
        st.lists(st.tuples(TEXT, inner)).map(
            lambda pairs: "{" + ",\n".join(f"{json.dumps(name)}: {text}" for name, text in pairs) + "}"
        ),
    ),
)


@given(TEXTS, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32-le"]), st.integers(0, 40))
@settings(deadline=None, max_examples=100)
def test_bytes_are_read_as_json_reads_them(text: str, encoding: str, cut: int) -> None:
    """Any text, right or wrong, in any encoding, whole or cut: the same values to the last digit, or the same error."""
    content = text.encode(encoding, "surrogatepass")
    for given_ in (content, content[:-cut]):
        assert _outcome(from_json_bytes, given_) == _outcome(json.loads, given_)


def _outcome(read: Callable[[bytes], object], content: bytes) -> str:
    try:
        return repr(read(content))
    except ValueError as error:
        return repr(error)
