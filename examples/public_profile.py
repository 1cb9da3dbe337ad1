"""A week of profile ``public`` without the internet: servers of this machine speak as FRED and Cboe do.

What they serve is the simulated market, printed as the publishers print it: in percent, with gaps on holidays, a day or
two late. On some mornings one of them is down, asks for a login, or sends half a file; the rows of that morning come
with the next. One answer breaks off, and is there when it is asked for once more. Each morning is what the daily
schedule asks for, run in this process with the clock of that day.

Run it with: uv run python examples/public_profile.py [FOLDER]
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import dagster as dg

from macrocredit_assets.catalog import Catalog, load_catalog
from macrocredit_assets.daily import daily_window
from macrocredit_assets.holdings import Holdings
from macrocredit_assets.orchestration import retries
from macrocredit_assets.orchestration.launch import run_backfill
from macrocredit_assets.persistence.run_log import read_run
from macrocredit_assets.serving import lacking
from macrocredit_assets.settings import Settings
from macrocredit_assets.status import statuses
from macrocredit_assets.testing import CboeServer, FredServer, Publisher, faults
from macrocredit_assets.windows import Window

SIMULATED = Window.parse("2023-01-02", "2024-03-31")
HISTORY = Window.parse("2024-01-02", "2024-02-29")
MORNINGS = [date(2024, 3, day) for day in (4, 5, 6, 7, 8)]


def install_faults(fred: FredServer, cboe: CboeServer) -> None:
    """Have publishers fail on days of the week, and one correct what it has printed."""
    fred.install(faults.unavailable(), series="DGS10", days={MORNINGS[0], MORNINGS[1]})
    fred.install(faults.login_page(), series="DGS2", days={MORNINGS[1]})
    cboe.install(faults.short_body(), days={MORNINGS[2]})
    fred.install(faults.reset_in_body(), series="BAA10Y", times=1)
    fred.publisher.revise("DGS10", date(2024, 3, 4), "4.99", on=MORNINGS[3])


def live_through(settings: Settings, catalog: Catalog, publisher: Publisher) -> None:
    """Fill the history, then let every morning come."""
    names = [name for name in catalog.names() if name not in lacking(settings, catalog)]
    print(f"profile public serves {', '.join(names)}")
    _run(settings, names, HISTORY, publisher.today)
    for morning in MORNINGS:
        publisher.today = morning
        _run(settings, names, daily_window(Holdings(settings, catalog), names, morning), morning)
    print()
    for status in statuses(Holdings(settings, catalog), names, today=publisher.today):
        print(f"{status.name:<10} {status.state}, {status.rows} rows, until {status.last}")


def _run(settings: Settings, names: Sequence[str], window: Window, day: date) -> None:
    seven = datetime.combine(day, time(7), ZoneInfo("America/New_York"))
    with dg.partition_loading_context(effective_dt=seven):
        outcome = run_backfill(settings, names, window)
    assets = read_run(outcome.run_log).assets
    failed = {name: asset["error"]["message"] for name, asset in assets.items() if asset["status"] == "failed"}
    restated = sum(asset["changed"] or 0 for asset in assets.values())
    print(f"\n{day}: {window}, {len(assets) - len(failed)} done, {len(failed)} failed, rows corrected: {restated}")
    for message in failed.values():
        print(f"  {message.splitlines()[0]}")


def main() -> None:
    """Rehearse in a folder, by default one that is gone afterwards."""
    retries.FIRST_WAIT_SECONDS = 0.01  # time is simulated, and so is waiting
    catalog = load_catalog()
    publisher = Publisher.simulated(catalog, SIMULATED, today=date(2024, 3, 1))
    with tempfile.TemporaryDirectory() as folder, FredServer(publisher) as fred, CboeServer(publisher) as cboe:
        environ = {
            "MACROCREDIT_ROOT": sys.argv[1] if len(sys.argv) > 1 else folder,
            "MACROCREDIT_PROFILE": "public",
            "MACROCREDIT_HTTP_TIMEOUT": "1",
            **fred.settings(),
            **cboe.settings(),
        }
        install_faults(fred, cboe)
        live_through(Settings.from_env(environ), catalog, publisher)
        print(f"\n{len(fred.requests)} requests to FRED, {len(cboe.requests)} to Cboe")


if __name__ == "__main__":
    main()
