"""Where a stored value came from: back from the file over revision and run to the line that a source sent.

What belongs here: following records. Nothing is fetched, and nothing is written. How it is shown is in ``cli``.
"""

from macrocredit_assets.trace.changes import RowChange, Values, row_changes
from macrocredit_assets.trace.lines import Line
from macrocredit_assets.trace.origins import Origin
from macrocredit_assets.trace.value import Trace, TracedInput, TracedRun, trace

__all__ = ["Line", "Origin", "RowChange", "Trace", "TracedInput", "TracedRun", "Values", "row_changes", "trace"]
