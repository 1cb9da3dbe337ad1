"""What the registry lists, and what is stored although it does not list it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from macrocredit_assets.catalog import Catalog
    from macrocredit_assets.cli.context import Context

__all__ = ["entries", "unlisted_advice"]


def entries(context: Context) -> dict[str, dict[str, Any]]:
    """Return the registry's entries by name; none where there is no registry."""
    from macrocredit_assets.persistence import DataRegistry

    registry = DataRegistry(context.settings.registry_path, context.settings.data_directory)
    return {name: entry.to_dict() for name, entry in registry.entries().items()}


def unlisted_advice(context: Context, catalog: Catalog, listed: Collection[str]) -> str | None:
    """Return the sentence about files of the catalog's datasets that the registry does not list, or None."""
    unlisted = [name for name in catalog.names() if name not in listed and _has_rows(context, catalog, name)]
    if not unlisted:
        return None
    some = ", ".join(unlisted[:3]) + (f" and {len(unlisted) - 3} more" if len(unlisted) > 3 else "")
    return f"Stored, but not in the registry: {some}. Restore it: {context.command('registry', 'rebuild')}"


def _has_rows(context: Context, catalog: Catalog, name: str) -> bool:
    path = context.settings.dataset_path(catalog.entry(name).kind, name)
    return path.is_file() or path.with_suffix("").is_dir()  # one file, or one a year
