"""Stock Dagster, as a project begins: SQLite in a home of its own, one file per partition, pandas in and out.

What belongs here: definitions that Dagster loads, made of nothing of ours. The assets do next to nothing, so what is
measured is what the framework costs per partition and per run.
"""

import os
from pathlib import Path

import dagster as dg
import pandas as pd

DAYS = dg.DailyPartitionsDefinition("2004-01-01", end_date="2024-12-31")


class OneFileEach(dg.IOManager):
    """A Parquet file for every partition."""

    def handle_output(self, context: dg.OutputContext, obj: pd.DataFrame) -> None:
        """Write the rows of each day to the day's file."""
        for key in context.asset_partition_keys:
            path = Path(os.environ["BENCH_FOLDER"]) / context.asset_key.to_python_identifier() / f"{key}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            obj[obj.index == key].to_parquet(path)

    def load_input(self, context: dg.InputContext) -> pd.DataFrame:
        """Nothing here reads."""
        raise NotImplementedError


@dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run(), io_manager_key="days")
def quotes(context: dg.AssetExecutionContext) -> pd.DataFrame:
    """One number a day."""
    return pd.DataFrame({"close": 1.0}, index=pd.DatetimeIndex(context.partition_keys, name="date"))


def _empty(number: int) -> dg.AssetsDefinition:
    @dg.asset(name=f"empty_{number}")
    def nothing() -> None:
        return None

    return nothing


EMPTY = [_empty(number) for number in range(10)]

defs = dg.Definitions(
    assets=[quotes, *EMPTY],
    jobs=[
        dg.define_asset_job("quotes_job", [quotes], partitions_def=DAYS),
        dg.define_asset_job("empty_job", [asset.key for asset in EMPTY]),
        dg.define_asset_job("empty_in_process", [asset.key for asset in EMPTY], executor_def=dg.in_process_executor),
    ],
    resources={"days": OneFileEach()},
)
