"""The embedded event log answers what the stock one answers, after the same runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.event_api import EventRecordsFilter
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from macrocredit_assets.orchestration.event_log import EmbeddedEventLogStorage
from macrocredit_assets.orchestration.instance import open_instance

sys.path.insert(0, str(Path(__file__).parent))
import defs_event_log as history
from event_log_questions import ALL_DAYS, QUESTIONS, RUNS, Type, told


@contextmanager
def _open_stock(home: Path) -> Iterator[dg.DagsterInstance]:
    home.mkdir(exist_ok=True)
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


@pytest.fixture(scope="module")
def stock_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Let stock Dagster fill a home."""
    home = tmp_path_factory.mktemp("stock")
    with _open_stock(home) as instance:
        history.make_history(instance)
    return home


@pytest.fixture(scope="module")
def embedded_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Let the embedded instance fill a home, with the same runs."""
    home = tmp_path_factory.mktemp("embedded")
    with open_instance(home) as instance:
        history.make_history(instance)
    return home


@pytest.fixture(scope="module")
def stock(stock_home: Path) -> Iterator[dg.DagsterInstance]:
    """Open stock Dagster on its own home."""
    with _open_stock(stock_home) as instance:
        assert type(instance.event_log_storage) is SqliteEventLogStorage
        yield instance


@pytest.fixture(scope="module")
def embedded(embedded_home: Path) -> Iterator[dg.DagsterInstance]:
    """Open the embedded instance on its own home."""
    with open_instance(embedded_home) as instance:
        assert type(instance.event_log_storage) is EmbeddedEventLogStorage
        yield instance


@pytest.fixture(scope="module")
def embedded_on_stock_home(stock_home: Path) -> Iterator[dg.DagsterInstance]:
    """Open the embedded instance on the home that stock Dagster filled."""
    settings = "instance_class: {module: macrocredit_assets.orchestration.instance, class: EmbeddedInstance}\n"
    (stock_home / "embedded.yaml").write_text(settings)
    with dg.DagsterInstance.from_config(str(stock_home), "embedded.yaml") as instance:
        yield instance


@pytest.fixture(scope="module")
def stock_with_subsets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """Let stock storage store planned partitions as ours does, so that every storage id can be compared."""
    with pytest.MonkeyPatch.context() as patch, _open_stock(tmp_path_factory.mktemp("subsets")) as instance:
        patch.setenv("DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS", "1")
        history.make_history(instance)
        yield instance


@pytest.mark.parametrize("question", QUESTIONS)
def test_answers_are_those_of_stock_storage(
    question: str, stock: dg.DagsterInstance, embedded: dg.DagsterInstance
) -> None:
    """Each question that the UI, the daemon and sensors ask has the same answer on both storages."""
    ask = QUESTIONS[question]
    expected = ask(stock)
    assert expected
    assert ask(embedded) == expected


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_stock_home_is_read_alike(
    question: str, stock: dg.DagsterInstance, embedded_on_stock_home: dg.DagsterInstance
) -> None:
    """The embedded storage on files that stock storage wrote gives stock storage's answers."""
    assert QUESTIONS[question](embedded_on_stock_home) == QUESTIONS[question](stock)


def test_every_storage_id_and_cursor_is_that_of_stock_storage(
    stock_with_subsets: dg.DagsterInstance, embedded: dg.DagsterInstance
) -> None:
    """With planned partitions stored alike, events have the same numbers in the index and in the log of each run."""

    def numbers(instance: dg.DagsterInstance) -> object:
        storage = instance.event_log_storage
        kinds = (Type.ASSET_MATERIALIZATION, Type.ASSET_OBSERVATION, Type.ASSET_MATERIALIZATION_PLANNED)
        index = [storage.get_event_records(EventRecordsFilter(kind)) for kind in kinds]
        runs = [instance.get_records_for_run(run).records for run in RUNS]
        numbered = [[(record.storage_id, told(record.event_log_entry)) for record in one] for one in index + runs]
        return numbered, storage.get_maximum_record_id()

    assert numbers(embedded) == numbers(stock_with_subsets)


def test_what_is_shown_follows_from_the_runs(embedded: dg.DagsterInstance) -> None:
    """Partitions have the states that the history gave them, worked out by hand."""
    states = embedded.get_status_by_partition(history.SPREAD, ALL_DAYS, history.DAYS)
    by_state: dict[str | None, set[str]] = {}
    for day, state in states.items():
        by_state.setdefault(state and state.value, set()).add(day)
    days = history.days
    # run 3 failed on the 10th to the 16th, run 6 healed the 12th and 13th
    assert by_state == {
        "MATERIALIZED": days(2, 9) | days(12, 13) | days(17, 17),
        "FAILED": days(10, 11) | days(14, 16) | days(18, 21),
        "IN_PROGRESS": days(22, 23),
        None: days(1, 1) | days(24, 31),
    }
    assert embedded.get_materialized_partitions(history.WIPED) == days(5, 6)


def test_an_asset_can_be_wiped_and_comes_back(tmp_path: Path) -> None:
    """After a wipe nothing is materialized or tagged; what is stored later counts."""
    with open_instance(tmp_path) as instance:
        history.materialize(instance, 1, history.LEVEL, first="2024-01-02", last="2024-01-04")
        instance.wipe_assets([history.LEVEL])
        assert instance.get_materialized_partitions(history.LEVEL) == set()
        assert instance.get_latest_materialization_event(history.LEVEL) is None
        assert not instance.has_asset_key(history.LEVEL)
        history.materialize(instance, 2, history.LEVEL, day="2024-01-03")
        assert instance.get_materialized_partitions(history.LEVEL) == {"2024-01-03"}


def test_the_whole_log_can_be_wiped_while_its_files_are_open(tmp_path: Path) -> None:
    """Wiping removes the files of runs; the next run starts new ones."""
    with open_instance(tmp_path) as instance:
        history.materialize(instance, 1, history.SUMMARY)
        instance.event_log_storage.wipe()
        assert not list(tmp_path.glob(f"history/runs/{history.run_id(1)}*"))
        assert instance.all_asset_keys() == []
        history.materialize(instance, 2, history.SUMMARY)
        assert list(instance.all_asset_keys()) == [history.SUMMARY]
        assert instance.all_logs(history.run_id(2))
