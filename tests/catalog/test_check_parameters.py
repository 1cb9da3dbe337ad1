"""What an entry may say to the rules, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from macrocredit_assets.catalog import load_catalog
from macrocredit_assets.catalog.check_parameters import DatasetChecks, Jump
from macrocredit_assets.errors import CatalogError

ENTRY = """
datasets:
  toy:
    title: Toy
    instrument: TOY
    group: toys
    owner: team:toys
    description: A toy.
    calendar: weekdays
    main: spread
    columns: {{spread: {{unit: bp, decimals: 2}}}}
    checks: {checks}
    ways: [{{source: file, series: "toy:x", path: x.csv, columns: {{spread: {{column: x}}}}}}]
"""


def load(tmp_path: Path, text: str) -> DatasetChecks:
    """Load a catalog of the user's own; return what its toy says to the rules."""
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return load_catalog(path).datasets["toy"].checks


def test_what_is_judged_unasked(tmp_path: Path) -> None:
    """Gaps and jumps are; how long a quiet series may stand still, and what it is compared with, must be said."""
    assert load(tmp_path, ENTRY.format(checks="{}")) == DatasetChecks(stale=None, gap=2, jump=Jump(limit=10))
    assert load(tmp_path, ENTRY.format(checks="{jump: null, gap: null}")) == DatasetChecks(gap=None, jump=None)


@pytest.mark.parametrize(
    ("checks", "message"),
    [
        ("{stale: 0}", "checks.stale"),
        ("{stail: 3}", "checks.stail: unknown key"),
        ("{jump: {limit: 0}}", "checks.jump.limit"),
        ("{jump: {changes: percent}}", "checks.jump.changes"),
        ("{reference: {dataset: vix, column: close}}", "`within`, or between which bounds the `ratio` lies"),
        ("{reference: {dataset: vix, column: close, within: 1, ratio: {low: 1, high: 2}}}", "`within`, or between"),
        ("{reference: {dataset: vix, column: close, within: -1}}", "checks.reference.within"),
        ("{reference: {dataset: vvix, column: close, within: 1}}", "there is no dataset 'vvix'; did you mean 'vix'?"),
        ("{reference: {dataset: vix, column: level, within: 1}}", "vix has no column 'level'; it has open, high"),
        ("{reference: {dataset: toy, column: spread, within: 1}}", "toy cannot be held against itself"),
    ],
)
def test_what_is_refused(tmp_path: Path, checks: str, message: str) -> None:
    """Each mistake is named with its key."""
    with pytest.raises(CatalogError) as caught:
        load(tmp_path, ENTRY.format(checks=checks))
    assert message in str(caught.value)


def test_a_signal_has_neither_jumps_nor_gaps(tmp_path: Path) -> None:
    """What would be said in vain is refused."""
    path = tmp_path / "own.yaml"
    signal = load_catalog().signals["cash_cds_basis_hy"]
    inputs = "{oas: {dataset: us_hy_oas, column: oas}, spread: {dataset: cdx_hy_5y, column: spread}}"
    path.write_text(
        f"signals:\n  mine: {{title: A, instrument: B, group: c, owner: '{signal.owner}', description: d, "
        f"calendar: us_bond, main: basis, columns: {{basis: {{unit: bp, decimals: 2}}}}, function: cash_cds_basis, "
        f"inputs: {inputs}, checks: {{stale: 5, jump: {{limit: 5}}, gap: 5}}}}\n",
        encoding="utf-8",
    )
    with pytest.raises(CatalogError, match=r"signals\.mine\.checks\.jump: unknown key"):
        load_catalog(path)
    path.write_text(path.read_text(encoding="utf-8").replace(", jump: {limit: 5}", ""), encoding="utf-8")
    with pytest.raises(CatalogError, match=r"signals\.mine\.checks\.gap: unknown key"):
        load_catalog(path)
    path.write_text(path.read_text(encoding="utf-8").replace(", gap: 5", ""), encoding="utf-8")
    assert load_catalog(path).signals["mine"].checks.stale == 5


def test_a_reference_that_a_user_leaves_out_is_left_out_everywhere(tmp_path: Path) -> None:
    """Without high yield OAS, CDX is judged as before but for the comparison."""
    path = tmp_path / "own.yaml"
    path.write_text("remove: [us_hy_oas, cash_cds_basis_hy]\n", encoding="utf-8")
    shipped, own = load_catalog().datasets, load_catalog(path).datasets
    assert shipped["cdx_hy_5y"].checks.reference is not None
    assert own["cdx_hy_5y"].checks == DatasetChecks(stale=2)
    assert own["cdx_ig_5y"].checks == shipped["cdx_ig_5y"].checks


def test_what_is_checked_is_no_part_of_what_a_dataset_is() -> None:
    """Another limit does not make every asset's code another one."""
    assert "checks" not in load_catalog().datasets["vix"].model_dump()
