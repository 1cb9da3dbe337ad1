"""How observations get in: one module per source, behind the one protocol in ``base.py``.

What belongs here: fetching and reading, into our columns and units. What must not: judging values, merging ways,
writing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from importlib.metadata import entry_points
from zoneinfo import ZoneInfo

from macrocredit_assets.errors import PermanentSourceError
from macrocredit_assets.settings import Settings
from macrocredit_assets.sources.base import Fetched, Source
from macrocredit_assets.sources.file import FileSource
from macrocredit_assets.sources.profiles import PROFILES, Route, choose, unserved, way_label
from macrocredit_assets.sources.publishers import publishers
from macrocredit_assets.sources.sample import SampleSource

__all__ = [
    "ENTRY_POINTS",
    "PROFILES",
    "Fetched",
    "FileSource",
    "Route",
    "SampleSource",
    "Source",
    "build_sources",
    "choose",
    "unserved",
    "way_label",
]

#: Entry points of this group are callables without arguments that return a :class:`Source`, under its name.
ENTRY_POINTS = "macrocredit_assets.sources"


def build_sources(
    settings: Settings, *, keep: bool = True, today: Callable[[], date] | None = None
) -> Mapping[str, Source]:
    """Return every source that is installed, by name; asks no network.

    Parameters
    ----------
    settings
        The folder that ``file`` reads, where publishers are asked, and how their answers are kept.
    keep
        Whether answers are kept below the data directory.
    today
        Returns the date in New York, after which no row is believed; None is the clock of this machine.

    Raises
    ------
    PermanentSourceError
        If another package registers a source that cannot be loaded, or under a name that is taken. Going on without
        it could serve a dataset from a way, and a series, that nobody chose.
    """
    sources: dict[str, Source] = {"file": FileSource(settings.files), "sample": SampleSource()}
    sources |= publishers(settings, keep=keep, today=today or _new_york_today)
    for point in entry_points(group=ENTRY_POINTS):
        package = point.dist.name if point.dist else point.value
        if point.name in sources:
            raise PermanentSourceError(
                f"Package {package} registers a source {point.name!r}, a name that is taken. Rename its entry point in "
                f"the group {ENTRY_POINTS}, or uninstall it: pip uninstall {package}"
            )
        try:
            sources[point.name] = point.load()()
        except Exception as error:
            raise PermanentSourceError(
                f"Source {point.name!r} of package {package} ({point.value}) cannot be loaded: {error!r}. "
                f"Repair it, or uninstall it: pip uninstall {package}"
            ) from error
    return sources


def _new_york_today() -> date:
    return datetime.now(ZoneInfo("America/New_York")).date()
