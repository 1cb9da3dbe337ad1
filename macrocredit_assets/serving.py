"""Which entries of the catalog cannot be served or computed here, and why: what commands and schedules leave out.

What belongs here: the questions put to sources, which ask no network, and to the installed signals. How one way is
chosen is in ``sources``.
"""

from __future__ import annotations

from difflib import get_close_matches

from macrocredit_assets.catalog import Catalog
from macrocredit_assets.settings import Settings
from macrocredit_assets.signals import ENTRY_POINTS, signal_functions
from macrocredit_assets.sources import build_sources, unserved

__all__ = ["lacking", "without_function"]


def lacking(settings: Settings, catalog: Catalog) -> dict[str, str]:
    """Return what the profile cannot serve, each with the reason; a signal is lacking where one of its inputs is."""
    found = dict(unserved(catalog, settings.profile, build_sources(settings)))
    for name in catalog.names():
        if missing := [dataset for dataset in catalog.inputs_of(name) if dataset in found]:
            found[name] = f"made from {', '.join(missing)}"
    return found


def without_function(catalog: Catalog) -> list[str]:
    """Return a sentence for each signal whose function is not installed, with the nearest one that is.

    Raises
    ------
    CatalogError
        If another package registers a function that cannot be used.
    """
    known = sorted(signal_functions())
    sentences = []
    for name, spec in catalog.signals.items():
        if spec.function not in known:
            near = get_close_matches(spec.function, known, n=1)
            hint = (
                f"Did you mean {near[0]!r}?"
                if near
                else f"Known are {', '.join(known)}; others are entry points in {ENTRY_POINTS}."
            )
            sentences.append(f"{name}: there is no signal function {spec.function!r}. {hint}")
    return sentences
