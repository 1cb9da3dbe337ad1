"""The one partitions definition that every dataset shares, and windows read from its keys.

Calendar days, not sessions: calendars are data about a dataset. A definition with exclusions asks for future days,
breaks when an ad-hoc holiday is added, and rounds the end of a range up past a closed day.
"""

from datetime import date, timedelta

import dagster as dg

from macrocredit_assets.windows import EARLIEST, Window

__all__ = ["DAILY", "today", "window_of"]

DAILY = dg.DailyPartitionsDefinition(start_date=EARLIEST.isoformat(), timezone="America/New_York", end_offset=0)


def window_of(keys: dg.PartitionKeyRange) -> Window:
    """Return the closed window of a partition key range.

    Raises
    ------
    WindowError
        If the range is reversed: Dagster itself runs such a range with no keys and reports success.
    """
    return Window(date.fromisoformat(keys.start), date.fromisoformat(keys.end))


def today() -> date:
    """Return the date in New York, the day after the last partition: a clock frozen for partitions holds here too."""
    last = DAILY.get_last_partition_key()
    return date.fromisoformat(last or EARLIEST.isoformat()) + timedelta(days=1)
