"""Stand-ins that are shipped: sources to rehearse with before real ones are plugged in.

What belongs here: what a user's own tests may want as well. Nothing here is used by a deployment unless it says so.
"""

from macrocredit_assets.testing.misbehaving import Habits, MisbehavingSource, Story, asked_on

__all__ = ["Habits", "MisbehavingSource", "Story", "asked_on"]
