"""Days on which the rules of a calendar are wrong: the shipped ones, and those that a user adds without a release."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from macrocredit_assets.catalog.ways import Strict

__all__ = ["CalendarName", "SpecialDays"]

CalendarName = Literal["us_equity", "us_bond", "ice_oas", "london", "target", "weekdays", "daily"]

_Reason = Annotated[str, Field(min_length=1)]


class SpecialDays(Strict):
    """Days that are open or closed in spite of a calendar's rules, each with its reason."""

    open: dict[date, _Reason] = Field(default_factory=dict, description="date -> why it is a session")
    closed: dict[date, _Reason] = Field(default_factory=dict, description="date -> why it is none")

    @model_validator(mode="after")
    def _one_or_the_other(self) -> SpecialDays:
        if both := sorted(self.open.keys() & self.closed.keys()):
            raise ValueError(f"{', '.join(map(str, both))}: open and closed at once; keep one of the two")
        return self
