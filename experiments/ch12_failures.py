"""Chapter 12, choosing: runs that do not learn, each broken in one way that can be named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optim_lib.data import Dataset, Split, breast_cancer, digits, minibatches
from optim_lib.networks import MLP, Params
from optim_lib.optimizers import MomentumSGD

Array = NDArray[np.floating]

BREAKABLE = MLP((64, 16, 10), activation="relu")
LOST = 1e4
"""A loss above this, four thousand times that of a guess, does not come back."""


def break_a_run(
    learning_rate: Sequence[float],
    input_scale: Sequence[float],
    initial_scale: Sequence[float],
    steps: int = 120,
    every: int = 3,
    seed: int = 0,
) -> dict[str, dict[str, Array]]:
    """SGD with momentum on the digits with three things that can be wrong, all combinations, in two orders.

    Parameters
    ----------
    learning_rate, input_scale, initial_scale : sequence of float
        Every pixel is multiplied by the second, and every initial weight by the third.
    steps, every : int
        Losses are measured on 180 validation examples every so many steps.
    seed : int

    Returns
    -------
    dict of str to (dict of str to ndarray)
        "validation loss" and "validation error", and in each "shuffled" and "sorted by class", of shape (rates, input
        scales, initial scales, measurements); NaN from where a loss was above `LOST`.
    """
    data = digits()
    rates, inputs, initials = (
        np.reshape(values, [-1 if axis == place else 1 for axis in range(5)]).astype(float)
        for place, values in enumerate((learning_rate, input_scale, initial_scale))
    )
    x, y = inputs * data.validation.x[:180], data.validation.y[:180]
    panels: dict[str, dict[str, Array]] = {"validation loss": {}, "validation error": {}}
    with np.errstate(all="ignore"):
        for order, batches in _orders(data, steps, seed).items():
            first = BREAKABLE.initialize(seed)
            params = {
                name: np.tile(initials * array, (rates.size, inputs.size, 1, 1, 1)) for name, array in first.items()
            }
            optimizer = MomentumSGD(learning_rate=rates, momentum=0.9)
            losses, errors = [], []
            for step, rows in enumerate([*batches, None]):
                if step % every == 0:
                    losses.append(BREAKABLE.loss(params, x, y))
                    errors.append(1 - BREAKABLE.accuracy(params, x, y))
                if rows is not None:
                    grads = BREAKABLE.loss_and_gradients(params, inputs * data.train.x[rows], data.train.y[rows])[1]
                    optimizer.update(params, grads)
            loss, error = np.stack(losses, axis=-1), np.stack(errors, axis=-1)
            lost = np.logical_or.accumulate(~(loss < LOST), axis=-1)
            panels["validation loss"][order] = np.where(lost, np.nan, loss)
            panels["validation error"][order] = np.where(lost, np.nan, error)
    return panels


def _orders(data: Dataset, steps: int, seed: int) -> dict[str, list[NDArray[np.integer]]]:
    """Mini-batches of 32 for so many steps: drawn anew each epoch, or class by class, again and again."""
    rng, count = np.random.default_rng(seed), len(data.train.y)
    shuffled: list[NDArray[np.integer]] = []
    while len(shuffled) < steps:
        shuffled += minibatches(count, 32, rng, drop_last=True)
    by_class = np.argsort(data.train.y, kind="stable")
    in_order = [by_class[start : start + 32] for start in range(0, count - 31, 32)]
    return {"shuffled": shuffled[:steps], "sorted by class": [in_order[i % len(in_order)] for i in range(steps)]}


@dataclass(frozen=True)
class Fault:
    """One way to spoil a run; the defaults spoil nothing."""

    learning_rate: float = 0.03
    input_scale: float = 1.0
    initial_scale: float = 1.0
    shuffled: bool = True
    labels_shuffled: bool = False
    gradient_sign: float = 1.0
    gradients_pile_up: bool = False
    examples: int | None = None
    sizes: tuple[int, ...] = (64, 32, 10)
    steps: int = 200
    batch_size: int = 32


@dataclass(frozen=True)
class Watched:
    """What a run shows while it trains: its losses, and the norm of the gradient, every few steps."""

    steps: NDArray[np.integer]
    train_loss: Array
    validation_loss: Array
    gradient_norm: Array

    def curves(self) -> dict[str, Array]:
        return {"training": self.train_loss, "validation": self.validation_loss}


def watch(fault: Fault | None = None, data: Dataset | None = None, seed: int = 0, every: int = 2) -> Watched:
    """Train a ReLU network with SGD and momentum, with something wrong, and watch."""
    fault, data = fault or Fault(), data or digits()
    rng = np.random.default_rng(seed)
    network = MLP(fault.sizes, activation="relu")
    x, y = fault.input_scale * data.train.x[: fault.examples], data.train.y[: fault.examples].copy()
    if not fault.shuffled:
        x, y = x[np.argsort(y, kind="stable")], np.sort(y)
    if fault.labels_shuffled:
        y = rng.permutation(y)
    held_out = Split(fault.input_scale * data.validation.x, data.validation.y)
    params = {name: fault.initial_scale * array for name, array in network.initialize(seed).items()}
    optimizer = MomentumSGD(learning_rate=fault.learning_rate, momentum=0.9)
    piled: Params = {name: np.zeros_like(array) for name, array in params.items()}
    seen: list[tuple[float, ...]] = []
    queue: list[NDArray[np.integer]] = []
    with np.errstate(all="ignore"):
        for step in range(fault.steps + 1):
            if step % every == 0:
                loss, grads = network.loss_and_gradients(params, x, y)
                norm = np.sqrt(sum(float((grad**2).sum()) for grad in grads.values()))
                seen.append((step, float(loss), float(network.loss(params, held_out.x, held_out.y)), norm))
                if not loss < LOST:
                    break
            if not queue:
                size = fault.batch_size
                queue = (
                    list(minibatches(len(y), size, rng))
                    if fault.shuffled
                    else [np.arange(start, min(start + size, len(y))) for start in range(0, len(y), size)]
                )
            rows = queue.pop(0)
            grads = network.loss_and_gradients(params, x[rows], y[rows])[1]
            if fault.gradients_pile_up:
                for name, grad in grads.items():
                    piled[name] += grad
                grads = {name: grad.copy() for name, grad in piled.items()}
            optimizer.update(params, {name: fault.gradient_sign * grad for name, grad in grads.items()})
    steps, train, validation, norms = np.array(seen).T
    return Watched(
        steps.astype(int), *(np.where(np.isfinite(v) & (v < LOST), v, np.nan) for v in (train, validation, norms))
    )


FAULTS = {
    "Healthy": Fault(),
    "Rate too high": Fault(learning_rate=0.4),
    "Rate too low": Fault(learning_rate=3e-4),
    "Inputs of the wrong size": Fault(input_scale=16.0),
    "A dead start": Fault(initial_scale=0.0),
    "No shuffling": Fault(learning_rate=0.02, shuffled=False),
    "A wrong sign": Fault(gradient_sign=-1.0),
    "Gradients pile up": Fault(learning_rate=0.01, gradients_pile_up=True),
    "Labels do not belong to inputs": Fault(labels_shuffled=True),
    "Too few examples": Fault(examples=60),
}

TUMORS = (30, 16, 2)
MYSTERIES = {
    "A": Fault(sizes=TUMORS, input_scale=50.0, steps=120),
    "B": Fault(sizes=TUMORS, learning_rate=0.05, labels_shuffled=True, steps=120),
    "C": Fault(sizes=TUMORS, initial_scale=0.0, steps=120),
    "D": Fault(sizes=TUMORS, learning_rate=0.1, examples=24, batch_size=8, steps=120),
}


def mystery(letter: str) -> Watched:
    """One of four runs on the tumors, with two classes: one thing is wrong with each."""
    return watch(MYSTERIES[letter], breast_cancer(), seed=8)
