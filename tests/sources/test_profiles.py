"""Which ways a profile takes, and what is said where it has none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest

from macrocredit_assets.catalog import Catalog, load_catalog
from macrocredit_assets.catalog.models import (
    BloombergWay,
    CboeWay,
    Column,
    CustomWay,
    DatasetSpec,
    FileColumn,
    FileWay,
    FredWay,
    SampleWay,
    Way,
)
from macrocredit_assets.errors import NotServedError, PermanentSourceError
from macrocredit_assets.settings import Profile, Settings
from macrocredit_assets.sources import PROFILES, Fetched, Route, build_sources, choose, unserved, way_label
from macrocredit_assets.windows import Window

FRED = FredWay(series="fred:VIXCLS", series_id="VIXCLS", column="close")
CBOE = CboeWay(series="cboe:VIX", symbol="VIX")
FILE = FileWay(series="cboe:VIX", path="vix.csv", columns={"close": FileColumn(column="CLOSE")})
OLD_FILE = FILE.model_copy(update={"path": "old.csv"})
BLOOMBERG = BloombergWay(series="bbg:VIX Index", ticker="VIX Index", fields={"close": "PX_LAST"})
SAMPLE = SampleWay(series="sample:vix", model="volatility", level=15, stress=4, noise=0.04)
DESK = CustomWay(series="desk:VIX", source="desk")


@dataclass(frozen=True)
class Stand:
    """A source that can be used, or says why not."""

    name: str
    reason: str | None = None

    def unavailable(self, way: Way) -> str | None:  # noqa: D102 - as the protocol has it
        return self.reason

    def fetch(self, spec: DatasetSpec, way: Way, window: Window) -> Fetched:  # noqa: D102
        raise AssertionError("choosing must not fetch")


def stands(*names: str, **broken: str) -> dict[str, Stand]:
    """Return usable sources by name, and broken ones with their reasons."""
    return {name: Stand(name) for name in names} | {name: Stand(name, why) for name, why in broken.items()}


def vix(*ways: Way) -> DatasetSpec:
    """Return a dataset with these ways."""
    return DatasetSpec(
        name="vix",
        title="VIX",
        instrument="VIX",
        group="volatility",
        owner="team:vol",
        description="A volatility.",
        columns={"close": Column(unit="index points", decimals=2)},
        main="close",
        calendar="us_equity",
        ways=ways,
    )


ALL = vix(BLOOMBERG, FRED, CBOE, FILE, SAMPLE)
EVERY = stands("bloomberg", "fred", "cboe", "file", "sample")


def test_every_profile_of_the_settings_is_known() -> None:
    """A profile that can be set can be chosen from, and sample data stand in no other."""
    assert set(PROFILES) == set(get_args(Profile))
    assert [profile for profile, names in PROFILES.items() if "sample" in names] == ["sample"]


@pytest.mark.parametrize(
    ("profile", "series", "ways"),
    [
        ("sample", "sample:vix", (SAMPLE,)),
        ("files", "cboe:VIX", (FILE,)),
        ("public", "cboe:VIX", (CBOE, FILE)),
        ("terminal", "bbg:VIX Index", (BLOOMBERG,)),
    ],
)
def test_takes_all_ways_of_the_preferred_series(profile: Profile, series: str, ways: tuple[Way, ...]) -> None:
    """The profile's first usable way names the series; its other ways follow, ways of other series never do."""
    assert choose(ALL, profile, EVERY) == Route(series, ways)


def test_falls_through_to_the_next_series_where_a_source_cannot_be_used() -> None:
    """What is not installed or says why it cannot be used is passed over."""
    sources = stands("fred", bloomberg="the terminal is not running", cboe="blocked", file="no folder")
    assert choose(ALL, "terminal", sources) == Route("fred:VIXCLS", (FRED,))


def test_ways_of_one_source_stay_in_the_order_of_the_entry() -> None:
    """Two files of one series are both used, the first one first, whatever their names."""
    assert choose(vix(FILE, OLD_FILE), "files", EVERY).ways == (FILE, OLD_FILE)
    assert choose(vix(OLD_FILE, FILE), "files", EVERY).ways == (OLD_FILE, FILE)


@pytest.mark.parametrize("profile", ["files", "public", "terminal"])
def test_a_source_of_another_package_comes_first_in_real_profiles(profile: Profile) -> None:
    """A desk that adds its own way to an entry gets it, wherever it stands there."""
    assert choose(vix(FILE, SAMPLE, DESK), profile, EVERY | stands("desk")).series == "desk:VIX"


def test_a_source_of_another_package_is_never_sample_data() -> None:
    """Profile sample stays with the simulation."""
    assert choose(vix(DESK, SAMPLE), "sample", EVERY | stands("desk")).series == "sample:vix"


