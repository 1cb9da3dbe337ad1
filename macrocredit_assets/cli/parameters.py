"""Options and parameter types that several commands share."""

from __future__ import annotations

from datetime import date
from typing import Any

import click

__all__ = ["DAY", "WORDS", "as_json"]


class _Day(click.ParamType[date]):
    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:  # noqa: ANN401 - click's signature
        if isinstance(value, date):
            return value
        try:
            day = date.fromisoformat(value)
        except ValueError:
            day = None
        # the standard library also takes 20240131 and 2024-W05-3; here a day is written in one way
        if day is None or day.isoformat() != value:
            self.fail(f"{value!r} is no date; write it as YYYY-MM-DD, such as 2024-01-31.", param, ctx)
        return day


class _Words(click.ParamType[tuple[str, ...]]):
    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:  # noqa: ANN401, ARG002 - click's signature
        return value if isinstance(value, tuple) else tuple(word.strip() for word in value.split(",") if word.strip())


#: A date, ``2024-01-31``.
DAY = _Day()
#: Words separated by commas, ``open,close``.
WORDS = _Words()

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
