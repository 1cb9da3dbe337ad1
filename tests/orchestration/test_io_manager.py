"""The Parquet IO manager under Dagster: what is written, recorded, loaded and refused."""

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from macrocredit_assets.ingest import Ingested, SignalInput
from macrocredit_assets.orchestration.io_manager import ParquetIOManager
from macrocredit_assets.orchestration.partitions import DAILY
from macrocredit_assets.windows import Coverage, Window

SINGLE = dg.BackfillPolicy.single_run()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Open an instance in memory, and dispose of it."""
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def resources(tmp_path: Path) -> dict[str, ParquetIOManager]:
    """Return an IO manager over an empty root."""
    return {"io_manager": ParquetIOManager(root=str(tmp_path))}


def _yields(start: str, values: list[float]) -> pd.DataFrame:
    index = pd.date_range(start, periods=len(values), freq="D", name="date", unit="us")
    return pd.DataFrame({"yield": values}, index=index)


def _asset(value: object, name: str = "ust_10y") -> dg.AssetsDefinition:
    @dg.asset(name=name, partitions_def=DAILY, backfill_policy=SINGLE)
    def given() -> object:
        return value

    return given


def _tags(start: str, end: str) -> dict[str, str]:
    return {"dagster/asset_partition_range_start": start, "dagster/asset_partition_range_end": end}


def test_range_writes_one_file_and_records_it(
    tmp_path: Path, instance: dg.DagsterInstance, resources: dict[str, ParquetIOManager]
) -> None:
    """A range of three days becomes one file, one registry entry, one part of the run log, and metadata per day."""
    frame = _yields("2024-01-02", [3.95, 3.91])
    result = dg.materialize(
        [_asset(frame)], instance=instance, resources=resources, tags=_tags("2024-01-01", "2024-01-03")
    )
    stored = pd.read_parquet(tmp_path / "data/raw/ust_10y.parquet")
    pd.testing.assert_frame_equal(stored, frame, check_freq=False)

    entry = json.loads((tmp_path / "data/registry.json").read_text())["ust_10y"]
    assert entry["file_path"] == "data/raw/ust_10y.parquet"
    assert (entry["row_count"], entry["start_date"]) == (2, "2024-01-02T00:00:00")
    assert entry["metadata"]["coverage"] == [["2024-01-01", "2024-01-03"]]
    assert entry["metadata"]["run_id"] == result.run_id

    (part,) = (tmp_path / "logs/runs").glob(f".parts/{result.run_id}/*.json")
    assert json.loads(part.read_text())["inserted"] == 2

    days = {event.partition: event.materialization.metadata for event in result.get_asset_materialization_events()}
    assert [days[day]["state"].value for day in sorted(days)] == ["closed", "present", "present"]
    assert days["2024-01-03"]["yield"].value == 3.91
    assert "yield" not in days["2024-01-01"]
    assert days["2024-01-01"]["dagster/partition_row_count"].value == 0
    assert days["2024-01-01"]["written"].value == "2 inserted"


def test_long_range_carries_the_run_log_and_each_days_own_values_only(
    instance: dg.DagsterInstance, resources: dict[str, ParquetIOManager]
) -> None:
    """What a range adds is copied to every partition: above 31 of them it is one link."""
    result = dg.materialize(
        [_asset(_yields("2024-01-02", [3.95]))],
        instance=instance,
        resources=resources,
        tags=_tags("2024-01-01", "2024-02-01"),
    )
    (new_year, *_) = result.get_asset_materialization_events()
    assert set(new_year.materialization.metadata) == {"run_log", "state", "dagster/partition_row_count"}


def test_failed_write_leaves_nothing(
    tmp_path: Path, instance: dg.DagsterInstance, resources: dict[str, ParquetIOManager]
) -> None:
    """Rows outside the window stop the whole write: no file, no entry, no materialized partition."""
    result = dg.materialize(
        [_asset(_yields("2024-01-02", [3.95, 3.91, 3.99]))],
        instance=instance,
        resources=resources,
        tags=_tags("2024-01-01", "2024-01-03"),
        raise_on_error=False,
    )
    assert not result.success
    assert not (tmp_path / "data/raw/ust_10y.parquet").exists()
    assert not (tmp_path / "data/registry.json").exists()
    assert instance.get_materialized_partitions(dg.AssetKey("ust_10y")) == set()


def test_table_and_ingested_are_taken_as_well(
    tmp_path: Path, instance: dg.DagsterInstance, resources: dict[str, ParquetIOManager]
) -> None:
    """A pyarrow.Table with a date column, and an Ingested with its own answered window."""
    frame = _yields("2024-01-02", [3.95])
    tags = {"dagster/partition": "2024-01-02"}
    table = pa.Table.from_pandas(frame.reset_index(), preserve_index=False)
    dg.materialize([_asset(table)], instance=instance, resources=resources, tags=tags)
    day = Window.parse("2024-01-02", "2024-01-02")
    ingested = Ingested(frame, series="fred:DGS2", window=day, answered=Coverage((day,)))
    dg.materialize([_asset(ingested, "ust_2y")], instance=instance, resources=resources, tags=tags)
    for name in ("ust_10y", "ust_2y"):
        stored = pd.read_parquet(tmp_path / f"data/raw/{name}.parquet")
        pd.testing.assert_frame_equal(stored, frame, check_freq=False)


@pytest.fixture
def stored(instance: dg.DagsterInstance, resources: dict[str, ParquetIOManager]) -> dg.AssetsDefinition:
    """Return an asset of which 2024-01-02 to 2024-01-05 are stored."""
    asset = _asset(_yields("2024-01-02", [3.95, 3.91, 3.99, 4.05]))
    dg.materialize([asset], instance=instance, resources=resources, tags=_tags("2024-01-01", "2024-01-07"))
    return asset


@pytest.mark.parametrize(
    ("tags", "rows"),
    [
        ({"dagster/partition": "2024-01-03"}, [3.91]),
        (_tags("2024-01-03", "2024-01-04"), [3.91, 3.99]),
        ({"dagster/partition": "2024-01-06"}, []),  # a Saturday: covered, closed
        (_tags("2024-01-05", "2024-01-12"), [4.05]),  # covered in part
    ],
)
def test_load_is_one_frame_of_the_window(
    tags: dict[str, str],
    rows: list[float],
    stored: dg.AssetsDefinition,
    instance: dg.DagsterInstance,
    resources: dict[str, ParquetIOManager],
) -> None:
    """One partition, a range, a closed day, and a window that is covered in part."""
    seen: list[pd.DataFrame] = []

    @dg.asset(partitions_def=DAILY, backfill_policy=SINGLE)
    def below(ust_10y: pd.DataFrame) -> None:
        seen.append(ust_10y)

    dg.materialize([stored, below], selection=[below], instance=instance, resources=resources, tags=tags)
    assert seen[0]["yield"].tolist() == rows
    assert (seen[0].index.name, str(seen[0].index.dtype)) == ("date", "datetime64[us]")


def test_unpartitioned_consumer_loads_everything_as_a_table(
    stored: dg.AssetsDefinition, instance: dg.DagsterInstance, resources: dict[str, ParquetIOManager]
) -> None:
    """All partitions as one pyarrow.Table where the parameter says so, with the columns that are asked for."""
    seen: list[pa.Table] = []

    @dg.asset(ins={"ust_10y": dg.AssetIn(metadata={"macrocredit/columns": ["yield"]})})
    def below(ust_10y: pa.Table) -> None:
        seen.append(ust_10y)

    dg.materialize([stored, below], selection=[below], instance=instance, resources=resources)
    assert seen[0].column_names == ["date", "yield"]
    assert seen[0]["yield"].to_pylist() == [3.95, 3.91, 3.99, 4.05]


def test_load_of_an_uncovered_window_names_the_command(
    stored: dg.AssetsDefinition, instance: dg.DagsterInstance, resources: dict[str, ParquetIOManager]
) -> None:
    """A load is an error only where no date of the window is covered, and says what to run."""

    @dg.asset(partitions_def=DAILY, backfill_policy=SINGLE)
    def below(ust_10y: pd.DataFrame) -> None: ...

    result = dg.materialize(
        [stored, below],
        selection=[below],
        instance=instance,
        resources=resources,
        tags=_tags("2024-02-01", "2024-02-02"),
        raise_on_error=False,
    )
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "macrocredit backfill ust_10y --start 2024-02-01 --end 2024-02-02" in str(failure.step_failure_data.error)


def test_lookback_counts_rows_on_shared_dates(
    instance: dg.DagsterInstance, resources: dict[str, ParquetIOManager]
) -> None:
    """The load is widened until the joined inputs, not each for itself, have the rows that are asked for."""
    ten = _asset(_yields("2024-01-01", [4.0, 4.1, 4.2, 4.3, 4.4, 4.5]))
    two = _asset(_yields("2024-01-01", [4.0, 4.1, 4.2, 4.3, 4.4, 4.5]).drop([pd.Timestamp("2024-01-04")]), "ust_2y")
    tags = _tags("2024-01-01", "2024-01-06")
    dg.materialize([ten, two], instance=instance, resources=resources, tags=tags)
    seen: list[pd.DataFrame] = []
    lookback = {
        "macrocredit/lookback_rows": 2,
        "macrocredit/lookback_shared": ["ust_10y.yield", "ust_2y.yield"],
    }

    @dg.asset(partitions_def=DAILY, backfill_policy=SINGLE, ins={"ust_10y": dg.AssetIn(metadata=lookback)})
    def below(ust_10y: pd.DataFrame) -> None:
        seen.append(ust_10y)

    tags = {"dagster/partition": "2024-01-06"}
    dg.materialize([ten, below], selection=[below], instance=instance, resources=resources, tags=tags)
    # the two shared rows before the 6th are the 5th and the 3rd, for the 4th is missing in ust_2y
    assert seen[0].index[0] == pd.Timestamp("2024-01-03")


def test_key_of_two_parts_is_refused(instance: dg.DagsterInstance, resources: dict[str, ParquetIOManager]) -> None:
    """Two keys must never share one file."""

    @dg.asset(key=["desk", "ust_10y"], partitions_def=DAILY, backfill_policy=SINGLE)
    def prefixed() -> pd.DataFrame:
        return _yields("2024-01-02", [3.95])

    with pytest.raises(Exception, match="a key of one part"):
        dg.materialize([prefixed], instance=instance, resources=resources, tags={"dagster/partition": "2024-01-02"})


def test_asset_outside_the_catalog_is_refused(
    instance: dg.DagsterInstance, resources: dict[str, ParquetIOManager]
) -> None:
    """An asset that the catalog does not have has no schema to be written under."""
    with pytest.raises(Exception, match="unheard_of"):
        dg.materialize(
            [_asset(_yields("2024-01-02", [1.0]), "unheard_of")],
            instance=instance,
            resources=resources,
            tags={"dagster/partition": "2024-01-02"},
        )


def test_frame_of_an_asset_is_judged_like_everything_else(
    tmp_path: Path, instance: dg.DagsterInstance, resources: dict[str, ParquetIOManager]
) -> None:
    """A yield of 400 percent is stopped, and the message names the tag that stores it all the same."""
    impossible, day = _asset(_yields("2024-01-02", [400.0])), {"dagster/partition": "2024-01-02"}
    refused = dg.materialize([impossible], instance=instance, resources=resources, tags=day, raise_on_error=False)
    (failure,) = [event for event in refused.all_events if event.is_step_failure]
    assert "with the tag macrocredit/accept=unit_slip,hard_bounds" in str(failure.step_failure_data.error)
    shown = failure.step_failure_data.user_failure_data
    assert shown is not None
    table = shown.metadata["rows"]
    assert isinstance(table, dg.TableMetadataValue)
    assert {"rule": "hard_bounds", "date": "2024-01-02", "yield": 400.0} in [dict(row.data) for row in table.records]
    assert not (tmp_path / "data/raw/ust_10y.parquet").exists()
    accepted = {**day, "macrocredit/accept": "unit_slip,hard_bounds"}
    assert dg.materialize([impossible], instance=instance, resources=resources, tags=accepted).success


def test_frame_of_an_asset_is_held_against_what_is_stored(
    stored: dg.AssetsDefinition, instance: dg.DagsterInstance, resources: dict[str, ParquetIOManager]
) -> None:
    """A yield of 0.0405 is plausible by itself, and not on the Monday after 4.05."""
    slipped, day = _asset(_yields("2024-01-08", [0.0405])), {"dagster/partition": "2024-01-08"}
    with pytest.raises(Exception, match="unit_slip"):
        dg.materialize([slipped], instance=instance, resources=resources, tags=day)


def test_frame_of_an_asset_gets_the_shape_that_is_stored(
    tmp_path: Path, instance: dg.DagsterInstance, resources: dict[str, ParquetIOManager]
) -> None:
    """Rows in any order, columns in any order, nanoseconds and an index without a name are all taken."""
    index = pd.DatetimeIndex(["2024-01-03", "2024-01-02"]).as_unit("ns")
    columns = {"close": [13.0, 12], "low": [12.0, 12], "high": [14.0, 12], "open": [13.0, 12]}
    tags = _tags("2024-01-02", "2024-01-03")
    dg.materialize([_asset(pd.DataFrame(columns, index), "vix")], instance=instance, resources=resources, tags=tags)
    stored = pd.read_parquet(tmp_path / "data/raw/vix.parquet")
    assert list(stored.columns) == ["open", "high", "low", "close"]
    assert (stored.index.name, str(stored.index.dtype)) == ("date", "datetime64[us]")
    assert stored["high"].tolist() == [12.0, 14.0]


@pytest.mark.parametrize("value", [pa.table({"yield": [3.95]}), [3.95]], ids=["table without dates", "a list"])
def test_what_is_no_frame_of_dates_is_refused(
    value: object, instance: dg.DagsterInstance, resources: dict[str, ParquetIOManager]
) -> None:
    """The error says what an asset may return."""
    with pytest.raises(Exception, match=r"ust_10y returned .*; return a pandas\.DataFrame"):
        dg.materialize(
            [_asset(value)], instance=instance, resources=resources, tags={"dagster/partition": "2024-01-02"}
        )


def test_signal_is_not_made_of_rows_that_something_else_changed(
    tmp_path: Path, stored: dg.AssetsDefinition, instance: dg.DagsterInstance, resources: dict[str, ParquetIOManager]
) -> None:
    """The rows of a signal's input are held against the hash in their footer."""
    path = tmp_path / "data/raw/ust_10y.parquet"
    table = pq.read_table(path)
    pq.write_table(table.set_column(1, table.field(1), pc.add(table["yield"], 100.0)), path)

    @dg.asset(
        partitions_def=DAILY,
        backfill_policy=SINGLE,
        ins={"ust_10y": dg.AssetIn(dagster_type=dg.PythonObjectDagsterType(SignalInput))},
    )
    def below(ust_10y: SignalInput) -> None: ...

    tags = {"dagster/partition": "2024-01-03"}
    with pytest.raises(Exception, match="registry verify --repair"):
        dg.materialize([stored, below], selection=[below], instance=instance, resources=resources, tags=tags)


