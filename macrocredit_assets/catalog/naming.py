"""Names that files, columns of code and Dagster's assets can share.

What belongs here: which names are refused, and how a series becomes the key of the external asset that stands for it.
"""

from __future__ import annotations

import keyword
import re

__all__ = ["IDENTIFIER", "name_problem", "series_key"]

#: As a regular expression: what files, columns of code and assets can all be called
IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*"

#: dagster._core.definitions.utils.DISALLOWED_NAMES beside Python's keywords; a test compares the two
_DAGSTER = frozenset(
    {"arg_dict", "bool", "conf", "config", "context", "dict", "float", "input", "input_arg_dict", "int", "meta"}
    | {"output", "output_arg_dict", "str", "type"}
)
#: Files of these names cannot be made on Windows, whatever their extension
_WINDOWS = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))})


def name_problem(name: str) -> str | None:
    """Return why a dataset cannot be called so, in one clause, or None."""
    if not re.fullmatch(IDENTIFIER, name):
        return "is no identifier; use letters, digits and underscores, and begin with a letter"
    if name in _DAGSTER or keyword.iskeyword(name):
        return "is a name that Dagster reserves"
    if name.lower() in _WINDOWS:
        return "is a name that Windows gives to no file"
    if name.lower().startswith("source__") or name.lower() == "source":
        return "begins like the external assets that stand for series"
    return None


def series_key(series: str) -> tuple[str, str, str]:
    """Return the key of the external asset that stands for a series.

    Examples
    --------
    >>> series_key("fred:BAMLH0A0HYM2")
    ('source', 'fred', 'BAMLH0A0HYM2')
    >>> series_key("bbg:CDX IG CDSI GEN 5Y Corp/PX_LAST")
    ('source', 'bbg', 'CDX_IG_CDSI_GEN_5Y_Corp_PX_LAST')
    """
    publisher, _, identifier = series.partition(":")
    return ("source", _clean(publisher), _clean(identifier))


def _clean(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_") or "_"
