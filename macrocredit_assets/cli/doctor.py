"""``macrocredit doctor``: what is set, what is installed, what is writable, and what the profile cannot serve."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from macrocredit_assets.cli import doctor_probe, render
from macrocredit_assets.cli.context import Context, with_context
from macrocredit_assets.cli.parameters import as_json
from macrocredit_assets.cli.places import explained, unwritable
from macrocredit_assets.cli.stored import entries, unlisted_advice
from macrocredit_assets.errors import MacrocreditError, SettingsError

if TYPE_CHECKING:
    from macrocredit_assets.catalog import Catalog
    from macrocredit_assets.probing import Reply
    from macrocredit_assets.settings import Settings

__all__ = ["command"]

T = TypeVar("T")

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
    serves_all: bool
    problems: Sequence[str]


@click.command("doctor")
@click.option("--probe", is_flag=True, help="Ask every source that the profile uses, and show what it answers.")
@as_json
@with_context
def command(context: Context, probe: bool, as_json: bool) -> None:
    """Say how this workplace is set up, and what stands in the way.

    Nothing is changed, and without --probe nobody is asked. The exit code is 1 where something has to be mended before
    a run can succeed; with --probe also where a source does not answer.
    """
    found = _examine(context)
    replies = _probed(context, quiet=as_json) if probe else None
    if as_json:
        answers = {} if replies is None else {"probe": doctor_probe.document(context, replies)}
        render.echo_json({**vars(found), **answers})
    else:
        _report(found)
        if replies is not None:
            doctor_probe.print_replies(context, replies)
    if found.problems or any(reply.error for reply in replies or ()):
        raise click.exceptions.Exit(1)


def _probed(context: Context, *, quiet: bool) -> list[Reply]:
    try:
        return doctor_probe.probe(context, _load(context), quiet=quiet)
    except MacrocreditError:
        return []  # a catalog or a source that cannot be loaded: it is among the problems


def _examine(context: Context) -> _Workplace:
    from macrocredit_assets.catalog import Catalog
    from macrocredit_assets.persistence.root_kind import read_root_kind, require_root_kind
    from macrocredit_assets.serving import lacking, without_function

    settings = context.settings
    problems: list[str] = []
    catalog = _tried(problems, lambda: _load(context), Catalog({}, {}))
    unserved = _tried(problems, lambda: lacking(settings, catalog), None)
    blocked = unwritable(settings)
    problems += blocked.values()
    holds = _tried(problems, lambda: read_root_kind(settings.data_directory), None)
    _tried(problems, lambda: require_root_kind(settings.data_directory, settings.kind), None)
    problems += _tried(problems, lambda: without_function(catalog), [])
    _tried(problems, lambda: _check_home(settings), None)
    problems += _unreadable(context, catalog)
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
        writable={name: name not in blocked for name in ("data", "run logs", "home")},
        unserved=unserved or {},
        serves_all=unserved == {},
        problems=[context.localized(problem) for problem in dict.fromkeys(problems)],
    )


def _tried(problems: list[str], question: Callable[[], T], otherwise: T) -> T:
    """Answer a question, or note why it cannot be answered."""
    try:
        return question()
    except MacrocreditError as error:
        problems.append(str(error))
    except OSError as error:
        problems.append(explained(error))
    return otherwise


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
    elif found.serves_all and found.datasets:
        click.echo(f"Profile {found.profile} serves every dataset.")
    for problem in found.problems:
        click.secho(f"Problem: {problem}", fg="red")


def _versions() -> dict[str, str | None]:
    from importlib.metadata import PackageNotFoundError, version

    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def _load(context: Context) -> Catalog:
    from macrocredit_assets.catalog import load_catalog

    return load_catalog(context.settings.catalog)


def _check_home(settings: Settings) -> None:
    """Raise where Dagster's settings do not parse; what they mean, Dagster says itself."""
    import yaml

    path = settings.dagster_home / "dagster.yaml"
    try:
        yaml.safe_load(path.read_bytes() if path.is_file() else b"")
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} cannot be read: {' '.join(str(error).split())}") from error


def _unreadable(context: Context, catalog: Catalog) -> list[str]:
    """Return what is wrong with the registry, and with the files of datasets as far as their footers tell."""
    from macrocredit_assets.stores import open_store

    problems: list[str] = []
    listed = _tried(problems, lambda: entries(context), None)
    if listed is not None and (advice := unlisted_advice(context, catalog, listed)):
        problems.append(advice)
    for name in catalog.names():
        _tried(problems, open_store(context.settings, catalog.entry(name), as_stored=True).head, None)
    return problems
