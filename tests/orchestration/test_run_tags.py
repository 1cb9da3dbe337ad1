"""What tags say, and that the keys written out here are Dagster's own."""

from __future__ import annotations

from datetime import date

import pytest
from dagster._core.storage import tags as dagster_tags

from macrocredit_assets.errors import WindowError
from macrocredit_assets.orchestration import tags
from macrocredit_assets.windows import Window


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (tags.PARTITION, dagster_tags.PARTITION_NAME_TAG),
        (tags.RANGE_START, dagster_tags.ASSET_PARTITION_RANGE_START_TAG),
        (tags.RANGE_END, dagster_tags.ASSET_PARTITION_RANGE_END_TAG),
        (tags.SCHEDULE, dagster_tags.SCHEDULE_NAME_TAG),
        (tags.SENSOR, dagster_tags.SENSOR_NAME_TAG),
        (tags.BACKFILL, dagster_tags.BACKFILL_ID_TAG),
    ],
)
def test_keys_are_those_of_dagster(ours: str, theirs: str) -> None:
    """Dagster has not renamed a tag that we read."""
    assert ours == theirs


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "command line"),
        ({tags.LAUNCHED_BY: "macrocredit backfill"}, "macrocredit backfill"),
        ({tags.FROM_UI: "true"}, "ui"),
        ({tags.FROM_UI: "true", tags.BACKFILL: "abcdefgh"}, "backfill:abcdefgh"),
        ({tags.SENSOR: "files"}, "sensor:files"),
        ({tags.SCHEDULE: "daily_us", tags.LAUNCHED_BY: "nobody"}, "schedule:daily_us"),
    ],
)
def test_launcher_is_the_most_specific_one(given: dict[str, str], said: str) -> None:
    """Who launched a run is read from Dagster's tags before ours."""
    assert tags.launched_by(given) == said


def test_accepted_rules_are_separated_by_commas() -> None:
    """Blanks and empty places do not make a rule."""
    assert tags.accepted_rules({tags.ACCEPT: "unit_slip, hard_bounds,,"}) == {"unit_slip", "hard_bounds"}
    assert tags.accepted_rules({}) == frozenset()


def test_window_is_that_of_the_range_or_of_the_partition() -> None:
    """A range wins over a partition; a run without either has no window."""
    ranged = {tags.RANGE_START: "2024-01-02", tags.RANGE_END: "2024-01-05", tags.PARTITION: "2020-02-02"}
    assert tags.window_of_tags(ranged) == Window(date(2024, 1, 2), date(2024, 1, 5))
    assert tags.window_of_tags({tags.PARTITION: "2024-01-02"}) == Window(date(2024, 1, 2), date(2024, 1, 2))
    assert tags.window_of_tags({}) is None


def test_half_a_range_is_refused() -> None:
    """A start without an end is a mistake, not a window."""
    with pytest.raises(WindowError, match="only one of them"):
        tags.window_of_tags({tags.RANGE_START: "2024-01-02"})


def test_recorded_tags_leave_out_what_is_hidden() -> None:
    """Dagster's internal tags start with a dot, and do not belong in a log for people."""
    given = {"dagster/backfill": "x", ".dagster/grpc_info": "{}", "macrocredit/accept": "r", "team": "credit"}
    assert tags.recorded_tags(given) == {"dagster/backfill": "x", "macrocredit/accept": "r"}
