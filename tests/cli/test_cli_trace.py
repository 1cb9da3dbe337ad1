"""``macrocredit trace``: what it prints of a value, of a signal and of a day without a row."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from macrocredit_assets.catalog import arrow_schema, load_catalog
from macrocredit_assets.cli import cli
from macrocredit_assets.cli.context import Context
from macrocredit_assets.persistence import DatasetStore, Provenance, RunHeader, RunLog
from macrocredit_assets.persistence.landing import Landing
from macrocredit_assets.settings import Settings
from macrocredit_assets.windows import Window

Run = Callable[..., Result]

RUN_ID = "0123456789abcdef"
FIRST, SECOND = datetime(2024, 1, 5, 12, tzinfo=UTC), datetime(2024, 1, 8, 12, tzinfo=UTC)
#: A publisher may send what a terminal would obey.
LINE = "01/03/2024,13.380000,14.220000,13.330000,14.040000\x1b[2J"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fill a root with one row of VIX that a second run restated."""
    root = tmp_path_factory.mktemp("traced")
    settings = Settings(root=root, dagster_home=root / ".dagster")
    moments = iter((FIRST, SECOND))
    path, schema = settings.dataset_path("market", "vix"), arrow_schema(load_catalog().entry("vix"))
    store = DatasetStore(path, schema, clock=lambda: next(moments))
    values = {"open": [13.38], "high": [14.22], "low": [13.33], "close": [14.0]}
    frame = pd.DataFrame(values, pd.DatetimeIndex(["2024-01-03"], name="date", dtype="datetime64[us]"))
    window = Window.parse("2024-01-01", "2024-01-04")
    store.write(window, frame, series="cboe:VIX", provenance=Provenance("first", ("cboe:VIX",)))
    body = f"DATE,OPEN,HIGH,LOW,CLOSE\n{LINE}\n".encode()
    answer = Landing(settings.landing_directory).keep("cboe", "VIX", body, SECOND, "csv")
    told = Provenance(RUN_ID, ("cboe:VIX",), landing=(answer,))
    store.write(window, frame.assign(close=14.04), series="cboe:VIX", provenance=told)
    log = RunLog(settings.logs_directory, RUN_ID)
    log.start(RunHeader(RUN_ID, "daily", SECOND, "public", "real", None, "schedule daily_us", "desk7", 1, 1.0))
    log.finish("success", {}, SECOND)
    return root


def _trace(root: Path, *arguments: str) -> Result:
    context = Context(
        settings=Settings(root=root, dagster_home=root / ".dagster"),
        yesterday=date(2024, 1, 8),
        chosen={"MACROCREDIT_ROOT": str(root)},
    )
    return CliRunner().invoke(cli, ["trace", *arguments], obj=context, prog_name="macrocredit")


def test_value_is_followed_to_its_line(root: Path) -> None:
    """Each column has its revision; run, answer and line follow, and what the row was before."""
    result = _trace(root, "vix", "2024-01-03")
    assert result.exit_code == 0
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    assert lines[0] == "vix | 2024-01-03 | cboe:VIX"
    assert "open         13.38 index points, revision 1" in lines
    assert "close        14.04 index points, revision 2" in lines
    assert "revision     2 (change), known at 2024-01-08T12:00:00.000Z" in lines
    assert "launched by  schedule daily_us (success, 2024-01-08 12:00 UTC)" in lines
    (answer,) = (root / "data" / "landing" / "cboe" / "VIX").glob("*.csv.gz")
    at = lines.index("cboe:VIX")
    assert lines[at + 1 : at + 3] == [f"  {answer}", f"  line 2: {LINE.replace(chr(27), ' ')}"]
    assert [line.split() for line in lines if " close " in line][-1] == [
        *("2024-01-03", "change", "close", "14.00", "14.04", "2", "2024-01-08T12:00:00.000Z")
    ]
    assert lines[-2] == f"run log: {root / 'logs' / 'runs' / '2024-01-08' / f'{RUN_ID}.json'}"
    assert lines[-1] == f"next:    MACROCREDIT_ROOT={root} macrocredit runs show 01234567"


def test_json_has_the_whole_chain(root: Path) -> None:
    """Programs get every link, and of a column the revision that set it, which may be older than the row's last."""
    document = json.loads(_trace(root, "vix", "2024-01-03", "--json").stdout)
    (answer,) = (root / "data" / "landing" / "cboe" / "VIX").glob("*.csv.gz")
    assert document["values"] == {"open": 13.38, "high": 14.22, "low": 13.33, "close": 14.04}
    assert document["set_by"] == {"open": 1, "high": 1, "low": 1, "close": 2}
    assert document["units"]["close"] == "index points"
    assert document["revision"]["landing"] == [answer.relative_to(root / "data").as_posix()]
    assert document["run"]["log"] == str(root / "logs" / "runs" / "2024-01-08" / f"{RUN_ID}.json")
    assert document["origins"] == [
        {
            "way": "cboe:VIX",
            "path": str(answer),
            "lines": [{"unit": "line", "number": 2, "text": LINE, "empty": False}],
            "note": None,
        }
    ]
    assert [step["revision"] for step in document["history"]] == [1, 2]
    column = json.loads(_trace(root, "vix", "2024-01-03", "--column", "open", "--json").stdout)
    assert (column["values"], column["revision"]["revision"], column["run"]["log"]) == ({"open": 13.38}, 1, None)


def test_day_without_a_row_is_explained(root: Path) -> None:
    """Why there is no row is told, with the command that fetches it where there is one."""
    closed = _trace(root, "vix", "2024-01-01")
    assert closed.exit_code == 0
    assert "none (closed)" in closed.stdout
    assert "no session of the calendar us_equity" in closed.stdout
    command = f"MACROCREDIT_ROOT={root} macrocredit backfill vix --start 2024-01-05 --end 2024-01-05"
    assert command in _trace(root, "vix", "2024-01-05").stdout


def test_signal_names_the_commands_that_trace_its_inputs(run: Run, filled: Path) -> None:
    """A signal of a real run leads on to its inputs, and those to their way."""
    day = "2024-03-20"
    result = run("trace", "cdx_vix_gap", day, root=filled)
    assert result.exit_code == 0
    for name in ("cdx_hy_5y", "vix"):
        assert f"{name}, revision 1, known at " in result.stdout
        assert f"MACROCREDIT_ROOT={filled} macrocredit trace {name} {day}" in result.stdout
    given = run("trace", "vix", day, "--column", "close", root=filled)
    assert "sample:vix" in given.stdout
    assert "Simulated: nobody was asked." in given.stdout


def test_wrong_use_is_refused(root: Path) -> None:
    """An unknown name, column or date ends with 2 and a sentence."""
    for arguments, words in (
        (("nope", "2024-01-03"), "nope"),
        (("vix", "2024-01-03", "--column", "spread"), "vix has no column spread; it has open, high, low, close."),
        (("vix", "20240103"), "is no date"),
    ):
        result = _trace(root, *arguments)
        assert result.exit_code == 2
        assert words in result.stderr
