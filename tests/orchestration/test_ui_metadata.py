"""What the UI shows of an asset: words, formula, terms, lineage, where its spec is; and of a write, pictures."""

import base64
import functools
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.orchestration.attribution import attribution_of
from macrocredit_assets.orchestration.build import build_definitions
from macrocredit_assets.orchestration.descriptions import formula_of
from macrocredit_assets.orchestration.io_manager import ParquetIOManager
from macrocredit_assets.orchestration.partitions import DAILY
from macrocredit_assets.orchestration.write_details import _shown_columns, _shown_window
from macrocredit_assets.persistence import DatasetStore
from macrocredit_assets.settings import Settings
from macrocredit_assets.signals import SIGNALS, SignalContext
from macrocredit_assets.windows import Window

_OWN = """\
datasets:
  desk_vix:
    title: Our VIX
    instrument: VIX
    group: desk
    owner: team:desk
    description: As we see it.
    calendar: us_equity
    main: close
    columns: {close: {unit: index points, decimals: 2}}
    ways:
      - {source: sample, series: "sample:vix", model: volatility, level: 15, stress: 5, noise: 0.1}
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a catalog file of a desk's own, with a second dataset of a shipped series."""
    path = tmp_path_factory.mktemp("desk") / "own.yaml"
    path.write_text(_OWN)
    return path


@pytest.fixture(scope="module")
def definitions(own: Path) -> dg.Definitions:
    """Build the definitions of a deployment of sample data."""
    return build_definitions(Settings(root=own.parent, dagster_home=own.parent / ".dagster", catalog=own))


@pytest.fixture(scope="module")
def graph(definitions: dg.Definitions) -> AssetGraph:
    """Return their assets."""
    return definitions.resolve_asset_graph()


@pytest.fixture(scope="module")
def public(own: Path) -> AssetGraph:
    """Return the assets of a deployment of public data."""
    settings = Settings(root=own.parent, dagster_home=own.parent / ".dagster", profile="public")
    return build_definitions(settings).resolve_asset_graph()


def _described(graph: AssetGraph, *key: str) -> str:
    return graph.get(dg.AssetKey(key)).description or ""


def _written_at(graph: AssetGraph, *key: str) -> list[str]:
    """Return the lines of text that the code references of an asset point to."""
    references = graph.get(dg.AssetKey(key)).metadata["dagster/code_references"].code_references
    return [Path(each.file_path).read_text("utf-8").splitlines()[each.line_number - 1].strip() for each in references]


def test_dataset_says_unit_source_and_formula(public: AssetGraph) -> None:
    """The first line is what the lineage shows; the formula is how the publisher's percent become basis points."""
    lines = _described(public, "us_hy_oas").splitlines()
    assert lines[0] == "US high yield corporate OAS, in bp."
    assert "- **Series:** `fred:BAMLH0A0HYM2`, published by FRED, Federal Reserve Bank of St. Louis" in lines
    assert "- **Way:** `fred:BAMLH0A0HYM2`" in lines
    assert "- **Formula:** `oas = 100 * BAMLH0A0HYM2`" in lines
    assert "- **Calendar:** `ice_oas`; the row of a session is due 2 sessions later" in lines
    assert any(line.startswith("- **Pool:** `source_fred`") for line in lines)


def test_dataset_that_rolls_says_when(graph: AssetGraph) -> None:
    """Jumps of an on-the-run series are expected on these days."""
    assert "- **Rolls:** 27 March, 27 September" in _described(graph, "cdx_hy_5y").splitlines()
    assert "the row of a session is due at its end" in _described(graph, "cdx_hy_5y")


def test_dataset_that_cannot_be_served_says_so(public: AssetGraph) -> None:
    """Without a way there is no pool either, and the command that explains it is named."""
    described = _described(public, "cdx_ig_5y")
    assert "macrocredit doctor" in described
    assert "**Pool:**" not in described


