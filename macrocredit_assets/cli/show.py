"""``macrocredit show``: the rows of one dataset."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from math import isnan
from typing import TYPE_CHECKING

import click

from macrocredit_assets.cli import render
from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.parameters import DAY, WORDS, as_json

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["command"]

#: Without --tail, longer results show this many rows of either end.
_HEAD = _TAIL = 5


@click.command("show")
@click.argument("name")
@click.option("--start", type=DAY, help="First date, YYYY-MM-DD.")
@click.option("--end", type=DAY, help="Last date, included.")
@click.option("--columns", type=WORDS, metavar="A,B", help="Only these columns, in this order.")
@click.option("--tail", type=click.IntRange(min=1), metavar="N", help="Only the last N rows.")
@as_json
@with_context
def command(
    context: Context,
    name: str,
    start: date | None,
    end: date | None,
    columns: Sequence[str] | None,
    tail: int | None,
    as_json: bool,
) -> None:
    """Show the rows of a dataset.

    Without --tail, a long result shows its first and last rows; --json has them all.
    """
    from macrocredit_assets.research import find_store, load

    head = find_store(name, context.settings).head()
    if columns and head is not None:
        _check_columns(name, columns, head.schema)
    frame = load(name, start, end, columns, settings=context.settings)
    assert head is not None  # noqa: S101 - load refuses a dataset without a file
    total = len(frame)
    if tail:
        frame = frame.tail(tail)
    if as_json:
        render.echo_json(frame.reset_index().assign(date=_days(frame)).to_dict("records"))
        return
    span = f" | {frame.index[0]:%Y-%m-%d}..{frame.index[-1]:%Y-%m-%d}" if len(frame) else ""
    rows = f"{len(frame):,} of {total:,} rows" if len(frame) < total else f"{total:,} row{'' if total == 1 else 's'}"
    click.secho(f"{name} | {head.series} | {rows}{span}", bold=True)
    fields = [head.schema.field(column) for column in frame.columns]
    render.print_table(
        [render.Column("date\n", style="cyan"), *(render.Column(_header(field), right=True) for field in fields)],
        _rows(frame, fields, whole=tail is not None),
    )


def _check_columns(name: str, columns: Sequence[str], schema: pa.Schema) -> None:
    known = [column for column in schema.names if column != "date"]
    if unknown := [column for column in columns if column not in known]:
        raise click.BadParameter(f"{name} has no column {', '.join(unknown)}; it has {', '.join(known)}.")


def _header(field: pa.Field) -> str:
    return f"{field.name}\n{_metadata(field, b'unit')}"


def _rows(frame: pd.DataFrame, fields: Sequence[pa.Field], *, whole: bool) -> list[list[str]]:
    if whole or len(frame) <= 2 * (_HEAD + _TAIL):
        return _cells(frame, fields)
    cells = _cells(frame.iloc[[*range(_HEAD), *range(-_TAIL, 0)]], fields)
    return [*cells[:_HEAD], ["..."] * len(cells[0]), *cells[_HEAD:]]


def _cells(frame: pd.DataFrame, fields: Sequence[pa.Field]) -> list[list[str]]:
    columns = [_numbers([*frame[field.name]], int(_metadata(field, b"decimals") or 0)) for field in fields]
    return [[*row] for row in zip(_days(frame), *columns, strict=True)]


def _numbers(values: Sequence[float], decimals: int) -> list[str]:
    """Write numbers with the column's decimals, or with fewer, but two, where the rest of all of them are zeros."""
    there = [value for value in values if not isnan(value)]
    fewer = (places for places in range(min(2, decimals), decimals) if _same(there, places, decimals))
    places = next(fewer, decimals)
    return ["" if isnan(value) else f"{value:,.{places}f}" for value in values]


def _same(values: Sequence[float], places: int, decimals: int) -> bool:
    return all(round(value, places) == round(value, decimals) for value in values)


def _days(frame: pd.DataFrame) -> list[str]:
    return [f"{day:%Y-%m-%d}" for day in frame.index]


def _metadata(field: pa.Field, key: bytes) -> str:
    text: bytes = (field.metadata or {}).get(key, b"")
    return text.decode()
