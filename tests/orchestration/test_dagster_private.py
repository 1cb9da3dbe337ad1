"""The doors into a running step that Dagster keeps for itself: they are there, and open what they are used for."""

from collections.abc import Iterator
from unittest.mock import patch

import dagster as dg
import pytest

from macrocredit_assets.orchestration.dagster_private import know_materialization, set_partition_metadata

DAYS = dg.DailyPartitionsDefinition("2024-01-01", timezone="America/New_York")
RANGE = {"dagster/asset_partition_range_start": "2024-01-02", "dagster/asset_partition_range_end": "2024-01-04"}


class Teller(dg.IOManager):
    """Gives two of three partitions a number of their own."""

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Tell."""
        set_partition_metadata(context, {"2024-01-02": {"level": 1.5, "said": "low"}, "2024-01-04": {"level": 2.5}})

    def load_input(self, context: dg.InputContext) -> None:
        """Load nothing."""


@dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
def daily(context: dg.AssetExecutionContext) -> int:
    """Return something, and say one thing of all partitions."""
    context.add_output_metadata({"of all": 1})
    return 1


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Open an instance in memory, and dispose of it."""
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def test_each_partition_has_its_own_metadata(instance: dg.DagsterInstance) -> None:
    """What is told of one is not told of another, and what the output says of all stays."""
    result = dg.materialize([daily], instance=instance, tags=RANGE, resources={"io_manager": Teller()})
    told = {
        event.partition: {name: value.value for name, value in event.materialization.metadata.items()}
        for event in result.get_asset_materialization_events()
    }
    assert told == {
        "2024-01-02": {"of all": 1, "level": 1.5, "said": "low"},
        "2024-01-03": {"of all": 1},
        "2024-01-04": {"of all": 1, "level": 2.5},
    }


@pytest.mark.parametrize("knows", [True, False])
def test_check_that_knows_the_materialization_lists_no_partition(instance: dg.DagsterInstance, knows: bool) -> None:
    """Left to itself, Dagster lists all that there are; told, it notes the same materialization beside the result."""

    @dg.asset_check(asset=daily)
    def looked(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        if knows:
            know_materialization(context, daily.key)
        return dg.AssetCheckResult(passed=True)

    dg.materialize([daily], instance=instance, tags=RANGE, resources={"io_manager": Teller()})
    checks = dg.Definitions(assets=[daily], asset_checks=[looked]).resolve_implicit_global_asset_job_def()
    job = checks.get_subset(asset_check_selection={looked.check_key})
    listed = dg.DailyPartitionsDefinition.get_partition_keys
    with patch.object(dg.DailyPartitionsDefinition, "get_partition_keys", autospec=True, side_effect=listed) as lists:
        result = job.execute_in_process(instance=instance)
    (evaluation,) = result.get_asset_check_evaluations()
    (last,) = instance.fetch_materializations(daily.key, limit=1).records
    target = evaluation.target_materialization_data
    assert target is not None
    assert (target.run_id, target.storage_id) == (last.run_id, last.storage_id)
    assert (lists.call_count == 0) is knows


def test_check_of_an_asset_without_a_materialization_has_none_beside_it(instance: dg.DagsterInstance) -> None:
    """There is nothing to know, and the check is made."""

    @dg.asset_check(asset=daily)
    def looked(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        know_materialization(context, daily.key)
        return dg.AssetCheckResult(passed=True)

    checks = dg.Definitions(assets=[daily], asset_checks=[looked]).resolve_implicit_global_asset_job_def()
    job = checks.get_subset(asset_check_selection={looked.check_key})
    (evaluation,) = job.execute_in_process(instance=instance).get_asset_check_evaluations()
    assert (evaluation.passed, evaluation.target_materialization_data) == (True, None)