def test_signal_says_its_formula_and_inputs(graph: AssetGraph) -> None:
    """The formula is that of the function's docstring; inputs, parameters and lookback are those of the entry."""
    described = _described(graph, "cdx_vix_gap")
    assert described.startswith("CDX HY against VIX, in z-score.\n\n")
    assert "**Formula** (`cdx_vix_gap`): ``gap[t] = z(spread)[t] - z(vix)[t]`` where" in described
    assert "\nParameters\n" not in described
    for fact in ("**spread:** `cdx_hy_5y.spread`, bp", "**observations:** 252", "**Rows before a date:** 251,"):
        assert f"- {fact}" in described


def _one_line(inputs: pd.DataFrame, context: SignalContext) -> pd.Series:
    """Return the spread itself."""
    return inputs["spread"]


def test_formula_of_any_function() -> None:
    """A docstring of one sentence is that sentence; a function without one says so, as does an object."""
    assert formula_of(_one_line) == "Return the spread itself."
    assert formula_of(SIGNALS["cash_cds_basis"]).startswith("``basis[t] = oas[t] - spread[t]``, in basis points.")
    for undescribed in (lambda inputs, context: inputs["spread"], functools.partial(_one_line), None):
        assert formula_of(undescribed) == "not described; the function has no docstring."


def test_source_says_whose_it_is_and_on_what_terms(public: AssetGraph) -> None:
    """An external asset has a description, terms, an owner, a kind and the page of the series."""
    node = public.get(dg.AssetKey(["source", "fred", "BAMLH0A0HYM2"]))
    assert (node.description or "").startswith("BAMLH0A0HYM2, as published by FRED")
    assert "- **Feeds:** `us_hy_oas`, US high yield corporate OAS" in (node.description or "")
    assert "- **Terms:** Free, with FRED named as the source." in (node.description or "")
    assert (node.group_name, list(node.owners), node.kinds) == ("sources", ["team:macro-credit"], {"fred"})
    assert node.metadata["page"].value == "https://fred.stlouisfed.org/series/BAMLH0A0HYM2"


def test_source_of_two_datasets_feeds_both(graph: AssetGraph) -> None:
    """Two datasets of one series share its external asset, and their owners both stand there."""
    node = graph.get(dg.AssetKey(["source", "sample", "vix"]))
    assert "`vix`, Cboe Volatility Index" in (node.description or "")
    assert "`desk_vix`, Our VIX" in (node.description or "")
    assert list(node.owners) == ["team:macro-credit", "team:desk"]


def test_unknown_publisher_is_named_and_its_terms_are_open() -> None:
    """Nothing is guessed about a vendor that is not documented."""
    vendor = attribution_of("vendor_b:CDX_IG_5Y")
    assert (vendor.name, vendor.page_of("CDX_IG_5Y")) == ("vendor_b", None)
    assert vendor.terms.startswith("Not recorded.")
    assert attribution_of("yahoo:^GSPC").page_of("^GSPC") == "https://finance.yahoo.com/quote/%5EGSPC"


def test_code_references_point_to_the_spec(graph: AssetGraph) -> None:
    """The line of the entry in whichever file has it, the line of the way, and that of a signal's function."""
    assert _written_at(graph, "cdx_ig_5y") == ["cdx_ig_5y:"]
    assert _written_at(graph, "desk_vix") == ["desk_vix:"]
    assert _written_at(graph, "source", "sample", "cdx_ig_5y") == ["- source: sample"]
    entry, function = _written_at(graph, "spread_momentum_hy")
    assert entry == "spread_momentum_hy:"
    assert function.startswith("def spread_momentum(")


def test_columns_of_signals_have_their_lineage(graph: AssetGraph) -> None:
    """Each column of a signal names the columns of its inputs, which exist; so does its description."""
    catalog = load_catalog()
    for name, spec in catalog.signals.items():
        lineage = graph.get(dg.AssetKey(name)).metadata["dagster/column_lineage"].value
        assert {*lineage.deps_by_column} == {*spec.columns}
        for column in lineage.deps_by_column[spec.main]:
            assert column.column_name in catalog.entry(column.asset_key.path[0]).columns
    columns = graph.get(dg.AssetKey("cash_cds_basis_ig")).metadata["dagster/column_schema"].value.columns
    assert columns[1].description == (
        "OAS minus CDX spread [bp, 4 decimals], from `us_ig_oas.oas` and `cdx_ig_5y.spread`"
    )


