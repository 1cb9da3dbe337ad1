"""Loading a catalog: what a user's own file does to the shipped one, and what is said about its mistakes."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.catalog.catalog import Place
from macrocredit_assets.catalog.models import CustomWay
from macrocredit_assets.errors import CatalogError, UnknownDatasetError

Write = Callable[[str], Path]

_ENTRY = """\
    title: A toy
    instrument: TOY
    group: toys
    owner: team:toys
    description: A toy.
    calendar: weekdays
    main: close
    columns:
      close: {unit: bp, decimals: 2}
"""
_DATASET = (
    _ENTRY
    + "    ways:\n      - {source: sample, series: 'sample:toy', model: spread, level: 9, stress: 2, noise: 0.1}\n"
)
_TWO_COLUMNS = _DATASET.replace("close:", "low: {unit: bp, decimals: 2}\n      close:")
_SIGNAL = _ENTRY + "    function: f\n    inputs:\n      spread: {dataset: cdx_ig_5y, column: spread}\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a user's own catalog file and return its path."""

    def _write(text: str) -> Path:
        path = tmp_path / "own.yaml"
        path.write_text(textwrap.dedent(text), "utf-8")
        return path

    return _write


def said_about(path: Path) -> list[str]:
    """Return the lines of the error, without the headline and the folder."""
    with pytest.raises(CatalogError) as caught:
        load_catalog(path)
    return [line.strip().replace(str(path), "own.yaml") for line in str(caught.value).splitlines()[1:]]


def test_own_entries_are_added_and_replace_shipped_ones_at_their_place(write: Write) -> None:
    """By default a file extends the shipped catalog; an entry of a known name is replaced whole."""
    catalog = load_catalog(write(f"datasets:\n  toy:\n{_DATASET}\n  cdx_hy_5y:\n{_DATASET.replace('close', 'spread')}"))

    assert [*catalog.datasets][:2] == ["cdx_ig_5y", "cdx_hy_5y"]
    assert [*catalog.datasets][-1] == "toy"
    assert catalog.datasets["cdx_hy_5y"].title == "A toy"
    assert catalog.datasets["cdx_hy_5y"].rolls is None
    assert [*catalog.signals] == [*load_catalog().signals]


def test_extends_none_stands_alone(write: Write) -> None:
    """A file that extends nothing is the whole catalog."""
    assert load_catalog(write(f"extends: none\ndatasets:\n  toy:\n{_DATASET}")).names() == ("toy",)


def test_shipped_entries_can_be_removed(write: Write) -> None:
    """Datasets and signals are left out by name."""
    names = load_catalog(write("remove: [vix, cdx_vix_gap]\n")).names()

    assert len(names) == 19
    assert not {"vix", "cdx_vix_gap"} & set(names)


def test_removing_an_input_is_a_mistake_of_the_users_file(write: Write) -> None:
    """The signal that is left without its input is named, and who did it."""
    [said] = said_about(write("remove: [vix]\n"))

    assert said.startswith("datasets.yaml:")
    assert "signals.cdx_vix_gap.inputs.vix.dataset: there is no dataset 'vix'; own.yaml made it so" in said


def test_names_follow_dependencies(write: Write) -> None:
    """Market datasets come first; a signal comes after the signals that it reads."""
    reader = _SIGNAL.replace("cdx_ig_5y, column: spread", "late, column: close")
    catalog = load_catalog(write(f"extends: default\nsignals:\n  early:\n{reader}  late:\n{_SIGNAL}"))

    names = catalog.names()
    assert names.index("late") < names.index("early")
    assert set(names) == {*catalog.datasets, *catalog.signals}
    assert names[:16] == tuple(catalog.datasets)


def test_inputs_are_named_once_each() -> None:
    """A signal reads datasets; a market dataset reads none."""
    catalog = load_catalog()

    assert catalog.inputs_of("cdx_vix_gap") == ("cdx_hy_5y", "vix")
    assert catalog.inputs_of("vix") == ()


def test_an_unknown_dataset_is_told_its_neighbours() -> None:
    """A misspelt name gets the nearest ones, a wild one gets all."""
    catalog = load_catalog()

    with pytest.raises(UnknownDatasetError, match=r"no dataset 'cdx_ig'.*Did you mean cdx_ig_5y"):
        catalog.entry("cdx_ig")
    with pytest.raises(UnknownDatasetError, match=r"There are: cdx_ig_5y, .*spread_momentum_hy"):
        catalog.entry("!!")


