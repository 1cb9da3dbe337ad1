"""The strict models behind ``datasets.yaml``: what a dataset is, and what a signal is.

What belongs here: shapes and the rules within one entry. The ways to a dataset are in ``ways.py``; rules between
entries are in ``rules.py``, and reading files is in ``loader.py``.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from macrocredit_assets.catalog.check_parameters import Bounds, DatasetChecks, EntryChecks
from macrocredit_assets.catalog.special_days import CalendarName, SpecialDays
from macrocredit_assets.catalog.ways import (
    BloombergWay,
    CboeWay,
    CustomWay,
    FileColumn,
    FileWay,
    FredWay,
    SampleWay,
    Strict,
    Way,
)

__all__ = [
    "FILLED_IN",
    "BloombergWay",
    "Bounds",
    "CalendarName",
    "CatalogFile",
    "CboeWay",
    "Column",
    "CustomWay",
    "DatasetSpec",
    "Entry",
    "FileColumn",
    "FileWay",
    "FredWay",
    "Input",
    "RollDays",
    "SampleWay",
    "SignalSpec",
    "SpecialDays",
    "Unit",
    "Way",
]

Unit = Literal["bp", "percent", "USD", "index points", "shares", "ratio", "z-score", "bp vol"]

#: Keys of an entry that the loader fills in from elsewhere in the file; no entry writes them.
FILLED_IN = ("name", "kind", "special_days")

#: A name that is a column header, a keyword argument and part of a file name at once.
ColumnName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


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

    @model_validator(mode="after")
    def _whole_numbers(self) -> Column:
        if self.dtype == "int64" and self.decimals:
            raise ValueError(f"an int64 column has no decimals, not {self.decimals}")
        return self


class RollDays(Strict):
    """When the on-the-run series changes: on this day of these months."""

    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = Field(min_length=1)
    day: int = Field(ge=1, le=31)

    def dates(self, first: date, last: date) -> tuple[date, ...]:
        """Return the roll days of a closed range in order; a month without that day rolls on its last one."""
        days = (
            date(year, month, min(self.day, monthrange(year, month)[1]))
            for year in range(first.year, last.year + 1)
            for month in sorted(self.months)
        )
        return tuple(day for day in days if first <= day <= last)


class Entry(Strict):
    """What market datasets and signals share.

    ``name`` is the key under which the entry stands, and ``special_days`` are those that the file's ``calendars`` have
    for the entry's calendar: they travel with the entry, so that everything that knows an entry knows its sessions.
    """

    name: str
    title: str
    instrument: str
    tenor: str | None = None
    group: str = Field(pattern=r"^[A-Za-z0-9_]+$", description="under which the asset stands in the UI")
    owner: str = Field(description="an e-mail address, or team:name")
    description: str
    columns: dict[ColumnName, Column] = Field(min_length=1)
    main: str = Field(description="the column that charts and panels show")
    calendar: CalendarName
    # not in dumps: what is checked does not make the entry's code another one
    checks: EntryChecks = Field(default=EntryChecks(), exclude=True, description="parameters of the rules")
    # nor does a closed day more
    special_days: SpecialDays = Field(default_factory=SpecialDays, exclude=True)

    @field_validator("owner")
    @classmethod
    def _reachable(cls, value: str) -> str:
        # Dagster takes nothing else, and would say so only when the definitions load
        team, mail = value.removeprefix("team:"), value.partition("@")
        if (value.startswith("team:") and team) or (mail[0] and "." in mail[2]):
            return value
        raise ValueError(f"{value!r} is no owner; write an e-mail address or team:name")

    @model_validator(mode="after")
    def _main_is_a_column(self) -> Entry:
        if self.main not in self.columns:
            raise ValueError(f"main column {self.main!r} is not among the columns {', '.join(self.columns)}")
        return self

    @model_validator(mode="after")
    def _date_is_the_index(self) -> Entry:
        if "date" in self.columns:
            raise ValueError("a column cannot be called 'date': that is the index of every dataset")
        return self


class DatasetSpec(Entry):
    """A market dataset: one named table, one row per date."""

    kind: Literal["market"] = "market"
    publication_lag: int = Field(1, ge=0, description="sessions after which a session's row must be there")
    chunk: Literal["year"] | None = Field(None, description="year: one file a year, for wide tables; else one file")
    rolls: RollDays | None = Field(None, description="days on which the on-the-run series changes")
    checks: DatasetChecks = Field(default=DatasetChecks(), exclude=True, description="parameters of the rules")
    # not in dumps: like a closed day, the end of a series does not make the entry's code another one
    ended: date | None = Field(
        None, exclude=True, description="the last day of a series that is published no more; no session follows it"
    )
    ways: tuple[Way, ...] = Field(min_length=1, description="in order of preference")

    @model_validator(mode="after")
    def _ways_fit_the_columns(self) -> DatasetSpec:
        for number, way in enumerate(self.ways):
            brings = way.brings
            if brings is None:
                continue
            if unknown := sorted(brings - set(self.columns)):
                raise ValueError(
                    f"ways[{number}] ({way.source}) brings {', '.join(unknown)}, which is not among the columns "
                    f"{', '.join(self.columns)}"
                )
            if self.main not in brings:
                raise ValueError(f"ways[{number}] ({way.source}) does not bring the main column {self.main!r}")
        return self


class Input(Strict):
    """One column of another dataset that a signal reads."""

    dataset: str
    column: str


class SignalSpec(Entry):
    """A dataset that a pure function derives from others."""

    kind: Literal["signal"] = "signal"
    function: str = Field(description="name of a built-in signal, or of an entry point in macrocredit_assets.signals")
    inputs: dict[ColumnName, Input] = Field(min_length=1, description="argument of the function -> what it is given")
    lookback: int = Field(0, ge=0, description="rows of each input needed before a date, on shared dates")
    parameters: dict[str, int | float | str] = Field(default_factory=dict, description="what the function is given")


class CatalogFile(Strict):
    """A whole catalog file, the shipped one or a user's own."""

    extends: Literal["default", "none"] = Field(
        "default",
        description="default: add to the shipped catalog, replacing entries by name; none: use this file alone",
    )
    remove: tuple[str, ...] = Field((), description="names of shipped entries to leave out")
    datasets: dict[str, DatasetSpec] = Field(default_factory=dict, description="market datasets by name")
    signals: dict[str, SignalSpec] = Field(default_factory=dict, description="signals by name")
    calendars: dict[CalendarName, SpecialDays] = Field(
        default_factory=dict, description="open and closed days of your own; they win over the shipped calendars"
    )
