"""Chapter 10, advanced optimizers: large batches, layers on scales of their own, and what a matrix knows.

Networks are trained side by side, with two leading axes: settings and seeds. All steps are taken by optimizers of
`optim_lib.optimizers`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib.data import digits, minibatches
from optim_lib.explorer import Bars, Plane, arrow, outline
from optim_lib.measure import sharpness
from optim_lib.networks import MLP, Params
from optim_lib.norms import NORMS, steepest
from optim_lib.optimizers import (
    LAMB,
    LARS,
    SGD,
    SOAP,
    Adafactor,
    Adam,
    Lion,
    MomentumSGD,
    Muon,
    NAdam,
    NesterovMomentum,
    Optimizer,
    ParameterGroups,
    Prodigy,
    ScheduleFreeAdamW,
    ScheduleFreeSGD,
    Shampoo,
    UncorrectedAdam,
)
from optim_lib.optimizers.matrix import QUINTIC
from optim_lib.schedules import cosine_annealing, warmup_cosine

Array = NDArray[np.floating]

DATA = digits()
NETWORK = MLP((64, 32, 10))
# For contests: single precision is enough to train in, and takes half the time.
SHALLOW, DEEP = (MLP(sizes, dtype=np.float32) for sizes in ((64, 32, 10), (64, 32, 32, 32, 10)))
TUNING_SEEDS, REPORT_SEEDS = (100, 101, 102), (0, 1, 2, 3, 4)


# Training side by side ----------------------------------------------------------------------------------


def initial(network: MLP, settings: int, seeds: Sequence[int]) -> Params:
    """Fresh networks of shape (settings, seeds, ...)."""
    each = [network.initialize(seed) for seed in seeds]
    return {name: np.repeat(np.stack([one[name] for one in each])[None], settings, axis=0) for name in each[0]}


def train_stack(
    network: MLP,
    optimizer: Optimizer,
    steps: int,
    seeds: Sequence[int],
    batch_size: int | None = None,
    *,
    schedule: str = "cosine",
    sharp_at: float | None = None,
) -> tuple[Params, list[float]]:
    """Train networks for every rate of an optimizer, of shape (settings, 1, 1, 1), and every seed.

    The schedule "cosine" raises the rate over the first tenth of the steps and takes it down along a cosine,
    "warm-up" only raises it, "constant" does neither. With `sharp_at` there is one setting: also return the sharpness
    of each network when its training loss is first under that value, looked at every time that about 128 examples have
    been seen.
    """
    optimizer.sweep_axes = 2
    rates, x, y = optimizer.learning_rate, DATA.train.x.astype(network.dtype), DATA.train.y
    params, generators = initial(network, rates.shape[0], seeds), [np.random.default_rng([10, seed]) for seed in seeds]
    found, step, every = {}, 0, max(1, 128 // (batch_size or len(x)))
    with np.errstate(all="ignore"):  # rates that are too large overflow
        while step < steps:
            for batch in _batches(len(x), batch_size, generators):
                if schedule != "constant":
                    optimizer.learning_rate = rates * _share(schedule, step, steps)
                inputs, targets = (x, y) if batch is None else (x[batch], y[batch])
                optimizer.update(params, network.loss_and_gradients(params, inputs, targets)[1])
                step += 1
                if sharp_at is not None and step % every == 0:
                    for k in np.flatnonzero(network.loss(params, x, y)[0] < sharp_at):
                        if k not in found:
                            found[k] = sharpness(network.on(x, y), {n: a[0, k] for n, a in params.items()}, 1e-3)
                if step == steps or (sharp_at is not None and len(found) == len(seeds)):
                    return optimizer.eval_params(params), [found.get(k, np.nan) for k in range(len(seeds))]
    raise AssertionError("unreachable: the loop returns at its last step")


def _share(schedule: str, step: int, steps: int) -> float:
    """The factor on the rate at a step, counted from 0."""
    warm = max(1, steps // 10)
    if schedule == "warm-up":
        return min(1.0, (step + 1) / warm)
    return float(warmup_cosine(1.0, step + 1, steps + 1, warmup_epochs=warm))


def _batches(n: int, batch_size: int | None, generators: Sequence[np.random.Generator]) -> Any:
    """One epoch: for each step the examples of every seed, of shape (seeds, batch_size); None if all are taken."""
    if batch_size is None:
        return [None]
    return map(np.stack, zip(*(minibatches(n, batch_size, rng, drop_last=True) for rng in generators), strict=True))


@dataclass(frozen=True)
class Entrant:
    """An optimizer in a contest: the range of its rates, the name of its memory if that is tried too, and the rest.

    All get the schedule of `train_stack` called "cosine", but for one that is made to go without.
    """

    optimizer: Callable[..., Optimizer]
    lowest: float
    highest: float
    memory: str | None = None
    fixed: Mapping[str, float] = field(default_factory=dict)
    schedule: str = "cosine"

    def settings(self, trials: int, memories: Sequence[float]) -> dict[str, Array]:
        """A grid of `trials` rates and, where there is one, of the memory's values."""
        rates = np.geomspace(self.lowest, self.highest, trials)
        if self.memory is None:
            memories = [0.0]
        grid = {"learning_rate": np.repeat(rates, len(memories)), self.memory: np.tile(memories, trials)}
        fixed = {name: np.full(trials * len(memories), value) for name, value in self.fixed.items()}
        return {name: values for name, values in (grid | fixed).items() if name is not None}


