"""``macrocredit doctor --probe``: each way is asked, answers are shown, and nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from macrocredit_assets import probing
from macrocredit_assets.catalog import Catalog
from macrocredit_assets.cli import cli, doctor_probe
from macrocredit_assets.cli.context import Context
from macrocredit_assets.persistence import ErrorInfo
from macrocredit_assets.probing import Reply
from macrocredit_assets.settings import Settings
from macrocredit_assets.testing import CboeServer, FredServer, Publisher, faults

CATALOG = """
extends: none
datasets:
  ust_10y:
    title: Ten years
    instrument: US Treasury
    group: rates
    owner: team:desk
    description: Made up.
    calendar: us_bond
    main: yield
    columns: {yield: {unit: percent, decimals: 4}}
    ways:
      - {source: fred, series: "fred:DGS10", series_id: DGS10, column: yield}
      - {source: file, series: "fred:DGS10", path: absent.csv, columns: {yield: {column: DGS10}}}
  vix:
    title: Volatility
    instrument: VIX
    group: volatility
    owner: team:desk
    description: Made up.
    calendar: us_equity
    main: close
    columns: {close: {unit: index points, decimals: 2}}
    ways: [{source: cboe, series: "cboe:VIX", symbol: VIX}]
  move:
    title: No way to it
    instrument: MOVE
    group: volatility
    owner: team:desk
    description: Made up.
    calendar: us_bond
    main: close
    columns: {close: {unit: bp vol, decimals: 2}}
    ways: [{source: file, series: "ice:MOVE", path: absent.csv, columns: {close: {column: close}}}]
"""

#: A Tuesday; its row comes the next day. The ten days before begin on the last day of the year.
TODAY = date(2024, 1, 10)


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[FredServer, CboeServer]]:
    """Serve both series on every day of December and of January until the 9th."""
    publisher = Publisher(today=TODAY)
    days = [date(2023, 12, 1) + timedelta(days=number) for number in range(40)]
    publisher.publish("DGS10", dict.fromkeys(days, "4.00"))
    publisher.publish("VIX", dict.fromkeys(days, ("13.00", "14.00", "12.00", "13.50")))
    with FredServer(publisher) as fred, CboeServer(publisher) as cboe:
        yield fred, cboe


def _probe(root: Path, servers: tuple[FredServer, CboeServer], *arguments: str, catalog: str = CATALOG) -> Result:
    path = root / "desk.yaml"
    path.write_text(catalog)
    environ = {"MACROCREDIT_ROOT": str(root / "root"), "MACROCREDIT_PROFILE": "public"}
    urls = {name: value for server in servers for name, value in server.settings().items()}
    settings = Settings.from_env(
        {**environ, **urls, "MACROCREDIT_CATALOG": str(path), "MACROCREDIT_HTTP_TIMEOUT": "20"}
    )
    context = Context(settings=settings, yesterday=TODAY - timedelta(days=1), chosen=environ)
    return CliRunner().invoke(cli, ["doctor", "--probe", *arguments], obj=context, prog_name="macrocredit")


def test_each_way_that_can_be_used_is_asked(tmp_path: Path, servers: tuple[FredServer, CboeServer]) -> None:
    """Ways that answered are told with rows and dates; those without what they need are no ways; nothing is written."""
    result = _probe(tmp_path, servers)
    assert result.exit_code == 0, result.output
    cells = [line.split()[:-1] for line in result.stdout.splitlines() if " ok " in line]
    assert cells == [
        ["ust_10y", "fred:DGS10", "ok", "10", "2023-12-01", "2024-01-09"],
        ["vix", "cboe:VIX", "ok", "10", "2023-12-01", "2024-01-09"],
    ]
    assert "2 of 2 ways answered for the 10 days until 2024-01-09; nothing was stored." in result.stdout
    (header,) = (line.split() for line in result.stdout.splitlines() if line.startswith("dataset "))
    assert header == ["dataset", "way", "answer", "rows", "sent", "from", "sent", "to", "seconds"]
    asking, first, second = result.stderr.splitlines()
    assert asking == "Asking 2 ways ..."
    assert first.startswith("  1/2 ust_10y by fred:DGS10: ok, ")
    assert second.startswith("  2/2 vix by cboe:VIX: ok, ")
    assert not (tmp_path / "root").exists()


def test_way_without_a_row_of_these_days_is_not_ok(tmp_path: Path, servers: tuple[FredServer, CboeServer]) -> None:
    """An answer whose rows end before the ten days is one, and says so; it is no failure."""
    servers[0].install(faults.frozen(date(2023, 12, 29)), series="DGS10", times=1)
    result = _probe(tmp_path, servers)
    assert result.exit_code == 0, result.output
    (line,) = (line.split() for line in result.stdout.splitlines() if line.startswith("ust_10y "))
    assert line[:-1] == ["ust_10y", "fred:DGS10", "no", "row", "0", "2023-12-01", "2023-12-29"]
    assert "1/2 ust_10y by fred:DGS10: no row, " in result.stderr


def test_replies_are_told_as_they_come(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for a slow way has read what the others said."""
    heard: list[str] = []

    def ask(*_: object) -> Iterator[Reply]:
        yield Reply("vix", "cboe:VIX", 0.1, 7)
        heard.append(capsys.readouterr().err)
        yield Reply("ust_10y", "fred:DGS10", 30.0, error=ErrorInfo("SourceUnavailableError", "silent"))

    monkeypatch.setattr(probing, "ask", ask)
    context = Context(settings=Settings(root=tmp_path, dagster_home=tmp_path), yesterday=TODAY)
    replies = doctor_probe.probe(context, Catalog({}, {}), quiet=False)
    assert heard == ["Asking 0 ways ...\n  1/0 vix by cboe:VIX: ok, 0.1 s\n"]
    assert capsys.readouterr().err.endswith("ust_10y by fred:DGS10: FAILED, 30.0 s\n")
    assert [reply.dataset for reply in replies] == ["vix", "ust_10y"]


