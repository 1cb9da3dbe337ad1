"""A browser, and the UI over a small root, as a person has them.

Pictures of what the tests saw go to the folder that ``MACROCREDIT_SCREENSHOTS`` names, else to that of the test.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_CHROMIUM = Path("/usr/bin/chromium")
_HURRIED = Path(__file__).resolve().parents[1] / "hurried_daemon"
_SCREENSHOTS = os.environ.get("MACROCREDIT_SCREENSHOTS")
_MINUTES = 3 * 60

#: Beside the shipped datasets one whose rows are partly above what its bound lets be true.
_CATALOG = """
datasets:
  cdx_ig_10y:
    title: CDX North America Investment Grade 10Y
    instrument: CDX.NA.IG
    tenor: 10Y
    group: credit_indices
    owner: team:desk
    description: Spread of the on-the-run CDX North America Investment Grade index, 10-year contract.
    calendar: us_bond
    publication_lag: 0
    main: spread
    columns: {spread: {unit: bp, decimals: 3, hard: {low: 0, high: 90}}}
    ways:
      - {source: sample, series: "sample:cdx_ig_10y", model: spread, level: 85, stress: 3.5, noise: 0.008, starts: 2003-10-21}
"""  # noqa: E501 - a way stands on one line


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Start `macrocredit ui` over a year of a signal with its inputs, and two weeks after it; end it as Ctrl-C does."""
    # not below pytest's folder: the pages show the path, and so do the pictures
    with tempfile.TemporaryDirectory(prefix="macrocredit-") as folder:
        root = Path(folder)
        (root / "desk.yaml").write_text(_CATALOG)
        here = {"MACROCREDIT_ROOT": folder, "MACROCREDIT_CATALOG": str(root / "desk.yaml")}
        environ = {**os.environ, **here, "PYTHONPATH": str(_HURRIED)}
        names = ("cdx_ig_5y", "us_ig_oas", "cash_cds_basis_ig")
        year = {"start": "2023-06-01", "end": "2024-05-31"}
        _run(environ, "backfill", *names, "cdx_ig_10y", "--accept", "hard_bounds", **year)
        _run(environ, "backfill", *names, start="2024-06-03", end="2024-06-14")
        # somebody has thought better of it
        _run(environ, "accept", "cdx_ig_10y", "hard_bounds", "--withdraw", **year)
        yield from _served(environ, root / "ui.log")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start Debian's chromium, without a window."""
    # late: every other test run collects this file, and has no use for it
    from playwright.sync_api import sync_playwright

    if not _CHROMIUM.is_file():
        pytest.fail(f"There is no browser at {_CHROMIUM}; install it: apt-get update && apt-get install -y chromium")
    with sync_playwright() as playwright:
        # nothing that the browser would ask of the world by itself
        quiet = ["--disable-gpu", "--disable-quic", "--disable-sync"]
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=quiet)
        yield browser
        browser.close()


@pytest.fixture
def photograph(tmp_path: Path) -> Callable[[Page, str], Path]:
    """Keep what is seen at the moment as a picture, and say where."""
    folder = Path(_SCREENSHOTS) if _SCREENSHOTS else tmp_path

    def take(page: Page, name: str) -> Path:
        seen, before = page.screenshot(), b""
        # until dialogs have faded in, and icons have come
        for _ in range(20):
            if seen == before:
                break
            page.wait_for_timeout(250)
            seen, before = page.screenshot(), seen
        path = folder / f"{name}.png"
        path.write_bytes(seen)
        return path

    return take


@pytest.fixture
def page(
    chromium: Browser, url: str, photograph: Callable[[Page, str], Path], request: pytest.FixtureRequest
) -> Iterator[Page]:
    """Open a tab at the UI; where a test fails, its last sight is kept as a picture too."""
    context = chromium.new_context(base_url=url, viewport={"width": 1440, "height": 900}, device_scale_factor=1)
    context.set_default_timeout(_MINUTES * 1000)
    page = context.new_page()
    failed = request.session.testsfailed
    yield page
    if request.session.testsfailed > failed:
        photograph(page, f"{request.node.name}_failed")
    context.close()


def _run(environ: dict[str, str], *arguments: str, start: str, end: str) -> None:
    command = [sys.executable, "-m", "macrocredit_assets", *arguments, "--start", start, "--end", end]
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def _served(environ: dict[str, str], log: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "macrocredit_assets", "ui", "--port", str(port)]
    with log.open("wb") as said:
        process = subprocess.Popen(command, env=environ, stdout=said, stderr=said, start_new_session=True)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url, log)
            yield url
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(_MINUTES) == 0


def _wait_for(url: str, log: Path) -> None:
    deadline = time.monotonic() + _MINUTES
    while True:
        try:
            with urllib.request.urlopen(f"{url}/server_info", timeout=5):
                return
        except OSError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.25)
