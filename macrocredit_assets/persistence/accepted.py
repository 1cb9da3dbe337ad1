"""What somebody has looked at and accepted: ``accepted.json`` beside a dataset's revisions.

What belongs here: that file. The caller holds the dataset's lock. What is meant is the row as it stands: an acceptance
ends on the dates that a write changes, before it does, so a process that dies in between leaves a finding that is told
once more, never one that nobody has seen. What rules mean is not known here::

    [{"rule": "ohlc_order",
      "windows": [["1992-01-24", "1992-01-24"], ["1993-02-01", "1993-02-02"]],
      "run_id": null,
      "at": "2024-10-25T12:00:04+00:00",
      "reason": "as Cboe publishes them"}]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from macrocredit_assets.persistence.json_io import save_json
from macrocredit_assets.persistence.notes_file import read_notes
from macrocredit_assets.windows import Coverage

__all__ = ["Accepted", "accepted_dates", "end_accepted", "read_accepted", "record_accepted"]

_NAME = "accepted.json"


@dataclass(frozen=True)
class Accepted:
    """That findings of one rule were accepted.

    Parameters
    ----------
    rule
        Name of the rule.
    dates
        The dates whose rows are meant; where a row is missing, the dates without it.
    run_id
        The run that stored them in spite of the rule; None where they were accepted as they are stored.
    at
        When, aware, in UTC.
    reason
        Why, in the words of whoever accepted; None where nobody said.
    """

    rule: str
    dates: Coverage
    run_id: str | None
    at: datetime
    reason: str | None = None


def accepted_dates(entries: Iterable[Accepted]) -> dict[str, Coverage]:
    """Return the dates that are accepted by rule, whoever accepted them."""
    dates: dict[str, Coverage] = {}
    for each in entries:
        dates[each.rule] = dates.get(each.rule, Coverage()).union(each.dates)
    return dates


def read_accepted(directory: Path) -> tuple[Accepted, ...]:
    """Return what was accepted, the oldest first; nothing where nothing ever was.

    Raises
    ------
    CorruptFileError
        If the file cannot be read; it names the file, which may be deleted: all findings are then told again.
    """
    without = "Without it, all findings that were accepted are told again"
    return read_notes(directory / _NAME, _from_plain, without)


def record_accepted(directory: Path, accepted: Accepted) -> None:
    """Append what was accepted, as far as it was not before."""
    before = read_accepted(directory)
    known = accepted_dates(before).get(accepted.rule, Coverage())
    if new := accepted.dates.without(known):
        _save(directory, (*before, replace(accepted, dates=new)))


def end_accepted(directory: Path, dates: Coverage, rule: str | None = None) -> Coverage:
    """Take some dates out of what was accepted, of one rule or of all; return those that had been."""
    before = read_accepted(directory)
    meant = [each for each in before if rule in {None, each.rule}]
    ended = Coverage.of(window for each in meant for window in each.dates.intersect(dates).windows)
    if ended:
        after = (replace(each, dates=each.dates.without(dates)) if each in meant else each for each in before)
        _save(directory, [each for each in after if each.dates])
    return ended


def _save(directory: Path, entries: Iterable[Accepted]) -> None:
    save_json([_plain(each) for each in entries], directory / _NAME, sort_keys=False)


def _plain(accepted: Accepted) -> dict[str, Any]:
    return {
        "rule": accepted.rule,
        "windows": accepted.dates.to_pairs(),
        "run_id": accepted.run_id,
        "at": accepted.at.astimezone(UTC).isoformat(),
        "reason": accepted.reason,
    }


def _from_plain(entry: Mapping[str, Any]) -> Accepted:
    return Accepted(
        str(entry["rule"]),
        Coverage.from_pairs(entry["windows"]),
        entry["run_id"],
        datetime.fromisoformat(entry["at"]).astimezone(UTC),
        entry["reason"],
    )
