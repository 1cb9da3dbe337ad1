"""Fetch or derive, judge, conform: from a spec and a window to an :class:`Ingested`.

What belongs here: the way from sources, or from a signal's inputs, to rows ready to be written. No file is written
here, and nothing knows Dagster.
"""

from macrocredit_assets.ingest.beside import Beside, stored_beside
from macrocredit_assets.ingest.market import ingest
from macrocredit_assets.ingest.own import own_series, take
from macrocredit_assets.ingest.results import Ingested, SignalInput
from macrocredit_assets.ingest.signal import derive, signal_series

__all__ = [
    "Beside",
    "Ingested",
    "SignalInput",
    "derive",
    "ingest",
    "own_series",
    "signal_series",
    "stored_beside",
    "take",
]
