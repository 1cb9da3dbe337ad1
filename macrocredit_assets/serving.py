"""Which entries of the catalog the chosen profile cannot serve here, and why: what commands and schedules leave out.

What belongs here: the question put to the sources, which ask no network. How one way is chosen is in ``sources``.
"""

from __future__ import annotations

from macrocredit_assets.catalog import Catalog
from macrocredit_assets.settings import Settings
from macrocredit_assets.sources import build_sources, unserved

__all__ = ["lacking"]


def lacking(settings: Settings, catalog: Catalog) -> dict[str, str]:
    """Return what the profile cannot serve, each with the reason; a signal is lacking where one of its inputs is."""
    found = dict(unserved(catalog, settings.profile, build_sources(settings.files)))
    for name in catalog.names():
        if missing := [dataset for dataset in catalog.inputs_of(name) if dataset in found]:
            found[name] = f"made from {', '.join(missing)}"
    return found