@dataclass(frozen=True)
class Result:
    """An optimizer at the rate that has the lowest validation loss on the tuning seeds; its results on others.

    Attributes
    ----------
    label : str
    rate : float
    memory : float or None
        The coefficient of its memory, if that was tried too.
    at_edge : bool
        Whether that rate is the first or the last that was tried.
    train_loss, test_loss, test_accuracy : ndarray of shape (seeds,)
    """

    label: str
    rate: float
    memory: float | None
    at_edge: bool
    train_loss: Array = field(repr=False)
    test_loss: Array = field(repr=False)
    test_accuracy: Array = field(repr=False)

    def row(self, **more: object) -> dict[str, object]:
        """Medians, and the lowest and the highest test loss, as a row of a table."""
        memory = {} if self.memory is None else {"memory": f"{self.memory:g}"}
        low, high = self.test_loss.min(), self.test_loss.max()
        return {
            "optimizer": self.label,
            **more,
            "rate": f"{self.rate:.2g}" + (" (edge)" if self.at_edge else ""),
            **memory,
            "training loss": f"{np.median(self.train_loss):.3f}",
            "test loss": f"{np.median(self.test_loss):.3f} ({low:.3f} to {high:.3f})",
            "accuracy": f"{np.median(self.test_accuracy):.3f}",
        }


def tuned(
    label: str,
    entrant: Entrant,
    steps: int,
    batch_size: int | None = None,
    *,
    network: MLP = SHALLOW,
    memories: Sequence[float] = (0.9,),
    trials: int = 7,
    tuning_seeds: Sequence[int] = TUNING_SEEDS,
    report_seeds: Sequence[int] = REPORT_SEEDS,
) -> Result:
    """Try `trials` rates, each with every memory, on the tuning seeds, and report the best on the others."""
    settings = entrant.settings(trials, memories)
    swept = entrant.optimizer(**{name: values.reshape(-1, 1, 1, 1) for name, values in settings.items()})
    params, _ = train_stack(network, swept, steps, tuning_seeds, batch_size, schedule=entrant.schedule)
    with np.errstate(all="ignore"):
        losses = np.nan_to_num(network.loss(params, *DATA.validation), nan=np.inf).mean(axis=1)
    best = int(np.argmin(losses))
    chosen = entrant.optimizer(**{name: values[[best]].reshape(-1, 1, 1, 1) for name, values in settings.items()})
    params, _ = train_stack(network, chosen, steps, report_seeds, batch_size, schedule=entrant.schedule)
    rate = float(settings["learning_rate"][best])
    return Result(
        label,
        rate,
        float(settings[entrant.memory][best]) if entrant.memory else None,
        rate in (entrant.lowest, settings["learning_rate"][-1]) or _last(memories, settings, entrant, best),
        np.asarray(network.loss(params, *DATA.train)[0], dtype=float),
        np.asarray(network.loss(params, *DATA.test)[0], dtype=float),
        network.accuracy(params, *DATA.test)[0],
    )


