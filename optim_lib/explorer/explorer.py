"""The explorer: one interactive figure for the whole course.

Everything it shows is computed here, when the cell runs, by the optimizer's own code. The page receives a table, draws
it, and looks things up: it knows no update rule and no landscape. So the same figure works in a live notebook and in a
static page, and for a class that a student wrote.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets
import numpy as np
import traitlets
from numpy.typing import ArrayLike

from optim_lib.descent import Sweep, sweep
from optim_lib.explorer import table as tables
from optim_lib.explorer.quests import Prediction, Quest
from optim_lib.explorer.table import Series, Table
from optim_lib.explorer.widgets import Canvas, SliderFigure, script, tied_slider
from optim_lib.explorer.words import labels, number, position, ticks, words
from optim_lib.landscapes import Landscape
from optim_lib.palette import palette

MOST_AXES = 3
# With more points than this, a figure keeps to the first start unless told which: the page must stay small.
MOST_POINTS = 150_000
WIDTH, HEIGHT = 448, 400


class ExplorerCanvas(Canvas):
    """Paths on a surface, the loss at each step, and the map of settings."""

    _esm = script("explorer.js")

    start = traitlets.Int(0).tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)


class Explorer(SliderFigure):
    """What `explore` and `race` return: the sliders above the canvas."""


@dataclass(frozen=True)
class MapCurve:
    """Something to draw over the map of settings, such as a bound from theory.

    Parameters
    ----------
    label : str
    xs : float or sequence of float
        Values of the first axis.
    ys : float or sequence of float, optional
        Values of the second axis, as many as `xs`. Without them, a line across the map at each of `xs`. One pair is
        drawn as a mark.
    """

    label: str
    xs: float | Sequence[float]
    ys: float | Sequence[float] | None = None


@dataclass(frozen=True)
class Entry:
    """One optimizer in a race.

    Parameters
    ----------
    label : str
    optimizer : class
    fixed : dict
        Hyperparameters that this entry alone has.
    rate_scale : float, default 1
        The factor on the shared learning rate: momentum with 0.9 travels ten times as far as the same rate without it.
    """

    label: str
    optimizer: Callable[..., Any]
    fixed: Mapping[str, Any]
    rate_scale: float = 1.0


def explore(
    optimizer: Callable[..., Any],
    landscape: Landscape,
    start: ArrayLike | None = None,
    steps: int = 60,
    *,
    noise: float | ArrayLike = 0.0,
    seed: int = 0,
    quests: Sequence[Quest | Prediction] = (),
    map_curves: Sequence[MapCurve] = (),
    initial: Mapping[str, float] | None = None,
    title: str | None = None,
    describe: str | None = None,
    height: int = HEIGHT,
    **hyperparameters: float | ArrayLike,
) -> Explorer:
    """An interactive figure of one optimizer on one landscape: a slider for every hyperparameter given as an array.

    Parameters
    ----------
    optimizer : class
        Of `optim_lib.optimizers`, or any class with ``update(params, grads)``, such as one written by a student.
    landscape : Landscape
    start : (x, y) or several, optional
        Several become a choice. By default the landscape's own (the first alone, if the table would be large).
    steps : int, default 60
    noise, seed
        As in `optim_lib.descent.sweep`; an array of noise levels is an axis too.
    quests : sequence of quests, optional
        Tasks from `optim_lib.explorer`: `reach`, `largest_stable`, `diverge`, `find_best`, `settle_in`, `predict`, ...
    map_curves : sequence of MapCurve, optional
        Theory drawn over the map of settings.
    initial : dict of axis name to value, optional
        Where the sliders stand first (at the nearest value on the axis). By default, a hyperparameter's usual value
        where the axis has it near, else the middle of the axis.
    title, describe : str, optional
        A heading, and a sentence for screen readers that says what the figure is for.
    height : int, default 400
        Of the surface, in pixels, where the page is 740 pixels wide.
    **hyperparameters : float or array of one dimension
        One to three arrays; each is a slider, in the order given. The first two span the map.

    Examples
    --------
    >>> from optim_lib.landscapes import rosenbrock
    >>> from optim_lib.optimizers import Adam
    >>> explore(Adam, rosenbrock, learning_rate=np.geomspace(1e-3, 1, 7), beta1=np.linspace(0, 0.9, 4))
    explorer: Adam on Rosenbrock's banana, learning_rate x beta1
    """
    starts, axes = _starts(start, landscape), _axes(hyperparameters, noise)
    starts = _affordable(starts, start, steps, axes, 1)
    fixed = {name: value for name, value in hyperparameters.items() if name not in axes}
    grids = [
        sweep(optimizer, landscape, point, steps, noise=noise, seed=seed, **fixed, **_without_noise(axes))
        for point in starts
    ]
    floor = tables.floor_of(landscape, [grid.losses for grid in grids])
    name = _name(optimizer)
    series = [_series(name, tuple(range(len(axes))), grids, floor)]
    usual = {**_defaults(optimizer), **(initial or {})}
    data = Table(landscape, starts, steps, axes, series, floor, _initial(axes, usual, initial))
    about = f"explorer: {name} on {landscape.name}, {' x '.join(axes)}"
    return _figure(about, title, describe, data, quests, map_curves, height, kind="explore")


def race(
    optimizers: Iterable[Any] | Mapping[str, Any],
    landscape: Landscape,
    start: ArrayLike | None = None,
    steps: int = 60,
    *,
    noise: float | ArrayLike = 0.0,
    seed: int = 0,
    quests: Sequence[Quest | Prediction] = (),
    map_curves: Sequence[MapCurve] = (),
    initial: Mapping[str, float] | None = None,
    title: str | None = None,
    describe: str | None = None,
    height: int = HEIGHT,
    **hyperparameters: float | ArrayLike,
) -> Explorer:
    """Several optimizers on one landscape, from one starting point, with shared sliders.

    Parameters
    ----------
    optimizers : sequence or dict
        Entries: a class; ``(label, class)``; ``(label, class, fixed)`` where `fixed` is a dict of the hyperparameters
        of that entry alone, and may hold ``rate_scale``, its factor on the shared learning rate; or an `Entry`.
        A dict maps labels to classes, or to ``(class, fixed)``. Two to six.
    **hyperparameters : float or array of one dimension
        Shared. An entry gets those that its class accepts and that it does not fix itself; every axis must be some
        entry's. The first axis is the one that the small chart of final losses runs along.

    The other parameters are those of `explore`.

    Examples
    --------
    >>> from optim_lib.landscapes import ravine
    >>> from optim_lib.optimizers import SGD, MomentumSGD
    >>> race([SGD, ("momentum 0.9", MomentumSGD, {"momentum": 0.9, "rate_scale": 0.1})], ravine,
    ...      learning_rate=np.geomspace(1e-3, 0.1, 5))
    explorer: SGD, momentum 0.9 on a ravine, learning_rate
    """
    entries = _entries(optimizers)
    starts, axes = _starts(start, landscape), _axes(hyperparameters, noise)
    starts = _affordable(starts, start, steps, axes, len(entries))
    shared = {name: value for name, value in hyperparameters.items() if name not in axes}
    runs = []
    for entry in entries:
        own = [name for name in axes if name == "noise" or _takes(entry, name)]
        swept = {name: axes[name] for name in own if name != "noise"}
        if "learning_rate" in swept:
            swept["learning_rate"] = swept["learning_rate"] * entry.rate_scale
        given = {name: value for name, value in shared.items() if _takes(entry, name)}
        if "learning_rate" in given:
            given["learning_rate"] = given["learning_rate"] * entry.rate_scale
        settings = {**given, **entry.fixed, **swept}
        grids = [sweep(entry.optimizer, landscape, p, steps, noise=noise, seed=seed, **settings) for p in starts]
        runs.append((entry, tuple(list(axes).index(name) for name in own), grids))
    unused = [name for position, name in enumerate(axes) if not any(position in own for _, own, _ in runs)]
    if unused:
        raise ValueError(f"no entry of this race accepts {unused[0]!r} (or each fixes it itself)")
    floor = tables.floor_of(landscape, [grid.losses for _, _, grids in runs for grid in grids])
    series = [_series(entry.label, own, grids, floor, _note(entry)) for entry, own, grids in runs]
    data = Table(landscape, starts, steps, axes, series, floor, _initial(axes, dict(initial or {}), initial))
    about = f"explorer: {', '.join(data.labels)} on {landscape.name}, {' x '.join(axes)}"
    return _figure(about, title, describe, data, quests, map_curves, height, kind="race")


def _figure(
    about: str,
    title: str | None,
    describe: str | None,
    data: Table,
    quests: Sequence[Quest | Prediction],
    curves: Sequence[MapCurve],
    height: int,
    *,
    kind: str,
) -> Explorer:
    view = tables.picture(data.landscape.window, WIDTH / height)
    field, largest, exponent = tables.sample_field(data.landscape, view, data.floor)
    judged = [quest.spec(data) for quest in quests]
    parts, layout = [], []
    for series in data.series:
        units = tables.point_units(series.points, view)
        for values in (units[..., 0], units[..., 1], tables.loss_codes(series.gaps)):
            parts.append(tables.pack_rows(values))
            layout.append(["rows", int(np.prod(values.shape)), values.shape[-1]])
    parts.append(tables.pack_field(field))
    layout.append(["field", field.size, field.shape[1]])
    for _, mask in judged:
        parts.append(np.packbits(mask.ravel()).tobytes())
        layout.append(["bits", mask.size, 1])
    spec = {
        "kind": kind,
        "title": about.removeprefix("explorer: ").rpartition(", ")[0],
        "describe": describe or "",
        "key": about.removeprefix("explorer: ") if title is None else title,
        "steps": data.steps,
        "measure": "loss" if data.floor == 0 else "loss above the minimum",
        "axes": [_axis_spec(name, values, data) for name, values in data.axes.items()],
        "series": [
            {"label": s.label, "note": s.note, "axes": list(s.axes), "shape": list(s.gaps.shape[1:-1])}
            for s in data.series
        ],
        "starts": [_in_view(point, view) for point in data.starts],
        "startLabels": [f"({number(x)}, {number(y)})" for x, y in data.starts],
        "minima": [_in_view(point, view) for point in data.landscape.minima],
        "saddles": [_in_view(point, view) for point in data.landscape.saddles],
        "view": list(view),
        "aspect": WIDTH / height,
        "field": {"largest": largest, "exponent": exponent},
        "lossRange": [_loss_range(data, k) for k in range(len(data.starts))],
        "endRange": [_end_range(data, k) for k in range(len(data.starts))],
        "endClipped": [_end_range(data, k)[0] > _extent(data, k)[0] + 0.05 for k in range(len(data.starts))],
        "curves": [_curve_spec(curve, data) for curve in curves],
        "quests": [spec for spec, _ in judged],
        "layout": layout,
        "palette": {"light": palette(), "dark": palette(dark=True)},
    }
    canvas = ExplorerCanvas(
        spec=spec, table=tables.pack(parts), step=data.steps, layout=ipywidgets.Layout(width="100%")
    )
    sliders = {}
    for place, (name, values) in enumerate(data.axes.items()):
        owners = spec["axes"][place]["of"]
        described = f"{words(name)} ({owners[0]})" if len(owners) == 1 else words(name)
        tooltip = f"{words(name)} of {', '.join(owners)}" if owners else words(name)
        sliders[name] = tied_slider(canvas, place, labels(values), data.initial[place], described, tooltip)
    return Explorer(about, title or "", data, sliders, canvas)


def _series(label: str, axes: tuple[int, ...], grids: Sequence[Sweep], floor: float, note: str = "") -> Series:
    points = np.stack([grid.points for grid in grids])
    gaps = np.stack([grid.losses for grid in grids]) - floor
    return Series(label, axes, points, np.maximum(gaps, 0.0), note)


def _axis_spec(name: str, values: np.ndarray, data: Table) -> dict[str, Any]:
    index = list(data.axes).index(name)
    owners = [series.label for series in data.series if index in series.axes]
    return {
        "name": words(name),
        "labels": labels(values),
        "ticks": ticks(values),
        "of": owners if len(owners) < len(data.series) else [],
    }


def _curve_spec(curve: MapCurve, data: Table) -> dict[str, Any]:
    axes = list(data.axes.values())
    xs = np.atleast_1d(np.asarray(curve.xs, dtype=np.float64))
    if curve.ys is None:
        across = position(axes[0], xs)
        return {"label": curve.label, "across": _finite(across)}
    if len(axes) < 2:
        raise ValueError(f"map curve {curve.label!r} has ys, but the figure has one axis, {next(iter(data.axes))}")
    ys = np.atleast_1d(np.asarray(curve.ys, dtype=np.float64))
    if xs.shape != ys.shape:
        raise ValueError(f"map curve {curve.label!r} needs as many xs as ys, got {xs.size} and {ys.size}")
    across, up = position(axes[0], xs), position(axes[1], ys)
    return {"label": curve.label, "xs": _finite(across), "ys": _finite(up)}


def _finite(values: np.ndarray) -> list[float | None]:
    return [round(float(value), 3) if np.isfinite(value) else None for value in values]


def _in_view(point: Sequence[float], view: Sequence[float]) -> list[float]:
    left, right, bottom, top = view
    return [(float(point[0]) - left) / (right - left), (float(point[1]) - bottom) / (top - bottom)]


def _loss_range(data: Table, start: int) -> list[float]:
    """The decades that the loss chart shows, the same for every setting, so that the axis stands still."""
    best, usual, high = _extent(data, start)
    return _padded(max(best, usual - 1.0), high + 0.3)


def _end_range(data: Table, start: int) -> list[float]:
    """The decades that the map spans: from the best ends (a few single ones may lie below) to the start."""
    best, usual, high = _extent(data, start)
    return _padded(usual if len(data.axes) > 1 and len(data.series) == 1 else best, high)


def _extent(data: Table, start: int) -> tuple[float, float, float]:
    """Decades: of the lowest final loss, of the one that a fiftieth of the settings reach, and of the start."""
    first = max(float(series.gaps[start, ..., 0].max()) for series in data.series)
    ends = np.concatenate([series.gaps[start, ..., -1].ravel() for series in data.series])
    alive = ends[np.isfinite(ends)] if np.isfinite(ends).any() else np.array([first])
    least = max(first * 1e-13, tables.SMALLEST)
    best, usual = (max(float(np.quantile(alive, part)), least) for part in (0.0, 0.02))
    return float(np.log10(best)), float(np.log10(usual)), float(np.log10(max(first, best)))


def _padded(low: float, high: float) -> list[float]:
    missing = max(0.0, 0.6 - (high - low)) / 2
    return [round(float(low - missing), 4), round(float(high + missing), 4)]


def _starts(start: ArrayLike | None, landscape: Landscape) -> np.ndarray:
    points = np.asarray(landscape.starts if start is None else start, dtype=np.float64)
    points = np.atleast_2d(points)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not np.all(np.isfinite(points)):
        raise ValueError(f"start must be one point (x, y) or several, of finite numbers, got {start!r}")
    return points


def _affordable(
    starts: np.ndarray, asked: ArrayLike | None, steps: int, axes: dict[str, np.ndarray], entries: int
) -> np.ndarray:
    settings = int(np.prod([values.size for values in axes.values()]))
    small = settings * entries * (steps + 1) * len(starts) <= MOST_POINTS
    return starts if asked is not None or small else starts[:1]


def _axes(hyperparameters: Mapping[str, Any], noise: float | ArrayLike) -> dict[str, np.ndarray]:
    given = {**hyperparameters, "noise": noise}
    axes = {name: np.asarray(value, dtype=np.float64) for name, value in given.items() if np.ndim(value) > 0}
    if not 1 <= len(axes) <= MOST_AXES:
        raise ValueError(
            f"an explorer needs 1 to {MOST_AXES} hyperparameters given as arrays (one slider each), "
            f"got {len(axes)}{': ' if axes else ''}{', '.join(axes)}"
        )
    for name, values in axes.items():
        if values.ndim != 1 or values.size < 2:
            raise ValueError(
                f"{name} must be a number or an array of one dimension and at least 2 values, got shape {values.shape}"
            )
    return axes


def _without_noise(axes: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: values for name, values in axes.items() if name != "noise"}


def _initial(
    axes: Mapping[str, np.ndarray], usual: Mapping[str, Any], asked: Mapping[str, float] | None
) -> tuple[int, ...]:
    unknown = [name for name in asked or {} if name not in axes]
    if unknown:
        raise ValueError(f"initial names {unknown[0]!r}, which is not an axis of this figure ({', '.join(axes)})")
    return tuple(_first_index(name, values, usual.get(name), name in (asked or {})) for name, values in axes.items())


def _first_index(name: str, values: np.ndarray, usual: Any, asked: bool) -> int:
    known = isinstance(usual, int | float) and values.min() <= usual <= values.max()
    if asked and not known:
        raise ValueError(f"initial {name} must be between {values.min():g} and {values.max():g}, got {usual!r}")
    if known and (asked or name != "learning_rate"):
        return int(np.argmin(np.abs(values - usual)))
    return (values.size - 1) // 2


def _defaults(optimizer: Callable[..., Any]) -> dict[str, Any]:
    parameters = inspect.signature(optimizer).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _name(optimizer: Callable[..., Any]) -> str:
    return getattr(optimizer, "__name__", type(optimizer).__name__)


def _takes(entry: Entry, name: str) -> bool:
    if name in entry.fixed:
        return False
    parameters = inspect.signature(entry.optimizer).parameters
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _note(entry: Entry) -> str:
    return "" if entry.rate_scale == 1 else f"rate \u00d7 {number(entry.rate_scale)}"


def _entries(optimizers: Iterable[Any] | Mapping[str, Any]) -> list[Entry]:
    if isinstance(optimizers, Mapping):
        optimizers = [
            (label, *(value if isinstance(value, tuple) else (value,))) for label, value in optimizers.items()
        ]
    entries = [_entry(item) for item in optimizers]
    names = [entry.label for entry in entries]
    if not 2 <= len(entries) <= 6:
        raise ValueError(f"a race needs 2 to 6 entries, got {len(entries)}")
    if len(set(names)) < len(names):
        raise ValueError(f"every entry of a race needs its own label, got {', '.join(names)}")
    return entries


def _entry(item: Any) -> Entry:
    if isinstance(item, Entry):
        return item
    label, optimizer, fixed = (*item, {})[:3] if isinstance(item, tuple) else (_name(item), item, {})
    if not isinstance(label, str) or not callable(optimizer) or not isinstance(fixed, Mapping):
        raise TypeError(f"a race's entry is a class, (label, class) or (label, class, fixed), got {item!r}")
    fixed = dict(fixed)
    return Entry(label, optimizer, fixed, float(fixed.pop("rate_scale", 1.0)))
