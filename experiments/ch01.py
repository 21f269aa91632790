r"""Chapter 1, introduction: what the loss of a small network looks like, and what kinds of critical points it has.

Two networks read the digits. `NETWORK` sees all 64 pixels. `SmallReader` has a few dozen parameters, so that its
critical points can be found with Newton's method and its whole Hessian is cheap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib.data import digits
from optim_lib.descent import descend
from optim_lib.explorer.table import Table
from optim_lib.landscapes import Landscape, Point
from optim_lib.measure import hessian, loss_slice, random_direction
from optim_lib.networks import MLP, Objective, Params
from optim_lib.optimizers import SGD, Adam, MomentumSGD, Optimizer
from optim_lib.training import train

Array = NDArray[np.float64]

DATA = digits()
NETWORK = MLP((64, 16, 10))


# Why it matters --------------------------------------------------------------------------------------


def accuracies(
    optimizers: Mapping[str, Optimizer], *, epochs: int = 3, seeds: Sequence[int] = range(5)
) -> dict[str, Array]:
    """Validation accuracy of the same network after the same batches, for each optimizer and seed."""
    found: dict[str, Array] = {}
    for label, optimizer in optimizers.items():
        runs = [train(NETWORK, deepcopy(optimizer), DATA, epochs=epochs, seed=seed, progress=False) for seed in seeds]
        found[label] = np.array([run.validation_accuracies[-1] for run in runs])
    return found


def random_accuracies(tries: int, seed: int = 0, block: int = 100) -> Array:
    """Validation accuracy of `tries` networks that were drawn like the start of a training run, and never trained."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(0, tries, block):
        drawn = [NETWORK.initialize(rng) for _ in range(block)]
        found.append(NETWORK.accuracy(_stacked(drawn), *DATA.validation))
    return np.concatenate(found)[:tries]


def trained(epochs: int = 8, seed: int = 0) -> Params:
    """The parameters of `NETWORK` after training with Adam."""
    return train(NETWORK, Adam(learning_rate=0.01), DATA, epochs=epochs, seed=seed, progress=False).params


# A plane through two trained networks ----------------------------------------------------------------


@cache
def two_valleys(radius: float = 2.5, resolution: int = 41) -> Landscape:
    r"""The digits' loss over the plane through two trained networks and the start of the first.

    The networks, trained from different random starts, are at (-1, 0) and (1, 0). The second axis is perpendicular to
    the first and leads to the start; a unit is equally long along both.
    """
    first, second, start = trained(seed=0), trained(seed=1), NETWORK.initialize(0)
    middle = {name: 0.5 * (first[name] + second[name]) for name in first}
    across = {name: 0.5 * (second[name] - first[name]) for name in first}
    away = {name: start[name] - middle[name] for name in first}
    length = _inner(across, across)
    start_x = _inner(away, across) / length
    upward = {name: away[name] - start_x * across[name] for name in first}
    start_y = np.sqrt(_inner(upward, upward) / length)
    upward = {name: part / start_y for name, part in upward.items()}
    plane = loss_slice(NETWORK.on(*DATA.train), middle, (across, upward), radius=radius, resolution=resolution)
    surface = plane.landscape("a plane through two trained networks")
    valleys = [_settle(surface, (side, 0.0)) for side in (-1.0, 1.0)]
    return replace(
        surface,
        minima=tuple(sorted(valleys, key=lambda p: float(surface.loss(p)))),
        starts=((float(start_x), float(start_y)),),
    )


def _settle(surface: Landscape, p: Point) -> Point:
    x, y = descend(SGD(learning_rate=0.1), surface, p, steps=2000).points[-1]
    return float(x), float(y)


# Three kinds of critical point -----------------------------------------------------------------------


def quadric(a: float, b: float) -> Landscape:
    r"""The surface :math:`\tfrac12 (a x^2 + b y^2)`, whose curvatures may have any sign."""
    return Landscape(
        name=f"curvatures {a:g} and {b:g}",
        formula=rf"\tfrac12 ({a:g} x^2 + {b:g} y^2)",
        value=lambda x, y: 0.5 * (a * x * x + b * y * y),
        slope=lambda x, y: (a * x, b * y),
        minima=((0.0, 0.0),) if min(a, b) > 0 else (),
        window=(-1.5, 1.5, -1.2, 1.2),
        starts=((-1.0, 0.8),),
    )


