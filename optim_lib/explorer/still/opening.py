"""The runs of a figure of descents as it opens: from the first start, at the setting where the sliders stand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optim_lib.explorer import table as tables
from optim_lib.explorer.sentences import level
from optim_lib.explorer.state import FigureState
from optim_lib.explorer.table import DIVERGED

Array = NDArray[np.floating]
Codes = NDArray[np.integer]


class Opening:
    """What the pictures of a figure of descents are drawn from.

    Attributes
    ----------
    colors : list of int
        Of each optimizer, as a place in the palette.
    codes : list of ndarray of shape (steps + 1,)
        Its losses, as the table codes them.
    alive : list of int
        How many of them lie before a divergence.
    points : list of ndarray of shape (steps + 1, 2)
        Where it is, in pictures from the lower left.
    flat : bool
        Whether the map is a line along one axis.
    """

    def __init__(self, state: FigureState) -> None:
        self.spec, self.data = state.spec, state.data
        self.colors = [series["color"] for series in self.spec["series"]]
        places = [(0, *(self.data.initial[axis] for axis in series.axes)) for series in self.data.series]
        runs = list(zip(self.data.series, places, strict=True))
        self.codes = [tables.loss_codes(series.gaps[place]) for series, place in runs]
        self.alive = [int((codes != DIVERGED).sum()) for codes in self.codes]
        view = self.spec["view"]
        self.points = [tables.point_units(series.points[place], view) / tables.UNITS for series, place in runs]
        self.flat = len(self.spec["axes"]) == 1 or len(self.colors) > 1

    def lost(self, k: int) -> bool:
        return self.alive[k] < len(self.codes[k])

    def ends(self, k: int) -> Codes:
        """Final losses of an optimizer over the axes of the map, the others as they stand."""
        codes = tables.loss_codes(self.data.ends(self.data.series[k])[0])
        return codes[(..., *self.data.initial[1 if self.flat else 2 :])]


def decade(codes: Codes) -> Array:
    """The decades that codes of losses stand for."""
    return level({"log": True}, np.asarray(codes))
