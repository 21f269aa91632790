"""Chapter 8, Adam: what its ratio measures, what bias correction is worth, and what a turned ravine costs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib.data import digits, minibatches
from optim_lib.descent import sweep
from optim_lib.landscapes import quadratic
from optim_lib.measure import sharpness
from optim_lib.networks import MLP
from optim_lib.optimizers import Adam, AMSGrad, MomentumSGD, Optimizer, UncorrectedAdam
from optim_lib.optimizers.base import Hyperparameter
from optim_lib.training import LogUniform, Search, Tuned, Tuning, Uniform, train_sweep, tune

DATA = digits()
NETWORK = MLP((64, 32, 10))
SEARCHES = {
    "SGD + momentum": Search(MomentumSGD, learning_rate=LogUniform(1e-3, 3.0), momentum=Uniform(0.0, 0.98)),
    "Adam": Search(Adam, learning_rate=LogUniform(1e-4, 0.3), beta1=Uniform(0.0, 0.98)),
}


REPORT_SEEDS = tuple(range(20))


class AdamWithoutMomentum(Adam):
    """Adam with no memory of direction: its scale is left, and the correction of that."""

    beta1: float | NDArray[np.floating] = Hyperparameter(default=0.0, below=1.0)


def compare_on_digits(epochs: int, trials: int = 15) -> Tuning:
    """Adam and SGD with momentum on the digits: two hyperparameters each, the same number of settings tried."""
    return tune(SEARCHES, NETWORK, DATA, trials=trials, epochs=epochs, report_seeds=REPORT_SEEDS, progress=False)


def real_edges(tuned: Tuned) -> list[str]:
    """What was chosen at an end of its range; a momentum of zero is the end of what there is, not of what was tried."""
    return [words for words in tuned.at_edge if not words.startswith(("momentum 0 ", "beta1 0 "))]


def sharpness_at(
    loss: float, tuning: Tuning, seeds: Sequence[int] = range(10), most_epochs: int = 40
) -> dict[str, NDArray[np.float64]]:
    """The sharpness of each tuned optimizer when its training loss is first under `loss`, seed by seed.

    Sharpness falls as the training loss does, so only networks that fit equally well can be compared. Each run is
    looked at after every fourth step; one that never arrives is NaN.
    """
    return {
        tuned.label: np.array([_sharpness_of_run(tuned, loss, seed, most_epochs) for seed in seeds]) for tuned in tuning
    }


def _sharpness_of_run(tuned: Tuned, loss: float, seed: int, most_epochs: int) -> float:
    objective, rng, step = NETWORK.on(*DATA.train), np.random.default_rng(seed), 0
    optimizer, params = SEARCHES[tuned.label].optimizer(**tuned.setting), NETWORK.initialize(seed)
    for _ in range(most_epochs):
        for batch in minibatches(len(DATA.train.x), 32, rng):
            grads = NETWORK.loss_and_gradients(params, DATA.train.x[batch], DATA.train.y[batch])[1]
            optimizer.update(params, grads)
            step += 1
            if step % 4 == 0 and objective.loss(params) < loss:
                return sharpness(objective, params)
    return np.nan


def accuracy_by_rate(rates: ArrayLike, epochs: int = 5) -> dict[str, NDArray[np.float64]]:
    """Validation accuracy on the digits for each rate (columns) and three seeds (rows), otherwise at the defaults."""
    found = {}
    for label, optimizer in (("SGD + momentum", MomentumSGD), ("Adam", Adam)):
        runs = train_sweep(NETWORK, optimizer, DATA, epochs=epochs, seeds=range(3), learning_rate=rates, progress=False)
        found[label] = runs.validation_accuracies[..., -1].T
    return found


def unit_steps(optimizer: Optimizer, grads: ArrayLike) -> NDArray[np.float64]:
    """How far `optimizer` moves against each of a stream of gradients of one parameter, in units of its rate.

    Parameters
    ----------
    optimizer : Optimizer
        A fresh one with ``learning_rate=1``.
    grads : array of shape (steps,)
    """
    params, path = {"theta": np.zeros(1)}, [0.0]
    for grad in np.asarray(grads, dtype=np.float64):
        optimizer.update(params, {"theta": np.array([grad])})
        path.append(float(params["theta"][0]))
    return -np.diff(path)


def loss_spike(steps: int = 60, growth: float = 0.999 / 0.9, noise: float = 1e-3, seed: int = 0) -> NDArray[np.float64]:
    """Gradients that are small noise for 5000 steps, and then grow: the stream under which Adam steps farthest.

    With memories of 0.9 and 0.999 the worst growth is their ratio, 11 % a step.
    """
    before = noise * np.random.default_rng(seed).standard_normal(5000)
    return np.append(before, noise * growth ** np.arange(1, steps + 1))


def longest_step(beta1: float = 0.9, beta2: float = 0.999) -> float:
    r"""The longest step that any stream of gradients can make Adam take, in units of its rate, late in a run.

    By the inequality of Cauchy and Schwarz,

    .. math:: |m| / \sqrt v \le (1-\beta_1) / \sqrt{(1-\beta_2)(1-\beta_1^2/\beta_2)}
    """
    return (1 - beta1) / math.sqrt((1 - beta2) * (1 - beta1**2 / beta2))


def noise_to_signal(grads: ArrayLike, beta: float) -> NDArray[np.float64]:
    r"""Variance over squared mean of the gradients so far, at each step, when an age of k steps weighs beta**k.

    With one memory for both averages, and no epsilon, Adam's step is :math:`1/\sqrt{1 + r}` rates long for this r
    (Orvieto and Gower, 2025).
    """
    grads = np.asarray(grads, dtype=np.float64)
    ratios = []
    for t in range(1, len(grads) + 1):
        weights = beta ** np.arange(t)[::-1] / np.sum(beta ** np.arange(t))
        mean = np.sum(weights * grads[:t])
        ratios.append(np.sum(weights * (grads[:t] - mean) ** 2) / mean**2)
    return np.array(ratios)


def excess_steps(steps: int) -> NDArray[np.float64]:
    """The length of each step without bias correction over the same step with it, for a steady gradient of 1."""
    grads = np.ones(steps)
    return unit_steps(UncorrectedAdam(learning_rate=1.0), grads) / unit_steps(Adam(learning_rate=1.0), grads)


def game(optimizer: Adam | AMSGrad, steps: int = 3000) -> NDArray[np.float64]:
    r"""Play the game of Reddi et al. (2018) on [-1, 1]: gradient +3 every third step, -1 in between; the path of x.

    The rate is :math:`0.5/\sqrt t`, and x is put back into the interval after each step. The best x is -1.
    """
    params, path = {"x": np.zeros(1)}, np.empty(steps)
    for t in range(1, steps + 1):
        optimizer.learning_rate = 0.5 / np.sqrt(t)
        optimizer.update(params, {"x": np.array([3.0 if t % 3 == 1 else -1.0])})
        params["x"].clip(-1.0, 1.0, out=params["x"])
        path[t - 1] = params["x"][0]
    return path


STARTS = np.array([(-1.8, 0.8), (1.5, 0.3), (-1.0, -1.2), (0.7, 1.0)])
RATES = np.geomspace(1e-3, 3.0, 36)


def steps_by_angle(
    optimizers: Sequence[type[Optimizer]], angles: Sequence[float], *, steps: int = 200, target: float = 1e-4
) -> list[dict[str, object]]:
    """Steps until the loss on a ravine of condition number 50, turned by each angle, is `target` of the first loss.

    Each count is the smallest over `RATES`, and then the median over four starts, which turn along. One row (a dict)
    for each optimizer; a run that never arrives counts as one step more than there were.
    """
    rows = []
    for optimizer in optimizers:
        counts = {f"{angle:g} degrees": _median_count(optimizer, angle, steps, target) for angle in angles}
        rows.append({"optimizer": optimizer.__name__, **counts})
    return rows


def _median_count(optimizer: type[Optimizer], angle: float, steps: int, target: float) -> int:
    turn = np.radians(angle)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    ravine = quadratic((1.0, 50.0), turn)
    counts = []
    for start in STARTS:
        losses = sweep(optimizer, ravine, rotation @ start, steps, learning_rate=RATES).losses
        arrived = losses <= target * losses[:, :1]
        counts.append(np.where(arrived.any(axis=1), arrived.argmax(axis=1), steps + 1).min())
    return int(np.median(counts))
