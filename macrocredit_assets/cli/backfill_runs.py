"""One run after the other until a plan is done, and what came of it all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from uuid import uuid4

import click

from macrocredit_assets.backfills import Asked, Begun, Journal
from macrocredit_assets.cli import render, run_report
from macrocredit_assets.cli.backfill_plan import Plan
from macrocredit_assets.cli.context import Context
from macrocredit_assets.cli.progress import follow
from macrocredit_assets.cli.stop_signals import stoppable
from macrocredit_assets.persistence.run_log import RunDocument, read_run
from macrocredit_assets.plan import Request
from macrocredit_assets.windows import Coverage, Window

__all__ = ["Outcome", "Ran", "print_outcome", "run_all"]

#: Of what did not work so many lines are shown; the commands to retry have all of it.
_FAILURES_SHOWN = 20


@dataclass(frozen=True)
class Ran:
    """One run that ended."""

    request: Request
    document: RunDocument
    path: Path
    success: bool

    def is_done(self, name: str) -> bool:
        """Tell whether a dataset was written, or found to be unchanged."""
        return self.document.assets.get(name, {}).get("error", "not reached") is None


@dataclass
class Outcome:
    """The runs of a backfill, and whether it ended before its plan was done."""

    runs: list[Ran] = field(default_factory=list)
    ended: Literal["done", "canceled", "stopped"] = "canceled"

    @property
    def success(self) -> bool:
        """Whether all was done."""
        return self.ended == "done" and all(run.success for run in self.runs)


def run_all(context: Context, plan: Plan, journal: Journal | None, *, quiet: bool) -> Outcome:
    """Run the requests of a plan until it is done, something fails that is to stop it, or somebody does."""
    outcome = Outcome()
    begun = plan.begun or Begun(plan.names, plan.window, datetime.now(UTC))
    try:
        # Dagster holds a signal back while a run executes; between two runs it comes as an exception
        with stoppable() as was_told, suppress(KeyboardInterrupt):
            for request in plan.requests(context):
                if was_told():
                    break
                begun = replace(begun, runs=(*begun.runs, str(uuid4())))
                if journal:
                    journal.write(begun)
                outcome.runs.append(run := _run(context, request, plan.asked, begun.runs[-1], quiet=quiet))
                if run.document.status == "canceled":
                    break
                if plan.asked.stop and not run.success:
                    outcome.ended = "stopped"
                    break
            else:
                outcome.ended = "done"
    finally:
        if journal and outcome.ended == "done":
            journal.finish()
        elif journal and begun.runs:
            journal.write(begun, running=False)
    return outcome


def _run(context: Context, request: Request, asked: Asked, run_id: str, *, quiet: bool) -> Ran:
    """Run one request, and say what came of it."""
    from macrocredit_assets.orchestration.launch import run_backfill

    with follow(request.names, request.window, quiet=quiet) as on_event:
        outcome = run_backfill(
            context.settings,
            request.names,
            request.window,
            accept=asked.accept,
            allow_withdrawals=asked.allow_withdrawals,
            switch_reason=asked.switch_reason,
            on_event=on_event,
            run_id=run_id,
        )
    run = Ran(request, read_run(outcome.run_log), outcome.run_log, outcome.success)
    if not quiet:
        run_report.print_datasets(context, run.document, request.names)
        click.echo(f"\nrun log: {context.shown(run.path)}")
    return run


def print_outcome(context: Context, plan: Plan, outcome: Outcome) -> None:
    """Print what did not work, the commands that retry just that, and what to do next."""
    failed = [(name, run) for run in outcome.runs for name in run.request.names if not run.is_done(name)]
    held_up = [run for run in outcome.runs if not run.success and run.document.checks_that("failed")]
    if failed or held_up:
        _print_failures(context, failed, held_up)
    if outcome.ended != "done":
        why = "told to stop" if outcome.ended == "canceled" else "a run failed"
        click.echo(f"\nNot finished: {why}. What is written is whole; the same command goes on with the rest.")
        click.echo(f"retry:   {context.command(*plan.asked.words())}")
    else:
        # where rules stopped a write, the same once more would be stopped again
        left = [(name, run) for name, run in failed if not run_report.says_what_to_do(run.document, name)]
        for again in _retries(plan, left):
            click.echo(f"retry:   {context.command(*again.words())}")
    done = [name for run in outcome.runs for name in run.request.names if run.is_done(name)]
    if done:
        click.echo(f"next:    {context.command('show', 'vix' if 'vix' in done else done[0], '--tail', '5')}")
        click.echo(f"         {context.command('ui')}")


def _print_failures(context: Context, failed: Sequence[tuple[str, Ran]], held_up: Sequence[Ran]) -> None:
    windows: dict[tuple[str, str], Coverage] = {}
    for name, run in failed:
        key = name, run_report.reason(run.document, name)
        windows[key] = windows.get(key, Coverage()).union(Coverage((run.request.window,)))
    rows = [
        (name, str(window), context.localized(why))
        for (name, why), found in windows.items()
        for window in found.windows
    ]
    for run in held_up:
        for name, checks in run.document.checks_that("failed").items():
            command = context.localized(run_report.check_command(run.document, [name]))
            rows.append((name, str(run.request.window), f"written, but not passed: {', '.join(checks)}; see {command}"))
    columns = (
        render.Column("did not work", style="red"),
        render.Column("window"),
        render.Column("why", wrap=True),
    )
    click.echo()
    render.print_table(columns, rows[:_FAILURES_SHOWN])
    if len(rows) > _FAILURES_SHOWN:
        click.echo(f"... and {len(rows) - _FAILURES_SHOWN} more")


def _retries(plan: Plan, failed: Iterable[tuple[str, Ran]]) -> list[Asked]:
    """Return the requests for what failed and nothing else; inputs before the signals made from them."""
    windows: dict[str, Coverage] = {}
    for name, run in failed:
        windows[name] = windows.get(name, Coverage()).union(Coverage((run.request.window,)))
    again = replace(plan.asked, with_inputs=False)
    names = [name for name in plan.names if name in windows]
    if plan.asked.only_missing:
        return [again.narrowed(names, plan.window)] if names else []
    sharing: dict[Window, list[str]] = {}
    for name in names:
        for window in windows[name].windows:
            sharing.setdefault(window, []).append(name)
    return [_unchunked(again.narrowed(names, window), window) for window, names in sharing.items()]


def _unchunked(asked: Asked, window: Window) -> Asked:
    """Leave out the length of a chunk where one holds the window."""
    return asked if asked.chunk and len([*asked.chunk.split(window)]) > 1 else replace(asked, chunk=None)
