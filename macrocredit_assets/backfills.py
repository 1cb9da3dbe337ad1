"""What a backfill was asked for, and the file that remembers how far it came, for the next one to go on.

What belongs here: the words of the request, and the plan file ``<root>/logs/backfills/<digest>.json``, which is there
while a backfill is under way and gone when it is finished. What is done stands in the run logs of its runs; which
requests make up a backfill is in ``plan.py``. What must not: Dagster.
"""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from macrocredit_assets.errors import CorruptFileError
from macrocredit_assets.local_run import is_alive, process_facts
from macrocredit_assets.persistence import load_json, save_json
from macrocredit_assets.persistence.run_log import RunLog
from macrocredit_assets.plan import Chunk
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Coverage, Window

__all__ = ["Asked", "Begun", "Journal", "written"]

#: A backfill that was cut off longer ago is begun anew: sources have restated their rows since.
_KEPT = timedelta(days=7)


@dataclass(frozen=True)
class Asked:
    """A backfill as it was asked for on the command line.

    Parameters
    ----------
    names
        The datasets that were named; none means all that can be served.
    start, end
        The range; an end of None is yesterday.
    accept, allow_withdrawals, switch_reason
        What it may do beside adding and restating rows.
    only_missing, refetch, with_inputs, chunk, stop
        As the options are called; stop is ``--on-error stop``.
    """

    names: tuple[str, ...]
    start: date
    end: date | None = None
    accept: tuple[str, ...] = ()
    only_missing: bool = False
    refetch: bool = False
    with_inputs: bool = False
    chunk: Chunk | None = None
    stop: bool = False
    allow_withdrawals: bool = False
    switch_reason: str | None = None

    def words(self) -> list[str]:
        """Return the arguments that ask for the same."""
        words = ["backfill", *self.names, "--start", str(self.start)]
        words += ["--end", str(self.end)] if self.end else []
        words += [word for rule in self.accept for word in ("--accept", rule)]
        flags = {
            "--only-missing": self.only_missing,
            "--refetch": self.refetch,
            "--with-inputs": self.with_inputs,
            "--allow-withdrawals": self.allow_withdrawals,
        }
        words += [flag for flag, given in flags.items() if given]
        words += ["--chunk", str(self.chunk)] if self.chunk else []
        words += ["--on-error", "stop"] if self.stop else []
        words += ["--switch-series", "--reason", self.switch_reason] if self.switch_reason else []
        return words

    def narrowed(self, names: Iterable[str], window: Window) -> Asked:
        """Return the same request for some datasets and another range."""
        return replace(self, names=tuple(names), start=window.start, end=window.end)


@dataclass(frozen=True)
class Begun:
    """A backfill under way, or cut off.

    Parameters
    ----------
    names, window
        What it is to do; inputs that were added are among the names.
    started
        When, aware, in UTC.
    runs
        The ids of its runs, in order; the last one may not have come into being.
    """

    names: tuple[str, ...]
    window: Window
    started: datetime
    runs: tuple[str, ...] = ()


class Journal:
    """The plan file of one request.

    It is found again by the words of the request and the profile, in whatever order datasets were named. In which
    chunks it is done, and what a failure stops, may be different the next time.

    Parameters
    ----------
    settings
        Where it lies, and the profile.
    asked
        The request.
    """

    def __init__(self, settings: Settings, asked: Asked) -> None:
        asked = replace(asked, names=tuple(sorted(set(asked.names))), chunk=None, stop=False)
        self._request = {"words": asked.words(), "profile": settings.profile}
        self._folder: Path = settings.logs_directory.parent / "backfills"
        self.path: Path = self._folder / _file_name(self._request)
        # what asks for everything anew leaves nothing to go on with
        plain = replace(asked, refetch=False, with_inputs=False, accept=())
        self._plain: Path = self._folder / _file_name({**self._request, "words": plain.words()})

    def cut_off(self) -> Begun | None:
        """Return the backfill of this request that did not finish, though its process is gone; None if there is none.

        One that began more than a week ago does not count, and one under way in another process neither.
        """
        document = self._read()
        if document is None or _is_running(document):
            return None
        begun = _begun(document)
        return begun if datetime.now(UTC) - begun.started < _KEPT else None

    def is_taken(self) -> bool:
        """Tell whether another process is at work on the same request."""
        document = self._read()
        return document is not None and _is_running(document)

    def write(self, begun: Begun, *, running: bool = True) -> None:
        """Say, durably, how far this process has come, and whether it is still at it."""
        facts = process_facts()
        document = {
            "request": self._request,
            "names": begun.names,
            "window": [begun.window.start, begun.window.end],
            "started": begun.started,
            "host": facts["host"],
            "pid": facts["pid"] if running else None,
            "pid_started": facts["pid_started"],
            "runs": begun.runs,
        }
        save_json(document, self.path, sort_keys=False)

    def finish(self) -> None:
        """Forget it: the same request begins anew, and so does the plain one for the same range."""
        self.path.unlink(missing_ok=True)
        self._plain.unlink(missing_ok=True)

    def _read(self) -> Mapping[str, Any] | None:
        try:
            document: Mapping[str, Any] = load_json(self.path)
            _begun(document)
            _is_running(document)
        except (FileNotFoundError, KeyError, TypeError, ValueError):
            # what cannot be read tells nothing: everything is asked for again, and no data are lost by that
            return None
        return document


def written(
    settings: Settings, runs: Iterable[str], stored: Callable[[str], Coverage] | None = None
) -> dict[str, dict[str, Window]]:
    """Return what some runs wrote, as far as they came: run -> dataset -> window.

    A record is a claim, not the file: with ``stored``, which returns what a dataset covers now, windows of which less
    is covered than their run left are not among them.
    """
    found: dict[str, dict[str, Window]] = {}
    for run_id in runs:
        try:
            document = RunLog(settings.logs_directory, run_id).read()
        except CorruptFileError:
            continue  # what it did is done once more
        found[run_id] = {
            name: Window.parse(*entry["window"].split(".."))
            for name, entry in (document.assets if document else {}).items()
            if entry["error"] is None and (stored is None or _is_there(entry, stored(name)))
        }
    return found


def _file_name(request: Mapping[str, object]) -> str:
    return f"{hashlib.sha256(json.dumps(request).encode()).hexdigest()[:16]}.json"


def _is_there(entry: Mapping[str, Any], covered: Coverage) -> bool:
    left = Coverage.from_pairs(entry["coverage"] or ()).clip(Window.parse(*entry["window"].split("..")))
    return not any(covered.holes(window) for window in left.windows)


def _begun(document: Mapping[str, Any]) -> Begun:
    return Begun(
        names=tuple(document["names"]),
        window=Window.parse(*document["window"]),
        started=datetime.fromisoformat(document["started"]),
        runs=tuple(document["runs"]),
    )


def _is_running(document: Mapping[str, Any]) -> bool:
    if document["pid"] is None:
        return False
    # of another host nothing is known; two backfills of one range at once cost time, and nothing else
    return document["host"] == socket.gethostname() and is_alive(document["pid"], document["pid_started"])
