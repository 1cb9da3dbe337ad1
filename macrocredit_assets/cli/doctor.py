"""``macrocredit doctor``: what is set, what is installed, what is writable, and what the profile cannot serve."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from macrocredit_assets.cli import render
from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.parameters import as_json
from macrocredit_assets.errors import CatalogError, MacrocreditError

if TYPE_CHECKING:
    from macrocredit_assets.settings import Settings

__all__ = ["command"]

_PACKAGES = ("macrocredit-assets", "dagster", "dagster-webserver", "pandas", "pyarrow")


@dataclass(frozen=True)
class _Workplace:
    """What was found; its fields are the keys of the JSON."""

    root: Path
    holds: str | None
    home: Path
    profile: str
    files: Path | None
    catalog: Path | None
    executor: str
    datasets: int
    signals: int
    versions: Mapping[str, str | None]
    writable: Mapping[str, bool]
    unserved: Mapping[str, str]
    problems: Sequence[str]


@click.command("doctor")
@as_json
@with_context
def command(context: Context, as_json: bool) -> None:
    """Say how this workplace is set up, and what stands in the way.

    Nothing is changed. The exit code is 1 where something has to be mended before a run can succeed.
    """
    found = _examine(context.settings)
    if as_json:
        render.echo_json(found)
    else:
        _report(found)
    if found.problems:
        raise click.exceptions.Exit(1)


def _examine(settings: Settings) -> _Workplace:
    from macrocredit_assets.catalog import Catalog, load_catalog
    from macrocredit_assets.serving import lacking

    problems: list[str] = []
    try:
        catalog = load_catalog(settings.catalog)
    except CatalogError as error:
        problems.append(str(error))
        catalog = Catalog({}, {})
    places = {"data": settings.data_directory, "run logs": settings.logs_directory, "home": settings.dagster_home}
    writable = {name: _writable(path) for name, path in places.items()}
    problems += [f"Cannot write {name} below {places[name]}." for name, can in writable.items() if not can]
    holds, problem = _root_kind(settings)
    problems += [problem] if problem else []
    return _Workplace(
        root=settings.root,
        holds=holds,
        home=settings.dagster_home,
        profile=settings.profile,
        files=settings.files,
        catalog=settings.catalog,
        executor=settings.executor,
        datasets=len(catalog.datasets),
        signals=len(catalog.signals),
        versions=_versions(),
        writable=writable,
        unserved=lacking(settings, catalog),
        problems=problems,
    )


def _report(found: _Workplace) -> None:
    rows = [
        ("root", str(found.root)),
        ("holds", f"{found.holds} data" if found.holds else "nothing yet"),
        ("home", f"{found.home} (DAGSTER_HOME)"),
        ("profile", found.profile),
        ("files", str(found.files or "not set")),
        ("catalog", str(found.catalog or "as shipped")),
        ("executor", found.executor),
        ("datasets", f"{found.datasets}, and {found.signals} signals"),
        *((name, text or "not installed") for name, text in found.versions.items()),
        *((f"write {name}", "yes" if can else "NO") for name, can in found.writable.items()),
    ]
    render.print_table([render.Column("setting", style="cyan"), render.Column("value", wrap=True)], rows)
    click.echo()
    if found.unserved:
        columns = [render.Column("cannot be served", style="yellow"), render.Column("why", wrap=True)]
        render.print_table(columns, [*found.unserved.items()])
    elif found.datasets:
        click.echo(f"Profile {found.profile} serves every dataset.")
    for problem in found.problems:
        click.secho(f"Problem: {problem}", fg="red")


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def _writable(path: Path) -> bool:
    """Tell whether files can be written below a path, which need not exist, without writing any."""
    existing = next(place for place in (path, *path.parents) if place.exists())
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def _root_kind(settings: Settings) -> tuple[str | None, str | None]:
    """Return what kind of data the root holds, and why this profile cannot write there."""
    from macrocredit_assets.persistence.root_kind import read_root_kind, require_root_kind

    try:
        require_root_kind(settings.data_directory, settings.kind)
        problem = None
    except (MacrocreditError, OSError) as error:
        problem = str(error)
    try:
        return read_root_kind(settings.data_directory), problem
    except (MacrocreditError, OSError):
        return None, problem
