"""The publishers that are asked over the network, put together from settings.

What belongs here: which settings reach which source, and how often a publisher may be asked. What must not: asking.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from urllib.parse import urlsplit

from macrocredit_assets.persistence.landing import Landing
from macrocredit_assets.settings import Settings
from macrocredit_assets.sources.base import Source
from macrocredit_assets.sources.cboe import CboeSource
from macrocredit_assets.sources.fred import FredSource
from macrocredit_assets.sources.fred_api import FredApi
from macrocredit_assets.sources.fred_csv import FredCsv
from macrocredit_assets.sources.http import HttpClient, HttpPolicy
from macrocredit_assets.sources.received import Asker

__all__ = ["FRED_PER_SECOND", "publishers"]

#: FRED allows 120 requests a minute.
FRED_PER_SECOND = 2.0

_THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})


def publishers(settings: Settings, *, keep: bool, today: Callable[[], date]) -> Mapping[str, Source]:
    """Return FRED and Cboe, by name.

    FRED is asked through its official API where there is a key, else through its public CSV.

    Parameters
    ----------
    settings
        Where they are asked, with which key, for how long, and where answers are kept.
    keep
        Whether answers are kept.
    today
        Returns the date in New York.
    """
    policy = HttpPolicy(total_seconds=settings.http_timeout)
    client = HttpClient(policy, rates=_rates(settings.fred_url, settings.fred_api_url))
    landing = Landing(settings.landing_directory, settings.landing_days) if keep else None
    fred, cboe = Asker(client, "fred", landing), Asker(client, "cboe", landing)
    key = settings.fred_api_key
    door = FredApi(fred, settings.fred_api_url, key) if key else FredCsv(fred, settings.fred_url)
    return {"fred": FredSource(door, today=today), "cboe": CboeSource(cboe, settings.cboe_url, today=today)}


def _rates(*urls: str) -> dict[str, float]:
    """Return how often the hosts of some addresses may be asked; a stand-in on this machine as often as need be."""
    hosts = {urlsplit(url).hostname for url in urls}
    return {host: FRED_PER_SECOND for host in hosts if host and host not in _THIS_MACHINE}
