"""One rate for every width: the rule that keeps Adam's best rate where it is while a network grows wider.

The network has two hidden layers of the same width. The rule is that of table 3 of Yang et al. (2022), "Tensor Programs
V: tuning large neural networks via zero-shot hyperparameter transfer": hidden and output weights get a rate, and the
output weights a first variance over their inputs, that fall like one over the width.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.side_by_side import own_batches, stacked
from optim_lib.data import Split, digits
from optim_lib.networks import MLP, Params
from optim_lib.optimizers import Adam, ParameterGroups

Array = NDArray[np.floating]

NARROW = 16
WIDTHS = (16, 64, 256)
RATES = np.geomspace(0.001, 1, 11)
STEPS = (20, 40)


def network_of(width: int) -> MLP:
    return MLP((64, width, width, 10), dtype=np.float32)


def scaled_adam(rate: ArrayLike, width: int, power: float) -> ParameterGroups:
    """Adam whose rate for hidden and output weights falls like a power of the width; biases and inputs keep theirs."""
    wide = np.asarray(rate) * (NARROW / width) ** power
    return ParameterGroups({"W1": Adam(rate), "b*": Adam(rate), "*": Adam(wide)})


def scaled_start(width: int, seed: int, power: float) -> Params:
    """The usual first weights; the variance of the output's falls by that power of the width once more."""
    start = network_of(width).initialize(seed)
    start["W3"] *= np.float32((NARROW / width) ** (power / 2))
    return start


def losses(
    width: int,
    rates: ArrayLike = RATES,
    *,
    power: float = 1.0,
    first: float | None = None,
    seeds: Sequence[int] = range(3),
    steps: Sequence[int] = STEPS,
    batch_size: int = 64,
) -> Array:
    """The training loss on the digits after these steps, of shape (steps, seeds, rates): all runs side by side.

    `power` is that of the rates, and of the first weights too unless `first` is another. Each seed has its own first
    weights and batches, the same at every rate.
    """
    network, train = network_of(width), digits().train
    train = Split(train.x.astype(network.dtype), train.y)
    rates = np.asarray(rates, dtype=float)[:, None, None]
    params = stacked([scaled_start(width, seed, power if first is None else first) for seed in seeds], len(rates))
    optimizer, found = scaled_adam(rates, width, power), []
    with np.errstate(all="ignore"):  # a rate that is far too large overflows
        for step, batch in zip(range(1, max(steps) + 1), own_batches(len(train.x), batch_size, seeds), strict=False):
            optimizer.update(params, network.loss_and_gradients(params, train.x[batch], train.y[batch])[1])
            if step in steps:
                found.append(network.loss(params, *train))
    return np.where(np.isfinite(found), found, np.inf)


def transfer(powers: Iterable[float], widths: Iterable[int] = WIDTHS) -> dict[int, Array]:
    """By width the training losses, the median over three seeds, of shape (powers, steps, rates)."""
    powers = list(powers)
    return {width: np.array([np.median(losses(width, power=p), axis=1) for p in powers]) for width in widths}


def best_so_far(loss: Array, rates: Array = RATES) -> Array:
    """For each rate, the best of those up to it: a search from low to high. The last axis is that of the rates."""
    lowest = np.minimum.accumulate(loss, axis=-1)
    return np.maximum.accumulate(np.where(loss == lowest, rates, 0.0), axis=-1)
