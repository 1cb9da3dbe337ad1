"""A source that fails as it is told: installed by tests as a package of its own, with an entry point.

What it shall do is told by ``<root>/faults/<dataset>``, a line for each coming attempt: ``transient``,
``limited``, ``permanent`` or ``sleep``; where no line is left it answers. Each attempt leaves a line in
``<root>/attempts/<dataset>``: the pid of its process.
"""

import os
import time
from pathlib import Path

import pandas as pd

from macrocredit_assets.catalog.models import DatasetSpec, Way
from macrocredit_assets.errors import PermanentSourceError, RateLimitedError, TransientSourceError
from macrocredit_assets.sources.base import Fetched
from macrocredit_assets.windows import Window


class FaultSource:
    """Answers 50 on every weekday, unless it is told to fail."""

    name = "fault"

    def unavailable(self, way: Way) -> str | None:
        """Return None: it can always be used."""
        return None

    def fetch(self, spec: DatasetSpec, way: Way, window: Window) -> Fetched:
        """Do what the next line says."""
        root = Path(os.environ["MACROCREDIT_ROOT"])
        (root / "attempts").mkdir(exist_ok=True)
        with (root / "attempts" / spec.name).open("a") as attempts:
            attempts.write(f"{os.getpid()}\n")
        match _next_line(root / "faults" / spec.name):
            case "transient":
                raise TransientSourceError(f"{spec.name} {window}: the upstream answered 503")
            case "limited":
                error = RateLimitedError(f"{spec.name} {window}: the upstream answered 429")
                error.retry_after = 3_600
                raise error
            case "permanent":
                raise PermanentSourceError(f"{spec.name} {window}: the upstream answered 404")
            case "sleep":
                time.sleep(120)
        days = pd.bdate_range(window.start, window.end, name="date").as_unit("us")
        return Fetched(pd.DataFrame({"value": 50.0}, days), window.start, window.end, len(days))


def _next_line(path: Path) -> str | None:
    lines = path.read_text().splitlines() if path.exists() else []
    if lines:
        path.write_text("\n".join(lines[1:]))
    return lines[0] if lines else None
