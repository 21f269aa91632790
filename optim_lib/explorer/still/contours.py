"""The outline of where a surface is at or above a level, as a path of SVG."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Corners of a cell that are inside, as bits: lower left, lower right, upper right, upper left ("lower" is the row with
# the smaller number). The outline goes from an edge to an edge, what is inside at its left hand.
B, R, T, L = "bottom", "right", "top", "left"
TURNS = {
    1: [(B, L)], 2: [(R, B)], 4: [(T, R)], 8: [(L, T)],
    3: [(R, L)], 6: [(T, B)], 12: [(L, R)], 9: [(B, T)],
    7: [(T, L)], 14: [(L, B)], 13: [(B, R)], 11: [(R, T)],
    5: [(B, L), (T, R)], 10: [(R, B), (L, T)],
}  # fmt: skip
# The same for cells with opposite corners inside whose middle is inside too.
JOINED = {5: [(B, R), (T, L)], 10: [(L, B), (R, T)]}


def contours(values: NDArray[np.floating], level: float, scale: tuple[float, float]) -> str:
    """The region ``values >= level`` of a grid, outlined in whole units.

    Parameters
    ----------
    values : ndarray of shape (rows, columns)
    level : float
    scale : (float, float)
        Units between two columns, and between two rows.
    """
    # A border that lies below the level, and on the edge of the picture: then every outline is closed.
    field = np.pad(np.asarray(values, dtype=np.float64), 1, constant_values=-np.inf)
    inside = field >= level
    kinds = inside[:-1, :-1] + 2 * inside[:-1, 1:] + 4 * inside[1:, 1:] + 8 * inside[1:, :-1]
    following: dict[tuple, tuple] = {}
    for i, j in zip(*np.nonzero((kinds > 0) & (kinds < 15)), strict=True):
        kind = int(kinds[i, j])
        joined = kind in JOINED and np.mean(field[i : i + 2, j : j + 2]) >= level
        edges = {B: (0, i, j), T: (0, i + 1, j), L: (1, i, j), R: (1, i, j + 1)}
        for begin, end in JOINED[kind] if joined else TURNS[kind]:
            following[edges[begin]] = edges[end]
    path = ""
    while following:
        edge = begin = next(iter(following))
        points = []
        while edge in following:
            points.append(_crossing(field, level, edge, scale))
            edge = following.pop(edge)
        assert edge == begin
        path += _closed(points)
    return path


def _crossing(
    field: NDArray[np.floating], level: float, edge: tuple[int, int, int], scale: tuple[float, float]
) -> tuple[int, int]:
    """Where the level is crossed along an edge between two samples."""
    upright, i, j = edge
    k, m = (i + 1, j) if upright else (i, j + 1)
    one, other = field[i, j], field[k, m]
    part = (level - one) / (other - one) if np.isfinite(one) and np.isfinite(other) else float(not np.isfinite(one))
    x, y = j + part * (m - j) - 1, i + part * (k - i) - 1
    rows, columns = field.shape
    return round(min(max(x, 0), columns - 3) * scale[0]), round(min(max(y, 0), rows - 3) * scale[1])


def _closed(points: list[tuple[int, int]]) -> str:
    kept = [point for k, point in enumerate(points) if point != points[k - 1]]
    if len(kept) < 3:
        return ""
    (x, y), text = kept[0], f"M{kept[0][0]} {kept[0][1]}l"
    for px, py in kept[1:]:
        text += f"{px - x} {py - y} "
        x, y = px, py
    return text.rstrip().replace(" -", "-") + "z"