def test_everything_that_is_launched_is_described(definitions: dg.Definitions) -> None:
    """Jobs and schedules say what they do; the tags that a run takes stand with the job."""
    repository = definitions.get_repository_def()
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    assert len(jobs) >= 2
    for launched in [*jobs, *repository.schedule_defs]:
        assert len(launched.description or "") > 40, launched.name
    assert "`macrocredit/allow_withdrawals`" in (repository.get_job("ingest").description or "")


# what the UI shows of a write


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Open an instance in memory, and dispose of it."""
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


_Metadata = Mapping[str, dg.MetadataValue[Any]]


def _write(root: Path, instance: dg.DagsterInstance, rows: Mapping[str, float], window: str) -> dict[str, _Metadata]:
    """Materialize the 10-year yield over a window; return the metadata of each partition."""
    frame = pd.DataFrame({"yield": [*rows.values()]}, pd.DatetimeIndex([*rows], name="date"))

    @dg.asset(partitions_def=DAILY, backfill_policy=dg.BackfillPolicy.single_run())
    def ust_10y() -> pd.DataFrame:
        return frame

    start, end = window.split("..")
    result = dg.materialize(
        [ust_10y],
        instance=instance,
        resources={"io_manager": ParquetIOManager(root=str(root))},
        tags={"dagster/asset_partition_range_start": start, "dagster/asset_partition_range_end": end},
    )
    events = result.get_asset_materialization_events()
    return {event.partition or "": event.materialization.metadata for event in events}


def _records(metadata: _Metadata, key: str) -> list[Mapping[str, object]]:
    return [record.data for record in metadata[key].value.records]


def _picture(metadata: _Metadata, key: str) -> ET.Element:
    uri = metadata[key].value.split("](")[1].split(")")[0]
    svg = base64.b64decode(uri.removeprefix("data:image/svg+xml;base64,"))
    return ET.fromstring(svg)  # noqa: S314 - our own text


def test_write_is_shown_on_the_last_partition(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    """Pictures, the last five rows, and what was inserted, changed and vanished, with old and new values."""
    first = {"2024-01-02": 3.95, "2024-01-03": 3.91, "2024-01-04": 3.99, "2024-01-05": 4.05}
    _write(tmp_path, instance, first, "2024-01-01..2024-01-05")
    second = {"2024-01-04": 3.98, "2024-01-08": 4.01, "2024-01-09": 4.02}
    days = _write(tmp_path, instance, second, "2024-01-04..2024-01-09")
    last = days["2024-01-09"]
    assert _records(last, "changes") == [
        {"date": "2024-01-09", "what": "inserted", "column": "yield", "old": None, "new": 4.02},
        {"date": "2024-01-08", "what": "inserted", "column": "yield", "old": None, "new": 4.01},
        {"date": "2024-01-05", "what": "vanished", "column": "yield", "old": 4.05, "new": None},
        {"date": "2024-01-04", "what": "changed", "column": "yield", "old": 3.99, "new": 3.98},
    ]
    assert "changes_shown" not in last
    head = DatasetStore(tmp_path / "data/raw/ust_10y.parquet").head()
    assert head is not None
    # of `sha256:...` what a table has room for
    assert last["content_hash"].value == head.content_hash[7:19]
    assert [row["yield"] for row in _records(last, "last_rows")] == [3.91, 3.98, 4.05, 4.01, 4.02]
    assert _records(last, "last_rows")[-1]["date"] == "2024-01-09"
    assert "US Treasury 10Y yield" in "".join(_picture(last, "chart").itertext())
    assert _picture(last, "last_year").attrib["height"] == "40"
    assert last["last_year"].value.startswith("**4.020** percent ![](")
    assert (len(last["chart"].value) < 8_000, len(last["last_year"].value) < 1_000) == (True, True)
    assert Path(last["run_log"].value).parent.parent == tmp_path / "logs" / "runs"
    assert last["written"].value == "2 inserted, 1 changed, 1 vanished"
    assert {"yield", "state", "written", "run_log"} <= {*days["2024-01-08"]}
    assert not {"chart", "last_year", "last_rows", "changes", "chart_file"} & {*days["2024-01-08"]}
    assert "chart_file" not in last


def test_long_window_is_a_picture_in_a_file(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    """Above 31 partitions all of the window is drawn to a file, which stands once, with the details, on the last."""
    rows = {str(day.date()): 4.0 + 0.001 * day.day for day in pd.bdate_range("2024-01-02", "2024-02-09")}
    days = _write(tmp_path, instance, rows, "2024-01-01..2024-02-09")
    assert [day for day, metadata in days.items() if "chart_file" in metadata] == ["2024-02-09"]
    assert {*days["2024-02-08"]} == {"dagster/partition_row_count", "state", "yield", "run_log"}
    picture = Path(days["2024-02-09"]["chart_file"].value)
    run_log = Path(days["2024-02-09"]["run_log"].value)
    assert picture == tmp_path / "logs" / "charts" / run_log.parent.name / run_log.stem / "ust_10y.svg"
    assert ET.parse(picture).getroot().attrib["width"] == "960"  # noqa: S314 - our own file
    assert "2024-01-01 to 2024-02-09" in picture.read_text()
    assert days["2024-02-09"]["dagster/row_count"].value == len(rows)
    changes = _records(days["2024-02-09"], "changes")
    assert [row["date"] for row in changes] == [*rows][:-11:-1]
    assert days["2024-02-09"]["changes_shown"].value == f"the newest: 10 of {len(rows)} inserted"


def test_picture_that_cannot_be_stored_fails_nothing(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    """The rows are stored by then: the metadata says why there is no picture."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "charts").write_text("in the way")
    days = _write(tmp_path, instance, {"2024-01-02": 3.95}, "2024-01-01..2024-02-29")
    assert days["2024-02-29"]["chart_file"].value.startswith("not stored: ")