def test_every_mistake_is_said_once_with_its_line(write: Write) -> None:
    """All errors of a file come together: unknown keys with the nearest, wrong types, wrong words, missing keys."""
    text = """\
        datasets:
          toy:
            title: 5
            instrument: TOY
            group: toys
            owner: bob
            calendar: us_equty
            main: close
            name: toy
            columns:
              close: {untis: bp, decimals: 2, unit: bp}
            ways:
              - {source: fred, series: "fred:X", serie_id: X, column: close}
              - {source: fiel, series: "cboe:VIX", path: x}
              - {series: "cboe:VIX"}
              - {source: fred, series: DGS10, series_id: DGS10, column: close}
        """

    expected = """\
        own.yaml:3: datasets.toy.title: Input should be a valid string, not 5; put it in quotes
        own.yaml:2: datasets.toy.description: this key is missing
        own.yaml:6: datasets.toy.owner: 'bob' is no owner; write an e-mail address or team:name
        own.yaml:7: datasets.toy.calendar: 'us_equty' is not one of 'us_equity', 'us_bond', 'ice_oas', 'london', \
'target', 'weekdays' or 'daily'; did you mean 'us_equity'?
        own.yaml:9: datasets.toy.name: unknown key; name and kind follow from where the entry stands
        own.yaml:11: datasets.toy.columns.close.untis: unknown key; did you mean 'unit'?
        own.yaml:13: datasets.toy.ways[0].series_id: this key is missing
        own.yaml:13: datasets.toy.ways[0].serie_id: unknown key; did you mean 'series_id'?
        own.yaml:14: datasets.toy.ways[1]: source 'fiel' is none of the built-in ones (bloomberg, cboe, file, fred, \
sample), and a source of another package takes its settings under `options`, not as path
        own.yaml:15: datasets.toy.ways[2].source: say which source this way uses: bloomberg, cboe, file, fred, sample, \
or one of another package
        own.yaml:16: datasets.toy.ways[3].series: 'DGS10' is no series; write it as publisher:identifier, such as \
fred:DGS10
        """
    assert sorted(said_about(write(text))) == sorted(textwrap.dedent(expected).splitlines())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"datasets:\n  VIX:\n{_DATASET}", "own.yaml:2: datasets.VIX: 'VIX' and 'vix' are one file where file systems"),
        (f"datasets:\n  config:\n{_DATASET}", "own.yaml:2: datasets.config: the name 'config' is a name that Dagster"),
        (f"datasets:\n  yield:\n{_DATASET}", "datasets.yield: the name 'yield' is a name that Dagster reserves"),
        (f"datasets:\n  my-set:\n{_DATASET}", "datasets.my-set: the name 'my-set' is no identifier"),
        (f"signals:\n  hyg:\n{_SIGNAL}", "own.yaml:2: signals.hyg: 'hyg' is a market dataset already"),
        (f"datasets:\n  cdx_vix_gap:\n{_DATASET}", "signals.cdx_vix_gap: 'cdx_vix_gap' is a market dataset already"),
        (
            f"signals:\n  s:\n{_SIGNAL.replace('cdx_ig_5y', 'cdx_ig')}",
            "own.yaml:14: signals.s.inputs.spread.dataset: there is no dataset 'cdx_ig'; did you mean 'cdx_ig_5y'?",
        ),
        (
            f"signals:\n  s:\n{_SIGNAL.replace('column: spread', 'column: close')}",
            "signals.s.inputs.spread.column: cdx_ig_5y has no column 'close'; it has spread",
        ),
        (
            f"signals:\n  s:\n{_SIGNAL.replace('cdx_ig_5y, column: spread', 's, column: close')}",
            "signals.s.inputs: signals that need each other: s reads s",
        ),
        (
            f"datasets:\n  toy:\n{_DATASET.replace('sample:toy', 'bbg:spx index/PX LAST')}",
            "datasets.toy.ways[0].series: 'bbg:spx index/PX LAST' and 'bbg:SPX Index/PX_LAST' are one asset",
        ),
        (f"datasets:\n  toy:\n{_DATASET.replace('main: close', 'main: last')}", "main column 'last' is not among"),
        (f"datasets:\n  toy:\n{_DATASET.replace('unit: bp', 'unit: bps')}", "columns.close.unit: 'bps' is not one of"),
        (f"datasets:\n  toy:\n{_DATASET.replace('close', 'date')}", "cannot be called 'date'"),
        (f"datasets:\n  toy:\n{_DATASET.replace('close: {', 'close-x: {')}", "columns.close-x: String should match"),
        (
            f"datasets:\n  toy:\n{_DATASET.replace('decimals: 2', 'decimals: 2, dtype: int64')}",
            "has no decimals, not 2",
        ),
        (
            f"datasets:\n  toy:\n{_DATASET.replace('decimals: 2', 'decimals: 2, hard: {low: 5, high: 1}')}",
            "columns.close.hard: high 1.0 must be above low 5.0",
        ),
        (
            f"datasets:\n  toy:\n{_DATASET.replace('2}', '2, hard: {low: 1, high: 5}, plausible: {low: 0, high: 4}}')}",
            "columns.close: plausible bounds must lie within hard bounds",
        ),
        (
            f"datasets:\n  toy:\n{_DATASET}      - {{source: fred, series: 'fred:X', series_id: X, column: last}}\n",
            "ways[1] (fred) brings last, which is not among the columns close",
        ),
        (
            f"datasets:\n  toy:\n{_TWO_COLUMNS}      - {{source: fred, series: 'fred:X', series_id: X, column: low}}\n",
            "ways[1] (fred) does not bring the main column 'close'",
        ),
        (f"signals:\n  s:\n{_SIGNAL}    parameters: {{k: true}}\n", "signals.s.parameters.k: Input should be a valid"),
        ("datasets:\n  toy: 5\n", "own.yaml:2: datasets.toy: Input should be an object, not 5"),
        ("dataset: {}\n", "own.yaml:1: dataset: unknown key; did you mean 'datasets'?"),
        ("remove: [hygg]\n", "own.yaml:1: remove[0]: there is no shipped 'hygg' to remove"),
        ("extends: none\nremove: [hyg]\n", "own.yaml:2: remove[0]: there is no shipped 'hyg' to remove"),
        ("extends: all\n", "own.yaml:1: extends: 'all' is not one of 'default' or 'none'"),
    ],
)
def test_a_wrong_catalog_is_refused(write: Write, text: str, said: str) -> None:
    """Each rule within and between entries names the place and what is wrong there."""
    assert any(said in line for line in said_about(write(text))), said_about(write(text))


