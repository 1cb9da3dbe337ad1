"""What is tried again, how often, how much later, and what the run log says of it."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psutil
import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.orchestration import retries
from macrocredit_assets.orchestration.build import INGEST_JOB, build_definitions
from macrocredit_assets.orchestration.instance import open_instance
from macrocredit_assets.orchestration.launch import _reconstructable
from macrocredit_assets.orchestration.retries import MAX_RETRIES, wait_seconds
from macrocredit_assets.orchestration.tags import RANGE_END, RANGE_START
from macrocredit_assets.settings import Settings

sys.path.insert(0, str(Path(__file__).parent))
from faults import POOL, Faulty, environment


@pytest.fixture
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Faulty:
    """Give a root whose source fails as it is told, and retries that come at once."""
    made = Faulty.install(tmp_path)
    monkeypatch.syspath_prepend(made.packages)
    monkeypatch.setenv("MACROCREDIT_ROOT", str(made.root))
    monkeypatch.setattr(retries, "FIRST_WAIT_SECONDS", 0.02)
    return made


def _events(faulty: Faulty, run_id: str, kind: dg.DagsterEventType) -> list[dg.DagsterEvent]:
    with open_instance(faulty.settings().dagster_home) as instance:
        return [event.dagster_event for event in instance.all_logs(run_id, of_type=kind) if event.dagster_event]


def test_transient_failure_is_retried_and_counted(faulty: Faulty) -> None:
    """What fails twice and then answers is written; the log says how often it was tried again, also where never."""
    faulty.tell("left", "transient", "transient")
    outcome, log = faulty.backfill()
    assert outcome.success
    assert len(faulty.attempts("left")) == 3
    assert {name: (entry["status"], entry["retries"]) for name, entry in log["assets"].items()} == {
        "left": ("written", 2),
        "right": ("written", 0),
        "gap": ("written", 0),
    }
    assert log["assets"]["left"]["inserted"] == 4
    assert log["assets"]["left"]["error"] is None


def test_source_that_wants_an_hour_of_rest_is_not_asked_again(faulty: Faulty) -> None:
    """A limit that outlasts every retry fails at once: asking in spite of it would prolong it."""
    faulty.tell("left", "limited")
    outcome, log = faulty.backfill("left")
    assert not outcome.success
    assert len(faulty.attempts("left")) == 1
    assert log["assets"]["left"]["error"]["type"] == "RateLimitedError"


def test_retry_is_shown_in_dagster_with_its_reason(faulty: Faulty) -> None:
    """Each retry is an event of the run, with how long it waits and what the source said."""
    faulty.tell("left", "transient")
    outcome, _ = faulty.backfill("left")
    (event,) = _events(faulty, outcome.run_id, dg.DagsterEventType.STEP_UP_FOR_RETRY)
    wait = event.step_retry_data.seconds_to_wait
    assert wait is not None
    assert 0 <= wait <= 0.02
    assert event.step_retry_data.error is not None
    assert "the upstream answered 503" in event.step_retry_data.error.to_string()


def test_transient_failure_that_stays_fails_with_its_own_words(faulty: Faulty) -> None:
    """After the last retry the step fails; the log has the source's error, the number of retries, and who waited."""
    faulty.tell("left", *["transient"] * 9)
    outcome, log = faulty.backfill()
    assert not outcome.success
    assert len(faulty.attempts("left")) == 1 + MAX_RETRIES == 4
    left = log["assets"]["left"]
    assert (log["status"], left["status"], left["retries"]) == ("failure", "failed", 3)
    assert left["error"] == {
        "type": "TransientSourceError",
        "message": "left 2024-01-02..2024-01-05: the upstream answered 503",
    }
    assert log["assets"]["right"]["status"] == "written"
    assert log["assets"]["gap"]["error"]["message"] == "Not run, because left failed in this run."
    assert log["assets"]["gap"]["retries"] == 0


def test_permanent_failure_fails_at_once(faulty: Faulty) -> None:
    """What will fail until somebody changes something is asked once."""
    faulty.tell("left", "permanent")
    outcome, log = faulty.backfill("left")
    assert not outcome.success
    assert len(faulty.attempts("left")) == 1
    assert (log["assets"]["left"]["status"], log["assets"]["left"]["retries"]) == ("failed", 0)
    assert log["assets"]["left"]["error"]["type"] == "PermanentSourceError"
    assert _events(faulty, outcome.run_id, dg.DagsterEventType.STEP_UP_FOR_RETRY) == []


def test_permanent_failure_after_a_transient_one_ends_the_retries(faulty: Faulty) -> None:
    """The last word counts: a retry that meets a permanent failure is the last one."""
    faulty.tell("left", "transient", "permanent")
    _, log = faulty.backfill("left")
    assert len(faulty.attempts("left")) == 2
    assert (log["assets"]["left"]["error"]["type"], log["assets"]["left"]["retries"]) == ("PermanentSourceError", 1)


@pytest.mark.slow
def test_retries_in_processes_of_their_own(faulty: Faulty) -> None:
    """With a process per step, a retry is a new process, and is counted by the parent."""
    faulty.tell("left", "transient")
    outcome, log = faulty.backfill("left", executor="multiprocess")
    assert outcome.success
    assert len(set(faulty.attempts("left"))) == 2
    assert (log["assets"]["left"]["status"], log["assets"]["left"]["retries"]) == ("written", 1)


