"""Losses over two numbers: level lines with paths, and maps of cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from optim_lib.checks import in_order, whole
from optim_lib.landscapes import Landscape
from optim_lib.palette import LIGHT, colors_of
from optim_lib.plotting import given
from optim_lib.plotting.drawing import boxes_of, fill_boxes, fraction_of, legend_above, tidy
from optim_lib.plotting.theme import BANDS, SEQUENTIAL, STYLE, SURFACE, WIDTH, axes

Lines = Mapping[str, ArrayLike]


def contour(
    landscape: Landscape,
    runs: Mapping[str, Any] | None = None,
    *,
    title: str = "",
    window: tuple[float, float, float, float] | None = None,
    xlabel: str = "x",
    ylabel: str = "y",
    marks: Mapping[str, tuple[float, float]] | None = None,
    resolution: int = 121,
) -> Figure:
    """A surface from above, with the paths of runs on it.

    Parameters
    ----------
    landscape : Landscape
    runs : mapping of label to Run or array of shape (n, 2), optional
        What `descend` returned, or points. A ring is the start, a dot the end, a cross the last point before a
        divergence.
    window : (left, right, bottom, top), optional
        The landscape's own by default.
    marks : mapping of label to point, optional
        Points to name.
    resolution : int, default 121
        Samples along each side.
    """
    if not isinstance(landscape, Landscape):
        raise TypeError(f"landscape must be a Landscape, such as optim_lib.landscapes.rosenbrock, got {landscape!r}")
    left, right, bottom, top = window or landscape.window
    if not (left < right and bottom < top):
        raise ValueError(f"window must be (left, right, bottom, top), rising, got {window!r}")
    whole("resolution", resolution, least=2)
    paths = {label: _path_of(label, run) for label, run in (runs or {}).items()}
    places = {label: given.numbers(f"marks[{label!r}]", at, finite=True) for label, at in (marks or {}).items()}
    figure, ax = axes(xlabel, ylabel, title=title, height=0.82 * WIDTH)
    with rc_context(STYLE):
        x, y = np.linspace(left, right, resolution), np.linspace(bottom, top, resolution)
        z = landscape.loss(np.stack(np.meshgrid(x, y), axis=-1))
        _paint_surface(ax, x, y, z, landscape.lowest if landscape.minima else float(z.min()))
        ax.set(xlim=(left, right), ylim=(bottom, top))
        ax.grid(False)
        for point in landscape.minima:
            if left <= point[0] <= right and bottom <= point[1] <= top:
                ax.plot(*point, marker="*", ms=11, color=LIGHT["ink"], mec=LIGHT["paper"], mew=0.8, zorder=5, ls="")
        for (label, points), color in zip(paths.items(), colors_of(paths), strict=True):
            _draw_path(ax, points, color, label)
        for label, (px, py) in places.items():
            ax.plot(px, py, marker="o", ms=5, color=LIGHT["ink"], ls="", zorder=5)
            ax.annotate(label, (px, py), (6, 5), textcoords="offset points", color=LIGHT["ink"], zorder=6)
        if any(paths):
            legend_above(ax, title)
        tidy(ax)
    return figure


def heatmap(
    x: ArrayLike,
    y: ArrayLike,
    z: ArrayLike,
    *,
    xlabel: str,
    ylabel: str,
    zlabel: str,
    title: str = "",
    log_x: bool = False,
    log_y: bool = False,
    log_z: bool = False,
    zlim: tuple[float, float] | None = None,
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    marks: Mapping[str, tuple[float, float]] | None = None,
    height: float = 0.74 * WIDTH,
) -> Figure:
    """A quantity over a grid of two others, for example the final loss over learning rate and momentum.

    Parameters
    ----------
    x, y : array of shape (nx,), (ny,)
    z : array of shape (nx, ny)
        As `sweep` orders its axes. What is not finite is hatched: diverged.
    curves : mapping of label to (x, y), optional
        Lines to draw over it, such as an edge of stability.
    marks : mapping of label to point, optional
        Points to name.
    """
    x, y, z = given.places("x", x, log_x), given.places("y", y, log_y), given.numbers("z", z, log=log_z)
    for name, values in (("x", x), ("y", y)):
        in_order(name, values)
    if z.shape != (x.size, y.size):
        raise ValueError(f"z must have shape (len(x), len(y)) = {(x.size, y.size)}, got {z.shape}")
    figure, ax = axes(xlabel, ylabel, title=title, log_x=log_x, log_y=log_y, height=height)
    with rc_context(STYLE):
        low, high = zlim or _finite_range(z, log_z)
        edges_x, edges_y = _edges(x, log_x), _edges(y, log_y)
        ax.set(xlim=edges_x[[0, -1]], ylim=edges_y[[0, -1]])
        ax.grid(False)
        levels = _levels(z, low, high, log_z)
        for level, color in enumerate(SEQUENTIAL):
            _paint_cells(ax, edges_x, edges_y, levels == level, color)
        _paint_cells(ax, edges_x, edges_y, levels == -1, LIGHT["diverged"], hatch=True)
        _color_bar(figure, ax, low, high, log_z, zlabel, diverged=bool((levels == -1).any()))
        for (label, (cx, cy)), color in zip((curves or {}).items(), colors_of(curves or {}), strict=True):
            ax.plot(cx, cy, color=LIGHT["paper"], lw=3.6, alpha=0.7, zorder=3)
            ax.plot(cx, cy, color=color, lw=1.8, label=label, zorder=4)
        for label, (px, py) in (marks or {}).items():
            ax.plot(px, py, marker="o", ms=7, color=LIGHT["paper"], mec=LIGHT["ink"], mew=1.6, ls="", zorder=5)
            _boxed(ax, label, px, py)
        if curves:
            legend_above(ax, title)
        tidy(ax)
    return figure


def _paint_surface(ax: Axes, x: NDArray, y: NDArray, z: NDArray, floor: float) -> None:
    """Bands as the interactive figure has them: even in a power of the loss, the median in the middle."""
    gap = np.maximum(np.nan_to_num(z - floor, nan=np.inf), 0.0)
    largest = float(gap[np.isfinite(gap)].max()) or 1.0
    gap = np.minimum(gap, largest) / largest
    exponent = float(np.clip(np.log(0.5) / np.log(np.clip(np.median(gap), 1e-9, 0.999)), 0.15, 1.0))
    bands = np.linspace(0, 1, BANDS + 1)
    bands[-1] = 1.0001
    ax.contourf(x, y, gap**exponent, levels=bands, colors=SURFACE, zorder=0)
    ax.contour(x, y, gap**exponent, levels=bands[1:-1], colors=LIGHT["isoline"], linewidths=0.55, alpha=0.55, zorder=1)


def _path_of(label: str, run: Any) -> NDArray:
    points = given.numbers(f"runs[{label!r}]", getattr(run, "points", run))
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all(axis=1).any():
        raise ValueError(f"runs[{label!r}] must be points of shape (n, 2), one of them finite, got {points.shape}")
    return points


def _draw_path(ax: Axes, points: NDArray, color: str, label: str) -> None:
    finite = points[np.isfinite(points).all(axis=-1)]
    ax.plot(*finite.T, color=LIGHT["paper"], lw=3.4, alpha=0.55, zorder=2)
    dots = {"marker": "o", "ms": 2.6} if len(points) <= 80 else {}
    ax.plot(*finite.T, color=color, lw=1.6, label=label or None, zorder=3, mec="none", **dots)
    ax.plot(*finite[0], "o", ms=7, mfc=LIGHT["paper"], mec=color, mew=1.8, zorder=4)
    ending = "X" if len(finite) < len(points) else "o"
    ax.plot(*finite[-1], ending, ms=7, color=color, mec=LIGHT["paper"], mew=0.9, zorder=4)


def _finite_range(z: NDArray, log: bool) -> tuple[float, float]:
    values = z[np.isfinite(z) & ((z > 0) | (not log))]
    if not values.size:
        raise ValueError("z must have a finite value (and a positive one on a logarithmic scale), got none")
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low, low * 10 if log else low + 1)


def _levels(z: NDArray, low: float, high: float, log: bool) -> NDArray[np.integer]:
    """Which of the colors each cell has; -1 where the value is not finite."""
    with np.errstate(all="ignore"):
        share = np.log(np.maximum(z, low) / low) / np.log(high / low) if log else (z - low) / (high - low)
    share = np.clip(np.where(np.isfinite(z), share, 0), 0, 1)
    levels = np.minimum((share * len(SEQUENTIAL)).astype(int), len(SEQUENTIAL) - 1)
    return np.where(np.isfinite(z), levels, -1)


def _edges(centers: NDArray, log: bool) -> NDArray:
    """The edges of cells around these centers, half-way between neighbors."""
    if log:
        return np.exp(_edges(np.log(centers), False))
    if centers.size == 1:
        return np.array([centers[0] - 0.5, centers[0] + 0.5])
    middle = 0.5 * (centers[1:] + centers[:-1])
    return np.concatenate([[2 * centers[0] - middle[0]], middle, [2 * centers[-1] - middle[-1]]])


def _paint_cells(ax: Axes, x: NDArray, y: NDArray, chosen: NDArray, color: str, hatch: bool = False) -> None:
    """Fill the chosen cells of a grid: chosen[i, j] between x[i], x[i + 1] and y[j], y[j + 1]."""
    fill_boxes(ax, boxes_of(x, y, chosen), color, hatch)


def _color_bar(figure: Figure, ax: Axes, low: float, high: float, log: bool, label: str, diverged: bool) -> None:
    bar = ax.inset_axes((1.04, 0.0, 0.035, 0.86 if diverged else 1.0))
    edges = np.geomspace(low, high, len(SEQUENTIAL) + 1) if log else np.linspace(low, high, len(SEQUENTIAL) + 1)
    for level, color in enumerate(SEQUENTIAL):
        chosen = np.arange(len(SEQUENTIAL))[None, :] == level
        _paint_cells(bar, np.array([0.0, 1.0]), edges, chosen, color)
    bar.set(xlim=(0, 1), xticks=[], yscale="log" if log else "linear", ylim=(low, high))
    bar.yaxis.tick_right()
    bar.set_ylabel(label)
    bar.yaxis.set_label_position("right")
    bar.grid(False)
    for spine in bar.spines.values():
        spine.set_visible(False)
    tidy(bar, x=False)
    if diverged:
        key = ax.inset_axes((1.04, 0.93, 0.035, 0.07))
        _paint_cells(key, np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array([[True]]), LIGHT["diverged"], hatch=True)
        key.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[0.5], yticklabels=["diverged"])
        key.yaxis.tick_right()
        key.tick_params(length=0)
        key.grid(False)
        for spine in key.spines.values():
            spine.set_visible(False)


def _boxed(ax: Axes, label: str, x: float, y: float) -> None:
    box = {"boxstyle": "round,pad=0.25", "fc": LIGHT["paper"], "ec": "none", "alpha": 0.85}
    right = fraction_of(x, ax.get_xlim(), ax.get_xscale() == "log") > 0.6
    ax.annotate(label, (x, y), (-9 if right else 9, 7), textcoords="offset points", ha="right" if right else "left",
                fontsize=9.6, bbox=box, zorder=6)  # fmt: skip
