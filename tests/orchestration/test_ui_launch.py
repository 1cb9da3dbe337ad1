"""A range launched as the browser launches it: real webserver, real daemon, GraphQL."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

pytestmark = pytest.mark.slow

_HURRIED = Path(__file__).resolve().parents[1] / "hurried_daemon"

_LAUNCH = """
mutation Launch($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
_STATUS = """
query Status($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    __typename
    ... on PartitionBackfill { status error { message } }
  }
  runsOrError { ... on Runs { results { runId status tags { key value } } } }
}
"""


@dataclass(frozen=True)
class Deployment:
    """A running webserver with its daemon."""

    url: str
    root: Path

    def ask(self, query: str, **variables: object) -> dict[str, dict[str, object]]:
        """Send one GraphQL request."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """Start `macrocredit ui` over an empty root, and stop it as Ctrl-C does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {**os.environ, "MACROCREDIT_ROOT": str(tmp_path), "PYTHONPATH": str(_HURRIED)}
    command = [sys.executable, "-m", "macrocredit_assets", "ui", "--host", "127.0.0.1", "--port", str(port)]
    with (tmp_path / "ui.log").open("wb") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log, start_new_session=True)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(lambda: _answers(url), 90, lambda: (tmp_path / "ui.log").read_text())
            yield Deployment(url, tmp_path)
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
            assert _session_members(process.pid) == []


def test_range_launched_in_the_ui_writes_everything(deployment: Deployment) -> None:
    """One run per range; Parquet, registry and run log tell the same story."""
    days = [day.date().isoformat() for day in pd.date_range("2024-03-25", "2024-04-02")]
    names = ["cdx_ig_5y", "us_ig_oas", "vix", "cash_cds_basis_ig"]
    params = {"assetSelection": [{"path": [name]} for name in names], "partitionNames": days}
    launched = deployment.ask(_LAUNCH, params=params)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched

    def finished() -> bool:
        backfill = deployment.ask(_STATUS, id=launched["backfillId"])["partitionBackfillOrError"]
        assert backfill.get("status") not in {"FAILED", "COMPLETED_FAILED", "CANCELED"}, backfill
        return backfill["status"] == "COMPLETED_SUCCESS"

    _wait(finished, 240, lambda: (deployment.root / "ui.log").read_text())
    runs = deployment.ask(_STATUS, id=launched["backfillId"])["runsOrError"]["results"]
    assert [run["status"] for run in runs] == ["SUCCESS"]

    vix = pd.read_parquet(deployment.root / "data/raw/vix.parquet")
    # Good Friday 2024-03-29 and the weekend after it are closed; all other days of the range are sessions
    assert [day.date().isoformat() for day in vix.index] == [
        "2024-03-25", "2024-03-26", "2024-03-27", "2024-03-28", "2024-04-01", "2024-04-02",
    ]  # fmt: skip
    assert not pd.read_parquet(deployment.root / "data/processed/cash_cds_basis_ig.parquet").empty

    registry = json.loads((deployment.root / "data/registry.json").read_text())
    assert sorted(registry) == sorted(names)
    assert registry["vix"]["row_count"] == 6
    assert registry["vix"]["metadata"]["run_id"] == runs[0]["runId"]

    (log,) = (deployment.root / "logs/runs").glob("*/*.json")
    document = json.loads(log.read_text())
    assert (document["run_id"], document["status"]) == (runs[0]["runId"], "success")
    assert document["window"] == "2024-03-25..2024-04-02"
    assert document["launched_by"] == f"backfill:{launched['backfillId']}"
    assert sorted(document["assets"]) == sorted(names)
    assert document["checks"]["vix"] == dict.fromkeys(("values", "continuity", "jumps", "source"), "passed")
    assert sorted(document["checks"]) == sorted(names)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/server_info", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def _wait(condition: object, seconds: float, explain: object) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.5)


def _session_members(session: int) -> list[str]:
    listed = subprocess.run(["ps", "-o", "args=", "-g", str(session)], capture_output=True, text=True, check=False)
    return [line for line in listed.stdout.splitlines() if "<defunct>" not in line]
