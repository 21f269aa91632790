"""Gradients by differences, to check those that were written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optim_lib.checks import positive
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
        Not changed; the loss is asked in float64.
    spacing : float, default 1e-5
        :math:`h > 0`. The error of the formula falls as :math:`h^2`, that of rounding grows as :math:`1/h`.

    Raises
    ------
    TypeError, ValueError
        If the loss gives no number, or `spacing` is lost in the rounding of a large parameter, or of a loss in float32.

    Examples
    --------
    >>> finite_difference_gradient(lambda p: p[0] ** 2 + 3 * p[1], np.array([1.0, 5.0])).round(6)
    array([2., 3.])
    """
    h = positive("spacing", spacing)
    flat, rebuild = flattened(params)
    gradient = np.empty_like(flat)
    for i in range(flat.size):
        step = np.zeros_like(flat)
        step[i] = h
        if not 0.99 < ((flat + step)[i] - (flat - step)[i]) / (2 * h) < 1.01:
            raise ValueError(f"spacing must not be lost in a parameter of {flat[i]:g} by rounding, got {spacing!r}")
        above, below = (_one_number(loss(rebuild(flat + moved)), h) for moved in (step, -step))
        gradient[i] = (above - below) / (2 * h)
    return rebuild(gradient)


def _one_number(loss: Any, spacing: float) -> float:
    precision = str(getattr(loss, "dtype", "")).rpartition(".")[2]
    if precision in ("float16", "bfloat16", "float32") and spacing < 1e-3:
        raise ValueError(f"spacing must be at least 0.001 for a loss in {precision}, got {spacing!r}")
    if np.ndim(loss) != 0 and np.size(loss) != 1:
        raise ValueError(f"loss must give one number, got an array of shape {np.shape(loss)}")
    return float(loss)