def _last(memories: Sequence[float], settings: Mapping[str, Array], entrant: Entrant, best: int) -> bool:
    """Whether the longest memory that was tried is the best; the shortest, 0, is the end of what there is."""
    return len(memories) > 1 and entrant.memory is not None and bool(settings[entrant.memory][best] == memories[-1])


# Large batches ------------------------------------------------------------------------------------------


def compare_batch_sizes(
    batch_sizes: Sequence[int | None], *, epochs: int = 6, steps: int = 60
) -> dict[str, list[dict[str, object]]]:
    """Momentum at each batch size: once for the same number of epochs, once for the same number of steps."""
    n = len(DATA.train.x)
    entrant = Entrant(MomentumSGD, 0.01, 10.0)
    rows: dict[str, list[dict[str, object]]] = {f"{epochs} epochs": [], f"{steps} steps": []}
    for size in batch_sizes:
        for name, count in ((f"{epochs} epochs", epochs * (n // (size or n))), (f"{steps} steps", steps)):
            result = tuned("momentum", entrant, count, size)
            row = {"batch size": str(size or "all"), "steps": count, "epochs": round(count * (size or n) / n, 1)}
            rows[name].append(row | {key: value for key, value in result.row().items() if key != "optimizer"})
    return rows


def sharpness_by_batch(
    batch_sizes: Sequence[int | None],
    rates: Sequence[float],
    loss: float = 0.05,
    most: int = 600,
    seeds: Sequence[int] = REPORT_SEEDS,
) -> dict[float, dict[str, Array]]:
    """For each rate: the sharpness, seed by seed, when the training loss is first under `loss`; no schedule."""
    found: dict[float, dict[str, Array]] = {}
    for rate in rates:
        found[rate] = {}
        for size in batch_sizes:
            optimizer = MomentumSGD(learning_rate=np.full((1, 1, 1, 1), rate))
            values = train_stack(NETWORK, optimizer, most, seeds, size, schedule="constant", sharp_at=loss)[1]
            found[rate][f"batch {size}" if size else "all 1079"] = np.array(values)
    return found


LAYERWISE = {
    "momentum": Entrant(MomentumSGD, 0.03, 10.0, "momentum"),
    "Nesterov": Entrant(NesterovMomentum, 0.03, 10.0, "momentum"),
    "Adam": Entrant(Adam, 3e-3, 1.0, "beta1"),
    "LARS": Entrant(LARS, 3e-3, 1.0, "momentum", {"trust_coefficient": 1.0, "weight_decay": 0.0}),
    "LAMB": Entrant(LAMB, 3e-3, 1.0, "beta1", {"weight_decay": 0.0}),
}
THOROUGH: dict[str, Any] = {
    "trials": 8, "memories": (0.0, 0.3, 0.6, 0.8, 0.9, 0.95), "tuning_seeds": (100, 101), "report_seeds": range(12),
}  # fmt: skip


def hidden_muon(learning_rate: Array) -> ParameterGroups:
    """Muon as its authors use it: for the hidden matrices of `DEEP`; all else is left to Adam.

    Adam's rate is 0.3 of Muon's: of 0.03, 0.1, 0.2, 0.3, 0.5, 1 and 2, with ten rates each, the share of the lowest
    validation loss on seeds 200 to 207, which report nothing. From 0.2 to 1 the loss differs by less than a tenth. (The
    authors' 0.015 is that of a language model.)
    """
    muon = Muon(learning_rate, output_axis=-1)
    rest = Adam(0.3 * learning_rate)
    muon.sweep_axes = rest.sweep_axes = 2
    return ParameterGroups({lambda name, _: name in ("W2", "W3"): muon, "*": rest})


MODERN = {
    "Nesterov": Entrant(NesterovMomentum, 0.01, 3.0),
    "Adam": Entrant(Adam, 1e-3, 0.3),
    "NAdam": Entrant(NAdam, 1e-3, 0.3),
    "Adafactor": Entrant(Adafactor, 0.01, 3.0),
    "Lion": Entrant(Lion, 3e-4, 0.1),
    "Shampoo": Entrant(Shampoo, 0.03, 10.0),
    "SOAP": Entrant(SOAP, 1e-3, 0.3, None, {"weight_decay": 0.0}),
    # The weights of the course's networks are of shape (inputs, outputs).
    "Muon": Entrant(partial(Muon, output_axis=-1), 3e-3, 1.0),
    "Muon, hidden": Entrant(hidden_muon, 3e-3, 1.0),
    "Schedule-Free": Entrant(ScheduleFreeAdamW, 3e-3, 1.0, schedule="warm-up"),
    "Prodigy": Entrant(Prodigy, 0.03, 10.0),
}


def contest(entrants: Mapping[str, Entrant], steps: int, batch_size: int | None = None, **options: Any) -> list[Result]:
    """Every optimizer at the best of its settings, as `tuned` finds it."""
    return [tuned(label, entrant, steps, batch_size, **options) for label, entrant in entrants.items()]


# Layers on scales of their own ----------------------------------------------------------------------------


def layer_norms(network: MLP, params: Params) -> list[dict[str, object]]:
    """The norm of each layer's weights, of their gradient over all training examples, and the ratio of the two."""
    grads = network.loss_and_gradients(params, *DATA.train)[1]
    rows = []
    for name in params:
        if name.startswith("W"):
            weights, gradient = np.linalg.norm(params[name]), np.linalg.norm(grads[name])
            rows.append({"layer": name, "weights": weights, "gradient": gradient, "ratio": weights / gradient})
    return rows


# LAMB's correction ----------------------------------------------------------------------------------------


def correction_left(weight_decay: float, steps: Sequence[int], *, seed: int = 0) -> list[float]:
    """How much of a LAMB step depends on Adam's bias correction: the difference, relative to the step, at some steps.

    Adam's direction with and without its correction, each with the decay added and then scaled to one length.
    """
    rng = np.random.default_rng(seed)
    theta, pair = rng.standard_normal((8, 5)), (Adam(1.0, epsilon=0.0), UncorrectedAdam(1.0, epsilon=0.0))
    found = []
    for step in range(1, max(steps) + 1):
        grad, directions = 0.5 + rng.standard_normal((8, 5)), []
        for optimizer in pair:
            direction = -optimizer.update({"theta": np.zeros((8, 5))}, {"theta": grad})["theta"] + weight_decay * theta
            directions.append(direction / np.linalg.norm(direction))
        if step in steps:
            found.append(float(np.linalg.norm(directions[0] - directions[1])))
    return found


# Norms ------------------------------------------------------------------------------------------------------

# Matrices [[a, b], [b, a]]: a plane in which all three balls look different.
MATRIX_BALLS = {
    "Over all entries: normalized SGD": ("normalized SGD", "euclidean"),
    "By the largest entry: sign, Lion, Adam": ("the sign", "largest entry"),
    "By the largest singular value: Muon": ("Muon", "spectral"),
}
LAYERS = (1.2, 0.5)


def norm_balls(angles: ArrayLike) -> tuple[dict[str, Plane], dict[str, Array]]:
    """For `explore_scenes`: four unit balls, a gradient that turns, the step each ball selects, and what it gains.

    Three panels show the matrices [[a, b], [b, a]] by (a, b); the last two layers of one weight each, with a ball as
    wide in each direction as that layer's weight.
    """
    turn = np.radians(np.asarray(angles, dtype=float))
    gradients = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    around = np.radians(np.arange(0, 361, 3))
    rays = np.stack([np.cos(around), np.sin(around)], axis=-1)
    planes, gains = {}, {}
    for title, (name, norm) in MATRIX_BALLS.items():
        steps = np.array([steepest(_circulant(g.round(9)), norm)[0] for g in gradients])
        corners = np.array([ray / NORMS[norm].size(_circulant(ray)) for ray in rays])
        planes[title] = _ball_plane(corners, gradients, steps, "a, both on the diagonal", "b, both off it")
        gains[name] = -2 * np.sum(gradients * steps, axis=-1)
    steps = -np.sign(gradients.round(9)) * LAYERS
    corners = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1), (1, 1)]) * LAYERS
    planes["Layer by layer: LARS, LAMB"] = _ball_plane(corners, gradients, steps, "step of layer 1", "step of layer 2")
    return planes, gains


