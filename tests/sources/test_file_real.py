"""Every real file is read by some file way, with the counts and values that the notes beside the files state."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from macrocredit_assets.catalog.models import Column, DatasetSpec, FileColumn, FileWay
from macrocredit_assets.sources import Fetched, FileSource
from macrocredit_assets.windows import Window

EVERYTHING = Window(date(1900, 1, 1), date(2100, 1, 1))
US = "%m/%d/%Y"


@dataclass(frozen=True)
class Case:
    """A file, how it is described, and what is known of it."""

    path: str
    date_column: str
    value: str
    rows: int
    missing: int
    first: str
    last: str
    date_format: str | None = None
    filters: dict[str, str] = field(default_factory=dict)


HY_SPREAD = "cdx_hy_spread_tenors_defB.csv"
IG_SPREAD = "cdx_ig_spread_tenors_defB.csv"
HY_PRICE = "cdx_hy_price_tenors_sidebyside.csv"
LONG = "cds_index_spreads_with_series_long.csv"

CASES = [
    Case("vix_daily_cboe.csv", "DATE", "CLOSE", 9235, 0, "1990-01-02", "2026-07-23"),
    Case("vix_daily_cboe.csv", "DATE", "OPEN", 9235, 0, "1990-01-02", "2026-07-23"),
    Case("vix_daily_cboe_vintage_20260509.csv", "DATE", "CLOSE", 9181, 0, "1990-01-02", "2026-05-08", US),
    Case("vix_daily_cboe_vintage_20241119.csv", "DATE", "CLOSE", 8802, 0, "1990-01-02", "2024-11-18", US),
    Case("vix_daily_arch.csv", "Date", "vix", 1305, 46, "2014-01-03", "2019-01-03", US),
    Case("fred_VIXCLS.csv", "observation_date", "VIXCLS", 6974, 223, "1999-01-04", "2025-09-25"),
    Case("move_daily_yahoo.csv", "Date", "Close", 3795, 0, "2010-01-04", "2025-05-30"),
    Case("hyg_daily_yahoo.csv", "Date", "Close", 4739, 0, "2007-04-11", "2026-02-09"),
    Case("lqd_daily_yahoo.csv", "Date", "Close", 5921, 0, "2002-07-30", "2026-02-09"),
    Case("tlt_daily_yahoo.csv", "Date", "Volume", 5921, 0, "2002-07-30", "2026-02-09"),
    Case("spy_daily_yahoo.csv", "Date", "Close", 8314, 0, "1993-01-29", "2026-02-09"),
    Case("hyg_daily_yahoo_autoadj.csv", "Date", "Close", 3876, 0, "2010-01-04", "2025-05-30"),
    Case("spx_ohlcv_yahoo_1927_2020.csv", "Date", "Close", 23300, 0, "1927-12-30", "2020-10-02"),
    Case("spx_close_yahoo.csv", "Date", "^GSPC", 6723, 0, "1999-01-04", "2025-09-24"),
    Case("fred_BAMLH0A0HYM2.csv", "date", "BAMLH0A0HYM2", 7693, 94, "1996-12-31", "2026-02-06"),
    Case(
        "fred_BAMLH0A0HYM2_vintage_20250928.csv",
        "observation_date",
        "BAMLH0A0HYM2",
        7064,
        81,
        "1999-01-04",
        "2025-09-25",
    ),
    Case("fred_BAMLC0A0CM.csv", "observation_date", "BAMLC0A0CM", 7063, 82, "1999-01-04", "2025-09-24"),
    Case("fred_BAA10Y.csv", "Date", "BAA10Y", 10561, 441, "1986-01-02", "2026-06-25"),
    Case("fred_DBAA.csv", "DATE", "DBAA", 9066, 339, "1986-01-02", "2020-10-01"),
    Case("fred_DGS2.csv", "observation_date", "DGS2", 6974, 286, "1999-01-04", "2025-09-25"),
    Case("fred_DGS10.csv", "DATE", "DGS10", 15330, 654, "1962-01-02", "2020-10-05"),
    Case("fred_T10Y2Y.csv", "Date", "T10Y2Y", 13064, 550, "1976-06-01", "2026-06-26"),
    Case("fred_TEDRATE.csv", "DATE", "TEDRATE", 9064, 531, "1986-01-02", "2020-09-29"),
    Case("moodys_aaa_baa_monthly_arch.csv", "Date", "BAA", 1200, 0, "1919-01-01", "2018-12-01", US),
    Case("cdx_ig_hy_5y_defB.csv", "", "cdx_ig", 5133, 1, "2004-11-22", "2024-12-27"),
    Case("cdx_ig_hy_5y_defB.csv", "", "cdx_hy", 5133, 1104, "2009-04-02", "2024-12-27"),
    Case("cdx_ig_hy_5y_defB_vintage_20241210.csv", "", "cdx_ig", 5120, 1, "2004-11-22", "2024-12-10"),
    Case("cdx_ig_hy_5y_defB_vintage_20241129_short.csv", "Date", "cdx_ig", 1274, 0, "2020-01-02", "2024-11-29"),
    Case("cdx_ig_hy_em_5y_defA.csv", "Date", "CDX.IG", 1369, 0, "2020-01-02", "2025-04-01", US),
    Case(HY_PRICE, "Date", "3Y_price", 1254, 209, "2020-12-01", "2024-12-02"),
    Case(HY_PRICE, "Date.1", "5Y_price", 1254, 252, "2020-12-01", "2024-12-02"),
    Case(HY_PRICE, "Date.3", "10Y_price", 1254, 1245, "2022-12-08", "2022-12-20"),
    Case(IG_SPREAD, "Date", "5Y", 1045, 7, "2020-12-01", "2024-12-02"),
    Case(HY_SPREAD, "Date", "10Y", 1045, 184, "2021-01-25", "2024-11-29"),
    Case(
        LONG, "date", "spread_bps", 701, 0, "2023-01-03", "2025-10-09", filters={"index_name": "EU_IG", "tenor": "5Y"}
    ),
    Case(
        LONG, "date", "spread_bps", 184, 0, "2023-01-02", "2025-09-19", filters={"index_name": "US_HY", "tenor": "3Y"}
    ),
    Case("bbg_index_oas_wide.csv", "", "us_hy_oas", 5550, 0, "2002-10-01", "2024-12-27"),
    Case("bbg_index_oas_wide.csv", "", "cad_ig_oas_>10yr", 5550, 3801, "2002-12-31", "2024-12-27"),
]

# file, column, date, value
KNOWN = [
    ("vix_daily_cboe.csv", "CLOSE", "2008-11-20", 80.86),
    ("vix_daily_cboe.csv", "CLOSE", "2020-03-16", 82.69),
    ("vix_daily_cboe.csv", "CLOSE", "2026-07-23", 18.7),
    ("vix_daily_cboe.csv", "OPEN", "2004-11-08", 2.58),
    ("vix_daily_cboe.csv", "OPEN", "2006-02-08", 41.6),
    ("vix_daily_cboe_vintage_20260509.csv", "CLOSE", "2026-05-08", 17.19),
    ("vix_daily_cboe_vintage_20241119.csv", "CLOSE", "2024-11-18", 15.58),
    ("vix_daily_arch.csv", "vix", "2014-01-03", 13.76),
    ("vix_daily_arch.csv", "vix", "2019-01-03", 25.45),
    ("fred_VIXCLS.csv", "VIXCLS", "1999-01-04", 26.17),
    ("move_daily_yahoo.csv", "Close", "2010-01-04", 106.4000015258789),
    ("hyg_daily_yahoo.csv", "Close", "2007-04-11", 104.3499984741211),
    ("lqd_daily_yahoo.csv", "Close", "2002-07-31", 101.98999786376953),
    ("tlt_daily_yahoo.csv", "Volume", "2026-02-09", 24676400),
    ("spy_daily_yahoo.csv", "Close", "1993-01-29", 43.9375),
    ("hyg_daily_yahoo_autoadj.csv", "Close", "2010-01-04", 34.39797592163086),
    ("spx_ohlcv_yahoo_1927_2020.csv", "Close", "1927-12-30", 17.66),
    ("spx_ohlcv_yahoo_1927_2020.csv", "Close", "2020-10-02", 3348.419922),
    ("spx_close_yahoo.csv", "^GSPC", "2025-09-24", 6637.97021484375),
    ("fred_BAMLH0A0HYM2.csv", "BAMLH0A0HYM2", "2008-12-15", 21.82),
    ("fred_BAMLH0A0HYM2_vintage_20250928.csv", "BAMLH0A0HYM2", "2008-12-15", 21.82),
    ("fred_BAMLC0A0CM.csv", "BAMLC0A0CM", "2008-12-05", 6.56),
    ("fred_BAA10Y.csv", "BAA10Y", "2008-12-04", 6.16),
    ("fred_BAA10Y.csv", "BAA10Y", "2026-06-25", 1.54),
    ("fred_DBAA.csv", "DBAA", "1986-01-02", 11.38),
    ("fred_DGS2.csv", "DGS2", "1999-01-05", 4.64),
    ("fred_DGS10.csv", "DGS10", "1981-09-30", 15.84),
    ("fred_T10Y2Y.csv", "T10Y2Y", "1976-06-01", 0.68),
    ("fred_TEDRATE.csv", "TEDRATE", "2008-10-10", 4.58),
    ("moodys_aaa_baa_monthly_arch.csv", "BAA", "1919-01-01", 7.12),
    ("cdx_ig_hy_5y_defB.csv", "cdx_ig", "2008-11-20", 269.492),
    ("cdx_ig_hy_5y_defB.csv", "cdx_ig", "2004-11-22", 48.986),
    ("cdx_ig_hy_5y_defB.csv", "cdx_hy", "2009-04-02", 1366.104),
    ("cdx_ig_hy_5y_defB_vintage_20241210.csv", "cdx_ig", "2024-12-10", 47.549),
    ("cdx_ig_hy_5y_defB_vintage_20241129_short.csv", "cdx_ig", "2020-01-02", 50.966),
    ("cdx_ig_hy_em_5y_defA.csv", "CDX.IG", "2020-09-18", 71.371),
    ("cdx_ig_hy_em_5y_defA.csv", "CDX.IG", "2020-09-21", 52.383),
    (HY_PRICE, "3Y_price", "2024-12-02", 107.402),
    (HY_PRICE, "5Y_price", "2024-11-29", 108.579),
    (HY_PRICE, "10Y_price", "2022-12-20", 96.9979),
    (IG_SPREAD, "5Y", "2024-12-02", 47.2771),
    (HY_SPREAD, "10Y", "2024-11-28", 334.0113),
    ("bbg_index_oas_wide.csv", "us_hy_oas", "2008-12-16", 1961.858249),
    ("bbg_index_oas_wide.csv", "us_hy_oas", "2002-10-01", 987.413426),
    ("bbg_index_oas_wide.csv", "cad_ig_oas_>10yr", "2024-12-27", 151.0145),
]


def fetch(folder: Path, case: Case, window: Window = EVERYTHING) -> Fetched:
    """Read the one value column of a case, unconverted."""
    way = FileWay(
        series="real:file",
        path=case.path,
        columns={"value": FileColumn(column=case.value)},
        date_column=case.date_column,
        date_format=case.date_format,
        filters=case.filters,
    )
    spec = DatasetSpec(
        name="real",
        title="Real",
        instrument="X",
        group="real",
        owner="team:real",
        description="A real file.",
        columns={"value": Column(unit="bp", decimals=4)},
        main="value",
        calendar="daily",
        ways=(way,),
    )
    return FileSource(folder).fetch(spec, way, window)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.path}-{case.value}")
def test_counts(real_data: Path, case: Case) -> None:
    """Rows, missing cells, first and last date with a value of a file are what its notes say."""
    fetched = fetch(real_data, case)
    assert fetched.rows_read == case.rows
    assert fetched.dropped.get("missing", 0) == case.missing
    assert len(fetched.frame) == case.rows - case.missing
    assert (str(fetched.first), str(fetched.last)) == (case.first, case.last)
    assert fetched.frame.index.is_unique


@pytest.mark.parametrize(("path", "column", "day", "value"), KNOWN)
def test_known_values(real_data: Path, path: str, column: str, day: str, value: float) -> None:
    """A value read by eye in the file comes out bit for bit."""
    (case,) = (case for case in CASES if (case.path, case.value) == (path, column))
    assert fetch(real_data, case).frame["value"].loc[pd.Timestamp(day)] == value


def test_every_real_file_is_among_the_cases(real_data: Path) -> None:
    """No file in the folder is left out of the table above."""
    assert {path.name for path in real_data.glob("*.csv")} == {case.path for case in CASES}


@pytest.mark.parametrize(
    ("path", "peak", "day"),
    [
        ("fred_BAMLH0A0HYM2.csv", 21.82, "2008-12-15"),
        ("fred_BAMLC0A0CM.csv", 6.56, "2008-12-05"),
        ("fred_BAA10Y.csv", 6.16, "2008-12-04"),
        ("fred_DGS10.csv", 15.84, "1981-09-30"),
        ("fred_TEDRATE.csv", 4.58, "2008-10-10"),
    ],
)
def test_peaks(real_data: Path, path: str, peak: float, day: str) -> None:
    """The highest value of a FRED file, and its first day, are what its notes say."""
    (case,) = (case for case in CASES if case.path == path)
    values = fetch(real_data, case).frame["value"]
    assert (values.max(), f"{values.idxmax():%Y-%m-%d}") == (peak, day)


@pytest.mark.parametrize(("path", "count"), [("fred_BAMLH0A0HYM2.csv", 99), ("fred_BAMLC0A0CM.csv", 90)])
def test_weekend_month_ends_stay(real_data: Path, path: str, count: int) -> None:
    """Option-adjusted spreads have values on weekend month-ends, and a reader does not drop them."""
    (case,) = (case for case in CASES if case.path == path)
    index = fetch(real_data, case).frame.index
    assert isinstance(index, pd.DatetimeIndex)
    assert int((index.day_of_week >= 5).sum()) == count


def test_a_window_of_a_real_file(real_data: Path) -> None:
    """September 2023 of the HY OAS file has its Saturday month-end, and the rest of the file is counted as outside."""
    (case,) = (case for case in CASES if case.path == "fred_BAMLH0A0HYM2.csv")
    fetched = fetch(real_data, case, Window(date(2023, 9, 29), date(2023, 9, 30)))
    assert [f"{day:%Y-%m-%d}" for day in fetched.frame.index] == ["2023-09-29", "2023-09-30"]
    assert fetched.dropped == {"outside_window": 7691}
