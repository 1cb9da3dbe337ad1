"""What a run's tags say: its window, who launched it, and which rules it waives; every tag key stands here.

What belongs here: pure readers of tags. Dagster's own keys are written out, because their constants are private; a test
holds them equal.
"""

from collections.abc import Mapping

from macrocredit_assets.errors import WindowError
from macrocredit_assets.windows import Window

__all__ = [
    "ACCEPT",
    "ALLOW_WITHDRAWALS",
    "BACKFILL",
    "FROM_UI",
    "LAUNCHED_BY",
    "PARTITION",
    "RANGE_END",
    "RANGE_START",
    "SCHEDULE",
    "SENSOR",
    "SWITCH_SERIES",
    "accepted_rules",
    "allows_withdrawals",
    "launched_by",
    "recorded_tags",
    "requested_range",
    "switch_reason",
    "window_of_tags",
]

#: Ours: rules that are waived, separated by commas; whether stored rows that do not come any more are withdrawn; why a
#: dataset changes to another series; and who launched the run, where Dagster has no tag for it.
ACCEPT = "macrocredit/accept"
ALLOW_WITHDRAWALS = "macrocredit/allow_withdrawals"
SWITCH_SERIES = "macrocredit/switch_series"
LAUNCHED_BY = "macrocredit/launched_by"

#: Dagster's.
PARTITION = "dagster/partition"
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
SCHEDULE = "dagster/schedule_name"
SENSOR = "dagster/sensor_name"
BACKFILL = "dagster/backfill"
FROM_UI = "dagster/from_ui"

_RECORDED_PREFIXES = ("dagster/", "macrocredit/")


def accepted_rules(tags: Mapping[str, str]) -> frozenset[str]:
    """Return the names of the rules in spite of which this run stores its window."""
    return frozenset(filter(None, (rule.strip() for rule in tags.get(ACCEPT, "").split(","))))


def allows_withdrawals(tags: Mapping[str, str]) -> bool:
    """Return whether stored rows of the window that the source no longer has are withdrawn."""
    return tags.get(ALLOW_WITHDRAWALS) == "true"


def switch_reason(tags: Mapping[str, str]) -> str | None:
    """Return why the stored series is closed in favour of another one; None where it is not."""
    return tags.get(SWITCH_SERIES) or None


def launched_by(tags: Mapping[str, str]) -> str:
    """Say in one word who launched a run: ``schedule:daily``, ``backfill:abcd``, ``ui``, ``command line`` ..."""
    for key, word in ((SCHEDULE, "schedule"), (SENSOR, "sensor"), (BACKFILL, "backfill")):
        if key in tags:
            return f"{word}:{tags[key]}"
    return "ui" if FROM_UI in tags else tags.get(LAUNCHED_BY, "command line")


def recorded_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags worth keeping in the run log: Dagster's visible ones and ours, sorted by key."""
    return {key: value for key, value in sorted(tags.items()) if key.startswith(_RECORDED_PREFIXES)}


def requested_range(tags: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the first and the last partition key as they were asked for, or None for a run without partitions."""
    if RANGE_START in tags and RANGE_END in tags:
        return tags[RANGE_START], tags[RANGE_END]
    return (tags[PARTITION], tags[PARTITION]) if PARTITION in tags else None


def window_of_tags(tags: Mapping[str, str]) -> Window | None:
    """Return the window a run was asked for, or None for a run without partitions.

    Raises
    ------
    WindowError
        If the range is reversed or a key is no date.
    """
    if (RANGE_START in tags) != (RANGE_END in tags):
        raise WindowError(f"A range needs both tags, {RANGE_START} and {RANGE_END}; this run has only one of them.")
    requested = requested_range(tags)
    return Window.parse(*requested) if requested else None
