"""The data that every contestant is given: seeded, the same in every environment, made with numpy and pandas alone.

What belongs here: sizes and numbers. How a contestant keeps them is its own affair.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = [
    "AS_OF_REVISIONS",
    "MONTH",
    "PANEL_YEAR",
    "WIDE_COLUMNS",
    "YEAR",
    "names",
    "quotes",
    "registry",
    "revised",
    "wide",
]

#: The month and the years that are read.
MONTH = ("2020-03-01", "2020-03-31")
YEAR = ("2023-01-01", "2023-12-31")
PANEL_YEAR = ("2019-01-01", "2019-12-31")
#: How many revisions of one row each a dataset has whose past is read.
AS_OF_REVISIONS = 2_000
#: Which ten columns of a thousand are read.
WIDE_COLUMNS = tuple(f"c{number:04d}" for number in range(0, 1_000, 100))


def names(count: int) -> list[str]:
    """Return names of datasets."""
    return [f"dataset_{number:03d}" for number in range(count)]


def quotes(seed: int = 0, rows: int = 5_900) -> pd.DataFrame:
    """Return open, high, low, close and volume of so many weekdays that end with 2024."""
    random = np.random.default_rng(seed)
    index = pd.bdate_range(end="2024-12-31", periods=rows, name="date").as_unit("us")
    # some datasets lack some days, as calendars differ: a panel has to align them
    close = np.round(100 + np.cumsum(random.normal(0, 0.4, rows)), 4)
    frame = pd.DataFrame(
        {
            "open": np.round(close + random.normal(0, 0.2, rows), 4),
            "high": np.round(close + np.abs(random.normal(0, 0.5, rows)), 4),
            "low": np.round(close - np.abs(random.normal(0, 0.5, rows)), 4),
            "close": close,
            "volume": random.integers(1_000, 9_000_000, rows).astype(np.float64),
        },
        index=index,
    )
    frame.index.freq = None
    return frame if seed == 0 else frame[random.random(rows) > 0.01]


def wide(rows: int = 7_671, columns: int = 1_000) -> pd.DataFrame:
    """Return a wide panel: one row per calendar day from 2004 on."""
    values = np.round(np.random.default_rng(7).normal(100, 15, (rows, columns)), 4)
    index = pd.date_range("2004-01-01", periods=rows, name="date").as_unit("us")
    index.freq = None
    return pd.DataFrame(values, index=index, columns=[f"c{number:04d}" for number in range(columns)])


def revised(frame: pd.DataFrame, number: int) -> pd.DataFrame:
    """Return the one row that the revision of a number changes, with its new values."""
    row = frame.iloc[[-1 - number % 500]].copy()
    row["close"] = np.round(row["close"] + 0.01 * (number + 1), 4)
    return row


def registry(entries: int) -> dict[str, dict]:
    """Return a registry of so many entries, as its JSON has them."""
    return {
        f"dataset_{number:05d}": {
            "instrument": "CDX.NA.IG",
            "tenor": "5Y",
            "file_path": f"data/raw/dataset_{number:05d}.parquet",
            "start_date": "2024-01-01T00:00:00",
            "end_date": "2024-10-25T00:00:00",
            "row_count": 215,
            "registered_at": "2024-10-25T14:30:00+00:00",
            "last_updated": "2024-10-25T14:30:00+00:00",
            "metadata": {"source": "Bloomberg", "frequency": "daily", "columns": ["open", "high", "low", "close"]},
        }
        for number in range(entries)
    }
