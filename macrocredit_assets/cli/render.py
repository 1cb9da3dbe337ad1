"""How results look: tables for people at any width, plain aligned lines for pipes, JSON for programs.

What belongs here: presentation. Commands give columns and rows of text; they do not print tables themselves.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Column", "console", "echo_json", "interactive", "print_table"]

_GAP = 2


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    header
        Its title; may have several lines.
    right
        Whether cells stand at the right, as numbers do.
    style
        A style of rich, on terminals only.
    optional
        Whether a narrow terminal may leave it out; of several, the last one goes first.
    wrap
        Whether long text continues on the next line, on terminals only; other cells are never broken.
    """

    header: str
    right: bool = False
    style: str = ""
    optional: bool = False
    wrap: bool = False


def interactive() -> bool:
    """Tell whether a person is watching the output."""
    return sys.stdout.isatty()


def console(stream: TextIO | None = None) -> Console:
    """Return the terminal, as one writes to it by a stream; None is the standard output."""
    from rich.console import Console

    return Console(file=stream, highlight=False)


def echo_json(document: object) -> None:
    """Print a document as JSON."""
    import json

    from macrocredit_assets.persistence import EnhancedJSONEncoder

    click.echo(json.dumps(document, cls=EnhancedJSONEncoder, indent=2))


def print_table(
    columns: Sequence[Column],
    rows: Iterable[Sequence[str]],
    *,
    sections: Sequence[int] = (),
    terminal: Console | None = None,
) -> list[str]:
    """Print a table: fitted to a terminal, complete where the output goes elsewhere.

    Parameters
    ----------
    columns
        What to show.
    rows
        Cells as text, as many in each row as there are columns.
    sections
        Numbers of rows after which a line is drawn, on terminals only.
    terminal
        Where to print; None is the standard output.

    Returns
    -------
    list[str]
        Headers of the columns that a narrow terminal left out.
    """
    rows = [[*row] for row in rows]
    if terminal is None and not interactive():
        for line in _plain(columns, rows):
            click.echo(line)
        return []
    terminal = terminal or console()
    shown = _fitting(columns, rows, terminal.width)
    _print_rich(terminal, columns, rows, sections, shown)
    return [column.header for at, column in enumerate(columns) if at not in shown]


def _plain(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> Iterable[str]:
    lines = [line for row in ([column.header for column in columns], *rows) for line in _lines(row)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    for line in lines:
        cells = (
            cell.rjust(width) if column.right else cell.ljust(width)
            for column, cell, width in zip(columns, line, widths, strict=True)
        )
        yield (" " * _GAP).join(cells).rstrip()


def _lines(row: Sequence[str]) -> list[tuple[str, ...]]:
    """Split a row whose cells have several lines into as many rows of one line."""
    return [*zip_longest(*(cell.split("\n") for cell in row), fillvalue="")]


def _print_rich(
    terminal: Console,
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    sections: Sequence[int],
    shown: Sequence[int],
) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    # the box itself is one blank between columns
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, _GAP - 1, 0, 0), header_style="bold", show_edge=False
    )
    for at in shown:
        column = columns[at]
        table.add_column(
            column.header,
            justify="right" if column.right else "left",
            style=column.style or None,
            no_wrap=not column.wrap,
            overflow="fold" if column.wrap else "ellipsis",
        )
    for number, row in enumerate(rows):
        table.add_row(*(Text(row[at]) for at in shown), end_section=number in sections)
    terminal.print(table)


def _fitting(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return the numbers of the columns to show: optional ones go, from the last, until the rest fits."""
    needed = [
        max(len(line) for text in (column.header, *(row[at] for row in rows)) for line in text.split("\n")) + _GAP
        for at, column in enumerate(columns)
    ]
    shown = [*range(len(columns))]
    for at in reversed(shown.copy()):
        if sum(needed[kept] for kept in shown) > width + _GAP and columns[at].optional:
            shown.remove(at)
    return shown
