"""Figures, tables and code in one house style, for light and dark pages, wide and narrow.

A recipe draws a matplotlib figure; `show` puts it on the page with its alt text and its caption.
"""

from typing import TYPE_CHECKING

from optim_lib.on_demand import on_demand
from optim_lib.tables import table

if TYPE_CHECKING:
    from optim_lib.plotting.code import source
    from optim_lib.plotting.curves import bands, lines, loss_curves, scatter
    from optim_lib.plotting.distributions import bars, histogram, strip
    from optim_lib.plotting.pictures import images
    from optim_lib.plotting.surfaces import contour, heatmap
    from optim_lib.plotting.theme import axes, show

# Tables need no matplotlib.
__getattr__, __dir__ = on_demand(
    __name__,
    {
        "code": ["source"],
        "curves": ["bands", "lines", "loss_curves", "scatter"],
        "distributions": ["bars", "histogram", "strip"],
        "pictures": ["images"],
        "surfaces": ["contour", "heatmap"],
        "theme": ["axes", "show"],
    },
)

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
