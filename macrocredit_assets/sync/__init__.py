"""The registry and the files: an entry after every write, all entries held against the files, all of them restored.

What belongs here: what the registry says of the datasets of the catalog. An entry comes from the record of a write, its
repair from the file: a record is a claim, not the file. Entries that people registered themselves are theirs. What must
not be here: Dagster, and fetching.
"""

from macrocredit_assets.sync.entry import sync
from macrocredit_assets.sync.rebuild import Change, Rebuilt, rebuild
from macrocredit_assets.sync.repair import Repaired, Repairs, repair
from macrocredit_assets.sync.verify import Problem, verify

__all__ = [
    "Change",
    "Problem",
    "Rebuilt",
    "Repaired",
    "Repairs",
    "rebuild",
    "repair",
    "sync",
    "verify",
]
