"""Pictures as SVG text, made by hand: a chart of a few kilobytes, and a sparkline of a few hundred bytes.

What belongs here: pure drawing, from a series to text. What is drawn and where the picture goes is decided by whoever
calls. A plotting library would write ten times the bytes, and cost a second of import in every process of a run.
"""

from macrocredit_assets.charts.area import data_uri
from macrocredit_assets.charts.line import line_chart
from macrocredit_assets.charts.spark import sparkline
from macrocredit_assets.charts.ticks import short

__all__ = ["data_uri", "line_chart", "short", "sparkline"]
