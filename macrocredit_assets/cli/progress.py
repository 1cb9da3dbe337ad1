"""What a run shows while it is under way: bars on a terminal, one line per dataset elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from io import UnsupportedOperation
from typing import TYPE_CHECKING, TextIO

import click

from macrocredit_assets.cli import render

if TYPE_CHECKING:
    from rich.console import Console

    from macrocredit_assets.orchestration.launch import Progress
    from macrocredit_assets.windows import Window

__all__ = ["follow"]


@contextmanager
def follow(
    names: Sequence[str], window: Window, *, quiet: bool = False, terminal: Console | None = None
) -> Iterator[Callable[[Progress], None] | None]:
    """Yield the function that a run tells its progress to.

    Parameters
    ----------
    names
        The datasets of the run.
    window
        Their window.
    quiet
        Whether nothing is to be shown.
    terminal
        Where to draw; None is the standard output, with bars only where it is a terminal.
    """
    if quiet:
        yield None
        return
    datasets = f"{len(names)} dataset{'s' if len(names) > 1 else ''}"
    click.echo(f"Backfilling {datasets}, {window} ({window.days:,} days)")
    with _present_stdout() as stream:
        if terminal is not None or render.interactive():
            with _bars(names, terminal or render.console(stream)) as on_event:
                yield on_event
        else:
            yield partial(_line, stream)


def _line(stream: TextIO, progress: Progress) -> None:
    if progress.state != "started":
        click.echo(f"{progress.dataset}: {progress.state}", file=stream)


@contextmanager
def _present_stdout() -> Iterator[TextIO]:
    """Yield a stream to where the standard output leads now.

    While steps run, Dagster points the descriptor of the standard output at the run's compute log; what is written
    there reaches the terminal late, and the log is no place for a progress bar.
    """
    sys.stdout.flush()
    try:
        descriptor = os.dup(sys.stdout.fileno())
    except UnsupportedOperation:  # a stream in memory has no descriptor that could be pointed elsewhere
        yield sys.stdout
        return
    with os.fdopen(descriptor, "w", encoding=sys.stdout.encoding) as stream:
        yield stream


@contextmanager
def _bars(names: Sequence[str], terminal: Console) -> Iterator[Callable[[Progress], None]]:
    from rich import progress as bars

    started = time.monotonic()
    display = bars.Progress(
        bars.SpinnerColumn(),
        bars.BarColumn(bar_width=None),
        bars.MofNCompleteColumn(),
        bars.TextColumn("{task.description:<20.20}", markup=False),
        bars.TimeElapsedColumn(),
        console=terminal,
        transient=True,
        expand=True,
    )
    with display:
        task = display.add_task("starting", total=len(names))

        def on_event(progress: Progress) -> None:
            if progress.state == "started":
                display.update(task, description=progress.dataset)
            else:
                display.advance(task)
                if progress.state == "failed":
                    display.console.print(f"{progress.dataset}: failed", style="red", markup=False)

        yield on_event
    terminal.print(f"Done in {time.monotonic() - started:.1f} s", style="dim")
