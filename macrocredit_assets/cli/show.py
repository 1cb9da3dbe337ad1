"""``macrocredit show``: the rows of one dataset."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import click

from macrocredit_assets.cli import numbers, render
from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.parameters import DAY, WORDS, as_json
from macrocredit_assets.errors import MacrocreditError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from macrocredit_assets.research import Reading

__all__ = ["command"]

#: Without --tail, longer results show this many rows of either end.
_HEAD = _TAIL = 5


@click.command("show")
@click.argument("name")
@click.option("--start", type=DAY, help="First date, YYYY-MM-DD.")
@click.option("--end", type=DAY, help="Last date, included.")
@click.option("--columns", type=WORDS, metavar="A,B", help="Only these columns, in this order.")
@click.option(
    "--as-of", metavar="T", help="As known then: an instant, 2024-01-31T17:30Z, or a date, to its end in UTC."
)
@click.option("--adjusted", is_flag=True, help="Prices adjusted for dividends and splits.")
@click.option("--tail", type=click.IntRange(min=1), metavar="N", help="Only the last N rows.")
@as_json
@with_context
def command(
    context: Context,
    name: str,
    start: date | None,
    end: date | None,
    columns: Sequence[str] | None,
    as_of: str | None,
    adjusted: bool,
    tail: int | None,
    as_json: bool,
) -> None:
    """Show the rows of a dataset.

    Without --tail, a long result shows its first and last rows; --json has them all.
    """
    from macrocredit_assets.research import read

    try:
        reading = read(name, start, end, columns, as_of, adjusted, settings=context.settings)
    except MacrocreditError:
        raise
    except KeyError as error:
        raise click.BadParameter(str(error.args[0])) from error
    frame = reading.frame.tail(tail) if tail else reading.frame
    if as_json:
        render.echo_json(frame.reset_index().assign(date=_days(frame)).to_dict("records"))
        return
    click.secho(" | ".join(_title(name, reading, frame, as_of, adjusted=adjusted)), bold=True)
    fields = [*reading.schema]
    # a number that is cut could be read as another one: a column is shown whole or, being told so, not at all
    titles = [render.Column(numbers.header(field), right=True, optional=at > 0) for at, field in enumerate(fields)]
    left_out = render.print_table(
        [render.Column("date\n", style="cyan"), *titles], _rows(frame, fields, whole=tail is not None)
    )
    if left_out:
        names = ", ".join(header.partition("\n")[0] for header in left_out)
        click.echo(f"The terminal is too narrow for {names}: choose by --columns.", err=True)


def _title(name: str, reading: Reading, frame: pd.DataFrame, as_of: str | None, *, adjusted: bool) -> list[str]:
    total = len(reading.frame)
    rows = f"{len(frame):,} of {total:,} rows" if len(frame) < total else f"{total:,} row{'' if total == 1 else 's'}"
    title = [name, reading.series, rows]
    if len(frame):
        title.append(f"{frame.index[0]:%Y-%m-%d}..{frame.index[-1]:%Y-%m-%d}")
    if reading.revision:
        title.append(f"as of {as_of} (revision {reading.revision.number})")
    if adjusted:
        title.append("adjusted")
    return title


def _rows(frame: pd.DataFrame, fields: Sequence[pa.Field], *, whole: bool) -> list[list[str]]:
    if whole or len(frame) <= 2 * (_HEAD + _TAIL):
        return _cells(frame, fields)
    cells = _cells(frame.iloc[[*range(_HEAD), *range(-_TAIL, 0)]], fields)
    return [*cells[:_HEAD], ["..."] * len(cells[0]), *cells[_HEAD:]]


def _cells(frame: pd.DataFrame, fields: Sequence[pa.Field]) -> list[list[str]]:
    columns = [numbers.written([*frame[field.name]], field) for field in fields]
    return [[*row] for row in zip(_days(frame), *columns, strict=True)]


def _days(frame: pd.DataFrame) -> list[str]:
    return [f"{day:%Y-%m-%d}" for day in frame.index]
