"""Gradients by differences, to check those that were written down."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from optim_lib.measure.flat import Params, flattened

Array = NDArray[np.floating]


def finite_difference_gradient(loss: Callable[[Params], float], params: Params, spacing: float = 1e-5) -> Params:
    r"""The gradient by central differences, one coordinate at a time.

    .. math:: \frac{\partial L}{\partial \theta_i} \approx
              \frac{L(\theta + h e_i) - L(\theta - h e_i)}{2h}

    Parameters
    ----------
    loss : callable
    params : dict of str to ndarray, or ndarray
        Not changed.
    spacing : float, default 1e-5
        :math:`h > 0`. The error of the formula falls as :math:`h^2`, that of rounding grows as :math:`1/h`.

    Examples
    --------
    >>> finite_difference_gradient(lambda p: p[0] ** 2 + 3 * p[1], np.array([1.0, 5.0])).round(6)
    array([2., 3.])
    """
    if not 0 < spacing < math.inf:
        raise ValueError(f"spacing must be a positive number, got {spacing!r}")
    flat, rebuild = flattened(params)
    gradient = np.empty_like(flat)
    for i in range(flat.size):
        step = np.zeros_like(flat)
        step[i] = spacing
        gradient[i] = (loss(rebuild(flat + step)) - loss(rebuild(flat - step))) / (2 * spacing)
    return rebuild(gradient)
