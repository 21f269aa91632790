"""The state of a figure of descents: one optimizer with `explore_state`, several with `race_state`.

Everything a figure shows is computed here, by the optimizer's own code. What draws it looks things up: it knows no
update rule and no landscape. So the same figure works in a live notebook and in a static page, and for a class that a
student wrote.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib.checks import in_order
from optim_lib.descent import Sweep, sweeps
from optim_lib.explorer import table as tables
from optim_lib.explorer.quests import AnyQuest
from optim_lib.explorer.sentences import opening
from optim_lib.explorer.state import FigureState, Names, Packing, Slider, finished
from optim_lib.explorer.table import Series, Table
from optim_lib.explorer.words import labels, number, position, ticks, words
from optim_lib.landscapes import Landscape
from optim_lib.palette import color_places

Array = NDArray[np.floating]

MOST_AXES = 3
# With more points than this, a figure keeps to the first start unless told which: the page must stay small.
MOST_POINTS = 150_000
WIDTH, HEIGHT = 448, 400


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


@dataclass(frozen=True)
class Runner:
    """One optimizer of a figure, and everything that it alone is given.

    Attributes
    ----------
    label : str
    optimizer : class
    axes : tuple of int
        Which of the figure's axes it has.
    settings : dict
        Its hyperparameters by name: a number, or the values along an axis.
    note : str
        What a legend adds to the label.
    """

    label: str
    optimizer: Callable[..., Any]
    axes: tuple[int, ...]
    settings: Mapping[str, Any]
    note: str = ""


@dataclass(frozen=True)
class Setup:
    """What decides every number of a figure of descents, and the words around them."""

    kind: str
    landscape: Landscape
    starts: Array
    steps: int
    noise: float | Array
    seed: int
    draws: int
    axes: dict[str, Array]
    runners: Sequence[Runner]
    initial: tuple[int, ...]
    curves: Sequence[MapCurve] = ()
    marks: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    title: str | None = None
    key: str | None = None
    describe: str | None = None
    height: int = HEIGHT

    def run(self, runner: Runner, progress: bool = True) -> list[Sweep]:
        """The grids of one optimizer, one for each start: the path of one draw of the noise, the mean loss of all."""
        drawn = [self._grids(runner, draw, progress) for draw in range(self.draws)]
        return [_mean(grids) for grids in zip(*drawn, strict=True)]

    def _grids(self, runner: Runner, draw: int, progress: bool) -> list[Sweep]:
        return sweeps(
            runner.optimizer,
            self.landscape,
            list(self.starts),
            self.steps,
            noise=self.noise,
            seed=self.seed + draw,
            progress=progress,
            **runner.settings,
        )

    @property
    def matchup(self) -> str:
        """Who runs on what."""
        return f"{', '.join(runner.label for runner in self.runners)} on {self.landscape.name}"


def explore_state(
    optimizer: Callable[..., Any],
    landscape: Landscape,
    start: ArrayLike | None = None,
    steps: int = 60,
    *,
    noise: float | ArrayLike = 0.0,
    seed: int = 0,
    draws: int = 1,
    quests: Sequence[AnyQuest] = (),
    map_curves: Sequence[MapCurve] = (),
    marks: Mapping[str, ArrayLike] | None = None,
    initial: Mapping[str, float] | None = None,
    title: str | None = None,
    key: str | None = None,
    describe: str | None = None,
    height: int = HEIGHT,
    **hyperparameters: float | ArrayLike,
) -> FigureState:
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
    draws : int, default 1
        Over how many draws of the noise, from `seed` on, losses are averaged: those of the map, of the curves and of
        quests. The path that is drawn is of the first.
    quests : sequence of quests, optional
        Tasks from `optim_lib.explorer`: `reach`, `largest_stable`, `diverge`, `find_best`, `settle_in`, `predict`, ...
    map_curves : sequence of MapCurve, optional
        Theory drawn over the map of settings.
    marks : dict of str to (x, y), optional
        Points of the surface to mark and name.
    initial : dict of axis name to value, optional
        Where the sliders stand first (at the nearest value on the axis). By default, a hyperparameter's usual value
        where the axis has it near, else the middle of the axis.
    title, describe : str, optional
        A heading, and a sentence for screen readers that says what the figure is for.
    key : str, optional
        A short name that is the same for ever: links to the figure carry it, and what a reader does with the figure is
        kept under it. By default it is made from the title.
    height : int, default 400
        Of the surface, in pixels, where the page is 740 pixels wide.
    **hyperparameters : float or array of one dimension
        One to three arrays; each is a slider, in the order given. The first two span the map.

    Examples
    --------
    >>> from optim_lib.explorer import explore
    >>> from optim_lib.landscapes import rosenbrock
    >>> from optim_lib.optimizers import Adam
    >>> explore(Adam, rosenbrock, learning_rate=np.geomspace(1e-3, 1, 7), beta1=np.linspace(0, 0.9, 4))
    explorer: Adam on Rosenbrock's banana, learning_rate x beta1
    """
    axes = _axes(hyperparameters, noise)
    settings = {name: axes.get(name, value) for name, value in hyperparameters.items()}
    runner = Runner(_name(optimizer), optimizer, tuple(range(len(axes))), settings)
    usual = {**_defaults(optimizer), **(initial or {})}
    setup = Setup(
        kind="explore",
        landscape=landscape,
        starts=_starts(start, landscape, steps, axes, entries=1),
        steps=steps,
        noise=axes.get("noise", noise),
        seed=seed,
        draws=_draws(draws),
        axes=axes,
        runners=[runner],
        initial=_initial(axes, usual, initial),
        curves=map_curves,
        marks={label: tuple(map(float, point)) for label, point in (marks or {}).items()},
        title=title,
        key=key,
        describe=describe,
        height=height,
    )
    return descent_state(setup, quests)


