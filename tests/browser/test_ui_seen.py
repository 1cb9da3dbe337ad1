"""What a person sees in the UI, in a real browser: lineage, an asset, a range launched by clicking, a failed check."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from macrocredit_assets.orchestration.partitions import today

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.slow

Photograph = Callable[["Page", str], Path]

#: What a picture of the README may weigh, in bytes.
_LIGHT = 300_000


def test_lineage_shows_source_dataset_and_signal(page: Page, photograph: Photograph) -> None:
    """The lineage has sources, datasets and signals; that of a signal reaches back to the sources of its inputs."""
    page.goto("/")
    page.get_by_role("link", name="Lineage").click()
    graph = page.locator("foreignObject")
    for group in ("sources", "credit_indices", "credit_oas", "signals"):
        graph.get_by_text(group, exact=True).wait_for()
    photograph(page, "lineage_groups")

    page.goto("/assets/cash_cds_basis_ig")
    _tab(page, "Lineage").click()
    _button(page, "All").click()
    # a dataset and its source bear one name
    for name, times in (("cash_cds_basis_ig", 1), ("cdx_ig_5y", 2), ("us_ig_oas", 2)):
        nodes = graph.get_by_text(name, exact=True)
        nodes.nth(times - 1).wait_for()
        assert nodes.count() == times
    graph.get_by_text("4 / 4 Passed").nth(1).wait_for()
    graph.get_by_text("2 / 2 Passed").wait_for()  # of a signal: its values, and whether it is there
    graph.get_by_text("Loading").first.wait_for(state="detached")
    assert photograph(page, "lineage").stat().st_size < _LIGHT


def test_asset_page_shows_chart_schema_and_checks(page: Page, photograph: Photograph) -> None:
    """An asset's page says what it is, and shows the last year, the last rows, the columns and what checks said."""
    page.set_viewport_size({"width": 1440, "height": 1390})
    page.goto("/assets/cdx_ig_5y")
    page.get_by_text("CDX North America Investment Grade 5Y, in bp.").wait_for()
    column = page.get_by_role("row").filter(has_text="on-the-run spread [bp, 4 decimals]")
    for said in ("spread", "float64", "unit: bp", "plausible: 20 to 400", "hard: 5 to 2000"):
        column.get_by_text(said, exact=True).wait_for()
    _row(page, "last_rows").get_by_text("2024-06-14").wait_for()
    _drawn(_row(page, "last_year").locator("img"))
    assert photograph(page, "asset").stat().st_size < _LIGHT

    _row(page, "chart").get_by_text("[Show Markdown]").click()
    chart = _drawn(page.get_by_role("dialog").get_by_alt_text("cdx_ig_5y"))
    assert "CDX North America Investment Grade 5Y" in chart
    assert "2024-06-03 to 2024-06-14" in chart
    photograph(page, "chart")
    _button(page, "Close").click()

    _tab(page, "Checks").click()
    for check in ("continuity", "jumps", "source", "values"):
        _check(page, check).get_by_text("Succeeded").wait_for()
    _check(page, "values").click()
    page.get_by_text("5 rules looked at 2024-06-03..2024-06-14 and found nothing.").wait_for()
    page.get_by_role("listitem").filter(has_text="hard_bounds (error): A value that cannot be true at all.").wait_for()
    photograph(page, "checks")


def test_range_launched_by_clicking_finishes_green(page: Page, photograph: Photograph) -> None:
    """A fortnight chosen in the dialog runs as one run; then its values are drawn over the days."""
    # not until yesterday: at midnight in New York that becomes another day
    first, last = today() - timedelta(days=16), today() - timedelta(days=3)
    page.goto("/assets/ust_10y")
    _button(page, "Materialize…").click()
    dialog = page.get_by_role("dialog")
    days = dialog.get_by_role("textbox").first
    days.fill(f"[{first}...{last}]")
    days.press("Tab")
    dialog.get_by_text("14 partitions", exact=True).wait_for()
    photograph(page, "launch")
    _button(dialog, "Launch backfill").click()
    page.get_by_text("Created backfill").wait_for()
    page.get_by_text("View", exact=True).click()

    page.get_by_text("Status", exact=True).locator("..").get_by_text("Succeeded").wait_for()
    page.get_by_text("100% completed").wait_for()
    photograph(page, "backfill")

    page.goto("/assets/ust_10y")
    page.get_by_text("Plots", exact=True).click()
    plots = page.locator("canvas")
    plots.first.scroll_into_view_if_needed()
    photograph(page, "plots")


def test_failed_check_is_seen(page: Page, photograph: Photograph) -> None:
    """Rows that were accepted, and are no more, fail the check when it is run again; the first of them are shown."""
    page.goto("/assets/cdx_ig_10y")
    _tab(page, "Checks").click()
    _check(page, "values").click()
    page.get_by_text(re.compile(r"hard_bounds: \d+ accepted")).first.wait_for()
    photograph(page, "check_accepted")

    _button(page, "Execute").click()
    page.get_by_text(re.compile(r"^hard_bounds: spread lies outside 0\.\.90 bp, which cannot be$")).wait_for()
    _check(page, "values").get_by_text("Failed").wait_for()
    page.get_by_role("row").filter(has_text=re.compile(r"^hard_bounds\s*2023-06-01\s*9\d\.\d+$")).wait_for()
    photograph(page, "check_failed")


def _tab(page: Page, name: str) -> Locator:
    return page.get_by_role("tablist").first.get_by_text(name, exact=True)


def _button(where: Page | Locator, text: str) -> Locator:
    # by its text: in its accessible name stands that of its icon too
    return where.get_by_role("button").filter(has_text=re.compile(rf"^{re.escape(text)}$"))


def _check(page: Page, name: str) -> Locator:
    return page.locator("span").filter(has=page.get_by_title(name, exact=True)).first


def _row(page: Page, key: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_text(key, exact=True))


def _drawn(image: Locator) -> str:
    """Return the SVG of a picture that the browser could draw."""
    image.wait_for()
    assert image.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") > 0
    kind, _, content = (image.get_attribute("src") or "").partition(",")
    assert kind == "data:image/svg+xml;base64"
    return b64decode(content).decode()
