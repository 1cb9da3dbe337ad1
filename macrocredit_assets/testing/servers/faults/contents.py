"""Rows that are not as they have always been: other headers, other cells, other dates, other line ends.

What belongs here: changes of what is said. Those of the table work in CSV and JSON alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from macrocredit_assets.testing.servers.faults.plan import Fault
from macrocredit_assets.testing.servers.replies import Reply, Request, Row, Table

__all__ = [
    "byte_order_mark",
    "carriage_returns",
    "cell",
    "conflicting",
    "duplicated",
    "frozen",
    "future",
    "header_only",
    "lone_comma",
    "out_of_order",
    "renamed_header",
]


def header_only() -> Fault:
    """Send the header and no row (in JSON: no observation)."""
    return Fault("header_only", table=lambda table: replace(table, rows=()))


def renamed_header(name: str = "VALUE2") -> Fault:
    """Call the last column (in JSON: the key of the value) something else."""
    return Fault("renamed_header", table=lambda table: replace(table, columns=(*table.columns[:-1], name)))


def cell(text: str, *, day: date | None = None) -> Fault:
    """Print another text in the last column: ``1e5``, ``N/A`` ...

    Parameters
    ----------
    text
        What is printed.
    day
        In the row of this date; None is the last row that has a value.
    """

    def change(table: Table) -> Table:
        at = _last_value(table) if day is None else day
        rows = tuple((when, (*texts[:-1], text)) if when == at else (when, texts) for when, texts in table.rows)
        return replace(table, rows=rows)

    return Fault(f"cell_{text}", table=change)


def out_of_order() -> Fault:
    """Send every second row first, and then the others."""
    return Fault("out_of_order", table=lambda table: replace(table, rows=table.rows[1::2] + table.rows[::2]))


def duplicated() -> Fault:
    """Send the last row that has a value twice."""
    return Fault("duplicated", table=lambda table: _with_more(table, lambda row: row))


def conflicting() -> Fault:
    """Send the last row that has a value twice, the second time with every value greater by one."""
    return Fault("conflicting", table=lambda table: _with_more(table, _greater))


def future(days: int = 30) -> Fault:
    """Send a row for a date so many days after the publisher's."""

    def change(table: Table) -> Table:
        return _with_more(table, lambda row: (table.today + timedelta(days=days), row[1]))

    return Fault("future", table=change)


def frozen(after: date) -> Fault:
    """Send no row after a date, for ever the same: an answer that is in order, and stale."""
    return Fault("frozen", table=lambda table: replace(table, rows=tuple(row for row in table.rows if row[0] <= after)))


def byte_order_mark() -> Fault:
    """Begin with the three bytes that some programs put before UTF-8."""
    return Fault("byte_order_mark", reply=lambda reply, _: replace(reply, body=b"\xef\xbb\xbf" + reply.body))


def carriage_returns() -> Fault:
    """End lines with CR and LF."""
    return Fault("carriage_returns", reply=lambda reply, _: replace(reply, body=reply.body.replace(b"\n", b"\r\n")))


def lone_comma() -> Fault:
    """Put a line with nothing but a comma among the others."""

    def reply(sent: Reply, _: Request) -> Reply:
        lines = sent.body.splitlines(keepends=True)
        middle = (len(lines) + 1) // 2
        return replace(sent, body=b"".join([*lines[:middle], b",\n", *lines[middle:]]))

    return Fault("lone_comma", reply=reply)


def _last_value(table: Table) -> date | None:
    return max((day for day, texts in table.rows if all(texts)), default=None)


def _with_more(table: Table, change: Callable[[Row], Row]) -> Table:
    """Return a table with one row more at its end, made of the last one that has a value."""
    last = _last_value(table)
    more = tuple(change(row) for row in table.rows if row[0] == last)
    return replace(table, rows=table.rows + more)


def _greater(row: Row) -> Row:
    return row[0], tuple(str(Decimal(text) + 1) for text in row[1])