def flat_share(landscape: Landscape, slope: float, resolution: int = 801) -> float:
    """The share of the landscape's window in which the gradient is shorter than `slope`."""
    left, right, bottom, top = landscape.window
    grid = np.stack(np.meshgrid(np.linspace(left, right, resolution), np.linspace(bottom, top, resolution)), axis=-1)
    return float(np.mean(np.linalg.norm(landscape.gradient(grid), axis=-1) < slope))


# A network small enough to know completely --------------------------------------------------------------


@dataclass(frozen=True)
class SmallReader:
    r"""A network that tells the digits 0 to 4 apart from six numbers, as a loss over one flat vector.

    The six numbers are the first principal components of the pixels. The loss is the cross-entropy on 100 examples plus
    :math:`\tfrac\lambda2 \lVert\theta\rVert^2`, without which the lowest losses are reached only at infinity.

    Parameters
    ----------
    width : int, default 4
        Of the hidden layer.
    penalty : float, default 0.003
        :math:`\lambda`.
    """

    width: int = 4
    penalty: float = 0.003

    @cached_property
    def objective(self) -> Objective:
        pixels, labels = DATA.train
        components = np.linalg.svd(pixels, full_matrices=False)[2][:6]
        inputs = (pixels @ components.T)[labels < 5][:100]
        return MLP((6, self.width, 5)).on(inputs / inputs.std(), labels[labels < 5][:100])

    @property
    def parameters(self) -> int:
        return len(self.start(0))

    def start(self, seed: int) -> Array:
        return _flat(self.objective.network.initialize(seed))

    def loss(self, theta: Array) -> float:
        return float(self.objective.loss(self._params(theta)) + 0.5 * self.penalty * theta @ theta)

    def gradient(self, theta: Array) -> Array:
        return _flat(self.objective.gradients(self._params(theta))) + self.penalty * theta

    def hessian(self, theta: Array) -> Array:
        return hessian(self.objective, self._params(theta)) + self.penalty * np.eye(len(theta))

    def _params(self, theta: Array) -> Params:
        params, used = {}, 0
        for name, like in self._shapes.items():
            size = int(np.prod(like))
            params[name] = theta[used : used + size].reshape(like)
            used += size
        return params

    @cached_property
    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: array.shape for name, array in self.objective.network.initialize(0).items()}


@dataclass(frozen=True)
class CriticalPoint:
    """A place where the gradient vanishes.

    Attributes
    ----------
    theta : ndarray
    loss : float
    eigenvalues : ndarray
        Of the Hessian, in ascending order.
    """

    theta: Array
    loss: float
    eigenvalues: Array

    @property
    def down(self) -> float:
        """The share of the Hessian's eigenvectors along which the loss curves down."""
        return float(np.mean(self.eigenvalues < 0))


def critical_points(
    problem: SmallReader,
    *,
    seeds: Sequence[int] = range(7),
    steps_before: Sequence[int] = (0, 5, 10, 15, 20, 30, 50, 100),
) -> tuple[list[CriticalPoint], int]:
    """Different critical points that Newton's method finds, lowest first, and how often it was started.

    It is started along runs of gradient descent: it walks to a place without slope, be it a minimum or not.
    """
    found: dict[float, CriticalPoint] = {}
    for seed in seeds:
        theta, done, optimizer = {"theta": problem.start(seed)}, 0, SGD(learning_rate=0.5)
        for count in steps_before:
            for _ in range(count - done):
                optimizer.update(theta, {"theta": problem.gradient(theta["theta"])})
            done = count
            point = newton(problem, theta["theta"])
            if point is not None:
                found.setdefault(round(point.loss, 8), point)
    return [found[loss] for loss in sorted(found)], len(seeds) * len(steps_before)


def newton(
    problem: SmallReader, theta: Array, *, downhill: bool = False, longest: float = 1.0, iterations: int = 60
) -> CriticalPoint | None:
    """The critical point that Newton's method arrives at, or None if the gradient is still longer than 1e-9.

    Newton's step along an eigenvector is the slope over the curvature, so it walks *up* where the curvature is
    negative. With `downhill` it goes down there instead, as far as it would have gone up (Dauphin et al. 2014).
    """
    for _ in range(iterations):
        gradient = problem.gradient(theta)
        eigenvalues, directions = np.linalg.eigh(problem.hessian(theta))
        if np.linalg.norm(gradient) < 1e-9:
            return CriticalPoint(theta, problem.loss(theta), eigenvalues)
        step = -directions @ (directions.T @ gradient / (np.abs(eigenvalues) if downhill else eigenvalues))
        theta = theta + step * min(1.0, longest / np.linalg.norm(step))
    return None


