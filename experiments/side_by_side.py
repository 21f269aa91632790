"""Many runs at once, and what is read off them: the batches of each seed, and the rate that is best for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from optim_lib.data import minibatches
from optim_lib.networks import Params

Array = NDArray[np.floating]


def stacked(starts: Sequence[Params], rates: int) -> Params:
    """The first weights of each seed, once for every rate: arrays of shape (seeds, rates, ...)."""
    return {name: np.repeat(np.stack([s[name] for s in starts])[:, None], rates, axis=1) for name in starts[0]}


def own_batches(n: int, batch_size: int, seeds: Sequence[int]) -> Iterator[NDArray[np.integer]]:
    """For each seed its own batches, of shape (seeds, 1, batch_size), without end."""
    generators = [np.random.default_rng([seed, batch_size]) for seed in seeds]
    while True:
        for batches in zip(*(minibatches(n, batch_size, g, drop_last=True) for g in generators), strict=True):
            yield np.stack(batches)[:, None]


def best_rate(rates: Array, cost: Array, within: float = 1.1) -> Array:
    """For each row of costs, of shape (..., rates), the middle of all rates that cost at most a tenth over the best.

    A single lowest cost jumps between neighbors; the middle, in logarithms, does not.

    Examples
    --------
    >>> best_rate(np.array([0.01, 0.1, 1.0, 10.0]), np.array([50.0, 10.0, 10.5, np.inf])).round(3)
    np.float64(0.316)
    """
    good = cost <= within * cost.min(axis=-1, keepdims=True)
    return np.exp2((good * np.log2(rates)).sum(axis=-1) / good.sum(axis=-1))


def at_the_edge(rates: Array, cost: Array) -> bool:
    """Whether the lowest of these costs, one for each rate, is at an end of the range."""
    return int(np.argmin(cost)) in (0, len(rates) - 1)
