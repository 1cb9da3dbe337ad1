"""What a window is judged beside: the rows that are stored in and around it."""

from __future__ import annotations

import pandas as pd

from macrocredit_assets.persistence import DatasetStore
from macrocredit_assets.quality import NEIGHBOURHOOD
from macrocredit_assets.windows import Window

__all__ = ["stored_beside"]


def stored_beside(store: DatasetStore, window: Window, series: str) -> pd.DataFrame | None:
    """Return the rows of a series that are stored in and around a window; None where nothing of it is stored.

    Parameters
    ----------
    store
        Opened as stored: what is held under other columns than the catalog's is compared by those that are the same.
    window
        What is about to be written.
    series
        What the numbers are; those of another series are no measure for them.
    """
    head = store.head()
    if head is None or head.series != series:
        return None
    return store.read_frame(Window(window.start - NEIGHBOURHOOD, window.end + NEIGHBOURHOOD))