def _circulant(point: Array) -> Array:
    a, b = point
    return np.array([[a, b], [b, a]])


def _ball_plane(ball: Array, gradients: Array, steps: Array, xlabel: str, ylabel: str) -> Plane:
    across = np.stack([-gradients[:, 1], gradients[:, 0]], axis=-1)
    level = steps[:, None] + across[:, None] * np.array([-4.0, 4.0])[:, None]
    return Plane(
        [
            outline("ball", ball[None]),
            outline("equal loss", level),
            arrow("against the gradient", -gradients),
            arrow("step", steps),
        ],
        window=(-1.45, 1.45, -1.25, 1.25),
        xlabel=xlabel,
        ylabel=ylabel,
    )


def turned_circles(second: ArrayLike, angles: ArrayLike) -> tuple[dict[str, Plane | Bars], dict[str, Array]]:
    """For `explore_scenes`: what g, sign(g) and U V^T make of the unit circle, and their singular values.

    The gradient has singular values 1 and `second`; `angles`, in degrees, turn its left singular vectors. Its right
    ones are turned by 20 degrees.
    """
    second, angles = np.atleast_1d(second), np.atleast_1d(angles)
    around = np.radians(np.arange(0, 361, 4))
    circle = np.stack([np.cos(around), np.sin(around)])
    shapes: dict[str, list[Array]] = {"g": [], "sign g": [], "UVᵀ": []}
    values: dict[str, list[Array]] = {label: [] for label in shapes}
    for s in second:
        for angle in angles:
            g = (_rotation(angle) @ np.diag([1.0, s]) @ _rotation(20.0).T).round(9)
            for label, matrix in zip(shapes, (g, np.sign(g), -steepest(g, "spectral")), strict=True):
                shapes[label].append((matrix @ circle).T)
                values[label].append(np.linalg.svd(matrix, compute_uv=False))
    grid = (len(second), len(angles))
    plane = Plane(
        [outline(label, np.reshape(points, (*grid, -1, 2))) for label, points in shapes.items()],
        window=(-2.1, 2.1, -2.05, 2.05),
    )
    sizes = {label: np.reshape(found, (*grid, 2)) for label, found in values.items()}
    ratios = {label: (found[..., 1] / found[..., 0]).round(9) for label, found in sizes.items()}
    bars = Bars(sizes, ["the larger", "the smaller"])
    return {"What the step makes of a circle": plane, "Singular values": bars}, ratios


