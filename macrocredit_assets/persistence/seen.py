"""What each window of a signal saw of its inputs, by which definition: ``inputs.json`` beside its revisions.

What belongs here: that file. It is written after the rows, under the same lock; a process that dies in between leaves
the older record, and the days count as stale: they are computed once more than needed, never once too few::

    [{"window": ["2024-01-01", "2024-10-24"],
      "inputs": {"vix": {"revision": 3, "known_at": "2024-10-25T12:00:04+00:00"}},
      "definition": "5d41402abc4b"}]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from macrocredit_assets.persistence.json_io import save_json
from macrocredit_assets.persistence.notes_file import read_notes
from macrocredit_assets.persistence.records import Seen, SeenInput
from macrocredit_assets.windows import Coverage, Window

__all__ = ["read_seen", "record_seen"]

_NAME = "inputs.json"
_DAY = timedelta(days=1)


def read_seen(directory: Path) -> tuple[Seen, ...]:
    """Return what disjoint windows saw, in their order; nothing where nothing was recorded.

    Raises
    ------
    CorruptFileError
        If the file cannot be read; it names the file, which may be deleted: all days then count as stale.
    """
    without = "Without it all days of the signal count as stale, and are computed again"
    return read_notes(directory / _NAME, _from_plain, without)


def record_seen(
    directory: Path,
    window: Window,
    inputs: Mapping[str, SeenInput],
    *,
    definition: str | None = None,
    anew: bool,
) -> None:
    """Say what a window saw, in place of what was known of its dates; the caller holds the dataset's lock.

    With ``anew`` nothing of other windows is kept.
    """
    before = () if anew else read_seen(directory)
    now = Seen(window, dict(inputs), definition)
    after = _joined(sorted([*_outside(before, window), now], key=lambda seen: seen.window))
    if after != before:
        save_json([_plain(seen) for seen in after], directory / _NAME, sort_keys=False)


def _outside(entries: Iterable[Seen], window: Window) -> Iterable[Seen]:
    for seen in entries:
        for kept in Coverage((window,)).holes(seen.window).windows:
            yield replace(seen, window=kept)


def _joined(entries: Iterable[Seen]) -> tuple[Seen, ...]:
    """Join neighbours that saw the same, or else a year of daily runs is a year of entries."""
    joined: list[Seen] = []
    for seen in entries:
        before = joined[-1] if joined else None
        if before and before.window.end + _DAY == seen.window.start and replace(before, window=seen.window) == seen:
            joined[-1] = replace(seen, window=Window(before.window.start, seen.window.end))
        else:
            joined.append(seen)
    return tuple(joined)


def _plain(seen: Seen) -> dict[str, Any]:
    return {
        "window": [seen.window.start.isoformat(), seen.window.end.isoformat()],
        "inputs": {
            name: {
                "revision": each.revision,
                "known_at": each.known_at and each.known_at.astimezone(UTC).isoformat(),
            }
            for name, each in seen.inputs.items()
        },
    } | ({"definition": seen.definition} if seen.definition else {})


def _from_plain(entry: Mapping[str, Any]) -> Seen:
    return Seen(
        Window.parse(*entry["window"]),
        {name: SeenInput(int(each["revision"]), _moment(each["known_at"])) for name, each in entry["inputs"].items()},
        # records of before it was kept have none
        entry.get("definition"),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
