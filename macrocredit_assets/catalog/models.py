"""The strict models behind ``datasets.yaml``: what a dataset is, and by which ways it can be had.

What belongs here: shapes and the rules within one entry. Rules between entries, and reading files, are in
``loader.py``; every unknown key is an error.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

__all__ = [
    "BloombergWay",
    "CalendarName",
    "CboeWay",
    "Column",
    "CustomWay",
    "DatasetSpec",
    "Entry",
    "FileWay",
    "FredWay",
    "Input",
    "RollDays",
    "SampleWay",
    "SignalSpec",
    "Way",
]

CalendarName = Literal["us_equity", "us_bond", "ice_oas", "target", "weekdays", "daily"]
Unit = Literal["bp", "percent", "USD", "index points", "shares", "ratio", "z-score", "bp vol"]


class Strict(BaseModel):
    """A frozen model without unknown keys and without coercion of types."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Bounds(Strict):
    """A closed numeric interval, in the column's unit."""

    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Bounds:
        if self.high <= self.low:
            raise ValueError(f"high {self.high} must be above low {self.low}")
        return self


class Column(Strict):
    """One column of a dataset."""

    dtype: Literal["float64", "int64"] = "float64"
    unit: Unit
    decimals: int = Field(ge=0, le=10, description="converted values are rounded to this many decimals")
    description: str = ""
    plausible: Bounds | None = Field(None, description="outside is a warning")
    hard: Bounds | None = Field(None, description="outside is an error that stops the write")

    @model_validator(mode="after")
    def _nested(self) -> Column:
        inner, outer = self.plausible, self.hard
        if inner and outer and not (outer.low <= inner.low and inner.high <= outer.high):
            raise ValueError("plausible bounds must lie within hard bounds")
        return self


class RollDays(Strict):
    """When the on-the-run series changes: on this day of these months."""

    months: tuple[int, ...]
    day: int = Field(ge=1, le=31)


class FileColumn(Strict):
    """Where a column comes from in a file, and how its numbers become ours."""

    column: str = Field(description="the header in the file; an empty string is an unnamed column")
    factor: float = Field(1.0, description="multiplier to our unit: 100 from percent to bp")


class _WayBase(Strict):
    series: str = Field(description="what the numbers are, 'publisher:identifier', whichever way they come")

    @field_validator("series")
    @classmethod
    def _identified(cls, value: str) -> str:
        publisher, _, identifier = value.partition(":")
        if not publisher or not identifier:
            raise ValueError(f"{value!r} is no series; write it as publisher:identifier, such as fred:DGS10")
        return value


class FileWay(_WayBase):
    """A CSV or Parquet file that archives a series."""

    source: Literal["file"] = "file"
    path: str = Field(description="relative to the folder in MACROCREDIT_FILES")
    columns: dict[str, FileColumn]
    date_column: str = "date"
    date_format: str | None = Field(None, description="strptime format; None is ISO 8601")
    filters: dict[str, str] = Field(default_factory=dict, description="rows to keep in a long file: column -> text")
    missing: tuple[str, ...] = ()
    separator: str = ","
    decimal: str = "."
    encoding: str = "utf-8-sig"


class FredWay(_WayBase):
    """A FRED series."""

    source: Literal["fred"] = "fred"
    series_id: str
    column: str
    factor: float = 1.0


class CboeWay(_WayBase):
    """A history file of Cboe."""

    source: Literal["cboe"] = "cboe"
    symbol: str


class BloombergWay(_WayBase):
    """Fields of a Bloomberg ticker."""

    source: Literal["bloomberg"] = "bloomberg"
    ticker: str
    fields: dict[str, str] = Field(description="our column -> Bloomberg field")


class SampleWay(_WayBase):
    """A component of the simulated market."""

    source: Literal["sample"] = "sample"
    model: Literal["spread", "oas", "yield", "volatility", "etf", "index"]
    level: float = Field(gt=0, description="the calm level, in the unit of the main column")
    stress: float = Field(description="level in a full crisis, as a multiple of the calm one")
    noise: float = Field(gt=0, description="daily idiosyncratic volatility, relative")
    starts: date | None = Field(None, description="first simulated date; None is 1990-01-01")


class CustomWay(_WayBase):
    """A way of a source that another package registered under ``macrocredit_assets.sources``."""

    source: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    options: dict[str, str | int | float | bool] = Field(default_factory=dict)


Way = FileWay | FredWay | CboeWay | BloombergWay | SampleWay | CustomWay


class Entry(Strict):
    """What market datasets and signals share; ``name`` is the key under which the entry stands."""

    name: str
    title: str
    instrument: str
    tenor: str | None = None
    group: str
    owner: str
    description: str
    columns: dict[str, Column] = Field(min_length=1)
    main: str = Field(description="the column that charts and panels show")
    calendar: CalendarName

    @model_validator(mode="after")
    def _main_is_a_column(self) -> Entry:
        if self.main not in self.columns:
            raise ValueError(f"main column {self.main!r} is not among the columns {', '.join(self.columns)}")
        return self


class DatasetSpec(Entry):
    """A market dataset: one named table, one row per date."""

    kind: Literal["market"] = "market"
    publication_lag: int = Field(1, ge=0, description="sessions after which a session's row must be there")
    rolls: RollDays | None = None
    ways: tuple[Way, ...] = Field(min_length=1)


class Input(Strict):
    """One column of another dataset that a signal reads."""

    dataset: str
    column: str


class SignalSpec(Entry):
    """A dataset that a pure function derives from others."""

    kind: Literal["signal"] = "signal"
    function: str = Field(description="name of a built-in signal, or of an entry point in macrocredit_assets.signals")
    inputs: dict[str, Input] = Field(min_length=1, description="argument of the function -> what it is given")
    lookback: int = Field(0, ge=0, description="rows of each input needed before a date, on shared dates")
    parameters: dict[str, int | float | str] = Field(default_factory=dict)