def test_retries_that_are_switched_off_leave_the_source_its_words(faulty: Faulty) -> None:
    """A run configured without retries fails at the first failure, with the source's own error."""
    faulty.tell("left", "transient")
    with open_instance(faulty.settings().dagster_home) as instance:
        result = dg.execute_job(
            _reconstructable(faulty.settings()),
            instance,
            run_config={"execution": {"config": {"retries": {"disabled": {}}}}},
            asset_selection=[dg.AssetKey("left")],
            tags={RANGE_START: "2024-01-02", RANGE_END: "2024-01-05"},
        )
    assert not result.success
    assert len(faulty.attempts("left")) == 1
    (log,) = faulty.run_logs().values()
    assert (log["assets"]["left"]["error"]["type"], log["assets"]["left"]["retries"]) == ("TransientSourceError", 0)


def test_waits_double_and_are_spread_over_the_whole_range() -> None:
    """Full jitter: from zero to a bound of 5, 10 and 20 seconds, so that failed requests do not come back together."""
    for number, bound in enumerate((5, 10, 20)):
        waits = [wait_seconds(number) for _ in range(400)]
        assert 0 <= min(waits) < 0.1 * bound
        assert 0.9 * bound < max(waits) <= bound
        assert 0.4 * bound < sum(waits) / len(waits) < 0.6 * bound


def test_a_slot_is_free_while_a_step_waits_and_when_its_run_is_over(faulty: Faulty) -> None:
    """Every dataset of a source claims the source's pool, which has the instance's default limit; none is kept."""
    faulty.tell("left", "transient")
    faulty.backfill()
    with open_instance(faulty.settings().dagster_home) as instance:
        info = instance.event_log_storage.get_concurrency_info(POOL)
        (limit,) = instance.event_log_storage.get_pool_limits()
        assert (limit.name, limit.limit, limit.from_default) == (POOL, 1, True)
        assert (info.slot_count, info.claimed_slots, info.pending_steps) == (1, [], [])


def test_a_slot_held_by_a_dead_run_does_not_hold_up_the_next(faulty: Faulty) -> None:
    """Without a daemon, too, a backfill that was killed is ended by the next one, which gets its slot."""
    faulty.tell("left", "sleep")
    process = _start(faulty)
    deadline = time.monotonic() + 60
    while not faulty.attempts("left"):
        assert time.monotonic() < deadline, (faulty.root / "backfill.log").read_text()
        time.sleep(0.05)
    process.kill()
    process.wait()
    (killed,) = faulty.run_logs()
    outcome, log_of_next = faulty.backfill("left", "right")
    assert outcome.success
    assert log_of_next["assets"]["left"]["status"] == "written"
    assert faulty.run_logs()[killed]["status"] == "aborted"
    with open_instance(faulty.settings().dagster_home) as instance:
        run = instance.get_run_by_id(killed)
        assert run
        assert run.status == dg.DagsterRunStatus.FAILURE


@pytest.fixture
def full_pool(faulty: Faulty) -> Iterator[str]:
    """Have another run hold the one slot of the pool; return its id."""
    other = "00000000-0000-4000-8000-000000000009"
    with open_instance(faulty.settings().dagster_home) as instance:
        instance.event_log_storage.set_concurrency_slots(POOL, 1)
        assert instance.event_log_storage.claim_concurrency_slot(POOL, other, "left").is_claimed
        yield other


def _start(faulty: Faulty, executor: str = "in_process") -> psutil.Popen:
    command = [sys.executable, "-m", "macrocredit_assets", "backfill", "left", "--start", "2024-01-02", "--end"]
    with (faulty.root / "backfill.log").open("wb") as log:
        settings = {**environment(faulty), "MACROCREDIT_EXECUTOR": executor}
        return psutil.Popen([*command, "2024-01-05"], env=settings, stdout=log, stderr=log)


def _wait_for_event(faulty: Faulty, kind: dg.DagsterEventType) -> None:
    deadline = time.monotonic() + 60
    while not any(_events(faulty, run_id, kind) for run_id in faulty.run_logs()):
        assert time.monotonic() < deadline, (faulty.root / "backfill.log").read_text()
        time.sleep(0.1)


@pytest.mark.parametrize("executor", ["in_process", "multiprocess"])
def test_a_run_that_waits_for_a_pool_can_be_stopped_and_costs_nothing(
    faulty: Faulty, full_pool: str, executor: str
) -> None:
    """It sleeps while another run is at work, and a signal ends it with a finished log and without a claim."""
    process = _start(faulty, executor)
    _wait_for_event(faulty, dg.DagsterEventType.ENGINE_EVENT)
    time.sleep(1)
    before = sum(process.cpu_times()[:2])
    time.sleep(2)
    assert sum(process.cpu_times()[:2]) - before < 0.7
    process.send_signal(signal.SIGINT)
    assert process.wait(60) != 0
    (log,) = faulty.run_logs().values()
    assert log["status"] == "canceled"
    assert faulty.attempts("left") == []
    with open_instance(faulty.settings().dagster_home) as instance:
        info = instance.event_log_storage.get_concurrency_info(POOL)
        assert {run.run_id for run in (*info.claimed_slots, *info.pending_steps)} == {full_pool}


def test_every_dataset_has_the_pool_of_its_source_and_signals_have_none(tmp_path: Path) -> None:
    """What asks an upstream waits its turn; what is computed from files does not."""
    settings = Settings(root=tmp_path, dagster_home=tmp_path / ".dagster")
    job = build_definitions(settings).resolve_job_def(INGEST_JOB)
    catalog = load_catalog()
    pools = {node.name: node.definition.pool for node in job.nodes}
    assert {pools[name] for name in catalog.datasets} == {"source_sample"}
    assert {pools[name] for name in catalog.signals} == {None}
