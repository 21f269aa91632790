"""What several kinds of figures draw with: tidy axes, names of curves, boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from optim_lib.palette import LIGHT

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def tidy(ax: Axes, x: bool = True, y: bool = True) -> None:
    for wanted, axis, log in ((x, ax.xaxis, ax.get_xscale() == "log"), (y, ax.yaxis, ax.get_yscale() == "log")):
        if not wanted:
            continue
        axis.set_minor_locator(NullLocator())
        if log:
            low, high = sorted(axis.get_view_interval())
            fine = high / low < 30
            axis.set_major_locator(LogLocator(subs=(1, 2, 5) if fine else (1,), numticks=9 if fine else 6))
            axis.set_major_formatter(FuncFormatter(plain_number if low >= 5e-4 and high <= 5e3 else power_of_ten))
        elif axis.get_scale() == "linear":
            axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))


def plain_number(value: float, _position: int) -> str:
    return f"{value:.4g}".replace("-", "\N{MINUS SIGN}")


def power_of_ten(value: float, _position: int) -> str:
    exponent = math.log10(value) if value > 0 else 0.5
    if abs(exponent - round(exponent)) > 1e-9 or round(exponent) in (0, 1):
        return plain_number(value, _position)
    return "10" + str(round(exponent)).translate(_RAISED)


def fraction_of(value: float, limits: tuple[float, float], log: bool) -> float:
    if log:
        value, limits = math.log(value), tuple(map(math.log, limits))
    return (value - limits[0]) / (limits[1] - limits[0])


def limits_of(groups: Sequence[NDArray], log: bool) -> tuple[float, float]:
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


def legend_above(ax: Axes, title: str) -> None:
    count = len(ax.get_legend_handles_labels()[1])
    legend = ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=min(count, 3), frameon=False, borderaxespad=0.2,
                       handlelength=1.5, columnspacing=1.3, handletextpad=0.5, borderpad=0.2)  # fmt: skip
    legend.set_in_layout(True)
    if title:
        ax.set_title(title, pad=9 + 14 * math.ceil(count / 3))


def boxes_of(x: NDArray, y: NDArray, chosen: NDArray) -> list[list[tuple[float, float]]]:
    """Rectangles that cover the chosen cells, neighbors in a column as one."""
    boxes = []
    for i, column in enumerate(chosen):
        changes = np.flatnonzero(np.diff(np.concatenate([[False], column, [False]])))
        for start, stop in changes.reshape(-1, 2):
            left, right, bottom, top = x[i], x[i + 1], y[start], y[stop]
            boxes.append([(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)])
    return boxes


def fill_boxes(ax: Axes, boxes: list, color: str, hatch: bool = False) -> None:
    if not boxes:
        return
    path = Path.make_compound_path(*(Path(box, closed=True) for box in boxes))
    style = {"hatch": "////", "hatchcolor": LIGHT["hatch"]} if hatch else {}
    ax.add_artist(PathPatch(path, facecolor=color, edgecolor=color, lw=0.25, zorder=1, **style))
