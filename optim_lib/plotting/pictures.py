"""Pictures of examples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from optim_lib.plotting import given
from optim_lib.plotting.drawing import boxes_of, fill_boxes
from optim_lib.plotting.theme import GRAYS, STYLE, WIDTH, axes


def images(pictures: ArrayLike, labels: Sequence[str] | None = None, *, columns: int = 10, side: int = 8) -> Figure:
    """Small pictures such as the digits, dark strokes on the page's own paper.

    Parameters
    ----------
    pictures : array of shape (n, side * side)
        Any scale: each picture runs from its lowest value to its highest.
    labels : sequence of str, optional
        One under each.
    """
    pictures = given.numbers("pictures", pictures, finite=True)
    if pictures.ndim < 2 or pictures[0].size != side * side:
        raise ValueError(f"pictures must have shape (n, {side * side}), got {pictures.shape}")
    if labels is not None and len(labels) != len(pictures):
        raise ValueError(f"labels must be one for each of the {len(pictures)} pictures, got {len(labels)}")
    pictures = pictures.reshape(-1, side, side)
    rows = -(-len(pictures) // columns)
    cell = side * 1.25
    foot = 0.0 if labels is None else 0.28 * side
    figure, ax = axes(height=WIDTH * rows * (cell + foot) / (columns * cell))
    with rc_context(STYLE):
        strokes: list[list] = [[] for _ in GRAYS]
        edges = np.arange(side + 1.0)
        for k, picture in enumerate(pictures):
            left, bottom = k % columns * cell, -(k // columns) * (cell + foot)
            shades = np.rint((picture - picture.min()) / (np.ptp(picture) or 1) * (len(GRAYS) - 1))[::-1].T
            for level in range(1, len(GRAYS)):
                strokes[level] += boxes_of(left + edges, bottom + edges, shades == level)
            if labels is not None:
                ax.text(left + side / 2, bottom - 0.06 * side, labels[k], ha="center", va="top", fontsize=9.6)
        for color, boxes in zip(GRAYS, strokes, strict=True):
            fill_boxes(ax, boxes, color)
        ax.set(xlim=(0, columns * cell - 0.25 * side), ylim=(-(rows - 1) * (cell + foot) - foot, side), aspect="equal")
        ax.axis("off")
    return figure
