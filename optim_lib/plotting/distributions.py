"""How numbers are spread: over seeds, over bins, over kinds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import ArrayLike, NDArray

from optim_lib.palette import LIGHT, colors_of
from optim_lib.plotting import given
from optim_lib.plotting.drawing import legend_above, plain_number, tidy
from optim_lib.plotting.theme import STYLE, axes


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
        What is not finite has no dot; how many these are stands beside the label.
    reference : mapping of label to number, optional
        Dashed vertical lines.
    """
    rows = {name: given.numbers(f"values[{name!r}]", v, log=log) for name, v in given.named("values", values).items()}
    figure, ax = axes(xlabel, "", title=title, log_x=log, height=0.95 + 0.52 * len(rows))
    with rc_context(STYLE):
        for k, (results, color) in enumerate(zip(rows.values(), colors_of(rows), strict=True)):
            results = np.sort(results[np.isfinite(results)])
            row = np.full(results.size, -float(k))
            ax.plot(results, row + _spread_out(results.size), "o", ms=6, color=color, alpha=0.75, mec="none")
            if results.size:
                ax.plot([np.median(results)] * 2, [-k - 0.3, -k + 0.3], color=LIGHT["ink"], lw=2.2, zorder=4)
        ax.set_yticks(-np.arange(len(rows)), [_with_missing(label, results) for label, results in rows.items()])
        ax.tick_params(axis="y", length=0, labelcolor=LIGHT["ink"], labelsize=10.2)
        ax.set_ylim(-len(rows) + 0.45, 0.55)
        ax.grid(False, axis="y")
        ax.spines["left"].set_visible(False)
        if xlim:
            ax.set_xlim(xlim)
        for label, place in (reference or {}).items():
            ax.axvline(place, color=LIGHT["muted"], ls=(0, (4, 3)), lw=1.1, zorder=1)
            ax.annotate(label, (place, 1), (3, -2), xycoords=("data", "axes fraction"), textcoords="offset points",
                        va="top", color=LIGHT["muted"], fontsize=9.6)  # fmt: skip
        tidy(ax, y=False)
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
    values = given.named("values", values)
    check = given.positive if log else partial(given.numbers, finite=True)
    numbers = np.array([float(check(f"values[{label!r}]", value)) for label, value in values.items()])
    figure, ax = axes(xlabel, "", title=title, log_x=log, height=0.95 + 0.4 * len(values))
    with rc_context(STYLE):
        start = 10 ** math.floor(math.log10(numbers.min())) if log else 0.0
        for k, (value, color) in enumerate(zip(numbers, colors_of(values), strict=True)):
            ax.barh(-k, value - start, left=start, height=0.62, color=color)
            ax.annotate(f"{value:{number}}", (value, -k), (5, 0), textcoords="offset points", va="center")
        ax.set_yticks(-np.arange(len(numbers)), list(values))
        ax.tick_params(axis="y", length=0, labelcolor=LIGHT["ink"], labelsize=10.2)
        ax.grid(False, axis="y")
        ax.margins(x=0.12)
        if log:
            ax.set_xlim(left=start)
        tidy(ax, y=False)
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
    groups = given.named("values", values if isinstance(values, Mapping) else {"": values})
    groups = {label: given.numbers(f"values[{label!r}]", v, finite=True).ravel() for label, v in groups.items()}
    figure, ax = axes(xlabel, ylabel, title=title)
    with rc_context(STYLE):
        edges = np.histogram_bin_edges(np.concatenate(list(groups.values())), bins)
        for (label, group), color in zip(groups.items(), colors_of(groups), strict=True):
            counts = np.histogram(group, edges)[0]
            ax.stairs(counts, edges, color=color, fill=True, alpha=0.22, zorder=2)
            ax.stairs(counts, edges, color=color, lw=1.6, label=label, zorder=3)
        if log_y:
            ax.set_yscale("symlog", linthresh=1)
            ax.yaxis.set_major_formatter(FuncFormatter(plain_number))
        top = ax.get_ylim()[1]
        ax.set_ylim(0, top * (2.5 if log_y else 1.1) if marks else top)
        for label, place in (marks or {}).items():
            ax.axvline(place, color=LIGHT["ink"], ls=(0, (4, 3)), lw=1.1, zorder=4)
            ax.annotate(label, (place, 1), (4, -2), xycoords=("data", "axes fraction"), textcoords="offset points",
                        va="top")  # fmt: skip
        if any(groups):
            legend_above(ax, title)
        tidy(ax)
    return figure


def _with_missing(label: str, results: NDArray) -> str:
    missing = int((~np.isfinite(results)).sum())
    return f"{label} ({missing} of {results.size} not finite)" if missing else label


def _spread_out(count: int) -> NDArray:
    """Small fixed offsets, so that equal results stay visible."""
    return 0.13 * (np.arange(count) % 3 - 1) if count > 2 else np.zeros(count)
