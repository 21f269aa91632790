"""The noise of mini-batch gradients, against the size of the batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optim_lib.checks import whole
from optim_lib.measure.flat import flattened
from optim_lib.networks import Objective

Array = NDArray[np.floating]


@dataclass(frozen=True)
class GradientNoise:
    r"""How mini-batch gradients scatter around the full gradient, at fixed parameters.

    Attributes
    ----------
    batch_sizes : ndarray of shape (k,)
    variance : ndarray of shape (k,)
        Measured: the mean of :math:`\lVert g_B - g \rVert^2` over the draws.
    predicted : ndarray of shape (k,)
        :math:`\sigma^2 / B`; drawn without replacement, times :math:`(n - B)/(n - 1)`.
    per_example_variance : float
        :math:`\sigma^2 = \frac1n \sum_i \lVert g_i - g \rVert^2`, from the gradient of every example.
    bias : ndarray of shape (k,)
        :math:`\lVert \bar g_B - g \rVert`, the distance of the mean over the draws from the full gradient.
    standard_error : ndarray of shape (k,)
        What that distance is expected to be if the mini-batch gradient is unbiased.
    gradient_norm : float
        :math:`\lVert g \rVert`.
    noise_scale : float
        :math:`\sigma^2 / \lVert g \rVert^2`, the batch size at which noise and signal are equally large (McCandlish et
        al. 2018, "An empirical model of large-batch training").
    """

    batch_sizes: NDArray[np.integer]
    variance: Array
    predicted: Array
    per_example_variance: float
    bias: Array
    standard_error: Array
    gradient_norm: float
    noise_scale: float


def gradient_noise(
    objective: Objective,
    params: dict[str, Array],
    batch_sizes: Sequence[int] = (1, 2, 4, 8, 16, 32, 64, 128, 256),
    *,
    draws: int = 200,
    replacement: bool = False,
    seed: int = 0,
) -> GradientNoise:
    r"""Measure the variance of mini-batch gradients against the batch size.

    Parameters
    ----------
    objective : Objective
        ``network.on(x, y)``, or ``TorchModel(module).on(x, y)``: the examples to draw from.
    params : dict of str to ndarray
    batch_sizes : sequence of int
        Between 1 and the number of examples.
    draws : int, default 200
        Mini-batches of each size.
    replacement : bool, default False
        Whether one mini-batch may hold an example twice. Without replacement there is less noise, by the finite
        population correction :math:`(n - B)/(n - 1)`, and none at all when the batch is everything.
    seed : int, default 0
    """
    if not hasattr(objective, "gradients_of_batches"):
        raise TypeError(
            "objective must be network.on(x, y) or TorchModel(module).on(x, y), whose examples can be drawn, got "
            f"{type(objective).__name__}"
        )
    n = len(objective.x)
    sizes = np.asarray(batch_sizes)
    if sizes.ndim != 1 or sizes.dtype.kind not in "iu" or not np.all((sizes >= 1) & (sizes <= n)):
        raise ValueError(f"batch_sizes must be whole numbers from 1 to {n}, got {batch_sizes!r}")
    if whole("draws", draws) < 2:
        raise ValueError(f"draws must be at least 2, got {draws!r}")
    rng = np.random.default_rng(seed)
    full = flattened(objective.gradients(params), "gradients", like=params)[0]
    gradients = objective.gradients_of_batches(params, np.arange(n)[:, None])
    each = np.concatenate([gradients[name].reshape(n, -1) for name in params], axis=1).astype(np.float64)
    apart = np.abs(each.mean(axis=0) - full).max()
    if apart > 1e-3 * np.abs(full).max() + 1e-5 * np.abs(each).max():
        raise ValueError("objective must have a loss that is a mean over its examples: the mean of theirs is another")
    sigma2 = float(((each - full) ** 2).sum(axis=1).mean())
    correction = np.ones(sizes.size) if replacement else (n - sizes) / max(n - 1, 1)
    variance, bias = [], []
    for size in sizes:
        drawn = [
            np.bincount(rng.choice(n, size, replace=replacement).astype(np.intp), minlength=n) for _ in range(draws)
        ]
        # A mini-batch gradient is the mean of its examples' gradients.
        errors = np.array(drawn) / size @ (each - full)
        variance.append((errors**2).sum(axis=1).mean())
        bias.append(np.linalg.norm(errors.mean(axis=0)))
    predicted = sigma2 / sizes * correction
    norm = float(np.linalg.norm(full))
    return GradientNoise(
        batch_sizes=sizes,
        variance=np.array(variance),
        predicted=predicted,
        per_example_variance=sigma2,
        bias=np.array(bias),
        standard_error=np.sqrt(predicted / draws),
        gradient_norm=norm,
        noise_scale=sigma2 / norm**2 if norm else math.inf,
    )
