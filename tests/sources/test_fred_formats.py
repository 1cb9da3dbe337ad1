"""FRED's two formats, from bytes alone: what is read, and what is refused with the place where it stands."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from macrocredit_assets.errors import (
    MalformedResponseError,
    RejectedRequestError,
    SchemaChangedError,
    SourceError,
    SourceUnavailableError,
)
from macrocredit_assets.sources.fred_api import read_page
from macrocredit_assets.sources.fred_csv import read_graph
from macrocredit_assets.sources.http import Answer, Asked
from macrocredit_assets.sources.received import Received
from macrocredit_assets.windows import Window

WEEK = Window(date(2026, 3, 2), date(2026, 3, 6))
ASKED = Asked("ust_10y", "fred:DGS10", WEEK, "FRED")


def received(body: bytes, content_type: str = "application/csv", status: int = 200, *, whole: bool = True) -> Received:
    """Return an answer with a body."""
    at = datetime(2026, 3, 6, 12, tzinfo=UTC)
    return Received(ASKED, Answer("http://fred/graph?id=DGS10", status, content_type, body, at, 0.1, whole))


def page(*rows: object, **changes: object) -> Received:
    """Return a page of the API."""
    document = {"count": len(rows), "offset": 0, "limit": 100_000, "observations": rows, **changes}
    known = {name: value for name, value in document.items() if value is not None}
    return received(json.dumps(known).encode(), "application/json; charset=UTF-8")


ROW = {"realtime_start": "2026-03-06", "realtime_end": "2026-03-06", "date": "2026-03-02", "value": "4.06"}


@pytest.mark.parametrize(
    "body",
    [
        b"observation_date,DGS10\n2026-03-02,4.06\n2026-03-03,\n",
        b"\xef\xbb\xbfobservation_date,DGS10\r\n2026-03-02,4.06\r\n2026-03-03,\r\n",
        b"DATE,DGS10\n2026-03-02, 4.06\n\n2026-03-03,\n\n",
        b'"DATE","DGS10"\n2026-03-02,"4.06"\n2026-03-03,""',
    ],
)
def test_rows_are_read_whatever_ends_a_line(body: bytes) -> None:
    """Byte order mark, CR, empty lines, quotes and blanks around a cell mean nothing."""
    rows = read_graph(received(body), "DGS10")
    assert rows.sheet.columns[rows.date_column] == ["2026-03-02", "2026-03-03"]
    assert rows.sheet.columns[rows.value_column] == ["4.06", ""]


@pytest.mark.parametrize(
    "body", [b"", b"observation_date,DG", b"observation_date,DGS10", b"observation_date,DGS10\n2026-03-02,4."]
)
def test_csv_that_nothing_ends_was_cut(body: bytes) -> None:
    """Half a number is one: without a length, only the end of the last line shows that there is no more of it."""
    with pytest.raises(SourceUnavailableError, match="broke off in the middle of its answer"):
        read_graph(received(body, whole=False), "DGS10")
    whole = received(b"observation_date,DGS10\r\n2026-03-02,4.06\r\n", whole=False)
    assert read_graph(whole, "DGS10").sheet.places == [2]


def test_json_that_nothing_ends_was_cut() -> None:
    """A page that stops before its last bracket may be whole the next time; one that is whole needs no length."""
    body = page(ROW).answer.body
    with pytest.raises(SourceUnavailableError, match="broke off in the middle of its answer"):
        read_page(received(body[:-2], "application/json", whole=False), 0)
    with pytest.raises(MalformedResponseError, match="sent no JSON"):
        read_page(received(body[:-2], "application/json"), 0)
    assert read_page(received(body, "application/json", whole=False), 0).values == ["4.06"]


def test_page_that_nothing_ends_is_a_page() -> None:
    """A login does not become data by asking again."""
    with pytest.raises(MalformedResponseError, match="a page for people"):
        read_graph(received(b"<html>", "text/html", whole=False), "DGS10")


def test_lines_are_counted_as_an_editor_does() -> None:
    """The header is line 1, and an empty line counts."""
    assert read_graph(received(b"DATE,DGS10\n\n2026-03-02,4.06\n"), "DGS10").sheet.places == [3]


@pytest.mark.parametrize(
    ("body", "content_type", "error", "says"),
    [
        (b"", "application/csv", MalformedResponseError, "FRED sent nothing at all"),
        (b"\n \n", "application/csv", MalformedResponseError, "FRED sent no table"),
        (b"Service unavailable", "text/plain", MalformedResponseError, "FRED sent no table"),
        (b"  <!DOCTYPE html><p>Log in", "text/html", MalformedResponseError, "a page for people"),
        (b"<html>, <p>", "application/csv", MalformedResponseError, "a page for people"),
        (b"Please, log in: <a>", "text/html", MalformedResponseError, "a page for people"),
        (b"DATE,DGS10\n2026-03-02,4\xb706\n", "text/csv", MalformedResponseError, "no UTF-8, first in line 2"),
        (b'DATE,DGS10\n2026-03-02,"4.06\n', "text/csv", MalformedResponseError, "no regular CSV: line 2"),
        (b"DATE,DGS10\n2026-03-02\n", "text/csv", MalformedResponseError, "has 1 cells where the header has 2"),
        (b"DATE,DGS2\n2026-03-02,4.06\n", "text/csv", SchemaChangedError, "DATE,DGS2 in place of observation_date,"),
        (b"DATE,DGS10,NOTE\n2026-03-02,4.06,\n", "text/csv", SchemaChangedError, "the columns DATE,DGS10,NOTE"),
    ],
)
def test_what_is_no_graph_is_refused(body: bytes, content_type: str, error: type[SourceError], says: str) -> None:
    """Each with one clause that says what came."""
    with pytest.raises(error) as caught:
        read_graph(received(body, content_type), "DGS10")
    assert says in str(caught.value).splitlines()[0]


def test_many_bad_lines_are_counted() -> None:
    """Three are shown, the others counted, and a text without end is cut."""
    lines = b"".join(b"2026-03-02,%s\n" % (b"4,06" if line else b"9" * 999 + b",") for line in range(5))
    with pytest.raises(MalformedResponseError) as caught:
        read_graph(received(b"DATE,DGS10\n" + lines), "DGS10")
    message = str(caught.value).splitlines()[0]
    assert "5 cells that cannot be read: line 2: '2026-03-02,999" in message
    assert "line 4: '2026-03-02,4,06'" in message
    assert "and 2 more" in message
    assert len(message) < 600


def test_a_page_has_dates_and_texts() -> None:
    """A value is the text that was sent; keys that are not needed are not looked at."""
    read = read_page(page(ROW, {**ROW, "date": "2026-03-03", "value": "."}, count=7), 0)
    assert (read.count, read.dates, read.values) == (7, ["2026-03-02", "2026-03-03"], ["4.06", "."])


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (received(b"[1, 2", "application/json"), MalformedResponseError, "FRED sent no JSON"),
        (received(b"[1, 2]", "application/json"), MalformedResponseError, "JSON that is no page of observations"),
        (received(b"9" * 5000, "application/json"), MalformedResponseError, "FRED sent no JSON"),
        (received(b"[" * 99_999, "application/json"), MalformedResponseError, "FRED sent no JSON"),
        (received(b"<html>", "text/html"), MalformedResponseError, "a page for people"),
        (received(b"{}", "application/json"), SchemaChangedError, "no columns in place of count, offset, observations"),
        (page(count=None), SchemaChangedError, "offset, limit, observations in place of"),
        (page(count="1"), SchemaChangedError, "in place of count, offset, observations"),
        (page(observations={}), SchemaChangedError, "in place of count, offset, observations"),
        (page(ROW, offset=1000), MalformedResponseError, "the rows from 1000 on in place of those from 0 on"),
        (page({"date": "2026-03-02"}), SchemaChangedError, "the columns date in place of date,value"),
        (page("2026-03-02"), SchemaChangedError, "the columns '2026-03-02' in place of date,value"),
        (page(ROW, {**ROW, "value": 4.06}), MalformedResponseError, "row 2: '2026-03-02, 4.06' is no pair of texts"),
    ],
)
def test_what_is_no_page_is_refused(answer: Received, error: type[SourceError], says: str) -> None:
    """Each with one clause that says what came."""
    with pytest.raises(error) as caught:
        read_page(answer, 0)
    assert says in str(caught.value).splitlines()[0]


@pytest.mark.parametrize("body", [b"", b"<html>Forbidden", b'{"error_message": 7}', b"[400]"])
def test_a_refusal_that_cannot_be_read_is_a_refusal(body: bytes) -> None:
    """What cannot be understood is not in the message; where to look is."""
    with pytest.raises(RejectedRequestError, match=r"status 403 \(") as caught:
        read_page(received(body, "text/html", 403), 0)
    assert "check MACROCREDIT_FRED_API_URL" in str(caught.value)
