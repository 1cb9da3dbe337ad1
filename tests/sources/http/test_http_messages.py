"""Pace and wording: arithmetic on seconds, and the lines of which errors are made."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime

import pytest

from macrocredit_assets.errors import UnknownSeriesError
from macrocredit_assets.sources.http import Answer, Asked, NoAnswer, failure, snippet
from macrocredit_assets.sources.http.pace import Clock, Deadline, Paces, TokenBucket
from macrocredit_assets.windows import Window


def test_a_bucket_lets_through_at_its_rate() -> None:
    """At two a second: the first goes at once, those behind it wait their half seconds, a rest earns no hurry."""
    bucket = TokenBucket(2.0)
    assert [bucket.reserve(100.0) for _ in range(3)] == [0.0, 0.5, 1.0]
    # at 101.0 the third has just gone: the next one waits for its half second
    assert bucket.reserve(101.0) == pytest.approx(0.5)
    assert bucket.reserve(200.0) == 0.0
    assert bucket.reserve(200.0) == pytest.approx(0.5)


def test_a_burst_is_allowed_where_it_is_said() -> None:
    """With room for three, three go at once after a rest."""
    bucket = TokenBucket(1.0, burst=3.0)
    assert [bucket.reserve(0.0) for _ in range(4)] == [0.0, 0.0, 0.0, 1.0]


def test_threads_share_a_pace() -> None:
    """Forty threads that ask for one host get forty different turns; another host's turns are its own."""
    paces, turns = Paces(), []
    threads = [threading.Thread(target=lambda: turns.append(paces.reserve("a.example", 2.0, 0.0))) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(turns) == [number / 2 for number in range(40)]
    assert paces.reserve("b.example", 2.0, 0.0) == 0.0


def test_a_deadline_cuts_and_then_refuses() -> None:
    """A timeout is never longer than what is left; when nothing is, there is none."""
    now = [10.0]
    deadline = Deadline(Clock(monotonic=lambda: now[0]), 5.0)
    assert (deadline.limit(2.0), deadline.limit(9.0)) == (2.0, 5.0)
    now[0] = 14.0
    assert (deadline.limit(2.0), deadline.spent, deadline.left) == (1.0, 4.0, 1.0)
    now[0] = 15.0
    with pytest.raises(TimeoutError):
        deadline.limit(2.0)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"", ""),
        (b"<html>\r\n  <body>Sorry", "<html> <body>Sorry"),
        (b"\xef\xbb\xbfDATE\x00\x1b[31mred", "DATE [31mred"),
        (b"\xff\xfe1", "��1"),
        (b"x" * 120, "x" * 120),
        (b"x" * 121, "x" * 117 + "..."),
    ],
)
def test_a_snippet_is_one_printable_line(body: bytes, shown: str) -> None:
    """Control characters, line ends and what is no text do not reach a terminal."""
    assert snippet(body) == shown


def test_a_failure_shows_nothing_that_a_terminal_obeys() -> None:
    """A publisher's words, headers and redirects are shown without what would move the cursor or clear the screen."""
    asked = Asked("treasury_10y", "fred:DGS10", Window(date(2024, 1, 1), date(2024, 1, 31)), "FRED")
    came = NoAnswer("https://a.example/\x1b[2J", "status 200, text/\x9b31m")
    message = str(failure(UnknownSeriesError, asked, "FRED sent the columns DATE,\x1b]0;x\x07\nVALUE", came, "look"))
    assert message.split("\n") == [
        "treasury_10y: FRED sent the columns DATE, ]0;x VALUE (fred:DGS10, 2024-01-01..2024-01-31).",
        "  asked: https://a.example/ [2J",
        "  came back: status 200, text/ 31m",
        "  what to do: look",
    ]


def test_a_failure_has_four_lines() -> None:
    """What happened, what was asked, what came back, and what to do; the first line names dataset and window."""
    asked = Asked("treasury_10y", "fred:DGS1O", Window(date(2024, 1, 1), date(2024, 1, 31)), "FRED")
    answer = Answer(
        "https://a.example/?id=DGS1O", 404, "text/html", b"<h1>Nope</h1>", datetime(2024, 2, 1, tzinfo=UTC), 0.5
    )
    error = failure(UnknownSeriesError, asked, "FRED does not know the series", answer, f"run {asked.command}")
    assert isinstance(error, UnknownSeriesError)
    assert str(error) == (
        "treasury_10y: FRED does not know the series (fred:DGS1O, 2024-01-01..2024-01-31).\n"
        "  asked: https://a.example/?id=DGS1O\n"
        "  came back: status 404, text/html, 13 bytes: <h1>Nope</h1>\n"
        "  what to do: run macrocredit backfill treasury_10y --start 2024-01-01 --end 2024-01-31"
    )
    assert "Nope" not in repr(answer)
