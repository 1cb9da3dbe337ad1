"""Who publishes a series, on what terms, and where to read about it: what the UI says of a source.

What belongs here: facts about publishers, by the first half of a series (``fred`` of ``fred:DGS10``). They are a
reminder for people, and no legal advice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote

__all__ = ["Attribution", "attribution_of"]


@dataclass(frozen=True)
class Attribution:
    """Whom numbers are owed to.

    Parameters
    ----------
    name
        As people call it.
    terms
        What one may do with the numbers, in a sentence or two.
    page
        Address about a series, with ``{identifier}`` in it where each has a page of its own; None where there is none.
    """

    name: str
    terms: str
    page: str | None = None

    def page_of(self, identifier: str) -> str | None:
        """Return the address of the page about a series, or None."""
        return self.page.replace("{identifier}", quote(identifier, safe="")) if self.page else None


_KNOWN: Mapping[str, Attribution] = MappingProxyType(
    {
        "bbg": Attribution(
            "Bloomberg",
            "Under the licence of your terminal: for use on the desk that holds it, not to be passed on.",
        ),
        "fred": Attribution(
            "FRED, Federal Reserve Bank of St. Louis",
            "Free, with FRED named as the source. Series that others lend to FRED, such as those of ICE and Moody's, "
            "stay under the copyright of their owners and are not to be passed on.",
            "https://fred.stlouisfed.org/series/{identifier}",
        ),
        "cboe": Attribution(
            "Cboe Global Markets",
            "Free to download for your own use; passing the numbers on needs Cboe's consent.",
            "https://www.cboe.com/tradable_products/vix/vix_historical_data/",
        ),
        "yahoo": Attribution(
            "Yahoo Finance",
            "For personal use under Yahoo's terms of service; not to be passed on.",
            "https://finance.yahoo.com/quote/{identifier}",
        ),
        "sample": Attribution("the simulated market", "No market data: free for any use, and evidence of nothing."),
    }
)


def attribution_of(series: str) -> Attribution:
    """Return who publishes a series; for one that is not known here, its own name and no more."""
    name = series.partition(":")[0]
    return _KNOWN.get(name) or Attribution(
        name, f"Not recorded. Ask {name}, or whoever keeps its files, before the numbers are passed on."
    )