@pytest.mark.parametrize("content", ["", "- a\n", "just text\n"])
def test_a_file_that_is_no_catalog_is_refused(write: Write, content: str) -> None:
    """An empty file, a list and a text are told what a catalog is."""
    with pytest.raises(CatalogError, match="a catalog is a mapping with the keys datasets and signals"):
        load_catalog(write(content))


def test_an_absent_or_unreadable_file_is_told_apart_from_a_wrong_one(tmp_path: Path) -> None:
    """No file, a folder and bytes that are no text each get a sentence of their own."""
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xff")

    with pytest.raises(CatalogError, match=r"There is no catalog file .*Unset MACROCREDIT_CATALOG"):
        load_catalog(tmp_path / "absent.yaml")
    with pytest.raises(CatalogError, match="cannot be read"):
        load_catalog(tmp_path)
    with pytest.raises(CatalogError, match="cannot be read"):
        load_catalog(tmp_path / "bytes.yaml")


def test_a_source_of_another_package_takes_options(write: Write) -> None:
    """What is not built in is kept for whoever registered it."""
    way = "{source: markit, series: 'markit:CDX', options: {family: IG, depth: 3, live: true}}"
    catalog = load_catalog(write(f"datasets:\n  toy:\n{_DATASET}      - {way}\n"))

    assert catalog.datasets["toy"].ways[1] == CustomWay(
        source="markit", series="markit:CDX", options={"family": "IG", "depth": 3, "live": True}
    )


def test_the_catalog_needs_neither_dagster_nor_calendars_of_markets() -> None:
    """Loading the catalog and its schemas imports nothing slow."""
    code = (
        "import sys; from macrocredit_assets.catalog import arrow_schema, load_catalog, calendars;"
        "[arrow_schema(load_catalog().entry(name)) for name in load_catalog().names()];"
        "print(sorted({'dagster', 'pandas_market_calendars'} & sys.modules.keys()))"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert finished.stdout == "[]\n"


def test_places_of_entries_and_ways_are_known(write: Write) -> None:
    """Each entry knows file and line, whichever file has it; a block that is repeated stands where it was written."""
    path = write(f"datasets:\n  toy: &toy\n{_DATASET}\n  vix:\n    <<: *toy\nremove: [move]\n")
    catalog = load_catalog(path)

    assert catalog.places["toy"] == Place(path, 2, (13,))
    assert catalog.places["vix"] == Place(path, 15, (13,))
    hyg = catalog.places["hyg"]
    assert hyg.path.read_text("utf-8").splitlines()[hyg.line - 1] == "  hyg:"
    assert {*catalog.places} == {*catalog.names()}
