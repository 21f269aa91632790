"""Figures that the chapters draw more than once. Each recipe returns a matplotlib figure, to be passed to `show`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import ArrayLike, NDArray

from optim_lib.landscapes import Landscape
from optim_lib.palette import LIGHT, SERIES
from optim_lib.plotting.theme import BANDS, GRAYS, HEIGHT, SEQUENTIAL, STYLE, SURFACE, WIDTH, axes

Lines = Mapping[str, ArrayLike]
DASHES = ("-", "-", "-", (0, (5, 1.6)), (0, (5, 1.6)), (0, (5, 1.6)))
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


# ---------------------------------------------------------------------------------------------- lines


def lines(
    x: ArrayLike | Mapping[str, ArrayLike],
    y: Lines,
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    log_x: bool = False,
    log_y: bool = False,
    xlim: tuple[float, float] | None = None,
    ylim: tuple[float, float] | None = None,
    markers: bool = False,
    reference_slopes: Mapping[float, str] | None = None,
    levels: Mapping[str, float] | None = None,
    height: float = HEIGHT,
) -> Figure:
    """Curves over one axis, each with its name at its end.

    Parameters
    ----------
    x : array, or mapping of label to array
        Shared by all curves, or one for each.
    y : mapping of label to array
        One curve for each label; values that are not finite end it, with a cross where it ended.
    xlabel, ylabel, title : str
        In words. Greek letters as such (``η``, ``β₁``) or as ``$\\eta$``.
    log_x, log_y : bool
    xlim, ylim : (float, float), optional
    markers : bool
        Whether to mark the values: right for measurements at a few places.
    reference_slopes : mapping of float to str, optional
        On two logarithmic axes, dashed lines of these slopes through the first point of the first curve, with these
        labels: ``{-1: "1/B"}``.
    levels : mapping of str to float, optional
        Dashed horizontal lines with labels.
    """
    figure, ax = axes(xlabel, ylabel, title=title, log_x=log_x, log_y=log_y, height=height)
    curves = {label: (_x_of(x, label), np.asarray(values, dtype=float)) for label, values in y.items()}
    with rc_context(STYLE):
        _set_limits(ax, [c[0] for c in curves.values()], [c[1] for c in curves.values()], xlim, ylim)
        ends = []
        for k, (label, (xs, ys)) in enumerate(curves.items()):
            color, marker = SERIES[k % 6], "o" if markers else None
            ax.plot(xs, ys, color=color, ls=DASHES[k % 6], marker=marker, zorder=3, mec="none")
            ends.append((label, color, *_end(ax, xs, ys, color)))
        for slope, label in (reference_slopes or {}).items():
            ends.append((label, LIGHT["muted"], *_reference(ax, *next(iter(curves.values())), slope)))
        for label, level in (levels or {}).items():
            ax.axhline(level, color=LIGHT["muted"], ls=(0, (4, 3)), lw=1.1, zorder=2)
            ends.append((label, LIGHT["muted"], ax.get_xlim()[1], level))
        _label_ends(ax, ends)
        _tidy(ax)
    return figure


def loss_curves(
    losses: Lines | ArrayLike,
    *,
    log: bool = True,
    xlabel: str = "step",
    ylabel: str = "loss",
    title: str = "",
    **options: Any,
) -> Figure:
    """Loss against step, one curve for each run; a cross marks where one diverged.

    Parameters
    ----------
    losses : mapping of label to array, or one array
        What `descend` and `train` record. Values that are not finite end a curve.
    log : bool, default True
        Whether the loss axis is logarithmic.
    **options
        Passed to `lines`.
    """
    curves = dict(losses) if isinstance(losses, Mapping) else {"": losses}
    steps = {label: np.arange(np.size(values)) for label, values in curves.items()}
    return lines(steps, curves, xlabel=xlabel, ylabel=ylabel, title=title, log_y=log, **options)


def bands(
    x: ArrayLike,
    y: Mapping[str, ArrayLike],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    spread: str = "range",
    log_x: bool = False,
    log_y: bool = False,
    ylim: tuple[float, float] | None = None,
    levels: Mapping[str, float] | None = None,
    height: float = HEIGHT,
) -> Figure:
    """The median over repetitions as a curve, and how far they spread as a band.

    Parameters
    ----------
    x : array of shape (n,)
    y : mapping of label to array of shape (repetitions, n)
    spread : {"range", "quartiles"}
        The band runs from the lowest to the highest, or between the quartiles.
    """
    ends = {"range": (0.0, 1.0), "quartiles": (0.25, 0.75)}
    if spread not in ends:
        raise ValueError(f"spread must be one of {', '.join(ends)}, got {spread!r}")
    y = {label: np.atleast_2d(np.asarray(values, dtype=float)) for label, values in y.items()}
    medians = {label: np.median(values, axis=0) for label, values in y.items()}
    low, high = ({label: np.quantile(v, q, axis=0) for label, v in y.items()} for q in ends[spread])
    if ylim is None:
        ylim = _limits([*low.values(), *high.values()], log_y)
    names = {"xlabel": xlabel, "ylabel": ylabel, "title": title, "height": height, "levels": levels}
    figure = lines(x, medians, log_x=log_x, log_y=log_y, ylim=ylim, **names)
    for k, label in enumerate(y):
        figure.axes[0].fill_between(x, low[label], high[label], color=SERIES[k % 6], alpha=0.22, lw=0, zorder=2)
    return figure


# ---------------------------------------------------------------------------------------------- surfaces


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
    left, right, bottom, top = window or landscape.window
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
        for k, (label, run) in enumerate((runs or {}).items()):
            _draw_path(ax, np.asarray(getattr(run, "points", run), dtype=float), SERIES[k % 6], label)
        for label, (px, py) in (marks or {}).items():
            ax.plot(px, py, marker="o", ms=5, color=LIGHT["ink"], ls="", zorder=5)
            ax.annotate(label, (px, py), (6, 5), textcoords="offset points", color=LIGHT["ink"], zorder=6)
        if runs and any(runs):
            _legend_above(ax, title)
        _tidy(ax)
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
    x, y, z = (np.asarray(values, dtype=float) for values in (x, y, z))
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
        for k, (label, (cx, cy)) in enumerate((curves or {}).items()):
            ax.plot(cx, cy, color=LIGHT["paper"], lw=3.6, alpha=0.7, zorder=3)
            ax.plot(cx, cy, color=SERIES[k % 6], lw=1.8, label=label, zorder=4)
        for label, (px, py) in (marks or {}).items():
            ax.plot(px, py, marker="o", ms=7, color=LIGHT["paper"], mec=LIGHT["ink"], mew=1.6, ls="", zorder=5)
            _boxed(ax, label, px, py)
        if curves:
            _legend_above(ax, title)
        _tidy(ax)
    return figure


# ---------------------------------------------------------------------------------------------- distributions


def strip(
    values: Mapping[str, ArrayLike],
    *,
    xlabel: str,
    title: str = "",
    log: bool = False,
    xlim: tuple[float, float] | None = None,
    reference: Mapping[str, float] | None = None,
) -> Figure:
    """One dot for each repetition, a bar at their median, one row for each label: for results over a few seeds.

    Parameters
    ----------
    values : mapping of label to array
    reference : mapping of label to number, optional
        Dashed vertical lines.
    """
    figure, ax = axes(xlabel, "", title=title, log_x=log, height=0.95 + 0.52 * len(values))
    with rc_context(STYLE):
        for k, results in enumerate(values.values()):
            results = np.sort(np.asarray(results, dtype=float))
            results = results[np.isfinite(results)]
            row = np.full(results.size, -float(k))
            ax.plot(results, row + _spread_out(results.size), "o", ms=6, color=SERIES[k % 6], alpha=0.75, mec="none")
            if results.size:
                ax.plot([np.median(results)] * 2, [-k - 0.3, -k + 0.3], color=LIGHT["ink"], lw=2.2, zorder=4)
        ax.set_yticks(-np.arange(len(values)), list(values))
        ax.tick_params(axis="y", length=0, labelcolor=LIGHT["ink"], labelsize=10.2)
        ax.set_ylim(-len(values) + 0.45, 0.55)
        ax.grid(False, axis="y")
        ax.spines["left"].set_visible(False)
        if xlim:
            ax.set_xlim(xlim)
        for label, place in (reference or {}).items():
            ax.axvline(place, color=LIGHT["muted"], ls=(0, (4, 3)), lw=1.1, zorder=1)
            ax.annotate(label, (place, 1), (3, -2), xycoords=("data", "axes fraction"), textcoords="offset points",
                        va="top", color=LIGHT["muted"], fontsize=9.6)  # fmt: skip
        _tidy(ax, y=False)
    return figure


def bars(
    values: Mapping[str, float],
    *,
    xlabel: str,
    title: str = "",
    log: bool = False,
    number: str = ".3g",
) -> Figure:
    """One horizontal bar for each label, with its value at its end."""
    figure, ax = axes(xlabel, "", title=title, log_x=log, height=0.95 + 0.4 * len(values))
    with rc_context(STYLE):
        numbers = np.array([float(value) for value in values.values()])
        start = 10 ** math.floor(math.log10(numbers[numbers > 0].min())) if log else 0.0
        for k, value in enumerate(numbers):
            ax.barh(-k, value - start, left=start, height=0.62, color=SERIES[k % 6])
            ax.annotate(f"{value:{number}}", (value, -k), (5, 0), textcoords="offset points", va="center")
        ax.set_yticks(-np.arange(len(numbers)), list(values))
        ax.tick_params(axis="y", length=0, labelcolor=LIGHT["ink"], labelsize=10.2)
        ax.grid(False, axis="y")
        ax.margins(x=0.12)
        if log:
            ax.set_xlim(left=start)
        _tidy(ax, y=False)
    return figure


def histogram(
    values: Mapping[str, ArrayLike] | ArrayLike,
    *,
    xlabel: str,
    ylabel: str = "count",
    title: str = "",
    bins: int | ArrayLike = 40,
    log_y: bool = False,
    marks: Mapping[str, float] | None = None,
) -> Figure:
    """How often each value occurs, as outlines that may overlap.

    Parameters
    ----------
    values : mapping of label to array, or one array
    bins : int or array of edges
        The same for all labels.
    marks : mapping of label to number, optional
        Vertical lines with names.
    """
    groups = dict(values) if isinstance(values, Mapping) else {"": values}
    groups = {label: np.asarray(v, dtype=float).ravel() for label, v in groups.items()}
    figure, ax = axes(xlabel, ylabel, title=title)
    with rc_context(STYLE):
        edges = np.histogram_bin_edges(np.concatenate(list(groups.values())), bins)
        for k, (label, group) in enumerate(groups.items()):
            counts = np.histogram(group, edges)[0]
            ax.stairs(counts, edges, color=SERIES[k % 6], fill=True, alpha=0.22, zorder=2)
            ax.stairs(counts, edges, color=SERIES[k % 6], lw=1.6, label=label, zorder=3)
        if log_y:
            ax.set_yscale("symlog", linthresh=1)
            ax.yaxis.set_major_formatter(FuncFormatter(_plain_number))
        top = ax.get_ylim()[1]
        ax.set_ylim(0, top * (2.5 if log_y else 1.1) if marks else top)
        for label, place in (marks or {}).items():
            ax.axvline(place, color=LIGHT["ink"], ls=(0, (4, 3)), lw=1.1, zorder=4)
            ax.annotate(label, (place, 1), (4, -2), xycoords=("data", "axes fraction"), textcoords="offset points",
                        va="top")  # fmt: skip
        if any(groups):
            _legend_above(ax, title)
        _tidy(ax)
    return figure


def scatter(
    x: ArrayLike,
    y: ArrayLike,
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
) -> Figure:
    """Data points, and the curves that a model draws through them, each with its name at its end."""
    figure, ax = axes(xlabel, ylabel, title=title)
    with rc_context(STYLE):
        _dots(ax, x, y)
        ends = []
        ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())
        for k, (label, (cx, cy)) in enumerate((curves or {}).items()):
            cx, cy = np.asarray(cx, dtype=float), np.asarray(cy, dtype=float)
            ax.plot(cx, cy, color=SERIES[k % 6], zorder=3)
            ends.append((label, SERIES[k % 6], *_end(ax, cx, cy, SERIES[k % 6])))
        _label_ends(ax, ends)
        _tidy(ax)
    return figure


def _dots(ax: Axes, x: ArrayLike, y: ArrayLike, size: float = 4, layers: int = 8) -> None:
    """Translucent dots, in a few elements of the picture, not in one for each: a browser draws all of them often.

    A dot is a line of no length with round ends. Dots of one layer do not darken each other, those of several do.
    """
    points = np.column_stack([np.ravel(x), np.ravel(y)]).astype(float)
    for layer in range(min(layers, len(points))):
        some = points[layer::layers]
        codes = np.tile([Path.MOVETO, Path.LINETO], len(some))
        path = Path(np.repeat(some, 2, axis=0), codes)
        path.should_simplify = False
        ax.add_patch(
            PathPatch(path, fill=False, lw=size, capstyle="round", edgecolor=LIGHT["muted"], alpha=0.45, zorder=2)
        )
    ax.update_datalim(points)
    ax.autoscale_view()


def images(pictures: ArrayLike, labels: Sequence[str] | None = None, *, columns: int = 10, side: int = 8) -> Figure:
    """Small pictures such as the digits, dark strokes on the page's own paper.

    Parameters
    ----------
    pictures : array of shape (n, side * side)
        Any scale: each picture runs from its lowest value to its highest.
    labels : sequence of str, optional
        One under each.
    """
    pictures = np.asarray(pictures, dtype=float).reshape(-1, side, side)
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
                strokes[level] += _boxes(left + edges, bottom + edges, shades == level)
            if labels is not None:
                ax.text(left + side / 2, bottom - 0.06 * side, labels[k], ha="center", va="top", fontsize=9.6)
        for color, boxes in zip(GRAYS, strokes, strict=True):
            _fill(ax, boxes, color)
        ax.set(xlim=(0, columns * cell - 0.25 * side), ylim=(-(rows - 1) * (cell + foot) - foot, side), aspect="equal")
        ax.axis("off")
    return figure


# ---------------------------------------------------------------------------------------------- parts


def _x_of(x: ArrayLike | Mapping[str, ArrayLike], label: str) -> NDArray:
    return np.asarray(x[label] if isinstance(x, Mapping) else x, dtype=float)


def _limits(groups: Sequence[NDArray], log: bool) -> tuple[float, float]:
    values = np.concatenate([np.ravel(group) for group in groups])
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    if not values.size:
        return (0.1, 1.0) if log else (0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if log:
        margin = (high / low) ** 0.05 if high > low else 2.0
        return low / margin, high * margin
    margin = 0.05 * (high - low) or 0.5
    return low - margin, high + margin


def _set_limits(ax: Axes, xs: list, ys: list, xlim: tuple | None, ylim: tuple | None) -> None:
    log_x, log_y = ax.get_xscale() == "log", ax.get_yscale() == "log"
    if xlim is None:
        finite = np.concatenate([np.ravel(x) for x in xs])
        finite = finite[finite > 0] if log_x else finite
        xlim = (finite.min(), finite.max()) if np.ptp(finite) else _limits([finite], log_x)
    ax.set(xlim=xlim, ylim=ylim or _limits(ys, log_y))


def _end(ax: Axes, x: NDArray, y: NDArray, color: str) -> tuple[float, float]:
    """The last point of a curve inside the axes, with a cross if the curve stops being finite there."""
    low, high = ax.get_ylim()
    drawn = np.flatnonzero(
        np.isfinite(y) & (x <= ax.get_xlim()[1] * (1 + 1e-12)) & ((y > 0) | (ax.get_yscale() != "log"))
    )
    if not drawn.size:
        return float(x[0]), low
    last = drawn[-1]
    if last + 1 < y.size and not np.isfinite(y[last + 1]):
        ax.plot(
            x[last], np.clip(y[last], low, high), "X", ms=8, color=color, mec=LIGHT["paper"], zorder=5, clip_on=False
        )
    return float(x[last]), float(np.clip(y[last], low, high))


def _reference(ax: Axes, x: NDArray, y: NDArray, slope: float) -> tuple[float, float]:
    known = np.flatnonzero(np.isfinite(y) & (y > 0) & (x > 0))[0]
    ends = np.array([x[known], ax.get_xlim()[1]])
    values = y[known] * (ends / x[known]) ** slope
    ax.plot(ends, values, color=LIGHT["muted"], ls=(0, (4, 3)), lw=1.2, zorder=2)
    return float(ends[1]), float(np.clip(values[1], *ax.get_ylim()))


def _fraction(value: float, limits: tuple[float, float], log: bool) -> float:
    if log:
        value, limits = math.log(value), tuple(map(math.log, limits))
    return (value - limits[0]) / (limits[1] - limits[0])


def _label_ends(ax: Axes, ends: list[tuple[str, str, float, float]]) -> None:
    """Name each curve right of the axes, at the height of its end, with a leader in its color."""
    ends = [end for end in ends if end[0]]
    if not ends:
        return
    log_x, log_y = ax.get_xscale() == "log", ax.get_yscale() == "log"
    points = [(_fraction(x, ax.get_xlim(), log_x), _fraction(y, ax.get_ylim(), log_y)) for _, _, x, y in ends]
    gap = 0.2 / (ax.figure.get_size_inches()[1] - 0.8)
    heights = _kept_apart([y for _, y in points], gap)
    for (label, color, _, _), (x, y), height in zip(ends, points, heights, strict=True):
        leader = {"color": color, "transform": ax.transAxes, "clip_on": False, "zorder": 2, "alpha": 0.8}
        if x < 0.98:
            ax.plot([x, 1], [y, y], lw=1.1, ls=(0, (1, 2.5)), **leader)
        ax.plot([min(max(x, 0.98), 1), 1.03, 1.055], [y, height, height], lw=1.1, **leader)
        ax.annotate(label, (1.07, height), xycoords="axes fraction", va="center", color=LIGHT["ink"],
                    annotation_clip=False)  # fmt: skip


def _kept_apart(heights: Sequence[float], gap: float) -> list[float]:
    """The same heights, moved as little as it takes to be `gap` apart and, if there is room, within [0, 1]."""
    order = np.argsort(heights, kind="stable")
    placed = np.array(heights, dtype=float)[order]
    for i in range(1, placed.size):
        placed[i] = max(placed[i], placed[i - 1] + gap)
    placed[-1] = min(placed[-1], max(1.0, heights[order[-1]]))
    for i in range(placed.size - 2, -1, -1):
        placed[i] = min(placed[i], placed[i + 1] - gap)
    result = np.empty_like(placed)
    result[order] = placed
    return result.tolist()


def _legend_above(ax: Axes, title: str) -> None:
    count = len(ax.get_legend_handles_labels()[1])
    legend = ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=min(count, 3), frameon=False, borderaxespad=0.2,
                       handlelength=1.5, columnspacing=1.3, handletextpad=0.5, borderpad=0.2)  # fmt: skip
    legend.set_in_layout(True)
    if title:
        ax.set_title(title, pad=9 + 14 * math.ceil(count / 3))


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
    _fill(ax, _boxes(x, y, chosen), color, hatch)


def _boxes(x: NDArray, y: NDArray, chosen: NDArray) -> list[list[tuple[float, float]]]:
    """Rectangles that cover the chosen cells, neighbors in a column as one."""
    boxes = []
    for i, column in enumerate(chosen):
        changes = np.flatnonzero(np.diff(np.concatenate([[False], column, [False]])))
        for start, stop in changes.reshape(-1, 2):
            left, right, bottom, top = x[i], x[i + 1], y[start], y[stop]
            boxes.append([(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)])
    return boxes


def _fill(ax: Axes, boxes: list, color: str, hatch: bool = False) -> None:
    if not boxes:
        return
    path = Path.make_compound_path(*(Path(box, closed=True) for box in boxes))
    style = {"hatch": "////", "hatchcolor": LIGHT["hatch"]} if hatch else {}
    ax.add_artist(PathPatch(path, facecolor=color, edgecolor=color, lw=0.25, zorder=1, **style))


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
    _tidy(bar, x=False)
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
    right = _fraction(x, ax.get_xlim(), ax.get_xscale() == "log") > 0.6
    ax.annotate(label, (x, y), (-9 if right else 9, 7), textcoords="offset points", ha="right" if right else "left",
                fontsize=9.6, bbox=box, zorder=6)  # fmt: skip


def _spread_out(count: int) -> NDArray:
    """Small fixed offsets, so that equal results stay visible."""
    return 0.13 * (np.arange(count) % 3 - 1) if count > 2 else np.zeros(count)


def _tidy(ax: Axes, x: bool = True, y: bool = True) -> None:
    for wanted, axis, log in ((x, ax.xaxis, ax.get_xscale() == "log"), (y, ax.yaxis, ax.get_yscale() == "log")):
        if not wanted:
            continue
        axis.set_minor_locator(NullLocator())
        if log:
            low, high = sorted(axis.get_view_interval())
            fine = high / low < 30
            axis.set_major_locator(LogLocator(subs=(1, 2, 5) if fine else (1,), numticks=9 if fine else 6))
            axis.set_major_formatter(FuncFormatter(_plain_number if low >= 5e-4 and high <= 5e3 else _power))
        elif axis.get_scale() == "linear":
            axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))


def _plain_number(value: float, _position: int) -> str:
    return f"{value:.4g}".replace("-", "\N{MINUS SIGN}")


def _power(value: float, _position: int) -> str:
    exponent = math.log10(value) if value > 0 else 0.5
    if abs(exponent - round(exponent)) > 1e-9 or round(exponent) in (0, 1):
        return _plain_number(value, _position)
    return "10" + str(round(exponent)).translate(_RAISED)