def test_way_that_fails_is_told_and_the_others_are_asked(
    tmp_path: Path, servers: tuple[FredServer, CboeServer]
) -> None:
    """A source that does not answer ends the command with 1, and its error is whole, with a command for this shell."""
    servers[0].install(faults.not_found(), series="DGS10", times=2)
    result = _probe(tmp_path, servers)
    assert result.exit_code == 1
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["ust_10y", "fred:DGS10", "FAILED"] in [row[:3] for row in rows]
    assert ["vix", "cboe:VIX", "ok"] in [row[:3] for row in rows]
    assert "failed: ust_10y by fred:DGS10, UnknownSeriesError" in result.stdout
    document = json.loads(_probe(tmp_path, servers, "--json").stdout)
    failed, answered = document["probe"]
    assert (failed["dataset"], failed["answered"], failed["rows"]) == ("ust_10y", False, None)
    assert failed["error"]["type"] == "UnknownSeriesError"
    assert f"MACROCREDIT_ROOT={tmp_path / 'root'} macrocredit " in failed["error"]["message"]
    assert {**answered, "seconds": 0} == {
        "dataset": "vix",
        "way": "cboe:VIX",
        "answered": True,
        "rows": 10,
        "first": "2023-12-01",
        "last": "2024-01-09",
        "seconds": 0,
        "error": None,
    }
    assert not (tmp_path / "root").exists()


def test_catalog_that_cannot_be_read_is_the_problem(tmp_path: Path, servers: tuple[FredServer, CboeServer]) -> None:
    """Where there is no catalog nobody can be asked; the problem is told as without --probe."""
    result = _probe(tmp_path, servers, catalog="datasets: [")
    assert result.exit_code == 1
    assert "Profile public has no way that could be asked." in result.stdout
    assert "Problem: " in result.stdout
