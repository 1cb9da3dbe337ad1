"""What becomes of a row: every cell of the table in docs/history.md, tried on rows made by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from macrocredit_assets.catalog import DatasetSpec, load_catalog
from macrocredit_assets.catalog.models import FileColumn, FileWay
from macrocredit_assets.errors import (
    OutsideWindowError,
    RuleViolationError,
    SchemaMismatchError,
    SeriesMismatchError,
)
from macrocredit_assets.findings import Finding
from macrocredit_assets.ingest import Ingested, SignalInput, derive, ingest
from macrocredit_assets.persistence import AssetRecord, DatasetStore, WriteResult
from macrocredit_assets.settings import Settings
from macrocredit_assets.signals import signal_functions
from macrocredit_assets.sources import FileSource, Route
from macrocredit_assets.stores import open_store
from macrocredit_assets.windows import Coverage, Window
from macrocredit_assets.writing import write

_PAGE = (Path(__file__).resolve().parent.parent / "docs" / "history.md").read_text(encoding="utf-8")
_CATALOG = load_catalog()
_TODAY = date(2024, 2, 1)
# Monday to Friday, no holiday among them
_WEEK = Window(date(2024, 1, 8), date(2024, 1, 12))
_NAN = float("nan")


class Desk:
    """A root with one market dataset of two columns, fed by a file, and one signal, fed by hand."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(root=folder / "root", dagster_home=folder, profile="files", files=folder)
        entry = _CATALOG.datasets["vix"].model_dump(exclude_none=True)
        columns = {name: entry["columns"][name] for name in ("close", "high")}
        way = FileWay(
            series="cboe:VIX", path="rows.csv", columns={name: FileColumn(column=name) for name in columns}
        ).model_dump()
        self.spec = DatasetSpec.model_validate({**entry, "columns": columns, "ways": [way]})
        self.signal = _CATALOG.signals["cash_cds_basis_ig"]

    def fetch(
        self,
        rows: str,
        *accept: str,
        series: str = "cboe:VIX",
        window: Window = _WEEK,
        withdraw: bool = False,
        switch_reason: str | None = None,
    ) -> AssetRecord:
        """Write what a file with these rows answers for a window; a row is ``8: 13.1 13.4``, day, close and high."""
        lines = [re.sub(r"^(\d+): *(\S*) *(\S*)$", _line, row.strip()) for row in rows.split(",")]
        (self.settings.files or Path()).joinpath("rows.csv").write_text("\n".join(["date,close,high", *lines]))
        way = self.spec.ways[0].model_copy(update={"series": series})
        source = FileSource(self.settings.files)
        got = ingest(self.spec, window, Route(series, (way,)), {"file": source}, today=_TODAY, accept=frozenset(accept))
        return write(self.settings, self.spec, got, run_id="r", withdraw=withdraw, switch_reason=switch_reason)

    def compute(self, rows: dict[int, float], window: Window = _WEEK, series: str | None = None) -> AssetRecord:
        """Write these values of the signal, day of January to value."""
        frame = pd.DataFrame({"basis": [*rows.values()]}, index=_days(rows))
        got = Ingested(frame, series or "signal:cash_cds_basis_ig", window, Coverage((window,)))
        return write(self.settings, self.signal, got, run_id="r")

    def derived(self, oas: dict[int, float], spread: dict[int, float]) -> AssetRecord:
        """Write what the signal makes of its two inputs: OAS minus spread."""
        inputs = {
            "us_ig_oas": SignalInput(pd.DataFrame({"oas": [*oas.values()]}, _days(oas)), Coverage((_WEEK,))),
            "cdx_ig_5y": SignalInput(pd.DataFrame({"spread": [*spread.values()]}, _days(spread)), Coverage((_WEEK,))),
        }
        got = derive(self.signal, _WEEK, inputs, signal_functions(), _CATALOG)
        return write(self.settings, self.signal, got, run_id="r")

    @property
    def market(self) -> DatasetStore:
        """The store of the market dataset."""
        return open_store(self.settings, self.spec)

    def closes(self) -> dict[int, float]:
        """Return the stored closes, day of January to value."""
        return self._column(self.market, "close")

    def highs(self) -> dict[int, float]:
        """Return the stored highs, day of January to value."""
        return self._column(self.market, "high")

    def basis(self) -> dict[int, float]:
        """Return the stored signal, day of January to value."""
        return self._column(open_store(self.settings, self.signal), "basis")

    @staticmethod
    def _column(store: DatasetStore, name: str) -> dict[int, float]:
        values = store.read_frame()[name]
        return dict(zip(pd.DatetimeIndex(values.index).day, values.tolist(), strict=True))


