"""Facts about Dagster 1.13 on which the design stands; one that changes is a decision to think over anew."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime

import dagster as dg
import numpy as np
import pandas as pd
import pytest

DAYS = dg.DailyPartitionsDefinition("2024-01-01", timezone="America/New_York")
SINGLE = dg.BackfillPolicy.single_run()


class Memory(dg.IOManager):
    """Keeps what it was asked: how a write or a load is called is what these tests look at."""

    def __init__(self) -> None:
        self.loads: list[list[str]] = []
        self.events: list[str] = []

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Note the write."""
        self.events.append("written")

    def load_input(self, context: dg.InputContext) -> int:
        """Note the keys."""
        self.loads.append(list(context.asset_partition_keys))
        return 0


def _range(start: str, end: str) -> dict[str, str]:
    return {"dagster/asset_partition_range_start": start, "dagster/asset_partition_range_end": end}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Open an instance in memory, and dispose of it."""
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@dg.asset(partitions_def=DAYS, backfill_policy=SINGLE)
def daily(context: dg.AssetExecutionContext) -> None:
    """Write nothing."""
    context.add_output_metadata({"copied": 1})


def test_reversed_range_succeeds_without_a_partition(instance: dg.DagsterInstance) -> None:
    """A reversed range is green, and materializes no partition: our executor has to refuse it."""
    result = dg.materialize([daily], instance=instance, tags=_range("2024-01-05", "2024-01-02"))
    assert result.success
    (event,) = result.get_asset_materialization_events()
    assert event.partition is None
    assert instance.get_materialized_partitions(daily.key) == set()


def test_range_is_one_step_and_materializes_every_partition(instance: dg.DagsterInstance) -> None:
    """One call of the function serves the range; output metadata are copied to each partition."""
    result = dg.materialize([daily], instance=instance, tags=_range("2024-01-02", "2024-01-05"))
    events = result.get_asset_materialization_events()
    assert [event.partition for event in events] == ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"]
    assert all(event.materialization.metadata["copied"].value == 1 for event in events)
    assert len(instance.get_materialized_partitions(daily.key)) == 4


def test_partition_key_raises_in_a_range(instance: dg.DagsterInstance) -> None:
    """In a range run only the plural is there."""
    seen: list[str] = []

    @dg.asset(partitions_def=DAYS, backfill_policy=SINGLE)
    def asks(context: dg.AssetExecutionContext) -> None:
        """Ask for the singular and the plural."""
        with pytest.raises(Exception, match="partition_key_range"):
            _ = context.partition_key
        seen.extend(context.partition_keys)

    dg.materialize([asks], instance=instance, tags=_range("2024-01-02", "2024-01-03"))
    assert seen == ["2024-01-02", "2024-01-03"]


def test_check_with_the_asset_as_input_loads_every_partition(instance: dg.DagsterInstance) -> None:
    """An un-partitioned check must not take its asset as input."""
    memory = Memory()

    @dg.asset_check(asset="daily")
    def check(daily: int) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    short = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-11", timezone="America/New_York")
    small = dg.asset(lambda: 1, name="daily", partitions_def=short, backfill_policy=SINGLE)
    dg.materialize(
        [small, check], instance=instance, tags={"dagster/partition": "2024-01-03"}, resources={"io_manager": memory}
    )
    assert [len(keys) for keys in memory.loads] == [10]


@pytest.mark.parametrize("value", [np.int64(1), np.float32(1), pd.Timestamp("2024-01-01"), date(2024, 1, 1)])
def test_metadata_refuse_scalars_of_other_libraries(value: object) -> None:
    """Values are converted before they become metadata, in one place."""
    with pytest.raises(dg.DagsterError, match="metadata value"):
        dg.AssetMaterialization("x", metadata={"value": value})  # type: ignore[dict-item]


def test_metadata_let_nan_through() -> None:
    """NaN would reach the event log as invalid JSON."""
    event = dg.AssetMaterialization("x", metadata={"value": float("nan")})
    assert "NaN" in dg.serialize_value(event)
    with pytest.raises(ValueError, match="NaN"):
        json.loads(dg.serialize_value(event), parse_constant=lambda name: (_ for _ in ()).throw(ValueError(name)))


def test_function_resumes_after_the_write(instance: dg.DagsterInstance) -> None:
    """After `yield Output` the asset function goes on once the IO manager has written."""
    memory = Memory()

    @dg.asset
    def two_halves() -> Iterator[dg.Output[int]]:
        yield dg.Output(1)
        memory.events.append("resumed")

    dg.materialize([two_halves], instance=instance, tags={}, resources={"io_manager": memory})
    assert memory.events == ["written", "resumed"]


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (datetime(2024, 3, 10, 4, 59, tzinfo=UTC), "2024-03-08"),  # 23:59 on the 9th in New York
        (datetime(2024, 3, 10, 5, 1, tzinfo=UTC), "2024-03-09"),  # 00:01 on the 10th, the clocks change at two
        (datetime(2024, 3, 11, 4, 1, tzinfo=UTC), "2024-03-10"),
    ],
)
def test_last_partition_is_yesterday_in_new_york(now: datetime, last: str) -> None:
    """With `end_offset=0` a day is a partition once it is over in New York; the clock can be frozen."""
    with dg.partition_loading_context(effective_dt=now):
        assert DAYS.get_last_partition_key() == last


def test_external_upstream_leaves_one_run(instance: dg.DagsterInstance) -> None:
    """An external, un-partitioned upstream does not split a range."""
    upstream = dg.AssetSpec("upstream")

    @dg.asset(deps=[upstream], partitions_def=DAYS, backfill_policy=SINGLE)
    def below() -> None:
        """Write nothing."""

    result = dg.materialize([upstream, below], instance=instance, tags=_range("2024-01-02", "2024-01-05"))
    assert result.success
    assert len(instance.get_runs()) == 1
    assert len(instance.get_materialized_partitions(below.key)) == 4
