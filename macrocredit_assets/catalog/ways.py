"""The ways by which a series reaches us: one strict model per source, told apart by ``source``.

What belongs here: what a catalog says about a way. How it is used is the business of the source.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

__all__ = [
    "WAYS",
    "BloombergWay",
    "CboeWay",
    "CustomWay",
    "FileColumn",
    "FileWay",
    "FredWay",
    "SampleWay",
    "Strict",
    "Way",
]


class Strict(BaseModel):
    """A frozen model without unknown keys; the loader reads it without coercion of types as well."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
        if not publisher.strip() or not identifier.strip():
            raise ValueError(f"{value!r} is no series; write it as publisher:identifier, such as fred:DGS10")
        return value

    @property
    def brings(self) -> frozenset[str] | None:
        """The columns this way has values for; None is whatever the dataset has."""
        return None


class FileWay(_WayBase):
    """A CSV or Parquet file that archives a series."""

    source: Literal["file"] = "file"
    path: str = Field(description="relative to the folder in MACROCREDIT_FILES")
    columns: dict[str, FileColumn] = Field(min_length=1, description="our column -> where it stands in the file")
    date_column: str = Field("date", description="the header in the file; an empty string is an unnamed column")
    date_format: str | None = Field(None, description="strptime format; without one, ISO 8601")
    filters: dict[str, str] = Field(default_factory=dict, description="rows to keep in a long file: column -> text")
    missing: tuple[str, ...] = Field((), description="texts that mean no value, beside an empty cell")
    separator: str = Field(",", min_length=1, max_length=1, description="between cells; a blank may repeat")
    decimal: str = Field(".", min_length=1, max_length=1)
    encoding: str = "utf-8-sig"

    @property
    def brings(self) -> frozenset[str]:
        """The columns this way has values for."""
        return frozenset(self.columns)


class FredWay(_WayBase):
    """A FRED series."""

    source: Literal["fred"] = "fred"
    series_id: str = Field(description="as FRED calls it: DGS10")
    column: str = Field(description="our column")
    factor: float = Field(1.0, description="multiplier to our unit: 100 from percent to bp")

    @property
    def brings(self) -> frozenset[str]:
        """The columns this way has values for."""
        return frozenset({self.column})


class CboeWay(_WayBase):
    """A history file of Cboe, with open, high, low and close."""

    source: Literal["cboe"] = "cboe"
    symbol: str = Field(description="as in the name of the file: VIX")


class BloombergWay(_WayBase):
    """Fields of a Bloomberg ticker."""

    source: Literal["bloomberg"] = "bloomberg"
    ticker: str = Field(description="with its yellow key: VIX Index")
    fields: dict[str, str] = Field(min_length=1, description="our column -> Bloomberg field")
    factor: float = Field(1.0, description="multiplier to our unit: 100 from percent to bp")

    @property
    def brings(self) -> frozenset[str]:
        """The columns this way has values for."""
        return frozenset(self.fields)


class SampleWay(_WayBase):
    """A component of the simulated market."""

    source: Literal["sample"] = "sample"
    model: Literal["spread", "oas", "yield", "volatility", "etf", "index"]
    level: float = Field(gt=0, description="when calm; yields and bond prices at 4 % rates, equities in 1990")
    stress: float = Field(gt=0, description="level in a full crisis, as a multiple of the calm one")
    noise: float = Field(gt=0, description="daily idiosyncratic volatility, relative")
    years: float = Field(0.0, ge=0, description="maturity of a yield, duration of a bond ETF; 0 is an equity ETF")
    income: float = Field(0.0, ge=0, description="percent a year that an ETF pays out beyond the yield at `years`")
    starts: date | None = Field(None, description="first simulated date; without one, 1990-01-01")


class CustomWay(_WayBase):
    """A way of a source that another package registered under ``macrocredit_assets.sources``."""

    source: str = Field(
        pattern=r"^[a-z][a-z0-9_]*$",
        description="the name under which the source is registered",
        json_schema_extra={"not": {"enum": ["bloomberg", "cboe", "file", "fred", "sample"]}},
    )
    options: dict[str, str | int | float | bool] = Field(default_factory=dict, description="what the source is given")

    @model_validator(mode="before")
    @classmethod
    def _only_options(cls, data: object) -> object:
        # a misspelt built-in source lands here: say so once, not once for each of its keys
        if isinstance(data, Mapping) and (surplus := sorted(set(data) - set(cls.model_fields))):
            raise ValueError(
                f"source {data.get('source')!r} is none of the built-in ones ({', '.join(WAYS)}), and a source of "
                f"another package takes its settings under `options`, not as {', '.join(surplus)}"
            )
        return data

    @field_validator("source")
    @classmethod
    def _not_built_in(cls, value: str) -> str:
        if value in WAYS:
            raise ValueError(f"{value!r} is a built-in source")
        return value


#: The built-in sources and their models; every other ``source`` is a :class:`CustomWay`.
WAYS: Mapping[str, type[_WayBase]] = {
    "bloomberg": BloombergWay,
    "cboe": CboeWay,
    "file": FileWay,
    "fred": FredWay,
    "sample": SampleWay,
}


def _tag(value: Any) -> str | None:  # noqa: ANN401 - pydantic hands over raw input or a model
    source = value.get("source") if isinstance(value, Mapping) else getattr(value, "source", None)
    if not isinstance(source, str):
        return None
    return source if source in WAYS else "custom"


Way = Annotated[
    Annotated[BloombergWay, Tag("bloomberg")]
    | Annotated[CboeWay, Tag("cboe")]
    | Annotated[FileWay, Tag("file")]
    | Annotated[FredWay, Tag("fred")]
    | Annotated[SampleWay, Tag("sample")]
    | Annotated[CustomWay, Tag("custom")],
    Discriminator(_tag),
]
