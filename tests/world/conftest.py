"""A deployment of profile ``public`` whose publishers are servers of this machine, on an evening of March 2024."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from macrocredit_assets.catalog import Catalog, load_catalog
from macrocredit_assets.cli import cli
from macrocredit_assets.cli.context import Context
from macrocredit_assets.ingest import ingest, stored_beside
from macrocredit_assets.local_run import local_run
from macrocredit_assets.persistence.records import AssetRecord
from macrocredit_assets.settings import Settings
from macrocredit_assets.sources import build_sources, choose
from macrocredit_assets.sources.http import HttpPolicy
from macrocredit_assets.stores import open_store
from macrocredit_assets.testing import CboeServer, FredServer, Publisher
from macrocredit_assets.windows import Window
from macrocredit_assets.writing import tell, write

#: What profile ``public`` serves, and the series that is asked for each.
SERVED = {
    "us_ig_oas": "BAMLC0A0CM",
    "us_hy_oas": "BAMLH0A0HYM2",
    "baa_10y": "BAA10Y",
    "ust_2y": "DGS2",
    "ust_10y": "DGS10",
    "vix": "VIX",
}

FEBRUARY = Window.parse("2024-02-01", "2024-02-29")
#: A Friday, and the week before it, which is due but for what lags.
TODAY = date(2024, 3, 8)
WEEK = Window.parse("2024-03-01", "2024-03-07")


@dataclass
class World:
    """Publishers, their servers, and a root."""

    root: Path
    catalog: Catalog
    publisher: Publisher
    fred: FredServer
    cboe: CboeServer

    def settings(self, *, keyed: bool = False, **more: str) -> Settings:
        """Return the settings of the deployment; more of them as environment variables."""
        return Settings.from_env(self.environ(keyed=keyed) | more)

    def environ(self, *, keyed: bool = False) -> dict[str, str]:
        """Return the environment that describes the deployment."""
        here = {"MACROCREDIT_ROOT": str(self.root), "MACROCREDIT_PROFILE": "public"}
        return {**here, **self.fred.settings(keyed=keyed), **self.cboe.settings()}

    def ingest(self, name: str, window: Window, settings: Settings | None = None) -> AssetRecord:
        """Take a dataset from its source to file, registry and run log, in a run without Dagster."""
        settings, today, spec = settings or self.settings(), self.publisher.today, self.catalog.datasets[name]
        sources = build_sources(settings, today=lambda: today)
        route = choose(spec, settings.profile, sources)
        with local_run(settings, "ingest", name, kind=settings.kind, window=str(window)) as log:
            stored = stored_beside(open_store(settings, spec), window, route.series)
            made = ingest(spec, window, route, sources, today=today, stored=stored)
            record = write(settings, spec, made, run_id=log.run_id)
            tell(settings, spec, record, run_id=log.run_id)
        return record

    def kept(self) -> dict[str, bytes]:
        """Return every stored byte: of the data directory, without the answers as they came."""
        data = self.settings().data_directory
        files = {str(path.relative_to(data)): path for path in sorted(data.rglob("*")) if path.is_file()}
        return {name: path.read_bytes() for name, path in files.items() if not name.startswith("landing")}

    def say(self, *arguments: str) -> Result:
        """Run ``macrocredit`` on the publisher's day."""
        context = Context(self.settings(), self.publisher.today - timedelta(days=1))
        return CliRunner().invoke(cli, arguments, obj=context)

    def copied(self, root: Path) -> World:
        """Return the same world with a copy of the root."""
        return World(Path(shutil.copytree(self.root, root)), self.catalog, self.publisher, self.fred, self.cboe)


@contextmanager
def _open_world(root: Path) -> Iterator[World]:
    catalog = load_catalog()
    publisher = Publisher.simulated(catalog, Window.parse("2021-01-01", "2024-04-30"), today=TODAY)
    with FredServer(publisher) as fred, CboeServer(publisher) as cboe:
        world = World(root, catalog, publisher, fred, cboe)
        for name in SERVED:
            world.ingest(name, FEBRUARY)
        yield world


OpenWorld = Callable[[Path], AbstractContextManager[World]]


@pytest.fixture(scope="session")
def open_world() -> OpenWorld:
    """Serve the simulated market, and store February of what the profile serves below a root."""
    return _open_world


@pytest.fixture(scope="session")
def made_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Open one world for all tests that leave its publisher and its stored rows as they are."""
    with _open_world(tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture
def world(made_world: World) -> Iterator[World]:
    """Give the world whose stored rows nobody changes, and take back what a test broke."""
    yield made_world
    made_world.fred.clear()
    made_world.cboe.clear()


@pytest.fixture
def own_world(world: World, tmp_path: Path) -> World:
    """Give a world with a root of its own."""
    return world.copied(tmp_path / "root")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a request repeated once, at once: how patient the client is, its own tests say."""
    # the module by its path: the package has a function of this name
    module = import_module("macrocredit_assets.sources.publishers")
    policy = partial(HttpPolicy, retries=1, backoff_seconds=0.01, jitter_seconds=0.0)
    monkeypatch.setattr(module, "HttpPolicy", policy)
