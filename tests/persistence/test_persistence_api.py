"""What the package offers, and what it costs to import."""

from __future__ import annotations

import subprocess
import sys

import pytest

import macrocredit_assets.persistence as persistence


def run(program: str) -> str:
    """Run a program in a fresh interpreter and return what it printed."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True)
    return done.stdout


def test_these_names_are_public() -> None:
    """The list is a promise: a name that goes breaks somebody's notebook."""
    assert sorted(persistence.__all__) == [
        "Accepted",
        "AssetRecord",
        "DataRegistry",
        "DatasetEntry",
        "DatasetStore",
        "EnhancedJSONEncoder",
        "ErrorInfo",
        "Provenance",
        "Revision",
        "RunHeader",
        "RunLog",
        "Seen",
        "SeenInput",
        "StoredHead",
        "WriteResult",
        "list_parquet_files",
        "load_json",
        "load_parquet",
        "read_root_kind",
        "read_runs",
        "save_json",
        "save_parquet",
        "stamp_root",
    ]


@pytest.mark.parametrize("name", persistence.__all__)
def test_every_public_name_is_there(name: str) -> None:
    """Each can be had, is documented, and is seen by dir()."""
    assert getattr(persistence, name).__doc__
    assert name in dir(persistence)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A typo fails as with any module."""
    with pytest.raises(AttributeError, match=r"module 'macrocredit_assets.persistence' has no attribute 'save_parket'"):
        persistence.save_parket  # noqa: B018


def test_using_everything_imports_neither_dagster_nor_pydantic_nor_yaml() -> None:
    """A notebook reads and writes files without the orchestrator."""
    program = (
        "import sys; from macrocredit_assets.persistence import *;"
        "print([name for name in ('dagster', 'pydantic', 'yaml') if name in sys.modules])"
    )
    assert run(program) == "[]\n"


def test_importing_the_package_imports_no_large_library() -> None:
    """The package itself is quick; pandas and Arrow come with the first name that needs them."""
    program = (
        "import sys; import macrocredit_assets.persistence;"
        "print([name for name in ('dagster', 'pydantic', 'yaml', 'numpy', 'pandas', 'pyarrow') if name in sys.modules])"
    )
    assert run(program) == "[]\n"


def test_importing_everything_imports_nothing_for_later() -> None:
    """What only a lock, a frame or the encoder's rarer types need comes with the first of them."""
    program = (
        "import sys, pandas, pyarrow.parquet; before = {*sys.modules}; from macrocredit_assets.persistence import *;"
        "late = {'portalocker', 'importlib.metadata', 'fractions', 'pyarrow.pandas_compat'};"
        "print(late & (sys.modules.keys() - before))"
    )
    assert run(program) == "set()\n"
