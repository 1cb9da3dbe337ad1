"""The datasets of a command: those that were named, or all that the profile can serve."""

from __future__ import annotations

from collections.abc import Sequence

import click

from macrocredit_assets.cli.context import Context
from macrocredit_assets.errors import NotServedError

__all__ = ["choose"]


def choose(context: Context, names: Sequence[str]) -> list[str]:
    """Return the datasets to run, inputs first, and tell of those that are left out.

    Raises
    ------
    UnknownDatasetError
        If a name is not in the catalog.
    NotServedError
        If the profile cannot serve a dataset that was named, or cannot serve any.
    """
    from macrocredit_assets.catalog import load_catalog
    from macrocredit_assets.serving import lacking

    catalog, profile = load_catalog(context.settings.catalog), context.settings.profile
    for name in names:
        catalog.entry(name)
    unserved = lacking(context.settings, catalog)
    if names:
        # a signal may be made from inputs that are stored already, whichever way they once came
        if refused := [name for name in names if name in unserved and name in catalog.datasets]:
            reasons = "\n".join(f"  {name}: {unserved[name]}" for name in refused)
            raise NotServedError(f"Profile {profile} cannot serve:\n{reasons}")
        return [name for name in catalog.names() if name in names]
    served = [name for name in catalog.names() if name not in unserved]
    if not served:
        raise NotServedError(f"Profile {profile} can serve no dataset of the catalog. Why: {context.command('doctor')}")
    if unserved:
        click.echo(f"Left out, because profile {profile} cannot serve them: {', '.join(unserved)}", err=True)
        click.echo(f"Why: {context.command('doctor')}", err=True)
    return served
