"""The table of real files in docs/quality.md: what every rule finds in each of them, as the page says it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.catalog.check_parameters import DatasetChecks, Reference
from macrocredit_assets.catalog.models import DatasetSpec, FileWay
from macrocredit_assets.findings import Finding
from macrocredit_assets.quality import RULES, examine, judge, needs
from macrocredit_assets.sources import FileSource
from macrocredit_assets.windows import Coverage, Window

SINCE_1990 = Window.parse("1990-01-01", "2026-12-31")
TODAY = date(2027, 1, 4)
DATASETS = load_catalog().datasets
US = "%m/%d/%Y"
OHLC = ("open", "high", "low", "close")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "quality.md"


@dataclass(frozen=True)
class Column:
    """A column of a real file, and the dataset as which it is judged; without a header, as the catalog reads it.

    One that is another kind of rate than the dataset is not held to its usual range, nor to how long it stands still.
    """

    file: str
    dataset: str
    header: str | None = None
    described: Mapping[str, Any] = field(default_factory=dict)
    is_another: bool = False

    def spec(self) -> DatasetSpec:
        """Return the entry, with this file as its only way."""
        spec = DATASETS[self.dataset]
        own = [way for way in spec.ways if isinstance(way, FileWay) and way.path == f"{self.file}.csv"]
        if self.header is not None:
            factor = self.described.get("factor", 1)
            said = {key: value for key, value in self.described.items() if key != "factor"}
            columns = {spec.main: {"column": self.header, "factor": factor}}
            if "ohlc" in said:
                columns = {name: {"column": header} for name, header in zip(OHLC, said.pop("ohlc"), strict=True)}
            own = [FileWay.model_validate({"series": "real:x", "path": f"{self.file}.csv", "columns": columns, **said})]
        spec = spec.model_copy(update={"ways": tuple(own)})
        if not self.is_another:
            return spec
        main = spec.columns[spec.main].model_copy(update={"plausible": None})
        return spec.model_copy(update={"columns": {spec.main: main}, "checks": DatasetChecks()})


_LONG = {"ohlc": ("OPEN", "HIGH", "LOW", "CLOSE"), "date_column": "DATE"}
_YAHOO = {"ohlc": ("Open", "High", "Low", "Close"), "date_column": "Date"}
_IN_PERCENT = {"factor": 100, "date_column": "observation_date"}
_DOTS = {"date_column": "DATE", "missing": (".",)}

#: Every column of the real files that is daily and of a kind that the catalog knows.
COLUMNS = (
    Column("vix_daily_cboe", "vix"),
    Column("vix_daily_cboe_vintage_20260509", "vix", "", {**_LONG, "date_format": US}),
    Column("vix_daily_cboe_vintage_20241119", "vix", "", {**_LONG, "date_format": US}),
    Column("vix_daily_arch", "vix", "vix", {"date_column": "Date", "date_format": US, "missing": (".",)}),
    Column("fred_VIXCLS", "vix", "VIXCLS", {"date_column": "observation_date"}),
    Column("move_daily_yahoo", "move"),
    Column("hyg_daily_yahoo", "hyg"),
    Column("lqd_daily_yahoo", "lqd"),
    Column("tlt_daily_yahoo", "tlt"),
    Column("spy_daily_yahoo", "spy"),
    Column("hyg_daily_yahoo_autoadj", "hyg", "", _YAHOO),
    Column("spx_ohlcv_yahoo_1927_2020", "sp500"),
    Column("spx_close_yahoo", "sp500"),
    Column("fred_BAMLH0A0HYM2", "us_hy_oas"),
    Column("fred_BAMLH0A0HYM2_vintage_20250928", "us_hy_oas", "BAMLH0A0HYM2", _IN_PERCENT),
    Column("fred_BAMLC0A0CM", "us_ig_oas"),
    Column("fred_BAA10Y", "baa_10y"),
    Column("fred_DGS2", "ust_2y"),
    Column("fred_DGS10", "ust_10y"),
    Column("fred_DBAA", "ust_10y", "DBAA", _DOTS, is_another=True),
    Column("fred_T10Y2Y", "ust_10y", "T10Y2Y", {"date_column": "Date"}, is_another=True),
    Column("fred_TEDRATE", "ust_10y", "TEDRATE", _DOTS, is_another=True),
    Column("cdx_ig_hy_5y_defB", "cdx_ig_5y"),
    Column("cdx_ig_hy_5y_defB", "cdx_hy_5y"),
    Column("cdx_ig_hy_5y_defB_vintage_20241210", "cdx_ig_5y", "cdx_ig", {"date_column": ""}),
    Column("cdx_ig_hy_5y_defB_vintage_20241210", "cdx_hy_5y", "cdx_hy", {"date_column": ""}),
    Column("cdx_ig_hy_5y_defB_vintage_20241129_short", "cdx_ig_5y", "cdx_ig", {"date_column": "Date"}),
    Column("cdx_ig_hy_5y_defB_vintage_20241129_short", "cdx_hy_5y", "cdx_hy", {"date_column": "Date"}),
    Column("cdx_ig_hy_em_5y_defA", "cdx_ig_5y", "CDX.IG", {"date_column": "Date", "date_format": US}),
    Column("cdx_ig_hy_em_5y_defA", "cdx_hy_5y", "CDX.HY", {"date_column": "Date", "date_format": US}),
    Column("cdx_ig_spread_tenors_defB", "cdx_ig_5y", "5Y", {"date_column": "Date"}),
    Column("cdx_hy_spread_tenors_defB", "cdx_hy_5y", "5Y", {"date_column": "Date"}),
    Column("cds_index_spreads_with_series_long", "itraxx_main_5y"),
    Column("cds_index_spreads_with_series_long", "itraxx_xover_5y"),
    Column(
        "cds_index_spreads_with_series_long",
        "cdx_ig_5y",
        "spread_bps",
        {"filters": {"index_name": "US_IG", "tenor": "5Y"}},
    ),
    Column(
        "cds_index_spreads_with_series_long",
        "cdx_hy_5y",
        "spread_bps",
        {"filters": {"index_name": "US_HY", "tenor": "5Y"}},
    ),
    Column("bbg_index_oas_wide", "us_ig_oas", "us_ig_oas", {"date_column": ""}),
    Column("bbg_index_oas_wide", "us_hy_oas", "us_hy_oas", {"date_column": ""}),
)


def read(folder: Path, spec: DatasetSpec) -> pd.DataFrame:
    """Return the rows of the spec's first way since 1990."""
    frame = FileSource(folder).fetch(spec, spec.ways[0], SINCE_1990).frame
    return frame[~frame.index.duplicated(keep="last")].sort_index()


