"""Facts of Dagster 1.13 that the embedded instance is built on; a release that changes one is to fail here first."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    SqliteEventLogStorage,
    SqliteEventLogStorageWatchdog,
)
from dagster._core.storage.legacy_storage import CompositeStorage

from macrocredit_assets.orchestration.event_log import BATCH_SIZE_VARIABLE, EmbeddedEventLogStorage
from macrocredit_assets.orchestration.instance import EmbeddedInstance, open_instance

sys.path.insert(0, str(Path(__file__).parent))
import defs_event_log as history

OVERRIDDEN = [
    name
    for kind in EmbeddedEventLogStorage.__mro__[: EmbeddedEventLogStorage.__mro__.index(SqliteEventLogStorage)]
    for name, member in vars(kind).items()
    if inspect.isfunction(member) and hasattr(SqliteEventLogStorage, name)
]


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_what_is_overridden_is_still_there(name: str) -> None:
    """Every method that we replace exists on the stock class and takes the same parameters."""
    stock = inspect.signature(getattr(SqliteEventLogStorage, name)).parameters
    assert list(inspect.signature(getattr(EmbeddedEventLogStorage, name)).parameters) == list(stock)


@pytest.mark.parametrize(
    "name",
    [
        "_initdb",
        "_event_to_row",
        "_has_asset_key_col_on_connection",
        "_store_asset_event",
        "_store_asset_event_tags",
        "_add_assets_wipe_filter_to_query",
    ],
)
def test_private_parts_that_we_call_are_still_there(name: str) -> None:
    """Methods without a public way to them."""
    assert callable(getattr(SqliteEventLogStorage, name))


def test_the_events_of_a_range_come_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is read when events are stored, and one step's partitions form batches of that size."""
    sizes: list[int] = []
    stored = EmbeddedEventLogStorage.store_event_batch

    def record(storage: EmbeddedEventLogStorage, events: Sequence[dg.EventLogEntry]) -> None:
        if events[0].dagster_event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
            sizes.append(len(events))
        stored(storage, events)

    monkeypatch.setattr(EmbeddedEventLogStorage, "store_event_batch", record)
    with open_instance(tmp_path) as instance:
        monkeypatch.setenv(BATCH_SIZE_VARIABLE, "4")
        history.materialize(instance, 1, history.LEVEL, first="2024-01-02", last="2024-01-11")
    assert sizes == [4, 4, 2]


def test_a_stock_storage_builds_its_own_class(tmp_path: Path) -> None:
    """The stock `from_config_value` ignores the class it is called on; that is why ours is overridden."""
    config = {"base_dir": str(tmp_path)}
    stock = SqliteEventLogStorage.from_config_value.__func__(EmbeddedEventLogStorage, None, config)
    assert type(stock) is SqliteEventLogStorage
    embedded = EmbeddedEventLogStorage.from_config_value(None, config)
    assert type(embedded) is EmbeddedEventLogStorage
    embedded.dispose()


def test_an_instance_class_is_told_where_the_home_is(tmp_path: Path) -> None:
    """Its defaults are used, with the folder filled in, and survive the way into another process."""
    (tmp_path / "dagster.yaml").write_text(
        "instance_class: {module: macrocredit_assets.orchestration.instance, class: EmbeddedInstance}"
    )
    reference = InstanceRef.from_dict(InstanceRef.from_dir(str(tmp_path)).to_dict())
    assert reference.custom_instance_class is EmbeddedInstance
    storage = reference.storage
    assert isinstance(storage, CompositeStorage)
    assert isinstance(storage.event_log_storage, EmbeddedEventLogStorage)
    assert Path(storage.event_log_storage.path_for_shard("index")) == tmp_path / "history" / "runs" / "index.db"
    storage.event_log_storage.dispose()


def test_the_stock_watcher_looks_at_the_database_file_alone(tmp_path: Path) -> None:
    """With a kept connection that file does not change when an event is stored; that is why ours looks at two."""
    storage = SqliteEventLogStorage(str(tmp_path))
    watcher = SqliteEventLogStorageWatchdog(storage, "a-run", lambda _event, _cursor: None, None)
    assert watcher.patterns == [str(tmp_path / "a-run.db")]


def test_stock_storage_loses_sight_of_planned_subsets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one planned event per asset, partitions of a failed run turn red on ours, and not on stock storage."""
    failed = sorted(history.days(2, 4))

    def states(instance: dg.DagsterInstance) -> list[str | None]:
        instance.report_run_failed(
            history.plan(instance, 1, dg.DagsterRunStatus.STARTED, first="2024-01-02", last="2024-01-04")
        )
        found = instance.get_status_by_partition(history.LEVEL, failed, history.DAYS) or {}
        return [state and state.value for state in found.values()]

    monkeypatch.setenv("DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS", "1")
    (tmp_path / "stock").mkdir()
    with dg.DagsterInstance.from_config(str(tmp_path / "stock")) as instance:
        assert states(instance) == [None] * 3
    monkeypatch.delenv("DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS")
    with open_instance(tmp_path / "embedded") as instance:
        assert states(instance) == ["FAILED"] * 3


def test_one_pair_of_log_files_per_run(tmp_path: Path) -> None:
    """What a run prints is captured once per process, not once per step."""
    with open_instance(tmp_path) as instance:
        history.materialize(instance, 1, history.LEVEL, history.SPREAD, history.WIPED, day="2024-01-02")
    captured = sorted(path.suffix for path in (tmp_path / "storage").rglob("*") if path.is_file())
    assert captured == [".complete", ".err", ".out"]