def race_state(
    optimizers: Iterable[Any] | Mapping[str, Any],
    landscape: Landscape,
    start: ArrayLike | None = None,
    steps: int = 60,
    *,
    noise: float | ArrayLike = 0.0,
    seed: int = 0,
    draws: int = 1,
    quests: Sequence[AnyQuest] = (),
    map_curves: Sequence[MapCurve] = (),
    marks: Mapping[str, ArrayLike] | None = None,
    initial: Mapping[str, float] | None = None,
    title: str | None = None,
    key: str | None = None,
    describe: str | None = None,
    height: int = HEIGHT,
    **hyperparameters: float | ArrayLike,
) -> FigureState:
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
    >>> from optim_lib.explorer import race
    >>> from optim_lib.landscapes import ravine
    >>> from optim_lib.optimizers import SGD, MomentumSGD
    >>> race([SGD, ("momentum 0.9", MomentumSGD, {"momentum": 0.9, "rate_scale": 0.1})], ravine,
    ...      learning_rate=np.geomspace(1e-3, 0.1, 5))
    explorer: SGD, momentum 0.9 on a ravine, learning_rate
    """
    entries, axes = _entries(optimizers), _axes(hyperparameters, noise)
    runners = [_runner(entry, {**hyperparameters, **axes}, list(axes)) for entry in entries]
    unused = set(range(len(axes))) - {axis for runner in runners for axis in runner.axes}
    if unused:
        raise ValueError(f"no entry of this race accepts {list(axes)[min(unused)]!r} (or each fixes it itself)")
    setup = Setup(
        kind="race",
        landscape=landscape,
        starts=_starts(start, landscape, steps, axes, entries=len(entries)),
        steps=steps,
        noise=axes.get("noise", noise),
        seed=seed,
        draws=_draws(draws),
        axes=axes,
        runners=runners,
        initial=_initial(axes, dict(initial or {}), initial),
        curves=map_curves,
        marks={label: tuple(map(float, point)) for label, point in (marks or {}).items()},
        title=title,
        key=key,
        describe=describe,
        height=height,
    )
    return descent_state(setup, quests)


def descent_state(
    setup: Setup,
    quests: Sequence[AnyQuest] = (),
    run: Callable[[Runner], list[Sweep]] | None = None,
) -> FigureState:
    """Compute a figure: every run of every optimizer, and what the page has to know to draw them.

    `run` may stand in for `Setup.run`, for whoever has some of the grids already.
    """
    grids = [(run or setup.run)(runner) for runner in setup.runners]
    floor = tables.floor_of(setup.landscape, [grid.losses for own in grids for grid in own])
    series = [_series(runner, own, floor) for runner, own in zip(setup.runners, grids, strict=True)]
    data = Table(setup.landscape, setup.starts, setup.steps, setup.axes, series, floor, setup.initial)
    view = tables.picture(data.landscape.window, WIDTH / setup.height)
    packing = Packing()
    for one in series:
        units = tables.point_units(one.points, view)
        for values in (units[..., 0], units[..., 1], tables.loss_codes(one.gaps)):
            packing.rows(values)
    samples, largest, exponent = tables.sample_field(data.landscape, view, data.floor)
    packing.field(samples)
    spec = {**_spec(setup, data, view), "field": {"largest": largest, "exponent": exponent}}
    about = f"{setup.matchup}, {' x '.join(setup.axes)}"
    names = Names(about, setup.matchup, setup.title or "", setup.key, setup.describe)
    sliders = [_slider(place, data, spec["axes"][place]["of"]) for place in range(len(data.axes))]

    def says(spec: dict[str, Any]) -> str:
        return opening(spec, data, view)

    return finished(setup.kind, names, spec, packing, data, sliders, quests, says, setup)


def _spec(setup: Setup, data: Table, view: Sequence[float]) -> dict[str, Any]:
    starts = range(len(data.starts))
    colors = color_places(data.labels)
    return {
        "kind": setup.kind,
        "steps": data.steps,
        "initial": list(data.initial),
        "measure": ("mean " if setup.draws > 1 else "") + ("loss" if data.floor == 0 else "loss above the minimum"),
        "axes": [_axis_spec(name, values, data) for name, values in data.axes.items()],
        "series": [
            {"label": s.label, "note": s.note, "axes": list(s.axes), "shape": list(s.gaps.shape[1:-1]), "color": color}
            for s, color in zip(data.series, colors, strict=True)
        ],
        "starts": [_in_view(point, view) for point in data.starts],
        "startLabels": [f"({number(x)}, {number(y)})" for x, y in data.starts],
        "minima": [_in_view(point, view) for point in data.landscape.minima],
        "saddles": [_in_view(point, view) for point in data.landscape.saddles],
        "marks": [[label, *_in_view(point, view)] for label, point in setup.marks.items()],
        "view": list(view),
        "aspect": WIDTH / setup.height,
        "endRange": [_end_range(data, k) for k in starts],
        "endClipped": [bool(_end_range(data, k)[0] > _extent(data, k)[0] + 0.05) for k in starts],
        "curves": [_curve_spec(curve, data) for curve in setup.curves],
    }


def _slider(place: int, data: Table, owners: Sequence[str]) -> Slider:
    name, values = list(data.axes.items())[place]
    described = f"{words(name)} ({owners[0]})" if len(owners) == 1 else words(name)
    tooltip = f"{words(name)} of {', '.join(owners)}" if owners else words(name)
    return Slider(name, labels(values), data.initial[place], described, tooltip)


def _runner(entry: Entry, hyperparameters: Mapping[str, Any], axes: Sequence[str]) -> Runner:
    """What one entry of a race gets of the shared hyperparameters: those that it takes, the rate at its own scale."""
    own = {name: value for name, value in hyperparameters.items() if name != "noise" and _takes(entry, name)}
    if "learning_rate" in own:
        own["learning_rate"] = own["learning_rate"] * entry.rate_scale
    swept = {name: own.pop(name) for name in axes if name in own}
    places = tuple(place for place, name in enumerate(axes) if name == "noise" or name in swept)
    return Runner(entry.label, entry.optimizer, places, {**own, **entry.fixed, **swept}, _note(entry))


def _series(runner: Runner, grids: Sequence[Sweep], floor: float) -> Series:
    points = np.stack([grid.points for grid in grids])
    gaps = np.stack([grid.losses for grid in grids]) - floor
    return Series(runner.label, runner.axes, points, np.maximum(gaps, 0.0), runner.note)


def _axis_spec(name: str, values: Array, data: Table) -> dict[str, Any]:
    index = list(data.axes).index(name)
    owners = [series.label for series in data.series if index in series.axes]
    return {
        "key": name,
        "name": words(name),
        "given": name == "noise",
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


def _finite(values: Array) -> list[float | None]:
    return [round(float(value), 3) if np.isfinite(value) else None for value in values]


def _in_view(point: Sequence[float], view: Sequence[float]) -> list[float]:
    left, right, bottom, top = view
    return [(float(point[0]) - left) / (right - left), (float(point[1]) - bottom) / (top - bottom)]


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


def _starts(
    asked: ArrayLike | None, landscape: Landscape, steps: int, axes: Mapping[str, Array], entries: int
) -> Array:
    """The starting points: those asked for, or the landscape's own (the first alone, if the table would be large)."""
    points = np.atleast_2d(np.asarray(landscape.starts if asked is None else asked, dtype=np.float64))
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not np.all(np.isfinite(points)):
        raise ValueError(f"start must be one point (x, y) or several, of finite numbers, got {asked!r}")
    settings = math.prod(values.size for values in axes.values())
    small = settings * entries * (steps + 1) * len(points) <= MOST_POINTS
    return points if asked is not None or small else points[:1]