def trained_from(problem: SmallReader, seeds: Sequence[int] = range(20), steps: int = 2000) -> Array:
    """Where momentum on all the examples ends from each random start: parameters, of shape (seeds, parameters)."""
    network, x, y = problem.objective.network, problem.objective.x, problem.objective.y
    params, optimizer = _stacked([network.initialize(seed) for seed in seeds]), MomentumSGD(0.3, momentum=0.9)
    for _ in range(steps):
        gradients = network.loss_and_gradients(params, x, y)[1]
        optimizer.update(params, {name: g + problem.penalty * params[name] for name, g in gradients.items()})
    return np.concatenate([array.reshape(len(seeds), -1) for array in params.values()], axis=1)


def ends_by_width(widths: Sequence[int], seeds: Sequence[int] = range(20)) -> list[dict[str, float]]:
    """How far apart the final losses of networks from different starts are, one row for each width."""
    rows = []
    for width in widths:
        problem = SmallReader(width)
        losses = np.array([problem.loss(theta) for theta in trained_from(problem, seeds)])
        rows.append(
            {
                "width": width,
                "parameters": problem.parameters,
                "best": losses.min(),
                "median": np.median(losses),
                "worst": losses.max(),
                "worst over best": losses.max() / losses.min(),
            }
        )
    return rows


# The curvature of a larger network, and what slices see of it ------------------------------------------


def spectra(
    epochs: Sequence[int] = (0, 1, 15), seeds: Sequence[int] = range(3)
) -> dict[int, list[tuple[float, Array]]]:
    """The training loss and the whole Hessian of a network 64-8-10 after each number of epochs, for each seed."""
    network = MLP((64, 8, 10))
    objective = network.on(DATA.train.x[:500], DATA.train.y[:500])
    result: dict[int, list[tuple[float, Array]]] = {epoch: [] for epoch in epochs}
    for seed in seeds:
        for epoch in epochs:
            params = network.initialize(seed)
            if epoch:
                params = train(network, Adam(learning_rate=0.01), DATA, epochs=epoch, seed=seed, progress=False).params
            result[epoch].append((float(objective.loss(params)), hessian(objective, params)))
    return result


def planes_that_show_a_way_down(matrix: Array, planes: int = 500, seed: int = 0) -> float:
    """The share of random planes in which a Hessian has a direction of negative curvature."""
    directions = np.random.default_rng(seed).standard_normal((planes, 2, len(matrix)))
    in_plane = directions @ matrix @ np.swapaxes(directions, 1, 2)
    return float(np.mean(np.linalg.eigvalsh(in_plane)[:, 0] < 0))


def relu_twins(factor: float = 10.0) -> tuple[MLP, Params, Params]:
    """A trained ReLU network, and the same function with its layers scaled up and down by a factor."""
    network = MLP((64, 16, 10), "relu")
    params = train(network, Adam(learning_rate=0.01), DATA, epochs=5, seed=0, progress=False).params
    scales = {"W1": factor, "b1": factor, "W2": 1 / factor, "b2": 1.0}
    return network, params, {name: scales[name] * array for name, array in params.items()}


def profile(network: MLP, params: Params, ts: ArrayLike, *, normalize: bool, seed: int = 0) -> Array:
    """The training loss along one random direction, at distances `ts`."""
    direction = random_direction(params, seed, normalize)
    t = np.asarray(ts, dtype=float)[:, None, None]
    return network.loss({name: array + t * direction[name] for name, array in params.items()}, *DATA.train)


# For the quests ------------------------------------------------------------------------------------------


def thrown_out(table: Table) -> NDArray[np.bool_]:
    """Where a run that has been in the pit (loss under 0.5) ends on the plateau (loss over 0.9)."""
    gaps = table.gaps(table.series[0])
    return (gaps.min(axis=-1) < 0.5) & (gaps[..., -1] > 0.9)


# Parts -----------------------------------------------------------------------------------------------


def _stacked(params: Sequence[Params]) -> Params:
    return {name: np.stack([p[name] for p in params]) for name in params[0]}


def _flat(params: Params) -> Array:
    return np.concatenate([array.ravel() for array in params.values()])


def _inner(a: Params, b: Params) -> float:
    return sum(float(np.vdot(a[name], b[name])) for name in a)