def examined(folder: Path, spec: DatasetSpec) -> dict[str, Finding]:
    """Return the findings by rule, where all days between the first and the last row are covered."""
    frame, needed = read(folder, spec), needs(spec)
    reference = None
    if needed.reference is not None:
        dataset, column = needed.reference
        reference = read(folder, Column(REFERENCES[dataset], dataset).spec())[column]
    span = Window(frame.index[0].date(), frame.index[-1].date())
    found = examine(spec, SINCE_1990, frame, coverage=Coverage((span,)), reference=reference, today=TODAY)
    return {one.rule: one for findings in found.values() for one in findings}


REFERENCES = {"us_ig_oas": "fred_BAMLC0A0CM", "us_hy_oas": "fred_BAMLH0A0HYM2"}


def said_by_the_page() -> dict[tuple[str, str], tuple[int, dict[str, int]]]:
    """Return (file, dataset) -> rows and counts of rules, from the page's table."""
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (\d+) \| ([^|]*) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    return {
        (file, dataset): (int(count), {rule: int(n) for rule, n in re.findall(r"`(\w+)` (\d+)", found)})
        for file, dataset, count, found in rows
    }


def column_of(file: str, dataset: str) -> Column:
    """Return one of the columns."""
    return next(each for each in COLUMNS if (each.file, each.dataset) == (file, dataset))


def test_the_page_lists_every_column_once() -> None:
    """Nothing is missing on either side."""
    assert [*said_by_the_page()] == [(each.file, each.dataset) for each in COLUMNS]


def test_the_page_lists_every_rule() -> None:
    """Check, severity, sentence and parameter stand there as in the list of rules."""
    expected = "\n".join(
        f"| `{rule.name}` | {rule.check} | {rule.severity}{', can be waived' if rule.acceptable else ''} | "
        f"{rule.sentence} | {f'`{rule.parameter}`' if rule.parameter else ''} |"
        for rule in RULES
    )
    assert expected in PAGE.read_text("utf-8"), f"docs/quality.md must have these rows:\n{expected}"


@pytest.mark.slow
@pytest.mark.parametrize("column", COLUMNS, ids=lambda each: f"{each.file}-{each.dataset}")
def test_real_files(real_data: Path, column: Column) -> None:
    """Every rule finds in the file what the page says, and none finds more."""
    found = {rule: one.count for rule, one in examined(real_data, column.spec()).items()}
    assert (len(read(real_data, column.spec())), found) == said_by_the_page()[column.file, column.dataset]


