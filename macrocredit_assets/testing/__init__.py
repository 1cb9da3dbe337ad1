"""Stand-ins that are shipped: sources and publishers' servers to rehearse with before real ones are plugged in.

What belongs here: what a user's own tests may want as well. Nothing here is used by a deployment unless it says so.
"""

from macrocredit_assets.testing.misbehaving import Habits, MisbehavingSource, Story, asked_on
from macrocredit_assets.testing.servers import CboeServer, Fault, FredServer, Publisher, Request, faults

__all__ = [
    "CboeServer",
    "Fault",
    "FredServer",
    "Habits",
    "MisbehavingSource",
    "Publisher",
    "Request",
    "Story",
    "asked_on",
    "faults",
]