def test_window_without_a_row_is_shown_all_the_same(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    """A closed day in an empty dataset has a picture that says so, and no tables."""
    days = _write(tmp_path, instance, {}, "2024-01-01..2024-01-01")
    assert days["2024-01-01"]["last_year"].value.startswith("no values ![](")
    assert "no values" in "".join(_picture(days["2024-01-01"], "chart").itertext())
    assert days["2024-01-01"]["written"].value == "no rows"
    assert not {"last_rows", "changes"} & {*days["2024-01-01"]}


@pytest.mark.parametrize(
    ("window", "last", "shown"),
    [
        ("2024-10-16..2024-10-25", date(2024, 10, 25), "2023-10-26..2024-10-25"),
        ("2024-10-26..2024-10-27", date(2024, 10, 25), "2023-10-26..2024-10-27"),  # a weekend after it
        ("2024-03-01..2024-03-05", date(2024, 10, 25), "2023-10-26..2024-10-25"),  # within the year: the last one
        ("2010-03-01..2010-03-05", date(2024, 10, 25), "2009-03-05..2010-03-05"),  # long ago: its own year
        ("2019-01-01..2024-10-25", date(2024, 10, 25), "2019-01-01..2024-10-25"),
        ("2024-01-01..2024-01-01", None, "2024-01-01..2024-01-01"),
    ],
)
def test_a_year_is_shown_beside_the_window(window: str, last: date | None, shown: str) -> None:
    """The year up to the last row, unless the window lies before it."""
    assert str(_shown_window(Window.parse(*window.split("..")), last)) == shown


def test_wide_table_is_shown_in_part(own: Path) -> None:
    """Of a hundred columns eight are shown, and the main one is among them."""
    columns = {f"c{number}": {"unit": "bp", "decimals": 1} for number in range(100)}
    wide = _OWN.replace("columns: {close: {unit: index points, decimals: 2}}", f"columns: {json.dumps(columns)}")
    path = own.with_name("wide.yaml")
    path.write_text(
        wide.replace("main: close", "main: c50")
        .replace("- {source: sample", "- {source: ours, options: {}")
        .replace(", model: volatility, level: 15, stress: 5, noise: 0.1", "")
    )
    assert _shown_columns(load_catalog(path).entry("desk_vix")) == [*(f"c{number}" for number in range(7)), "c50"]
