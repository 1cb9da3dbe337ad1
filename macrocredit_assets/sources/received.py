"""Asking a publisher: what comes is kept as it came, and then looked at.

What belongs here: what is the same for every publisher - who asks, where the answer is kept, and what an answer must be
before anybody reads its format. What must not: any format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import NoReturn, TypeVar

from macrocredit_assets.errors import (
    MalformedResponseError,
    RejectedRequestError,
    SchemaChangedError,
    SourceError,
    SourceUnavailableError,
    UnknownSeriesError,
)
from macrocredit_assets.persistence.landing import Landing
from macrocredit_assets.sources.file_cells import Complaint
from macrocredit_assets.sources.http import Answer, Asked, HttpClient, failure

__all__ = ["Asker", "Received"]

_E = TypeVar("_E", bound=SourceError)

_SHOWN = 3
_LONGEST = 200


@dataclass(frozen=True)
class Received:
    """An answer, for whom it was asked, and where it lies.

    Parameters
    ----------
    asked, answer
        Both sides.
    landing
        Where it is kept, relative to the data directory; None where it is not.
    """

    asked: Asked
    answer: Answer
    landing: str | None = None

    def error(self, kind: type[_E], happened: str, todo: str) -> _E:
        """Return an error about this answer.

        Parameters
        ----------
        kind
            Which one.
        happened
            One clause.
        todo
            What to do about it, in a clause that ends with the command.
        """
        look = f"look at the answer, which is kept in data/{self.landing}; " if self.landing else ""
        return failure(kind, self.asked, happened, self.answer, f"{look}{todo}")

    def text(self) -> str:
        """Return the body as text, without a byte order mark.

        Raises
        ------
        MalformedResponseError
            If it is no UTF-8, or a page for people.
        """
        text = self._decoded()
        if text.lstrip().startswith("<") or ("html" in self.answer.content_type.lower() and "<" in text):
            self.refuse_malformed("sent a page for people in place of data: a login, a block or an outage")
        return text

    def refuse_cut(self) -> NoReturn:
        """Raise that an answer which neither its framing nor its format ends was broken off."""
        todo = f"nothing was stored; wait, and ask again: {self.asked.command}"
        happened = f"{self.asked.source} broke off in the middle of its answer, whose length it had not said"
        raise self.error(SourceUnavailableError, happened, todo)

    def refuse_malformed(self, what: str) -> NoReturn:
        """Raise that the answer is not in the publisher's format; ``what`` goes on after his name."""
        todo = f"nothing was stored; try again later: {self.asked.command}"
        raise self.error(MalformedResponseError, f"{self.asked.source} {what}", todo)

    def refuse_cells(self, unit: str, complaints: Sequence[Complaint]) -> NoReturn:
        """Raise that cells could not be read, with the first of them."""
        found = sorted(complaints)
        cells = "a cell that cannot be read" if len(found) == 1 else f"{len(found)} cells that cannot be read"
        shown = [complaint.located(unit) for complaint in found[:_SHOWN]]
        more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
        self.refuse_malformed(f"sent {cells}: {'; '.join([*shown, *more])}")

    def refuse_schema(self, expected: str, came: str) -> NoReturn:
        """Raise that the columns are others than they have always been, with both."""
        columns = f"the columns {came[:_LONGEST]}" if came else "no columns"
        happened = f"{self.asked.source} sent {columns} in place of {expected}"
        todo = (
            "nothing was stored; if the publisher has changed his format, update macrocredit-assets, and until then "
            f"store rows from a file: macrocredit ingest {self.asked.dataset} --history FILE"
        )
        raise self.error(SchemaChangedError, happened, todo)

    def refuse_status(self, unknown: bool, why: str = "", todo: str = "") -> NoReturn:
        """Raise that the publisher refused: he does not know the series, or does not take the request.

        Parameters
        ----------
        unknown
            Whether it is the series that he does not know.
        why
            What he said of it.
        todo
            What to do about a refusal that is understood.
        """
        source, said = self.asked.source, f": {why[:_LONGEST]}" if why else ""
        if unknown:
            raise self.error(
                UnknownSeriesError,
                f"{source} does not know the series{said}",
                f"correct the identifier of this way in the entry of {self.asked.dataset}, then check the catalog: "
                "macrocredit catalog validate",
            )
        happened = f"{source} refused the request with status {self.answer.status}{said}"
        todo = todo or "see what each source answers now: macrocredit doctor --probe"
        raise self.error(RejectedRequestError, happened, todo)

    def _decoded(self) -> str:
        try:
            return self.answer.body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = self.answer.body.count(b"\n", 0, error.start) + 1
            self.refuse_malformed(f"sent bytes that are no UTF-8, first in line {line}")


@dataclass(frozen=True)
class Asker:
    """Asks one publisher, and keeps what comes.

    Parameters
    ----------
    client
        How it is asked.
    source
        The folder of its answers: ``fred``.
    landing
        Where answers are kept; None keeps none.
    """

    client: HttpClient
    source: str
    landing: Landing | None = None

    def get(
        self,
        url: str,
        params: Mapping[str, str],
        asked: Asked,
        *,
        folder: str,
        suffix: str,
        secret: str | None = None,
    ) -> Received:
        """Ask, and keep the answer unless it is a refusal.

        Parameters
        ----------
        url, params, asked, secret
            As :meth:`HttpClient.get` takes them.
        folder
            The series as the publisher calls it: a folder of its own.
        suffix
            What the answer is: ``csv``, ``json``.

        Raises
        ------
        SourceError
            As :meth:`HttpClient.get`.
        """
        answer = self.client.get(url, params, asked, secret=secret)
        if self.landing is None or answer.status >= HTTPStatus.BAD_REQUEST:
            return Received(asked, answer)
        # before anybody reads it: what cannot be read is what one wants to see
        kept = self.landing.keep(self.source, folder, answer.body, answer.fetched_at, suffix)
        return Received(asked, answer, kept)
