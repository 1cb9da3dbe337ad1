"""A small file beside the revisions of a dataset: a list of what is known of its dates, as JSON.

What belongs here: reading one, and what is said of one that cannot be read. What an entry means is the business of
``seen.py`` and ``accepted.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from macrocredit_assets.errors import CorruptFileError
from macrocredit_assets.persistence.json_io import load_json

__all__ = ["read_notes"]

T = TypeVar("T")


def read_notes(path: Path, parse: Callable[[dict[str, Any]], T], without: str) -> tuple[T, ...]:
    """Return the entries of a file, in its order; nothing where there is no file.

    Parameters
    ----------
    path
        The file.
    parse
        Makes an entry of its JSON.
    without
        What happens if the file is deleted: a clause, for the error.

    Raises
    ------
    CorruptFileError
        If the file cannot be read; it names the file, which may be deleted.
    """
    try:
        return tuple(parse(entry) for entry in load_json(path))
    except FileNotFoundError:
        return ()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CorruptFileError(
            f"{path} cannot be read ({error!r}); it was left as it is. {without}: `rm {path}`"
        ) from error
