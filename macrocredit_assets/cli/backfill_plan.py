"""What a backfill will do, decided before anything is started; and how ``--dry-run`` shows it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain

import click

from macrocredit_assets.backfills import Asked, Begun, Journal, written
from macrocredit_assets.catalog import Catalog, load_catalog
from macrocredit_assets.cli import render
from macrocredit_assets.cli.context import Context
from macrocredit_assets.cli.serving import choose
from macrocredit_assets.errors import MacrocreditError, UsageError
from macrocredit_assets.holdings import Holdings
from macrocredit_assets.plan import Request, fill, if_answered, uncovered_inputs, whole
from macrocredit_assets.windows import Coverage, Window

__all__ = ["Plan", "make_plan", "print_plan"]

#: Up to so many datasets of a run are named in the table of a plan.
_NAMED = 4


@dataclass(frozen=True)
class Plan:
    """What is to be asked for.

    Parameters
    ----------
    catalog, asked
        What exists, and the request.
    names, window
        All datasets, inputs first, and all dates.
    added
        Those of the names that were not asked for: inputs that are not covered.
    begun
        The backfill that is continued; None where it is a new one.
    done
        Dataset -> what the backfill that is continued has completed.
    again
        Dataset -> what it has written, but not completed.
    """

    catalog: Catalog
    asked: Asked
    names: tuple[str, ...]
    window: Window
    added: tuple[str, ...] = ()
    begun: Begun | None = None
    done: Mapping[str, Coverage] = field(default_factory=dict)
    again: Mapping[str, Coverage] = field(default_factory=dict)

    def requests(self, context: Context, *, supposed: bool = False) -> Iterator[Request]:
        """Yield the requests in the order in which they are run.

        Parameters
        ----------
        context
            Where the data are.
        supposed
            Whether the earlier requests are not run, and taken as answered in full.
        """
        if not self.asked.only_missing:
            parts = (whole(self.names, window, self.asked.chunk, self.done) for window in self._windows())
            return chain.from_iterable(parts)

        def look(asked: Sequence[Request]) -> Holdings:
            holdings = Holdings(context.settings, self.catalog)
            return if_answered(holdings, asked) if supposed else holdings

        return fill(self.catalog, self.names, self.window, look, self.asked.chunk, self.again)

    def _windows(self) -> Iterator[Window]:
        """Yield the window, or that of the backfill that is continued and the days that were added to it since.

        Without an end the range goes on to yesterday, which may be another day by now.
        """
        if self.begun is None or self.begun.window.end >= self.window.end:
            yield self.window
            return
        yield self.begun.window
        yield Window(self.begun.window.end + timedelta(days=1), self.window.end)


def make_plan(context: Context, asked: Asked, window: Window, journal: Journal | None, *, dry_run: bool) -> Plan:
    """Decide what is to be asked for; a dry run reads files, and nothing else.

    Raises
    ------
    UnknownDatasetError, NotServedError
        If a name is not known, or the profile cannot serve it.
    UsageError
        If a signal would lack an input that nobody asked for.
    """
    catalog = load_catalog(context.settings.catalog)
    chosen = choose(context, asked.names)
    begun = journal.cut_off() if journal else None
    if begun is not None:
        done, again = _progress(context, catalog, begun, dry_run=dry_run)
        names = tuple(name for name in catalog.names() if name in {*chosen, *begun.names})
        return Plan(catalog, asked, names, window, begun=begun, done=done, again=again)
    lacking = uncovered_inputs(
        Holdings(context.settings, catalog), chosen, window, context.yesterday + timedelta(days=1)
    )
    if lacking and not asked.with_inputs:
        raise UsageError(_refusal(catalog, chosen, lacking, asked))
    if lacking:
        chosen = choose(context, [*chosen, *lacking])
    return Plan(catalog, asked, tuple(chosen), window, added=tuple(lacking))


def _progress(
    context: Context, catalog: Catalog, begun: Begun, *, dry_run: bool
) -> tuple[dict[str, Coverage], dict[str, Coverage]]:
    """Return what the runs of a backfill that was cut off completed and is still there, and what they merely wrote."""
    completed: Mapping[str, frozenset[str]] = {}
    if not dry_run:
        from macrocredit_assets.orchestration.backfills import settle

        completed = settle(context.settings, begun.runs)
    done: dict[str, Coverage] = {}
    again: dict[str, Coverage] = {}
    holdings = Holdings(context.settings, catalog)
    for run_id, windows in written(context.settings, begun.runs, lambda name: _covered(holdings, name)).items():
        for name, window in windows.items():
            # a dry run leaves the instance alone, and goes by the run logs
            found = done if dry_run or name in completed[run_id] else again
            found[name] = found.get(name, Coverage()).union(Coverage((window,)))
    return done, again


def _covered(holdings: Holdings, name: str) -> Coverage:
    try:
        return holdings[name].coverage
    except (MacrocreditError, OSError):
        return Coverage()  # what cannot be read is asked for, so that its own step tells why


def _refusal(catalog: Catalog, names: Sequence[str], lacking: Mapping[str, Coverage], asked: Asked) -> str:
    signals = [name for name in names if any(given in lacking for given in catalog.inputs_of(name))]
    holes = "\n".join(f"  {name}: {holes or 'made from the above'}" for name, holes in lacking.items())
    again = shlex.join(("macrocredit", *asked.words(), "--with-inputs"))
    return (
        f"What {', '.join(signals)} {'is' if len(signals) == 1 else 'are'} made from was not ingested for all of these "
        f"dates:\n{holes}\nNothing was started. To ingest it as well: {again}"
    )


def print_plan(context: Context, plan: Plan, *, as_json: bool) -> None:
    """Print the runs of a plan, and what is left out and why."""
    requests = [*plan.requests(context, supposed=True)]
    skipped = _skipped(context, plan, requests)
    if as_json:
        documents = [
            {"window": str(asked.window), "days": asked.window.days, "datasets": [*asked.names]} for asked in requests
        ]
        render.echo_json({"window": str(plan.window), "runs": documents, "added": [*plan.added], "skipped": skipped})
        return
    names = [name for name in plan.names if any(name in asked.names for asked in requests)]
    runs, datasets = _counted(len(requests), "run"), _counted(len(names), "dataset")
    click.echo(f"Plan: {runs}, {datasets}, {plan.window} ({plan.window.days:,} days)")
    if plan.added:
        click.echo(f"Inputs that are not covered are ingested as well: {', '.join(plan.added)}")
    if requests:
        _print_runs(requests, names)
    if skipped:
        click.echo()
        columns = (render.Column("skipped", style="cyan"), render.Column("why", wrap=True))
        render.print_table(columns, [*skipped.items()])
    if plan.asked.only_missing and any(plan.catalog.inputs_of(name) for name in plan.names):
        click.echo("\nSignals are looked at again when their inputs are stored: new rows may make more days stale.")
    click.echo("\nNothing was started, and nothing was written.")


def _print_runs(requests: Sequence[Request], names: Sequence[str]) -> None:
    shared = all([*asked.names] == [*names] for asked in requests) and len(names) > _NAMED
    if shared:
        click.echo(f"Datasets of each run: {', '.join(names)}")
    click.echo()
    columns = (
        render.Column("run", right=True),
        render.Column("window"),
        render.Column("days", right=True),
        render.Column("datasets", wrap=True),
    )
    rows = [
        (
            str(number),
            str(asked.window),
            f"{asked.window.days:,}",
            f"all {len(names)}" if shared else ", ".join(asked.names),
        )
        for number, asked in enumerate(requests, start=1)
    ]
    render.print_table(columns, rows)


def _skipped(context: Context, plan: Plan, requests: Sequence[Request]) -> dict[str, str]:
    from macrocredit_assets.serving import lacking

    reasons = (
        {}
        if plan.asked.names
        else {
            name: f"profile {context.settings.profile} cannot serve it: {why}"
            for name, why in lacking(context.settings, plan.catalog).items()
        }
    )
    reasons |= {name: f"done before it was cut off: {done}" for name, done in plan.done.items()}
    if plan.asked.only_missing:
        asked = {name for request in requests for name in request.names}
        reasons |= {name: "nothing is missing" for name in plan.names if name not in asked}
    return reasons


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
