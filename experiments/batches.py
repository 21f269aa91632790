r"""Steps to a target against the batch size, each batch with a rate of its own: SGD and Adam on the digits.

Two predictions stand beside the runs. Steps and examples trade off along a hyperbola (McCandlish et al., 2018, "An
empirical model of large-batch training"),

.. math:: \Big(\frac{S}{S_{\min}} - 1\Big) \Big(\frac{E}{E_{\min}} - 1\Big) = 1, \qquad E = B S,

which is :math:`S = S_{\min} (1 + B_{\text{crit}} / B)` with :math:`B_{\text{crit}} = E_{\min}/S_{\min}`, the mean of
the noise scale over the steps of a run without noise. And the best rate grows like :math:`B` for SGD (Goyal et al.,
2017), like :math:`\sqrt B` for Adam (Malladi et al., 2022, "On the SDEs and scaling rules for adaptive gradient
algorithms"), as long as noise rules. The latter takes the memories along: :math:`1 - \beta` in proportion to :math:`B`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.side_by_side import at_the_edge, best_rate, own_batches, stacked
from optim_lib.data import digits
from optim_lib.measure import gradient_noise
from optim_lib.networks import MLP
from optim_lib.optimizers import SGD, Adam

Array = NDArray[np.floating]
Rule = Callable[[Array, int], SGD | Adam]

NETWORK = MLP((64, 32, 10))
TARGETS = (0.3, 0.15)
SIZES = (4, 8, 16, 32, 64, 128, 256, 512, 1079)
NOISY = (4, 8, 16, 32, 64)
BASE = 64
COARSE = 2.0 ** np.arange(-4, 5)
FINE = 2.0 ** np.arange(-2, 2.1, 0.5)


def with_memories(rate: Array, batch_size: int) -> Adam:
    """Adam as the square-root rule has it: what is forgotten in a step grows with the batch, from the usual at 64."""
    share = batch_size / BASE
    return Adam(rate, beta1=max(0.0, 1 - 0.1 * share), beta2=1 - 0.001 * share, epsilon=1e-8 / np.sqrt(share))


# Each with the middle of its first search at a batch of 64.
RULES: dict[str, tuple[Rule, float]] = {
    "SGD": (lambda rate, _: SGD(rate), 1.0),
    "Adam": (lambda rate, _: Adam(rate), 1 / 64),
    "Adam, memories too": (with_memories, 1 / 64),
}


def steps_to(
    rule: Rule, batch_size: int, rates: ArrayLike, seeds: Sequence[int], *, patience: float = 2.0, most: int = 4000
) -> Array:
    """Steps until the validation loss is under each target, of shape (targets, seeds, rates); infinite if too many.

    Too many is `patience` times what the fastest rate takes to the last target, the median over the seeds. The loss is
    looked at every step, for batches under 32 every time that 32 examples have been seen.
    """
    data, rates = digits(), np.asarray(rates, dtype=float)
    params = stacked([NETWORK.initialize(seed) for seed in seeds], rates.size)
    optimizer, every = rule(rates[:, None, None], batch_size), max(1, 32 // batch_size)
    counts = np.full((len(TARGETS), len(seeds), rates.size), np.inf)
    limits = np.reshape(TARGETS, (-1, 1, 1))
    with np.errstate(all="ignore"):  # rates that are too large overflow, and never arrive
        for step, batch in enumerate(own_batches(len(data.train.x), batch_size, seeds), start=1):
            optimizer.update(params, NETWORK.loss_and_gradients(params, data.train.x[batch], data.train.y[batch])[1])
            if step % every == 0:
                under = NETWORK.loss(params, *data.validation) < limits
                counts = np.where(under & np.isinf(counts), step, counts)
            if step >= min(most, patience * np.median(counts[-1], axis=0).min()) or np.isfinite(counts).all():
                break
    return counts


@dataclass(frozen=True)
class Race:
    """One rule, batch size and target: the rate chosen, and of each report seed its steps and its own best rate.

    The best rates are read off the second pass, in which the report seeds run at every rate.
    """

    rate: float
    edge: bool
    tried: int
    steps: Array
    best: Array


def race(
    name: str,
    batch_size: int,
    *,
    first: Sequence[int] = range(100, 103),
    tuning: Sequence[int] = range(110, 118),
    report: Sequence[int] = range(12),
) -> list[Race]:
    """Two passes, by powers of two on three seeds, then by half powers around the best on eight: one race a target."""
    rule, middle = RULES[name]
    coarse = middle * COARSE * (1 if batch_size >= BASE else 2.0 ** round(np.log2(batch_size / BASE) / 2))
    rough = np.median(steps_to(rule, batch_size, coarse, first), axis=1)
    races = []
    for k, costs in enumerate(rough):
        rates = coarse[np.argmin(costs)] * FINE
        chosen = np.mean(steps_to(rule, batch_size, rates, tuning)[k], axis=0)
        found = steps_to(rule, batch_size, rates, report, patience=2.5)[k]
        at = int(np.argmin(chosen))
        edge = at_the_edge(coarse, costs) or at_the_edge(rates, chosen)
        races.append(Race(float(rates[at]), edge, coarse.size + rates.size, found[:, at], best_rate(rates, found)))
    return races


@cache
def races(name: str) -> dict[float, dict[int, Race]]:
    """By target and batch size."""
    by_size = {size: race(name, size) for size in SIZES}
    return {target: {size: each[k] for size, each in by_size.items()} for k, target in enumerate(TARGETS)}


def exponent(sizes: ArrayLike, rates: Array) -> Array:
    """The slope of log rate against log batch size for each seed; rates of shape (sizes, seeds)."""
    return np.polyfit(np.log2(sizes), np.log2(rates), 1)[0]


def bending_exponent(critical: float, sizes: ArrayLike = NOISY) -> float:
    r"""That slope for :math:`1/(1 + B_{\text{crit}}/B)`, to which the best rate of SGD should be in proportion."""
    return float(exponent(sizes, 1 / (1 + critical / np.asarray(sizes, dtype=float)[:, None]))[0])


def hyperbola(sizes: ArrayLike, steps: Array) -> tuple[Array, Array]:
    r""":math:`S_{\min}` and :math:`B_{\text{crit}}` by squares of logarithms, for steps of shape (sizes, seeds)."""
    critical = np.geomspace(1, 10_000, 4001)
    shape = np.log(1 + critical / np.asarray(sizes, dtype=float)[:, None])[:, None]  # (sizes, 1, candidates)
    gap = np.log(steps)[..., None] - shape
    misfit = gap.var(axis=0)
    at = misfit.argmin(axis=-1)
    fewest = np.exp(np.take_along_axis(gap.mean(axis=0), at[:, None], axis=-1)[:, 0])
    return fewest, critical[at]


def noise_on_the_way(rate: float, seed: int) -> dict[float, float]:
    """The mean noise scale over the steps of gradient descent to each target: what the hyperbola's knee should be."""
    data, params, optimizer = digits(), NETWORK.initialize(seed), SGD(rate)
    objective, scales, found = NETWORK.on(*data.train), [], {}
    while len(found) < len(TARGETS):
        scales.append(gradient_noise(objective, params, (1,), draws=2).noise_scale)
        optimizer.update(params, objective.gradients(params))
        loss = NETWORK.loss(params, *data.validation)
        found |= {target: float(np.mean(scales)) for target in TARGETS if loss < target and target not in found}
    return found