# what is known to be wrong in the files, by their own description


def test_the_bad_rows_of_vix(real_data: Path) -> None:
    """47 rows break the order of open, high, low and close; the first and the worst of them are known."""
    spec = column_of("vix_daily_cboe", "vix").spec()
    bad = examined(real_data, spec)["ohlc_order"]
    assert (bad.count, bad.examples[0]["date"]) == (47, "1992-02-11")
    worst = judge(spec, read(real_data, spec).loc["2004-11-08":"2004-11-08"])
    assert [one.rule for one in worst] == ["plausible_bounds", "ohlc_order"]


def test_the_stale_print_of_move(real_data: Path) -> None:
    """The close of 2023-03-15 is that of the day before; it is found on that day already, with what was stored."""
    spec = column_of("move_daily_yahoo", "move").spec()
    frame = read(real_data, spec)
    assert frame.loc["2023-03-14":"2023-03-16", "close"].round(2).to_list() == [169.65, 169.65, 167.96]
    stored = frame.loc["2022-12-05":"2023-03-14"]
    (hit,) = judge(spec, frame.loc["2023-03-15":"2023-03-15"], stored)
    assert (hit.rule, hit.severity, hit.examples[0]["date"]) == ("repeated_close", "warning", "2023-03-15")
    assert judge(spec, frame.loc["2023-03-14":"2023-03-14"], stored.iloc[:-1]) == ()


@pytest.mark.parametrize("dataset", ["cdx_ig_5y", "cdx_hy_5y"])
def test_the_filled_holidays_and_the_rolls_of_cdx(real_data: Path, dataset: str) -> None:
    """All 56 holidays of definition A repeat the day before; its rolls, 19 bp in September 2020, are no jumps."""
    spec = column_of("cdx_ig_hy_em_5y_defA", dataset).spec()
    found = examined(real_data, spec)
    assert found["forward_filled_holiday"].count == found["closed_day"].count == 56
    assert [example["date"] for example in found["jump"].examples] == ["2020-03-09"]
    if dataset == "cdx_ig_5y":
        unrolled = examined(real_data, spec.model_copy(update={"rolls": None}))["jump"]
        assert [example["date"] for example in unrolled.examples] == ["2020-03-09", "2020-09-21"]


def test_the_gaps_of_cdx(real_data: Path) -> None:
    """21 days until 2006-03-20 and 20 until 2010-03-18 have no row."""
    gap = examined(real_data, column_of("cdx_ig_hy_5y_defB", "cdx_ig_5y").spec())["gap"]
    stretches = {(example["start"], example["end"]): example["sessions"] for example in gap.examples}
    assert stretches["2006-02-28", "2006-03-17"] == 14
    assert stretches["2010-03-01", "2010-03-17"] == 13


# references that a catalog may name


def test_vix_and_its_copy_on_fred(real_data: Path) -> None:
    """They are equal on all shared days; a close that is a cent off on one side is found."""
    spec = column_of("vix_daily_cboe", "vix").spec()
    checks = DatasetChecks(reference=Reference(dataset="vixcls", column="close", within=0.005))
    spec = spec.model_copy(update={"checks": checks})
    copy = read(real_data, column_of("fred_VIXCLS", "vix").spec())["close"]

    def drifted(reference: pd.Series[float]) -> int:
        frame = read(real_data, spec)
        found = examine(
            spec, SINCE_1990, frame, coverage=Coverage(), reference=reference, today=TODAY, checks=["jumps"]
        )
        return sum(one.count for one in found["jumps"] if one.rule == "drift")

    assert drifted(copy) == 0
    copy.loc["2020-03-16"] += 0.01
    assert drifted(copy) == 1


def test_cdx_drifts_from_the_wrong_bonds(real_data: Path) -> None:
    """Its own bonds were always inside the band, as the page's table has it; those of the other quality never are."""
    spec = column_of("cdx_ig_hy_5y_defB", "cdx_hy_5y").spec()
    wrong = read(real_data, column_of("fred_BAMLC0A0CM", "us_ig_oas").spec())["oas"]
    frame = read(real_data, spec)
    found = examine(spec, SINCE_1990, frame, coverage=Coverage(), reference=wrong, today=TODAY, checks=["jumps"])
    drift = next(one for one in found["jumps"] if one.rule == "drift")
    assert drift.count == len(frame.index.intersection(wrong.dropna().index))
