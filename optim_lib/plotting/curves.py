"""Curves over a number, and points: how a quantity goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import ArrayLike, NDArray

from optim_lib.palette import LIGHT, colors_of
from optim_lib.plotting import given
from optim_lib.plotting.drawing import fraction_of, limits_of, tidy
from optim_lib.plotting.theme import HEIGHT, STYLE, axes

Lines = Mapping[str, ArrayLike]
DASHES = ("-", "-", "-", (0, (5, 1.6)), (0, (5, 1.6)), (0, (5, 1.6)))


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

    Raises
    ------
    TypeError, ValueError
        If something cannot be drawn: no numbers, another length, no finite height, below 0 on a logarithmic axis.
    """
    y = given.named("y", y)
    curves = {label: given.curve(label, _x_of(x, label), y[label], log_x=log_x, log_y=log_y) for label in y}
    levels = {
        label: float(given.numbers(f"levels[{label!r}]", at, finite=True)) for label, at in (levels or {}).items()
    }
    figure, ax = axes(xlabel, ylabel, title=title, log_x=log_x, log_y=log_y, height=height)
    with rc_context(STYLE):
        _set_limits(ax, [c[0] for c in curves.values()], [c[1] for c in curves.values()], xlim, ylim)
        ends = []
        marker = "o" if markers else None
        for k, ((label, (xs, ys)), color) in enumerate(zip(curves.items(), colors_of(curves), strict=True)):
            ax.plot(xs, ys, color=color, ls=DASHES[k % 6], marker=marker, zorder=3, mec="none")
            ends.append((label, color, *_end(ax, xs, ys, color)))
        for slope, label in (reference_slopes or {}).items():
            ends.append((label, LIGHT["muted"], *_reference(ax, *next(iter(curves.values())), slope)))
        for label, level in levels.items():
            ax.axhline(level, color=LIGHT["muted"], ls=(0, (4, 3)), lw=1.1, zorder=2)
            ends.append((label, LIGHT["muted"], ax.get_xlim()[1], level))
        _label_ends(ax, ends)
        tidy(ax)
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
    reference_slopes: Mapping[float, str] | None = None,
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
    xlabel, ylabel, title, log_x, log_y, ylim, reference_slopes, levels
        As in `lines`.
    """
    ends = {"range": (0.0, 1.0), "quartiles": (0.25, 0.75)}
    if spread not in ends:
        raise ValueError(f"spread must be one of {', '.join(ends)}, got {spread!r}")
    y = {
        label: np.atleast_2d(given.numbers(f"y of {label!r}", v, log=log_y)) for label, v in given.named("y", y).items()
    }
    medians = {label: np.median(values, axis=0) for label, values in y.items()}
    low, high = ({label: np.quantile(v, q, axis=0) for label, v in y.items()} for q in ends[spread])
    if ylim is None:
        ylim = limits_of([*low.values(), *high.values()], log_y)
    names = {"xlabel": xlabel, "ylabel": ylabel, "title": title, "height": height}
    marks = {"reference_slopes": reference_slopes, "levels": levels}
    figure = lines(x, medians, log_x=log_x, log_y=log_y, ylim=ylim, **names, **marks)
    for label, color in zip(y, colors_of(y), strict=True):
        figure.axes[0].fill_between(x, low[label], high[label], color=color, alpha=0.22, lw=0, zorder=2)
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
    x, y = (given.numbers(name, values, finite=True) for name, values in (("x", x), ("y", y)))
    if x.size != y.size:
        raise ValueError(f"x and y must be of the same length, got {x.size} and {y.size}")
    figure, ax = axes(xlabel, ylabel, title=title)
    with rc_context(STYLE):
        _dots(ax, x, y)
        ends = []
        ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())
        for (label, (cx, cy)), color in zip((curves or {}).items(), colors_of(curves or {}), strict=True):
            cx, cy = given.curve(label, cx, cy)
            ax.plot(cx, cy, color=color, zorder=3)
            ends.append((label, color, *_end(ax, cx, cy, color)))
        _label_ends(ax, ends)
        tidy(ax)
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


def _x_of(x: ArrayLike | Mapping[str, ArrayLike], label: str) -> ArrayLike:
    if isinstance(x, Mapping) and label not in x:
        raise KeyError(f"x has no places for the curve {label!r}; it has {', '.join(x)}")
    return x[label] if isinstance(x, Mapping) else x


def _set_limits(ax: Axes, xs: list, ys: list, xlim: tuple | None, ylim: tuple | None) -> None:
    log_x, log_y = ax.get_xscale() == "log", ax.get_yscale() == "log"
    if xlim is None:
        finite = np.concatenate([np.ravel(x) for x in xs])
        finite = finite[finite > 0] if log_x else finite
        xlim = (finite.min(), finite.max()) if np.ptp(finite) else limits_of([finite], log_x)
    ax.set(xlim=xlim, ylim=ylim or limits_of(ys, log_y))


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


def _label_ends(ax: Axes, ends: list[tuple[str, str, float, float]]) -> None:
    """Name each curve right of the axes, at the height of its end, with a leader in its color."""
    ends = [end for end in ends if end[0]]
    if not ends:
        return
    log_x, log_y = ax.get_xscale() == "log", ax.get_yscale() == "log"
    points = [(fraction_of(x, ax.get_xlim(), log_x), fraction_of(y, ax.get_ylim(), log_y)) for _, _, x, y in ends]
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
