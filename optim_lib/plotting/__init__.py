"""Figures, tables and code in one house style, for light and dark pages, wide and narrow.

A recipe draws a matplotlib figure; `show` puts it on the page with its alt text and its caption.
"""

from optim_lib.plotting.code import source
from optim_lib.plotting.recipes import (
    bands,
    bars,
    contour,
    heatmap,
    histogram,
    images,
    lines,
    loss_curves,
    scatter,
    strip,
)
from optim_lib.plotting.tables import table
from optim_lib.plotting.theme import axes, show

__all__ = [
    "axes",
    "bands",
    "bars",
    "contour",
    "heatmap",
    "histogram",
    "images",
    "lines",
    "loss_curves",
    "scatter",
    "show",
    "source",
    "strip",
    "table",
]
