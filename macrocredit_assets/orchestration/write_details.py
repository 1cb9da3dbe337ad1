"""What the UI shows of a write at a glance: a picture, the last rows, and which values it put in place of which.

What belongs here: pictures and tables out of the record of a write and the rows around it, and which partition is told
what. Numbers, and the values of single days, are in ``metadata.py``.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from math import isnan
from pathlib import Path

import dagster as dg
import pandas as pd

from macrocredit_assets.catalog import DatasetSpec, Entry, SignalSpec
from macrocredit_assets.charts import data_uri, line_chart, short, sparkline
from macrocredit_assets.orchestration.finding_metadata import finding_metadata
from macrocredit_assets.orchestration.metadata import (
    DETAILED_PARTITIONS,
    Value,
    partition_metadata,
    write_metadata,
)
from macrocredit_assets.persistence.records import AssetRecord, WriteResult
from macrocredit_assets.settings import Settings
from macrocredit_assets.stores import open_store
from macrocredit_assets.windows import Coverage, Window

__all__ = ["told_of_write"]

_YEAR = timedelta(days=365)
_ROWS = 5
_CHANGES = 10  # of each kind
_COLUMNS = 8

_CHANGES_SCHEMA = dg.TableSchema(
    [
        dg.TableColumn("date", "string"),
        dg.TableColumn("what", "string", "inserted, changed, or vanished: it did not come again, and was kept"),
        dg.TableColumn("column", "string"),
        dg.TableColumn("old", "float"),
        dg.TableColumn("new", "float"),
    ]
)


def told_of_write(
    settings: Settings,
    entry: DatasetSpec | SignalSpec,
    record: AssetRecord,
    window: Window,
    run_log: Path,
    *,
    today: date,
) -> dict[str, dict[str, Value]]:
    """Return what each partition of a window that was written is told, by its key.

    Every partition gets its own values, and the way to the run log. Pictures and tables stand on the last one, which is
    what the page of the asset shows; so do the numbers of the write, where the window is long.

    Parameters
    ----------
    settings, entry
        Where the rows are, and what they are.
    record, window
        What became of the write, and what was asked for.
    run_log
        The document of the run.
    today
        The date in New York.
    """
    result = record.result
    coverage, first, last = (result.coverage, result.first, result.last) if result else (Coverage(), None, None)
    # from the file, not from what came: rows that the source no longer has are kept, and are there
    rows = open_store(settings, entry).read_frame(_shown_window(window, last), _shown_columns(entry))
    values = rows[entry.main].loc[pd.Timestamp(window.start) : pd.Timestamp(window.end)]
    days = partition_metadata(entry, values, window, coverage, first=first, today=today)
    picture = settings.charts_directory / run_log.parent.name / run_log.stem / f"{entry.name}.svg"
    details = _details(entry, record, rows, window, picture)
    link: dict[str, Value] = {"run_log": dg.MetadataValue.path(str(run_log))}
    numbers, key = write_metadata(record) | link, window.end.isoformat()
    days[key] = details | days[key] | numbers
    more = link if _is_long(window) else numbers
    for told in days.values():  # in place: there may be thousands
        told.update(more)
    return days


def _is_long(window: Window) -> bool:
    return window.days > DETAILED_PARTITIONS


def _shown_window(window: Window, last: date | None) -> Window:
    """Return the days of a write and the year up to the last row.

    Where the window ends more than a year before that row, the year is the one up to the window's end.
    """
    if last is None:
        return window
    end = last if window.end >= last - _YEAR else window.end
    return Window(min(window.start, end - _YEAR), max(window.end, end))


def _shown_columns(entry: Entry) -> list[str]:
    """Return the main column and, of a wide table, those that stand first."""
    others = [name for name in entry.columns if name != entry.main]
    shown = {entry.main, *others[: _COLUMNS - 1]}
    return [name for name in entry.columns if name in shown]


def _details(entry: Entry, record: AssetRecord, rows: pd.DataFrame, window: Window, picture: Path) -> dict[str, Value]:
    values = rows[entry.main].dropna()
    details = _pictures(entry, values, window)
    if _is_long(window):
        details["chart_file"] = _chart_file(entry, values, window, picture)
    if len(rows):
        details["last_rows"] = _last_rows(entry, rows)
    if record.result and (changes := list(_changes(entry, record.result, rows))):
        changes.sort(key=lambda row: str(row.data["date"]), reverse=True)
        details["changes"] = dg.MetadataValue.table(changes, _CHANGES_SCHEMA)
        details |= _left_out(record.result)
    return details | finding_metadata(record.findings)


def _pictures(entry: Entry, values: pd.Series, window: Window) -> dict[str, Value]:
    """Return the last year twice: a bare line, which pages show at once, and a chart behind a click."""
    year = values[values.index >= values.index[-1] - _YEAR] if len(values) else values
    column, marked = entry.columns[entry.main], None if _is_long(window) else window
    # the number before the line: what stands last is cut off in a narrow window
    last = f"**{short(float(values.iloc[-1]))}** {column.unit}" if len(values) else "no values"
    chart = line_chart(year, window=window, title=entry.title, unit=f"{entry.main}, {column.unit}")
    return {
        "last_year": dg.MetadataValue.md(f"{last} ![]({data_uri(sparkline(year, window=marked))})"),
        "chart": dg.MetadataValue.md(f"![{entry.name}]({data_uri(chart)})"),
    }


def _chart_file(entry: Entry, values: pd.Series, window: Window, picture: Path) -> dg.MetadataValue:
    """Draw all of a long window to a file; a picture that cannot be stored is no reason to fail what is stored."""
    unit = f"{entry.main}, {entry.columns[entry.main].unit}"
    svg = line_chart(values, window=window, title=entry.title, unit=unit, width=960, height=320)
    try:
        picture.parent.mkdir(parents=True, exist_ok=True)
        # not through `atomic`: what can be drawn again need not survive a power cut, and waiting for the disk shows
        picture.write_text(svg, "utf-8")
    except OSError as error:
        return dg.MetadataValue.text(f"not stored: {error}")
    return dg.MetadataValue.path(str(picture))


def _last_rows(entry: Entry, rows: pd.DataFrame) -> dg.MetadataValue:
    columns = [dg.TableColumn(name, "float", entry.columns[name].unit) for name in rows.columns]
    last = rows.tail(_ROWS).round({name: entry.columns[name].decimals for name in rows.columns})
    cells = last.to_numpy(dtype=float, na_value=float("nan")).tolist()
    records = [
        dg.TableRecord({"date": day.isoformat(), **dict(zip(last.columns, map(_shown, row), strict=True))})
        for day, row in zip(pd.DatetimeIndex(last.index).date, cells, strict=True)
    ]
    return dg.MetadataValue.table(records, dg.TableSchema([dg.TableColumn("date", "string"), *columns]))


def _changes(entry: Entry, result: WriteResult, rows: pd.DataFrame) -> Iterator[dg.TableRecord]:
    """Yield the newest values of each kind; a row that came or vanished is told by its main column."""
    values = rows[entry.main].astype(float)

    def row(day: date, what: str, column: str, old: float | None, new: float | None) -> dg.TableRecord:
        cells = {"date": day.isoformat(), "what": what, "column": column, "old": _shown(old), "new": _shown(new)}
        return dg.TableRecord(cells)

    for change in result.changes[-_CHANGES:]:
        yield row(change.date, "changed", change.column, change.old, change.new)
    for day in result.vanished_dates[-_CHANGES:]:
        yield row(day, "vanished", entry.main, values.get(pd.Timestamp(day)), None)
    for day in result.inserted_dates[-_CHANGES:]:
        yield row(day, "inserted", entry.main, None, values.get(pd.Timestamp(day)))


def _left_out(result: WriteResult) -> dict[str, Value]:
    """Return how much of what became of the rows is shown, where that is not all of it."""
    kinds = (
        ("values in", result.changes, result.changed, "changed"),
        ("of", result.vanished_dates, result.vanished, "vanished"),
        ("of", result.inserted_dates, result.inserted, "inserted"),
    )
    parts = [f"{_CHANGES} {of} {rows:,} {what}" for of, known, rows, what in kinds if len(known) > _CHANGES]
    return {"changes_shown": f"the newest: {', '.join(parts)}"} if parts else {}


def _shown(value: float | None) -> float | None:
    """Return a number to ten digits, for nobody sees a change of the eleventh; None where there is none."""
    return None if value is None or isnan(value) else float(f"{value:.10g}")