def _line(found: re.Match[str]) -> str:
    return f"2024-01-{int(found[1]):02},{found[2].replace('-', '')},{found[3].replace('-', '')}"


def _days(rows: dict[int, float]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex([f"2024-01-{day:02}" for day in rows], name="date")


def _result(record: AssetRecord) -> WriteResult:
    assert record.result is not None
    return record.result


def _found(record: AssetRecord, rule: str) -> Finding:
    (found,) = (finding for finding in record.findings if finding.rule == rule)
    return found


Case = Callable[[Desk], None]
_MARKET: dict[tuple[str, str], Case] = {}
_SIGNAL: dict[tuple[str, str], Case] = {}


def _market(row: str, said: str) -> Callable[[Case], Case]:
    return lambda case: _MARKET.setdefault((row, said), case)


def _signal(row: str, said: str) -> Callable[[Case], Case]:
    return lambda case: _SIGNAL.setdefault((row, said), case)


@_market("new", "inserted")
def _(desk: Desk) -> None:
    desk.fetch("8: 13.1 13.4")
    assert _result(desk.fetch("8: 13.1 13.4, 9: 12.8 13.6")).inserted == 1
    assert desk.closes() == {8: 13.1, 9: 12.8}


@_signal("new", "inserted")
def _(desk: Desk) -> None:
    desk.compute({8: 40.0})
    assert _result(desk.compute({8: 40.0, 9: 41.0})).inserted == 1
    assert desk.basis() == {8: 40.0, 9: 41.0}


@_market("equal to the stored one", "left alone; if nothing else changes, no byte is written")
def _(desk: Desk) -> None:
    desk.fetch("8: 13.1 13.4")
    before = desk.market.path.read_bytes(), desk.market.path.stat().st_mtime_ns
    result = _result(desk.fetch("8: 13.1 13.4"))
    assert (result.written, result.unchanged, result.revision) == (False, 1, None)
    assert (desk.market.path.read_bytes(), desk.market.path.stat().st_mtime_ns) == before


@_signal("equal to the stored one", "left alone")
def _(desk: Desk) -> None:
    desk.compute({8: 40.0})
    result = _result(desk.compute({8: 40.0}))
    assert (result.unchanged, result.changed, result.revision) == (1, 0, None)


@_market("different from the stored one", "replaces it; old and new value are recorded")
def _(desk: Desk) -> None:
    desk.fetch("8: 13.1 13.4")
    result = _result(desk.fetch("8: 13.2 13.4"))
    assert [(change.date, change.column, change.old, change.new) for change in result.changes] == [
        (date(2024, 1, 8), "close", 13.1, 13.2)
    ]
    assert desk.closes() == {8: 13.2}


@_signal("different from the stored one", "replaces it; old and new value are recorded")
def _(desk: Desk) -> None:
    desk.compute({8: 40.0})
    (change,) = _result(desk.compute({8: 42.0})).changes
    assert (change.old, change.new) == (40.0, 42.0)
    assert desk.basis() == {8: 42.0}


@_market(
    "stored, but absent from what came",
    "kept, and a finding `vanished`; with `--allow-withdrawals` withdrawn",
)
def _(desk: Desk) -> None:
    desk.fetch("8: 13.1 13.4, 9: 12.8 13.6, 10: 12.7 12.9")
    record = desk.fetch("8: 13.1 13.4, 10: 12.7 12.9")
    assert (_result(record).vanished, _result(record).vanished_dates) == (1, (date(2024, 1, 9),))
    assert _found(record, "vanished").severity == "warning"
    assert desk.closes() == {8: 13.1, 9: 12.8, 10: 12.7}
    assert _result(desk.fetch("8: 13.1 13.4, 10: 12.7 12.9", withdraw=True)).withdrawn == 1
    assert desk.closes() == {8: 13.1, 10: 12.7}


@_signal("stored, but absent from what came", "withdrawn")
def _(desk: Desk) -> None:
    desk.compute({8: 40.0, 9: 41.0})
    assert _result(desk.compute({8: 40.0})).withdrawn == 1
    assert desk.basis() == {8: 40.0}


@_market("outside the window", "left out and counted; a write that has it is refused whole")
def _(desk: Desk) -> None:
    record = desk.fetch("5: 13.3 14.2, 8: 13.1 13.4")
    assert record.dropped == {"outside_window": 1}
    assert desk.closes() == {8: 13.1}
    frame = pd.DataFrame({"close": [13.3, 12.8], "high": [14.2, 13.6]}, index=_days({5: 0, 9: 0}))
    with pytest.raises(OutsideWindowError):
        desk.market.write(_WEEK, frame, series="cboe:VIX")
    assert desk.closes() == {8: 13.1}


@_signal("outside the window", "left out; a write that has it is refused whole")
def _(desk: Desk) -> None:
    desk.derived({5: 99.0, 8: 100.0}, {5: 56.0, 8: 55.0})
    assert desk.basis() == {8: 45.0}
    with pytest.raises(OutsideWindowError):
        desk.compute({5: 40.0, 9: 41.0})
    assert desk.basis() == {8: 45.0}


@_market("on a closed day", "stored, and a finding `closed_day`: data win over a calendar")
def _(desk: Desk) -> None:
    # 15 January 2024 was Martin Luther King Day
    record = desk.fetch("12: 12.7 12.9, 15: 13.2 13.5", window=Window(date(2024, 1, 12), date(2024, 1, 15)))
    assert _found(record, "closed_day").count == 1
    assert desk.closes() == {12: 12.7, 15: 13.2}


@_signal("on a closed day", "computed, where all inputs have one")
def _(desk: Desk) -> None:
    # 13 January 2024 was a Saturday
    window = Window(date(2024, 1, 12), date(2024, 1, 14))
    both = {
        name: SignalInput(pd.DataFrame({column: [level]}, _days({13: 0})), Coverage((window,)))
        for name, column, level in (("us_ig_oas", "oas", 100.0), ("cdx_ig_5y", "spread", 55.0))
    }
    write(desk.settings, desk.signal, derive(desk.signal, window, both, signal_functions(), _CATALOG), run_id="r")
    assert desk.basis() == {13: 45.0}


@_market("without any value", "dropped and counted; a stored row of that date counts as absent")
def _(desk: Desk) -> None:
    desk.fetch("8: 13.1 13.4, 9: 12.8 13.6")
    record = desk.fetch("8: 13.1 13.4, 9: - -, 10: - -, 11: 12.4 12.6")
    assert record.dropped == {"missing": 2}
    assert _result(record).vanished_dates == (date(2024, 1, 9),)
    assert desk.closes() == {8: 13.1, 9: 12.8, 11: 12.4}


@_signal("without any value", "not there: an input lacks that date; a stored row is withdrawn")
def _(desk: Desk) -> None:
    desk.derived({8: 100.0, 9: 101.0}, {8: 55.0, 9: 56.0})
    record = desk.derived({8: 100.0, 9: 101.0}, {8: 55.0})
    assert record.dropped == {"input_missing": 1}
    assert _result(record).withdrawn == 1
    assert desk.basis() == {8: 45.0}


@_market(
    "without one of its values",
    "the stored value stays, and the row counts as vanished; in a new row there is a gap",
)
def _(desk: Desk) -> None:
    desk.fetch("8: 13.1 13.4")
    record = desk.fetch("8: 13.2 -, 9: 12.8 -")
    assert (_result(record).vanished, _result(record).changed, _result(record).inserted) == (1, 1, 1)
    assert desk.closes() == {8: 13.2, 9: 12.8}
    assert desk.highs() == pytest.approx({8: 13.4, 9: _NAN}, nan_ok=True)


@_signal("without one of its values", "cannot be: a signal has one column")
def _(desk: Desk) -> None:
    assert all(len(signal.columns) == 1 for signal in _CATALOG.signals.values())


@_market("on a date that came twice, equal", "stored once; the other one is counted")
def _(desk: Desk) -> None:
    assert desk.fetch("8: 13.1 13.4, 8: 13.1 13.4").dropped == {"duplicate": 1}
    assert desk.closes() == {8: 13.1}


@_signal("on a date that came twice, equal", "refused")
def _(desk: Desk) -> None:
    _refuses_a_date_twice(desk, 40.0, 40.0)


@_market(
    "on a date that came twice, different", "refused; with `--accept conflicting_duplicate` the last one is stored"
)
def _(desk: Desk) -> None:
    with pytest.raises(RuleViolationError, match="--accept conflicting_duplicate"):
        desk.fetch("8: 13.1 13.4, 8: 13.2 13.4")
    assert desk.market.head() is None
    desk.fetch("8: 13.1 13.4, 8: 13.2 13.4", "conflicting_duplicate")
    assert desk.closes() == {8: 13.2}


@_signal("on a date that came twice, different", "refused")
def _(desk: Desk) -> None:
    _refuses_a_date_twice(desk, 40.0, 41.0)


@_market("of another series", "refused; with `--switch-series` the stored series is closed first")
def _(desk: Desk) -> None:
    desk.fetch("8: 13.1 13.4, 9: 12.8 13.6")
    with pytest.raises(SeriesMismatchError, match="--switch-series"):
        desk.fetch("9: 12.9 13.6", series="fred:VIXCLS")
    assert desk.closes() == {8: 13.1, 9: 12.8}
    desk.fetch("9: 12.9 13.6", series="fred:VIXCLS", switch_reason="the desk moved to FRED")
    assert desk.closes() == {9: 12.9}
    known_at = desk.market.revisions()[0].known_at
    assert desk.market.read_frame(as_of=known_at)["close"].tolist() == [13.1, 12.8]


@_signal("of another series", "refused")
def _(desk: Desk) -> None:
    desk.compute({8: 40.0})
    with pytest.raises(SeriesMismatchError):
        desk.compute({9: 41.0}, series="signal:another")
    assert desk.basis() == {8: 40.0}


def _refuses_a_date_twice(desk: Desk, *values: float) -> None:
    frame = pd.DataFrame({"basis": [*values]}, index=_days({8: 0}).repeat(2))
    store = open_store(desk.settings, desk.signal)
    with pytest.raises(SchemaMismatchError, match="more than once"):
        store.write(_WEEK, frame, series="signal:cash_cds_basis_ig", replace=True)
    assert store.head() is None


def _printed() -> list[tuple[str, str, str]]:
    """Return the rows of the table as they stand on the page."""
    (block,) = re.findall(r"<!-- fates.*?-->\n(.*?)<!-- /fates -->", _PAGE, re.DOTALL)
    rows = [tuple(cell.strip() for cell in line.strip("|\n ").split("|")) for line in block.splitlines()[2:]]
    return [(row[0], row[1], row[2]) for row in rows]


def test_every_cell_of_the_page_is_tried() -> None:
    """What the page says of a row, and what is tried below, are word for word the same."""
    assert [(row, market) for row, market, _ in _printed()] == [*_MARKET]
    assert [(row, signal) for row, _, signal in _printed()] == [*_SIGNAL]


@pytest.mark.parametrize("cell", _MARKET, ids=lambda cell: cell[0])
def test_row_of_a_market_dataset(tmp_path: Path, cell: tuple[str, str]) -> None:
    """A market dataset is added to and restated, as the page says."""
    _MARKET[cell](Desk(tmp_path))


@pytest.mark.parametrize("cell", _SIGNAL, ids=lambda cell: cell[0])
def test_row_of_a_signal(tmp_path: Path, cell: tuple[str, str]) -> None:
    """A signal's window is replaced, as the page says."""
    _SIGNAL[cell](Desk(tmp_path))
