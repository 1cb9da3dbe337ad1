"""Which datasets failed when a run last touched them, and why: read from the run logs, and from nowhere else.

What belongs here: the newest word of the logs about each dataset. Whether a dataset is late for it says its coverage
(``status.py``): one that failed this morning may be complete all the same.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from macrocredit_assets.persistence.run_log import read_runs

__all__ = ["RUNS_READ", "LastFailure", "last_failures"]

#: So many runs are read at most: what has not been touched by them was not asked for in weeks.
RUNS_READ = 100


@dataclass(frozen=True)
class LastFailure:
    """Why a dataset was not written by the last run that touched it.

    Parameters
    ----------
    run_id, at
        Which run, and when it started, aware, in UTC.
    type, message
        Of the error, as the run log has it; a dataset that was not tried has the reason for that.
    """

    run_id: str
    at: datetime
    type: str
    message: str

    @property
    def summary(self) -> str:
        """The first line of the message; where there is none, the type."""
        return next((line.strip() for line in self.message.splitlines() if line.strip()), self.type)


def last_failures(logs_directory: Path, names: Collection[str]) -> dict[str, LastFailure]:
    """Return those datasets that the newest run that touched them did not write, with its reason.

    A run that is under way has touched nothing yet. Run logs that cannot be read are passed over.

    Parameters
    ----------
    logs_directory
        The folder of all run logs; an absent one has none.
    names
        The datasets.
    """
    unheard = set(names)
    found: dict[str, LastFailure] = {}
    for run in read_runs(logs_directory, RUNS_READ).runs:
        for name in unheard & run.assets.keys():
            error = run.assets[name].get("error")
            if error:
                found[name] = LastFailure(run.header.run_id, run.header.started, error["type"], error["message"])
            unheard.remove(name)
        if not unheard:
            break
    return found
