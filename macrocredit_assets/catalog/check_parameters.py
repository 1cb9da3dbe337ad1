"""What an entry says to the rules that judge it: the keys under ``checks:``.

What belongs here: parameters, with the meaning of each. What they are compared with is the business of ``quality``.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from macrocredit_assets.catalog.ways import Strict

__all__ = ["Bounds", "DatasetChecks", "EntryChecks", "Jump", "Reference"]


class Bounds(Strict):
    """A closed numeric interval, in the column's unit."""

    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Bounds:
        if self.high <= self.low:
            raise ValueError(f"high {self.high} must be above low {self.low}")
        return self


class Jump(Strict):
    """When a change of the main column is a jump."""

    limit: float = Field(
        default=10, gt=0, description="times the usual daily change of the rows before; beyond is a warning"
    )
    changes: Literal["absolute", "log"] | None = Field(
        default=None,
        description="how changes are measured; by default log for prices and volatilities, absolute for the rest",
    )


class Reference(Strict):
    """Another dataset that must tell the same, or nearly."""

    dataset: str
    column: str
    within: float | None = Field(default=None, ge=0, description="the main column differs from it by at most so much")
    ratio: Bounds | None = Field(default=None, description="the main column divided by it lies inside")

    @model_validator(mode="after")
    def _one_measure(self) -> Reference:
        if (self.within is None) == (self.ratio is None):
            raise ValueError("say either how far it may be away, `within`, or between which bounds the `ratio` lies")
        return self


class EntryChecks(Strict):
    """What the rules are told of a signal, or of any dataset."""

    stale: int | None = Field(
        default=None, ge=1, description="sessions in a row on which the main column may repeat itself; null: not judged"
    )


class DatasetChecks(EntryChecks):
    """What the rules are told of a market dataset."""

    gap: int | None = Field(
        default=2,
        ge=0,
        description="covered sessions in a row that may have no value of the main column; null: not judged",
    )
    jump: Jump | None = Field(default=Jump(), description="null: not judged")
    reference: Reference | None = Field(default=None, description="a dataset with which this one is compared")
