"""Dagster assets for systematic macro credit, written to Parquet files that researchers read without Dagster.

From a notebook::

    from macrocredit_assets import load, load_panel

    load("vix", start="2020-01-01")
    load_panel(["us_hy_oas", "vix"], start="2020-01-01")

Nothing is imported until it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from macrocredit_assets.research import load, load_panel

__all__ = ["__version__", "load", "load_panel"]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name in ("load", "load_panel"):
        from macrocredit_assets import research

        return getattr(research, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
