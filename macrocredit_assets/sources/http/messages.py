"""What was asked, what came back, and the one way in which sources tell people that it was not what they needed.

What belongs here: plain records and wording. What must not: HTTP itself, and any source's format.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from macrocredit_assets.errors import SourceError
from macrocredit_assets.windows import Window

__all__ = ["Answer", "Asked", "NoAnswer", "failure", "one_line", "printable", "snippet"]

E = TypeVar("E", bound=SourceError)

_SNIPPET = 120


@dataclass(frozen=True)
class Asked:
    """For whom a request was made; messages name it.

    Parameters
    ----------
    dataset
        Its name in the catalog.
    series
        The way's label: ``fred:DGS10``.
    window
        The dates that were wanted.
    source
        The publisher as people call it: ``FRED``.
    """

    dataset: str
    series: str
    window: Window
    source: str

    @property
    def command(self) -> str:
        """The command that asks for the same again."""
        return f"macrocredit backfill {self.dataset} --start {self.window.start} --end {self.window.end}"


@dataclass(frozen=True)
class Answer:
    """What a server sent.

    Parameters
    ----------
    url
        What was asked, redirects followed, secrets replaced.
    status
        200 or 203, or one of 4xx.
    content_type
        As the server declared it; empty where it did not.
    body
        The bytes, decompressed; exactly as they came, but for a secret that the server repeated.
    fetched_at
        When the last byte was there, UTC.
    seconds
        How long it took, repetitions and waits included.
    whole
        Whether its framing shows that nothing is missing. Where it does not, the format has to: an answer that ends
        where the connection does may have been cut.
    """

    url: str
    status: int
    content_type: str
    body: bytes = field(repr=False)
    fetched_at: datetime
    seconds: float
    whole: bool = True

    @property
    def shown(self) -> str:
        """Status, type, size and the beginning, for messages."""
        return shown(self.status, self.content_type, f"{len(self.body):,} bytes", self.body)


@dataclass(frozen=True)
class NoAnswer:
    """What stands in for an answer in a message where there is none.

    Parameters
    ----------
    url
        What was asked, secrets replaced.
    shown
        What came back instead, in a few words.
    """

    url: str
    shown: str


def shown(status: int, content_type: str, size: str, body: bytes) -> str:
    """Return a line about an answer: status, type, size and the beginning."""
    begins = snippet(body)
    facts = ", ".join(filter(None, (f"status {status}", content_type, size)))
    return f"{facts}: {begins}" if begins else facts


def printable(text: str) -> str:
    r"""Return a text of others so that it can be shown: a blank for each mark that a terminal would obey.

    Examples
    --------
    >>> printable("DATE\x1b[2J,CLOSE")
    'DATE [2J,CLOSE'
    """
    return "".join(mark if mark.isprintable() else " " for mark in text)


def one_line(text: str) -> str:
    """Return a text of others on one line: printable characters only, blanks run together."""
    return " ".join(printable(text).split())


def snippet(body: bytes, length: int = _SNIPPET) -> str:
    r"""Return the beginning of a body on one line: printable characters only, blanks run together.

    Examples
    --------
    >>> snippet(b"<html>\r\n  <body>Sorry")
    '<html> <body>Sorry'
    """
    text = body[: 8 * length].decode("utf-8", errors="replace")
    line = one_line(text)
    return line if len(line) <= length else line[: length - 3] + "..."


def failure(kind: type[E], asked: Asked, happened: str, answer: Answer | NoAnswer, todo: str) -> E:
    """Return the error of a source that did not give what it was asked for.

    Parameters
    ----------
    kind
        Which error.
    asked
        For whom.
    happened
        One clause without a full stop: ``FRED does not know the series``; the first line is made of it, and stands
        alone in summaries.
    answer
        What came back, or what stands in for it.
    todo
        What to do now, with the exact command, in sentences.
    """
    return kind(
        # a publisher's words are in all three
        f"{asked.dataset}: {one_line(happened)} ({asked.series}, {asked.window}).\n"
        f"  asked: {one_line(answer.url)}\n"
        f"  came back: {one_line(answer.shown)}\n"
        f"  what to do: {todo}"
    )
