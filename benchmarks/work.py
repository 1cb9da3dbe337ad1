"""Which pieces of work are measured in processes that stay: what is prepared, what is timed, and the target.

What belongs here: the list. Work that is a process of its own - a start, a run, a backfill - stands in ``cold.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks import material
from benchmarks.crew import CONTESTANTS

__all__ = ["WORK", "Target", "Work"]


@dataclass(frozen=True)
class Target:
    """What is promised: our median is at most ``most`` times a peer's, or at most so many seconds."""

    most: float
    peer: str | None = None

    def __str__(self) -> str:
        return (
            f"at most {self.most:g} of {CONTESTANTS[self.peer].name}"
            if self.peer
            else f"at most {self.most * 1000:g} ms"
        )

    def holds(self, medians: Mapping[str, float]) -> bool | None:
        """Tell whether it holds, given the medians by contestant; None where the peer is absent."""
        if self.peer is None:
            return medians["ours"] <= self.most
        return medians["ours"] <= self.most * medians[self.peer] if self.peer in medians else None


@dataclass(frozen=True)
class Work:
    """One piece of work.

    Parameters
    ----------
    name, title
        For the command line, and for people.
    prepare
        The method that is called once, before.
    run
        The method that is timed.
    who
        Contestants, ours first.
    target
        What is promised.
    rounds
        How often each is asked, in turn.
    calls
        How often in one round, for what takes less than a clock can tell.
    takes_folder
        Whether the timed method is told the folder.
    arguments
        What else it is told.
    compared
        Whether all answers must be the same.
    flush_ms
        How much longer the disk takes to flush than that of this machine.
    """

    name: str
    title: str
    prepare: str
    run: str
    who: tuple[str, ...]
    target: Target
    rounds: int = 15
    calls: int = 1
    takes_folder: bool = False
    arguments: Mapping[str, object] = field(default_factory=dict)
    compared: bool = True
    flush_ms: float = 0


#: With it ArcticDB takes some 20 ms for a durable day, beside which the promise was made.
_SLOW_MS = 2

WORK = (
    Work(
        "read_month",
        "read 1 month, 1 column of 5,900 rows",
        "prepare_quotes",
        "read_month",
        ("ours", "seed", "arrow", "polars", "duckdb", "arctic"),
        Target(0.7, "arctic"),
        calls=50,
    ),
    Work(
        "read_panel",
        "100 datasets, 1 year, 1 column, aligned",
        "prepare_panel",
        "read_panel",
        ("ours", "seed", "arrow", "polars", "duckdb", "arctic"),
        Target(0.8, "arctic"),
        calls=3,
    ),
    Work(
        "append_day",
        "append 1 day to 5,900 rows, durable, with its revision",
        "prepare_quotes",
        "append_day",
        ("ours", "seed", "arctic"),
        Target(0.5, "arctic"),
        calls=10,
        compared=False,
    ),
    Work(
        "append_day_disk",
        f"the same, where the disk takes {_SLOW_MS} ms longer to flush",
        "prepare_quotes",
        "append_day",
        ("ours", "seed", "arctic"),
        Target(0.5, "arctic"),
        rounds=7,
        calls=5,
        compared=False,
        flush_ms=_SLOW_MS,
    ),
    Work(
        "read_wide",
        "panel of 7,671 x 1,000: read 1 year of 10 columns",
        "prepare_wide",
        "read_wide",
        ("ours", "seed", "arrow", "polars", "duckdb", "arctic"),
        Target(1.0, "arctic"),
        calls=10,
    ),
    Work(
        "append_wide",
        "panel of 7,671 x 1,000: append 1 day",
        "prepare_wide",
        "append_wide",
        ("ours", "seed", "polars", "arctic"),
        Target(1.0, "arctic"),
        rounds=7,
        compared=False,
    ),
    Work(
        "read_as_of",
        f"as-of read, {material.AS_OF_REVISIONS:,} revisions",
        "prepare_as_of",
        "read_as_of",
        ("ours", "arctic"),
        Target(2.0, "arctic"),
        rounds=9,
        arguments={"revision": material.AS_OF_REVISIONS - 3},
    ),
    Work(
        "read_as_of_early",
        f"the same, as of revision 1,000 of {material.AS_OF_REVISIONS:,}",
        "prepare_as_of",
        "read_as_of",
        ("ours", "arctic"),
        Target(2.0, "arctic"),
        rounds=9,
        arguments={"revision": 1_000},
    ),
    Work(
        "registry_update",
        "registry of 10,000 entries: 1 durable update",
        "prepare_registry",
        "registry_update",
        ("ours", "seed"),
        Target(0.040),
        compared=False,
    ),
    Work(
        "registry_lookup",
        "registry of 10,000 entries: 1 cold look-up",
        "prepare_registry",
        "registry_lookup",
        ("ours", "seed"),
        Target(0.020),
        takes_folder=True,
    ),
)