def test_no_way_names_every_way_and_its_reason() -> None:
    """Not installed, unusable and not in the profile are told apart, each beside the way it is about."""
    with pytest.raises(NotServedError) as caught:
        choose(ALL, "public", stands("sample", file="MACROCREDIT_FILES is not set"))
    assert str(caught.value).splitlines()[:-1] == [
        "Profile 'public' has no way to vix:",
        "  bloomberg:VIX Index: profile 'public' does not use source bloomberg",
        "  fred:VIXCLS: source fred is not installed",
        "  cboe:VIX: source cboe is not installed",
        "  file:vix.csv: MACROCREDIT_FILES is not set",
        "  sample:vix: profile 'public' does not use source sample",
    ]
    assert "macrocredit doctor" in str(caught.value).splitlines()[-1]


def test_unserved_lists_datasets_with_the_reasons_of_the_profile_alone() -> None:
    """Ways outside the profile are no reason worth telling, unless there is nothing else to tell."""
    catalog = Catalog(datasets={"vix": ALL, "spot": vix(SAMPLE).model_copy(update={"name": "spot"})}, signals={})
    assert unserved(catalog, "sample", EVERY) == {}
    assert unserved(catalog, "public", stands(file="there is no file vix.csv")) == {
        "vix": "cboe:VIX: source cboe is not installed; fred:VIXCLS: source fred is not installed; "
        "file:vix.csv: there is no file vix.csv",
        "spot": "its entry has no way that profile 'public' uses",
    }


@pytest.mark.parametrize(
    ("way", "label"),
    [
        (FILE, "file:vix.csv"),
        (FRED, "fred:VIXCLS"),
        (CBOE, "cboe:VIX"),
        (BLOOMBERG, "bloomberg:VIX Index"),
        (SAMPLE, "sample:vix"),
        (DESK, "desk:VIX"),
    ],
)
def test_labels(way: Way, label: str) -> None:
    """A record names a way by its source and by what is asked of it."""
    assert way_label(way) == label


@pytest.mark.parametrize("profile", ["sample", "files"])
def test_the_shipped_catalog_is_served(profile: Profile, real_data: Path) -> None:
    """Simulation and files each serve all sixteen datasets, one series each."""
    catalog = load_catalog()
    built = build_sources(Settings(real_data, real_data, files=real_data))
    assert unserved(catalog, profile, built) == {}
    assert len(catalog.datasets) == 16
    for spec in catalog.datasets.values():
        route = choose(spec, profile, built)
        assert {way.series for way in route.ways} == {route.series}


def test_both_files_of_the_sp500_are_used(real_data: Path) -> None:
    """The long archive comes first, the one that goes on after it second."""
    route = choose(
        load_catalog().datasets["sp500"], "files", build_sources(Settings(real_data, real_data, files=real_data))
    )
    assert [way_label(way) for way in route.ways] == ["file:spx_ohlcv_yahoo_1927_2020.csv", "file:spx_close_yahoo.csv"]


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, *points: str) -> None:
    """Put a package with these entry points on the path, as pip would."""
    (folder / "desk_sources.py").write_text(
        "class Desk:\n    name = 'desk'\n    def unavailable(self, way):\n        return 'the desk is closed'\n"
    )
    metadata = folder / "desk_sources-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: desk-sources\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("\n".join(["[macrocredit_assets.sources]", *points, ""]))
    monkeypatch.syspath_prepend(folder)


def test_built_in_sources(tmp_path: Path) -> None:
    """Without other packages there are the built-in sources, each under its own name."""
    built = build_sources(Settings(tmp_path, tmp_path))
    assert {name: source.name for name, source in built.items()} == {
        name: name for name in ("file", "sample", "fred", "cboe")
    }


def test_entry_points_add_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an installed package registers is a source beside ours; an entry point of another group is none."""
    install(tmp_path, monkeypatch, "desk = desk_sources:Desk", "[another.group]", "other = nowhere_at_all:X")
    built = build_sources(Settings(tmp_path, tmp_path))
    assert list(built) == ["file", "sample", "fred", "cboe", "desk"]
    assert built["desk"].unavailable(DESK) == "the desk is closed"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("file = desk_sources:Desk", r"desk-sources registers a source 'file', a name that is taken.* desk-sources$"),
        ("desk = nowhere_at_all:X", r"'desk' of package desk-sources .* cannot be loaded: ModuleNotFoundError"),
        ("desk = desk_sources:Other", r"'desk' of package desk-sources .* cannot be loaded: AttributeError"),
        ("desk = math:sin", r"'desk' of package desk-sources .* cannot be loaded: TypeError"),
    ],
)
def test_a_broken_entry_point_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, message: str
) -> None:
    """A source that cannot be loaded stops everything: going on could serve another series than the one chosen."""
    install(tmp_path, monkeypatch, entry)
    with pytest.raises(PermanentSourceError, match=message):
        build_sources(Settings(tmp_path, tmp_path))
