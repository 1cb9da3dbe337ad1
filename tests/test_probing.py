"""Asking every way: whatever one of them raises, the others are asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd

from macrocredit_assets.catalog import DatasetSpec, load_catalog
from macrocredit_assets.catalog.ways import Way
from macrocredit_assets.persistence import ErrorInfo
from macrocredit_assets.probing import Question, ask, questions
from macrocredit_assets.settings import Settings
from macrocredit_assets.sources import Fetched
from macrocredit_assets.windows import Window


@dataclass
class Feed:
    """A source of another package: of VIX it raises, of all else it answers under a label of its own."""

    name: str = "sample"
    asked: Window | None = None

    def unavailable(self, way: Way) -> str | None:
        """Say that it can be used."""
        return None

    def fetch(self, spec: DatasetSpec, way: Way, window: Window) -> Fetched:
        """Answer without a row in the window, or raise what no source should."""
        self.asked = window
        if spec.name == "vix":
            raise KeyError("PX_LAST")
        return Fetched(pd.DataFrame(), date(1962, 1, 2), date(2022, 1, 21), 100, label="desk_api:x")


def test_whatever_is_raised_is_a_reply() -> None:
    """An error of a foreign package is told by its type; a way without a row in the window has answered."""
    catalog = load_catalog()
    asked = [Question(spec, spec.ways[-1]) for spec in (catalog.datasets["vix"], catalog.datasets["move"])]
    feed = Feed()
    broken, sound = ask({"sample": feed}, asked, date(2024, 1, 10))
    assert (broken.dataset, broken.way, broken.rows) == ("vix", "sample:vix", None)
    assert broken.error == ErrorInfo("KeyError", "'PX_LAST'")
    assert (sound.dataset, sound.way, sound.rows) == ("move", "desk_api:x", 0)
    assert (sound.first, sound.last, sound.error) == (date(1962, 1, 2), date(2022, 1, 21), None)
    assert feed.asked == Window.parse("2024-01-01", "2024-01-10")


def test_every_usable_way_is_asked_and_no_other(tmp_path: Path) -> None:
    """The questions are the ways of the routes that runs take: a file that is not there is none of them."""
    settings = Settings(root=tmp_path, dagster_home=tmp_path, profile="public", files=tmp_path)
    (tmp_path / "fred_DGS10.csv").write_text("DATE,DGS10\n2024-01-03,3.91\n")
    sources, asked = questions(settings, load_catalog())
    assert {"cboe", "fred", "file"} <= sources.keys()
    labels = [(question.spec.name, question.label) for question in asked]
    assert ("ust_10y", "fred:DGS10") in labels
    assert ("ust_10y", "file:fred_DGS10.csv") in labels
    assert ("vix", "cboe:VIX") in labels
    assert [name for name, _ in labels if name in ("move", "cdx_ig_5y")] == []
    _, simulated = questions(replace(settings, profile="sample"), load_catalog())
    assert {question.way.source for question in simulated} == {"sample"}
