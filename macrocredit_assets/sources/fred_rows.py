"""What comes through either of FRED's doors."""

from __future__ import annotations

from dataclasses import dataclass

from macrocredit_assets.sources.file_cells import Sheet
from macrocredit_assets.sources.received import Received

__all__ = ["FredRows"]


@dataclass(frozen=True)
class FredRows:
    """Rows of one series as text.

    Parameters
    ----------
    sheet
        Two columns.
    date_column, value_column
        What they are called.
    received
        The answer, or the last of several.
    landing
        Where all of them are kept.
    """

    sheet: Sheet
    date_column: str
    value_column: str
    received: Received
    landing: tuple[str, ...] = ()