def _rotation(degrees: float) -> Array:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s], [s, c]])


# Matrices ---------------------------------------------------------------------------------------------------


def orbits(starts: ArrayLike, coefficients: tuple[float, float, float], steps: int) -> Array:
    r"""What :math:`\sigma \mapsto a\sigma + b\sigma^3 + c\sigma^5` makes of numbers: shape (*starts, steps + 1)."""
    a, b, c = coefficients
    path = [np.asarray(starts, dtype=float)]
    for _ in range(steps):
        s = path[-1]
        path.append(a * s + b * s**3 + c * s**5)
    return np.stack(path, axis=-1)


def after_iterations(singular_values: ArrayLike, most: int) -> dict[str, Array]:
    """What 0 to `most` iterations make of singular values, of shape (most + 1, values), for both polynomials."""
    polynomials = {"Muon's quintic": QUINTIC, "the classical cubic": (1.5, -0.5, 0.0)}
    return {name: orbits(singular_values, p, most).T for name, p in polynomials.items()}


def step_spectra(optimizers: Mapping[str, Optimizer], *, steps: int = 30, seed: int = 0) -> dict[str, Array]:
    """The singular values of one step's change of the digit network's first layer, the largest scaled to 1.

    All optimizers see the same gradients: those that momentum meets in `steps` steps with mini-batches of 32.
    """
    params, leader = NETWORK.initialize(seed), MomentumSGD(0.05)
    sequence = []
    x, y = DATA.train
    for _, batch in zip(range(steps), minibatches(len(x), 32, seed), strict=False):
        sequence.append(NETWORK.loss_and_gradients(params, x[batch], y[batch])[1])
        leader.update(params, sequence[-1])
    spectra = {}
    for label, optimizer in optimizers.items():
        theta = NETWORK.initialize(seed)
        for grads in sequence:
            before = theta["W1"].copy()
            optimizer.update(theta, grads)
        values = np.linalg.svd(theta["W1"] - before, compute_uv=False)
        spectra[label] = values / values[0]
    return spectra


