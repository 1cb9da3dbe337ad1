"""Local servers that speak as FRED and Cboe do, faults included: rehearse and test without the internet.

What belongs here: stand-ins for publishers, shipped with the package and public, for a user's own tests as well::

    from macrocredit_assets.testing import CboeServer, FredServer, Publisher, faults

    publisher = Publisher.simulated(load_catalog(), Window(date(2026, 1, 1), date(2026, 3, 31)), today=date(2026, 3, 2))
    with FredServer(publisher) as fred, CboeServer(publisher) as cboe:
        settings = Settings.from_env({"MACROCREDIT_PROFILE": "public", **fred.settings(), **cboe.settings()})
        fred.install(faults.unavailable(), series="DGS10", times=2)
        ...  # ingest, as from the real ones
        publisher.today = date(2026, 3, 3)
        ...  # and again the next morning
        assert [request.fault for request in fred.requests if request.series == "DGS10"][:2] == ["unavailable"] * 2

With pytest, a fixture that yields a server in its ``with`` block is all there is to it; ``install(..., days=...)`` has
faults come and go as the publisher's days pass, and ``requests`` has what was asked.

A :class:`Publisher` has series and a date; a server has a format, and the faults that are installed. Nothing here is
used by a deployment unless it says so.
"""

from macrocredit_assets.testing.servers import faults
from macrocredit_assets.testing.servers.cboe import CboeServer
from macrocredit_assets.testing.servers.faults.plan import Fault
from macrocredit_assets.testing.servers.fred import FredServer
from macrocredit_assets.testing.servers.publisher import Publisher
from macrocredit_assets.testing.servers.replies import Reply, Request, Table

__all__ = ["CboeServer", "Fault", "FredServer", "Publisher", "Reply", "Request", "Table", "faults"]
