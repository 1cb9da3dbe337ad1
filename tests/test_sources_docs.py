"""docs/sources.md: what it names exists, and it names all that there is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from macrocredit_assets import errors
from macrocredit_assets.catalog.models import DatasetSpec
from macrocredit_assets.catalog.ways import WAYS
from macrocredit_assets.cli import cli
from macrocredit_assets.probing import DAYS, SECONDS
from macrocredit_assets.settings import VARIABLES
from macrocredit_assets.sources.http import MIB, PLACEHOLDER, HttpPolicy

_DOCS = Path(__file__).resolve().parent.parent / "docs"
_PAGE = (_DOCS / "sources.md").read_text(encoding="utf-8")
#: What a file that cannot be read, or a profile without a way, says; it is no answer of a source.
_OF_FILES = {"NotServedError", "UnreadableSourceError"}


def _first_cells(section: str) -> list[str]:
    text = _PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)`", text, re.MULTILINE)


def test_every_source_has_a_row() -> None:
    """The table of sources has those of the catalog, and no other."""
    rows = re.findall(r"^\| `(\w+)`", _PAGE.partition("\n## ")[0], re.MULTILINE)
    assert set(rows) == WAYS.keys()


def test_every_error_of_a_source_is_explained() -> None:
    """The table of errors has every error that an answer can end in, the transient ones as such."""
    kinds = {name: getattr(errors, name) for name in errors.__all__}
    leaves = {
        name for name, kind in kinds.items() if issubclass(kind, errors.SourceError) and not kind.__subclasses__()
    }
    assert set(_first_cells("Errors")) == leaves - _OF_FILES
    transient = set(re.findall(r"^\| `(\w+)`.*\| may work \|$", _PAGE, re.MULTILINE))
    assert transient == {name for name in leaves if issubclass(kinds[name], errors.TransientSourceError)}


def test_findings_are_those_of_the_code() -> None:
    """Every finding that the page explains is one that the code makes."""
    package = _DOCS.parent / "macrocredit_assets"
    code = "".join(path.read_text() for path in package.rglob("*.py"))
    named = _first_cells("Findings")
    assert len(named) == 9
    assert [name for name in named if f'"{name}"' not in code] == []


def test_settings_and_fields_exist() -> None:
    """Every variable of ours that is named is one, and so is the catalog's field."""
    named = set(re.findall(r"\b(?:MACROCREDIT|FRED)_[A-Z_]+\b", _PAGE))
    assert named <= VARIABLES.keys()
    assert {"FRED_API_KEY", "MACROCREDIT_LANDING_DAYS", "MACROCREDIT_HTTP_TIMEOUT"} <= named
    assert {"ended", "publication_lag"} <= DatasetSpec.model_fields.keys()


def test_figures_are_those_of_the_code() -> None:
    """Timeouts, limits and repetitions stand in the page as they are."""
    policy = HttpPolicy()
    assert (policy.connect_seconds, policy.read_seconds, policy.total_seconds, policy.retries) == (10, 30, 120, 4)
    assert VARIABLES["MACROCREDIT_HTTP_TIMEOUT"][0] == "120"
    assert policy.body_limit == 64 * MIB
    assert (DAYS, SECONDS, PLACEHOLDER) == (10, 30, "REDACTED")


def _commands() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", _PAGE, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    inline = re.findall(r"`(macrocredit [^`]+)`", _PAGE)
    return sorted({re.sub(r"\s+#.*", "", line) for line in (*lines, *inline)})


@pytest.mark.parametrize("line", _commands())
def test_commands_can_be_typed(line: str) -> None:
    """Every command, with its arguments and options, is one that the command line takes."""
    program, *words = shlex.split(line)
    assert program == "macrocredit"
    command: click.Command = cli
    while isinstance(command, click.Group):
        name, command_found, words = command.resolve_command(click.Context(command), words)
        assert command_found is not None, name
        command = command_found
    command.make_context(command.name, words)


def _options(command: click.Command) -> set[str]:
    own = {name for param in command.params for name in param.opts}
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return own.union(*map(_options, below))


def test_options_exist() -> None:
    """An option that stands alone in a sentence is one of some command."""
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", _PAGE))
    assert "--allow-withdrawals" in named
    assert named <= _options(cli)


def test_links_lead_somewhere() -> None:
    """Links to other pages are to pages that there are."""
    links = re.findall(r"\]\(([\w./-]+\.md)\)", _PAGE)
    assert sorted(links) == ["history.md", "operating.md"]
    assert all((_DOCS / link).is_file() for link in links)
