"""What results look like, on terminals of several widths and in pipes."""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import date

import pytest
from rich.console import Console

from macrocredit_assets.cli import render
from macrocredit_assets.cli.progress import follow
from macrocredit_assets.cli.render import Column
from macrocredit_assets.orchestration.launch import Progress
from macrocredit_assets.windows import Window

_COLUMNS = (
    Column("name", style="cyan"),
    Column("rows", right=True),
    Column("calendar", optional=True),
    Column("title", optional=True),
)
_ROWS = [("cdx_ig_5y", "1,200", "us_bond", "CDX North America"), ("vix", "7", "us_equity", "Volatility")]


def _terminal(width: int) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None, highlight=False)


def _printed(terminal: Console) -> list[str]:
    assert isinstance(terminal.file, io.StringIO)
    return [line.rstrip() for line in terminal.file.getvalue().splitlines()]


def test_pipe_gets_everything_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    """Outside a terminal nothing is left out, shortened, coloured or padded at the end."""
    render.print_table(_COLUMNS, _ROWS)
    assert capsys.readouterr().out.splitlines() == [
        "name        rows  calendar   title",
        "cdx_ig_5y  1,200  us_bond    CDX North America",
        "vix            7  us_equity  Volatility",
    ]


def test_cells_and_headers_of_several_lines_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """A cell of two lines takes two lines, with its neighbours blank on the second."""
    render.print_table((Column("who"), Column("close\nUSD", right=True)), [("a\nb", "1.00")])
    assert capsys.readouterr().out.splitlines() == ["who  close", "       USD", "a     1.00", "b"]


def test_table_without_rows_is_its_header(capsys: pytest.CaptureFixture[str]) -> None:
    """No rows is a table all the same."""
    render.print_table(_COLUMNS, [])
    assert capsys.readouterr().out == "name  rows  calendar  title\n"


def test_wide_terminal_shows_all_columns() -> None:
    """Where there is room every column is shown."""
    terminal = _terminal(80)
    render.print_table(_COLUMNS, _ROWS, terminal=terminal)
    assert _printed(terminal) == [
        "name        rows  calendar   title",
        "─" * 46,
        "cdx_ig_5y  1,200  us_bond    CDX North America",
        "vix            7  us_equity  Volatility",
    ]


@pytest.mark.parametrize(
    ("width", "header", "left_out"),
    [
        (46, "name        rows  calendar   title", []),
        (45, "name        rows  calendar", ["title"]),
        (20, "name        rows", ["calendar", "title"]),
    ],
)
def test_narrow_terminal_leaves_out_optional_columns(width: int, header: str, left_out: list[str]) -> None:
    """Optional columns go one by one, from the last, before any cell is cut; the caller is told which."""
    terminal = _terminal(width)
    assert render.print_table(_COLUMNS, _ROWS, terminal=terminal) == left_out
    assert _printed(terminal)[0] == header
    assert "…" not in "".join(_printed(terminal))


def test_text_wraps_in_its_column_and_brackets_are_text() -> None:
    """Long text continues below itself, and what looks like markup is printed as it is."""
    terminal = _terminal(30)
    columns = (Column("what"), Column("why", wrap=True))
    render.print_table(columns, [("vix", "pip install 'macrocredit-assets[ui]' first")], terminal=terminal)
    lines = _printed(terminal)
    assert max(map(len, lines)) <= 30
    assert "[ui]" in "".join(lines)
    assert all(line.startswith("     ") for line in lines[3:])


def test_section_is_followed_by_a_gap() -> None:
    """A section of rows is set off from the next."""
    terminal = _terminal(80)
    render.print_table(_COLUMNS, _ROWS, sections=(0,), terminal=terminal)
    assert _printed(terminal)[3].strip("─ ") == ""


def test_progress_on_a_terminal_ends_with_the_time_and_keeps_failures() -> None:
    """A terminal sees a bar that goes away, the names of what failed, and how long it took."""
    terminal = _terminal(80)
    with follow(["vix", "move"], Window(date(2024, 1, 1), date(2024, 1, 2)), terminal=terminal) as on_event:
        assert on_event is not None
        on_event(Progress("vix", "started"))
        on_event(Progress("vix", "done"))
        on_event(Progress("move", "started"))
        on_event(Progress("move", "failed"))
    text = "\n".join(_printed(terminal))
    assert "2/2" in text
    assert "move: failed" in text
    assert _printed(terminal)[-1].endswith("Done in 0.0 s")


def test_quiet_progress_is_nobody_to_tell(capsys: pytest.CaptureFixture[str]) -> None:
    """For programs there is no progress at all."""
    with follow(["vix"], Window(date(2024, 1, 1), date(2024, 1, 2)), quiet=True) as on_event:
        assert on_event is None
    assert capsys.readouterr().out == ""


def test_progress_is_seen_while_the_output_is_captured() -> None:
    """Dagster points the standard output at a log while steps run; progress reaches the reader nevertheless."""
    script = (
        "import os; from datetime import date; from macrocredit_assets.cli.progress import follow;"
        "from macrocredit_assets.orchestration.launch import Progress; from macrocredit_assets.windows import Window\n"
        "with follow(['vix'], Window(date(2024, 1, 1), date(2024, 1, 2))) as on_event:\n"
        "    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)\n"
        "    on_event(Progress('vix', 'started')); on_event(Progress('vix', 'done'))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "vix: done"