def second_moments(*, steps: int = 100, seed: int = 0) -> tuple[Array, Array]:
    """Of every weight of the first layer: the mean of its squared gradients, and what row and column means make of it.

    The product of a row mean and a column mean, over the mean of all: Adafactor's reconstruction. Pixels that are
    blank in all digits, whose gradients are zero, are left out.
    """
    params, optimizer = NETWORK.initialize(seed), Adam(0.003)
    x, y = DATA.train
    rng, squares, count = np.random.default_rng(seed), np.zeros_like(params["W1"]), 0
    while count < steps:
        for batch in minibatches(len(x), 32, rng):
            grads = NETWORK.loss_and_gradients(params, x[batch], y[batch])[1]
            squares, count = squares + grads["W1"] ** 2, count + 1
            optimizer.update(params, grads)
    mean = squares / count
    mean = mean[mean.sum(axis=1) > 0]
    factored = mean.mean(axis=1, keepdims=True) * mean.mean(axis=0, keepdims=True) / mean.mean()
    return mean.ravel(), factored.ravel()


# Averages in place of schedules -------------------------------------------------------------------------------


def averaged_runs(
    rates: ArrayLike, planned: Sequence[int], *, steps: int = 400, runs: int = 200, noise: float = 1.0, seed: int = 0
) -> dict[str, Array]:
    """SGD, SGD with a cosine planned for some number of steps, and Schedule-Free SGD on a noisy bowl.

    The mean loss over many runs, of shape (rates, planned, steps + 1), 1 where a curve does not depend on the plan. A
    cosine that has come to its end stays there, at the rate zero.
    """
    rates = np.asarray(rates, dtype=float)[:, None, None]

    def run(optimizer: Optimizer, plan: int | None = None) -> Array:
        return _mean_losses(optimizer, rates, plan, steps, runs, noise, np.random.default_rng(seed))

    return {
        "SGD": run(SGD(learning_rate=rates))[:, None],
        "SGD, cosine": np.stack([run(SGD(learning_rate=rates), plan) for plan in planned], axis=1),
        "Schedule-Free": run(ScheduleFreeSGD(learning_rate=rates))[:, None],
    }


def _mean_losses(
    optimizer: Optimizer,
    rates: Array,
    plan: int | None,
    steps: int,
    runs: int,
    noise: float,
    rng: np.random.Generator,
) -> Array:
    optimizer.sweep_axes = 1
    curvatures, params, curve = np.array([1.0, 0.1]), {"p": np.full((len(rates), runs, 2), 3.0)}, []
    with np.errstate(all="ignore"):
        for step in range(steps + 1):
            here = optimizer.eval_params(params)["p"]
            loss = 0.5 * (curvatures * here**2).sum(axis=-1).mean(axis=-1)
            curve.append(np.where(loss < 1e6, loss, np.inf))
            if plan is not None:
                optimizer.learning_rate = cosine_annealing(1.0, min(step, plan), plan) * rates
            optimizer.update(params, {"p": curvatures * params["p"] + noise * rng.standard_normal((runs, 2))})
    return np.stack(curve, axis=-1)


def prodigy_estimates(distances: Sequence[float], steps: int = 300) -> dict[str, Array]:
    """The distance that Prodigy believes in, step by step, over the true one; for minima at some distances."""
    curves = {}
    for distance in distances:
        target = distance * np.array([0.6, 0.8])
        prodigy, params, found = Prodigy(), {"w": np.zeros(2)}, []
        for _ in range(steps):
            prodigy.update(params, {"w": np.array([1.0, 4.0]) * (params["w"] - target)})
            found.append(float(prodigy.state["w"].d.ravel()[0]) / distance)
        curves[f"{distance:g} away"] = np.array(found)
    return curves
