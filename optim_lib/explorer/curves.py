"""The state of a figure of curves, for what has no surface: schedules, training losses, rates that shrink."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib.checks import in_order
from optim_lib.explorer import table as tables
from optim_lib.explorer.quests import AnyQuest
from optim_lib.explorer.sentences import opening_of_curves
from optim_lib.explorer.state import FigureState, Names, Packing, Slider, finished
from optim_lib.explorer.table import Series, Table
from optim_lib.explorer.words import labels, number, words
from optim_lib.palette import color_places

Array = NDArray[np.floating]

MOST_AXES = 3
MOST_CURVES = 6


@dataclass(frozen=True)
class Panel:
    """One chart: its curves by label, each of shape (\\*grid, n)."""

    title: str
    log: bool
    curves: dict[str, Array]

    def range(self) -> tuple[float, float]:
        """The values (or decades) that the panel spans, the same at every setting, so that the axis stands still."""
        values = np.concatenate([curve[np.isfinite(curve)].ravel() for curve in self.curves.values()])
        if not self.log:
            low, high = float(values.min()), float(values.max())
            margin = 0.04 * (high - low) or 0.5
            return (low if low == 0 else low - margin), high + margin
        # A few runs that explode, or end at nothing, must not squeeze all the others.
        firsts = np.concatenate([curve[..., 0].ravel() for curve in self.curves.values()])
        low = max(float(np.quantile(values, 0.002)), tables.SMALLEST)
        high = max(float(np.quantile(values, 0.98)), float(firsts[np.isfinite(firsts)].max()))
        low, high = np.log10(low), np.log10(max(high, low))
        margin = 0.06 * (high - low) or 0.3
        return float(low - margin), float(high + margin)

    def codes(self, curve: Array) -> NDArray[np.uint16]:
        if self.log:
            return tables.loss_codes(curve)
        low, high = self.range()
        alive = np.isfinite(curve)
        scaled = np.rint((np.where(alive, curve, low) - low) / (high - low) * tables.STEPS)
        return np.where(alive, scaled, tables.DIVERGED).astype(np.uint16)


def curves_state(
    panels: Mapping[str, Mapping[str, ArrayLike]],
    x: ArrayLike,
    *,
    xlabel: str = "step",
    log_x: bool = False,
    log_y: Sequence[str] = (),
    judged: str | None = None,
    given: Sequence[str] = (),
    ideal: float | None = 0.0,
    quests: Sequence[AnyQuest] = (),
    initial: Mapping[str, float] | None = None,
    title: str | None = None,
    key: str | None = None,
    describe: str | None = None,
    **axes: ArrayLike,
) -> FigureState:
    """An interactive figure of curves: one slider for each axis, one chart for each panel.

    Parameters
    ----------
    panels : mapping of title to (mapping of label to array)
        For each chart its curves: arrays of shape (\\*grid, n). The grid has one entry for each value of each axis, in
        the order given, and 1 where a curve does not depend on an axis. A value that is not finite is drawn as a
        divergence.
    x : array of shape (n,)
        Where the values lie; shared by all panels.
    xlabel : str, default "step"
    log_x : bool, default False
        Whether that axis is logarithmic.
    log_y : sequence of str
        The titles of panels with a logarithmic axis. Their values must be positive, or 0 where nothing is left.
    judged : str, optional
        The panel whose final values the sentence below the charts reports and the quests look at: the last by default.
    given : sequence of str
        The axes that belong to the problem, such as the size of its gradient: nobody chooses them, so the sentence
        calls none of their values the best.
    ideal : float, optional
        Where the judged curves should end: 0, the default, stands for as low as can be. None if none is better.
    quests : sequence of quests
        As in `explore`; `reach`, `find_best`, `beats`, `predict` and `quest` make sense here.
    initial : mapping of axis name to value, optional
        Where the sliders stand first; the middle of an axis by default.
    title, key, describe : str, optional
        As in `explore`.
    **axes : array of one dimension
        One to three, of at least two values.

    Raises
    ------
    ValueError
        If a shape does not fit the axes, or a name is not known.

    Examples
    --------
    >>> from optim_lib.explorer import explore_curves
    >>> x, rates = np.arange(50), np.array([0.1, 0.5, 1.0])
    >>> explore_curves({"distance": {"gradient descent": (1 - rates[:, None]) ** x}}, x, learning_rate=rates)
    curves: distance over step, learning_rate
    """
    x = np.asarray(x, dtype=np.float64)
    if log_x and not np.all(x > 0):
        raise ValueError(f"x must be positive on a logarithmic axis, got {x.min():g} as its lowest")
    grid = checked_axes(axes)
    shape = tuple(values.size for values in grid.values())
    checked = [_checked_panel(name, curves, name in log_y, shape, x.size) for name, curves in panels.items()]
    unknown = [name for name in (*log_y, *([judged] if judged else [])) if name not in panels]
    if not checked or unknown:
        raise ValueError(f"panels must be named in log_y and judged, {', '.join(panels)}, got {unknown}")
    if strangers := [name for name in given if name not in grid]:
        raise ValueError(f"given must name axes of this figure, {', '.join(grid)}, got {strangers[0]!r}")
    chosen = next((panel for panel in checked if panel.title == judged), checked[-1])
    start = checked_initial(grid, initial or {})
    series = [series_of(label, curve, shape) for label, curve in chosen.curves.items()]
    data = Table(None, np.zeros((1, 2)), x.size - 1, grid, series, 0.0, start)
    packing = Packing()
    spec = {
        "kind": "curves",
        "x": [float(f"{value:.6g}") for value in x],
        "xlabel": xlabel,
        "logX": bool(log_x),
        "panels": [packed_panel(panel, packing) for panel in checked],
        "judged": checked.index(chosen),
        "ideal": ideal,
        "labels": list(dict.fromkeys(label for panel in checked for label in panel.curves)),
        "axes": [
            {"key": name, "name": words(name), "labels": labels(values), "given": name in given}
            for name, values in grid.items()
        ],
        "initial": list(start),
    }
    spec["colors"] = color_places(spec["labels"])
    about = f"{' and '.join(panels)} over {xlabel}, {' x '.join(grid)}"
    names = Names(about, title or about, title or "", key, describe)
    sliders = [
        Slider(name, labels(values), index, words(name), words(name))
        for (name, values), index in zip(data.axes.items(), data.initial, strict=True)
    ]
    codes = {label: chosen.codes(curve) for label, curve in chosen.curves.items()}
    return finished(
        "curves", names, spec, packing, data, sliders, quests, says=lambda spec: opening_of_curves(spec, codes)
    )


def packed_panel(panel: Panel, packing: Packing) -> dict[str, Any]:
    """Pack the curves of a panel; what the page needs to know of it."""
    curves = []
    for label, curve in panel.curves.items():
        codes = panel.codes(curve)
        packing.rows(codes)
        curves.append({"label": label, "shape": list(codes.shape[:-1])})
    return {"title": panel.title, "log": panel.log, "range": list(map(float, panel.range())), "curves": curves}


def checked_axes(axes: Mapping[str, ArrayLike]) -> dict[str, Array]:
    grid = {name: np.asarray(values, dtype=np.float64) for name, values in axes.items()}
    if not 1 <= len(grid) <= MOST_AXES:
        raise ValueError(f"a figure needs 1 to {MOST_AXES} axes (one slider each), got {len(grid)}")
    for name, values in grid.items():
        if values.ndim != 1 or values.size < 2:
            raise ValueError(f"{name} must have one dimension and at least 2 values, got shape {values.shape}")
        in_order(name, values)
    return grid


def _checked_panel(title: str, curves: Mapping[str, ArrayLike], log: bool, shape: tuple[int, ...], n: int) -> Panel:
    arrays = {label: np.asarray(curve, dtype=np.float64) for label, curve in curves.items()}
    if not 1 <= len(arrays) <= MOST_CURVES:
        raise ValueError(f"panel {title!r} needs 1 to {MOST_CURVES} curves, got {len(arrays)}")
    for label, curve in arrays.items():
        fits = curve.ndim == len(shape) + 1 and curve.shape[-1] == n
        if not fits or any(own not in (1, size) for own, size in zip(curve.shape[:-1], shape, strict=True)):
            wanted = ", ".join(map(str, (*shape, n)))
            raise ValueError(f"{label!r} of panel {title!r} must have shape ({wanted}), got {curve.shape}")
        if not np.isfinite(curve).any() or (log and np.any(curve < 0)):
            raise ValueError(f"{label!r} of panel {title!r} must have finite values, none negative on a log axis")
    return Panel(title, log, arrays)


def series_of(label: str, curve: Array, shape: tuple[int, ...]) -> Series:
    full = np.broadcast_to(np.where(np.isfinite(curve), curve, np.inf), (*shape, curve.shape[-1]))
    return Series(label, tuple(range(len(shape))), np.empty(0), full[None])


def checked_initial(grid: Mapping[str, Array], asked: Mapping[str, float]) -> tuple[int, ...]:
    unknown = [name for name in asked if name not in grid]
    if unknown:
        raise ValueError(f"initial names {unknown[0]!r}, which is not an axis of this figure ({', '.join(grid)})")
    for name, value in asked.items():
        if not grid[name].min() <= value <= grid[name].max():
            low, high = number(grid[name].min()), number(grid[name].max())
            raise ValueError(f"initial {name} must be between {low} and {high}, got {value!r}")
    return tuple(
        int(np.argmin(np.abs(values - asked[name]))) if name in asked else (values.size - 1) // 2
        for name, values in grid.items()
    )