def _mean(grids: Sequence[Sweep]) -> Sweep:
    """The first of some grids that differ in their noise, with the mean of the losses of all."""
    return replace(grids[0], losses=np.mean([grid.losses for grid in grids], axis=0))


def _draws(draws: int) -> int:
    if not isinstance(draws, int) or draws < 1:
        raise ValueError(f"draws must be a whole number of at least 1, got {draws!r}")
    return draws


def _axes(hyperparameters: Mapping[str, Any], noise: float | ArrayLike) -> dict[str, Array]:
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
        in_order(name, values)
    return axes


def _initial(axes: Mapping[str, Array], usual: Mapping[str, Any], asked: Mapping[str, float] | None) -> tuple[int, ...]:
    unknown = [name for name in asked or {} if name not in axes]
    if unknown:
        raise ValueError(f"initial names {unknown[0]!r}, which is not an axis of this figure ({', '.join(axes)})")
    return tuple(_first_index(name, values, usual.get(name), name in (asked or {})) for name, values in axes.items())


def _first_index(name: str, values: Array, usual: Any, asked: bool) -> int:
    known = isinstance(usual, int | float) and values.min() <= usual <= values.max()
    if asked and not known:
        raise ValueError(f"initial {name} must be between {values.min():g} and {values.max():g}, got {usual!r}")
    if known and (asked or name != "learning_rate"):
        return int(np.argmin(np.abs(values - usual)))
    return (values.size - 1) // 2


def _defaults(optimizer: Callable[..., Any]) -> dict[str, Any]:
    parameters = inspect.signature(optimizer).parameters.values() if callable(optimizer) else ()
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
