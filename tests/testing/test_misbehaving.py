"""The source that misbehaves: every bad habit happens, at the same place each time, and comes to the sample's rows."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.catalog.models import SampleWay
from macrocredit_assets.errors import PermanentSourceError, TransientSourceError
from macrocredit_assets.sources import SampleSource
from macrocredit_assets.testing import Habits, MisbehavingSource, asked_on
from macrocredit_assets.testing.misbehaving import SETTLED_DAYS
from macrocredit_assets.windows import Window

CATALOG = load_catalog().datasets
CDX, VIX = CATALOG["cdx_ig_5y"], CATALOG["vix"]
WEEK = Window.parse("2024-01-08", "2024-01-12")
YEAR = Window.parse("2023-01-01", "2023-12-31")
NEVER = Habits(late=0, restated=0, withdrawn=0, silent=0, stumbling=0)

_DAY = timedelta(days=1)


def _rows(source: MisbehavingSource, on: str, window: Window = WEEK) -> pd.DataFrame:
    with asked_on(date.fromisoformat(on)):
        return source.fetch(CDX, CDX.ways[0], window).frame


def _days(frame: pd.DataFrame) -> list[str]:
    return [str(day.date()) for day in frame.index]


def test_without_habits_it_is_the_sample_source() -> None:
    """Every row of the past, with the sample's values."""
    way = next(way for way in CDX.ways if isinstance(way, SampleWay))
    pd.testing.assert_frame_equal(
        _rows(MisbehavingSource(NEVER), "2024-02-01"), SampleSource().fetch(CDX, way, WEEK).frame
    )


def test_row_is_there_on_the_morning_after_its_lag() -> None:
    """A spread on the next morning; the VIX, which has a lag, after its next session: Friday's on Wednesday."""
    source = MisbehavingSource(NEVER)
    assert _days(_rows(source, "2024-01-10")) == ["2024-01-08", "2024-01-09"]
    # Monday 2024-01-15 is a holiday
    assert source.story(VIX, date(2024, 1, 12)).printed == date(2024, 1, 17)


def test_late_row_is_overtaken() -> None:
    """It comes some days later, when later rows may be there, and within the days it takes to settle."""
    source = MisbehavingSource(Habits(late=0.3, restated=0, withdrawn=0, silent=0, stumbling=0))
    stories = {day: source.story(CDX, day) for day in (stamp.date() for stamp in source.settled(CDX, YEAR).index)}
    late = [day for day, story in stories.items() if story.printed > day + _DAY]
    assert 0.2 * len(stories) < len(late) < 0.4 * len(stories)
    assert max(story.printed - day for day, story in stories.items()) == SETTLED_DAYS * _DAY
    day = next(day for day in late if stories[day].printed - day >= 5 * _DAY)
    before, after = (str(stories[day].printed + offset) for offset in (-_DAY, timedelta(0)))
    assert str(day) not in _days(_rows(source, before, YEAR))
    assert str(day) in _days(_rows(source, after, YEAR))
    assert _days(_rows(source, before, YEAR))[-1] > str(day)


def test_restated_row_is_a_few_percent_off_until_it_settles() -> None:
    """The first print and the final one differ by one to three percent."""
    source = MisbehavingSource(Habits(late=0, restated=1, withdrawn=0, silent=0, stumbling=0))
    story = source.story(CDX, WEEK.start)
    first, final = (_rows(source, str(day)).loc[str(WEEK.start), "spread"] for day in (story.printed, story.settled))
    assert 0.0099 < abs(first / final - 1) < 0.0301
    assert final == source.settled(CDX, WEEK).loc[str(WEEK.start), "spread"]


def test_withdrawn_row_is_gone_after_some_days() -> None:
    """It is served for four mornings, and never again."""
    source = MisbehavingSource(Habits(late=0, restated=0, withdrawn=1, silent=0, stumbling=0))
    assert "2024-01-08" in _days(_rows(source, "2024-01-12"))
    assert "2024-01-08" not in _days(_rows(source, "2024-01-13"))
    assert "2024-01-08" in _days(source.settled(CDX, WEEK))


def test_silent_morning_answers_no_request() -> None:
    """The error is of the kind that may pass, and says what was asked and when."""
    source = MisbehavingSource(Habits(silent=1))
    for _ in range(3):
        with pytest.raises(TransientSourceError, match=re.escape(f"cdx_ig_5y {WEEK}: asked on 2024-02-01")):
            _rows(source, "2024-02-01")


def test_stumbling_morning_answers_the_second_request() -> None:
    """Each morning and dataset stumbles for itself."""
    source = MisbehavingSource(Habits(silent=0, stumbling=1))
    for day in ("2024-02-01", "2024-02-02"):
        with pytest.raises(TransientSourceError):
            _rows(source, day)
        assert len(_rows(source, day)) > 0


def test_last_is_what_is_served() -> None:
    """What has not been printed yet has not been reached."""
    source = MisbehavingSource(NEVER)
    with asked_on(date(2024, 1, 10)):
        assert source.fetch(CDX, CDX.ways[0], WEEK).last == date(2024, 1, 9)


def test_same_seed_same_story() -> None:
    """Nothing depends on when or how often it is asked; another seed tells another story."""
    first, again, other = ([MisbehavingSource(seed=seed).story(CDX, day) for day in YEAR] for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_without_a_frozen_day_it_is_today() -> None:
    """A row of the coming week is not served."""
    today = datetime.now(UTC).date()
    frame = MisbehavingSource(NEVER).fetch(CDX, CDX.ways[0], Window(today - 10 * _DAY, today + 10 * _DAY)).frame
    assert today - 10 * _DAY <= frame.index[-1].date() <= today


def test_entry_without_a_sample_way_cannot_be_served() -> None:
    """There is nothing to simulate."""
    bare = CDX.model_copy(update={"ways": tuple(way for way in CDX.ways if way.source != "sample")})
    with pytest.raises(PermanentSourceError, match="no way of source 'sample'"):
        MisbehavingSource(NEVER).fetch(bare, bare.ways[0], WEEK)
    assert MisbehavingSource().unavailable(bare.ways[0]) is None
    assert MisbehavingSource().name == "misbehaving"
