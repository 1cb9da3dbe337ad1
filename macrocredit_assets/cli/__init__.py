"""The ``macrocredit`` command: one module per command group, and here only how they hang together.

Exit codes: 0 done, 1 it was tried and failed, 2 wrong use, and nothing was started. Commands import what they need
when they run, so that ``--help`` answers at once; Dagster is reached through ``orchestration`` only.
"""

from __future__ import annotations

import atexit
import errno
import gc

import click

from macrocredit_assets import __version__
from macrocredit_assets.cli import (
    accept,
    backfill,
    catalog,
    check,
    datasets,
    doctor,
    ingest,
    migrate,
    prune,
    registry,
    revisions,
    runs,
    show,
    status,
    trace,
    ui,
)
from macrocredit_assets.cli.context import Context
from macrocredit_assets.cli.places import explained
from macrocredit_assets.errors import (
    CatalogError,
    MacrocreditError,
    NotServedError,
    SettingsError,
    UnknownDatasetError,
    UsageError,
)
from macrocredit_assets.settings import VARIABLES

__all__ = ["cli", "main"]

_SECTIONS = {
    "Data": (backfill.command, ingest.command, status.command, check.command, show.command, datasets.command),
    "Records": (
        trace.command,
        revisions.command,
        accept.command,
        registry.command,
        migrate.command,
        runs.command,
        catalog.command,
    ),
    "Workplace": (ui.command, doctor.command, prune.command),
}

#: Modules and definitions are 450,000 objects that stay: with Python's 700, a sixth of the daily run's processor time
#: goes into looking for garbage among them. A run collects more often, but only what it makes.
_NEW_OBJECTS_PER_COLLECTION = 600_000

#: Errors that say: ask for something else. All others say: it was tried, and failed.
_WRONG_USE = (UsageError, CatalogError, UnknownDatasetError, NotServedError)


def _localized(ctx: click.Context, message: str) -> str:
    try:
        return Context.of(ctx).localized(message)
    except SettingsError:
        return message  # it is the message about them


class _Refused(click.ClickException):
    exit_code = 2


class _Commands(click.Group):
    """A group that shows its commands in sections and turns this package's errors into messages and exit codes."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except MacrocreditError as error:
            kind = _Refused if isinstance(error, _WRONG_USE) else click.ClickException
            raise kind(_localized(ctx, str(error))) from error
        except OSError as error:
            # a full disk or a missing permission is no defect; a closed pipe is click's business
            if error.errno in (None, errno.EPIPE):
                raise
            raise click.ClickException(_localized(ctx, explained(error))) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        for title, commands in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{command.name:<9}", command.get_short_help_str(70)) for command in commands])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Settings (environment variables)"):
            formatter.write_dl([(name, f"{meaning} [{default}]") for name, (default, meaning) in VARIABLES.items()])
        with formatter.section("Examples"):
            formatter.write_dl(
                [
                    ("macrocredit backfill --start 2020-01-01", ""),
                    ("macrocredit show vix --tail 5", ""),
                    ("macrocredit ui", ""),
                ]
            )


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="macrocredit", message="%(prog)s %(version)s")
def cli() -> None:
    """Macro-credit datasets and signals as Dagster assets in Parquet files."""


for _commands in _SECTIONS.values():
    for _command in _commands:
        cli.add_command(_command)


def main() -> None:
    """Run the command line, and exit with its code."""
    gc.set_threshold(_NEW_OBJECTS_PER_COLLECTION)
    # registered first, so called last: a process that ends need not look for garbage in what the system takes back
    atexit.register(gc.freeze)
    cli(prog_name="macrocredit")
