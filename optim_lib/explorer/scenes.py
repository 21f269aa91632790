"""The state of a figure of scenes: outlines, arrows and dots in a plane, and bars, at every setting of the sliders.

For what is neither a run on a surface nor a curve over an axis: a ball and the step that it selects, an ellipse and
what a rescaling makes of it, the weights of a memory, the parts of a bill.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib.explorer import table as tables
from optim_lib.explorer.curves import MOST_CURVES, Panel, checked_axes, checked_initial, packed_panel, series_of
from optim_lib.explorer.quests import AnyQuest
from optim_lib.explorer.sentences import opening_of_curves
from optim_lib.explorer.state import FigureState, Names, Packing, Slider, finished
from optim_lib.explorer.table import Table
from optim_lib.explorer.words import labels, words
from optim_lib.palette import color_places

Array = NDArray[np.floating]

# What is drawn outside of a plane's window is kept as far as this many windows from its center.
BEYOND = 1.5


@dataclass(frozen=True)
class Mark:
    """Points in a plane that are drawn together: a line, an arrow or dots. Made by `outline`, `arrow` and `dots`."""

    label: str
    kind: str
    points: Array


def outline(label: str, points: ArrayLike) -> Mark:
    """A line through points of shape (\\*grid, n, 2); each axis of the grid may be 1 where nothing depends on it."""
    return Mark(label, "line", np.asarray(points, dtype=np.float64))


def dots(label: str, points: ArrayLike) -> Mark:
    """Dots at points of shape (\\*grid, n, 2)."""
    return Mark(label, "dots", np.asarray(points, dtype=np.float64))


def arrow(label: str, tip: ArrayLike, tail: ArrayLike = (0.0, 0.0)) -> Mark:
    """An arrow from a tail to a tip, both of shape (\\*grid, 2)."""
    tip, tail = np.broadcast_arrays(np.asarray(tip, dtype=np.float64), np.asarray(tail, dtype=np.float64))
    return Mark(label, "arrow", np.stack([tail, tip], axis=-2))


@dataclass(frozen=True)
class Plane:
    """A plane with one scale for both of its axes.

    Attributes
    ----------
    marks : sequence of Mark
        What is drawn, the first at the bottom. Marks of one label have one color and one entry in the legend.
    window : (left, right, bottom, top)
        What must be seen; a frame of another shape shows more.
    xlabel, ylabel : str
    """

    marks: Sequence[Mark]
    window: tuple[float, float, float, float]
    xlabel: str = ""
    ylabel: str = ""


@dataclass(frozen=True)
class Bars:
    """Bars side by side, one group for each name.

    Attributes
    ----------
    values : mapping of label to array of shape (\\*grid, n)
    names : sequence of n str, or n numbers
        What stands below each group; of numbers only some are written.
    stacked : bool, default False
        Whether the bars of a group stand on each other.
    xlabel : str
    """

    values: Mapping[str, ArrayLike]
    names: Sequence[str] | ArrayLike
    stacked: bool = False
    xlabel: str = ""


def scenes_state(
    scenes: Mapping[str, Plane | Bars],
    reading: tuple[str, Mapping[str, ArrayLike]],
    *,
    log_reading: bool = False,
    given: Sequence[str] = (),
    ideal: float | None = None,
    quests: Sequence[AnyQuest] = (),
    initial: Mapping[str, float] | None = None,
    title: str | None = None,
    key: str | None = None,
    describe: str | None = None,
    **axes: ArrayLike,
) -> FigureState:
    """An interactive figure of scenes: one slider for each axis, one picture for each `Plane` or `Bars`.

    Parameters
    ----------
    scenes : mapping of title to Plane or Bars
        Arrays whose grid has one entry for each value of each axis, in the order given, and 1 where nothing depends on
        an axis.
    reading : (what, mapping of label to array of the grid's shape)
        A number or more for each setting: the sentence below the pictures says them, and the quests look at them.
    log_reading : bool, default False
        Whether readings are told to three digits whatever their size.
    ideal : float, optional
        What the readings should be: 0 stands for as low as can be. None, the default, if none is better.
    given, quests, initial, title, key, describe, **axes
        As in `explore_curves`.

    Raises
    ------
    ValueError
        If a shape does not fit the axes, or a name is not known.

    Examples
    --------
    >>> import numpy as np
    >>> from optim_lib.explorer import Plane, arrow, explore_scenes
    >>> angle = np.radians([0, 45, 90])
    >>> tips = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    >>> plane = Plane([arrow("gradient", tips)], window=(-1.2, 1.2, -1.2, 1.2))
    >>> explore_scenes({"the plane": plane}, ("height", {"gradient": tips[:, 1]}), angle=[0, 45, 90])
    scenes: the plane, angle
    """
    grid = checked_axes(axes)
    shape = tuple(values.size for values in grid.values())
    if not scenes:
        raise ValueError("scenes must hold at least one Plane or Bars")
    if strangers := [name for name in given if name not in grid]:
        raise ValueError(f"given must name axes of this figure, {', '.join(grid)}, got {strangers[0]!r}")
    start = checked_initial(grid, initial or {})
    what, values = reading
    read = Panel(what, log_reading, {label: _reading(label, value, shape) for label, value in values.items()})
    data = Table(None, np.zeros((1, 2)), 0, grid, [series_of(k, v, shape) for k, v in read.curves.items()], 0.0, start)
    packing = Packing()
    panels = [
        (_plane if isinstance(scene, Plane) else _bars)(name, scene, shape, packing) for name, scene in scenes.items()
    ]
    named = list(dict.fromkeys(curve["label"] for panel in panels for curve in panel["curves"]))
    if len(named) > MOST_CURVES:
        raise ValueError(f"a figure has colors for {MOST_CURVES} labels, got {len(named)}: {', '.join(named)}")
    labeled = [*named, *(label for label in read.curves if label not in named)]
    spec = {
        "kind": "scenes",
        "x": [0],
        "xlabel": "",
        "panels": [*panels, packed_panel(read, packing) | {"type": "reading"}],
        "judged": len(panels),
        "ideal": ideal,
        "labels": labeled,
        "legend": len(named),
        "colors": color_places(labeled),
        "axes": [
            {"key": name, "name": words(name), "labels": labels(values), "given": name in given}
            for name, values in grid.items()
        ],
        "initial": list(start),
    }
    about = f"{' and '.join(scenes)}, {' x '.join(grid)}"
    sliders = [
        Slider(name, labels(values), index, words(name), words(name))
        for (name, values), index in zip(grid.items(), start, strict=True)
    ]
    codes = {label: read.codes(curve) for label, curve in read.curves.items()}
    return finished(
        "scenes",
        Names(about, title or about, title or "", key, describe),
        spec,
        packing,
        data,
        sliders,
        quests,
        says=lambda spec: opening_of_curves(spec, codes),
    )


def coordinates(panel: Mapping[str, Any], codes: NDArray[np.integer]) -> tuple[Array, Array]:
    """The x and the y of a mark's points from its codes, as the page has them; NaN where there is no point."""
    values = []
    for own, (low, high) in zip(np.split(codes, 2, axis=-1), panel["reach"], strict=True):
        values.append(np.where(own == tables.DIVERGED, np.nan, low + own / tables.STEPS * (high - low)))
    return values[0], values[1]


def heights(panel: Mapping[str, Any], codes: NDArray[np.integer]) -> Array:
    """The values of bars from their codes, as the page has them."""
    low, high = panel["range"]
    return low + codes / tables.STEPS * (high - low)


def _plane(title: str, plane: Plane, shape: tuple[int, ...], packing: Packing) -> dict[str, Any]:
    left, right, bottom, top = map(float, plane.window)
    if not (left < right and bottom < top):
        raise ValueError(f"the window of {title!r} must be (left, right, bottom, top), got {plane.window}")
    reach = [_reach(left, right), _reach(bottom, top)]
    curves = []
    for mark in plane.marks:
        _check_shape(mark.label, title, mark.points.shape[:-2], shape)
        if mark.points.shape[-1] != 2 or not np.isfinite(mark.points).any():
            raise ValueError(f"{mark.label!r} of {title!r} must have points (x, y), got shape {mark.points.shape}")
        codes = np.concatenate([_codes(mark.points[..., k], *reach[k]) for k in (0, 1)], axis=-1)
        packing.rows(codes)
        curves.append({"label": mark.label, "mark": mark.kind, "shape": list(codes.shape[:-1]), "n": codes.shape[-1]})
    return {
        "type": "plane",
        "title": title,
        "window": [left, right, bottom, top],
        "reach": reach,
        "xlabel": plane.xlabel,
        "ylabel": plane.ylabel,
        "curves": curves,
    }


def _bars(title: str, bars: Bars, shape: tuple[int, ...], packing: Packing) -> dict[str, Any]:
    arrays = {label: np.asarray(value, dtype=np.float64) for label, value in bars.values.items()}
    named = [str(name) if isinstance(name, str) else float(name) for name in np.asarray(bars.names).tolist()]
    for label, array in arrays.items():
        _check_shape(label, title, array.shape[:-1], shape)
        if array.shape[-1] != len(named) or not np.isfinite(array).all() or array.min() < 0:
            raise ValueError(f"{label!r} of {title!r} must have {len(named)} values that are not negative")
    tallest = _sum(arrays) if bars.stacked else max(float(array.max()) for array in arrays.values())
    high = 1.06 * (tallest or 1.0)
    curves = []
    for label, array in arrays.items():
        codes = _codes(array, 0.0, high)
        packing.rows(codes)
        curves.append({"label": label, "mark": "bars", "shape": list(codes.shape[:-1]), "n": codes.shape[-1]})
    return {
        "type": "bars",
        "title": title,
        "names": named,
        "stacked": bars.stacked,
        "range": [0.0, high],
        "xlabel": bars.xlabel,
        "curves": curves,
    }


def _sum(arrays: Mapping[str, Array]) -> float:
    total: Array | float = 0.0
    for array in arrays.values():
        total = total + array
    return float(np.max(total))


def _reach(low: float, high: float) -> list[float]:
    middle, span = (low + high) / 2, high - low
    return [middle - BEYOND * span, middle + BEYOND * span]


def _codes(values: Array, low: float, high: float) -> NDArray[np.uint16]:
    """Values as steps between the ends of a range."""
    known = np.isfinite(values)
    scaled = np.rint((np.where(known, values, low) - low) / (high - low) * tables.STEPS)
    return np.where(known, np.clip(scaled, 0, tables.STEPS), tables.DIVERGED).astype(np.uint16)


def _reading(label: str, value: ArrayLike, shape: tuple[int, ...]) -> Array:
    array = np.asarray(value, dtype=np.float64)
    _check_shape(label, "the reading", array.shape, shape)
    return array[..., None]


def _check_shape(label: str, title: str, own: tuple[int, ...], shape: tuple[int, ...]) -> None:
    if len(own) != len(shape) or any(n not in (1, size) for n, size in zip(own, shape, strict=True)):
        raise ValueError(f"{label!r} of {title!r} must have the grid {shape} (or 1 for an axis), got {own}")