def test_lookback_goes_over_no_hole(instance: dg.DagsterInstance, resources: dict[str, ParquetIOManager]) -> None:
    """Rows before days that were never asked for are not the rows before; a weekend was not to be asked for."""
    weeks = [("2024-01-01", "2024-01-05"), ("2024-01-15", "2024-01-19"), ("2024-01-22", "2024-01-26")]
    asset = [_asset(_yields(start, [4.0, 4.1, 4.2, 4.3, 4.4])) for start, _ in weeks]
    for each, (start, end) in zip(asset, weeks, strict=True):
        dg.materialize([each], instance=instance, resources=resources, tags=_tags(start, end))
    seen: list[pd.DataFrame] = []
    lookback = {"macrocredit/lookback_rows": 8, "macrocredit/lookback_shared": ["ust_10y.yield"]}

    @dg.asset(partitions_def=DAILY, backfill_policy=SINGLE, ins={"ust_10y": dg.AssetIn(metadata=lookback)})
    def below(ust_10y: pd.DataFrame) -> None:
        seen.append(ust_10y)

    tags = {"dagster/partition": "2024-01-23"}
    dg.materialize([asset[0], below], selection=[below], instance=instance, resources=resources, tags=tags)
    assert (seen[0].index[0], len(seen[0])) == (pd.Timestamp("2024-01-15"), 7)
