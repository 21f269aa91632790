"""Run an optimizer down a landscape: one run with `descend`, a whole grid of hyperparameters at once with `sweep`.

>>> from optim_lib.landscapes import bowl
>>> from optim_lib.optimizers import SGD
>>> descend(SGD(learning_rate=0.5), bowl, start=(2.0, 1.0), steps=3).points
array([[2.  , 1.  ],
       [1.  , 0.  ],
       [0.5 , 0.  ],
       [0.25, 0.  ]])
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib.landscapes import Landscape
from optim_lib.optimizers.base import Optimizer
from optim_lib.progress import progress_bar

Array = NDArray[np.floating]

# A point this many window sizes away from the window's center has left for good.
FAR = 1_000.0

# Points judged at a time.
BLOCK_POINTS = 8192

# How many settings of a class that is not ours are run alone, to see whether the vectorized run can be trusted.
TRIALS = 12


@dataclass(frozen=True)
class Run:
    """One descent.

    Attributes
    ----------
    points : ndarray of shape (steps + 1, 2)
        Where the run was; NaN from the step at which it diverged.
    losses : ndarray of shape (steps + 1,)
        The loss at those points; infinite from the step at which it diverged.
    diverged_at : int or None
        The first step whose point or loss is not finite, or that is over 1000 window sizes away.
    """

    points: Array
    losses: Array
    diverged_at: int | None


@dataclass(frozen=True)
class Sweep:
    """A grid of descents, one axis for each hyperparameter that was given as an array.

    Attributes
    ----------
    points : ndarray of shape (grid..., steps + 1, 2)
    losses : ndarray of shape (grid..., steps + 1)
    diverged_at : ndarray of int of shape (grid...)
        The step at which each run diverged, or -1.
    axes : dict of str to ndarray
        The values along each axis of the grid, in order.
    vectorized : bool
        Whether the grid was one vectorized run.
    """

    points: Array
    losses: Array
    diverged_at: NDArray[np.integer]
    axes: dict[str, Array]
    vectorized: bool

    def best(self) -> dict[str, float]:
        """The setting with the lowest final loss, by axis name; an error if every run diverged."""
        if not np.isfinite(self.losses[..., -1]).any():
            raise ValueError("the best of a sweep must have a finite loss, but every run of this one diverged")
        index = np.unravel_index(np.argmin(self.losses[..., -1]), self.losses.shape[:-1])
        return {name: float(values[i]) for (name, values), i in zip(self.axes.items(), index, strict=True)}


def descend(
    optimizer: Any,
    landscape: Landscape,
    start: ArrayLike | None = None,
    steps: int = 60,
    *,
    noise: float = 0.0,
    seed: int = 0,
) -> Run:
    """Run an optimizer from `start` for a number of steps, and record every point.

    Parameters
    ----------
    optimizer : object with ``update(params, grads)``
        One of `optim_lib.optimizers`, or any class with that interface. It is used as it is, state and all.
    landscape : Landscape
    start : (x, y), optional
        The landscape's first start point by default.
    steps : int, default 60
        At least 1.
    noise : float, default 0
        The standard deviation of the Gaussian noise added to each coordinate of each gradient.
    seed : int, default 0
        Seeds the noise.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range; `optimizer` must be an instance, not a class.
    """
    if isinstance(optimizer, type) or not hasattr(optimizer, "update"):
        raise TypeError(f"optimizer must be an object with update(params, grads), such as Adam(0.1), got {optimizer!r}")
    start, steps = _checked_start(start, landscape), _checked_steps(steps)
    noise_level = _checked_noise(noise)
    if noise_level.ndim:
        raise ValueError(f"noise must be one number in descend (sweep takes several), got {noise!r}")
    points = _trajectory(optimizer, landscape, start, steps, noise_level, seed)
    points, losses, diverged_at = _judge(points, landscape)
    return Run(points, losses, int(diverged_at) if diverged_at >= 0 else None)


def sweep(
    optimizer: Callable[..., Any],
    landscape: Landscape,
    start: ArrayLike | None = None,
    steps: int = 60,
    *,
    noise: float | ArrayLike = 0.0,
    seed: int = 0,
    progress: bool = True,
    **hyperparameters: float | ArrayLike,
) -> Sweep:
    """Run an optimizer once for every combination of the hyperparameters given as arrays.

    A class of `optim_lib` runs the whole grid as one vectorized run (unless an array is of whole numbers, such as how
    often SOAP renews its bases). So does any other class with the article's
    interface, such as one written by a student, if that gives the same numbers as running it setting by setting
    (a sample of settings is tried); if not, it is run setting by setting, with a progress bar.

    Parameters
    ----------
    optimizer : class or callable
        Called with the hyperparameters by name; returns an object with ``update(params, grads)``.
    landscape, start, steps, seed
        As in `descend`.
    noise : float or array, default 0
        As in `descend`; an array makes one more axis. All settings see the same random numbers.
    progress : bool, default True
        Whether to show a progress bar when running setting by setting.
    **hyperparameters : float or array of one dimension
        A number is the same in all runs; an array is an axis of the grid, in the order given.

    Examples
    --------
    >>> from optim_lib.landscapes import bowl
    >>> from optim_lib.optimizers import SGD
    >>> grid = sweep(SGD, bowl, start=(2.0, 1.0), steps=60, learning_rate=np.array([0.1, 0.5, 1.1]))
    >>> grid.points.shape, grid.diverged_at.tolist(), grid.best()
    ((3, 61, 2), [-1, -1, 47], {'learning_rate': 0.5})
    """
    return sweeps(optimizer, landscape, [start], steps, noise=noise, seed=seed, progress=progress, **hyperparameters)[0]


def sweeps(
    optimizer: Callable[..., Any],
    landscape: Landscape,
    starts: Sequence[ArrayLike | None],
    steps: int = 60,
    *,
    noise: float | ArrayLike = 0.0,
    seed: int = 0,
    progress: bool = True,
    **hyperparameters: float | ArrayLike,
) -> list[Sweep]:
    """The `sweep` from each of several starting points, all of them as one vectorized run where that can be.

    Parameters
    ----------
    starts : sequence of (x, y)
    optimizer, landscape, steps, noise, seed, progress, **hyperparameters
        As in `sweep`. Every start sees the same random numbers.
    """
    if isinstance(optimizer, Optimizer) or not callable(optimizer):
        raise TypeError(f"optimizer must be a class, such as Adam (not Adam()), got {optimizer!r}")
    steps = _checked_steps(steps)
    points = np.stack([_checked_start(start, landscape) for start in starts])
    fixed, axes = _split(hyperparameters)
    noise_level = _checked_noise(noise)
    if noise_level.ndim:
        axes["noise"] = noise_level
    grid = _Grid(optimizer, landscape, points, steps, fixed, axes, noise_level, seed)
    points = grid.vectorized()
    vectorized = points is not None
    if not vectorized:
        points = grid.one_by_one(progress)
    return [Sweep(*judged, axes, vectorized) for judged in zip(*_judge(points, landscape), strict=True)]


@dataclass(frozen=True)
class _Grid:
    """Runs from every start, the first axis, with every setting."""

    optimizer: Callable[..., Any]
    landscape: Landscape
    starts: Array
    steps: int
    fixed: dict[str, Any]
    axes: dict[str, Array]
    noise: Array
    seed: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.starts), *(values.size for values in self.axes.values()))

    def vectorized(self) -> Array | None:
        """All runs as one, of shape (*grid, steps + 1, 2); None if the class does not broadcast faithfully."""
        if getattr(self.optimizer, "__module__", "").startswith("optim_lib.optimizers"):
            return self._all_at_once() if self.optimizer.can_sweep(self.axes) else None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                points = self._all_at_once()
        except Exception:
            return None
        return points if self._agrees(points) else None

    def one_by_one(self, progress: bool) -> Array:
        points = np.empty((*self.shape, self.steps + 1, 2), dtype=self.starts.dtype)
        settings = list(np.ndindex(self.shape))
        hidden = not progress or len(settings) < 2
        for index in progress_bar(settings, desc="settings", leave=False, disable=hidden):
            points[index] = self._alone(index)
        return points

    def _all_at_once(self) -> Array:
        trailing = len(self.axes)
        spread = {
            name: values.reshape((-1,) + (1,) * (trailing - position))
            for position, (name, values) in enumerate(self.axes.items())
        }
        noise = spread.pop("noise", self.noise)
        optimizer = self._make(spread)
        if isinstance(optimizer, Optimizer):
            optimizer.sweep_axes = 1 + trailing
        start = np.broadcast_to(self.starts.reshape((-1,) + (1,) * trailing + (2,)), (*self.shape, 2))
        return _trajectory(optimizer, self.landscape, start, self.steps, noise, self.seed)

    def _alone(self, index: tuple[int, ...]) -> Array:
        start, *places = index
        setting = {name: float(values[i]) for (name, values), i in zip(self.axes.items(), places, strict=True)}
        noise = np.asarray(setting.pop("noise", self.noise))
        return _trajectory(self._make(setting), self.landscape, self.starts[start], self.steps, noise, self.seed)

    def _make(self, setting: dict[str, Any]) -> Any:
        return self.optimizer(**self.fixed, **setting)

    def _agrees(self, points: Array) -> bool:
        """Whether some settings, run alone, give what they gave together (overflow aside)."""
        settings = list(np.ndindex(self.shape))
        chosen = np.linspace(0, len(settings) - 1, min(TRIALS, len(settings))).round().astype(int)
        return all(_same_until_far(self._alone(settings[i]), points[settings[i]], self.landscape) for i in chosen)


def _trajectory(optimizer: Any, landscape: Landscape, start: Array, steps: int, noise: Array, seed: int) -> Array:
    """Every point of a run (or of a grid of runs: leading axes), of shape (..., steps + 1, 2)."""
    rng = np.random.default_rng(seed)
    # In Fortran's order: all x lie together, then all y, and what has the shape of the points is one line in memory.
    params = {"p": np.array(start, order="F")}
    record = np.empty((*start.shape, steps + 1), dtype=start.dtype, order="F")
    record = np.moveaxis(record, -1, 0)
    record[0], last = start, 0
    noisy = bool(np.any(noise))
    # Runs that overflow are found afterwards and reported by their step: a warning for each would say nothing more.
    # Arrays overflow to infinity; a rule that computes with plain Python numbers raises.
    state = None
    with np.errstate(all="ignore"), suppress(OverflowError):
        for step in range(1, steps + 1):
            gradient = landscape.gradient(params["p"])
            if noisy:
                gradient += noise * rng.standard_normal(2)
            if state:
                state.t += 1
                optimizer.step(params["p"], gradient, state)
            else:
                params = _updated(optimizer, params, gradient)
                if _needs_no_more_checks(optimizer, params, gradient):
                    state = optimizer.state["p"]
            record[step], last = params["p"], step
    record[last + 1 :] = np.nan
    return np.moveaxis(record, 0, -2)


def _needs_no_more_checks(optimizer: Any, params: dict[str, Array], gradient: Array) -> bool:
    """Whether `update`, having been called once, would do nothing but call the rule on these very arrays."""
    return (
        isinstance(optimizer, Optimizer)
        and type(optimizer).update is Optimizer.update
        and optimizer.independent
        and not (optimizer.numbers or optimizer.check_finite or any(map(np.any, optimizer._penalty_values())))
        and {gradient.dtype, *(array.dtype for array in optimizer._swept().values())} == {params["p"].dtype}
        and not np.may_share_memory(gradient, params["p"])
    )


def _updated(optimizer: Any, params: dict[str, Array], gradient: Array) -> dict[str, Array]:
    params = optimizer.update(params, {"p": gradient})
    if not isinstance(params, Mapping) or "p" not in params:
        raise TypeError(f"{type(optimizer).__name__}.update must return the dictionary of parameters, got {params!r}")
    return params


def _judge(points: Array, landscape: Landscape) -> tuple[Array, Array, NDArray[np.integer]]:
    """Points and losses with everything after a divergence blanked, and the step of each divergence (-1: none)."""
    losses = np.empty_like(points[..., 0])
    gone = np.empty_like(losses, dtype=bool)
    # A few steps at a time: what is computed on the way then stays in the cache, and in memory that is at hand.
    size = max(1, BLOCK_POINTS // (losses.size // losses.shape[-1]))
    with np.errstate(all="ignore"):
        for begin in range(0, losses.shape[-1], size):
            some = np.s_[..., begin : begin + size]
            losses[some] = loss = landscape.loss(points[*some, :])
            gone[some] = _gone(points[*some, :], landscape) | ~np.isfinite(loss)
    if not gone.any():
        return points, losses, np.full(gone.shape[:-1], -1)
    gone = np.logical_or.accumulate(gone, axis=-1)
    diverged_at = np.where(gone[..., -1], np.argmax(gone, axis=-1), -1)
    points = np.where(gone[..., None], np.nan, points)
    return points, np.where(gone, np.inf, losses), diverged_at


def _gone(points: Array, landscape: Landscape) -> NDArray[np.bool_]:
    left, right, bottom, top = landscape.window
    reach = FAR * max(right - left, top - bottom)
    near_x = np.abs(points[..., 0] - (left + right) / 2) <= reach
    near_y = np.abs(points[..., 1] - (bottom + top) / 2) <= reach
    return ~(near_x & near_y)


def _same_until_far(alone: Array, together: Array, landscape: Landscape) -> bool:
    with np.errstate(all="ignore"):
        near = ~np.logical_or.accumulate(_gone(alone, landscape))
    return np.allclose(alone[near], together[near], rtol=1e-9, atol=1e-12)


def _split(hyperparameters: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Array]]:
    fixed, axes = {}, {}
    for name, value in hyperparameters.items():
        if np.ndim(value) == 0:
            fixed[name] = value
            continue
        values = np.asarray(value)
        if values.dtype.kind not in "fiu" or values.ndim != 1 or values.size == 0:
            raise ValueError(f"{name} must be a number or a one-dimensional array of numbers, got {value!r}")
        axes[name] = values.astype(np.float64)
    return fixed, axes


def _checked_start(start: ArrayLike | None, landscape: Landscape) -> Array:
    if not all(hasattr(landscape, part) for part in ("loss", "gradient", "window", "starts")):
        raise TypeError(
            "landscape must be one of optim_lib.landscapes, such as rosenbrock, or landscapes.from_function(loss) of a "
            f"loss(x, y) of your own, got {landscape!r}"
        )
    if start is None and not len(landscape.starts):
        raise ValueError(f"start must be given: {landscape.name!r} lists no starts")
    point = np.asarray(landscape.starts[0] if start is None else start)
    if point.dtype.kind not in "fiu" or point.shape != (2,) or not np.all(np.isfinite(point)):
        raise ValueError(f"start must be one point (x, y) of two finite numbers, got {start!r}")
    return point if point.dtype.kind == "f" else point.astype(np.float64)


def _checked_steps(steps: int) -> int:
    if not isinstance(steps, int | np.integer) or steps < 1:
        raise ValueError(f"steps must be a whole number of at least 1, got {steps!r}")
    return int(steps)


def _checked_noise(noise: float | ArrayLike) -> Array:
    level = np.asarray(noise, dtype=np.float64)
    if level.ndim > 1 or level.size == 0 or not np.all((level >= 0) & np.isfinite(level)):
        raise ValueError(
            f"noise must be a standard deviation of at least 0 (or a one-dimensional array), got {noise!r}"
        )
    return level


__all__: Sequence[str] = ["Run", "Sweep", "descend", "sweep"]
