"""The exception tree, held against the drawing in its docstring."""

from __future__ import annotations

import re

import pytest

from macrocredit_assets import errors

_DRAWN = re.findall(r"^[│ ]*[├└]── (\w+)(?: \((\w+)\))?", errors.__doc__ or "", flags=re.MULTILINE)


def test_every_public_error_is_drawn() -> None:
    """The drawing has every public error, and no other."""
    assert {name for name, _ in _DRAWN} | {"MacrocreditError"} == set(errors.__all__)


@pytest.mark.parametrize("name", sorted(errors.__all__))
def test_every_error_has_the_base(name: str) -> None:
    """One except clause catches whatever this package raises on purpose."""
    assert issubclass(getattr(errors, name), errors.MacrocreditError)


@pytest.mark.parametrize(("name", "builtin"), [(name, builtin) for name, builtin in _DRAWN if builtin])
def test_error_is_the_builtin_that_is_drawn_beside_it(name: str, builtin: str) -> None:
    """Code that does not know this package catches the error as the built-in."""
    known = {
        "ValueError": ValueError,
        "KeyError": KeyError,
        "LookupError": LookupError,
        "ConnectionError": ConnectionError,
    }
    assert issubclass(getattr(errors, name), known[builtin])


@pytest.mark.parametrize("name", sorted(errors.__all__))
def test_message_is_shown_as_it_was_written(name: str) -> None:
    """The text of an error is its message, without the quotes that KeyError puts around it."""
    message = "Dataset 'x' not found.\nRun: macrocredit datasets"
    assert str(getattr(errors, name)(message)) == message


def test_unknown_dataset_without_message_is_empty() -> None:
    """An error that was raised without a message has none."""
    assert str(errors.UnknownDatasetError()) == ""


def test_transient_and_permanent_failures_are_different_types() -> None:
    """Whether to try again can be told from the type."""
    assert not issubclass(errors.TransientSourceError, errors.PermanentSourceError)
    assert not issubclass(errors.PermanentSourceError, errors.TransientSourceError)
