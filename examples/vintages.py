"""What becomes of a series when its publisher changes it: real files, downloaded twice, loaded one after the other.

Run it with: uv run python examples/vintages.py [FOLDER]

FOLDER has the files; without it, MACROCREDIT_TEST_DATA names it, or it is ../shared/data beside this checkout. Each
trial asks for the same window twice, from the older download and from the newer one, prints what changed, and reads
back what was known in between. Everything else happens in a temporary directory.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from macrocredit_assets import load
from macrocredit_assets.catalog import DatasetSpec, load_catalog
from macrocredit_assets.catalog.models import FileWay
from macrocredit_assets.ingest import ingest, stored_beside
from macrocredit_assets.persistence import AssetRecord
from macrocredit_assets.settings import Settings
from macrocredit_assets.sources import FileSource, Route
from macrocredit_assets.stores import open_store
from macrocredit_assets.windows import Window
from macrocredit_assets.writing import write

#: The day on which all of this is looked at: every file ends before it.
TODAY = date(2026, 7, 31)

#: What each trial asks for.
WINDOW = Window(date(1990, 1, 1), date(2026, 7, 30))


@dataclass(frozen=True)
class Download:
    """One file, and how it is written."""

    file: str
    columns: Mapping[str, str]
    date_column: str = "date"
    date_format: str | None = None
    factor: float = 1.0

    def way(self, series: str) -> FileWay:
        """Describe it as a catalog would."""
        return FileWay.model_validate(
            {
                "series": series,
                "path": self.file,
                "date_column": self.date_column,
                "date_format": self.date_format,
                "columns": {ours: {"column": theirs, "factor": self.factor} for ours, theirs in self.columns.items()},
            }
        )


@dataclass(frozen=True)
class Trial:
    """Two downloads of one series."""

    title: str
    dataset: str
    series: str
    older: Download
    newer: Download
    watched: tuple[str, ...]


_OHLC = {"open": "OPEN", "high": "HIGH", "low": "LOW", "close": "CLOSE"}
_VIX = Download("vix_daily_cboe.csv", _OHLC, "DATE")
_IG, _HY = {"spread": "cdx_ig"}, {"spread": "cdx_hy"}
_PROVISIONAL, _FINAL = "cdx_ig_hy_5y_defB_vintage_20241210.csv", "cdx_ig_hy_5y_defB.csv"

TRIALS = (
    Trial(
        "Rows are appended",
        "vix",
        "cboe:VIX",
        Download("vix_daily_cboe_vintage_20260509.csv", _OHLC, "DATE", "%m/%d/%Y"),
        _VIX,
        ("2026-05-08", "2026-07-23"),
    ),
    Trial(
        "An old date is inserted late",
        "vix",
        "cboe:VIX",
        Download("vix_daily_cboe_vintage_20241119.csv", _OHLC, "DATE", "%m/%d/%Y"),
        _VIX,
        ("2006-05-03", "2006-05-04", "2006-05-05"),
    ),
    Trial(
        "The last row was provisional: investment grade",
        "cdx_ig_5y",
        "vendor_b:CDX_IG_5Y",
        Download(_PROVISIONAL, _IG, ""),
        Download(_FINAL, _IG, ""),
        ("2024-12-09", "2024-12-10", "2024-12-11"),
    ),
    Trial(
        "The last row was provisional: high yield",
        "cdx_hy_5y",
        "vendor_b:CDX_HY_5Y",
        Download(_PROVISIONAL, _HY, ""),
        Download(_FINAL, _HY, ""),
        ("2024-12-09", "2024-12-10", "2024-12-11"),
    ),
    Trial(
        "The newer download starts later: OAS",
        "us_hy_oas",
        "fred:BAMLH0A0HYM2",
        Download("fred_BAMLH0A0HYM2.csv", {"oas": "BAMLH0A0HYM2"}, factor=100),
        Download("fred_BAMLH0A0HYM2_vintage_20250928.csv", {"oas": "BAMLH0A0HYM2"}, "observation_date", factor=100),
        ("1996-12-31", "2008-12-15", "2026-02-06"),
    ),
    Trial(
        "The newer download starts later: CDX",
        "cdx_ig_5y",
        "vendor_b:CDX_IG_5Y",
        Download(_FINAL, _IG, ""),
        Download("cdx_ig_hy_5y_defB_vintage_20241129_short.csv", _IG, "Date"),
        ("2008-11-20", "2020-01-02", "2024-12-27"),
    ),
)


def run_trial(trial: Trial, data: Path, root: Path) -> None:
    """Load the older download, then the newer one, and read both states back."""
    print(f"\n{trial.title}\n{'=' * len(trial.title)}")
    spec = load_catalog().datasets[trial.dataset]
    settings = Settings(root=root, dagster_home=root / ".dagster", profile="files", files=data)
    for download in (trial.older, trial.newer):
        report(download, fetch_and_write(spec, trial.series, download, settings))

    before, *_ = open_store(settings, spec).revisions()
    known, now = load(spec.name, as_of=before.known_at, settings=settings), load(spec.name, settings=settings)
    print(f"\n{'':10}  {'known after the first':>22}  {'known now':>10}")
    for day in trial.watched:
        print(f"{day}  {value(known, spec, day):>22}  {value(now, spec, day):>10}")
    print(f"{'rows':10}  {len(known):>22,}  {len(now):>10,}")
    same = known.equals(as_published(data, trial.older, spec))
    print(f"As known after the first download, every row and value is that of {trial.older.file}: {same}")


def fetch_and_write(spec: DatasetSpec, series: str, download: Download, settings: Settings) -> AssetRecord:
    """Ask a download for everything since 1990, and store the answer, as a backfill does."""
    way, source = download.way(series), FileSource(settings.files)
    ingested = ingest(
        spec,
        WINDOW,
        Route(series, (way,)),
        {source.name: source},
        stored=stored_beside(open_store(settings, spec), WINDOW, series),
        today=TODAY,
    )
    return write(settings, spec, ingested, run_id=download.file)


def report(download: Download, record: AssetRecord) -> None:
    """Say what a write did."""
    result = record.result
    assert result is not None  # noqa: S101 - a write that failed has raised
    counts = {"new": result.inserted, "changed": result.changed, "the same": result.unchanged, "kept": result.vanished}
    said = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    print(f"{download.file}: {said}; {f'revision {result.revision}' if result.revision else 'no revision'}")
    for change in result.changes:
        print(f"  {change.date} {change.column}: {change.old} became {change.new}")
    for finding in record.findings:
        if finding.rule in {"vanished", "truncated"}:
            print(f"  {finding.severity} {finding.rule}: {finding.message}")


def value(frame: pd.DataFrame, spec: DatasetSpec, day: str) -> str:
    """Return the main column's value of a day as people read it."""
    stamp = pd.Timestamp(day)
    return f"{frame[spec.main].loc[stamp]:g}" if stamp in frame.index else "-"


def as_published(data: Path, download: Download, spec: DatasetSpec) -> pd.DataFrame:
    """Read a download with plain pandas, nothing of this package: what the store is held against."""
    header = download.date_column or "Unnamed: 0"
    raw = pd.read_csv(data / download.file, index_col=header)
    raw.index = pd.to_datetime(raw.index, format=download.date_format or "%Y-%m-%d").as_unit("us").rename("date")
    frame = raw[list(download.columns.values())].set_axis(list(download.columns), axis="columns").dropna(how="all")
    if download.factor != 1:
        frame = (frame * download.factor).round(spec.columns[spec.main].decimals)
    return frame[frame.index >= "1990-01-01"].sort_index()


def find_data() -> Path:
    """Return the folder with the files."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MACROCREDIT_TEST_DATA", beside))
    if not folder.is_dir():
        sys.exit(f"There is no folder {folder}. Name the folder with the files: python examples/vintages.py FOLDER")
    return folder


def main() -> None:
    """Run every trial in a root of its own, gone afterwards."""
    data = find_data()
    for trial in TRIALS:
        with tempfile.TemporaryDirectory() as directory:
            run_trial(trial, data, Path(directory).resolve())


if __name__ == "__main__":
    main()
