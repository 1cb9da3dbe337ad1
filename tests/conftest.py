"""What every test may use; and, before any of them, an environment without the settings of this machine."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from macrocredit_assets.catalog import arrow_schema, load_catalog
from macrocredit_assets.holdings import Holdings
from macrocredit_assets.ingest import Ingested, SignalInput, derive
from macrocredit_assets.persistence import DatasetStore, WriteResult
from macrocredit_assets.persistence.records import Provenance, SeenInput
from macrocredit_assets.settings import Settings
from macrocredit_assets.signals import SignalContext
from macrocredit_assets.windows import Coverage, Window

_REPOSITORY = Path(__file__).resolve().parent.parent
_REAL_DATA = os.environ.get("MACROCREDIT_TEST_DATA")

# Here, and not in a fixture: fixtures of a session come before those of a test. A developer's own root or profile must
# not leak into a test, nor whether pytest was started by `uv run`, which the commands in messages follow; nor a key for
# FRED, nor proxies, which would be asked for the servers that tests start.
_OF_TESTS = {"MACROCREDIT_SCREENSHOTS", "MACROCREDIT_TEST_DATA"}  # stay: processes of a parallel run inherit them
_OF_THIS_MACHINE = {"UV_RUN_RECURSION_DEPTH", "FRED_API_KEY", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}
for _name in [*os.environ]:
    ours = _name.startswith(("MACROCREDIT_", "DAGSTER_")) and _name not in _OF_TESTS
    if ours or _name.upper() in _OF_THIS_MACHINE:
        del os.environ[_name]

# what a script starts in the background ignores Ctrl-C, and so would all that tests start and interrupt
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder with real market files; it lies beside the checkout, not in it."""
    folder = Path(_REAL_DATA or _REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.fail(f"No real data in {folder}; set MACROCREDIT_TEST_DATA to the folder that has them.")
    return folder


_DESK_CATALOG = """
extends: none
datasets:
  left: &market
    title: Left
    instrument: LEFT
    group: made_up
    owner: team:desk
    description: Made up.
    calendar: weekdays
    publication_lag: 1
    main: value
    columns: {value: {unit: bp, decimals: 4}}
    ways:
      - {source: sample, series: "sample:left", model: spread, level: 50, stress: 2, noise: 0.01, starts: 2000-01-03}
  right:
    <<: *market
    publication_lag: 2
signals:
  gap:
    title: Gap
    instrument: GAP
    group: made_up
    owner: team:desk
    description: Made up.
    calendar: weekdays
    main: value
    columns: {value: {unit: bp, decimals: 4}}
    function: desk_gap
    inputs: {left: {dataset: left, column: value}, right: {dataset: right, column: value}}
    lookback: 2
"""


def _mean_gap(inputs: pd.DataFrame, context: SignalContext) -> pd.Series:
    return (inputs["left"] - inputs["right"]).rolling(3).mean()


class Desk:
    """A root with two market datasets on weekdays and a signal of them, whose rows need two more before them."""

    def __init__(self, root: Path) -> None:
        path = root / "desk.yaml"
        path.write_text(_DESK_CATALOG)
        self.settings = Settings(root=root, dagster_home=root / ".dagster", catalog=path)
        self.catalog = load_catalog(path)

    @property
    def holdings(self) -> Holdings:
        """Look at the files anew."""
        return Holdings(self.settings, self.catalog)

    def store(self, name: str) -> DatasetStore:
        """Open a dataset to write."""
        entry = self.catalog.entry(name)
        return DatasetStore(self.settings.dataset_path(entry.kind, name), arrow_schema(entry))

    def put(
        self,
        name: str,
        start: str,
        end: str,
        rows: Mapping[str, float] | None = None,
        *,
        withdraw: bool = False,
        switch: bool = False,
    ) -> WriteResult:
        """Write a window of a market dataset; without rows, one of value 1 on every weekday of it."""
        filled = {str(day.date()): 1.0 for day in pd.bdate_range(start, end)} if rows is None else rows
        frame = pd.DataFrame({"value": [*filled.values()]}, pd.DatetimeIndex([*filled], name="date"), dtype=float)
        return self.store(name).write(
            Window.parse(start, end),
            frame,
            series=f"desk:{name}{'_2' if switch else ''}",
            withdraw=withdraw,
            switch=switch,
            provenance=Provenance(reason="a better one" if switch else None),
        )

    def compute(self, start: str, end: str) -> Ingested:
        """Compute the signal over a window as a run does, and store it."""
        window, spec = Window.parse(start, end), self.catalog.signals["gap"]
        inputs = {name: SignalInput(self.store(name).read_frame(), self._coverage(name)) for name in ("left", "right")}
        seen = {name: self._seen(name) for name in inputs}
        made = derive(spec, window, inputs, {"desk_gap": _mean_gap}, self.catalog)
        self.store("gap").write(
            window,
            made.frame,
            series=made.series,
            answered=made.answered,
            replace=True,
            provenance=Provenance(inputs=seen, definition=made.definition),
        )
        return made

    def _seen(self, name: str) -> SeenInput:
        last = self.store(name).last_revision()
        return SeenInput(last.number, last.known_at) if last else SeenInput(0, None)

    def _coverage(self, name: str) -> Coverage:
        head = self.store(name).head()
        return head.coverage if head else Coverage()


@pytest.fixture(scope="session")
def desk_at() -> Callable[[Path], Desk]:
    """Make a desk at a root."""
    return Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Give a small root of its own, whose files a test writes by hand."""
    return Desk(tmp_path)
